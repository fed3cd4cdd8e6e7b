"""A Bloom filter of digests: a set in little memory, which may contain a few others by mistake."""

import numpy as np
from numpy.typing import NDArray

HASHES = 6
"""The number of bits that each digest sets."""

BITS_PER_DIGEST = 8
"""The minimum number of bits per digest. With it, 2 % of other digests are found by mistake."""

MAX_BYTES = 1 << 26
"""The maximum size of a filter. Beyond it, more digests only mean more mistakes."""


class BloomFilter:
    """A set of digests (Bloom 1970).

    The indices of the bits come from two halves of the digest, by the double hashing of Kirsch and
    Mitzenmacher (2006).

    Attributes:
        bits: (B,) uint8 the bits, eight in each number; B is a power of two.
    """

    def __init__(self, bits: NDArray[np.uint8]) -> None:
        self.bits = bits

    @classmethod
    def of(cls, digests: NDArray[np.uint64]) -> "BloomFilter":
        """Return the filter of (D,) digests."""
        size = 1 << max(3, (BITS_PER_DIGEST * len(digests) - 1).bit_length())
        flags = np.zeros(min(size, 8 * MAX_BYTES), dtype=np.bool_)
        for index in _indices(digests, len(flags)):
            flags[index] = True
        return cls(np.packbits(flags, bitorder="little"))

    def contains(self, digests: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """(N,) mask of the digests that are in the set, and of a few others."""
        mask = np.ones(len(digests), dtype=np.bool_)
        for index in _indices(digests, 8 * len(self.bits)):
            mask &= (self.bits[index >> np.uint64(3)] >> (index & np.uint64(7))) & 1 == 1
        return mask


def _indices(digests: NDArray[np.uint64], size: int) -> list[NDArray[np.uint64]]:
    """Return the (N,) indices of each bit of the digests, in a filter of a power of two of bits."""
    low, high = digests & np.uint64(0xFFFFFFFF), digests >> np.uint64(32)
    mask = np.uint64(size - 1)
    return [(low + np.uint64(i) * (high | np.uint64(1))) & mask for i in range(HASHES)]
