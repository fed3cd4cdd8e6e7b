"""Counting the n-grams of a list of names."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.data.sequences import END, Names

Indices = NDArray[np.int64]

_MARGIN = 1e-9
"""More than the rounding error of a mean."""


class Level(NamedTuple):
    """The G distinct n-grams of one length n: each is a context of n - 1 symbols and a symbol.

    They are sorted by context, then by symbol. The contexts of a level are numbered from 0.

    ``following[i]`` of level n is the ``context`` of the extensions of n-gram i in level n + 1. For
    example, if the 2-gram "an" has ``following`` 7, the 3-grams "ana" and "ann" have ``context`` 7.

    Attributes:
        context: (G,) the number of the context.
        symbol: (G,) the symbol after the context.
        occurrences: (G,) how often the n-gram occurs.
        continuations: (G,) how many distinct symbols precede the n-gram; for an n-gram that begins
            at the start of a name, how often it occurs.
        following: (G,) the number of the n-gram as a context of the next level; -1 if nothing
            follows it.
    """

    context: Indices
    symbol: Indices
    occurrences: Indices
    continuations: Indices
    following: Indices


def whole_counts(weights: NDArray[np.float64] | None) -> Indices | None:
    """(N,) how often n-grams of names with (N,) weights count: the weights, with a mean of about 1.

    Counts are rounded up. So a rare name counts once, and the discounts of Kneser-Ney smoothing,
    which are made for small counts, still hold back something for unseen n-grams.
    """
    if weights is None:
        return None
    # Without the margin, a weight equal to the mean could be rounded up to 2.
    counts: Indices = np.ceil(weights * ((1 - _MARGIN) / weights.mean())).astype(np.int64)
    return counts


def count(names: Names, vocab_size: int, order: int, times: Indices | None = None) -> list[Level]:
    """Count the n-grams of every length from 1 to an order.

    Each name begins with an `END` that only serves as context. Nothing precedes it.

    Args:
        names: the names to count.
        vocab_size: V, the end included.
        order: the maximum length.
        times: (N,) how often each name counts; None for once.

    Returns:
        One level for each length, up to the longest name. In the last level, `Level.continuations`
        is valid only for n-grams at the start of a name.
    """
    target = names.symbols.astype(np.int64)  # (S,)
    position = np.arange(len(target)) - np.repeat(names.starts[:-1], names.lengths)  # (S,)
    place = np.arange(len(target))  # (M,) the targets that have a context of this length
    context = np.zeros(len(target), dtype=np.int64)  # (M,)
    gram = np.empty(len(target), dtype=np.int64)  # (S,) the n-gram that ends at each target
    repeats = None if times is None else np.repeat(times, names.lengths)  # (S,)
    levels: list[Level] = []
    for length in range(min(order, int(names.lengths.max()) + 1)):
        keys, first, inverse, occurrences = np.unique(
            context * vocab_size + target[place],
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )  # (G,), (G,), (M,), (G,)
        if repeats is not None:
            # Sums of whole numbers below 2^53 are exact in float64.
            occurrences = np.bincount(inverse, repeats[place]).astype(np.int64)  # (G,)
        first = place[first]  # (G,)
        if levels:
            # Without its first symbol, each n-gram is one of the previous level.
            shorter = gram[first]  # (G,)
            levels[-1].continuations[...] += np.bincount(
                shorter, minlength=len(levels[-1].continuations)
            )
        gram[place] = inverse
        begins_name = (length > 0) & (position[first] == length - 1)  # (G,)
        # Nothing follows the end of a name, but END alone is the context of a first symbol.
        continues = (keys % vocab_size != END) | (length == 0)  # (G,)
        following = np.where(continues, np.cumsum(continues) - 1, -1)  # (G,)
        continuations = np.where(begins_name, occurrences, 0)  # (G,)
        levels.append(
            Level(keys // vocab_size, keys % vocab_size, occurrences, continuations, following)
        )
        place = np.flatnonzero(position >= length)  # (M,)
        # For the first name, index -1 wraps around to the last END.
        context = following[gram[place - 1]]  # (M,)
    return levels
