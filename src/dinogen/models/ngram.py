"""Interpolated Kneser-Ney n-grams, as an automaton in flat arrays."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.models.language_model import LEAST, Rows

if TYPE_CHECKING:
    from dinogen.models.grams import Level

LARGEST_TABLE = 1 << 25
"""Numbers in a table of contexts by symbols: 128 MiB in float32."""

_PIECE = 1 << 16
"""Nodes to look at together, so that no more is needed for what is worked out of them."""

LEAST_DISCOUNT = 0.1
MOST_DISCOUNT = (1.0, 2.0, 3.0)
"""Between them something is always left for what was not seen, and nothing counts below 0."""

Symbols = NDArray[np.integer]
States = NDArray[np.int32]


class GramTree(NamedTuple):
    """The counts that an n-gram model is made of, as a tree in level order.

    A node stands for the run of symbols on the way to it from the root, which comes first and
    stands for the empty one. Nodes with children are contexts; their children are the symbols that
    were seen after them.

    Attributes:
        symbols: (N,) the last symbol of each node; of the root, 0.
        counts: (N,) how much each node counts as what follows its parent; of the root, 0.
        children: (N,) how many children each has.
    """

    symbols: NDArray[np.unsignedinteger]
    counts: NDArray[np.uint32]
    children: NDArray[np.unsignedinteger]

    @staticmethod
    def kinds(symbols: int) -> dict[str, type[np.unsignedinteger]]:
        """Give the type of each array, for V symbols: a node has at most V children."""
        small = np.min_scalar_type(symbols).type
        return {"symbols": small, "counts": np.uint32, "children": small}

    @property
    def contexts(self) -> int:
        """C: the nodes with children."""
        return int(np.count_nonzero(self.children))

    def levels(self) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
        """Yield a depth, some nodes of it, and the nodes below them, from the root on."""
        depth, start, end = 0, 0, 1
        while start < end:
            below = end
            for first in range(start, end, _PIECE):
                last = min(first + _PIECE, end)
                born = int(self.children[first:last].sum(dtype=np.int64))
                if born:
                    yield depth, np.arange(first, last), np.arange(below, below + born)
                below += born
            depth, start, end = depth + 1, end, below

    def is_sound(self, order: int, symbols: int) -> bool:
        """Tell whether this is a tree of n-grams over V symbols, of at most the order n."""
        nodes = len(self.symbols)
        last_child = np.cumsum(self.children, dtype=np.int64)  # (N,) of each node or those before
        born_later = (last_child[:-1] > np.arange(nodes - 1)).all()
        if not (self.children[0] and born_later and last_child[-1] == nodes - 1):
            return False
        parent = np.repeat(np.arange(nodes, dtype=np.int32), self.children)  # (N - 1,)
        siblings = parent[1:] == parent[:-1]  # (N - 2,)
        ordered = self.symbols[2:] > self.symbols[1:-1]  # (N - 2,)
        return bool(
            (ordered | ~siblings).all()
            and (self.symbols < symbols).all()
            and (self.counts[1:] > 0).all()
            and all(depth < order for depth, *_ in self.levels())
        )


class NGram:
    """Kneser-Ney n-grams over symbols; a `LanguageModel` whose states are (N,) contexts.

    Interpolated modified Kneser-Ney (Chen and Goodman 1999, equations 20 to 26): with a(hw) what w
    counts after the context h, and h' the context h less its first symbol,

        p(w | h) = (a(hw) - D(a(hw))) / sum_v a(hv) + sum_v D(a(hv)) / sum_v a(hv) p(w | h')

    where in the longest contexts, and in those that begin a name, a(hw) is how often hw occurs, and
    in all others how many different symbols come before it. Below the empty context is 1 / V. A
    context that never occurred counts as the longest end of it that did.

    Attributes:
        tree: the counts.
        discounts: (n, 3) D(1), D(2) and D(3 and more), by the length of the context.
        symbols: V, the end included.
    """

    def __init__(self, tree: GramTree, discounts: NDArray[np.floating], symbols: int) -> None:
        self.tree = tree
        self.discounts = discounts
        self.symbols = symbols

    @classmethod
    def of(cls, levels: "Sequence[Level]", symbols: int) -> "NGram":
        """Build the model of an order n from the counts of n levels.

        Where its tables would be larger than `LARGEST_TABLE`, contexts that occur seldom are left
        out, as few as it takes.
        """
        *shorter, longest = levels
        counts = [*(level.kinds for level in shorter), longest.times]
        discounts = np.array([estimate_discounts(count) for count in counts])  # (n, 3)
        return cls(_plant(levels, counts, symbols), discounts, symbols)

    @property
    def order(self) -> int:
        """The length n of the longest n-grams."""
        return len(self.discounts)

    def start(self, n: int) -> States:
        """(n,) empty contexts."""
        return np.zeros(n, dtype=np.int32)

    def advance(self, state: States, symbols: Symbols) -> tuple[States, NDArray[np.floating]]:
        """See `LanguageModel.advance`: two look-ups."""
        following, p = self.tables
        state = following[state, symbols]  # (N,)
        return state, p.take(state, axis=0)  # (N,), (N, V)

    def select(self, state: States, rows: Rows) -> States:
        """See `LanguageModel.select`."""
        return state[rows]

    @cached_property
    def tables(self) -> tuple[States, NDArray[np.float32]]:
        """(C, V) the context after each symbol in each context; (C, V) the probabilities there."""
        tree, V = self.tree, self.symbols
        state = np.cumsum(tree.children > 0) - 1  # (N,) of the nodes with children
        C = int(state[-1]) + 1
        following = np.empty((C, V), dtype=np.int32)
        p = np.empty((C, V), dtype=np.float32)
        shorter = np.zeros(C, dtype=np.int64)  # (C,) the context less its first symbol
        following[0], p[0] = 0, 1 / V
        for length, nodes, below in tree.levels():
            contexts = nodes[tree.children[nodes] > 0]  # (c,)
            first = int(state[contexts[0]])
            here = slice(first, first + len(contexts))
            if length:
                # Clipping is how NumPy is told not to look for indices out of bounds first.
                p.take(shorter[here], axis=0, out=p[here], mode="clip")
                following.take(shorter[here], axis=0, out=following[here], mode="clip")
            parent = np.repeat(np.arange(len(contexts)), tree.children[contexts])  # (b,)
            symbol, count = tree.symbols[below], tree.counts[below]  # (b,), (b,)
            discount = self.discounts[length][np.minimum(count, 3) - 1]  # (b,)
            total = np.bincount(parent, weights=count)  # (c,)
            left = np.bincount(parent, weights=discount) / total  # (c,)
            p[here] *= left.astype(p.dtype)[:, np.newaxis]
            p[first + parent, symbol] += (count - discount) / total[parent]
            deeper = tree.children[below] > 0  # (b,)
            parent, symbol, child = first + parent[deeper], symbol[deeper], state[below[deeper]]
            if length:
                shorter[child] = following[shorter[parent], symbol]
            following[parent, symbol] = child
        return following, np.maximum(p, LEAST, out=p)


def estimate_discounts(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """(3,) estimates of D(1), D(2) and D(3 and more), by how many n-grams count 1, 2, 3 and 4.

    Chen and Goodman (1999), equation 26. Where too few counts tell, half of what is counted.
    """
    n1, n2, n3, n4 = (int(np.count_nonzero(counts == count)) for count in range(1, 5))
    if not (n1 and n2 and n3 and n4):
        return np.array([0.5, 1.0, 1.5])
    y = n1 / (n1 + 2 * n2)
    estimates = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    return np.clip(estimates, LEAST_DISCOUNT, MOST_DISCOUNT)


def _least_times(levels: "Sequence[Level]", symbols: int) -> int:
    """Find how often a context must have occurred, for the tables not to be too large."""
    most = LARGEST_TABLE // symbols
    times = np.concatenate(
        [np.ones(1), *(level.times[level.following >= 0] for level in levels[:-1])]
    )  # (C,)
    return 1 if len(times) <= most else int(np.partition(times, -most)[-most]) + 1


def _plant(
    levels: "Sequence[Level]", counts: Sequence[NDArray[np.integer]], symbols: int
) -> GramTree:
    """Lay out the counts as a tree, of the contexts that occurred often enough."""
    least_times = _least_times(levels, symbols)
    root = np.zeros(1, dtype=np.int64)
    parts: dict[str, list[NDArray[np.integer]]] = {
        "symbols": [root],
        "counts": [root],
        "children": [],
    }
    context = root  # of each node of the level above, -1 where it is none
    kept = np.ones(1, dtype=np.bool_)  # (C,) the contexts of this level that stay
    for level, counted in zip(levels, counts, strict=True):
        branches = np.bincount(level.context, minlength=len(kept))  # (C,)
        parts["children"].append(np.where(context >= 0, branches[context], 0))
        stays = kept[level.context]  # (G,)
        parts["symbols"].append(level.symbol[stays])
        parts["counts"].append(counted[stays])
        leads = (level.following >= 0) & (level.times >= least_times)  # (G,)
        kept = leads[level.following >= 0]  # (C,) of the next level
        context = np.where(leads, level.following, -1)[stays]
    parts["children"].append(np.zeros(len(context), dtype=np.int64))
    return GramTree(
        **{
            name: np.concatenate(parts[name]).astype(kind)
            for name, kind in GramTree.kinds(symbols).items()
        }
    )
