"""Interpolated Kneser-Ney n-grams, as an automaton in flat arrays."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.data.sequences import END
from dinogen.models.language_model import MIN_PROBABILITY, Array, Rows, Symbols

if TYPE_CHECKING:
    from dinogen.models.ngram.counts import Level

MAX_TABLE = 1 << 25
"""The maximum number of entries of a (C, V) table: 128 MiB in float32."""

_CHUNK = 1 << 16
"""The number of nodes processed together. It bounds the memory for intermediate results."""

MIN_DISCOUNT = 0.1
MAX_DISCOUNT = (1.0, 2.0, 3.0)
"""Within these bounds, unseen symbols keep some probability and no discounted count is negative."""

States = NDArray[np.int32]


class GramTree(NamedTuple):
    """The counts of an n-gram model, as a tree in level order (breadth first).

    The path from the root to a node spells the symbols of an n-gram; the root is the empty one. A
    node with children is a context, and its children are the symbols seen after it.

    Attributes:
        symbols: (N,) the last symbol of each node; 0 for the root.
        counts: (N,) a(hw) of the n-gram hw of each node, see `NGram`; 0 for the root.
        children: (N,) the number of children of each node.
    """

    symbols: NDArray[np.unsignedinteger]
    counts: NDArray[np.uint32]
    children: NDArray[np.unsignedinteger]

    @staticmethod
    def dtypes(vocab_size: int) -> dict[str, type[np.unsignedinteger]]:
        """Return the dtype of each array for V symbols; a node has at most V children."""
        small = np.min_scalar_type(vocab_size).type
        return {"symbols": small, "counts": np.uint32, "children": small}

    @property
    def contexts(self) -> int:
        """C, the number of nodes with children."""
        return int(np.count_nonzero(self.children))

    def levels(self) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
        """Yield (depth, some nodes of that depth, their children), from the root down."""
        depth, start, end = 0, 0, 1
        while start < end:
            below = end
            for first in range(start, end, _CHUNK):
                last = min(first + _CHUNK, end)
                children = int(self.children[first:last].sum(dtype=np.int64))
                if children:
                    yield depth, np.arange(first, last), np.arange(below, below + children)
                below += children
            depth, start, end = depth + 1, end, below

    def is_sound(self, order: int, vocab_size: int) -> bool:
        """Return whether the arrays are a tree of n-grams over V symbols up to an order."""
        nodes = len(self.symbols)
        # The last child of the nodes up to each node.
        last_child = np.cumsum(self.children, dtype=np.int64)  # (N,)
        after_parent = (last_child[:-1] > np.arange(nodes - 1)).all()
        if not (self.children[0] and after_parent and last_child[-1] == nodes - 1):
            return False
        parent = np.repeat(np.arange(nodes, dtype=np.int32), self.children)  # (N - 1,)
        siblings = parent[1:] == parent[:-1]  # (N - 2,)
        ordered = self.symbols[2:] > self.symbols[1:-1]  # (N - 2,)
        return bool(
            (ordered | ~siblings).all()
            and (self.symbols < vocab_size).all()
            and (self.counts[1:] > 0).all()
            and all(depth < order for depth, *_ in self.levels())
        )


class NGram:
    """Kneser-Ney n-grams over symbols; a `LanguageModel` whose state is (N,) context indices.

    Interpolated modified Kneser-Ney (Chen and Goodman 1999, equations 20 to 26). With a(hw) the
    count of the symbol w after the context h, and h' the context without its first symbol,

        p(w | h) = (a(hw) - D(a(hw))) / sum_v a(hv) + sum_v D(a(hv)) / sum_v a(hv) p(w | h')

    In the longest contexts, and in those at the beginning of a name, a(hw) is the number of
    occurrences of hw. In all other contexts it is the number of distinct symbols before hw. The
    empty context backs off to 1 / V. An unseen context is replaced by its longest seen suffix.

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

        If its tables would exceed `MAX_TABLE`, the rarest contexts are dropped. Contexts that occur
        equally often are kept or dropped together.
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
        """See `LanguageModel.advance`: two table look-ups."""
        following, p = self.tables
        state = following[state, symbols]  # (N,)
        return state, p.take(state, axis=0)  # (N,), (N, V)

    def select(self, state: States, rows: Rows) -> States:
        """See `LanguageModel.select`."""
        return state[rows]

    @cached_property
    def tables(self) -> tuple[States, NDArray[np.float32]]:
        """(C, V) the context after each symbol in each context, and (C, V) the probabilities."""
        tree, V = self.tree, self.vocab_size
        state = np.cumsum(tree.children > 0) - 1  # (N,) context numbers of nodes with children
        C = int(state[-1]) + 1
        following = np.empty((C, V), dtype=np.int32)
        p = np.empty((C, V), dtype=np.float32)
        shorter = np.zeros(C, dtype=np.int64)  # (C,) the context without its first symbol
        following[0], p[0] = 0, 1 / V
        for length, nodes, below in tree.levels():
            contexts = nodes[tree.children[nodes] > 0]  # (c,)
            first = int(state[contexts[0]])
            here = slice(first, first + len(contexts))
            if length:
                # With mode="raise", NumPy would write to a buffer first.
                p.take(shorter[here], axis=0, out=p[here], mode="clip")
                following.take(shorter[here], axis=0, out=following[here], mode="clip")
            parent = np.repeat(np.arange(len(contexts)), tree.children[contexts])  # (b,)
            symbol, count = tree.symbols[below], tree.counts[below]  # (b,), (b,)
            discount = self.discounts[length][np.minimum(count, 3) - 1]  # (b,)
            total = np.bincount(parent, weights=count)  # (c,)
            backoff = np.bincount(parent, weights=discount) / total  # (c,)
            p[here] *= backoff.astype(p.dtype)[:, np.newaxis]
            p[first + parent, symbol] += (count - discount) / total[parent]
            deeper = tree.children[below] > 0  # (b,)
            parent, symbol, child = first + parent[deeper], symbol[deeper], state[below[deeper]]
            if length:
                shorter[child] = following[shorter[parent], symbol]
            following[parent, symbol] = child
        return following, np.maximum(p, MIN_PROBABILITY, out=p)


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


def _min_occurrences(levels: "Sequence[Level]", vocab_size: int) -> int:
    """Return how often a context must occur to be kept, so that the tables fit `MAX_TABLE`."""
    limit = MAX_TABLE // vocab_size
    occurrences = np.concatenate(
        [np.ones(1), *(level.occurrences[level.following >= 0] for level in levels[:-1])]
    )  # (C,)
    if len(occurrences) <= limit:
        return 1
    return int(np.partition(occurrences, -limit)[-limit]) + 1


def _build_tree(
    levels: "Sequence[Level]", counts: Sequence[NDArray[np.integer]], vocab_size: int
) -> GramTree:
    """Build the tree of the counts, without the contexts that are too rare to keep."""
    min_occurrences = _min_occurrences(levels, vocab_size)
    root = np.zeros(1, dtype=np.int64)
    parts: dict[str, list[NDArray[np.integer]]] = {
        "symbols": [root],
        "counts": [root],
        "children": [],
    }
    context = root  # the context number of each node of the level above; -1 if it is not a context
    kept = np.ones(1, dtype=np.bool_)  # (C,) the contexts of this level that are kept
    for level, count in zip(levels, counts, strict=True):
        branches = np.bincount(level.context, minlength=len(kept))  # (C,)
        parts["children"].append(np.where(context >= 0, branches[context], 0))
        in_kept = kept[level.context]  # (G,)
        parts["symbols"].append(level.symbol[in_kept])
        parts["counts"].append(count[in_kept])
        is_context = (level.following >= 0) & (level.occurrences >= min_occurrences)  # (G,)
        kept = is_context[level.following >= 0]  # (C,) the contexts of the next level that are kept
        context = np.where(is_context, level.following, -1)[in_kept]
    parts["children"].append(np.zeros(len(context), dtype=np.int64))
    return GramTree(
        **{
            name: np.concatenate(parts[name]).astype(dtype)
            for name, dtype in GramTree.dtypes(vocab_size).items()
        }
    )
