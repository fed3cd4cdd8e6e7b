"""Random streams, each opened by its own key. A stream does not depend on earlier draws."""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream is used for. Streams of different purposes do not overlap."""

    HOLD_OUT = 0
    INITIALISE = 1
    SHUFFLE = 2
    SAMPLE = 3
    DROPOUT = 4
    LOOKAHEAD = 5
    CALIBRATE = 6
    TEACH = 7
    TRIAL = 8


def random_stream(seed: int, purpose: Purpose, index: int = 0) -> np.random.Generator:
    """Open the random stream of a seed, a purpose and an index.

    The generator is Philox (Salmon et al. 2011) with the key (seed, index). All streams are
    independent. Opening a stream takes the same time for every index.

    Args:
        seed: from 0 to 2^64 - 1.
        purpose: what the stream is used for.
        index: from 0 to 2^64 - 1, for example the number of an epoch or of a block of names.
    """
    key = np.array([seed, index], dtype=np.uint64)
    # Philox counts from the lowest word up. The purpose goes into the highest word, which counting
    # never reaches.
    counter = np.array([0, 0, 0, purpose], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))
