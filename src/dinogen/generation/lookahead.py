"""How likely what is written so far is to become a name that is accepted."""

import numpy as np
from numpy.typing import NDArray

from dinogen.generation.automata import Automaton, universal
from dinogen.text.names import END, Names

_TIMES = 200
_CLOSE = 1e-3


def bigrams(names: Names, symbols: int) -> NDArray[np.float64]:
    """(V, V) how likely each symbol follows each other in names, none of them never.

    One more of everything, shared out by how often it occurs at all (Dirichlet smoothing).
    """
    following = names.symbols.astype(np.int64)  # (S,)
    before = np.roll(following, 1)  # (S,)
    counts = np.zeros((symbols, symbols))
    np.add.at(counts, (before, following), 1)
    often = (np.bincount(following, minlength=symbols) + 0.5) / (len(following) + 0.5 * symbols)
    likely: NDArray[np.float64] = (counts + often) / (counts.sum(axis=1, keepdims=True) + 1)
    return likely


def look_ahead(automaton: Automaton, follows: NDArray[np.float64]) -> NDArray[np.float64]:
    """(Q, V) how likely a name is to be accepted, once a symbol is written in a state.

    What a Markov chain of names says, worked out backwards from the ends: with h(q, c) the chance
    in the state q after the symbol c, h(q, c) = P(end | c) [q accepts] + sum over x of
    P(x | c) h(q x, x). It leads a sampler to where names can be accepted; what it gets wrong, the
    sampler's weights put right.

    Args:
        automaton: what is accepted.
        follows: (V, V) how likely each symbol follows each other, see `bigrams`.

    Returns:
        The table: for the end of a name, whether it is accepted.
    """
    moves, accepts = automaton
    everything = universal(automaton)  # (Q,)
    chance = np.where(everything[:, np.newaxis], 1.0, np.outer(accepts, follows[:, END]))  # (Q, V)
    written = np.arange(len(follows))
    for _ in range(_TIMES):
        ahead = chance[moves, written]  # (Q, V) after one symbol more
        ahead[:, END] = accepts
        better = ahead @ follows.T  # (Q, V)
        better[everything] = 1
        done = np.allclose(better, chance, rtol=_CLOSE, atol=0)
        chance = better
        if done:
            break
    ahead = chance[moves, written]  # (Q, V)
    ahead[:, END] = accepts
    return ahead
