"""Keeping what was learned: when it is saved, and what happens where it cannot be."""

import tempfile
from pathlib import Path

import pytest

from dinogen import load
from dinogen.checkpoint.writing import NO_FILE, Stamp
from dinogen.cli import keeping
from dinogen.cli.keeping import SAVE_EVERY, Keeper
from dinogen.errors import CheckpointError
from dinogen.text.corpus import read_corpus
from dinogen.training.loop import DefaultRun
from dinogen.training.settings import Settings
from tests.conftest import CORPORA


class Clock:
    """A clock that stands still unless it is told otherwise."""

    now = 100.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that the keeper goes by."""
    clock = Clock()
    monkeypatch.setattr(keeping, "monotonic", clock)
    return clock


@pytest.fixture
def run() -> DefaultRun:
    """A run of a few steps, none of them done."""
    settings = Settings(seed=1, hidden_size=4, steps=5, holdout=0.0, order=2)
    run = DefaultRun(read_corpus([CORPORA / "edda.txt"]), settings)
    next(run.train())
    return run


def test_saves_by_the_clock(clock: Clock, run: DefaultRun, tmp_path: Path) -> None:
    """Nothing is saved before its time; then what was done so far; then nothing for a while."""
    output = tmp_path / "model.npz"
    keeper = Keeper(run, str(output), NO_FILE)
    clock.now += SAVE_EVERY - 0.01
    assert keeper.save_if_due() is None
    assert not output.exists()
    clock.now += 0.01
    assert keeper.save_if_due() is None
    assert load(output).training.steps == 1
    next(run.train())
    clock.now += SAVE_EVERY - 0.01
    keeper.save_if_due()
    assert load(output).training.steps == 1
    clock.now += 0.01
    keeper.save_if_due()
    assert load(output).training.steps == 2


def test_slow_saving_comes_seldom(
    clock: Clock, run: DefaultRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a save takes 60 seconds, the next one comes after nine times that."""
    times: list[float] = []

    def save(*_: object) -> None:
        times.append(clock.now)
        clock.now += 60

    monkeypatch.setattr(keeping, "save", save)
    keeper = Keeper(run, str(tmp_path / "model.npz"), NO_FILE)
    while len(times) < 3:
        clock.now += 1
        keeper.save_if_due()
    assert times == [110, 710, 1310]


def told(clock: Clock, keeper: Keeper) -> str:
    """What a keeper has to say when it is time to save."""
    clock.now += SAVE_EVERY
    return keeper.save_if_due() or ""


def test_a_problem_is_told_once(clock: Clock, run: DefaultRun, tmp_path: Path) -> None:
    """What stands in the way is told when it begins, and once more only when it is back."""
    folder = tmp_path / "folder"
    keeper = Keeper(run, str(folder / "model.npz"), NO_FILE)

    assert "there is no directory" in told(clock, keeper)
    assert told(clock, keeper) == ""
    folder.mkdir()
    assert told(clock, keeper) == ""
    assert (folder / "model.npz").exists()
    (folder / "model.npz").unlink()
    folder.rmdir()
    assert "there is no directory" in told(clock, keeper)


def test_what_others_wrote_is_kept(
    clock: Clock, run: DefaultRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that another has put at the path is not replaced, early or late; one's own is."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    output = tmp_path / "model.npz"

    first, second = (Keeper(run, str(output), Stamp.of(output)) for _ in range(2))
    assert told(clock, first) == told(clock, first) == ""
    kept = output.read_bytes()
    assert "something else was written there" in told(clock, second)
    with pytest.raises(CheckpointError, match="not replaced; what was learned is in "):
        second.save()
    assert output.read_bytes() == kept
    output.unlink()
    assert told(clock, second) == ""
    output.write_text("precious")
    assert "something else was written there" in told(clock, second)
    assert output.read_text() == "precious"


def test_what_cannot_be_saved_is_rescued(
    run: DefaultRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the end, a checkpoint goes where there is room, and the error says where."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(CheckpointError, match="what was learned is in ") as caught:
        Keeper(run, str(tmp_path / "none" / "model.npz"), NO_FILE).save()
    rescued = Path(str(caught.value).rpartition(" is in ")[2])
    assert rescued.name == "model.npz"
    assert load(rescued).training.steps == 1


def test_where_nothing_can_be_saved_nothing_is_left(
    run: DefaultRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no room anywhere, the first error is told, and no empty folder is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def save(_: object, path: Path | str, *__: object) -> None:
        raise CheckpointError(f"{path}: no space")

    monkeypatch.setattr(keeping, "save", save)
    with pytest.raises(CheckpointError, match=r"^model\.npz: no space; there was no other place"):
        Keeper(run, "model.npz", NO_FILE).save()
    assert [*tmp_path.iterdir()] == []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(CheckpointError, match=r"^model\.npz: no space; there was no other place"):
        Keeper(run, "model.npz", NO_FILE).save()
