"""Writing a checkpoint: the file is the old one or the new one, whole, at any moment."""

import json
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple, NoReturn
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from dinogen.checkpoint.contents import Checkpoint
from dinogen.errors import CheckpointError
from dinogen.text.cleaning import ZIP_MARK

_NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)
"""A link that someone has put in the way is not followed, where a system can tell."""


# How every checkpoint begins: the header of an archive's member (APPNOTE.TXT 6.3.10, section 4.3.7)
# is of 30 bytes, and then comes its name.
_HEADER = 30
_FIRST = b"meta.npy"


class Stamp(NamedTuple):
    """What tells the file at a path from another that was put there: bytes, and nanoseconds."""

    size: int
    changed: int

    @classmethod
    def of(cls, path: str | Path) -> "Stamp":
        """Look at the file at a path; where there is none, `NO_FILE`."""
        try:
            status = Path(path).stat()
        except OSError:
            return NO_FILE
        return cls(status.st_size, status.st_mtime_ns)


NO_FILE = Stamp(-1, -1)


def save(checkpoint: Checkpoint, path: str | Path, replaces: Stamp | None = None) -> Stamp:
    """Write a checkpoint as one ``.npz``: beside its place first, then moved into it.

    Args:
        checkpoint: what to write.
        path: where.
        replaces: the only file that may be replaced; None is any.

    Returns:
        What is at the path now.

    Raises:
        CheckpointError: where it cannot be written; what was there before is untouched.
    """
    return write_whole(path, lambda file: _write(file, _arrays(checkpoint)), replaces)


def write_whole(
    path: str | Path, write: Callable[[IO[bytes]], object], replaces: Stamp | None = None
) -> Stamp:
    """Write a file beside its place first, then move it there: it is the old one or the new one.

    Args:
        path: its place.
        write: writes what is to be in it.
        replaces: the only file that may be replaced; None is any.

    Returns:
        What is at the path now.

    Raises:
        CheckpointError: where it cannot be written; what was there before is untouched.
    """
    target = _target(path)
    try:
        with _beside(target) as (beside, file):
            write(file)
            file.flush()
            os.fsync(file.fileno())
            if replaces is not None and Stamp.of(target) not in (replaces, NO_FILE):
                raise CheckpointError(
                    f"{path}: something else was written there meanwhile, and is not replaced"
                )
            if target.exists():
                beside.chmod(stat.S_IMODE(target.stat().st_mode))
            beside.replace(target)
    except OSError as error:
        _refuse(path, error)
    _sync(target.parent)
    # Looked at when it is closed: on some file systems that is a change.
    return Stamp.of(target)


def check_writable(path: str | Path) -> None:
    """Make sure, before any work is done, that a checkpoint can be written to a path.

    Raises:
        CheckpointError: where its directory is missing or read-only, or it is no plain file.
    """
    try:
        # Tried, not asked for: permissions are not all that can be in the way.
        with _beside(_target(path)):
            pass
    except OSError as error:
        _refuse(path, error)


def check_replaceable(path: str | Path) -> None:
    """Make sure that what a checkpoint is to replace is one, or empty, and not, say, the list.

    Raises:
        CheckpointError: where it is something else.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(_HEADER + len(_FIRST))
    except OSError as error:
        _refuse(path, error)
    if start and not (start.startswith(ZIP_MARK) and start.endswith(_FIRST)):
        raise CheckpointError(f"{path}: not a checkpoint, so not replaced; name another with -o")


def _arrays(checkpoint: Checkpoint) -> dict[str, NDArray[np.generic]]:
    meta = checkpoint.description() | {"resume": dict(checkpoint.resume.counters)}
    text = json.dumps(meta, ensure_ascii=False, allow_nan=False)
    arrays: dict[str, NDArray[np.generic]] = {
        "meta": np.frombuffer(text.encode(), dtype=np.uint8),
        "known": checkpoint.known,
    }
    if checkpoint.network:
        for name, weights in checkpoint.network.parameters.items():
            arrays[f"model.{name}"] = np.ascontiguousarray(weights)
    if checkpoint.ngram:
        for name, counts in checkpoint.ngram.tree._asdict().items():
            arrays[f"ngram.{name}"] = counts
        arrays["ngram.discounts"] = checkpoint.ngram.discounts
    for name, array in checkpoint.resume.arrays.items():
        arrays[f"resume.{name}"] = np.ascontiguousarray(array)
    return arrays


def _target(path: str | Path) -> Path:
    """Find the plain file, there or to be, that a path leads to."""
    try:
        # Through links, so that the file changes and the link to it stays.
        target = Path(os.path.realpath(path))
        if target.is_symlink():
            raise CheckpointError(f"{path}: a link that leads in a circle; name a file to write to")
        if not target.parent.is_dir():
            raise CheckpointError(f"{path}: there is no directory {target.parent}; create it first")
        if target.exists() and not target.is_file():
            kind = "a directory" if target.is_dir() else "not a plain file"
            raise CheckpointError(f"{path}: {kind}; name a file to write to")
    except OSError as error:
        _refuse(path, error)
    return target


@contextmanager
def _beside(target: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """Open a file beside a target, to be moved there; it is gone afterwards, moved or not.

    There is but one such file for a target: what a killed process left there is used again, and who
    writes to the same target at the same time waits.
    """
    path = target.with_name(f".dinogen-{crc32(os.fsencode(target.name)):08x}.tmp")
    while True:
        # Neither emptied nor locked yet: it may be another's, who is about to move it away.
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o666), "r+b")
        with file:
            _lock(file)
            try:
                if not path.exists() or not os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    continue
                file.truncate()
                yield path, file
            finally:
                if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    path.unlink()
        return


def _lock(file: IO[bytes]) -> None:
    # Where a system has no such locks, two who write to one target at a time are not kept apart.
    with suppress(ImportError, OSError):
        from fcntl import LOCK_EX, flock

        flock(file.fileno(), LOCK_EX)


def _write(file: IO[bytes], arrays: dict[str, NDArray[np.generic]]) -> None:
    """Write what `numpy.savez` would, which in some versions leaves a broken archive open."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            # Without the time, so that the same checkpoint is the same bytes.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)


def _sync(directory: Path) -> None:
    # A rename is on the disk for good only once its directory is. Where a system cannot do that,
    # the file is in its place all the same.
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _refuse(path: str | Path, error: OSError) -> NoReturn:
    reason = (error.strerror or str(error)).lower()
    raise CheckpointError(
        f"{path}: could not be written: {reason}; mend that, or choose another place"
    ) from None
