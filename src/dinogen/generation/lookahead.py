"""How likely what is written so far is to become a name that is accepted."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.generation.automata import Automaton, universal
from dinogen.text.names import END

_CLOSE = 1e-4

LEAST_LOG = -1e300
"""What minus infinity is taken for where something is subtracted from it."""


class Chain(NamedTuple):
    """A Markov chain of names: what comes next depends on the context alone.

    Attributes:
        following: (C, V) the context after each symbol in each context; 0 is that of no symbol.
        p: (C, V) how likely each symbol is to come next; none is 0.
    """

    following: NDArray[np.integer]
    p: NDArray[np.floating]


def look_ahead(automaton: Automaton, chain: Chain, rounds: int) -> NDArray[np.float64]:
    """(Q, C, V) how likely a name is to be accepted, once a symbol is written: logarithms.

    What a chain of names says, worked out backwards from the ends: with h(q, c) the chance in the
    state q and the context c, and qx and cx those after the symbol x, h(q, c) = P(end | c) if q
    accepts, and for each x, P(x | c) h(qx, cx) more. It leads a sampler to where names can be
    accepted; what it gets wrong, the sampler's weights put right.

    Args:
        automaton: what is accepted.
        chain: what names are like.
        rounds: how many symbols to look ahead, at the most.

    Returns:
        The table: for the end of a name, whether it is accepted.
    """
    moves, accepts = automaton
    following, p = chain.following, chain.p.astype(np.float64)  # (C, V), (C, V)
    everything = universal(automaton)  # (Q,)
    # h = value e^scale, the largest value of a state being 1: far ends would be 0 without.
    value = np.where(everything[:, np.newaxis], 1.0, np.outer(accepts, p[:, END]))  # (Q, C)
    scale = np.zeros(len(accepts))  # (Q,)
    _normalise(value, scale, np.arange(len(accepts)))

    def after(rows: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(q, C, V) values once a symbol is written, and the (q,) scale of all of them."""
        scales = scale[moves[rows]]  # (q, V)
        scales[:, END] = np.where(accepts[rows], 0, -np.inf)
        most = np.maximum(scales.max(axis=1), LEAST_LOG)  # (q,)
        ahead = value[moves[rows][:, np.newaxis, :], following]  # (q, C, V)
        ahead[:, :, END] = 1
        ahead *= np.exp(scales - most[:, np.newaxis])[:, np.newaxis, :]
        return ahead, most

    rows = np.flatnonzero(~everything)  # (q,) those that may still change
    for _ in range(rounds):
        before, scale_before = value[rows], scale[rows]  # (q, C), (q,)
        ahead, most = after(rows)  # (q, C, V), (q,)
        value[rows], scale[rows] = np.einsum("qcv,cv->qc", ahead, p), most
        _normalise(value, scale, rows)
        with np.errstate(invalid="ignore"):  # impossible before and after: no difference, no number
            far = np.abs(scale[rows] - scale_before) > _CLOSE  # (q,)
        far |= (np.abs(value[rows] - before) > _CLOSE).any(axis=1)
        changed = np.zeros(len(accepts), dtype=np.bool_)
        changed[rows[far]] = True
        rows = np.flatnonzero(changed[moves].any(axis=1) & ~everything)
        if not len(rows):
            break
    ahead, most = after(np.arange(len(accepts)))
    with np.errstate(divide="ignore"):
        return np.log(ahead) + most[:, np.newaxis, np.newaxis]


def _normalise(
    value: NDArray[np.float64], scale: NDArray[np.float64], rows: NDArray[np.intp]
) -> None:
    """Bring the largest value of some states to 1, what they are worth unchanged, in place."""
    largest = value[rows].max(axis=1)  # (q,)
    with np.errstate(divide="ignore"):
        scale[rows] += np.log(largest)
    value[rows] /= np.where(largest > 0, largest, 1)[:, np.newaxis]
