"""Names as sequences of symbol indices, stored end to end in one array."""

import numpy as np
from numpy.typing import NDArray

END = 0
"""The index of the end of a name."""


class Names:
    """N names with S symbols in total. Every name ends with `END`.

    Attributes:
        symbols: (S,) unsigned symbol indices.
        starts: (N + 1,) int64 offsets; name i is ``symbols[starts[i]:starts[i + 1]]``.
    """

    def __init__(self, symbols: NDArray[np.unsignedinteger], starts: NDArray[np.int64]) -> None:
        self.symbols = symbols
        self.starts = starts

    @classmethod
    def split(cls, symbols: NDArray[np.unsignedinteger]) -> "Names":
        """Split (S,) symbols into names after every `END`. The last symbol must be `END`."""
        ends = np.flatnonzero(symbols == END)  # (N,)
        starts = np.zeros(len(ends) + 1, dtype=np.int64)  # (N + 1,)
        starts[1:] = ends + 1
        return cls(symbols, starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(N,) number of symbols in each name, `END` included."""
        return np.diff(self.starts)

    def filter(self, mask: NDArray[np.bool_]) -> "Names":
        """Copy the names where an (N,) mask is true, in the same order."""
        return Names.split(self.symbols[np.repeat(mask, self.lengths)])

    def subsample(self, max_names: int) -> "Names":
        """Copy at most ``max_names`` names, evenly spaced."""
        mask = np.zeros(len(self), dtype=np.bool_)
        mask[:: max(1, -(-len(self) // max_names))] = True
        return self.filter(mask)

    def holds(self, symbol: int) -> NDArray[np.bool_]:
        """(N,) mask of the names that contain a symbol."""
        mask = np.zeros(len(self), dtype=np.bool_)
        positions = np.flatnonzero(self.symbols == symbol)  # (M,)
        mask[np.searchsorted(self.starts, positions, side="right") - 1] = True
        return mask
