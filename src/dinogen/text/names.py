"""Names as compact arrays: all symbols end to end, every name closed by the end symbol."""

import numpy as np
from numpy.typing import NDArray

END = 0
"""The index of the end of a name, and of what stands before one: names begin where others end."""


class Names:
    """N names of S symbols in all, their ends included.

    Attributes:
        symbols: (S,) unsigned indices of the vocabulary; `END` closes every name.
        starts: (N + 1,) int64; name i is ``symbols[starts[i]:starts[i + 1]]``, its end included.
    """

    def __init__(self, symbols: NDArray[np.unsignedinteger], starts: NDArray[np.int64]) -> None:
        self.symbols = symbols
        self.starts = starts

    @classmethod
    def split(cls, symbols: NDArray[np.unsignedinteger]) -> "Names":
        """Find the names in (S,) symbols, each name closed by `END`."""
        ends = np.flatnonzero(symbols == END)  # (N,)
        starts = np.zeros(len(ends) + 1, dtype=np.int64)  # (N + 1,)
        starts[1:] = ends + 1
        return cls(symbols, starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(N,) symbols in each name, its end included."""
        return np.diff(self.starts)

    def keep(self, mask: NDArray[np.bool_]) -> "Names":
        """Copy the names that an (N,) mask chooses, in their order."""
        return Names.split(self.symbols[np.repeat(mask, self.lengths)])

    def spread(self, most: int) -> "Names":
        """Copy some of the names, at most so many, evenly spread over all of them."""
        mask = np.zeros(len(self), dtype=np.bool_)
        mask[:: max(1, -(-len(self) // most))] = True
        return self.keep(mask)

    def holds(self, symbol: int) -> NDArray[np.bool_]:
        """(N,) mask of the names that hold a symbol."""
        mask = np.zeros(len(self), dtype=np.bool_)
        places = np.flatnonzero(self.symbols == symbol)  # (M,)
        mask[np.searchsorted(self.starts, places, side="right") - 1] = True
        return mask
