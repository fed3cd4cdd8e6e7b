"""Drawing names that an automaton accepts: sequential Monte Carlo (Doucet and Johansen 2009)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.generation.automata import START, Automaton
from dinogen.generation.choice import choose, shape
from dinogen.generation.growing import forbid
from dinogen.generation.lookahead import LEAST_LOG, Chain
from dinogen.generation.options import Options
from dinogen.models.language_model import LanguageModel
from dinogen.text.names import END, Names


class Course(NamedTuple):
    """Where names are to be steered.

    Attributes:
        automaton: what is accepted.
        chain: what the model's names are like, roughly.
        ahead: (Q, C, V) how likely it is then, after each symbol in each state and context, to be
            accepted: logarithms, see `look_ahead`.
    """

    automaton: Automaton
    chain: Chain
    ahead: NDArray[np.float64]


def steer(
    model: LanguageModel, random: np.random.Generator, size: int, options: Options, course: Course
) -> Names:
    """Draw names from the model's distribution, given that they are accepted.

    Names grow side by side. Each next symbol is drawn by how likely it is times how likely it is to
    lead to acceptance; so each name carries a weight, how likely the model finds it against how
    likely it was to be drawn. Whenever few names carry most of the weight, the names are drawn
    anew by their weights. The larger the block, the closer the names come to the distribution;
    where looking ahead is exact, as for a prefix, they are drawn from it at any size.

    Args:
        model: what the names are drawn from; only its likelihoods are asked for.
        random: the block's stream.
        size: N, names to draw.
        options: what shapes the names besides.
        course: where to.

    Returns:
        N names, some of them the same where it is hard to be accepted; none where no name found
        its way.
    """
    moves, contexts = course.automaton.moves, course.chain.following
    columns: list[NDArray[np.intp]] = []  # (N,) each: the symbols of one place, END after the end
    weight = np.zeros(size)  # (N,) logarithms
    state_of = np.full(size, START)  # (N,) of the automaton
    context_of = np.full(size, contexts[0, END])  # (N,) of the chain
    foreseen = np.zeros(size)  # (N,) what looking ahead said of what is written: logarithms
    rows = np.arange(size)  # (n,) the names that have not ended
    state = model.start(size)
    symbols = np.full(size, END)  # (n,)
    for length in range(options.max_length + 1):
        state, p = model.advance(state, symbols)  # (n, V)
        forbid(p, symbols, options, first=length == 0)
        ahead = course.ahead[state_of[rows], context_of[rows]]  # (n, V)
        steered = _logarithms(p, ahead, options) + ahead  # (n, V)
        most = np.maximum(steered.max(axis=1), LEAST_LOG)  # (n,)
        steered = np.exp(steered - most[:, np.newaxis]).T  # (V, n)
        mass = steered.sum(axis=0)  # (n,)
        with np.errstate(divide="ignore"):
            weight[rows] += np.log(mass) + most - foreseen[rows]
        uniform = random.random(size)[rows]  # (n,)
        possible = mass > 0  # (n,)
        if not possible.all():
            rows, state, steered = (
                rows[possible],
                model.select(state, possible),
                steered[:, possible],
            )
            ahead, uniform = ahead[possible], uniform[possible]
        symbols = choose(steered, uniform)  # (n,)
        foreseen[rows] = ahead[np.arange(len(rows)), symbols]
        state_of[rows] = moves[state_of[rows], symbols]
        context_of[rows] = contexts[context_of[rows], symbols]
        column = np.full(size, END)  # (N,)
        column[rows] = symbols
        columns.append(column)
        running = symbols != END  # (n,)
        rows, symbols, state = rows[running], symbols[running], model.select(state, running)
        if not len(rows):
            break
        if _effective(weight) < size / 4:
            drawn = _redraw(weight, random)  # (N,)
            place = np.full(size, -1)  # (N,) of a name among those that have not ended
            place[rows] = np.arange(len(rows))
            rows, from_place = np.flatnonzero(place[drawn] >= 0), place[drawn]
            from_place = from_place[from_place >= 0]  # (n,)
            state, symbols = model.select(state, from_place), symbols[from_place]
            columns = [column[drawn] for column in columns]
            state_of, context_of = state_of[drawn], context_of[drawn]
            foreseen, weight = foreseen[drawn], np.zeros(size)
    weight[rows] = -np.inf  # too long
    if not np.isfinite(weight).any():
        return Names.split(np.empty(0, dtype=np.uint32))
    drawn = random.permutation(_redraw(weight, random))  # (N,)
    text = np.stack([*columns, np.full(size, END)], axis=1)[drawn]  # (N, T)
    ends = (text == END).argmax(axis=1)  # (N,)
    return Names.split(text[np.arange(text.shape[1]) <= ends[:, np.newaxis]].astype(np.uint32))


def _logarithms(
    p: NDArray[np.floating], ahead: NDArray[np.float64], options: Options
) -> NDArray[np.float64]:
    """(N, V) log probabilities, bent as the options say, however low the temperature.

    Args:
        p: (N, V) probabilities, up to a factor a row. Overwritten.
        ahead: (N, V) what looking ahead says of each symbol.
        options: what bends them.
    """
    if options.cuts:
        # What is cut off is the unlikely among what can be, not what is asked for itself.
        lost = np.isneginf(ahead)  # (N, V)
        p[lost & ~lost.all(axis=1, keepdims=True)] = 0
        p[shape(p.copy(), options).T == 0] = 0
    with np.errstate(divide="ignore"):
        logarithms: NDArray[np.float64] = np.log(p, dtype=np.float64)  # (N, V)
    logarithms /= options.temperature
    logarithms -= logarithms.max(axis=1, keepdims=True)
    logarithms -= np.log(np.exp(logarithms).sum(axis=1, keepdims=True))
    return logarithms


def _effective(weight: NDArray[np.float64]) -> float:
    """How many names of equal weight would tell as much (Kong, Liu and Wong 1994)."""
    share = _shares(weight)  # (N,)
    return float(1 / (share @ share))


def _redraw(weight: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.intp]:
    """(N,) names drawn by weight, in even steps from one random start (Kitagawa 1996)."""
    share = _shares(weight)  # (N,)
    # Alike but for rounding, as after a prefix: the names are drawn from the distribution already.
    if np.ptp(share) < 1e-4 / len(share):
        return np.arange(len(share))
    steps = (random.random() + np.arange(len(share))) / len(share)  # (N,)
    return np.minimum(np.searchsorted(np.cumsum(share), steps), len(share) - 1)


def _shares(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) the weights, no longer logarithms, as shares of one."""
    share: NDArray[np.float64] = np.exp(weight - weight.max())  # (N,)
    share /= share.sum()
    return share
