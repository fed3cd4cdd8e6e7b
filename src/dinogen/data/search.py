"""Search by hashes: names that are near copies of known names, and names that contain a text.

The digest is a polynomial hash. The hash of a part of a name, and of a name after an edit, follows
from sums over the symbols before and after, in one step.
"""

import numpy as np
from numpy.typing import NDArray

from dinogen.data.sequences import (
    END,
    FACTOR,
    Names,
    contains,
    digest,
    hash_symbols,
    powers_of,
    unmix,
)

_INVERSE = pow(FACTOR, -1, 1 << 64)
"""The inverse of the factor modulo 2^64."""

_CHUNK = 1 << 16
"""The number of hashes that are computed at a time. More would not fit into a fast cache."""

_NAMES_AT_A_TIME = 1_024
"""The number of names that are searched at a time."""

_TABLE_BITS = (10, 24)
"""The minimum and maximum number of bits that index the table of a `_HashSet`."""


class NearCopies:
    """Finds the names within one edit of known names: a symbol more, a symbol less, or another.

    Only digests of the known names are needed. The hashes of all names within one edit of a name
    are looked up, about 2 V per symbol.
    """

    def __init__(self, known: NDArray[np.uint64], vocab_size: int) -> None:
        """Set up.

        Args:
            known: digests of the known names.
            vocab_size: V, the number of symbols, the end included.
        """
        # The digest mixes the sum of a name, and the mixing is undone here, once for each known
        # name. Otherwise it would be done for each name within one edit.
        self._known = _HashSet(unmix(known))
        self._hashes = hash_symbols(vocab_size)  # (V,)

    def find(self, names: Names) -> NDArray[np.bool_]:
        """(N,) mask of the names that are known, or within one edit of a known name."""
        parts = names.split_every(_NAMES_AT_A_TIME)
        return np.concatenate([np.zeros(0, dtype=np.bool_), *map(self._find, parts)])

    def _find(self, names: Names) -> NDArray[np.bool_]:
        """Do the same as `find`, for a few names."""
        first = names.starts[:-1]  # (N,)
        place = np.arange(len(names.symbols)) - np.repeat(first, names.lengths)  # (S,)
        power = powers_of(FACTOR, int(names.lengths.max()))[place]  # (S,)
        terms = self._hashes[names.symbols] * power  # (S,)
        total = np.repeat(np.add.reduceat(terms, first), names.lengths)  # (S,)
        before = np.cumsum(terms) - terms  # (S,) the sum of all earlier terms
        before -= np.repeat(before[first], names.lengths)
        after = total - before - terms  # (S,)
        # The hash of the name with a symbol deleted, with a gap in its place, and with a gap before
        # it. An end counts as a symbol here. A name without its end is never found.
        deleted = before + after * np.uint64(_INVERSE)  # (S,)
        gap = before + after  # (S,)
        gap_before = before + (total - before) * np.uint64(FACTOR)  # (S,)
        found = self._known.holds(deleted)  # (S,)
        others = self._hashes[1:]  # (V - 1,)
        step = max(1, _CHUNK // max(1, len(others)))
        for i in range(0, len(terms), step):
            rows = slice(i, i + step)
            new = np.multiply.outer(power[rows], others)  # (s, V - 1) the symbol in the gap
            for rest in (gap, gap_before):
                found[rows] |= self._known.holds(new + rest[rows, np.newaxis]).any(axis=1)
        return np.logical_or.reduceat(found, first)


class TextSearch:
    """Finds the names that contain one of many texts, by a rolling hash (Karp and Rabin 1987)."""

    def __init__(self, texts: Names) -> None:
        """Set up.

        Args:
            texts: the texts, none of them empty, in the symbols of the names.
        """
        lengths = texts.lengths - 1  # (K,)
        # The sums of the texts, without their ends.
        ends = hash_symbols(END + 1) * powers_of(FACTOR, int(lengths.max(initial=0)) + 1)[lengths]
        sums = unmix(digest(texts)) - ends  # (K,)
        self._sets = {
            length: _HashSet(sums[lengths == length])
            for length in np.flatnonzero(np.bincount(lengths)).tolist()
        }

    def find(self, names: Names) -> NDArray[np.bool_]:
        """(N,) mask of the names that contain one of the texts."""
        parts = names.split_every(_NAMES_AT_A_TIME)
        return np.concatenate([np.zeros(0, dtype=np.bool_), *map(self._find, parts)])

    def _find(self, names: Names) -> NDArray[np.bool_]:
        """Do the same as `find`, for a few names."""
        size = len(names.symbols)
        terms = hash_symbols(int(names.symbols.max()) + 1)[names.symbols]  # (S,)
        terms *= powers_of(FACTOR, size)
        sums = np.zeros(size + 1, dtype=np.uint64)  # (S + 1,)
        np.cumsum(terms, out=sums[1:])
        # After a division by this, the hash of a part does not depend on its place.
        inverse = powers_of(_INVERSE, size) * np.uint64(FACTOR)  # (S,)
        found = np.zeros(size, dtype=np.bool_)  # (S,) whether a text starts here
        # No text contains an end, so a part that reaches into the next name is never found.
        for length in range(1, int(names.lengths.max())):
            if known := self._sets.get(length):
                parts = (sums[length:] - sums[:-length]) * inverse[: size + 1 - length]
                found[: len(parts)] |= known.holds(parts)
        return np.logical_or.reduceat(found, names.starts[:-1])


class _HashSet:
    """A set of K hashes. A table of their first bits answers most questions."""

    def __init__(self, hashes: NDArray[np.uint64]) -> None:
        self._sorted = np.sort(hashes)  # (K,)
        low, high = _TABLE_BITS
        # With at least 32 places for each hash, at most 3 % of the questions remain.
        bits = min(max(low, len(hashes).bit_length() + 5), high)
        self._shift = np.uint64(64 - bits)
        self._table = np.zeros(1 << bits, dtype=np.bool_)
        self._table[hashes >> self._shift] = True

    def holds(self, hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Return the mask of the hashes that are in the set, in the same shape."""
        # The view converts nothing; an unsigned index would be converted.
        mask = self._table.take((hashes >> self._shift).view(np.int64))
        candidates = np.flatnonzero(mask)
        if len(candidates):
            mask.reshape(-1)[candidates] = contains(self._sorted, hashes.reshape(-1)[candidates])
        return mask
