"""Writing a checkpoint atomically: at every moment the path holds the old file or the new one."""

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

from dinogen.checkpoint.checkpoint import Checkpoint
from dinogen.checkpoint.fields import Malformed
from dinogen.checkpoint.schema import HEADER_NAME, to_parts
from dinogen.data.encodings import ZIP_MARK
from dinogen.errors import CheckpointError, os_reason

_NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
"""Refuses to open a symbolic link, on systems that have the flag."""

# A checkpoint begins with the 30-byte local header of its first entry (APPNOTE.TXT 6.3.10, section
# 4.3.7) and the name of that entry.
_LOCAL_HEADER_SIZE = 30
_FIRST_NAME = f"{HEADER_NAME}.npy".encode()


class Stamp(NamedTuple):
    """The size and the modification time of a file. They show whether it was replaced.

    Attributes:
        size: the size in bytes.
        changed: the modification time in nanoseconds.
    """

    size: int
    changed: int

    @classmethod
    def of(cls, path: str | Path) -> "Stamp":
        """Return the stamp of the file at a path; `NO_FILE` if there is none."""
        try:
            status = Path(path).stat()
        except OSError:
            return NO_FILE
        return cls(status.st_size, status.st_mtime_ns)


NO_FILE = Stamp(-1, -1)
"""The stamp of a missing file."""


def save(checkpoint: Checkpoint, path: str | Path, replaces: Stamp | None = None) -> Stamp:
    """Write a checkpoint as one ``.npz`` file, atomically.

    Args:
        checkpoint: the checkpoint.
        path: where to write it.
        replaces: if given, a file with another stamp is not replaced.

    Returns:
        The stamp of the new file.

    Raises:
        CheckpointError: if it cannot be written, or could not be read again. A file at the path is
            then unchanged.
    """
    try:
        arrays = _arrays(checkpoint)
    except Malformed as problem:
        raise CheckpointError(f"{path}: not saved, as it could not be loaded: {problem}") from None
    return write_whole(path, lambda file: _write_arrays(file, arrays), replaces)


def write_whole(
    path: str | Path, write: Callable[[IO[bytes]], object], replaces: Stamp | None = None
) -> Stamp:
    """Write a file atomically: to a temporary file in the same directory, which is then renamed.

    Args:
        path: where to write it.
        write: writes the content to an open file.
        replaces: if given, a file with another stamp is not replaced.

    Returns:
        The stamp of the new file.

    Raises:
        CheckpointError: if it cannot be written. A file at the path is then unchanged.
    """
    target = _target(path)
    try:
        with _temporary_file(target) as (temporary, file):
            write(file)
            file.flush()
            os.fsync(file.fileno())
            if replaces is not None and Stamp.of(target) not in (replaces, NO_FILE):
                raise CheckpointError(
                    f"{path}: another file was written there meanwhile, and is not replaced"
                )
            if target.exists():
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            temporary.replace(target)
    except OSError as error:
        _refuse(path, error)
    _sync(target.parent)
    # The stamp is read last, because on some file systems closing a file changes its time.
    return Stamp.of(target)


def check_writable(path: str | Path) -> None:
    """Check that a checkpoint can be written to a path, before any work is done.

    Raises:
        CheckpointError: if its directory is missing or read-only, or if it is not a regular file.
    """
    try:
        # Tried, since checking permissions is not enough.
        with _temporary_file(_target(path)):
            pass
    except OSError as error:
        _refuse(path, error)


def check_replaceable(path: str | Path) -> None:
    """Check that a file is a checkpoint or empty, so that it may be replaced by a checkpoint.

    Raises:
        CheckpointError: if it is another file, for example the list of names.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(_LOCAL_HEADER_SIZE + len(_FIRST_NAME))
    except OSError as error:
        _refuse(path, error)
    if start and not (start.startswith(ZIP_MARK) and start.endswith(_FIRST_NAME)):
        raise CheckpointError(f"{path}: not a checkpoint, so not replaced; name another file")


def _arrays(checkpoint: Checkpoint) -> dict[str, NDArray[np.generic]]:
    """Return all arrays of the file, by name."""
    header, arrays = to_parts(checkpoint)
    text = json.dumps(header, ensure_ascii=False, allow_nan=False)
    # The JSON text comes first, so that a checkpoint is recognised by its first bytes.
    return {
        HEADER_NAME: np.frombuffer(text.encode(), dtype=np.uint8),
        **{name: np.ascontiguousarray(array) for name, array in arrays.items()},
    }


def _target(path: str | Path) -> Path:
    """Resolve a path to the regular file that exists there or will be written there."""
    try:
        if str(path).endswith(os.sep):
            raise CheckpointError(f"{path}: a directory; name a file to write to")
        # A symbolic link is kept; its target is replaced.
        target = Path(os.path.realpath(path))
        if target.is_symlink():
            raise CheckpointError(f"{path}: a symbolic link to itself; name a file to write to")
        if not target.parent.is_dir():
            raise CheckpointError(f"{path}: there is no directory {target.parent}; create it first")
        if target.exists() and not target.is_file():
            kind = "a directory" if target.is_dir() else "not a regular file"
            raise CheckpointError(f"{path}: {kind}; name a file to write to")
    except OSError as error:
        _refuse(path, error)
    return target


@contextmanager
def _temporary_file(target: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """Open a temporary file in the directory of a target. It is deleted unless it is renamed.

    There is one such file for each target. If a process is killed, the next one reuses its file. If
    two processes write to one target, the second waits.
    """
    path = target.with_name(f".dinogen-{crc32(os.fsencode(target.name)):08x}.tmp")
    while True:
        # Not truncated before it is locked: another process may be about to rename it.
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | _NO_FOLLOW, 0o666), "r+b")
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
    """Wait for an exclusive lock on a file."""
    # Without flock, concurrent writers are not kept apart.
    with suppress(ImportError, OSError):
        from fcntl import LOCK_EX, flock

        flock(file.fileno(), LOCK_EX)


def _write_arrays(file: IO[bytes], arrays: dict[str, NDArray[np.generic]]) -> None:
    """Write arrays as `numpy.savez` does; some versions of it leave a file open on failure."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            # A fixed time, so that equal checkpoints are equal files.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)


def _sync(directory: Path) -> None:
    """Make a rename in a directory durable, on systems that can sync a directory."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _refuse(path: str | Path, error: OSError) -> NoReturn:
    """Raise the error for a path that cannot be written."""
    raise CheckpointError(
        f"{path}: could not be written: {os_reason(error)}; correct that, or name another path"
    ) from None
