"""Named arrays in one vector, and reusable memory for intermediate results."""

from collections.abc import Iterable, Iterator, Mapping
from math import prod

import numpy as np
from numpy.typing import DTypeLike

from dinogen.models.language_model import Array

Shapes = Mapping[str, tuple[int, ...]]


ALIGNMENT = 64
"""In bytes: a cache line, and the widest registers. Products of aligned matrices are faster."""


def aligned_array(size: int, dtype: DTypeLike) -> Array:
    """(size,) uninitialised array whose memory is aligned to `ALIGNMENT`."""
    count = size * np.dtype(dtype).itemsize
    raw = np.empty(count + ALIGNMENT, dtype=np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    array: Array = raw[start : start + count].view(dtype)
    return array


class Parameters(Mapping[str, Array]):
    """Arrays by name, each a view into one vector, so that one operation updates all of them.

    Attributes:
        vector: (P,) the numbers of all arrays, in the order of the arrays.
    """

    def __init__(self, shapes: Shapes, dtype: DTypeLike) -> None:
        self.vector = aligned_array(sum(map(prod, shapes.values())), dtype)
        self.vector.fill(0)
        self._arrays: dict[str, Array] = {}
        start = 0
        for name, shape in shapes.items():
            self._arrays[name] = self.vector[start : start + prod(shape)].reshape(shape)
            start += prod(shape)

    @property
    def shapes(self) -> Shapes:
        """The shape of each array, in order."""
        return {name: array.shape for name, array in self.items()}

    def fill(self, arrays: Mapping[str, Array]) -> None:
        """Overwrite all arrays with given arrays of the same names and shapes."""
        for name, array in self.items():
            array[...] = arrays[name]

    def copy(self) -> "Parameters":
        """Copy all arrays into a new vector."""
        copy = Parameters(self.shapes, self.vector.dtype)
        copy.vector[...] = self.vector
        return copy

    def group(self, prefix: str, names: Iterable[str]) -> dict[str, Array]:
        """Return the arrays ``prefix + name``, by name."""
        return {name: self._arrays[prefix + name] for name in names}

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


class Workspace:
    """Arrays by name that reuse their memory, because allocation is slow."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._dtype = dtype
        self._buffers: dict[str, Array] = {}

    def array(self, name: str, *shape: int) -> Array:
        """Return an uninitialised array. It reuses the memory of the last array of that name."""
        size = prod(shape)
        buffer = self._buffers.get(name)
        if buffer is None or len(buffer) < size:
            # A quarter more than needed, so that slowly growing batches rarely allocate.
            buffer = self._buffers[name] = aligned_array(size + size // 4, self._dtype)
        return buffer[:size].reshape(shape)

    def transposed(self, name: str, array: Array) -> Array:
        """Return a contiguous copy with the last two axes exchanged.

        A product with it takes half as long as one with a transposed view.
        """
        copy = self.array(f"{name} transposed", *array.swapaxes(-1, -2).shape)
        copy[...] = array.swapaxes(-1, -2)
        return copy


class NewArrays(Workspace):
    """New arrays for a single step, which is over before memory could be used again."""

    def array(self, name: str, *shape: int) -> Array:
        """Return an uninitialised array, not aligned: that would take longer than it saves."""
        return np.empty(shape, dtype=self._dtype)
