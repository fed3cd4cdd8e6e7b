"""Random streams: each key has its own stream."""

import numpy as np

from dinogen.rng import Purpose, random_stream


def test_a_key_determines_its_stream() -> None:
    """The same key gives the same numbers; another seed, purpose or index gives others."""
    keys = [(1, Purpose.SAMPLE, 0), (2, Purpose.SAMPLE, 0), (1, Purpose.SHUFFLE, 0)]
    keys += [(1, Purpose.SAMPLE, 1), (2**64 - 1, Purpose.SAMPLE, 2**64 - 1)]
    numbers = [tuple(random_stream(*key).random(4)) for key in keys]
    assert numbers == [tuple(random_stream(*key).random(4)) for key in keys]
    assert len(set(numbers)) == len(keys)


def test_streams_of_two_purposes_do_not_overlap() -> None:
    """100,000 numbers of one purpose contain none of another purpose."""
    sample = random_stream(1, Purpose.SAMPLE).random(100_000)
    shuffle = random_stream(1, Purpose.SHUFFLE).random(100_000)
    assert not np.intersect1d(sample, shuffle).size
