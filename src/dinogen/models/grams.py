"""Counting n-grams: every run of symbols in a list of names, how often, and after what."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.text.names import END, Names

Indices = NDArray[np.int64]


class Level(NamedTuple):
    """The G distinct n-grams of one length: a context of n - 1 symbols and the symbol after it.

    They are in the order of their contexts, and of their symbols within a context.

    Attributes:
        context: (G,) which context, counted within the level.
        symbol: (G,) the index of the symbol after it.
        times: (G,) how often the n-gram occurs.
        kinds: (G,) how many different symbols come before it; where it begins a name and nothing
            does, how often it occurs.
        following: (G,) which context of the next level the n-gram is; -1 where nothing follows it.
    """

    context: Indices
    symbol: Indices
    times: Indices
    kinds: Indices
    following: Indices


def count(names: Names, symbols: int, order: int) -> list[Level]:
    """Count the n-grams of all lengths up to an order.

    Each name begins with an `END` that is only ever a context, and nothing stands before that.

    Args:
        names: to count in.
        symbols: V, the end included.
        order: the greatest length.

    Returns:
        A level for each length from 1 on, as far as there are names of that length. How many kinds
        come before the n-grams of the last level is not known.
    """
    target = names.symbols.astype(np.int64)  # (S,)
    written = np.arange(len(target)) - np.repeat(names.starts[:-1], names.lengths)  # (S,)
    place = np.arange(len(target))  # (M,) the targets that have a context of this length
    context = np.zeros(len(target), dtype=np.int64)  # (M,)
    gram = np.empty(len(target), dtype=np.int64)  # (S,) which n-gram ends at a target
    levels: list[Level] = []
    for length in range(min(order, int(names.lengths.max()) + 1)):
        keys, first, which, times = np.unique(
            context * symbols + target[place],
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )  # (G,), (G,), (M,), (G,)
        first = place[first]  # (G,)
        if levels:
            # Each n-gram, less its first symbol, is one of the level before: one kind of it more.
            shorter = gram[first]  # (G,)
            levels[-1].kinds[...] += np.bincount(shorter, minlength=len(levels[-1].kinds))
        gram[place] = which
        begins = (length > 0) & (written[first] == length - 1)  # (G,)
        # What ends a name has nothing after it, but alone it stands before the next name.
        goes_on = (keys % symbols != END) | (length == 0)  # (G,)
        following = np.where(goes_on, np.cumsum(goes_on) - 1, -1)  # (G,)
        kinds = np.where(begins, times, 0)  # (G,)
        levels.append(Level(keys // symbols, keys % symbols, times, kinds, following))
        place = np.flatnonzero(written >= length)  # (M,)
        # Before the first name, index -1 is the last name's end.
        context = following[gram[place - 1]]  # (M,)
    return levels
