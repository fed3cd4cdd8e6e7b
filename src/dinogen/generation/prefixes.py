"""Prefixes: names that are drawn together share the work for the beginnings they have in common."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.data.sequences import Names

Indices = NDArray[np.integer]

ROOT = 0
"""The node of the empty prefix."""


class PrefixTree:
    """The distinct prefixes of some names. A node is a prefix, and its parent has one symbol less.

    A name is the node that ends with `END`. It takes eight bytes per prefix to write down names
    that are drawn symbol by symbol, however often each of them is drawn.
    """

    def __init__(self, vocab_size: int) -> None:
        self._dtype = np.min_scalar_type(vocab_size)
        self._parents: list[NDArray[np.int32]] = [np.zeros(1, dtype=np.int32)]
        self._symbols: list[Indices] = [np.zeros(1, dtype=self._dtype)]
        self._size = 1

    def __len__(self) -> int:
        """The number of nodes."""
        return self._size

    def add(self, parents: Indices, symbols: Indices) -> NDArray[np.int32]:
        """Add (M,) nodes, each of a parent and one more symbol; returns their (M,) numbers."""
        first = self._size
        self._size += len(parents)
        self._parents.append(parents.astype(np.int32))
        self._symbols.append(symbols.astype(self._dtype))
        return np.arange(first, self._size, dtype=np.int32)

    def copy(self) -> "PrefixTree":
        """Return a tree of the same nodes, to which others can be added."""
        tree = PrefixTree(0)
        tree._dtype, tree._size = self._dtype, self._size
        tree._parents, tree._symbols = [*self._parents], [*self._symbols]
        return tree

    def names(self, nodes: Indices) -> Names:
        """Write down the names of (N,) nodes, each of which ends with `END`."""
        parents, symbols = np.concatenate(self._parents), np.concatenate(self._symbols)
        depths = self._depths()
        starts = np.zeros(len(nodes) + 1, dtype=np.int64)  # (N + 1,)
        np.cumsum(depths[nodes], out=starts[1:])
        written = np.empty(starts[-1], dtype=np.uint32)  # (S,)
        places = starts[1:] - 1  # (n,) the place of the last symbol that is not yet written
        while len(nodes):
            written[places] = symbols[nodes]
            nodes = parents[nodes]
            is_left = nodes != ROOT  # (n,)
            nodes, places = nodes[is_left], places[is_left] - 1
        return Names(written, starts)

    def _depths(self) -> NDArray[np.int32]:
        """(M,) the length of each prefix."""
        depths = np.zeros(self._size, dtype=np.int32)
        first = 1
        for parents in self._parents[1:]:
            depths[first : first + len(parents)] = depths[parents] + 1
            first += len(parents)
        return depths


class Branches(NamedTuple):
    """The distinct continuations of D prefixes by one symbol each.

    Attributes:
        parents: (B,) the prefix of each, in ascending order.
        symbols: (B,) its symbol.
        branch_of: (n,) the continuation of each name.
    """

    parents: NDArray[np.intp]
    symbols: NDArray[np.intp]
    branch_of: NDArray[np.intp]


def branch(rows: NDArray[np.intp], symbols: NDArray[np.intp], shape: tuple[int, int]) -> Branches:
    """Find the distinct continuations of the prefixes of n names.

    Args:
        rows: (n,) the prefix of each name, below D.
        symbols: (n,) its next symbol, below V.
        shape: (D, V).
    """
    D, V = shape
    keys = rows * V + symbols  # (n,)
    # A table of all pairs takes a fifth of the time of sorting those that occur.
    occurs = np.zeros(D * V, dtype=np.bool_)
    occurs[keys] = True
    found = np.flatnonzero(occurs)  # (B,)
    number = np.empty(D * V, dtype=np.intp)
    number[found] = np.arange(len(found))
    parents = found // V  # (B,)
    return Branches(parents, found - parents * V, number[keys])
