"""Decoding: temperature, truncation, and the loop over a block of names."""

from itertools import pairwise
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.data.known import KnownNames
from dinogen.data.sequences import END, Names
from dinogen.generation.rules import NameRules
from dinogen.models.language_model import MIN_PROBABILITY, Array, LanguageModel


class Decoding(NamedTuple):
    """How names are drawn from a model. The defaults give the model's own distribution.

    Attributes:
        temperature: divides the log probabilities.
        top_k: only the k likeliest symbols may come next; None for all.
        top_p: only the likeliest symbols that together have this probability may come next; None
            for all (Holtzman et al. 2020).
        min_p: only symbols that are at least this many times as likely as the likeliest one may
            come next; None for all.
        keep: the share of the new candidates that are kept: those with the lowest excess, see
            `Candidates`.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    keep: float = 1.0

    @property
    def truncates(self) -> bool:
        """Whether unlikely symbols get probability 0."""
        return (self.top_k, self.top_p, self.min_p) != (None, None, None)

    def without_truncation(self) -> "Decoding":
        """Return the decoding at the same temperature without any truncation."""
        return Decoding(self.temperature)


def reweight(p: Array, decoding: Decoding) -> Array:
    """Apply temperature, then top-k, then top-p, then min-p.

    Symbols as likely as the least likely one that is kept are kept, too.

    Args:
        p: (N, V) probabilities, up to a factor per row; 0 for forbidden symbols.
        decoding: how names are drawn.

    Returns:
        (V, N) weights, up to a factor per column: one column per name, because NumPy sums along
        axis 0 faster.
    """
    temperature, top_k, top_p, min_p, _ = decoding
    weights = np.array(p.T, order="C")  # (V, N)
    if temperature != 1.0:
        # With a maximum of 1, a low temperature cannot turn all weights into 0.
        weights /= np.maximum(weights.max(axis=0), MIN_PROBABILITY)
        np.power(weights, 1 / temperature, out=weights)
    if top_k is not None and top_k < len(weights):
        smallest = np.partition(weights, -top_k, axis=0)[-top_k]  # (N,)
        weights[weights < smallest] = 0
    if top_p is not None and top_p < 1:
        descending = np.sort(weights, axis=0)[::-1]  # (V, N)
        before = np.cumsum(descending, axis=0) - descending  # (V, N)
        kept = (before < top_p * descending.sum(axis=0)).sum(axis=0)  # (N,)
        weights[weights < descending[kept - 1, np.arange(len(kept))]] = 0
    if min_p is not None:
        weights[weights < weights.max(axis=0) * weights.dtype.type(min_p)] = 0
    return weights


_FEW = 64
"""Up to this number of columns, adding up all rows in one call is faster than row by row."""


def draw_symbols(weights: Array, uniform: Array) -> NDArray[np.intp]:
    """Draw one symbol per column, by inversion of the cumulative weights.

    Args:
        weights: (V, N). Overwritten.
        uniform: (N,) numbers in [0, 1), of the same dtype.

    Returns:
        (N,) indices, never of a symbol of weight 0; V where no weight is above 0.
    """
    if weights.shape[1] <= _FEW:
        np.add.accumulate(weights, axis=0, out=weights)
        # The symbol drawn is the first one whose cumulative weight exceeds the target.
        exceeds = weights > uniform * weights[-1]  # (V, N)
        first: NDArray[np.intp] = exceeds.argmax(axis=0)  # (N,)
        return np.where(exceeds[-1], first, len(weights))
    # Adding row by row takes half the time of cumsum.
    for below, row in pairwise(weights):
        row += below
    # The symbol drawn is the first one whose cumulative weight exceeds the target.
    passed = weights <= uniform * weights[-1]  # (V, N)
    # Counting is fastest in the smallest dtype.
    dtype = np.min_scalar_type(len(weights))
    index: NDArray[np.intp] = passed.view(np.uint8).sum(axis=0, dtype=dtype).astype(np.intp)
    return index


def entropy(p: Array) -> Array:
    """(N,) entropies in nats of (N, V) probabilities, up to log Z if a row sums to Z."""
    logarithms = np.log(np.maximum(p, MIN_PROBABILITY))  # (N, V)
    result: Array = -np.einsum("nv,nv->n", p, logarithms) / p.sum(axis=1)
    return result


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
) -> Candidates:
    """Draw N names in parallel.

    Args:
        model: the model to sample.
        random: the random stream of the block.
        size: N.
        decoding: temperature and truncation.
        rules: the rules for names. A name that has not ended after `NameRules.max_length` symbols
            is cut off, and so is one that no symbol may follow.
    """
    excess = np.zeros(size)  # (N,)
    rows = np.arange(size)  # (n,) the unfinished names
    lengths = np.zeros(size, dtype=np.int64)  # (n,) their lengths so far
    state, p = model.begin(size)  # (n, V)
    rules.mask_first(p)
    drawn: list[tuple[NDArray[np.intp], NDArray[np.intp]]] = []  # (rows, symbols) of each step
    for written in range(rules.max_symbols + 1):  # symbols so far
        is_last = lengths == rules.max_length - 1  # (n,)
        if is_last.any():
            rules.mask_last(p, is_last)
        # Drawn for finished names too: the random numbers of a name do not depend on other names.
        uniform = random.random(size, dtype=np.float32)[rows]  # (n,)
        symbols = draw_symbols(reweight(p, decoding), uniform)  # (n,)
        is_stuck = symbols == p.shape[1]  # (n,) no symbol may follow
        if is_stuck.any():
            excess[rows[is_stuck]] = np.inf
            symbols[is_stuck] = END
            p[is_stuck] = 1
        if decoding.keep < 1:
            excess[rows] -= np.log(p[np.arange(len(rows)), symbols]) + entropy(p)
        lengths = rules.lengthen(lengths, symbols)  # (n,)
        is_long = (lengths > rules.max_length) | (written == rules.max_symbols)  # (n,)
        if is_long.any():
            excess[rows[is_long & (symbols != END)]] = np.inf
            symbols[is_long] = END
        drawn.append((rows, symbols))
        running = symbols != END  # (n,)
        if not running.all():
            rows, symbols, lengths = rows[running], symbols[running], lengths[running]
            state = model.select(state, running)
        if not len(rows):
            break
        state, p = model.advance(state, symbols)  # (n, V)
        rules.mask_next(p, symbols, lengths)
    order = np.argsort(np.concatenate([rows for rows, _ in drawn]), kind="stable")  # (S,)
    flat = np.concatenate([symbols for _, symbols in drawn])[order]  # (S,)
    return Candidates(Names.split(flat.astype(np.uint32)), excess)
