"""Lookahead: the probability that an unfinished name becomes one that an automaton accepts."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.data.sequences import END
from dinogen.errors import SettingError
from dinogen.generation.constrained.automata import TOO_COMPLEX, Automaton, universal_states
from dinogen.generation.decoding import Decoding, draw_block
from dinogen.generation.rules import NameRules
from dinogen.models.language_model import LanguageModel, max_block_size
from dinogen.models.ngram.counts import count
from dinogen.models.ngram.kneser_ney import NGram
from dinogen.rng import Purpose, random_stream
from dinogen.threads import one_thread

CHAIN_NAMES = 2_048
"""The number of names drawn to build the Markov chain; fewer for large vocabularies."""

CHAIN_ORDERS = (4, 3, 2, 1)
"""The n-gram orders of the chain. The first one whose table is small enough is used."""

EXTRA_HORIZON = 128
"""The number of symbols to look ahead beyond the longest path through the automaton."""

MAX_LOOKAHEAD_TABLE = 1 << 21
"""The maximum number of entries of a (Q, C, V) table: 16 MiB."""

MIN_LOG = -1e300
"""Replaces a logarithm of minus infinity before a subtraction, which would give NaN."""

_TOLERANCE = 1e-4
"""The convergence threshold of the fixed point iteration."""


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
    """What constrained sampling needs to know about a model and its constraints.

    Attributes:
        automaton: accepts the names that satisfy the constraints.
        chain: the Markov chain that approximates the model.
        log_acceptance: (Q, C, V) the table of `lookahead_table`.
    """

    automaton: Automaton
    chain: MarkovChain
    log_acceptance: NDArray[np.float64]


@one_thread()
def plan_lookahead(
    model: LanguageModel, automaton: Automaton, decoding: Decoding, rules: NameRules
) -> LookaheadPlan:
    """Approximate a model by n-grams of names drawn from it, and compute the lookahead table.

    Args:
        model: the model to sample.
        automaton: accepts the names that satisfy the constraints.
        decoding: how names are drawn.
        rules: the rules for names.

    Raises:
        SettingError: if even the smallest table has more than `MAX_LOOKAHEAD_TABLE` entries.
    """
    states, vocab_size = automaton.transitions.shape
    size = min(CHAIN_NAMES, max_block_size(vocab_size))
    # Truncation would hide the unlikely names, which the constraints may require.
    random = random_stream(0, Purpose.LOOKAHEAD)
    names, _ = draw_block(model, random, size, decoding.without_truncation(), rules)
    levels = count(names, vocab_size, max(CHAIN_ORDERS))
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

    def after_symbol(
        states: NDArray[np.intp],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(q, C, V) scaled h after each symbol, and (q,) the logarithms of the scales."""
        log_scales = log_scale[transitions[states]]  # (q, V)
        log_scales[:, END] = np.where(accepts[states], 0, -np.inf)
        largest = np.maximum(log_scales.max(axis=1), MIN_LOG)  # (q,)
        h = value[transitions[states][:, np.newaxis, :], following]  # (q, C, V)
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
