"""Lookahead: the probability that an unfinished name becomes one that an automaton accepts."""

import numpy as np
from numpy.typing import NDArray

from dinogen.data.sequences import END
from dinogen.errors import SettingError
from dinogen.generation.blocks import draw_block
from dinogen.generation.constrained.automata import TOO_COMPLEX, Automaton, universal_states
from dinogen.generation.constrained.particles import MIN_LOG, LookaheadPlan, MarkovChain
from dinogen.generation.decoding import Decoding
from dinogen.generation.rules import NameRules
from dinogen.models.language_model import LanguageModel, max_block_size
from dinogen.models.ngram.counts import Level, count
from dinogen.models.ngram.kneser_ney import NGram
from dinogen.rng import Purpose, random_stream
from dinogen.threads import one_thread

Counts = list[Level]
"""Counts of n-grams, from which the chain is built."""

CHAIN_NAMES = 1_024
"""The number of names drawn to build the Markov chain; fewer for large vocabularies."""

CHAIN_ORDERS = (4, 3, 2, 1)
"""The n-gram orders of the chain. The first one whose table is small enough is used."""

EXTRA_HORIZON = 128
"""The number of symbols to look ahead beyond the longest path through the automaton."""

MAX_LOOKAHEAD_TABLE = 1 << 21
"""The maximum number of entries of a (Q, C, V) table: 16 MiB."""

_TOLERANCE = 1e-4
"""The convergence threshold of the fixed point iteration."""


@one_thread()
def count_grams(model: LanguageModel, decoding: Decoding, rules: NameRules) -> Counts:
    """Count the n-grams of names drawn from a model, of which `plan_lookahead` builds a chain.

    Args:
        model: the model to sample.
        decoding: how names are drawn. Only the temperature counts: truncation would hide the
            unlikely names, which the constraints may require.
        rules: the rules for names.
    """
    size = min(CHAIN_NAMES, max_block_size(model.vocab_size))
    random = random_stream(0, Purpose.LOOKAHEAD)
    names, _ = draw_block(model, random, size, decoding.without_truncation(), rules)
    return count(names, model.vocab_size, max(CHAIN_ORDERS))


def plan_lookahead(
    levels: Counts, vocab_size: int, automaton: Automaton, rules: NameRules
) -> LookaheadPlan:
    """Approximate a model by n-grams of its names, and compute the lookahead table.

    Args:
        levels: the counts of n-grams of names, see `count_grams`.
        vocab_size: V, of the model.
        automaton: accepts the names that satisfy the constraints.
        rules: the rules for names.

    Raises:
        SettingError: if even the smallest table has more than `MAX_LOOKAHEAD_TABLE` entries.
    """
    states = len(automaton.accepts)
    for order in CHAIN_ORDERS:
        ngram = NGram.from_counts(levels[:order], vocab_size)
        if ngram.tree.contexts * vocab_size * states <= MAX_LOOKAHEAD_TABLE:
            break
    else:
        raise SettingError(TOO_COMPLEX)
    contexts, _ = ngram.begin(1)  # (1,)
    chain = MarkovChain(*ngram.tables, start=int(contexts[0]))
    horizon = min(rules.max_symbols + 1, states + EXTRA_HORIZON)
    return LookaheadPlan(automaton, chain, lookahead_table(automaton, chain, horizon))


def lookahead_table(automaton: Automaton, chain: MarkovChain, horizon: int) -> NDArray[np.float64]:
    """(Q, C, V) log probability that a name of the chain is accepted, after each next symbol.

    Let h(q, c) be the probability of acceptance in the state q and the context c, and let qx and
    cx be the state and the context after the symbol x. Then h(q, c) is the sum of
    P(x | c) h(qx, cx) over all symbols x, plus P(end | c) if q accepts. It is computed by fixed
    point iteration. The weights of the particles correct for the errors of the chain.

    Args:
        automaton: accepts the names that satisfy the constraints.
        chain: the distribution of names.
        horizon: the maximum number of symbols to look ahead, one iteration for each.

    Returns:
        The table. For the end of a name it is 0 if the state accepts, and minus infinity if not.
    """
    transitions, accepts = automaton
    following, p = chain.following, chain.p.astype(np.float64)  # (C, V), (C, V)
    universal = universal_states(automaton)  # (Q,)
    # h = value * exp(log_scale). The largest value of each state is 1, which avoids underflow.
    value = np.where(universal[:, np.newaxis], 1.0, np.outer(accepts, p[:, END]))  # (Q, C)
    log_scale = np.zeros(len(accepts))  # (Q,)
    _normalise(value, log_scale, np.arange(len(accepts)))
    # The place in `value` after each symbol.
    places = transitions[:, np.newaxis, :] * np.intp(value.shape[1]) + following  # (Q, C, V)

    def after_symbol(
        states: NDArray[np.intp],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(q, C, V) scaled h after each symbol, and (q,) the logarithms of the scales."""
        log_scales = log_scale[transitions[states]]  # (q, V)
        log_scales[:, END] = np.where(accepts[states], 0, -np.inf)
        largest = np.maximum(log_scales.max(axis=1), MIN_LOG)  # (q,)
        # With mode="raise", NumPy would write to a buffer first.
        h = value.take(places[states], mode="clip")  # (q, C, V)
        h[:, :, END] = 1
        h *= np.exp(log_scales - largest[:, np.newaxis])[:, np.newaxis, :]
        return h, largest

    active = np.flatnonzero(~universal)  # (q,) the states whose values may still change
    for _ in range(horizon):
        value_before, scale_before = value[active], log_scale[active]  # (q, C), (q,)
        h, largest = after_symbol(active)  # (q, C, V), (q,)
        value[active], log_scale[active] = np.einsum("qcv,cv->qc", h, p), largest
        _normalise(value, log_scale, active)
        with np.errstate(invalid="ignore"):  # -inf - -inf, which is no change
            changed = np.abs(log_scale[active] - scale_before) > _TOLERANCE  # (q,)
        changed |= (np.abs(value[active] - value_before) > _TOLERANCE).any(axis=1)
        has_changed = np.zeros(len(accepts), dtype=np.bool_)  # (Q,)
        has_changed[active[changed]] = True
        active = np.flatnonzero(has_changed[transitions].any(axis=1) & ~universal)
        if not len(active):
            break
    h, largest = after_symbol(np.arange(len(accepts)))
    with np.errstate(divide="ignore"):
        return np.log(h) + largest[:, np.newaxis, np.newaxis]


def _normalise(
    value: NDArray[np.float64], log_scale: NDArray[np.float64], states: NDArray[np.intp]
) -> None:
    """Make the largest value of some states 1 and adjust their scales, in place."""
    largest = value[states].max(axis=1)  # (q,)
    with np.errstate(divide="ignore"):
        log_scale[states] += np.log(largest)
    value[states] /= np.where(largest > 0, largest, 1)[:, np.newaxis]
