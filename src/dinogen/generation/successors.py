"""Successors: which symbol may follow which in a name, as one table of classes."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dinogen.data.hangul import is_final, is_initial, is_vowel, may_follow
from dinogen.data.marks import NO_PAIRS, bound_symbols
from dinogen.data.sequences import END
from dinogen.data.units import WORD
from dinogen.data.vocabulary import Vocabulary

MAX_TABLE = 1 << 24
"""The maximum number of entries of a table: 16 MiB."""


class Successors:
    """Which symbol may follow which. `END` is the start before a name, and the end after it.

    Attributes:
        rows: (V,) the class of each symbol. Symbols of one class have the same successors.
        allowed: (R, V) whether a symbol may follow a symbol of each class.
    """

    def __init__(self, rows: NDArray[np.intp], allowed: NDArray[np.bool_]) -> None:
        self.rows = rows
        self.allowed = allowed

    @classmethod
    def of(
        cls, vocabulary: Vocabulary, pairs: NDArray[np.unsignedinteger] = NO_PAIRS
    ) -> "Successors":
        """Build the table for a list.

        A name is not empty. White space is between other symbols, and Hangul syllables are
        complete where they are in the list. Marks follow only what bears them in the list, and
        joiners are followed only by what follows them there.

        Args:
            vocabulary: the symbols.
            pairs: (P, 2) the pairs of `learn_pairs`. A mark without any is not restricted. If the
                table would have more than `MAX_TABLE` entries, marks are not restricted.
        """
        V = len(vocabulary)
        kinds, follows = _kinds(vocabulary)  # (V,), (K, K)
        _, sample, alike = np.unique(follows, axis=0, return_index=True, return_inverse=True)
        rows = alike.reshape(-1)[kinds]  # (V,)
        allowed = follows[sample][:, kinds]  # (R, V)
        before, after = pairs[:, 0].astype(np.intp), pairs[:, 1].astype(np.intp)  # (P,), (P,)
        bearers, bearer = np.unique(before, return_inverse=True)  # (B,), (P,)
        if not len(pairs) or (len(allowed) + len(bearers)) * V > MAX_TABLE:
            return cls(rows, allowed)
        marks, joiners = bound_symbols(vocabulary)  # (V,), (V,)
        marks &= np.isin(np.arange(V), after)
        allowed = np.concatenate([allowed, follows[kinds[bearers]][:, kinds]])  # (R + B, V)
        allowed[:, marks] = False
        allowed[len(sample) :][joiners[bearers]] = False
        letters = vocabulary.initials | vocabulary.vowels | vocabulary.finals  # (V,)
        is_seen = letters[before] | letters[after]  # (P,) beside a syllable that is not complete
        allowed[len(sample) + bearer, after] = is_seen | follows[kinds[before], kinds[after]]
        rows[bearers] = len(sample) + np.arange(len(bearers))
        allowed, merged = np.unique(allowed, axis=0, return_inverse=True)  # (r, V), (R + B,)
        return cls(merged.reshape(-1)[rows], allowed)

    @cached_property
    def not_first(self) -> NDArray[np.intp]:
        """The symbols that no name begins with; the end, because no name is empty."""
        return np.flatnonzero(~self.allowed[self.rows[END]])

    @cached_property
    def not_last(self) -> NDArray[np.intp]:
        """The symbols that no name ends with."""
        is_last = self.allowed[self.rows, END]  # (V,)
        is_last[END] = True
        return np.flatnonzero(~is_last)

    @cached_property
    def _binds(self) -> NDArray[np.bool_]:
        """(R,) mask of the classes of symbols that some symbols may not follow."""
        binds = np.zeros(len(self.allowed), dtype=np.bool_)
        binds[self.rows[1:]] = True  # the end comes before no symbol
        binds[np.all(self.allowed, axis=1)] = False
        return binds

    def mask(self, p: NDArray[np.floating], previous: NDArray[np.integer]) -> None:
        """Forbid what may not follow the (N,) symbols before, in (N, V) probabilities."""
        if not self._binds.any():
            return
        rows = self.rows[previous]  # (N,)
        bound = self._binds[rows]  # (N,)
        if bound.all():
            np.multiply(p, np.take(self.allowed, rows, axis=0), out=p)
        elif bound.any():
            p[bound] *= self.allowed[rows[bound]]


def _kinds(vocabulary: Vocabulary) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Sort the symbols into kinds, by the rules that are the same for all lists.

    Returns:
        (V,) the kind of each symbol, and (K, K) whether one kind may follow another.
    """
    tests = (str.isspace, is_initial, is_vowel, is_final)
    found: dict[tuple[bool, ...], int] = {}
    examples: list[str] = []  # one symbol of each kind
    kinds: list[int] = []
    for symbol in ("\n", *vocabulary.symbols):
        is_word = vocabulary.unit is WORD and symbol != "\n"
        kind = (symbol == "\n", *(not is_word and test(symbol) for test in tests))
        kinds.append(found.setdefault(kind, len(found)))
        if len(found) > len(examples):
            examples.append("?" if is_word else symbol)
    follows = np.array(
        [
            [not (a.isspace() and b.isspace()) and may_follow(a, b) for b in examples]
            for a in examples
        ]
    )
    return np.array(kinds), follows
