"""The rules that every name satisfies, with any options."""

from dataclasses import dataclass

import numpy as np

from dinogen.data.sequences import END
from dinogen.data.vocabulary import Vocabulary
from dinogen.generation.constrained.automata import Automaton, build_automaton
from dinogen.models.language_model import Array, Symbols


@dataclass(frozen=True)
class NameRules:
    """A name is not empty, is not too long, and has white space only between other symbols.

    The methods set the probabilities of forbidden symbols to 0, in place. `rules_automaton`
    has the same rules, except the maximum length.

    Attributes:
        max_length: the maximum number of symbols in a name, without the end.
        spaces: the indices of the white-space symbols.
    """

    max_length: int
    spaces: tuple[int, ...] = ()

    def mask_first(self, p: Array) -> None:
        """Forbid the end and white space in (N, V) probabilities of the first symbol."""
        p[:, [END, *self.spaces]] = 0

    def mask_next(self, p: Array, previous: Symbols) -> None:
        """Forbid the end and white space after white space.

        Args:
            p: (N, V) probabilities of the next symbol.
            previous: (N,) the symbols before it.
        """
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
