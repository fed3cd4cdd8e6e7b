"""Interpolated Kneser-Ney n-grams."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dinogen.data.sequences import END
from dinogen.models.language_model import Array, Rows, Symbols
from dinogen.models.ngram.automaton import MAX_TABLE as MAX_TABLE, Automaton, States
from dinogen.models.ngram.tree import GramTree as GramTree

if TYPE_CHECKING:
    from dinogen.models.ngram.counts import Level

MAX_GRAMS = 1 << 23
"""The maximum number of n-grams of a model."""

MIN_DISCOUNT = 0.1
MAX_DISCOUNT = (1.0, 2.0, 3.0)
"""Within these bounds, unseen symbols keep some probability and no discounted count is negative."""


class NGram:
    """Kneser-Ney n-grams over symbols; a `LanguageModel` whose state is (N,) context indices.

    Interpolated modified Kneser-Ney (Chen and Goodman 1999, equations 20 to 26). With a(hw) the
    count of the symbol w after the context h, and h' the context without its first symbol,

        p(w | h) = (a(hw) - D(a(hw))) / sum_v a(hv) + sum_v D(a(hv)) / sum_v a(hv) p(w | h')

    In the longest contexts, and in those at the beginning of a name, a(hw) is the number of
    occurrences of hw. In all other contexts it is the number of distinct symbols before hw. The
    empty context backs off to 1 / V. An unseen context is replaced by its longest seen suffix.

    In running text, `END` is the end of a line, and contexts go on behind it. Nothing precedes the
    first symbols of a text. So each text that begins with hw adds 1 to the number of distinct
    symbols before hw.

    Attributes:
        tree: the counts.
        discounts: (n, 3) D(1), D(2) and D(3 and more), by the length of the context.
        vocab_size: V, the end included.
    """

    def __init__(self, tree: GramTree, discounts: NDArray[np.floating], vocab_size: int) -> None:
        self.tree = tree
        self.discounts = discounts
        self._vocab_size = vocab_size

    @classmethod
    def from_counts(cls, levels: "Sequence[Level]", vocab_size: int) -> "NGram":
        """Build the model of order n from the counts of n levels.

        If there are more than `MAX_GRAMS` n-grams, the rarest contexts are dropped, and what
        follows them. Contexts that occur equally often are kept or dropped together.
        """
        *shorter, longest = levels
        counts = [*(level.continuations for level in shorter), longest.occurrences]
        discounts = np.array([estimate_discounts(count) for count in counts])  # (n, 3)
        return cls(_build_tree(levels, counts, vocab_size), discounts, vocab_size)

    @property
    def order(self) -> int:
        """n, the length of the longest n-grams."""
        return len(self.discounts)

    @property
    def vocab_size(self) -> int:
        """See `LanguageModel.vocab_size`."""
        return self._vocab_size

    def begin(self, n: int) -> tuple[States, Array]:
        """See `LanguageModel.begin`: the context is `END`."""
        return self.advance(self.blank(n), np.full(n, END))

    def blank(self, n: int) -> States:
        """See `LanguageModel.blank`: (n,) empty contexts."""
        return np.zeros(n, dtype=np.int32)

    def advance(self, state: States, symbols: Symbols) -> tuple[States, Array]:
        """See `LanguageModel.advance`."""
        return self._automaton.advance(state, symbols)

    def select(self, state: States, rows: Rows) -> States:
        """See `LanguageModel.select`."""
        return state[rows]

    @property
    def tables(self) -> tuple[States, NDArray[np.float32]]:
        """(D, V) the context after each symbol in each context, and (D, V) the probabilities.

        They hold all C contexts if C V is at most `MAX_TABLE`, and else the first ones; see
        `Automaton`.
        """
        return self._automaton.following, self._automaton.p

    @cached_property
    def _automaton(self) -> Automaton:
        """What `advance` needs. It is built when the first symbol is read."""
        return Automaton(self.tree, self.discounts, self.vocab_size)


def estimate_discounts(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """(3,) estimates of D(1), D(2) and D(3 and more), from how many counts are 1, 2, 3 and 4.

    Chen and Goodman (1999), equation 26. Falls back to 0.5, 1 and 1.5 if one of these numbers is 0.
    """
    n1, n2, n3, n4 = (int(np.count_nonzero(counts == count)) for count in range(1, 5))
    if not (n1 and n2 and n3 and n4):
        return np.array([0.5, 1.0, 1.5])
    y = n1 / (n1 + 2 * n2)
    estimates = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    return np.clip(estimates, MIN_DISCOUNT, MAX_DISCOUNT)


def _min_occurrences(levels: "Sequence[Level]") -> int:
    """Return how often a context must occur to be kept, so that `MAX_GRAMS` n-grams remain."""
    if sum(len(level.symbol) for level in levels) <= MAX_GRAMS:
        return 1
    contexts = [level.occurrences[level.following >= 0] for level in levels[:-1]]  # (c,) each
    # The n-grams of a context are dropped with it, but not those of the empty one.
    occurrences = np.concatenate(
        [number[level.context] for number, level in zip(contexts, levels[1:], strict=True)]
    )  # (G,)
    limit = max(0, MAX_GRAMS - len(levels[0].symbol))
    return int(np.partition(occurrences, -limit - 1)[-limit - 1]) + 1


def _build_tree(
    levels: "Sequence[Level]", counts: Sequence[NDArray[np.integer]], vocab_size: int
) -> GramTree:
    """Build the tree of the counts, without the contexts that are too rare to keep."""
    min_occurrences = _min_occurrences(levels)
    dtypes = GramTree.dtypes(vocab_size)
    root = np.zeros(1, dtype=np.int32)
    parts: dict[str, list[NDArray[np.integer]]] = {
        "symbols": [root],
        "counts": [root],
        "children": [],
    }

    def add(name: str, part: NDArray[np.integer]) -> None:
        parts[name].append(part.astype(dtypes[name]))

    context = root  # the context number of each node of the level above; -1 if it is not a context
    kept = np.ones(1, dtype=np.bool_)  # (C,) the contexts of this level that are kept
    for depth, (level, count) in enumerate(zip(levels, counts, strict=True), start=1):
        branches = np.bincount(level.context, minlength=len(kept))  # (C,)
        add("children", np.where(context >= 0, branches[context], 0))
        in_kept = kept[level.context]  # (G,)
        add("symbols", level.symbol[in_kept])
        add("counts", count[in_kept])
        if depth < len(levels):
            is_context = (level.following >= 0) & (level.occurrences >= min_occurrences)  # (G,)
            kept = is_context[level.following >= 0]  # (C,) those of the next level
            context = np.where(is_context, level.following, -1)[in_kept]
    add("children", np.zeros(np.count_nonzero(in_kept), dtype=np.int32))
    return GramTree(
        **{name: np.concatenate(parts[name]).astype(dtype) for name, dtype in dtypes.items()}
    )
