"""Named arrays that lie in one vector, so that an update is one operation over all of them."""

from collections.abc import Iterator, Mapping
from math import prod

import numpy as np
from numpy.typing import DTypeLike, NDArray

Shapes = Mapping[str, tuple[int, ...]]


class Parameters(Mapping[str, NDArray[np.floating]]):
    """Arrays by name, each a view into one vector.

    Attributes:
        vector: (P,) all the numbers; writing into it writes into the arrays, and the reverse.
    """

    def __init__(self, shapes: Shapes, dtype: DTypeLike) -> None:
        self.vector = np.zeros(sum(map(prod, shapes.values())), dtype=dtype)
        self._arrays: dict[str, NDArray[np.floating]] = {}
        start = 0
        for name, shape in shapes.items():
            self._arrays[name] = self.vector[start : start + prod(shape)].reshape(shape)
            start += prod(shape)

    @property
    def shapes(self) -> Shapes:
        """The shape of each array, in their order."""
        return {name: array.shape for name, array in self.items()}

    def fill(self, arrays: Mapping[str, NDArray[np.floating]]) -> None:
        """Copy the numbers of arrays of the same names and shapes."""
        for name, array in self.items():
            array[...] = arrays[name]

    def copy(self) -> "Parameters":
        """Copy the arrays into a vector of their own."""
        copy = Parameters(self.shapes, self.vector.dtype)
        copy.vector[...] = self.vector
        return copy

    def __getitem__(self, name: str) -> NDArray[np.floating]:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)
