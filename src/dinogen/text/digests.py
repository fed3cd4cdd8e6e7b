"""64-bit digests of names: what tells two names apart in eight bytes each."""

import numpy as np
from numpy.typing import NDArray

from dinogen.text.names import Names

_CHUNK = 1 << 16
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def digests(names: Names) -> NDArray[np.uint64]:
    """(N,) digests of the names' indices: equal for equal names, in any list of one vocabulary.

    A polynomial hash modulo 2^64 over mixed symbols. Two different names among n share a digest
    with a probability of about n^2 / 2^65: one in thirty million for a million names.
    """
    result = np.empty(len(names), dtype=np.uint64)
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
    """(N,) mask of the wanted digests that are among the (K,) known ones, which are sorted."""
    if not len(known):
        return np.zeros(len(wanted), dtype=np.bool_)
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)  # (N,)
    return np.equal(known[place], wanted)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread every bit over all bits: the finaliser of SplitMix64 (Steele et al. 2014)."""
    values = values + _FACTOR
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
