"""Writing a checkpoint: the file is the old one or the new one, whole, at any moment."""

import json
import os
import secrets
import stat
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, NoReturn

import numpy as np
from numpy.typing import NDArray

from dinogen.checkpoint.contents import Checkpoint
from dinogen.errors import CheckpointError
from dinogen.text.cleaning import ZIP_MARK


def save(checkpoint: Checkpoint, path: str | Path) -> None:
    """Write a checkpoint as one ``.npz``: beside its place first, then moved into it.

    Raises:
        CheckpointError: where it cannot be written; what was there before is untouched.
    """
    write_whole(path, lambda file: _write(file, _arrays(checkpoint)))


def write_whole(path: str | Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file beside its place first, then move it there: it is the old one or the new one.

    Args:
        path: its place.
        write: writes what is to be in it.

    Raises:
        CheckpointError: where it cannot be written; what was there before is untouched.
    """
    target = _target(path)
    beside = _beside(target)
    try:
        try:
            with beside.open("xb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                beside.chmod(stat.S_IMODE(target.stat().st_mode))
            beside.replace(target)
            _sync(target.parent)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        _refuse(path, error)


def check_writable(path: str | Path) -> None:
    """Make sure, before any work is done, that a checkpoint can be written to a path.

    Raises:
        CheckpointError: where its directory is missing or read-only, or it is no plain file.
    """
    beside = _beside(_target(path))
    try:
        # Tried, not asked for: permissions are not all that can be in the way.
        beside.touch(exist_ok=False)
        beside.unlink()
    except OSError as error:
        _refuse(path, error)


def check_replaceable(path: str | Path) -> None:
    """Make sure that what a checkpoint is to replace is one, or empty, and not, say, the list.

    Raises:
        CheckpointError: where it is something else.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(len(ZIP_MARK))
    except OSError as error:
        _refuse(path, error)
    if start not in (b"", ZIP_MARK):
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
    # Through links, so that the file changes and the link to it stays.
    target = Path(os.path.realpath(path))
    try:
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


def _beside(target: Path) -> Path:
    return target.with_name(f".dinogen-{secrets.token_hex(4)}.tmp")


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
        f"{path}: could not be written: {reason}; mend that, or choose another place with -o"
    ) from None
