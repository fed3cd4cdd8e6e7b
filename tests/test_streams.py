"""Random streams: by key, and apart from each other."""

import numpy as np

from dinogen.streams import Purpose, stream


def test_a_stream_is_known_by_its_key() -> None:
    """Opened twice it gives the same numbers; any other seed, purpose or index gives others."""
    keys = [(1, Purpose.SAMPLE, 0), (2, Purpose.SAMPLE, 0), (1, Purpose.SHUFFLE, 0)]
    keys += [(1, Purpose.SAMPLE, 1), (2**64 - 1, Purpose.SAMPLE, 2**64 - 1)]
    numbers = [tuple(stream(*key).random(4)) for key in keys]
    assert numbers == [tuple(stream(*key).random(4)) for key in keys]
    assert len(set(numbers)) == len(keys)


def test_streams_of_two_purposes_do_not_overlap() -> None:
    """A hundred thousand numbers of one purpose hold none of another's."""
    sample = stream(1, Purpose.SAMPLE).random(100_000)
    shuffle = stream(1, Purpose.SHUFFLE).random(100_000)
    assert not np.intersect1d(sample, shuffle).size
