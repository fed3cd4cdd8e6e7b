"""The archive returns arrays as NumPy wrote them, or raises `Malformed` for any defect."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dinogen.checkpoint import MAX_ARRAYS, Archive, Malformed, unpack
from tests.checkpoint.crafting import npy

ARRAYS: dict[str, Any] = {
    "text": np.frombuffer("Ærun".encode(), dtype=np.uint8),
    "integers": np.arange(6, dtype=np.uint64),
    "floats": np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),
    "empty": np.empty((0, 4), dtype=np.float64),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An archive that NumPy wrote."""
    np.savez(tmp_path / "arrays.npz", **ARRAYS)
    return tmp_path / "arrays.npz"


def test_arrays_are_those_that_numpy_wrote(path: Path) -> None:
    """Each array has its name, dtype and shape, and can be changed."""
    with path.open("rb") as file, unpack(file) as archive:
        assert archive.names == set(ARRAYS)
        assert archive.text("text", 1_000) == "Ærun"
        for name, dtype in (
            ("integers", np.uint64),
            ("floats", np.float32),
            ("empty", np.float64),
        ):
            array = archive.array(name, dtype, ARRAYS[name].shape)
            np.testing.assert_array_equal(array, ARRAYS[name])
            assert array.dtype == dtype
            array[...] = 0


def refusal(path: Path, use: Callable[[Archive], object]) -> str:
    """Open an archive and use it; returns the message that refuses this."""

    def opened() -> None:
        with path.open("rb") as file, unpack(file) as archive:
            use(archive)

    with pytest.raises(Malformed) as caught:
        opened()
    return str(caught.value)


def test_another_dtype_shape_or_length_is_refused(path: Path) -> None:
    """An array has exactly the dtype and the shape that are asked for; a text is not longer."""

    def dtype(archive: Archive) -> None:
        archive.array("integers", np.int64, (6,))

    def shape(archive: Archive) -> None:
        archive.array("floats", np.float32, (3, 2))

    def text(archive: Archive) -> None:
        archive.text("text", 4)

    assert "integers is not int64 (6,)" in refusal(path, dtype)
    assert "floats is not float32 (3, 2)" in refusal(path, shape)
    assert "too long" in refusal(path, text)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e31])
def test_numbers_that_are_not_finite_are_refused(path: Path, value: float) -> None:
    """So are finite numbers that are too large to be summed."""
    np.savez(path, single=np.array([0, value], np.float32), double=np.array([value, 0], np.float64))
    assert "single has a number" in refusal(path, lambda a: a.array("single", np.float32, (2,)))
    assert "double has a number" in refusal(path, lambda a: a.array("double", np.float64, (2,)))


def test_an_error_while_the_archive_is_open_is_a_defect_of_the_file(path: Path) -> None:
    """So are an array that does not exist, and a shape that NumPy refuses."""
    assert refusal(path, lambda archive: archive.array("absent", np.uint8, (1,)))
    assert refusal(path, lambda _: ARRAYS["integers"].reshape(4, 4))


@pytest.mark.parametrize("shape", [(0, 2**25, 2**25, 2**25), (0, 0, 0, 0), (2**62, 0)])
def test_an_empty_array_of_an_absurd_shape(path: Path, shape: tuple[int, ...]) -> None:
    """It is read as an empty array, or refused."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n"
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("empty.npy", data)
    try:
        with path.open("rb") as file, unpack(file) as opened:
            assert opened.array("empty", np.float32, shape).size == 0
    except Malformed:
        pass


def test_an_archive_of_too_many_arrays(path: Path) -> None:
    """The maximum number of arrays is read; one more is refused."""
    arrays: dict[str, Any] = {f"a{i}": np.zeros(1) for i in range(MAX_ARRAYS)}
    np.savez(path, **arrays)
    with path.open("rb") as file, unpack(file) as archive:
        assert len(archive.names) == MAX_ARRAYS
    np.savez(path, more=np.zeros(1), **arrays)
    assert "too many arrays" in refusal(path, lambda archive: archive.names)


@pytest.mark.parametrize(("before", "after"), [(b"x", b""), (b"", b"x")], ids=["before", "after"])
def test_an_archive_fills_its_file(path: Path, before: bytes, after: bytes) -> None:
    """Nothing may stand before an archive or after it, where other programs might see a file."""
    path.write_bytes(before + path.read_bytes() + after)
    assert "not a complete" in refusal(path, lambda archive: archive.names)


def test_a_claim_of_a_comment_is_refused(path: Path) -> None:
    """No comment follows the directory, so that its end is the end of the file."""
    path.write_bytes(path.read_bytes()[:-2] + b"\1\0")
    assert "not a complete" in refusal(path, lambda archive: archive.names)


@pytest.mark.parametrize("attribute", ["file_size", "compress_size"])
def test_an_ambiguous_size_is_refused(path: Path, attribute: str) -> None:
    """An array that is not compressed has one size."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", npy(np.zeros(1)))
        setattr(archive.filelist[0], attribute, 1)
    assert "ambiguous" in refusal(path, lambda archive: archive.names)


def test_arrays_that_overlap_are_refused(path: Path) -> None:
    """Otherwise each of many arrays could be as large as the file, and use memory for itself."""
    inner = npy(np.zeros(100_000, dtype=np.uint8))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.npy", inner)
        archive.writestr("other.npy", npy(np.zeros(1)))
        # Claims that each entry is nearly as large as the file.
        for info in archive.filelist:
            info.file_size = info.compress_size = len(inner)
    assert "larger than the file" in refusal(path, lambda archive: archive.names)


@pytest.mark.parametrize("name", ["a.npy.npy", "a", "a.npy/", ".npy"])
def test_an_entry_that_is_not_an_array(path: Path, name: str) -> None:
    """An entry with another suffix is refused; one with two suffixes is another array."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", npy(np.zeros(1)))
        archive.writestr(name, npy(np.zeros(1)))
    if name.endswith(".npy"):
        with path.open("rb") as file, unpack(file) as opened:
            assert opened.names == {"a", name.removesuffix(".npy")}
    else:
        assert "not an array" in refusal(path, lambda archive: archive.names)
