"""Beginnings: names with a given prefix, for which no lookahead is needed."""

import numpy as np

from dinogen.data.sequences import END
from dinogen.generation.blocks import Beginnings, Rows, predict
from dinogen.generation.constrained.automata import DEAD, START, Automaton, universal_states
from dinogen.generation.constrained.particles import log_probabilities
from dinogen.generation.decoding import Decoding
from dinogen.generation.prefixes import PrefixTree
from dinogen.generation.rules import NameRules
from dinogen.models.language_model import LanguageModel
from dinogen.threads import one_thread

MAX_BEGINNINGS = 1_024
"""The maximum number of beginnings. With more, a lookahead takes less time."""


@one_thread()
def find_beginnings(
    model: LanguageModel, prefix: Automaton, decoding: Decoding, rules: NameRules
) -> Beginnings | None:
    """Find the beginnings of all names with a prefix, and their probabilities in a model.

    A beginning ends where everything may follow. Usually it is the prefix itself. A Hangul syllable
    without a final consonant is complete only with the symbol after it.

    Args:
        model: the model to sample.
        prefix: accepts the names with the prefix, or with one of several.
        decoding: how names are drawn.
        rules: the rules for names.

    Returns:
        The beginnings; None if there are more than `MAX_BEGINNINGS`.
    """
    is_free = universal_states(prefix)  # (Q,)
    tree, rows = PrefixTree(model.vocab_size), Rows.empty()
    states, log_p = np.array([START]), np.zeros(1)  # (D,), (D,)
    found, log_found, count = [], [], 0
    while len(states):
        state, p = predict(model, rows, rules)  # (D, V)
        allowed = prefix.transitions[states] != DEAD  # (D, V)
        allowed[:, END] = prefix.accepts[states]
        log_share = log_probabilities(p, np.where(allowed, 0, -np.inf), decoding)  # (D, V)
        parents, symbols = np.nonzero(allowed & np.isfinite(log_share))  # (B,), (B,)
        count += len(parents)
        if count > MAX_BEGINNINGS:
            return None
        excess = rows.excess_after(p, parents, symbols)  # (B,)
        lengths = rules.lengthen(rows.lengths[parents], symbols)  # (B,)
        nodes = tree.add(rows.nodes[parents], symbols)
        rows = Rows(nodes, state, parents, symbols, excess, lengths)
        states = prefix.transitions[states[parents], symbols]  # (B,)
        log_p = log_p[parents] + log_share[parents, symbols]  # (B,)
        ends = is_free[states] | (symbols == END)  # (B,)
        if ends.any():
            found.append(rows.select(ends))
            log_found.append(log_p[ends])
        rows, states, log_p = rows.select(~ends), states[~ends], log_p[~ends]
    if not found:
        return Beginnings(tree, (), np.empty(0))
    weights = np.concatenate(log_found)  # (K,)
    return Beginnings(tree, tuple(found), np.cumsum(np.exp(weights - weights.max())))
