"""Two language models, interpolated."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dinogen.models.language_model import LanguageModel, Rows

EVEN = 5.0
"""How many more symbols each model is taken to have been right about, before any evidence."""


class Mixture:
    """p = w p_first + (1 - w) p_second; a `LanguageModel`, whose state is a pair of states.

    Linear interpolation (Jelinek and Mercer 1980), as Mikolov et al. (2010), section 4, use it for
    a recurrent network and Kneser-Ney n-grams.

    Attributes:
        first: a model.
        second: another one, of the same symbols.
        weight: w, from 0 to 1.
    """

    def __init__(self, first: LanguageModel, second: LanguageModel, weight: float) -> None:
        self.first = first
        self.second = second
        self.weight = weight

    def start(self, n: int) -> tuple[Any, Any]:
        """See `LanguageModel.start`."""
        return self.first.start(n), self.second.start(n)

    def advance(
        self, state: tuple[Any, Any], symbols: NDArray[np.integer]
    ) -> tuple[tuple[Any, Any], NDArray[np.floating]]:
        """See `LanguageModel.advance`."""
        first, p = self.first.advance(state[0], symbols)  # (N, V)
        second, q = self.second.advance(state[1], symbols)  # (N, V)
        p *= self.weight
        q *= 1 - self.weight
        p += q
        return (first, second), p

    def select(self, state: tuple[Any, Any], rows: Rows) -> tuple[Any, Any]:
        """See `LanguageModel.select`."""
        return self.first.select(state[0], rows), self.second.select(state[1], rows)


def fit_weight(p: NDArray[np.floating], q: NDArray[np.floating]) -> float:
    """Find the weight by which two models together find given symbols likeliest.

    Expectation maximisation on one number (Dempster, Laird and Rubin 1977): the weight becomes the
    mean share of the first model in what the mixture says of each symbol. `EVEN` keeps it near one
    half where symbols are few, and at one half where there are none.

    Args:
        p: (S,) how likely the first model finds each symbol.
        q: (S,) how likely the second one does.
    """
    weight, before = 0.5, -1.0
    while abs(weight - before) > 1e-6:
        before = weight
        share = weight * p / (weight * p + (1 - weight) * q)  # (S,)
        weight = (float(share.sum(dtype=np.float64)) + EVEN) / (len(p) + 2 * EVEN)
    return weight
