"""Sequences of symbols: names in one array, and their 64-bit digests."""

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


# Digests.

_CHUNK = 1 << 16
"""The number of names that are hashed at a time."""

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""The factor of the polynomial hash; it is also the increment of SplitMix64."""


def digest(names: Names) -> NDArray[np.uint64]:
    """Compute the (N,) digests of names. Equal names of one vocabulary have equal digests.

    The digest is a polynomial hash modulo 2^64 over mixed symbol indices. The probability that any
    two of n different names share a digest is about n^2 / 2^65: 1 in 30 million for a million
    names.
    """
    result = np.empty(len(names), dtype=np.uint64)  # (N,)
    if not len(names):
        return result
    mixed = _mix(np.arange(int(names.symbols.max()) + 1, dtype=np.uint64))  # (V,)
    powers = np.full(int(names.lengths.max()), _FACTOR)  # (longest,)
    np.multiply.accumulate(powers, out=powers)
    for first in range(0, len(names), _CHUNK):
        starts = names.starts[first : first + _CHUNK + 1]  # (n + 1,)
        symbols = names.symbols[starts[0] : starts[-1]]  # (s,)
        position = np.arange(len(symbols)) - np.repeat(starts[:-1] - starts[0], np.diff(starts))
        terms = mixed[symbols] * powers[position]  # (s,)
        sums = np.add.reduceat(terms, starts[:-1] - starts[0])  # (n,)
        result[first : first + len(sums)] = _mix(sums)
    return result


def contains(known: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """(N,) mask of the wanted digests that occur in the (K,) sorted known digests."""
    if not len(known):
        return np.zeros(len(wanted), dtype=np.bool_)
    position = np.minimum(np.searchsorted(known, wanted), len(known) - 1)  # (N,)
    return np.equal(known[position], wanted)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread every bit over all bits with the finaliser of SplitMix64 (Steele et al. 2014)."""
    values = values + _FACTOR
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
