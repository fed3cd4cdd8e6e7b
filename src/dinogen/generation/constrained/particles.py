"""Sampling under constraints by a particle filter (Doucet and Johansen 2009)."""

import numpy as np
from numpy.typing import NDArray

from dinogen.data.batches import resample
from dinogen.data.sequences import END, Names
from dinogen.generation.constrained.automata import START
from dinogen.generation.constrained.lookahead import MIN_LOG, LookaheadPlan
from dinogen.generation.decoding import Candidates, Decoding, draw_symbols, entropy, reweight
from dinogen.generation.rules import NameRules
from dinogen.models.language_model import MIN_PROBABILITY, Array, LanguageModel


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
    transitions, following = plan.automaton.transitions, plan.chain.following
    columns: list[NDArray[np.intp]] = []  # (N,) each: one symbol per particle; END if finished
    log_weight = np.zeros(size)  # (N,)
    state_of = np.full(size, START)  # (N,) states of the automaton
    context_of = np.full(size, plan.chain.start)  # (N,) contexts of the chain
    log_foreseen = np.zeros(size)  # (N,) the lookahead's log acceptance after the last symbol
    excess = np.zeros(size)  # (N,)
    lengths = np.zeros(size, dtype=np.int64)  # (N,) the length of each particle so far
    rows = np.arange(size)  # (n,) the unfinished particles
    state, p = model.begin(size)  # (n, V)
    rules.mask_first(p)
    for _ in range(rules.max_symbols + 1):
        fits = lengths[rows] <= rules.max_length  # (n,)
        if not fits.all():
            log_weight[rows[~fits]] = -np.inf
            rows, p, state = rows[fits], p[fits], model.select(state, fits)
            if not len(rows):
                break
        log_acceptance = plan.log_acceptance[state_of[rows], context_of[rows]]  # (n, V)
        proposal = _log_probabilities(p, log_acceptance, decoding) + log_acceptance  # (n, V)
        largest = np.maximum(proposal.max(axis=1), MIN_LOG)  # (n,)
        proposal = np.exp(proposal - largest[:, np.newaxis]).T  # (V, n)
        mass = proposal.sum(axis=0)  # (n,)
        with np.errstate(divide="ignore"):
            log_weight[rows] += np.log(mass) + largest - log_foreseen[rows]
        uniform = random.random(size)[rows]  # (n,)
        possible = mass > 0  # (n,)
        if not possible.all():
            rows, p, state, proposal = (
                rows[possible],
                p[possible],
                model.select(state, possible),
                proposal[:, possible],
            )
            log_acceptance, uniform = log_acceptance[possible], uniform[possible]
        symbols = draw_symbols(proposal, uniform)  # (n,)
        if decoding.keep < 1:
            excess[rows] -= entropy(p)
            excess[rows] -= np.log(p[np.arange(len(rows)), symbols])
        log_foreseen[rows] = log_acceptance[np.arange(len(rows)), symbols]
        state_of[rows] = transitions[state_of[rows], symbols]
        context_of[rows] = following[context_of[rows], symbols]
        column = np.full(size, END)  # (N,)
        column[rows] = symbols
        columns.append(column)
        lengths[rows] = rules.lengthen(lengths[rows], symbols)
        running = symbols != END  # (n,)
        rows, symbols, state = rows[running], symbols[running], model.select(state, running)
        if not len(rows):
            break
        if _effective_sample_size(log_weight) < size / 4:
            drawn = _resample(log_weight, random)  # (N,)
            place = np.full(size, -1)  # (N,) the row of each particle in `state`; -1 if finished
            place[rows] = np.arange(len(rows))
            rows, from_place = np.flatnonzero(place[drawn] >= 0), place[drawn]
            from_place = from_place[from_place >= 0]  # (n,)
            state, symbols = model.select(state, from_place), symbols[from_place]
            columns = [column[drawn] for column in columns]
            state_of, context_of = state_of[drawn], context_of[drawn]
            log_foreseen, log_weight = log_foreseen[drawn], np.zeros(size)
            excess, lengths = excess[drawn], lengths[drawn]
        state, p = model.advance(state, symbols)  # (n, V)
        rules.mask_next(p, symbols, lengths[rows])
    log_weight[rows] = -np.inf  # too long
    if not np.isfinite(log_weight).any():
        return Candidates(Names.split(np.empty(0, dtype=np.uint32)), np.empty(0))
    drawn = random.permutation(_resample(log_weight, random))  # (N,)
    text = np.stack([*columns, np.full(size, END)], axis=1)[drawn]  # (N, T)
    ends = (text == END).argmax(axis=1)  # (N,)
    names = Names.split(text[np.arange(text.shape[1]) <= ends[:, np.newaxis]].astype(np.uint32))
    return Candidates(names, excess[drawn])


def _log_probabilities(
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
    logarithms = _log_truncated(p, decoding)  # (N, V)
    # Where no symbol may follow, all stay minus infinity.
    largest = np.maximum(logarithms.max(axis=1, keepdims=True), MIN_LOG)  # (N, 1)
    shares = np.exp(logarithms - largest).sum(axis=1, keepdims=True)  # (N, 1)
    if decoding.truncates:
        possible = np.isfinite(log_acceptance)  # (N, V)
        possible |= ~possible.any(axis=1, keepdims=True)
        logarithms = _log_truncated(np.where(possible, p, 0), decoding)
    logarithms -= np.log(np.maximum(shares, MIN_PROBABILITY)) + largest
    return logarithms


def _log_truncated(p: Array, decoding: Decoding) -> NDArray[np.float64]:
    """(N, V) logarithms of probabilities after temperature and truncation, not normalised."""
    if decoding.truncates:
        p = np.where(reweight(p, decoding).T > 0, p, 0)
    with np.errstate(divide="ignore"):
        logarithms: NDArray[np.float64] = np.log(p, dtype=np.float64)  # (N, V)
    logarithms /= decoding.temperature
    return logarithms


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
