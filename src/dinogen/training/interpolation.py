"""The n-grams beside a network: their order and their weight, chosen on the held-out names."""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.checkpoint.contents import HeldOut
from dinogen.models.grams import Level, count
from dinogen.models.language_model import LanguageModel
from dinogen.models.likelihood import likelihoods
from dinogen.models.mixture import fit_weight
from dinogen.models.ngram import NGram
from dinogen.text.names import Names

Likely = NDArray[np.float64]

ORDERS = range(2, 9)
"""Tried where none is given and there are held-out names to choose by."""

BLIND_ORDER = 6
"""Taken where there are none."""

CLOSE = 0.001
"""Nats per symbol by which a lower order may be behind: held-out names tell no finer."""


class Fit(NamedTuple):
    """What was chosen.

    Attributes:
        ngram: counted in all names, if there is one.
        weight: of the network; 1 without n-grams, 0 without a network.
        held_out: how good the choice is, told by the held-out names, if there are any: the n-grams
            were counted without them for that.
    """

    ngram: NGram | None
    weight: float
    held_out: HeldOut | None


class Interpolation:
    """Finds the n-grams that complement a network best; they may also stand alone."""

    def __init__(
        self, learned: Names, held_out: Names, everything: Names, symbols: int, order: int | None
    ) -> None:
        """Take the names that are to be counted in.

        Args:
            learned: what the choice is made with.
            held_out: what the choice is made by.
            everything: what is counted once the choice is made.
            symbols: V, the end included.
            order: of the n-grams; 0 for none, None to choose it.
        """
        self._learned = learned
        self._held_out = held_out
        self._everything = everything
        self._symbols = symbols
        if order is not None:
            self._orders = [order] if order else []
        else:
            self._orders = [*ORDERS] if len(held_out) else [BLIND_ORDER]

    def fit(self, network: LanguageModel | None) -> Fit:
        """Choose the order and the weight that go best with a network, or alone."""
        p = likelihoods(network, self._held_out) if network else None  # (S,)
        choices = [self._weigh(p, q, order) for order, q in self._likelihoods.items()]
        if p is not None and not choices:
            choices = [(p, 0, 1.0)]
        enough = min(surprise(mixed) for mixed, _, _ in choices) + CLOSE
        mixed, order, weight = next(choice for choice in choices if surprise(choice[0]) <= enough)
        q = self._likelihoods.get(order)
        return Fit(
            NGram.of(self._all_levels[:order], self._symbols) if order else None,
            weight,
            HeldOut(
                names=len(self._held_out),
                nats_per_symbol=surprise(mixed),
                network=None if p is None else surprise(p),
                ngram=None if q is None else surprise(q),
                frequencies=surprise(self._frequencies[self._held_out.symbols]),
            )
            if len(self._held_out)
            else None,
        )

    def _weigh(self, p: Likely | None, q: Likely, order: int) -> tuple[Likely, int, float]:
        """Mix what network and n-grams make of the held-out symbols: (S,), order and weight."""
        if p is None:
            return q, order, 0.0
        weight = fit_weight(p, q)
        return weight * p + (1 - weight) * q, order, weight

    @cached_property
    def _frequencies(self) -> Likely:
        """(V,) how often each symbol occurs, and each once more, so that none is impossible."""
        counts = np.bincount(self._learned.symbols, minlength=self._symbols) + 1
        often: Likely = counts / counts.sum()
        return often

    @cached_property
    def _likelihoods(self) -> dict[int, Likely]:
        """What n-grams of each order make of the held-out names' symbols: (S,) each."""
        if not self._orders:
            return {}
        levels = count(self._learned, self._symbols, max(self._orders))
        return {
            order: likelihoods(NGram.of(levels[:order], self._symbols), self._held_out)
            for order in self._orders
        }

    @cached_property
    def _all_levels(self) -> list[Level]:
        return count(self._everything, self._symbols, max(self._orders))


def surprise(p: Likely) -> float:
    """Mean nats per symbol at (S,) symbols found so likely; 0 where there are none."""
    return -float(np.log(p).sum()) / max(1, len(p))
