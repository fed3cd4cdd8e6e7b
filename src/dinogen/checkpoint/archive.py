"""Arrays out of an untrusted archive: none is larger than the file, and none is ever an object."""

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

from dinogen.checkpoint.fields import LARGEST_NUMBER, Malformed
from dinogen.errors import CheckpointError
from dinogen.text.cleaning import ZIP_MARK

LARGEST_FILE = 1 << 30
MOST_ARRAYS = 64

_MAGIC = b"\x93NUMPY\x01\x00"

_PIECE = 1 << 20

# The end of an archive's directory (APPNOTE.TXT 6.3.10, section 4.3.16), and what stands before it
# where an archive is too large for it.
_DIRECTORY_MARK = b"PK\x05\x06"
_DIRECTORY_END = struct.Struct("<10sHL4xH")
_LOCATOR_MARK = b"PK\x06\x07"
_LOCATOR = 20

Scalar = TypeVar("Scalar", bound=np.generic)


class Archive:
    """The arrays of an open ``.npz``, by name.

    Raises:
        Malformed: from every method, where something is not as `save` writes it.
    """

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self._archive = archive
        self._members = {
            info.filename.removesuffix(".npy"): info
            for info in archive.infolist()
            if info.filename.endswith(".npy")
        }
        if len(self._members) != len(archive.infolist()):
            raise Malformed("it holds two arrays of one name, or what is no array")
        for info in self._members.values():
            # What is not compressed can hold no more than the file does.
            if info.compress_type != zipfile.ZIP_STORED:
                raise Malformed("an array is compressed, which dinogen never does")
            if not info.compress_size == info.file_size <= size:
                raise Malformed("an array is said to be larger than the file")

    @property
    def names(self) -> set[str]:
        """The names of all arrays."""
        return set(self._members)

    def expect(self, names: set[str]) -> None:
        """Make sure that these are the arrays."""
        for name in sorted(names - self.names):
            raise Malformed(f"the array {name} is missing")
        if self.names - names:
            raise Malformed("it holds arrays that no checkpoint has")

    def text(self, name: str, most: int) -> bytes:
        """Read a text of so many bytes at the most, which is an array of bytes."""
        if self._members[name].file_size > most:
            raise Malformed(f"the text {name} is too long")
        return self.array(name, np.uint8).tobytes()

    def numbers(
        self, name: str, dtype: type[np.floating], shape: tuple[int, ...]
    ) -> NDArray[np.floating]:
        """Read an array of finite numbers of a known type and shape."""
        array = self.array(name, dtype, shape)
        # Written so that a NaN, which is neither below nor above, does not pass.
        if not (np.abs(array) <= LARGEST_NUMBER).all():
            raise Malformed(f"the array {name} holds what is not a finite number, or far too large")
        return array

    def array(
        self, name: str, dtype: type[Scalar], shape: tuple[int, ...] | None = None
    ) -> NDArray[Scalar]:
        """Read an array of a known type and shape; without a shape, a flat one as long as it is."""
        info = self._members[name]
        with self._archive.open(info) as file:
            prefix = file.read(len(_MAGIC) + 2)
            header = file.read(int.from_bytes(prefix[len(_MAGIC) :], "little"))
            room = info.file_size - len(prefix) - len(header)
            if shape is None:
                shape = (room,)
            # Compared with what NumPy writes, and not parsed: a header is a Python expression.
            kind = np.dtype(dtype)
            wanted = f"{{'descr': '{kind.str}', 'fortran_order': False, 'shape': {shape}, }}"
            if not prefix.startswith(_MAGIC) or header.rstrip() != wanted.encode():
                raise Malformed(f"the array {name} is not {kind} {shape}")
            if room != prod(shape) * kind.itemsize:
                raise Malformed(f"the array {name} is of another length than it says")
            data, length = bytearray(room), 0
            while piece := file.read(min(_PIECE, room - length)):
                data[length : length + len(piece)] = piece
                length += len(piece)
            # At the end of the file its checksum is checked.
            if length < room or file.read(1):
                raise Malformed(f"the array {name} is cut short")
        return np.frombuffer(data, dtype=kind).reshape(shape)


@contextmanager
def unpack(file: IO[bytes]) -> Iterator[Archive]:
    """Open an archive.

    Raises:
        Malformed: for a file that is none, and for whatever is broken in it, at any time.
    """
    size = os.fstat(file.fileno()).st_size
    if size > LARGEST_FILE:
        raise Malformed("far larger than any")
    try:
        _check_directory(file, size)
        with warnings.catch_warnings():
            # What is strange is refused later, and needs no warning.
            warnings.simplefilter("ignore")
            archive = zipfile.ZipFile(file)
        with archive:
            yield Archive(archive, size)
    except zipfile.BadZipFile:
        raise Malformed("not a whole .npz file") from None
    # What zipfile lets through of broken archives: bad streams, places outside of the file,
    # encryption, unknown methods.
    except (zlib.error, EOFError, OSError, RuntimeError, ValueError, KeyError, OverflowError):
        raise Malformed("not as dinogen writes it") from None


def open_at_once(path: str, flags: int) -> int:
    """Open a plain file, and wait for nothing: what `open` takes for an opener.

    Raises:
        CheckpointError: for a pipe or a device, which might be waited for, or read, without end.
    """
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(descriptor).st_mode
    # Of a directory Python itself says what it is.
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        os.close(descriptor)
        raise CheckpointError(f"{path}: not a plain file; copy what it holds into one")
    return descriptor


def _check_directory(file: IO[bytes], size: int) -> None:
    """Look at both ends of an archive, before all that it lists is read into memory."""
    if file.read(len(ZIP_MARK)) != ZIP_MARK:
        raise zipfile.BadZipFile
    file.seek(max(0, size - _LOCATOR - _DIRECTORY_END.size))
    end = file.read()
    if len(end) < _DIRECTORY_END.size or end[-_DIRECTORY_END.size :][:4] != _DIRECTORY_MARK:
        raise zipfile.BadZipFile
    _, arrays, length, comment = _DIRECTORY_END.unpack(end[-_DIRECTORY_END.size :])
    if comment or end.startswith(_LOCATOR_MARK):
        raise zipfile.BadZipFile
    if arrays > MOST_ARRAYS or length > MOST_ARRAYS << 8:
        raise Malformed("it lists far too much")
