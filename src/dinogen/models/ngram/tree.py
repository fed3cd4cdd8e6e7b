"""The counts of an n-gram model, as a tree in flat arrays."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_CHUNK = 1 << 16
"""The number of nodes processed together. It bounds the memory for intermediate results."""


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
