"""The automaton of an n-gram tree: dense rows for short contexts, sparse ones for the others."""

import numpy as np
from numpy.typing import NDArray

from dinogen.models.language_model import MIN_PROBABILITY, Array, Symbols
from dinogen.models.ngram.tree import GramTree

MAX_TABLE = 1 << 24
"""The maximum number of entries of each table if all contexts have dense rows: 128 MiB for both."""

DENSE_TABLE = 1 << 20
"""The maximum number of entries of each table if not all contexts have dense rows. It is smaller,
since a large table takes more time to build than it saves for some thousand symbols."""

_MAX_GATHER = 1 << 22
"""The maximum number of sparse entries that are summed together for more than one sequence."""

States = NDArray[np.int32]


def dense_rows(contexts: int, vocab_size: int) -> int:
    """Return how many of C contexts over V symbols have dense rows; at least 1."""
    if contexts * vocab_size <= MAX_TABLE:
        return contexts
    return max(1, min(contexts, DENSE_TABLE // vocab_size))


class Automaton:
    """The C contexts of a tree as states, numbered in level order, so that the shortest come first.

    The first D contexts have dense rows. Every other context has a sparse row: the symbols seen
    after it, with their discounted shares, and a backoff factor for the row of its link, which is
    the context without its first symbol. Links lead to a dense row in the end. This is the backoff
    automaton of Allauzen, Mohri and Roark (2003), with interpolated probabilities.

    Attributes:
        following: (D, V) the context after each symbol.
        p: (D, V) the probability of each symbol.
    """

    following: States
    p: NDArray[np.float32]

    def __init__(self, tree: GramTree, discounts: NDArray[np.floating], vocab_size: int) -> None:
        """Build the automaton.

        Args:
            tree: a sound tree over V symbols.
            discounts: (n, 3) D(1), D(2) and D(3 and more), by the length of the context.
            vocab_size: V.
        """
        V = vocab_size
        state = np.cumsum(tree.children > 0, dtype=np.int32) - 1  # (N,) of nodes with children
        C = int(state[-1]) + 1
        D = dense_rows(C, V)
        self._vocab_size, self._dense, self._symbols = V, D, tree.symbols
        self.following = np.empty((D, V), dtype=np.int32)
        self.p = np.empty((D, V), dtype=np.float32)
        self.following[0], self.p[0] = 0, 1 / V
        self._links = np.zeros(C, dtype=np.int32)  # (C,)
        self._max_links = 0
        if D < C:
            widths = tree.children[tree.children > 0].astype(np.int32)  # (C,)
            self._first_child = np.cumsum(widths, dtype=np.int32) - widths + 1  # (C,) a node
            widths[:D] = 0
            self._widths = widths  # (C,) the number of symbols in each sparse row
            self._shares = np.zeros(len(tree.symbols), dtype=np.float32)  # (N,)
            self._backoff = np.ones(C, dtype=np.float32)  # (C,)
            # Context c + 1 follows the context keys[c] // V after the symbol keys[c] % V. The last
            # key is above all others.
            self._keys = np.full(C, np.iinfo(np.int64).max)  # (C,)
        sparse_depths = set()
        for length, nodes, below in tree.levels():
            contexts = nodes[tree.children[nodes] > 0]  # (c,)
            first = int(state[contexts[0]])
            parent = np.repeat(np.arange(len(contexts)), tree.children[contexts])  # (b,)
            symbol, count = tree.symbols[below], tree.counts[below]  # (b,), (b,)
            discount = discounts[length][np.minimum(count, 3) - 1]  # (b,)
            total = np.bincount(parent, weights=count)  # (c,)
            backoff = np.bincount(parent, weights=discount) / total  # (c,)
            share = (count - discount) / total[parent]  # (b,)
            dense = min(max(D - first, 0), len(contexts))
            if dense:
                here, low = slice(first, first + dense), slice(np.searchsorted(parent, dense))
                if length:
                    # With mode="raise", NumPy would write to a buffer first.
                    links = self._links[here]
                    self.p.take(links, axis=0, out=self.p[here], mode="clip")
                    self.following.take(links, axis=0, out=self.following[here], mode="clip")
                self.p[here] *= backoff[:dense].astype(np.float32)[:, np.newaxis]
                self.p[first + parent[low], symbol[low]] += share[low]
            if dense < len(contexts):
                sparse_depths.add(length)
                self._shares[below] = share
                self._backoff[first + dense : first + len(contexts)] = backoff[dense:]
            deeper = tree.children[below] > 0  # (b,)
            parent, symbol, child = first + parent[deeper], symbol[deeper], state[below[deeper]]
            if length:
                self._links[child] = self._next(self._links[parent], symbol)
            if D < C:
                self._keys[child - 1] = parent * V + symbol
            if dense:
                low = slice(np.searchsorted(parent, D))
                self.following[parent[low], symbol[low]] = child[low]
        np.maximum(self.p, MIN_PROBABILITY, out=self.p)
        if D < C:
            self._links[:D] = np.arange(D)
            self._max_links = len(sparse_depths)

    def advance(self, state: States, symbols: Symbols) -> tuple[States, Array]:
        """Read a symbol in each of N contexts; see `LanguageModel.advance`."""
        if not self._max_links:
            state = self.following[state, symbols]  # (N,)
            return state, self.p.take(state, axis=0)  # (N,), (N, V)
        if len(state) == 1:
            return self._advance_one(int(state[0]), int(symbols[0]))
        state = self._next(state, symbols)  # (N,)
        if not len(state) or state.max() < self._dense:
            return state, self.p.take(state, axis=0)  # (N,), (N, V)
        return state, self._probabilities(state)  # (N,), (N, V)

    def _advance_one(self, context: int, symbol: int) -> tuple[States, Array]:
        """Do `advance` for one context. Row by row, that takes a third of the time."""
        following = 0  # the root follows no symbol, so 0 means not found
        while context >= self._dense and not following:
            key = np.int64(context * self._vocab_size + symbol)
            place = int(self._keys.searchsorted(key))
            if self._keys[place] == key:
                following = place + 1
            context = int(self._links[context])
        state = following or int(self.following[context, symbol])
        row, sparse = state, []
        while row >= self._dense:
            sparse.append(row)
            row = int(self._links[row])
        p = self.p[row].copy()  # (V,)
        for row in reversed(sparse):
            first = int(self._first_child[row])
            children = slice(first, first + int(self._widths[row]))
            p *= self._backoff[row]
            p[self._symbols[children]] += self._shares[children]
        np.maximum(p, MIN_PROBABILITY, out=p)
        return np.array([state], dtype=np.int32), p[np.newaxis]  # (1,), (1, V)

    def _next(self, state: States, symbols: Symbols) -> States:
        """(N,) the context after a symbol in each of N contexts."""
        rows = np.flatnonzero(state >= self._dense)  # (n,) those in sparse contexts
        if not len(rows):
            return self.following[state, symbols]
        base = state.copy()  # (N,)
        # The root follows no symbol, so 0 means not found.
        found = np.zeros_like(state)  # (N,)
        while len(rows):
            sparse = base[rows]  # (n,)
            key = sparse.astype(np.int64)  # (n,)
            key *= self._vocab_size
            key += symbols[rows]
            place = self._keys.searchsorted(key)  # (n,)
            is_key = self._keys[place] == key  # (n,)
            found[rows] = (place + 1) * is_key
            sparse = self._links[sparse] * ~is_key
            base[rows] = sparse
            rows = rows[sparse >= self._dense]
        found += self.following[base, symbols] * (found == 0)
        return found

    def _probabilities(self, state: States) -> Array:
        """(N, V) the probabilities after N contexts, of which some have sparse rows."""
        N, V, K = len(state), self._vocab_size, self._max_links
        chain = np.empty((K, N), dtype=np.int32)
        for k in range(K):
            chain[k] = state
            state = self._links[state]
        widths = self._widths[chain].ravel()  # (K N,)
        ends = np.cumsum(widths)  # (K N,)
        if ends[-1] > _MAX_GATHER and N > 1:
            halves = chain[0, : N // 2], chain[0, N // 2 :]
            return np.concatenate([self._probabilities(half) for half in halves])
        scale = np.ones((K + 1, N), dtype=np.float32)  # (K + 1, N) the factor of each row
        np.cumprod(self._backoff[chain], axis=0, out=scale[1:])
        # The sparse entries of all rows of the chains: b in total.
        node = np.arange(ends[-1])  # (b,)
        node += np.repeat(self._first_child[chain].ravel() - (ends - widths), widths)
        share = self._shares[node] * np.repeat(scale[:-1].ravel(), widths)  # (b,)
        column = np.arange(K * N) % N * V  # (K N,)
        place = np.repeat(column, widths) + self._symbols[node]  # (b,)
        p = self.p.take(state, axis=0)  # (N, V)
        p *= scale[-1][:, np.newaxis]
        p += np.bincount(place, share, N * V).reshape(N, V)
        return np.maximum(p, MIN_PROBABILITY, out=p)
