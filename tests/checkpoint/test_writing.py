"""Writing: what was saved is loaded again, and a path holds the old file or the new one."""

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

from dinogen.checkpoint import (
    NO_FILE,
    Checkpoint,
    Stamp,
    check_replaceable,
    check_writable,
    load_checkpoint,
    save,
    to_parts,
)
from dinogen.errors import CheckpointError
from dinogen.models import Mixture
from tests.checkpoint.crafting import begin, header_of, resume, same, take_apart

OLD = b"an older file"

ONE_LAYER = ("Wax", "Waa", "ba", "Wya", "by")
WEIGHTS = {
    "default": (*ONE_LAYER, "layer2.Wax", "layer2.Waa", "layer2.ba"),
    "classic": ONE_LAYER,
}
NGRAMS = {"symbols": "|u1", "counts": "<u4", "children": "|u1", "discounts": "<f8"}

posix = pytest.mark.skipif(os.name != "posix", reason="holds for POSIX files")

try_to_write = pytest.mark.parametrize(
    "write", [save, lambda _, path: check_writable(path)], ids=["save", "check"]
)
Write = Callable[[Checkpoint, Path], object]


def refusal(write: Write, checkpoint: Checkpoint, path: Path) -> str:
    """Return the message that refuses to write: one line that begins with the path."""
    with pytest.raises(CheckpointError) as caught:
        write(checkpoint, path)
    message = str(caught.value)
    assert message.isprintable()
    assert message.startswith(f"{path}: ")
    return message


def test_what_is_saved_is_what_is_loaded(trained: Checkpoint, tmp_path: Path) -> None:
    """Every array comes back to the bit, and every value; saving it again changes nothing."""
    save(trained, tmp_path / "a.npz")
    once = load_checkpoint(str(tmp_path / "a.npz"))
    save(once, str(tmp_path / "b.npz"))
    assert same(once, trained)
    assert same(load_checkpoint(tmp_path / "b.npz"), trained)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_finished_run_comes_back(trained: Checkpoint, tmp_path: Path) -> None:
    """Resumed from its file, a run ends as if it had never stopped."""
    never_stopped = begin(trained.recipe, tmp_path)
    list(never_stopped.train())
    save(trained, tmp_path / "a.npz")
    resumed = resume(trained.recipe, never_stopped, load_checkpoint(tmp_path / "a.npz"))
    list(resumed.train())
    here, there = never_stopped.checkpoint(), resumed.checkpoint()
    assert not there.training.interrupted
    timeless = replace(there, training=there.training._replace(seconds=here.training.seconds))
    assert same(timeless, here)


def test_what_is_in_the_file(trained: Checkpoint, saved: Path) -> None:
    """The file holds the arrays by their names and the header as JSON, and nothing else."""
    weights = WEIGHTS[trained.recipe]
    resumed = {
        "default": [f"{group}.{n}" for group in ("parameters", "velocity") for n in weights],
        "classic": ["a_prev"],
    }[trained.recipe]
    has_ngrams = "ngram" in trained.mixture.members
    expected = {
        "meta",
        "known",
        *(f"network.{n}" for n in weights),
        *(f"ngram.{n}" for n in (NGRAMS if has_ngrams else {})),
        *(f"resume.{n}" for n in resumed),
    }
    with np.load(saved, allow_pickle=False) as arrays:
        assert set(arrays.files) == expected
        kinds = {name: arrays[name].dtype.str for name in expected}
    assert (kinds.pop("meta"), kinds.pop("known")) == ("|u1", "<u8")
    if has_ngrams:
        assert {name: kinds.pop(f"ngram.{name}") for name in NGRAMS} == NGRAMS
    assert set(kinds.values()) == {{"default": "<f4", "classic": "<f8"}[trained.recipe]}
    header = header_of(take_apart(saved))
    assert header == to_parts(trained)[0]
    counters = {
        "default": {"stale", "evaluated", "rollbacks", "loss", "symbols"},
        "classic": {"smoothed_loss"},
    }
    assert set(header["resume"]["numbers"]) == counters[trained.recipe]
    assert set(header["resume"]["arrays"]) == set(resumed)


def test_replaces_what_was_there(trained: Checkpoint, tmp_path: Path) -> None:
    """The new file replaces an earlier one, and no other file is left in the directory."""
    path = tmp_path / "model.npz"
    path.write_bytes(OLD)
    save(trained, path)
    assert same(load_checkpoint(path), trained)
    assert [*tmp_path.iterdir()] == [path]


def no_space() -> OSError:
    """The error of a full disk."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def write_half(error: BaseException) -> Callable[..., None]:
    """Return a `write_array` that writes half of an array, and then fails."""

    def write_array(file: IO[bytes], array: NDArray[np.generic], **_: object) -> None:
        file.write(array.tobytes()[: array.nbytes // 2])
        raise error

    return write_array


def fail(error: BaseException) -> Callable[..., None]:
    """Return a function that fails."""

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
    """If writing fails at any point, the directory stays as it was, to the byte."""
    path = tmp_path / "model.npz"
    if earlier:
        path.write_bytes(earlier)
    monkeypatch.setattr(owner, name, make(no_space()))
    assert "no space left on device" in refusal(save, trained, path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == (
        {"model.npz": earlier} if earlier else {}
    )


def test_only_the_expected_file_is_replaced(trained: Checkpoint, tmp_path: Path) -> None:
    """A file with another stamp is not replaced. A missing file may always be written."""
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
    """KeyboardInterrupt is passed on, and nothing has changed."""
    path = tmp_path / "model.npz"
    path.write_bytes(OLD)
    monkeypatch.setattr(owner, name, make(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        save(trained, path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"model.npz": OLD}


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Limit the size of files that this process writes."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@posix
def test_a_write_that_fails_halfway(trained: Checkpoint, saved: Path, tmp_path: Path) -> None:
    """A file that the system does not let grow to its full size is not renamed."""
    path = tmp_path / "model.npz"
    path.write_bytes(OLD)
    for size in (1, 1_000, saved.stat().st_size - 1):
        with files_of_at_most(size):
            refusal(save, trained, path)
        assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"model.npz": OLD}


@posix
def test_the_order_of_sync_and_rename(
    trained: Checkpoint, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is synced, then renamed; then its directory is synced."""
    events: list[str | int] = []
    fsync, rename = os.fsync, os.replace

    def recorded_fsync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        events.append("directory" if stat.S_ISDIR(status.st_mode) else status.st_size)
        fsync(descriptor)

    def recorded_rename(source: Path, target: Path) -> None:
        assert Path(source).parent == Path(target).parent
        events.append("rename")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "replace", recorded_rename)
    save(trained, tmp_path / "model.npz")
    assert events == [saved.stat().st_size, "rename", "directory"]


@posix
def test_follows_links(trained: Checkpoint, tmp_path: Path) -> None:
    """A symbolic link stays a link; the file that it leads to is replaced."""
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
    assert same(load_checkpoint(other / "real.npz"), trained)


@posix
def test_a_link_to_a_missing_file(trained: Checkpoint, tmp_path: Path) -> None:
    """The file is created where the link leads."""
    (tmp_path / "link.npz").symlink_to("real.npz")
    save(trained, tmp_path / "link.npz")
    assert (tmp_path / "link.npz").is_symlink()
    assert same(load_checkpoint(tmp_path / "real.npz"), trained)


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_keeps_permissions(trained: Checkpoint, tmp_path: Path, mode: int) -> None:
    """The new file has the mode of the old one."""
    path = tmp_path / "model.npz"
    path.write_bytes(OLD)
    path.chmod(mode)
    save(trained, path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert same(load_checkpoint(path), trained)


@posix
def test_a_new_file_follows_the_umask(trained: Checkpoint, tmp_path: Path) -> None:
    """A file that did not exist gets the mode that the umask gives to new files."""
    (tmp_path / "other").touch()
    save(trained, tmp_path / "model.npz")
    assert (tmp_path / "model.npz").stat().st_mode == (tmp_path / "other").stat().st_mode


@try_to_write
def test_refuses_a_missing_directory(trained: Checkpoint, tmp_path: Path, write: Write) -> None:
    """A directory that is missing, or that is a file, is refused and not created."""
    missing = tmp_path / "missing"
    assert f"no directory {missing}" in refusal(write, trained, missing / "model.npz")
    assert not missing.exists()
    (tmp_path / "file").write_bytes(OLD)
    refusal(write, trained, tmp_path / "file" / "model.npz")
    assert (tmp_path / "file").read_bytes() == OLD


@try_to_write
def test_refuses_a_directory(trained: Checkpoint, tmp_path: Path, write: Write) -> None:
    """A directory is not replaced, and keeps its files."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(OLD)
    assert "a directory" in refusal(write, trained, tmp_path / "folder")
    assert (tmp_path / "folder" / "file").read_bytes() == OLD


@posix
@try_to_write
def test_refuses_a_pipe(trained: Checkpoint, tmp_path: Path, write: Write) -> None:
    """A pipe is refused at once and stays a pipe, also at the end of a link."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        assert "not a regular file" in refusal(write, trained, tmp_path / name)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "pipe"]


@posix
@try_to_write
def test_refuses_circular_links(trained: Checkpoint, tmp_path: Path, write: Write) -> None:
    """Links that lead to each other are refused."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    refusal(write, trained, tmp_path / "a")


@posix
@try_to_write
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write anywhere")
def test_refuses_a_read_only_directory(trained: Checkpoint, tmp_path: Path, write: Write) -> None:
    """Replacing a file needs a temporary file beside it; the check says so before the work."""
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
def test_a_long_name_can_be_written(trained: Checkpoint, tmp_path: Path, length: int) -> None:
    """A name as long as the system allows passes the check, and can be written."""
    path = tmp_path / "x".ljust(length, "x")
    path.touch()  # the system allows the name
    check_writable(path)
    save(trained, path)
    assert same(load_checkpoint(path), trained)


@try_to_write
def test_refuses_a_name_that_is_too_long(trained: Checkpoint, tmp_path: Path, write: Write) -> None:
    """A name that the system does not allow is refused by the check."""
    refusal(write, trained, tmp_path / ("x" * 300))


def test_a_checkpoint_or_an_empty_file_may_be_replaced(saved: Path, tmp_path: Path) -> None:
    """Any other file is kept: a list of names, another archive, or a checkpoint renamed inside."""
    check_replaceable(saved)
    (tmp_path / "empty").touch()
    check_replaceable(tmp_path / "empty")
    np.savez(tmp_path / "other.npz", known=np.arange(3))
    (tmp_path / "list.txt").write_text("Anna\nBerta\n")
    (tmp_path / "short").write_bytes(b"PK\x03\x04")
    for name in ("other.npz", "list.txt", "short"):
        with pytest.raises(CheckpointError, match="not a checkpoint, so not replaced"):
            check_replaceable(tmp_path / name)
    with pytest.raises(CheckpointError, match="could not be written"):
        check_replaceable(tmp_path / "missing")


@pytest.mark.parametrize("name", ["my net", "resume", "a.b", "x" * 65, ""])
def test_what_could_not_be_loaded_is_not_saved(
    trained: Checkpoint, tmp_path: Path, name: str
) -> None:
    """A member whose name the reader refuses is refused by the writer, and nothing is written."""
    (member, *_) = trained.mixture.members.values()
    other = replace(trained, mixture=Mixture({name: member}), held_out=None)
    with pytest.raises(CheckpointError, match=r"model\.npz: not saved, as it could not be loaded"):
        save(other, tmp_path / "model.npz")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_model_is_not_saved(trained: Checkpoint, tmp_path: Path) -> None:
    """A model of a class without a kind is refused by name."""
    other = replace(trained, mixture=Mixture({"inner": trained.mixture}), held_out=None)
    with pytest.raises(CheckpointError, match="a model of the class Mixture cannot be stored"):
        save(other, tmp_path / "model.npz")
