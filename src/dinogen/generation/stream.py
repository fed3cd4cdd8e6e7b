"""The stream of names of a seed: name i depends only on the model, seed, options and i."""

from bisect import bisect
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from dinogen.data.known import KnownNames
from dinogen.data.sequences import Names
from dinogen.errors import RanOutError
from dinogen.generation.blocks import Candidates, draw_block
from dinogen.generation.decoding import Decoding
from dinogen.generation.rules import NameRules
from dinogen.models.language_model import LanguageModel, max_block_size
from dinogen.rng import Purpose, random_stream
from dinogen.threads import map_ordered, one_thread

FIRST_BLOCK = 16
"""The number of names in the first block."""

QUICK_BLOCK = 4_096
"""Up to this number of names, each block has twice the size of the one before."""

LARGEST_BLOCK = 65_536
"""The maximum number of names in a block. Larger blocks share more work, but take seconds."""

FIRST_PARTICLES = 512
"""The number of names in the first block of a plan that is not exact. Names of a smaller block
share more beginnings."""

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


class Plan(Protocol):
    """How to draw the names that satisfy constraints."""

    @property
    def is_exact(self) -> bool:
        """Whether the names of a block of any size have their distribution, and not only almost."""
        ...

    def draw(
        self,
        model: LanguageModel,
        random: np.random.Generator,
        size: int,
        decoding: Decoding,
        rules: NameRules,
    ) -> Candidates:
        """Draw a block of names, or none; see `draw_block`."""
        ...


class NameStream:
    """The endless stream of names of a model, a seed and options, in blocks.

    A block is always drawn whole, so no name depends on how many names are wanted. Its known names
    are dropped, and then the least likely ones, by `Decoding.keep`. The first blocks have 16, 32,
    ... 4,096 names: small blocks for a few names soon, and large ones for many names fast. A later
    block has at most an eighth of the names before it, and at most 65,536.
    The blocks of a plan that is not exact have 512, 1,024, ... 4,096, 4,096, ... names, or at most
    `max_block_size`.

    Attributes:
        model: the model to sample.
        seed: the random seed.
        decoding: how names are drawn, and which of the candidates of each block are kept.
        rules: the rules for names.
        plan: how names that satisfy the constraints are drawn; None without constraints.
        known: the names that are dropped.
    """

    def __init__(
        self,
        model: LanguageModel,
        seed: int,
        decoding: Decoding,
        rules: NameRules,
        plan: Plan | None = None,
        known: KnownNames = _NO_NAMES,
    ) -> None:
        self.model = model
        self.seed = seed
        self.decoding = decoding
        self.rules = rules
        self.plan = plan
        self.known = known
        if plan and not plan.is_exact:
            largest = max_block_size(model.vocab_size)
            sizes = _block_sizes(min(FIRST_PARTICLES, largest), largest, largest)
        else:
            sizes = _block_sizes(FIRST_BLOCK, QUICK_BLOCK, LARGEST_BLOCK)
        self._sizes = tuple(sizes)
        self._firsts = tuple(accumulate(sizes, initial=0))

    def size(self, block: int) -> int:
        """Return the number of names in a block."""
        return self._sizes[min(block, len(self._sizes) - 1)]

    def first(self, block: int) -> int:
        """Return the position of the first name of a block."""
        growing = min(block, len(self._sizes))
        return self._firsts[growing] + (block - growing) * self._sizes[-1]

    def block_of(self, position: int) -> int:
        """Return the block of the name at a position."""
        beyond = max(0, position - self._firsts[-1]) // self._sizes[-1]
        return bisect(self._firsts, position - beyond * self._sizes[-1]) - 1 + beyond

    @one_thread()
    def draw(self, block: int) -> Drawn:
        """Draw the candidates of a block, and keep the best ones."""
        random, size = random_stream(self.seed, Purpose.SAMPLE, block), self.size(block)
        draw = self.plan.draw if self.plan else draw_block
        candidates = draw(self.model, random, size, self.decoding, self.rules)
        names = candidates.names
        lost = size - len(names)
        written = len(names.symbols) + lost * self.rules.max_length
        drawn = Drawn(names, self.first(block) + np.arange(len(names)), written)
        return drawn.filter(candidates.best(self.decoding.keep, self.known))


def _block_sizes(smallest: int, quick: int, largest: int) -> list[int]:
    """Return the sizes of the blocks up to the first of the largest size; all are powers of two.

    Args:
        smallest: the size of the first block.
        quick: up to this size, each block has twice the size of the one before. Larger blocks have
            at most an eighth of the names before them, so that few are drawn in vain.
        largest: the largest size.
    """
    sizes = [smallest]
    while sizes[-1] < largest:
        double = 2 * sizes[-1]
        grows = double <= quick or smallest + sum(sizes) >= 8 * double
        sizes.append(double if grows else sizes[-1])
    return sizes


def draw_names(
    stream: NameStream, n: int | None, skip: int = 0, name_filter: NameFilter | None = None
) -> Iterator[Drawn]:
    """Draw names on several cores, and yield them in parts.

    Args:
        stream: the stream of candidates.
        n: how many names to yield; None for all that can be found. A larger n yields the same names
            first.
        skip: how many candidates to skip at the start of the stream.
        name_filter: which candidates to keep; None for all.

    Raises:
        RanOutError: after the last name, if `max_candidates` candidates hold fewer than n names.
            Without n, if no other name is found in the candidates that n = 1 allows.
    """
    position, found, written, share = skip, 0, 0, 1.0
    begun = done = stream.block_of(skip)
    budget = max_candidates(1 if n is None else n)
    end, max_written = skip + budget, SYMBOLS_PER_CANDIDATE * budget

    def blocks() -> Iterator[int]:
        """Yield the blocks until all candidates are drawn."""
        nonlocal begun
        while stream.first(begun) < end:
            begun += 1
            yield begun - 1

    def is_needed() -> bool:
        """Tell whether the blocks under way will have too few names, by the share kept last."""
        expected = found + share * max(0, stream.first(begun) - position)
        return expected < (2 * found + 1 if n is None else n)

    for drawn in map_ordered(stream.draw, blocks(), is_needed) if n != 0 else ():
        before, done = position, done + 1
        position = stream.first(done)
        written += drawn.written
        drawn = drawn.filter(drawn.positions >= skip)
        if name_filter:
            drawn = drawn.filter(name_filter(drawn.names))
        if n is not None:
            drawn = drawn.filter(np.arange(len(drawn.names)) < n - found)
        elif len(drawn.names):
            end, max_written = position + budget, written + SYMBOLS_PER_CANDIDATE * budget
        found += len(drawn.names)
        share = len(drawn.names) / (position - before)
        yield drawn
        if found == n:
            return
        if written >= max_written:
            break
    if n is None or found < n:
        names = f"no more names after {found:,}," if n is None else f"{found:,} of {n:,} names"
        raise RanOutError(
            f"found {names} in {position - skip:,} candidates; the others were left out as "
            "unlikely (temperature 1 allows them), known (allow known) or repeated (allow "
            "repeats); or relax the constraints"
        )
