"""The rules for names: how long they are, and where white space may be."""

from dataclasses import dataclass

import numpy as np

from dinogen.data.corpus import CorpusStats
from dinogen.data.sequences import END
from dinogen.data.vocabulary import Vocabulary
from dinogen.generation.constrained.automata import Automaton, build_automaton
from dinogen.models.language_model import Array, Symbols


@dataclass(frozen=True)
class NameRules:
    """How long a name is, and that it has white space only between other symbols.

    The methods set the probabilities of forbidden symbols to 0, in place. `rules_automaton` accepts
    the names that have white space only between other symbols, of any length.

    Attributes:
        max_length: the maximum number of symbols in a name, without the end.
        spaces: the indices of the white-space symbols.
        min_length: the minimum number of symbols in a name, at least 1.
    """

    max_length: int
    spaces: tuple[int, ...] = ()
    min_length: int = 1

    @classmethod
    def for_corpus(cls, stats: CorpusStats, vocabulary: Vocabulary) -> "NameRules":
        """Return the rules for names that are as long as those of a list."""
        return cls(stats.longest, vocabulary.spaces, stats.shortest)

    def mask_first(self, p: Array) -> None:
        """Forbid the end and white space in (N, V) probabilities of the first symbol."""
        p[:, [END, *self.spaces]] = 0

    def mask_next(self, p: Array, previous: Symbols, length: int) -> None:
        """Forbid the end of short names, and the end and white space after white space.

        Args:
            p: (N, V) probabilities of the next symbol.
            previous: (N,) the symbols before it.
            length: the number of symbols in each name so far.
        """
        if length < self.min_length:
            p[:, END] = 0
        if self.spaces:
            after_space = np.flatnonzero(np.isin(previous, self.spaces))  # (m,)
            p[after_space[:, np.newaxis], [END, *self.spaces]] = 0

    def mask_last(self, p: Array) -> None:
        """Forbid white space in (N, V) probabilities of the last possible symbol."""
        p[:, list(self.spaces)] = 0


def rules_automaton(vocabulary: Vocabulary) -> Automaton:
    """Accept names that are not empty and have white space only between other symbols."""
    spaces = set(vocabulary.spaces)

    def next_states(after_symbol: bool) -> list[bool | None]:
        return [None] + [
            (False if after_symbol else None) if symbol in spaces else True
            for symbol in range(1, len(vocabulary))
        ]

    return build_automaton(False, next_states, lambda after_symbol: after_symbol)
