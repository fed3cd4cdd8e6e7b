"""A weighted mixture of language models."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dinogen.models.language_model import Array, LanguageModel, Rows, Symbols

PRIOR_COUNT = 5.0
"""Pseudo-count per member, in symbols. It keeps the weights near the prior ones if there are few
symbols."""

_TOLERANCE = 1e-6
"""The tolerance of the sum of the weights, and the convergence threshold of `fit_weights`."""

States = tuple[Any, ...]


class Mixture:
    """Linear interpolation of models, p = sum_k w_k p_k; itself a `LanguageModel`.

    Jelinek and Mercer (1980). Mikolov et al. (2010), section 4, mix a recurrent network and
    Kneser-Ney n-grams in this way.

    Attributes:
        members: models of the same vocabulary, by name; at least one.
        weights: the weight of each member, from 0 to 1; they sum to 1.
    """

    def __init__(
        self, members: Mapping[str, LanguageModel], weights: Mapping[str, float] | None = None
    ) -> None:
        """Mix models.

        Args:
            members: models by name.
            weights: the weight of each member, by the same names; equal if left out.

        Raises:
            ValueError: if there is no member, if weights and members have different names, and if
                the weights are negative or do not sum to 1.
        """
        if weights is None:
            weights = dict.fromkeys(members, 1 / max(1, len(members)))
        if not members or set(members) != set(weights):
            raise ValueError("a mixture needs members, and one weight for each")
        # These comparisons also refuse NaN.
        if not (min(weights.values()) >= 0 and abs(sum(weights.values()) - 1) <= _TOLERANCE):
            raise ValueError("the weights of a mixture are shares of 1")
        self.members = dict(members)
        self.weights = {name: weights[name] for name in members}
        self._models = tuple(self.members.values())
        self._shares = tuple(self.weights.values())

    @property
    def vocab_size(self) -> int:
        """See `LanguageModel.vocab_size`."""
        return self._models[0].vocab_size

    def begin(self, n: int) -> tuple[States, Array]:
        """See `LanguageModel.begin`."""
        return self._mix([model.begin(n) for model in self._models])

    def blank(self, n: int) -> States:
        """See `LanguageModel.blank`."""
        return tuple(model.blank(n) for model in self._models)

    def advance(self, state: States, symbols: Symbols) -> tuple[States, Array]:
        """See `LanguageModel.advance`."""
        pairs = zip(self._models, state, strict=True)
        return self._mix([model.advance(before, symbols) for model, before in pairs])

    def select(self, state: States, rows: Rows) -> States:
        """See `LanguageModel.select`."""
        pairs = zip(self._models, state, strict=True)
        return tuple([model.select(before, rows) for model, before in pairs])

    def _mix(self, answers: Sequence[tuple[Any, Array]]) -> tuple[States, Array]:
        """Collect the states of all members, and sum their weighted probabilities, in place."""
        states, probabilities = zip(*answers, strict=True)  # (N, V) each
        p: Array = probabilities[0]
        if len(states) > 1:
            p *= self._shares[0]
            for share, q in zip(self._shares[1:], probabilities[1:], strict=True):
                q *= share
                p += q
        return states, p


def mix(
    weights: Sequence[float], likelihoods: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """(S,) the probability of each symbol in a mixture, from the (S,) ones in each member."""
    mixed = weights[0] * likelihoods[0]  # (S,)
    for weight, p in zip(weights[1:], likelihoods[1:], strict=True):
        mixed = mixed + weight * p
    return mixed


def fit_weights(
    likelihoods: Sequence[NDArray[np.float64]],
    counts: NDArray[np.float64] | None = None,
    prior: Sequence[float] | None = None,
) -> list[float]:
    """Fit the weights of a mixture to given symbols by expectation maximisation.

    Dempster, Laird and Rubin (1977): in each iteration, the weight of a member becomes its mean
    posterior probability. K times `PRIOR_COUNT` symbols with the prior weights are added.

    Args:
        likelihoods: for each of K members, the (S,) probabilities of the symbols.
        counts: (S,) how much each symbol counts, in any unit; None if all count the same.
        prior: K weights that sum to 1, of which the fit starts; equal if left out.

    Returns:
        K weights that sum to 1.
    """
    K = len(likelihoods)
    symbols = len(likelihoods[0])
    prior = [1 / K] * K if prior is None else prior
    weights, change = [*prior], 1.0
    if counts is not None and symbols:
        counts = counts * (symbols / counts.sum())  # (S,)
    while change > _TOLERANCE:
        before = weights
        mixed = mix(weights, likelihoods)  # (S,)
        posteriors = [
            weight * p / mixed for weight, p in zip(weights[:-1], likelihoods[:-1], strict=True)
        ]  # (S,) each
        shares = [
            float(posterior.sum(dtype=np.float64) if counts is None else posterior @ counts)
            for posterior in posteriors
        ]
        added = K * PRIOR_COUNT
        weights = [
            (share + added * before) / (symbols + added)
            for share, before in zip(shares, prior[:-1], strict=True)
        ]
        # The last weight is 1 minus the others, so that rounding cannot break the sum.
        weights.append(1.0 - sum(weights))
        change = max(abs(new - old) for new, old in zip(weights, before, strict=True))
    return weights
