"""The stream of names of a seed: name i depends only on the model, seed, options and i."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.data.known import KnownNames
from dinogen.data.sequences import Names
from dinogen.errors import RanOutError
from dinogen.generation.constrained.lookahead import LookaheadPlan
from dinogen.generation.constrained.particles import draw_constrained
from dinogen.generation.decoding import Decoding, draw_block
from dinogen.generation.rules import NameRules
from dinogen.models.language_model import MIN_BLOCK, LanguageModel, max_block_size
from dinogen.rng import Purpose, random_stream
from dinogen.threads import map_ordered, one_thread

SYMBOLS_PER_CANDIDATE = 16
"""The symbol budget per candidate. Drawing stops when the budget of all candidates is spent."""

_NO_NAMES = KnownNames()

NameFilter = Callable[[Names], NDArray[np.bool_]]
"""Returns the (N,) mask of the names to keep."""


def max_candidates(n: int) -> int:
    """Return how many candidates to draw, at most, to find n names."""
    return 50_000 + 100 * n


class Drawn(NamedTuple):
    """Some of the names of a stream.

    Attributes:
        names: N names.
        positions: (N,) the position of each in the stream, from 0.
        written: the number of symbols that were drawn to find them.
    """

    names: Names
    positions: NDArray[np.int64]
    written: int

    def filter(self, mask: NDArray[np.bool_]) -> "Drawn":
        """Copy the names that an (N,) mask selects."""
        if mask.all():
            return self
        return Drawn(self.names.filter(mask), self.positions[mask], self.written)


class NameStream:
    """The endless stream of names of a model, a seed and options, in blocks.

    A block is always drawn whole, so no name depends on how many names are wanted. Its known names
    are dropped, and then the least likely ones, by `Decoding.keep`. Blocks of 16, 32, ... 4096,
    4096, ... names are drawn: small blocks for a few names soon, and large blocks for many names
    fast. For more than 512 symbols, the largest size is `max_block_size`. Constrained names are
    drawn in blocks of the largest size only, which are closest to their distribution.

    Attributes:
        model: the model to sample.
        seed: the random seed.
        decoding: how names are drawn, and which of the candidates of each block are kept.
        rules: the rules for names.
        plan: the constraints and their lookahead; None without constraints.
        known: the names that are dropped.
    """

    def __init__(
        self,
        model: LanguageModel,
        seed: int,
        decoding: Decoding,
        rules: NameRules,
        plan: LookaheadPlan | None = None,
        known: KnownNames = _NO_NAMES,
    ) -> None:
        self.model = model
        self.seed = seed
        self.decoding = decoding
        self.rules = rules
        self.plan = plan
        self.known = known
        largest = max_block_size(model.vocab_size)
        self._smallest = largest if plan else MIN_BLOCK
        self._doublings = (largest // self._smallest).bit_length() - 1

    def size(self, block: int) -> int:
        """Return the number of names in a block."""
        return self._smallest << min(block, self._doublings)

    def first(self, block: int) -> int:
        """Return the position of the first name of a block."""
        doubled = min(block, self._doublings)
        whole = (block - doubled) * self.size(self._doublings)
        return self._smallest * ((1 << doubled) - 1) + whole

    def block_of(self, position: int) -> int:
        """Return the block of the name at a position."""
        block = min((position // self._smallest + 1).bit_length() - 1, self._doublings)
        return block + (position - self.first(block)) // self.size(block)

    @one_thread()
    def draw(self, block: int) -> Drawn:
        """Draw the candidates of a block, and keep the best ones."""
        random, size = random_stream(self.seed, Purpose.SAMPLE, block), self.size(block)
        arguments = (self.model, random, size, self.decoding, self.rules)
        if self.plan:
            candidates = draw_constrained(*arguments, self.plan)
        else:
            candidates = draw_block(*arguments)
        names = candidates.names
        lost = size - len(names)
        written = len(names.symbols) + lost * self.rules.max_length
        drawn = Drawn(names, self.first(block) + np.arange(len(names)), written)
        return drawn.filter(candidates.best(self.decoding.keep, self.known))


def draw_names(
    stream: NameStream, n: int, skip: int = 0, name_filter: NameFilter | None = None
) -> Iterator[Drawn]:
    """Draw names on several cores, and yield them in parts.

    Args:
        stream: the stream of candidates.
        n: how many names to yield. A larger n yields the same names first.
        skip: how many candidates to skip at the start of the stream.
        name_filter: which candidates to keep; None for all.

    Raises:
        RanOutError: after the last name, if `max_candidates` candidates hold fewer than n names.
    """
    position, found, written = skip, 0, 0
    end, max_written = skip + max_candidates(n), SYMBOLS_PER_CANDIDATE * max_candidates(n)
    while found < n and position < end and written < max_written:
        # Estimate how many more candidates are needed, from the share kept so far.
        share = max(found, 1) / (position - skip) if position > skip else 1.0
        until = min(end, position + max(1, int((n - found) / share)))
        blocks = range(stream.block_of(position), stream.block_of(until - 1) + 1)
        for block, drawn in zip(blocks, map_ordered(stream.draw, blocks), strict=True):
            written += drawn.written
            drawn = drawn.filter(drawn.positions >= skip)
            if name_filter:
                drawn = drawn.filter(name_filter(drawn.names))
            drawn = drawn.filter(np.arange(len(drawn.names)) < n - found)
            found += len(drawn.names)
            yield drawn
            if found == n:
                return
            position = stream.first(block + 1)
            if written >= max_written:
                break
    if found < n:
        raise RanOutError(
            f"found {found:,} of {n:,} names in {position - skip:,} candidates; the others were "
            "left out as unlikely (--temperature 1 allows them), known (--allow-known) or repeated "
            "(--allow-repeats); or relax the constraints"
        )
