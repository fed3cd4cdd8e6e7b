"""Digests of names. Names are compared by their 64-bit hashes."""

import numpy as np
from numpy.typing import NDArray

from dinogen.data.sequences import Names

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
