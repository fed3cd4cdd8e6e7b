"""Sequences of symbols, each kind in one array: names with their 64-bit digests, and texts."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

END = 0
"""The index of the end of a name, or of a line of running text."""


class Sequences:
    """N sequences with S symbols in total, end to end.

    A sequence begins as if an `END` came before it.

    Attributes:
        symbols: (S,) unsigned symbol indices.
        starts: (N + 1,) int64 offsets; sequence i is ``symbols[starts[i]:starts[i + 1]]``.
    """

    def __init__(self, symbols: NDArray[np.unsignedinteger], starts: NDArray[np.int64]) -> None:
        self.symbols = symbols
        self.starts = starts

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(N,) number of symbols in each sequence, the last `END` included."""
        return np.diff(self.starts)

    @property
    def symbol_weights(self) -> NDArray[np.float64] | None:
        """(S,) how much each symbol weighs; None if all weigh the same."""
        return None


class Texts(Sequences):
    """N running texts. An `END` is the end of a line, and the text goes on behind it."""

    def split(self, share: float, max_rest: int) -> tuple["Texts", "Texts"]:
        """Split each text in two.

        Args:
            share: the share of each text that goes to the second part, from 0 to less than 1.
            max_rest: the maximum number of symbols of all second parts together.

        Returns:
            The first parts, and the second parts without empty ones.
        """
        lengths = self.lengths  # (N,)
        share = min(share, max_rest / max(1, len(self.symbols)))
        ends = self.starts[:-1] + np.ceil(lengths * (1 - share)).astype(np.int64)  # (N,)
        is_first = np.arange(len(self.symbols)) < np.repeat(ends, lengths)  # (S,)
        return self._part(is_first, ends - self.starts[:-1]), self._part(
            ~is_first, self.starts[1:] - ends
        )

    def _part(self, mask: NDArray[np.bool_], lengths: NDArray[np.int64]) -> "Texts":
        """Copy a part of each text, of which (N,) lengths are given."""
        starts = np.cumsum([0, *lengths[lengths > 0]])  # (n + 1,)
        return Texts(self.symbols[mask], starts)


class Names(Sequences):
    """N names. Every name ends with `END`, and nothing follows it.

    Attributes:
        weights: (N,) how much each name weighs, more than 0; None if all weigh the same.
    """

    def __init__(
        self,
        symbols: NDArray[np.unsignedinteger],
        starts: NDArray[np.int64],
        weights: NDArray[np.float64] | None = None,
    ) -> None:
        super().__init__(symbols, starts)
        self.weights = weights

    @classmethod
    def split(cls, symbols: NDArray[np.unsignedinteger]) -> "Names":
        """Split (S,) symbols into names after every `END`. The last symbol must be `END`."""
        ends = np.flatnonzero(symbols == END)  # (N,)
        starts = np.zeros(len(ends) + 1, dtype=np.int64)  # (N + 1,)
        starts[1:] = ends + 1
        return cls(symbols, starts)

    @property
    def symbol_weights(self) -> NDArray[np.float64] | None:
        """(S,) the weight of the name of each symbol; None if all weigh the same."""
        return None if self.weights is None else np.repeat(self.weights, self.lengths)

    def filter(self, mask: NDArray[np.bool_]) -> "Names":
        """Copy the names where an (N,) mask is true, in the same order."""
        names = Names.split(self.symbols[np.repeat(mask, self.lengths)])
        names.weights = None if self.weights is None else self.weights[mask]
        return names

    def split_every(self, size: int) -> Iterator["Names"]:
        """Yield the names in parts of at most ``size`` names. The symbols are not copied."""
        for first in range(0, len(self), size):
            starts = self.starts[first : first + size + 1]  # (n + 1,)
            weights = None if self.weights is None else self.weights[first : first + size]
            yield Names(self.symbols[starts[0] : starts[-1]], starts - starts[0], weights)

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

FACTOR = 0x9E3779B97F4A7C15
"""The factor of the polynomial hash; it is also the increment of SplitMix64."""

_CHUNK = 1 << 16
"""The number of names that are hashed at a time."""

_MULTIPLIERS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
"""The multipliers of SplitMix64."""


def digest(names: Names) -> NDArray[np.uint64]:
    """Compute the (N,) digests of names. Equal names of one vocabulary have equal digests.

    The digest is a polynomial hash modulo 2^64 over mixed symbol indices. The probability that any
    two of n different names share a digest is about n^2 / 2^65: 1 in 30 million for a million
    names.
    """
    result = np.empty(len(names), dtype=np.uint64)  # (N,)
    if not len(names):
        return result
    hashes = hash_symbols(int(names.symbols.max()) + 1)  # (V,)
    powers = powers_of(FACTOR, int(names.lengths.max()))  # (longest,)
    first = 0
    for part in names.split_every(_CHUNK):
        position = np.arange(len(part.symbols)) - np.repeat(part.starts[:-1], part.lengths)
        terms = hashes[part.symbols] * powers[position]  # (s,)
        sums = np.add.reduceat(terms, part.starts[:-1])  # (n,)
        result[first : first + len(sums)] = mix(sums)
        first += len(sums)
    return result


def contains(known: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """(N,) mask of the wanted digests that occur in the (K,) sorted known digests."""
    if not len(known):
        return np.zeros(len(wanted), dtype=np.bool_)
    position = np.minimum(np.searchsorted(known, wanted), len(known) - 1)  # (N,)
    return np.equal(known[position], wanted)


def hash_symbols(size: int) -> NDArray[np.uint64]:
    """(V,) hashes of the symbols with indices below a size."""
    return mix(np.arange(size, dtype=np.uint64))


def powers_of(factor: int, size: int) -> NDArray[np.uint64]:
    """(size,) powers of a factor modulo 2^64, from the first one on."""
    powers = np.full(size, factor, dtype=np.uint64)
    return np.multiply.accumulate(powers, out=powers)


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread every bit over all bits with the finaliser of SplitMix64 (Steele et al. 2014)."""
    first, second = map(np.uint64, _MULTIPLIERS)
    values = values + np.uint64(FACTOR)
    values = (values ^ (values >> np.uint64(30))) * first
    values = (values ^ (values >> np.uint64(27))) * second
    return values ^ (values >> np.uint64(31))


def unmix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Undo `mix`."""
    first, second = (np.uint64(pow(factor, -1, 1 << 64)) for factor in _MULTIPLIERS)
    values = (values ^ (values >> np.uint64(31)) ^ (values >> np.uint64(62))) * second
    values = (values ^ (values >> np.uint64(27)) ^ (values >> np.uint64(54))) * first
    values = values ^ (values >> np.uint64(30)) ^ (values >> np.uint64(60))
    return values - np.uint64(FACTOR)
