"""Blocks: names that are drawn together. Names with the same beginning share the work for it."""

from collections.abc import Iterable, Iterator
from itertools import count, pairwise
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.data.known import KnownNames
from dinogen.data.sequences import END, Names
from dinogen.generation.decoding import Decoding, draw_symbols, entropy, reweight
from dinogen.generation.prefixes import PrefixTree, branch
from dinogen.generation.rules import NameRules
from dinogen.models.language_model import Array, LanguageModel, State, max_block_size

MAX_ROWS = 8_192
"""The maximum number of prefixes whose next symbol is predicted at once; fewer for more than 256
symbols. With fewer, threads would often wait for each other; with more, only memory grows."""


class Candidates(NamedTuple):
    """Names that were drawn together.

    Attributes:
        names: N names.
        excess: (N,) by how many nats the symbols of each name are less likely than the model
            expects: the sum of -log p(x) minus the entropy of p. Its expected value is 0 for names
            of any length. It is infinite for a name that was cut off.
    """

    names: Names
    excess: NDArray[np.float64]

    @classmethod
    def none(cls) -> "Candidates":
        """Return no names."""
        return cls(Names.split(np.empty(0, dtype=np.uint32)), np.empty(0))

    def best(self, share: float, known: KnownNames) -> NDArray[np.bool_]:
        """(N,) mask of a share of the names: those with the lowest excess.

        Args:
            share: which share of the complete names that are not known.
            known: the known names.
        """
        mask = np.isfinite(self.excess) & ~known.find(self.names)  # (N,)
        if share < 1:
            excess = np.where(mask, self.excess, np.inf)  # (N,)
            order = np.argsort(excess, kind="stable")  # (N,)
            mask[order[ceil(share * np.count_nonzero(mask)) :]] = False
        return mask


def draw_block(
    model: LanguageModel,
    random: np.random.Generator,
    size: int,
    decoding: Decoding,
    rules: NameRules,
    beginnings: "Beginnings | None" = None,
) -> Candidates:
    """Draw N names in parallel.

    Args:
        model: the model to sample.
        random: the random stream of the block.
        size: N.
        decoding: temperature and truncation.
        rules: the rules for names. A name that has not ended after `NameRules.max_length` symbols
            is cut off, and so is one that no symbol may follow.
        beginnings: with one of which each name begins; None if names begin as the model begins
            them.

    Returns:
        N names; none if there are beginnings, but none of them is possible.
    """
    if beginnings is None:
        beginnings = Beginnings(PrefixTree(model.vocab_size), (Rows.empty(),), np.ones(1))
    elif not beginnings.rows:
        return Candidates.none()
    block = _Block(model, size, decoding, rules, beginnings)
    max_rows = max_block_size(model.vocab_size, MAX_ROWS)
    parts = block.begin(random)
    while parts:
        parts += block.grow(parts.pop(), max_rows)
    return Candidates(block.tree.names(block.nodes), block.excess)


class Rows(NamedTuple):
    """D distinct prefixes, one row for each.

    Attributes:
        nodes: (D,) their nodes in the tree.
        state: the state of the model before their last symbols, of P shorter prefixes; None for
            the empty prefix.
        parents: (D,) the shorter prefix of each.
        symbols: (D,) the last symbol of each; -1 for the empty prefix.
        excess: (D,) the excess so far, see `Candidates`.
        lengths: (D,) the length of each.
    """

    nodes: NDArray[np.int32]
    state: State
    parents: NDArray[np.intp]
    symbols: NDArray[np.intp]
    excess: NDArray[np.float64]
    lengths: NDArray[np.int64]

    @classmethod
    def empty(cls) -> "Rows":
        """Return the row of the empty prefix."""
        zero = np.zeros(1, dtype=np.intp)
        no_symbol = zero - 1
        return cls(zero.astype(np.int32), None, zero, no_symbol, np.zeros(1), np.zeros(1, np.int64))

    def select(self, rows: slice | NDArray[np.bool_]) -> "Rows":
        """Return some of the rows."""
        return Rows(
            self.nodes[rows],
            self.state,
            self.parents[rows],
            self.symbols[rows],
            self.excess[rows],
            self.lengths[rows],
        )

    def excess_after(
        self, p: Array, parents: NDArray[np.intp], symbols: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """(B,) the excess of prefixes that are one symbol longer.

        Args:
            p: (D, V) the probabilities of the next symbol.
            parents: (B,) the row of each shorter prefix.
            symbols: (B,) the symbol that follows it.
        """
        after: NDArray[np.float64] = (self.excess - entropy(p))[parents]
        return after - np.log(p[parents, symbols])


def predict(model: LanguageModel, rows: Rows, rules: NameRules) -> tuple[State, Array]:
    """Return the state after D prefixes, and the (D, V) probabilities of the next symbol.

    The probabilities of the symbols that the rules forbid are 0.
    """
    if rows.symbols[0] < 0:
        state, p = model.begin(len(rows.nodes))
        rules.mask_first(p)
    else:
        state, p = model.advance(model.select(rows.state, rows.parents), rows.symbols)
        rules.mask_next(p, rows.symbols, rows.lengths)
    return state, p


class Beginnings(NamedTuple):
    """Prefixes with which names begin; a `Plan`.

    Attributes:
        tree: the prefixes.
        rows: those of each length. A prefix that ends with `END` is a whole name.
        cumulative: (K,) their probabilities, added up in this order, up to a factor.
    """

    tree: PrefixTree
    rows: tuple[Rows, ...]
    cumulative: NDArray[np.float64]

    @property
    def is_exact(self) -> bool:
        """See `Plan.is_exact`."""
        return True

    def draw(
        self,
        model: LanguageModel,
        random: np.random.Generator,
        size: int,
        decoding: Decoding,
        rules: NameRules,
    ) -> Candidates:
        """See `Plan.draw`."""
        return draw_block(model, random, size, decoding, rules, self)


class _Part(NamedTuple):
    """Unfinished names of a block. No other unfinished name shares a prefix with them.

    Attributes:
        names: (n,) their places in the block.
        row_of: (n,) the prefix of each.
        rows: the prefixes.
        written: the number of symbols that were drawn for each name.
        random: the random stream of the part.
    """

    names: NDArray[np.intp]
    row_of: NDArray[np.intp]
    rows: Rows
    written: int
    random: np.random.Generator

    def split(self, max_rows: int) -> Iterator["_Part"]:
        """Yield parts of about the same number of rows, with random streams of their own."""
        D = len(self.rows.nodes)
        parts = -(-D // max_rows)
        bounds = [D * part // parts for part in range(parts + 1)]
        for (first, end), random in zip(pairwise(bounds), _spawn(self.random, parts), strict=True):
            own = (self.row_of >= first) & (self.row_of < end)  # (n,)
            rows = self.rows.select(slice(first, end))
            yield _Part(self.names[own], self.row_of[own] - first, rows, self.written, random)


def _spawn(random: np.random.Generator, n: int) -> list[np.random.Generator]:
    """Open n random streams, which do not overlap."""
    keys = random.integers(0, 1 << 64, (n, 2), dtype=np.uint64)
    return [np.random.Generator(np.random.Philox(key=key)) for key in keys]


class _Block:
    """N names that are drawn together.

    Attributes:
        tree: their prefixes.
        nodes: (N,) the node of each finished name.
        excess: (N,) its excess.
    """

    def __init__(
        self,
        model: LanguageModel,
        size: int,
        decoding: Decoding,
        rules: NameRules,
        beginnings: Beginnings,
    ) -> None:
        self.tree = beginnings.tree.copy()
        self.nodes = np.zeros(size, dtype=np.int32)
        self.excess = np.zeros(size)
        self._model = model
        self._decoding = decoding
        self._rules = rules
        self._beginnings = beginnings

    def begin(self, random: np.random.Generator) -> list[_Part]:
        """Draw the beginning of each name; returns one part for those of each length."""
        size, (_, groups, cumulative) = len(self.nodes), self._beginnings
        if len(cumulative) == 1:  # nothing to draw
            names = np.arange(size)
            return [_Part(names, np.zeros_like(names), groups[0], 0, random)]
        chosen = np.searchsorted(cumulative, cumulative[-1] * random.random(size), side="right")
        parts, first = [], 0
        for rows, stream in zip(groups, _spawn(random, len(groups)), strict=True):
            end = first + len(rows.nodes)
            names = np.flatnonzero((chosen >= first) & (chosen < end))  # (n,)
            parts.append(_Part(names, chosen[names] - first, rows, 0, stream))
            first = end
        return parts

    def grow(self, part: _Part, max_rows: int) -> Iterable[_Part]:
        """Draw symbols until all names of a part are finished, or it has too many rows.

        Returns:
            The parts of the names that are not finished.
        """
        names, row_of, rows, random = part.names, part.row_of, part.rows, part.random
        size = len(names)
        place = np.arange(size)  # (n,) the place in the part
        for written in count(part.written):
            running = rows.symbols != END  # (D,)
            if not running.all():
                runs = running[row_of]  # (n,)
                ended = row_of[~runs]
                self.nodes[names[~runs]] = rows.nodes[ended]
                self.excess[names[~runs]] = rows.excess[ended]
                names, place, row_of = names[runs], place[runs], row_of[runs]
                rows, row_of = rows.select(running), (np.cumsum(running) - 1)[row_of]
            if not len(names):
                break
            if len(rows.nodes) > max_rows:
                return _Part(names, row_of, rows, written, random).split(max_rows)
            # Drawn for finished names too: the random numbers of a name do not depend on others.
            uniform = random.random(size, dtype=np.float32)[place]  # (n,)
            is_last = written == self._rules.max_symbols
            rows, row_of = self._extend(rows, row_of, uniform, is_last=is_last)
        return ()

    def _extend(
        self, rows: Rows, row_of: NDArray[np.intp], uniform: Array, *, is_last: bool
    ) -> tuple[Rows, NDArray[np.intp]]:
        """Draw the next symbol of n names.

        Args:
            rows: D prefixes.
            row_of: (n,) the prefix of each name.
            uniform: (n,) random numbers in [0, 1).
            is_last: whether to cut off the names that do not end now.

        Returns:
            The distinct longer prefixes, and the (n,) one of each name.
        """
        state, p = predict(self._model, rows, self._rules)  # (D, V)
        has_one_left = rows.lengths == self._rules.max_length - 1  # (D,)
        if has_one_left.any():
            self._rules.mask_last(p, has_one_left)
        weights = reweight(p, self._decoding)  # (V, D)
        symbols = draw_symbols(weights, uniform, row_of)  # (n,)
        is_stuck = weights[-1] == 0  # (D,) no symbol may follow
        if is_stuck.any():
            rows = rows._replace(excess=np.where(is_stuck, np.inf, rows.excess))
            symbols[is_stuck[row_of]] = END
            p[is_stuck] = 1
        parents, symbols, row_of = branch(row_of, symbols, p.shape)  # (B,), (B,), (n,)
        if self._decoding.keep < 1:
            excess = rows.excess_after(p, parents, symbols)  # (B,)
        else:
            excess = rows.excess[parents]
        lengths = self._rules.lengthen(rows.lengths[parents], symbols)  # (B,)
        is_long = lengths > self._rules.max_length  # (B,)
        if is_last or is_long.any():
            is_cut = (is_long | is_last) & (symbols != END)  # (B,)
            excess[is_cut] = np.inf
            symbols[is_cut] = END
        nodes = self.tree.add(rows.nodes[parents], symbols)
        return Rows(nodes, state, parents, symbols, excess, lengths), row_of
