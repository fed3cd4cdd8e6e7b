"""Autosave: when a run is saved, and what happens if it cannot be saved."""

import sys
import tempfile
from pathlib import Path

import pytest

from dinogen.checkpoint import NO_FILE, Stamp, load_checkpoint
from dinogen.cli import SAVE_EVERY, Autosave
from dinogen.data import read_corpus
from dinogen.errors import CheckpointError
from dinogen.training import DefaultRun, Settings
from tests.conftest import CORPORA

HOME = sys.modules[Autosave.__module__]


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of `Autosave`."""
    clock = Clock()
    monkeypatch.setattr(HOME, "monotonic", clock)
    return clock


@pytest.fixture
def run() -> DefaultRun:
    """A run of five steps, one of them done."""
    settings = Settings(seed=1, hidden_size=4, steps=5, holdout=0.0, order=2)
    run = DefaultRun(read_corpus([CORPORA / "edda.txt"]), settings)
    next(run.train())
    return run


def test_saves_at_intervals(clock: Clock, run: DefaultRun, tmp_path: Path) -> None:
    """A run is saved when `SAVE_EVERY` seconds have passed, and not before."""
    output = tmp_path / "model.npz"
    autosave = Autosave(run, str(output), NO_FILE)
    clock.now += SAVE_EVERY - 0.01
    assert autosave.save_if_due() is None
    assert not output.exists()
    clock.now += 0.01
    assert autosave.save_if_due() is None
    assert load_checkpoint(output).training.steps == 1
    next(run.train())
    clock.now += SAVE_EVERY - 0.01
    autosave.save_if_due()
    assert load_checkpoint(output).training.steps == 1
    clock.now += 0.01
    autosave.save_if_due()
    assert load_checkpoint(output).training.steps == 2


def test_slow_saves_are_rare(
    clock: Clock, run: DefaultRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a save of 60 seconds, the next one comes nine times 60 seconds later."""
    times: list[float] = []

    def save(*_: object) -> None:
        times.append(clock.now)
        clock.now += 60

    monkeypatch.setattr(HOME, "save", save)
    autosave = Autosave(run, str(tmp_path / "model.npz"), NO_FILE)
    while len(times) < 3:
        clock.now += 1
        autosave.save_if_due()
    assert times == [110, 710, 1310]


def message_of(clock: Clock, autosave: Autosave) -> str:
    """Save when it is due, and return the message."""
    clock.now += SAVE_EVERY
    return autosave.save_if_due() or ""


def test_a_problem_is_reported_once(clock: Clock, run: DefaultRun, tmp_path: Path) -> None:
    """A problem is reported when it begins, and again only if it ended in between."""
    folder = tmp_path / "folder"
    autosave = Autosave(run, str(folder / "model.npz"), NO_FILE)

    assert "there is no directory" in message_of(clock, autosave)
    assert message_of(clock, autosave) == ""
    folder.mkdir()
    assert message_of(clock, autosave) == ""
    assert (folder / "model.npz").exists()
    (folder / "model.npz").unlink()
    folder.rmdir()
    assert "there is no directory" in message_of(clock, autosave)


def test_files_of_others_are_not_replaced(
    clock: Clock, run: DefaultRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that something else wrote to the path is never replaced; an own save is."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    output = tmp_path / "model.npz"

    first, second = (Autosave(run, str(output), Stamp.of(output)) for _ in range(2))
    assert message_of(clock, first) == message_of(clock, first) == ""
    kept = output.read_bytes()
    assert "another file was written there" in message_of(clock, second)
    with pytest.raises(CheckpointError, match="not replaced; the model is saved in "):
        second.save()
    assert output.read_bytes() == kept
    output.unlink()
    assert message_of(clock, second) == ""
    output.write_text("precious")
    assert "another file was written there" in message_of(clock, second)
    assert output.read_text() == "precious"


def test_saves_elsewhere_at_the_end(
    run: DefaultRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the end, what cannot be saved goes to a temporary folder; the error has its path."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(CheckpointError, match="the model is saved in ") as caught:
        Autosave(run, str(tmp_path / "none" / "model.npz"), NO_FILE).save()
    elsewhere = Path(str(caught.value).rpartition(" saved in ")[2])
    assert elsewhere.name == "model.npz"
    assert load_checkpoint(elsewhere).training.steps == 1


def test_no_place_to_save(run: DefaultRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If no place can be written, the error is the first one, and no empty folder is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def save(_: object, path: Path | str, *__: object) -> None:
        raise CheckpointError(f"{path}: no space")

    monkeypatch.setattr(HOME, "save", save)
    with pytest.raises(CheckpointError, match=r"^model\.npz: no space; no other place"):
        Autosave(run, "model.npz", NO_FILE).save()
    assert [*tmp_path.iterdir()] == []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(CheckpointError, match=r"^model\.npz: no space; no other place"):
        Autosave(run, "model.npz", NO_FILE).save()
