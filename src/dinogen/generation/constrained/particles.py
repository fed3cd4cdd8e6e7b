"""Sampling under constraints by a particle filter (Doucet and Johansen 2009)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.data.batches import resample
from dinogen.data.sequences import END
from dinogen.generation.blocks import Candidates, Rows, predict
from dinogen.generation.constrained.automata import START, Automaton
from dinogen.generation.decoding import Decoding, draw_symbols, reweight
from dinogen.generation.prefixes import PrefixTree, branch
from dinogen.generation.rules import NameRules
from dinogen.models.language_model import MIN_PROBABILITY, Array, LanguageModel

MIN_LOG = -1e300
"""Replaces a logarithm of minus infinity before a subtraction, which would give NaN."""


class MarkovChain(NamedTuple):
    """A Markov chain of names: the next symbol depends only on one of C contexts.

    Attributes:
        following: (C, V) the context after each context and symbol.
        p: (C, V) the probability of each symbol in each context; none is 0.
        start: the context at the beginning of a name.
    """

    following: NDArray[np.integer]
    p: NDArray[np.floating]
    start: int


class LookaheadPlan(NamedTuple):
    """What the particle filter knows of a model and its constraints; a `Plan`.

    Attributes:
        automaton: accepts the names that satisfy the constraints.
        chain: the Markov chain that approximates the model.
        log_acceptance: (Q, C, V) log probability that a name of the chain is accepted, after each
            next symbol; see `dinogen.generation.constrained.lookahead.lookahead_table`.
    """

    automaton: Automaton
    chain: MarkovChain
    log_acceptance: NDArray[np.float64]

    @property
    def is_exact(self) -> bool:
        """See `Plan.is_exact`."""
        return False

    def draw(
        self,
        model: LanguageModel,
        random: np.random.Generator,
        size: int,
        decoding: Decoding,
        rules: NameRules,
    ) -> Candidates:
        """See `Plan.draw`."""
        return draw_constrained(model, random, size, decoding, rules, self)


def draw_constrained(
    model: LanguageModel,
    random: np.random.Generator,
    size: int,
    decoding: Decoding,
    rules: NameRules,
    plan: LookaheadPlan,
) -> Candidates:
    """Draw names from the model's distribution, conditioned on acceptance by an automaton.

    Each of N particles is an unfinished name. Its next symbol is drawn with a probability
    proportional to the model's probability of the symbol times the lookahead's probability of
    acceptance after it. The weight of a particle corrects for the difference from the model's
    distribution. When the effective sample size falls below N / 4, the particles are resampled.

    The names approach the conditional distribution as N grows. If the lookahead is exact, as for a
    prefix, they have that distribution for every N.

    Args:
        model: the model to sample.
        random: the random stream of the block.
        size: N, the number of particles.
        decoding: temperature and truncation.
        rules: the rules for names. Names longer than `NameRules.max_length` are discarded.
        plan: the constraints and their lookahead.

    Returns:
        N names, with repeats if acceptance is rare; none if no particle was accepted.
    """
    particles = _Particles(model, size, decoding, rules, plan)
    for _ in range(rules.max_symbols + 1):
        if not particles.extend(random.random(size)):
            break
        if _effective_sample_size(particles.log_weight) < size / 4:
            particles.copy(_resample(particles.log_weight, random))
    particles.discard_unfinished()
    if not np.isfinite(particles.log_weight).any():
        return Candidates.none()
    drawn = random.permutation(_resample(particles.log_weight, random))  # (N,)
    return Candidates(particles.tree.names(particles.nodes[drawn]), particles.excess[drawn])


class _Particles:
    """N particles. Unfinished ones with the same prefix share its row.

    Attributes:
        tree: the prefixes.
        nodes: (N,) the node of each particle.
        log_weight: (N,) the logarithm of its weight; minus infinity if it is not accepted.
        excess: (N,) the excess of each finished particle, see `Candidates`.
    """

    def __init__(
        self,
        model: LanguageModel,
        size: int,
        decoding: Decoding,
        rules: NameRules,
        plan: LookaheadPlan,
    ) -> None:
        self.tree = PrefixTree(model.vocab_size)
        self.nodes = np.zeros(size, dtype=np.int32)
        self.log_weight = np.zeros(size)
        self.excess = np.zeros(size)
        self._model = model
        self._decoding = decoding
        self._rules = rules
        self._plan = plan
        self._row_of = np.zeros(size, dtype=np.intp)  # (N,) -1 for finished particles
        self._rows = Rows.empty()  # D prefixes
        self._state_of = np.array([START])  # (D,) states of the automaton
        self._context_of = np.array([plan.chain.start])  # (D,) contexts of the chain
        self._log_foreseen = np.zeros(1)  # (D,) the log acceptance after the last symbol

    def extend(self, uniform: NDArray[np.float64]) -> bool:
        """Draw the next symbol of each unfinished particle.

        Args:
            uniform: (N,) random numbers in [0, 1).

        Returns:
            Whether a particle is unfinished.
        """
        running = np.flatnonzero(self._row_of >= 0)  # (n,)
        row_of, rows, decoding = self._row_of[running], self._rows, self._decoding
        state, p = predict(self._model, rows, self._rules)  # (D, V)
        log_acceptance = self._plan.log_acceptance[self._state_of, self._context_of]  # (D, V)
        proposal = log_probabilities(p, log_acceptance, decoding) + log_acceptance  # (D, V)
        largest = np.maximum(proposal.max(axis=1), MIN_LOG)  # (D,)
        proposal = np.exp(proposal - largest[:, np.newaxis]).T  # (V, D)
        mass = proposal.sum(axis=0)  # (D,)
        with np.errstate(divide="ignore"):
            log_mass = np.log(mass) + largest - self._log_foreseen  # (D,)
        self.log_weight[running] += log_mass[row_of]
        possible = (mass > 0)[row_of]  # (n,)
        self._row_of[running[~possible]] = -1
        running, row_of = running[possible], row_of[possible]
        proposal = np.ascontiguousarray(proposal)
        symbols = draw_symbols(proposal, uniform[running], row_of)  # (n,)
        parents, symbols, row_of = branch(row_of, symbols, p.shape)  # (B,), (B,), (n,)
        if decoding.keep < 1:
            excess = rows.excess_after(p, parents, symbols)  # (B,)
        else:
            excess = rows.excess[parents]
        lengths = self._rules.lengthen(rows.lengths[parents], symbols)  # (B,)
        nodes = self.tree.add(rows.nodes[parents], symbols)
        self.nodes[running] = nodes[row_of]
        self.excess[running] = excess[row_of]
        # Names that are too long are discarded.
        ends = symbols == END  # (B,)
        is_long = ~ends & (lengths > self._rules.max_length)  # (B,)
        self.log_weight[running[is_long[row_of]]] = -np.inf
        runs = ~(ends | is_long)  # (B,)
        self._row_of[running] = np.where(runs, np.cumsum(runs) - 1, -1)[row_of]
        self._log_foreseen = log_acceptance[parents, symbols][runs]
        self._state_of = self._plan.automaton.transitions[self._state_of[parents], symbols][runs]
        self._context_of = self._plan.chain.following[self._context_of[parents], symbols][runs]
        self._rows = Rows(nodes, state, parents, symbols, excess, lengths).select(runs)
        return bool(runs.any())

    def copy(self, drawn: NDArray[np.intp]) -> None:
        """Replace the particles by copies of (N,) particles, which all have the same weight."""
        self.nodes, self.excess = self.nodes[drawn], self.excess[drawn]
        self._row_of = self._row_of[drawn]
        self.log_weight = np.zeros(len(drawn))

    def discard_unfinished(self) -> None:
        """Give the particles that have not ended no weight."""
        self.log_weight[self._row_of >= 0] = -np.inf


def log_probabilities(
    p: Array, log_acceptance: NDArray[np.float64], decoding: Decoding
) -> NDArray[np.float64]:
    """(N, V) log probabilities after temperature and truncation.

    Truncation counts only symbols after which the name can still be accepted, so that one is left.
    The probabilities are shares of what truncation leaves of all symbols. So a particle that can
    only go on with an unlikely symbol loses weight. Logarithms do not underflow.

    Args:
        p: (N, V) probabilities, up to a factor per row.
        log_acceptance: (N, V) the lookahead's log acceptance after each symbol.
        decoding: how names are drawn.
    """
    with np.errstate(divide="ignore"):
        logarithms: NDArray[np.float64] = np.log(p, dtype=np.float64)  # (N, V)
    if decoding.temperature != 1:
        logarithms /= decoding.temperature
    if not decoding.truncates:
        return logarithms - _log_sum(logarithms)
    kept = reweight(p, decoding).T > 0  # (N, V)
    log_sum = _log_sum(np.where(kept, logarithms, -np.inf))  # (N, 1)
    possible = np.isfinite(log_acceptance)  # (N, V)
    possible |= ~possible.any(axis=1, keepdims=True)
    kept = reweight(np.where(possible, p, 0), decoding).T > 0
    return np.where(kept, logarithms - log_sum, -np.inf)


def _log_sum(logarithms: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 1) the logarithm of the sum of each row of exp(x), for (N, V) logarithms."""
    # Where no symbol may follow, all are minus infinity.
    largest = np.maximum(logarithms.max(axis=1, keepdims=True), MIN_LOG)  # (N, 1)
    shares = np.exp(logarithms - largest).sum(axis=1, keepdims=True)  # (N, 1)
    result: NDArray[np.float64] = np.log(np.maximum(shares, MIN_PROBABILITY)) + largest
    return result


def _effective_sample_size(log_weight: NDArray[np.float64]) -> float:
    """Return the effective sample size, 1 / sum of squared weights (Kong, Liu and Wong 1994)."""
    share = _normalised(log_weight)  # (N,)
    return float(1 / (share @ share))


def _resample(log_weight: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.intp]:
    """(N,) particles drawn by weight."""
    share = _normalised(log_weight)  # (N,)
    # Weights that differ only by rounding, as with a prefix, need no resampling.
    if np.ptp(share) < 1e-4 / len(share):
        return np.arange(len(share))
    return resample(share, random.random())


def _normalised(log_weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) weights that sum to 1, from their logarithms."""
    share: NDArray[np.float64] = np.exp(log_weight - log_weight.max())  # (N,)
    share /= share.sum()
    return share
