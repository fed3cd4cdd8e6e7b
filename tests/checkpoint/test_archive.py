"""The archive: arrays as NumPy wrote them, or `Malformed`, whatever is broken and whenever."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dinogen.checkpoint.archive import MOST_ARRAYS, Archive, unpack
from dinogen.checkpoint.fields import Malformed

ARRAYS: dict[str, Any] = {
    "text": np.frombuffer("Ærun".encode(), dtype=np.uint8),
    "whole": np.arange(6, dtype=np.uint64),
    "broken": np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3),
    "none": np.empty((0, 4), dtype=np.float64),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An archive that NumPy wrote."""
    np.savez(tmp_path / "arrays.npz", **ARRAYS)
    return tmp_path / "arrays.npz"


def test_arrays_are_those_that_numpy_wrote(path: Path) -> None:
    """Each comes back by its name, type and shape, and may be written to."""
    with path.open("rb") as file, unpack(file) as archive:
        assert archive.names == set(ARRAYS)
        archive.expect(set(ARRAYS))
        assert archive.text("text", 1_000).decode() == "Ærun"
        for name, dtype in (("whole", np.uint64), ("broken", np.float32), ("none", np.float64)):
            array = archive.array(name, dtype, ARRAYS[name].shape)
            np.testing.assert_array_equal(array, ARRAYS[name])
            array[...] = 0
        numbers = archive.numbers("broken", np.float32, (2, 3))
        np.testing.assert_array_equal(numbers, ARRAYS["broken"])


def refuse(path: Path, ask: Callable[[Archive], object]) -> str:
    """Open an archive and ask something of it; why that is refused."""

    def opened() -> None:
        with path.open("rb") as file, unpack(file) as archive:
            ask(archive)

    with pytest.raises(Malformed) as caught:
        opened()
    return str(caught.value)


def test_what_is_not_as_it_was_asked_for(path: Path) -> None:
    """Another type, another shape, a text too long, an array too few or too many."""

    def whole(archive: Archive) -> None:
        archive.array("whole", np.int64, (6,))

    def shape(archive: Archive) -> None:
        archive.array("broken", np.float32, (3, 2))

    def text(archive: Archive) -> None:
        archive.text("text", 4)

    assert "whole is not int64 (6,)" in refuse(path, whole)
    assert "broken is not float32 (3, 2)" in refuse(path, shape)
    assert "too long" in refuse(path, text)
    assert "more is missing" in refuse(path, lambda archive: archive.expect({*ARRAYS, "more"}))
    assert "no checkpoint has" in refuse(path, lambda archive: archive.expect({"text"}))


def test_numbers_that_are_none(path: Path) -> None:
    """What is not finite, or too large to be summed up, is refused where numbers are asked for."""
    for value in (np.nan, np.inf, 1e31):
        np.savez(path, broken=np.full(3, value, dtype=np.float32))
        refuse(path, lambda archive: archive.numbers("broken", np.float32, (3,)))


def test_whatever_goes_wrong_inside_is_damage(path: Path) -> None:
    """An array that is not there, or what does not fit, is the file's fault, at any time."""
    assert refuse(path, lambda archive: archive.array("absent", np.uint8, (1,)))
    assert refuse(path, lambda _: ARRAYS["whole"].reshape(4, 4))


def test_an_archive_of_many_arrays(path: Path) -> None:
    """So many arrays as a checkpoint may have are read, and not one more."""
    arrays: dict[str, Any] = {f"a{i}": np.zeros(1) for i in range(MOST_ARRAYS)}
    np.savez(path, **arrays)
    with path.open("rb") as file, unpack(file) as archive:
        assert len(archive.names) == MOST_ARRAYS
    np.savez(path, more=np.zeros(1), **arrays)
    assert "far too much" in refuse(path, lambda archive: archive.names)


@pytest.mark.parametrize(("before", "after"), [(b"x", b""), (b"", b"x")], ids=["before", "after"])
def test_an_archive_is_all_of_its_file(path: Path, before: bytes, after: bytes) -> None:
    """Nothing may stand before an archive or after it, where other programs might see a file."""
    path.write_bytes(before + path.read_bytes() + after)
    assert "not a whole" in refuse(path, lambda archive: archive.names)
