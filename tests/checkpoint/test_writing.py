"""Writing: what was saved is what is loaded, and a file is the old one or the new one, whole."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.checkpoint.contents import Checkpoint
from dinogen.checkpoint.reading import load
from dinogen.checkpoint.writing import NO_FILE, Stamp, check_writable, save
from dinogen.errors import CheckpointError
from tests.checkpoint.crafting import begin, meta, resume, same, take_apart

OLD = b"what was there before"

WEIGHTS = ("Wax", "Waa", "ba", "Wya", "by")
NGRAMS = {"symbols": "|u1", "counts": "<u4", "children": "|u1", "discounts": "<f8"}

posix = pytest.mark.skipif(os.name != "posix", reason="a promise about POSIX files")

try_to_write = pytest.mark.parametrize(
    "write", [save, lambda _, path: check_writable(path)], ids=["save", "check"]
)
Write = Callable[[Checkpoint, Path], object]


def refusal(write: Write, checkpoint: Checkpoint, path: Path) -> str:
    """Give the message with which writing is refused: one line, which names the path first."""
    with pytest.raises(CheckpointError) as caught:
        write(checkpoint, path)
    message = str(caught.value)
    assert message.isprintable()
    assert message.startswith(f"{path}: ")
    return message


def test_what_is_saved_is_what_is_loaded(trained: Checkpoint, tmp_path: Path) -> None:
    """Every array, to the bit, and every fact comes back, and so do they a second time."""
    save(trained, tmp_path / "a.npz")
    once = load(str(tmp_path / "a.npz"))
    save(once, str(tmp_path / "b.npz"))
    assert same(once, trained)
    assert same(load(tmp_path / "b.npz"), trained)


def test_a_finished_run_comes_back(trained: Checkpoint, tmp_path: Path) -> None:
    """Gone on with from its file, a run ends with what it would have ended with uninterrupted."""
    never_left = begin(trained.recipe, tmp_path)
    list(never_left.train())
    save(trained, tmp_path / "a.npz")
    gone_on = resume(trained.recipe, never_left, load(tmp_path / "a.npz"))
    list(gone_on.train())
    here, there = never_left.checkpoint(), gone_on.checkpoint()
    assert not there.training.interrupted
    timeless = replace(there, training=there.training._replace(seconds=here.training.seconds))
    assert same(timeless, here)


def test_what_is_in_the_file(trained: Checkpoint, saved: Path) -> None:
    """The file holds the arrays by their names and the description as JSON, and nothing else."""
    resumed = {
        "default": [f"{group}.{n}" for group in ("parameters", "velocity") for n in WEIGHTS],
        "classic": ["a_prev"],
    }[trained.recipe]
    expected = {
        "meta",
        "known",
        *(f"model.{n}" for n in WEIGHTS),
        *(f"ngram.{n}" for n in (NGRAMS if trained.ngram else {})),
        *(f"resume.{n}" for n in resumed),
    }
    with np.load(saved, allow_pickle=False) as arrays:
        assert set(arrays.files) == expected
        kinds = {name: arrays[name].dtype.str for name in expected}
    assert (kinds.pop("meta"), kinds.pop("known")) == ("|u1", "<u8")
    if trained.ngram:
        assert {name: kinds.pop(f"ngram.{name}") for name in NGRAMS} == NGRAMS
    assert set(kinds.values()) == {{"default": "<f4", "classic": "<f8"}[trained.recipe]}
    counters = {"default": {"stale", "lowered", "loss", "symbols"}, "classic": {"smoothed_loss"}}
    description = meta(take_apart(saved))
    assert set(description.pop("resume")) == counters[trained.recipe]
    assert description == trained.description()


def test_replaces_what_was_there(trained: Checkpoint, tmp_path: Path) -> None:
    """An earlier file gives way to the new one, and nothing else is left in the folder."""
    path = tmp_path / "model.npz"
    path.write_bytes(OLD)
    save(trained, path)
    assert same(load(path), trained)
    assert [*tmp_path.iterdir()] == [path]


def no_space() -> OSError:
    """The failure of a full disk."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def write_half(error: BaseException) -> Callable[..., None]:
    """Make a `write_array` that writes half of an array, and then fails."""

    def write_array(file: IO[bytes], array: NDArray[np.generic], **_: object) -> None:
        file.write(array.tobytes()[: array.nbytes // 2])
        raise error

    return write_array


def fail(error: BaseException) -> Callable[..., None]:
    """Make a function that does nothing but fail."""

    def call(*_: object, **__: object) -> None:
        raise error

    return call


failures = pytest.mark.parametrize(
    ("owner", "name", "make"),
    [(np.lib.format, "write_array", write_half), (os, "fsync", fail), (os, "replace", fail)],
)


@failures
@pytest.mark.parametrize("earlier", [OLD, None])
def test_a_failure_leaves_the_earlier_file(
    trained: Checkpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
    make: Callable[[BaseException], Callable[..., None]],
    earlier: bytes | None,
) -> None:
    """Wherever writing fails, the path is named and the folder is as it was, to the byte."""
    path = tmp_path / "model.npz"
    if earlier:
        path.write_bytes(earlier)
    monkeypatch.setattr(owner, name, make(no_space()))
    assert "no space left on device" in refusal(save, trained, path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == (
        {"model.npz": earlier} if earlier else {}
    )


def test_only_what_is_known_is_replaced(trained: Checkpoint, tmp_path: Path) -> None:
    """Told what may be replaced, nothing else is; nothing at all may be replaced at any time."""
    path = tmp_path / "model.npz"
    stamp = save(trained, path, NO_FILE)
    assert stamp == Stamp.of(path)
    stamp = save(trained, path, stamp)
    kept = path.read_bytes()
    assert "is not replaced" in refusal(partial(save, replaces=NO_FILE), trained, path)
    path.write_bytes(OLD)
    assert "is not replaced" in refusal(partial(save, replaces=stamp), trained, path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"model.npz": OLD}
    path.unlink()
    save(trained, path, stamp)
    assert path.read_bytes() == kept


@failures
def test_an_interrupt_leaves_the_earlier_file(
    trained: Checkpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
    make: Callable[[BaseException], Callable[..., None]],
) -> None:
    """Ctrl-C while a file is written is passed on, and nothing has changed."""
    path = tmp_path / "model.npz"
    path.write_bytes(OLD)
    monkeypatch.setattr(owner, name, make(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        save(trained, path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"model.npz": OLD}


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Have the system refuse to let any file grow beyond a size."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@posix
def test_a_write_that_the_system_refuses(trained: Checkpoint, saved: Path, tmp_path: Path) -> None:
    """A file that cannot be written to its end, by the system's own word, is not put in place."""
    path = tmp_path / "model.npz"
    path.write_bytes(OLD)
    for size in (1, 1_000, saved.stat().st_size - 1):
        with files_of_at_most(size):
            refusal(save, trained, path)
        assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"model.npz": OLD}


@posix
def test_on_the_disk_before_it_is_in_its_place(
    trained: Checkpoint, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First all bytes are flushed to the disk, then the file is renamed, then its folder synced."""
    events: list[str | int] = []
    fsync, rename = os.fsync, os.replace

    def recorded_fsync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        events.append("folder" if stat.S_ISDIR(status.st_mode) else status.st_size)
        fsync(descriptor)

    def recorded_rename(source: Path, target: Path) -> None:
        assert Path(source).parent == Path(target).parent
        events.append("rename")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "replace", recorded_rename)
    save(trained, tmp_path / "model.npz")
    assert events == [saved.stat().st_size, "rename", "folder"]


@posix
def test_goes_through_links(trained: Checkpoint, tmp_path: Path) -> None:
    """A link stays a link, and the file it leads to, by way of another one, is the new one."""
    home, other = tmp_path / "home", tmp_path / "other"
    home.mkdir()
    other.mkdir()
    (other / "real.npz").write_bytes(OLD)
    (other / "half-way").symlink_to("real.npz")
    (home / "link.npz").symlink_to(Path("..") / "other" / "half-way")
    save(trained, home / "link.npz")
    assert (home / "link.npz").readlink() == Path("..") / "other" / "half-way"
    assert sorted(p.name for p in other.iterdir()) == ["half-way", "real.npz"]
    assert not (other / "real.npz").is_symlink()
    assert same(load(other / "real.npz"), trained)


@posix
def test_a_link_to_nothing_leads_to_the_new_file(trained: Checkpoint, tmp_path: Path) -> None:
    """Where a link leads to no file yet, the file is made there."""
    (tmp_path / "link.npz").symlink_to("real.npz")
    save(trained, tmp_path / "link.npz")
    assert (tmp_path / "link.npz").is_symlink()
    assert same(load(tmp_path / "real.npz"), trained)


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_keeps_who_may_read_it(trained: Checkpoint, tmp_path: Path, mode: int) -> None:
    """The new file may be read and written by those who could before."""
    path = tmp_path / "model.npz"
    path.write_bytes(OLD)
    path.chmod(mode)
    save(trained, path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert same(load(path), trained)


@posix
def test_a_new_file_is_like_any_other(trained: Checkpoint, tmp_path: Path) -> None:
    """A file that was not there before gets the mode that the user's mask gives to new files."""
    (tmp_path / "other").touch()
    save(trained, tmp_path / "model.npz")
    assert (tmp_path / "model.npz").stat().st_mode == (tmp_path / "other").stat().st_mode


@try_to_write
def test_refuses_a_place_that_is_not_there(
    trained: Checkpoint, tmp_path: Path, write: Write
) -> None:
    """A folder that is missing, or that is a file, is refused and is not made."""
    missing = tmp_path / "missing"
    assert f"no directory {missing}" in refusal(write, trained, missing / "model.npz")
    assert not missing.exists()
    (tmp_path / "file").write_bytes(OLD)
    refusal(write, trained, tmp_path / "file" / "model.npz")
    assert (tmp_path / "file").read_bytes() == OLD


@try_to_write
def test_refuses_a_directory(trained: Checkpoint, tmp_path: Path, write: Write) -> None:
    """A directory is no place for the bytes of a file, and keeps what is in it."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(OLD)
    assert "a directory" in refusal(write, trained, tmp_path / "folder")
    assert (tmp_path / "folder" / "file").read_bytes() == OLD


@posix
@try_to_write
def test_refuses_what_is_no_plain_file(trained: Checkpoint, tmp_path: Path, write: Write) -> None:
    """A pipe, at its path or at the end of a link, is refused at once and stays a pipe."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        assert "not a plain file" in refusal(write, trained, tmp_path / name)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "pipe"]


@posix
@try_to_write
def test_refuses_links_that_lead_nowhere(trained: Checkpoint, tmp_path: Path, write: Write) -> None:
    """Links that lead to each other are refused like any other path that cannot be written."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    refusal(write, trained, tmp_path / "a")


@posix
@try_to_write
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="nothing is forbidden to root")
def test_refuses_a_read_only_directory(trained: Checkpoint, tmp_path: Path, write: Write) -> None:
    """Where no file can be made beside it, none can be replaced, and that is said beforehand."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "model.npz").write_bytes(OLD)
    folder.chmod(0o555)
    try:
        assert "no permission to write" in refusal(write, trained, folder / "model.npz")
    finally:
        folder.chmod(0o755)
    assert (folder / "model.npz").read_bytes() == OLD


@posix
@pytest.mark.parametrize("length", [240, 255])
def test_what_was_found_writable_can_be_written(
    trained: Checkpoint, tmp_path: Path, length: int
) -> None:
    """A name as long as the system allows is not accepted first and refused after the work."""
    path = tmp_path / "x".ljust(length, "x")
    path.touch()  # the system allows it
    check_writable(path)
    save(trained, path)
    assert same(load(path), trained)


@try_to_write
def test_a_name_too_long_is_refused(trained: Checkpoint, tmp_path: Path, write: Write) -> None:
    """A name that the system does not allow is refused, and at once."""
    refusal(write, trained, tmp_path / ("x" * 300))
