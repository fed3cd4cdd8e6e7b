"""Scoring sequences with the n-grams of several orders, from the counts."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from dinogen.data.sequences import END, Sequences
from dinogen.models.language_model import MIN_PROBABILITY
from dinogen.models.ngram.counts import Level
from dinogen.models.ngram.kneser_ney import estimate_discounts

Likelihoods = NDArray[np.float64]


def likelihoods_by_order(
    levels: Sequence[Level], vocab_size: int, orders: Collection[int], sequences: Sequences
) -> dict[int, Likelihoods]:
    """Score sequences with the n-grams of several orders, without building them.

    For each length, all symbols are looked up together. The probability of order n interpolates the
    occurrences of n-grams with the continuations of shorter ones, as `NGram` does without dropped
    contexts.

    Args:
        levels: the counts of the training sequences; at least one level.
        vocab_size: V, the end included.
        orders: at least 1 each. Orders beyond the last level are those of the last level.
        sequences: N sequences of S symbols in total, without unknown symbols.

    Returns:
        The (S,) probability of each symbol, for each order, in the given order.
    """
    begins = sequences.starts[:-1] + np.arange(len(sequences))  # (N,)
    M = len(sequences.symbols) + len(sequences)
    is_symbol = np.ones(M, dtype=np.bool_)
    is_symbol[begins] = False
    symbols = np.full(M, END, dtype=np.int64)
    symbols[is_symbol] = sequences.symbols
    context = np.zeros(M, dtype=np.int64)  # (M,) the context before each symbol; -1 if unseen
    lower = np.full(M, 1 / vocab_size)  # (M,) the probability after the shorter context
    found: dict[int, Likelihoods] = {}
    for length, level in enumerate(levels, start=1):
        gram = _find(level, vocab_size, context, symbols)  # (M,)
        if any(min(order, len(levels)) == length for order in orders):
            p = _interpolate(level, level.occurrences, context, gram, lower)  # (M,)
            found[length] = np.maximum(p, MIN_PROBABILITY)[is_symbol]  # (S,)
        if length < len(levels):
            lower = _interpolate(level, level.continuations, context, gram, lower)
            context[1:] = np.where(gram >= 0, level.following[gram], -1)[:-1]
            # Nothing precedes the END before a sequence.
            context[begins] = -1
    return {order: found[min(order, len(levels))] for order in orders}


def _find(
    level: Level, vocab_size: int, context: NDArray[np.int64], symbols: NDArray[np.int64]
) -> NDArray[np.int64]:
    """(M,) the n-gram of each context and symbol; -1 if unseen."""
    keys = level.context.astype(np.int64) * vocab_size + level.symbol  # (G,)
    wanted = np.where(context >= 0, context * vocab_size + symbols, -1)  # (M,)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)  # (M,)
    return np.where(keys[place] == wanted, place, -1)


def _interpolate(
    level: Level,
    counts: NDArray[np.integer],
    context: NDArray[np.int64],
    gram: NDArray[np.int64],
    lower: Likelihoods,
) -> Likelihoods:
    """(M,) the probability of each symbol after its context; see `NGram`.

    Args:
        level: the n-grams.
        counts: (G,) a(hw) of each n-gram hw.
        context: (M,) the context of each symbol; -1 if unseen.
        gram: (M,) the n-gram that each symbol ends; -1 if unseen.
        lower: (M,) the probability after the shorter context.
    """
    discount = estimate_discounts(counts)[np.minimum(counts, 3) - 1]  # (G,)
    total = np.bincount(level.context, weights=counts)  # (C,)
    backoff = np.bincount(level.context, weights=discount) / total  # (C,)
    p = lower * np.where(context >= 0, backoff[context], 1)  # (M,)
    seen = np.flatnonzero(gram >= 0)  # (m,)
    share = (counts - discount)[gram[seen]] / total[context[seen]]  # (m,)
    p[seen] += share
    return p
