"""The rules for names: how long they are, and which symbol may follow which."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dinogen.data.hangul import MAX_LETTERS
from dinogen.data.marks import NO_PAIRS
from dinogen.data.sequences import END
from dinogen.data.statistics import CorpusStats
from dinogen.data.vocabulary import Vocabulary
from dinogen.generation.successors import Successors
from dinogen.models.language_model import Array, Symbols


@dataclass(frozen=True)
class NameRules:
    """How long a name is, and which symbol may follow which.

    The methods set the probabilities of forbidden symbols to 0, in place.

    Attributes:
        max_length: the maximum length of a name, without the end.
        successors: which symbol may follow which; None if only the empty name is forbidden.
        min_length: the minimum length of a name, at least 1.
        continuing: the indices of symbols that do not lengthen a name, see `Vocabulary.continuing`.
    """

    max_length: int
    successors: Successors | None = None
    min_length: int = 1
    continuing: tuple[int, ...] = ()

    @classmethod
    def for_corpus(
        cls,
        stats: CorpusStats,
        vocabulary: Vocabulary,
        pairs: NDArray[np.unsignedinteger] = NO_PAIRS,
    ) -> "NameRules":
        """Return the rules for names that are as long and as well-formed as those of a list.

        Args:
            stats: the statistics of the list.
            vocabulary: its symbols.
            pairs: (P, 2) the pairs of `dinogen.data.marks.learn_pairs`.
        """
        successors = Successors.of(vocabulary, pairs)
        return cls(stats.longest, successors, stats.shortest, vocabulary.continuing)

    @property
    def max_symbols(self) -> int:
        """The maximum number of symbols in a name, without the end."""
        return MAX_LETTERS * self.max_length if self.continuing else self.max_length

    def lengthen(self, lengths: NDArray[np.int64], symbols: Symbols) -> NDArray[np.int64]:
        """Return the (N,) lengths of names after one more symbol each."""
        if not self.continuing:
            return lengths + 1
        longer: NDArray[np.int64] = lengths + ~np.isin(symbols, self.continuing)
        return longer

    def mask_first(self, p: Array) -> None:
        """Forbid what no name begins with in (N, V) probabilities of the first symbol."""
        p[:, self.successors.not_first if self.successors else END] = 0

    def mask_next(self, p: Array, previous: Symbols, lengths: NDArray[np.int64] | int) -> None:
        """Forbid what may not follow the symbols before, and the end of short names.

        Args:
            p: (N, V) probabilities of the next symbol.
            previous: (N,) the symbols before it.
            lengths: (N,) the lengths of the names so far.
        """
        if self.min_length > 1:
            p[np.less(lengths, self.min_length), END] = 0
        if self.successors:
            self.successors.mask(p, previous)

    def mask_last(self, p: Array, rows: NDArray[np.bool_] | slice = slice(None)) -> None:
        """Forbid what no name ends with in (N, V) probabilities of the last possible symbol.

        Args:
            p: (N, V) probabilities of the next symbol.
            rows: the names that have no room for more than one symbol.
        """
        if len(self._not_last):
            p[rows] = np.where(np.isin(np.arange(p.shape[1]), self._not_last), 0, p[rows])

    @cached_property
    def _not_last(self) -> NDArray[np.intp]:
        """The symbols that no name ends with, not even after symbols that do not lengthen it."""
        if self.successors is None:
            return np.empty(0, dtype=np.intp)
        # (R,) whether a symbol that does not lengthen a name may follow each class.
        goes_on = np.any(self.successors.allowed[:, list(self.continuing)], axis=1)
        not_last = self.successors.not_last  # (M,)
        return np.extract(~goes_on[self.successors.rows[not_last]], not_last)
