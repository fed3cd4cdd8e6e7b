"""Marks: which symbols bear them, as a list shows it."""

import unicodedata

import numpy as np
from numpy.typing import NDArray

from dinogen.data.sequences import END, Names
from dinogen.data.units import WORD
from dinogen.data.visibility import JOINER, JOINERS, NON_JOINER
from dinogen.data.vocabulary import Vocabulary

MAX_PAIRS = 1 << 18
"""The maximum number of pairs."""

NO_PAIRS: NDArray[np.uint32] = np.empty((0, 2), dtype=np.uint32)
"""The pairs of a list without marks."""

# The vowels of Thai and Lao before and behind their consonants are letters for Unicode.
_VOWELS_BEFORE = frozenset(map(chr, (*range(0x0E40, 0x0E45), *range(0x0EC0, 0x0EC5))))
_VOWELS_BEHIND = frozenset("\u0e30\u0e32\u0e33\u0e45\u0eb0\u0eb2\u0eb3")

_CHUNK = 1 << 20
"""The number of symbols that are looked at at a time."""


def is_mark(symbol: str) -> bool:
    """Tell whether a symbol belongs to the one before it.

    These are combining marks, joiners, skin tones, and the vowels of Thai and Lao that stand behind
    a consonant.
    """
    return (
        symbol in JOINERS
        or symbol in _VOWELS_BEHIND
        or "\U0001f3fb" <= symbol <= "\U0001f3ff"
        or unicodedata.category(symbol)[0] == "M"
    )


def bound_symbols(vocabulary: Vocabulary) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return what is bound to its neighbours.

    Returns:
        (V,) mask of the marks, which belong to the symbol before, and (V,) mask of the joiners and
        the vowels of Thai and Lao that belong to the symbol after. No word is either.
    """
    symbols = () if vocabulary.unit is WORD else vocabulary.symbols
    marks = np.zeros(len(vocabulary), dtype=np.bool_)  # (V,)
    joiners = marks.copy()  # (V,)
    for index, symbol in enumerate(symbols, start=1):
        marks[index] = is_mark(symbol)
        joiners[index] = symbol in (NON_JOINER, JOINER) or symbol in _VOWELS_BEFORE
    return marks, joiners


def learn_pairs(names: Names, vocabulary: Vocabulary) -> NDArray[np.uint32]:
    """Collect the pairs of neighbours of which one belongs to the other.

    They end with a mark, or begin with a joiner or with a vowel that stands before its consonant.

    The pairs of Hangul letters that are not part of complete syllables are added.

    Args:
        names: the names of a list.
        vocabulary: their symbols.

    Returns:
        (P, 2) pairs of indices, sorted; `END` is the first one at the beginning of a name, and the
        second one at its end. None if there are more than `MAX_PAIRS`.
    """
    marks, joiners = bound_symbols(vocabulary)
    initials, vowels, finals = vocabulary.initials, vocabulary.vowels, vocabulary.finals  # (V,)
    if not (marks | joiners | initials | vowels | finals).any():
        return NO_PAIRS
    found = np.empty(0, dtype=np.int64)
    for start in range(0, len(names.symbols), _CHUNK):
        after = names.symbols[start : start + _CHUNK].astype(np.int64)  # (s,)
        first = names.symbols[start - 1] if start else END
        before = np.r_[first, after[:-1]].astype(np.int64)  # (s,)
        is_bound = marks[after] | joiners[before]  # (s,)
        # See `may_follow`.
        is_bound |= (initials[before] != vowels[after]) | (finals[after] & ~vowels[before])
        found = np.union1d(found, before[is_bound] * len(vocabulary) + after[is_bound])
    if len(found) > MAX_PAIRS:
        return NO_PAIRS
    return np.stack(np.divmod(found, len(vocabulary)), axis=1).astype(np.uint32)
