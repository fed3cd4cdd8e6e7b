"""Seeded sampling: name i depends on the model, the seed, the options and i alone."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.errors import RanOutError
from dinogen.generation.ahead import ahead
from dinogen.generation.growing import grow
from dinogen.generation.options import Options
from dinogen.generation.steering import Course, steer
from dinogen.models.language_model import FEWEST_NAMES, LanguageModel, names_at_a_time
from dinogen.streams import Purpose, stream
from dinogen.text.names import Names
from dinogen.threads import one_thread

Passes = Callable[[Names], NDArray[np.bool_]]


def effort(n: int) -> int:
    """Count the candidates that are looked at, at most, for n names."""
    return 50_000 + 100 * n


SYMBOLS_A_CANDIDATE = 16
"""On average, at the most: where names go on and on, fewer candidates are looked at."""


class Drawn(NamedTuple):
    """Some of the names of a stream.

    Attributes:
        names: N of them.
        places: (N,) where each stands in the stream, from 0 on.
    """

    names: Names
    places: NDArray[np.int64]

    def keep(self, mask: NDArray[np.bool_]) -> "Drawn":
        """Copy what an (N,) mask chooses."""
        return self if mask.all() else Drawn(self.names.keep(mask), self.places[mask])


class Stream:
    """All names that a model, a seed and the options ever give, in blocks.

    Each block is twice as large as the one before, from `FEWEST_NAMES` up to `names_at_a_time`. It
    is always drawn whole, so that nothing depends on how many names are wanted; and it grows, since
    few names should come at once and many quickly. Names that are steered are drawn in blocks of
    the greatest size from the first on: the larger, the closer to their distribution.

    Attributes:
        model: what the names are drawn from; only its likelihoods are asked for.
        seed: see `dinogen.streams.stream`.
        options: what shapes the names.
        course: where they are steered, if anywhere.
    """

    def __init__(
        self, model: LanguageModel, seed: int, options: Options, course: Course | None = None
    ) -> None:
        self.model = model
        self.seed = seed
        self.options = options
        self.course = course
        largest = names_at_a_time(model)
        self._smallest = largest if course else FEWEST_NAMES
        self._doublings = (largest // self._smallest).bit_length() - 1

    def size(self, block: int) -> int:
        """Count the names of a block."""
        return self._smallest << min(block, self._doublings)

    def first(self, block: int) -> int:
        """Count the names of all the blocks before a block."""
        doubled = min(block, self._doublings)
        whole = (block - doubled) * self.size(self._doublings)
        return self._smallest * ((1 << doubled) - 1) + whole

    def block_of(self, place: int) -> int:
        """Find the block in which a name stands."""
        block = min((place // self._smallest + 1).bit_length() - 1, self._doublings)
        return block + (place - self.first(block)) // self.size(block)

    @one_thread()
    def draw(self, block: int) -> Drawn:
        """Draw the names of a block."""
        random, size = stream(self.seed, Purpose.SAMPLE, block), self.size(block)
        if self.course:
            names = steer(self.model, random, size, self.options, self.course)
        else:
            names = grow(self.model, random, size, self.options)
        return Drawn(names, self.first(block) + np.arange(len(names)))


def sample(names: Stream, n: int, skip: int = 0, passes: Passes | None = None) -> Iterator[Drawn]:
    """Draw names, on several cores, some at a time.

    Args:
        names: where they come from.
        n: how many; the first ones are the same for any n.
        skip: the place in the stream to begin at.
        passes: tells of N names which may pass, if not all may: an (N,) mask.

    Raises:
        RanOutError: after the last of them, if there are fewer than n in the stream as far as
            `effort` goes.
    """
    place, found, written = skip, 0, 0
    end, most_written = skip + effort(n), SYMBOLS_A_CANDIDATE * effort(n)
    while found < n and place < end and written < most_written:
        # As many more as it should take, by how many have passed so far.
        passing = max(found, 1) / (place - skip) if place > skip else 1.0
        until = min(end, place + max(1, int((n - found) / passing)))
        blocks = range(names.block_of(place), names.block_of(until - 1) + 1)
        for block, drawn in zip(blocks, ahead(names.draw, blocks), strict=True):
            lost = names.size(block) - len(drawn.names)
            written += len(drawn.names.symbols) + lost * names.options.max_length
            drawn = drawn.keep(drawn.places >= skip)
            if passes:
                drawn = drawn.keep(passes(drawn.names))
            drawn = drawn.keep(np.arange(len(drawn.names)) < n - found)
            found += len(drawn.names)
            yield drawn
            if found == n:
                return
            place = names.first(block + 1)
            if written >= most_written:
                break
    if found < n:
        raise RanOutError(
            f"{found:,} of {n:,} names, after {place - skip:,} candidates; no more like that were "
            "found: ask for fewer, for less or less strictly, or allow known names or repeats"
        )
