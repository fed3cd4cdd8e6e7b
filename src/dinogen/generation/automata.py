"""Finite automata over symbols: which names are accepted, in flat tables."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from dinogen.errors import SettingError
from dinogen.text.names import END

DEAD, START = 0, 1
"""The states from which nothing is accepted any more, and in which a name begins."""

MOST_STATES = 100_000
MOST_PAIRS = 1 << 28

TOO_MUCH = "too much is asked for at once; ask for less, or more simply"

State = TypeVar("State", bound=Hashable)


class Automaton(NamedTuple):
    """A deterministic automaton that reads a name symbol by symbol, its end left out.

    Attributes:
        moves: (Q, V) the state after each symbol in each state; the column of `END` is not used.
        accepts: (Q,) whether a name may end in a state.
    """

    moves: NDArray[np.int32]
    accepts: NDArray[np.bool_]

    @property
    def is_empty(self) -> bool:
        """Whether no name at all is accepted; see `trim`."""
        return len(self.accepts) <= START

    def read(self, symbols: Iterable[int]) -> int:
        """Give the state after some symbols."""
        state = START
        for symbol in symbols:
            state = int(self.moves[state, symbol])
        return state


def explore(
    start: State,
    follow: Callable[[State], Sequence[State | None]],
    accepts: Callable[[State], bool],
) -> Automaton:
    """Number the states that can be reached from a start, whatever they are made of.

    Args:
        start: the first state.
        follow: gives the V states after each symbol; None for a dead one.
        accepts: tells whether a name may end in a state.

    Raises:
        SettingError: where there are more than `MOST_STATES`.
    """
    numbers = {start: START}
    states = [start]
    moves: list[list[int]] = []
    for state in states:
        row = []
        for following in follow(state):
            if following is not None and following not in numbers:
                numbers[following] = len(states) + START
                states.append(following)
            row.append(DEAD if following is None else numbers[following])
        moves.append(row)
        if len(states) > MOST_STATES:
            raise SettingError(TOO_MUCH)
    table = np.array([[DEAD] * len(moves[0]), *moves], dtype=np.int32)  # (Q, V)
    return Automaton(table, np.array([False, *map(accepts, states)]))


def intersect(one: Automaton, other: Automaton) -> Automaton:
    """Build the automaton that accepts what both accept, of the states that can be reached.

    Raises:
        SettingError: where there are more than `MOST_STATES`.
    """
    size = len(other.accepts)
    if len(one.accepts) * size > MOST_PAIRS:
        raise SettingError(TOO_MUCH)
    pairs = np.array([START * size + START])  # the states found so far, as numbers of pairs
    frontier, found = pairs, [pairs]
    seen = np.zeros(len(one.accepts) * size, dtype=np.bool_)
    seen[frontier] = True
    while len(frontier):
        following = _pair_moves(one, other, frontier)  # (f, V)
        frontier = np.unique(following[~seen[following]])
        frontier = frontier[frontier >= 0]
        seen[frontier] = True
        found.append(frontier)
        if sum(map(len, found)) > MOST_STATES:
            raise SettingError(TOO_MUCH)
    pairs = np.concatenate(found)  # (Q,)
    numbers = np.zeros(len(seen) + 1, dtype=np.int32)  # the last one is for -1, the dead
    numbers[pairs] = np.arange(START, START + len(pairs))
    moves = numbers[_pair_moves(one, other, pairs)]  # (Q, V)
    dead = np.full((1, moves.shape[1]), DEAD, dtype=np.int32)
    accepts = one.accepts[pairs // size] & other.accepts[pairs % size]  # (Q,)
    return Automaton(np.concatenate([dead, moves]), np.r_[False, accepts])


def _pair_moves(one: Automaton, other: Automaton, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """(Q, V) the pairs after each symbol; -1 where one of the two states is dead."""
    size = len(other.accepts)
    a = one.moves[pairs // size].astype(np.int64)  # (Q, V)
    b = other.moves[pairs % size]  # (Q, V)
    return np.where((a == DEAD) | (b == DEAD), -1, a * size + b)


def trim(automaton: Automaton) -> Automaton:
    """Make dead what leads to no acceptance; what is left is empty if nothing is accepted."""
    moves, accepts = automaton
    alive = accepts.copy()  # (Q,)
    while True:
        more = alive | alive[np.delete(moves, END, axis=1)].any(axis=1)  # (Q,)
        if (more == alive).all():
            break
        alive = more
    if not alive[START]:
        return Automaton(moves[:START], accepts[:START])
    return Automaton(np.where(alive[moves], moves, DEAD).astype(np.int32), accepts)


def universal(automaton: Automaton) -> NDArray[np.bool_]:
    """(Q,) the states from which everything is accepted."""
    moves = np.delete(automaton.moves, END, axis=1)  # (Q, V - 1)
    everything = automaton.accepts.copy()  # (Q,)
    while True:
        fewer = everything & everything[moves].all(axis=1)  # (Q,)
        if (fewer == everything).all():
            return everything
        everything = fewer
