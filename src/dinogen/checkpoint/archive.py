"""Reading arrays from an untrusted ``.npz`` archive. Python objects are never read."""

import os
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import IO, TypeVar

import numpy as np
from numpy.typing import NDArray

from dinogen.checkpoint.fields import MAX_NUMBER, Malformed
from dinogen.data.encodings import ZIP_MARK
from dinogen.errors import CheckpointError

MAX_FILE = 1 << 30
"""The maximum size of a file, in bytes."""

MAX_ARRAYS = 256
"""The maximum number of arrays in a file."""

_NPY_MARK = b"\x93NUMPY\x01\x00"
"""The first bytes of an array in version 1.0 of the .npy format."""

_CHUNK = 1 << 20
"""The number of bytes that are read at a time."""

# The end of central directory record, and the ZIP64 locator before it, which only a larger archive
# needs (APPNOTE.TXT 6.3.10, sections 4.3.16 and 4.3.15).
_DIRECTORY_MARK = b"PK\x05\x06"
_DIRECTORY_END = struct.Struct("<10sHL4xH")
_LOCATOR_MARK = b"PK\x06\x07"
_LOCATOR_SIZE = 20

_MAX_DIRECTORY_ENTRY = 256
"""The maximum size of the directory is `MAX_ARRAYS` times this number of bytes."""

Scalar = TypeVar("Scalar", bound=np.generic)


class Archive:
    """The arrays of an open ``.npz`` file, by name.

    Raises:
        Malformed: from every method, for anything that `save` does not write.
    """

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        """Check the directory of an archive.

        Args:
            archive: the archive.
            size: the size of the file, in bytes.
        """
        entries = archive.infolist()
        self._archive = archive
        self._members = {
            entry.filename.removesuffix(".npy"): entry
            for entry in entries
            if entry.filename.endswith(".npy")
        }
        if len(self._members) != len(entries):
            raise Malformed("it has two arrays of one name, or something that is not an array")
        for entry in entries:
            if entry.compress_type != zipfile.ZIP_STORED:
                raise Malformed("an array is compressed, which dinogen never does")
            if entry.compress_size != entry.file_size:
                raise Malformed("the size of an array is ambiguous")
        # Together, the arrays must not be larger than the file. The sum is checked, because each of
        # several overlapping entries could be as large as the file.
        if sum(entry.file_size for entry in entries) > size:
            raise Malformed("its arrays claim to be larger than the file")

    @property
    def names(self) -> set[str]:
        """The names of all arrays."""
        return set(self._members)

    def text(self, name: str, max_size: int) -> str:
        """Read a text in UTF-8 of at most ``max_size`` bytes, stored as a flat array."""
        if self._members[name].file_size > max_size:
            raise Malformed(f"the array {name} is too long")
        return self._read(name, np.uint8, None).tobytes().decode()

    def array(self, name: str, dtype: type[Scalar], shape: tuple[int, ...]) -> NDArray[Scalar]:
        """Read an array of a given dtype and shape. Its numbers are finite."""
        array = self._read(name, dtype, shape)
        # A NaN fails the comparison. In float16, MAX_NUMBER would be infinite.
        if (
            issubclass(dtype, np.floating)
            and not (np.abs(array) <= min(MAX_NUMBER, float(np.finfo(dtype).max))).all()
        ):
            raise Malformed(f"the array {name} has a number that is not finite, or far too large")
        return array

    def _read(
        self, name: str, dtype: type[Scalar], shape: tuple[int, ...] | None
    ) -> NDArray[Scalar]:
        """Read an array; without a shape, a flat array of any length."""
        entry = self._members[name]
        with self._archive.open(entry) as file:
            prefix = file.read(len(_NPY_MARK) + 2)
            header = file.read(int.from_bytes(prefix[len(_NPY_MARK) :], "little"))
            size = entry.file_size - len(prefix) - len(header)
            if shape is None:
                shape = (size,)
            # The header is compared with that of NumPy, not parsed: it is a Python expression.
            kind = np.dtype(dtype)
            expected = f"{{'descr': '{kind.str}', 'fortran_order': False, 'shape': {shape}, }}"
            if not prefix.startswith(_NPY_MARK) or header.rstrip() != expected.encode():
                raise Malformed(f"the array {name} is not {kind} {shape}")
            if size != prod(shape) * kind.itemsize:
                raise Malformed(f"the array {name} has a size that does not fit its shape")
            data, length = bytearray(size), 0
            while chunk := file.read(min(_CHUNK, size - length)):
                data[length : length + len(chunk)] = chunk
                length += len(chunk)
            # Reading to the end of the entry verifies its checksum.
            if length < size or file.read(1):
                raise Malformed(f"the array {name} is truncated")
        return np.frombuffer(data, dtype=kind).reshape(shape)


@contextmanager
def unpack(file: IO[bytes]) -> Iterator[Archive]:
    """Open an archive.

    Raises:
        Malformed: for a file that is not an archive, and for every defect that is found while the
            archive is open.
    """
    size = os.fstat(file.fileno()).st_size
    if size > MAX_FILE:
        raise Malformed("the file is far larger than any checkpoint")
    try:
        _check_ends(file, size)
        with warnings.catch_warnings():
            # Defects of which zipfile warns are refused later.
            warnings.simplefilter("ignore")
            archive = zipfile.ZipFile(file)
        with archive:
            yield Archive(archive, size)
    except zipfile.BadZipFile:
        raise Malformed("not a complete .npz file") from None
    # zipfile raises these for other defects: broken streams, offsets outside the file, encryption,
    # unknown compression methods.
    except (
        EOFError,
        KeyError,
        OSError,
        OverflowError,
        RuntimeError,
        ValueError,
        struct.error,
        zlib.error,
    ):
        raise Malformed("dinogen did not write it in this form") from None


def open_without_blocking(path: str, flags: int) -> int:
    """Open a regular file without waiting; an opener for `open`.

    Raises:
        CheckpointError: for a pipe or a device, which could block or be read forever.
    """
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(descriptor).st_mode
    # For a directory, `open` itself raises a clear error.
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        os.close(descriptor)
        raise CheckpointError(f"{path}: not a regular file; copy its content into one")
    return descriptor


def _check_ends(file: IO[bytes], size: int) -> None:
    """Check both ends of an archive, before zipfile reads its directory into memory."""
    if file.read(len(ZIP_MARK)) != ZIP_MARK:
        raise zipfile.BadZipFile
    file.seek(max(0, size - _LOCATOR_SIZE - _DIRECTORY_END.size))
    end = file.read()
    if len(end) < _DIRECTORY_END.size or end[-_DIRECTORY_END.size :][:4] != _DIRECTORY_MARK:
        raise zipfile.BadZipFile
    _, arrays, length, comment = _DIRECTORY_END.unpack(end[-_DIRECTORY_END.size :])
    if comment or end.startswith(_LOCATOR_MARK):
        raise zipfile.BadZipFile
    if arrays > MAX_ARRAYS or length > MAX_ARRAYS * _MAX_DIRECTORY_ENTRY:
        raise Malformed("it lists too many arrays")
