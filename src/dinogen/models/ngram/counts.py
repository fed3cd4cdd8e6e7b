"""Counting the n-grams of names and of running texts."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.data.sequences import END, Sequences

Indices = NDArray[np.integer]

_MARGIN = 1e-9
"""More than the rounding error of a mean."""

_WORD = 64
"""The number of bits of a sort key."""


class Level(NamedTuple):
    """The G distinct n-grams of one length n: each is a context of n - 1 symbols and a symbol.

    They are sorted by context, then by symbol. The contexts of a level are numbered from 0.

    ``following[i]`` of level n is the ``context`` of the extensions of n-gram i in level n + 1. For
    example, if the 2-gram "an" has ``following`` 7, the 3-grams "ana" and "ann" have ``context`` 7.

    Attributes:
        context: (G,) int32, the number of the context.
        symbol: (G,) unsigned, the symbol after the context.
        occurrences: (G,) int32, how often the n-gram occurs.
        continuations: (G,) int32, how many distinct symbols precede the n-gram, plus how often it
            occurs at the start of a sequence, where nothing precedes it.
        following: (G,) int32, the number of the n-gram as a context of the next level; -1 if
            nothing ever follows it, and if there is no next level.
    """

    context: Indices
    symbol: Indices
    occurrences: Indices
    continuations: Indices
    following: Indices


def whole_counts(weights: NDArray[np.float64] | None) -> NDArray[np.int64] | None:
    """(N,) how often n-grams of names with (N,) weights count: the weights, with a mean of about 1.

    Counts are rounded up. So a rare name counts once, and the discounts of Kneser-Ney smoothing,
    which are made for small counts, still hold back something for unseen n-grams.
    """
    if weights is None:
        return None
    # Without the margin, a weight equal to the mean could be rounded up to 2.
    counts: NDArray[np.int64] = np.ceil(weights * ((1 - _MARGIN) / weights.mean())).astype(np.int64)
    return counts


def count(
    sequences: Sequences, vocab_size: int, order: int, times: NDArray[np.int64] | None = None
) -> list[Level]:
    """Count the n-grams of every length from 1 to an order.

    Each sequence begins with an `END` that only serves as context. Nothing precedes it. Any other
    `END` is a symbol like all others: the n-grams of a text go on behind the end of a line.

    The places where n-grams begin are sorted once, by as many symbols as the order says. The
    n-grams of each length are then runs of places. This takes about 30 bytes for each of S symbols,
    beside the result.

    Args:
        sequences: N names or texts of S symbols in total, S < 2^31.
        vocab_size: V, the end included.
        order: the maximum length.
        times: (N,) how often each sequence counts; None for once.

    Returns:
        One level for each length, up to the longest sequence. In the last level,
        `Level.continuations` is valid only for n-grams at the start of a sequence. `END` alone
        counts at least 1, since every sequence begins behind it.
    """
    digits, begins = _as_digits(sequences, vocab_size, order)  # (M + order,), (N,)
    place = _sort_places(digits, vocab_size, order)  # (M,) where n-grams begin
    gram = np.zeros(len(place), dtype=np.int32)  # (M,) the n-gram of the level above, sorted
    gram_at = np.empty(len(place), dtype=np.int32)  # (M,) the n-gram that begins at each place
    repeats = None if times is None else np.repeat(times, sequences.lengths + 2)  # (M,)
    levels: list[Level] = []
    for length in range(1, order + 1):
        digit = digits[place + (length - 1)]  # (m,)
        inside = digit > 0  # (m,) n-grams that do not cross the end of a sequence
        place, gram, digit = place[inside], gram[inside], digit[inside]
        if not len(place):
            break
        begins_run = np.ones(len(place), dtype=np.bool_)  # (m,)
        begins_run[1:] = (gram[1:] != gram[:-1]) | (digit[1:] != digit[:-1])
        first = np.flatnonzero(begins_run)  # (G,)
        parent = gram[first]  # (G,) the n-gram without its last symbol
        if repeats is None:
            occurrences = np.diff(first, append=len(place))  # (G,)
        else:
            occurrences = np.add.reduceat(repeats[place], first)  # (G,)
        is_new = np.diff(parent, prepend=-1) > 0  # (G,)
        if levels:
            levels[-1].following[parent[is_new]] = np.arange(np.count_nonzero(is_new))
            # Without its first symbol, each n-gram is one of the previous level.
            continuations = levels[-1].continuations
            continuations += np.bincount(gram_at[place[first] + 1], minlength=len(continuations))
        np.subtract(np.cumsum(begins_run, dtype=np.int32), 1, out=gram)
        gram_at[place] = gram
        if length == 1:
            begun = np.zeros(len(first), dtype=np.int64)
            total = len(begins) if times is None else times.sum()
            occurrences[END] = max(1, occurrences[END] - total)
        else:
            long_enough = sequences.lengths + 1 >= length  # (N,)
            begun = np.bincount(
                gram_at[begins[long_enough]],
                None if times is None else times[long_enough],
                len(first),
            )  # (G,)
        levels.append(
            Level(
                (np.cumsum(is_new) - 1).astype(np.int32),
                digit[first] - 1,
                occurrences.astype(np.int32),
                begun.astype(np.int32),
                np.full(len(first), -1, dtype=np.int32),
            )
        )
        if length == 2:
            # No other n-gram is without a symbol before it, or a start.
            levels[0].continuations[END] = max(1, levels[0].continuations[END])
    return levels


def _as_digits(
    sequences: Sequences, vocab_size: int, order: int
) -> tuple[NDArray[np.unsignedinteger], NDArray[np.int64]]:
    """Write each sequence as digits: its symbols plus 1, after an `END` and before a 0.

    Returns:
        The (M + order,) digits, of which the last ones are 0, and the (N,) places of the first
        digits of the sequences. M is S + 2 N.
    """
    begins = sequences.starts[:-1] + 2 * np.arange(len(sequences))  # (N,)
    M = len(sequences.symbols) + 2 * len(sequences)
    digits = np.zeros(M + order, dtype=np.min_scalar_type(vocab_size))
    is_symbol = np.ones(M, dtype=np.bool_)
    is_symbol[begins] = is_symbol[begins + sequences.lengths + 1] = False
    digits[:M][is_symbol] = sequences.symbols
    digits[:M][is_symbol] += 1
    digits[begins] = END + 1
    return digits, begins


def _sort_places(
    digits: NDArray[np.unsignedinteger], vocab_size: int, order: int
) -> NDArray[np.int32]:
    """(M,) the places of the digits, sorted by as many digits as the order says.

    As many digits as fit make a key. More digits are compared by prefix doubling (Manber and Myers
    1993). Digits behind a 0 may be compared, too.
    """
    M = len(digits) - order
    bits = vocab_size.bit_length()
    compared = min(order, _WORD // bits)
    key = digits[:M].astype(np.uint64)  # (M,)
    for i in range(1, compared):
        key <<= np.uint64(bits)
        key |= digits[i : i + M]
    place = np.argsort(key)  # (M,)
    while compared < order:
        key = key[place]
        rank = np.zeros(M, dtype=np.uint64)
        rank[place[1:]] = np.cumsum(key[1:] != key[:-1])
        step = min(compared, order - compared)
        key = rank << np.uint64(_WORD // 2)
        key[:-step] |= rank[step:]
        place = np.argsort(key)
        compared += step
    return place.astype(np.int32)
