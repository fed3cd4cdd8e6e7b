"""Where chance comes from: streams by key, so that nothing depends on what was drawn before."""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream is for. Streams of different purposes share no number."""

    HOLD_OUT = 0
    INITIALISE = 1
    SHUFFLE = 2
    SAMPLE = 3
    DROPOUT = 4
    COURSE = 5


def stream(seed: int, purpose: Purpose, index: int = 0) -> np.random.Generator:
    """Open the stream of a seed, a purpose and an index (an epoch, a block of names).

    Philox (Salmon et al. 2011) keyed by (seed, index): opening stream 1,000,000 costs no more than
    opening the first, and each is independent of all the others.

    Args:
        seed: from 0 to 2^64 - 1.
        purpose: keeps, say, the order of the names apart from the split.
        index: from 0 to 2^64 - 1.
    """
    key = np.array([seed, index], dtype=np.uint64)
    counter = np.array([0, 0, 0, purpose], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))
