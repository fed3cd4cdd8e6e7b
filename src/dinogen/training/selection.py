"""Model selection: the order of the n-grams and the weights of the mixture, by held-out data."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.checkpoint.checkpoint import NGRAM, HeldOut
from dinogen.data.sequences import Names, Sequences
from dinogen.models.language_model import LanguageModel
from dinogen.models.mixture import Mixture, fit_weights, mix
from dinogen.models.ngram.counts import Level, count, whole_counts
from dinogen.models.ngram.kneser_ney import NGram
from dinogen.models.ngram.orders import likelihoods_by_order
from dinogen.models.scoring import likelihoods, mean_nats

Likelihoods = NDArray[np.float64]

ORDERS, TEXT_ORDERS = range(2, 9), range(2, 11)
"""The n-gram orders to choose from: for names, and for running text, where long contexts help more
beside a network than alone."""

DEFAULT_ORDER = 6
"""The n-gram order if nothing is held out. For running prose of 3 KB to 1 MB, its loss is at most
0.01 nats per character above that of the best order."""

TOLERANCE = 0.001
"""In nats per symbol. The lowest order whose loss is this close to the best one is chosen."""


class Selected(NamedTuple):
    """The outcome of the selection.

    Attributes:
        mixture: the networks and the n-grams, which are counted on all sequences.
        held_out: the held-out loss, with n-grams counted without the held-out sequences; None if
            nothing is held out.
    """

    mixture: Mixture
    held_out: HeldOut | None


class Selection:
    """Chooses the n-gram order and the mixture weights by the held-out names or texts.

    Either the networks or the n-grams may be missing. Everything that depends on the sequences
    alone is computed once. So `select` only fits weights, and takes little time for each snapshot.
    If names have weights, all losses are weighted means.
    """

    def __init__(
        self,
        training: Sequences,
        held_out: Sequences,
        everything: Sequences,
        vocab_size: int,
        order: int | None,
        ngram_prior: float | None = None,
    ) -> None:
        """Set up a selection.

        Args:
            training: the names or texts on which the n-grams of each order are counted for the
                choice.
            held_out: those that decide which order is chosen.
            everything: those on which the chosen n-grams are counted.
            vocab_size: V, the end included.
            order: the n-gram order; 0 for no n-grams, None to choose it.
            ngram_prior: the weight of the n-grams if nothing is held out, and the prior one if
                something is; equal to that of each network if left out.
        """
        self._ngram_prior = ngram_prior
        self._training = training
        self._held_out = held_out
        self._everything = everything
        self._vocab_size = vocab_size
        if order is not None:
            self._orders = [order] if order else []
        else:
            orders = ORDERS if isinstance(training, Names) else TEXT_ORDERS
            self._orders = [*orders] if len(held_out) else [DEFAULT_ORDER]
        self._ngrams: dict[int, NGram] = {}

    def prepare(self) -> None:
        """Count all n-grams, and score the held-out sequences with each order."""
        if self._orders:
            _ = self._ngram_likelihoods, self._levels

    def select(self, networks: Mapping[str, LanguageModel]) -> Selected:
        """Select the order and fit the weights.

        Args:
            networks: the other members of the mixture, by name; may be empty if there are n-grams.
        """
        scored = {name: likelihoods(model, self._held_out) for name, model in networks.items()}
        candidates = [
            self._weigh({**scored, NGRAM: p}, order) for order, p in self._ngram_likelihoods.items()
        ] or [self._weigh(scored, 0)]
        limit = min(candidate.nats for candidate in candidates) + TOLERANCE
        chosen = next(candidate for candidate in candidates if candidate.nats <= limit)
        members = dict(networks)
        if chosen.order:
            members[NGRAM] = self._ngram(chosen.order)
        return Selected(Mixture(members, chosen.weights), self._summary(chosen))

    def _weigh(self, scored: Mapping[str, Likelihoods], order: int) -> "_Candidate":
        """Fit the mixture weights with n-grams of an order, and compute the held-out losses."""
        counts = self._held_out.symbol_weights  # (S,)
        weights = fit_weights([*scored.values()], counts, self._prior([*scored]))
        nats = mean_nats(mix(weights, [*scored.values()]), counts)
        alone = {name: mean_nats(p, counts) for name, p in scored.items()}
        return _Candidate(order, dict(zip(scored, weights, strict=True)), nats, alone)

    def _prior(self, names: Sequence[str]) -> list[float]:
        """Return the prior weight of each member, by their names."""
        ngram = self._ngram_prior
        if ngram is None or NGRAM not in names or len(names) == 1:
            return [1 / len(names)] * len(names)
        other = (1 - ngram) / (len(names) - 1)
        return [ngram if name == NGRAM else other for name in names]

    def _summary(self, chosen: "_Candidate") -> HeldOut | None:
        """Return the held-out loss of the chosen candidate; None if nothing is held out."""
        if not len(self._held_out):
            return None
        held_out = self._held_out
        frequencies = mean_nats(self._frequencies[held_out.symbols], held_out.symbol_weights)
        size = len(held_out) if isinstance(held_out, Names) else len(held_out.symbols)
        return HeldOut(size, chosen.nats, chosen.alone, frequencies)

    def _ngram(self, order: int) -> NGram:
        """Build the n-grams of an order from all sequences, once."""
        if order not in self._ngrams:
            self._ngrams[order] = NGram.from_counts(self._levels[:order], self._vocab_size)
        return self._ngrams[order]

    @cached_property
    def _frequencies(self) -> Likelihoods:
        """(V,) the frequency of each symbol, with one added to each count."""
        sequences, times = self._training, _times(self._training)
        repeats = None if times is None else np.repeat(times, sequences.lengths)  # (S,)
        counts = np.bincount(sequences.symbols, repeats, self._vocab_size) + 1  # (V,)
        frequencies: Likelihoods = counts / counts.sum()
        return frequencies

    @cached_property
    def _ngram_likelihoods(self) -> dict[int, Likelihoods]:
        """(S,) the probability of each held-out symbol, for each order."""
        if not self._orders:
            return {}
        levels = self._count(self._training)
        return likelihoods_by_order(levels, self._vocab_size, self._orders, self._held_out)

    @cached_property
    def _levels(self) -> list[Level]:
        """The counts of all sequences."""
        return self._count(self._everything)

    def _count(self, sequences: Sequences) -> list[Level]:
        """Count n-grams up to the highest order, by the weights of names."""
        return count(sequences, self._vocab_size, max(self._orders), _times(sequences))


def _times(sequences: Sequences) -> NDArray[np.int64] | None:
    """(N,) how often each sequence counts; None for once."""
    return whole_counts(sequences.weights) if isinstance(sequences, Names) else None


class _Candidate(NamedTuple):
    """One order of n-grams, mixed with the networks.

    Attributes:
        order: the n-gram order; 0 for no n-grams.
        weights: the weight of each member, by name.
        nats: the held-out loss in nats per symbol.
        alone: the held-out loss of each member alone, by name.
    """

    order: int
    weights: dict[str, float]
    nats: float
    alone: dict[str, float]
