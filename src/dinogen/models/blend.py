"""A blend: a mixture of language models of different vocabularies."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dinogen.data.merging import Translation
from dinogen.data.sequences import END
from dinogen.models.language_model import MIN_PROBABILITY, Array, LanguageModel, Rows, Symbols

States = tuple[Any, ...]


class Blend:
    """Linear interpolation of models over the symbols of all of them; itself a `LanguageModel`.

    A member gives no probability to the symbols that it does not know. If it has to read one, it
    reads `END` instead, and has no part in the probabilities of the next symbol: they come from the
    members that know what was written. So two alphabets are not mixed within a word.

    Attributes:
        members: the models; at least one.
        weights: the weight of each member, above 0; they sum to 1.
        translations: how the symbols of each member are written in the common vocabulary, and read.
            Each common symbol is known to a member.
    """

    def __init__(
        self,
        members: Sequence[LanguageModel],
        weights: Sequence[float],
        translations: Sequence[Translation],
    ) -> None:
        self.members = tuple(members)
        self.weights = tuple(weights)
        self.translations = tuple(translations)

    @property
    def vocab_size(self) -> int:
        """See `LanguageModel.vocab_size`."""
        return len(self.translations[0].read)

    def begin(self, n: int) -> tuple[States, Array]:
        """See `LanguageModel.begin`."""
        answers = [member.begin(n) for member in self.members]
        return self._mix(answers, np.ones((len(answers), n), dtype=np.bool_))

    def blank(self, n: int) -> States:
        """See `LanguageModel.blank`."""
        return tuple(member.blank(n) for member in self.members)

    def advance(self, state: States, symbols: Symbols) -> tuple[States, Array]:
        """See `LanguageModel.advance`."""
        answers = []
        knows = np.empty((len(self.members), len(symbols)), dtype=np.bool_)  # (K, N)
        for k, (member, before) in enumerate(zip(self.members, state, strict=True)):
            read = self.translations[k].read[symbols]  # (N,)
            np.less(read, member.vocab_size, out=knows[k])
            answers.append(member.advance(before, np.where(knows[k], read, END)))
        return self._mix(answers, knows)

    def select(self, state: States, rows: Rows) -> States:
        """See `LanguageModel.select`."""
        pairs = zip(self.members, state, strict=True)
        return tuple([member.select(before, rows) for member, before in pairs])

    def _mix(
        self, answers: Sequence[tuple[Any, Array]], knows: NDArray[np.bool_]
    ) -> tuple[States, Array]:
        """Collect the states of all members, and sum their weighted probabilities.

        Args:
            answers: the state of each member, and its (N, V) probabilities.
            knows: (K, N) whether each member knows the last symbol.
        """
        states, probabilities = zip(*answers, strict=True)
        shares = np.array(self.weights)[:, np.newaxis] * knows  # (K, N)
        is_partial = ~knows.all(axis=0)  # (N,)
        shares[:, is_partial] /= shares[:, is_partial].sum(axis=0)
        dtype = np.result_type(*probabilities)
        # As in a network, each symbol is a row: adding rows is faster than adding columns.
        mixed = np.zeros((self.vocab_size, knows.shape[1]), dtype=dtype)  # (U, N)
        for p, share, translation in zip(probabilities, shares, self.translations, strict=True):
            mixed[translation.written] += p.T * share.astype(dtype)
        np.maximum(mixed, MIN_PROBABILITY, out=mixed)
        return states, mixed.T
