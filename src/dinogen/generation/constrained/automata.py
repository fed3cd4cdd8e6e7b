"""Deterministic finite automata over symbols, as flat tables."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import count
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from dinogen.data.sequences import END
from dinogen.errors import SettingError

DEAD, START = 0, 1
"""The state from which no name is accepted, and the initial state."""

MAX_STATES = 100_000
"""The maximum number of states in an automaton."""

MAX_TRANSITIONS = 1 << 24
"""The maximum number of transitions in the automaton of some texts: 64 MiB."""

MAX_PAIRS = 1 << 28
"""The maximum number of pairs of states in an intersection."""

TOO_COMPLEX = "the constraints are too complex together; use fewer or simpler ones"

State = TypeVar("State", bound=Hashable)


class Automaton(NamedTuple):
    """A deterministic automaton with Q states that reads the symbols of a name, without its end.

    Attributes:
        transitions: (Q, V) the next state for each state and symbol. The column of `END` is unused.
        accepts: (Q,) whether a name may end in each state.
    """

    transitions: NDArray[np.int32]
    accepts: NDArray[np.bool_]

    @property
    def is_empty(self) -> bool:
        """Whether no name is accepted. Only meaningful after `trim`."""
        return len(self.accepts) <= START

    def read(self, symbols: Iterable[int]) -> int:
        """Return the state after some symbols."""
        state = START
        for symbol in symbols:
            state = int(self.transitions[state, symbol])
        return state


def build_automaton(
    start: State,
    next_states: Callable[[State], Sequence[State | None]],
    accepts: Callable[[State], bool],
) -> Automaton:
    """Build the automaton of all states that are reachable from a start.

    Args:
        start: the initial state.
        next_states: returns the next state for each of the V symbols; None for `DEAD`.
        accepts: returns whether a name may end in a state.

    Raises:
        SettingError: if there are more than `MAX_STATES` states.
    """
    numbers = {start: START}
    states = [start]
    rows: list[list[int]] = []
    for state in states:
        row = []
        for following in next_states(state):
            if following is not None and following not in numbers:
                numbers[following] = len(states) + START
                states.append(following)
            row.append(DEAD if following is None else numbers[following])
        rows.append(row)
        if len(states) > MAX_STATES:
            raise SettingError(TOO_COMPLEX)
    transitions = np.array([[DEAD] * len(rows[0]), *rows], dtype=np.int32)  # (Q, V)
    return Automaton(transitions, np.array([False, *map(accepts, states)]))


def build_trie(texts: Iterable[Sequence[int]], width: int) -> Automaton:
    """Build the automaton that accepts exactly some texts.

    Args:
        texts: the texts. None is empty, so `START` does not accept.
        width: V, the number of columns of its table.

    Raises:
        SettingError: if there are more than `MAX_TRANSITIONS` transitions.
    """
    rows: list[dict[int, int]] = [{}, {}]  # of `DEAD` and `START`: the next state for each symbol
    accepting = set()
    for text in texts:
        state = START
        for symbol in text:
            if symbol not in rows[state]:
                rows[state][symbol] = len(rows)
                rows.append({})
            state = rows[state][symbol]
        accepting.add(state)
        if len(rows) * width > MAX_TRANSITIONS:
            raise SettingError(TOO_COMPLEX)
    transitions = np.full((len(rows), width), DEAD, dtype=np.int32)  # (Q, V)
    for state, row in enumerate(rows):
        transitions[state, list(row)] = list(row.values())
    return Automaton(transitions, np.isin(np.arange(len(rows)), list(accepting)))


def build_search(texts: Iterable[Sequence[int]], width: int) -> Automaton:
    """Build the automaton that accepts what ends with one of some texts (Aho and Corasick 1975).

    A state is the longest end of the symbols that some text begins with.

    Args:
        texts: the texts. None is empty, so `START` does not accept.
        width: V, the number of columns of its table.

    Raises:
        SettingError: if there are more than `MAX_TRANSITIONS` transitions.
    """
    transitions, accepts = build_trie(texts, width)
    # The state to fall back to where no text goes on. It stands for the longest shorter end.
    fallback = np.full(len(accepts), START)  # (Q,)
    queue = [START]
    for state in queue:
        row = transitions[state]  # (V,)
        others = transitions[fallback[state]] if state != START else np.full(width, START)  # (V,)
        longer = np.flatnonzero(row != DEAD)  # the symbols with which some text goes on
        fallback[row[longer]] = others[longer]
        accepts[row[longer]] |= accepts[others[longer]]
        queue += row[longer].tolist()
        np.copyto(row, others, where=row == DEAD)
    transitions[:, END] = DEAD
    return Automaton(transitions, accepts)


def absorb(automaton: Automaton) -> Automaton:
    """Build the automaton of all names with a beginning that an automaton accepts."""
    transitions = automaton.transitions.copy()  # (Q, V)
    accepting = np.flatnonzero(automaton.accepts)
    transitions[accepting] = accepting[:, np.newaxis]
    transitions[:, END] = DEAD
    return Automaton(transitions, automaton.accepts)


def forbid(automaton: Automaton) -> Automaton:
    """Build the automaton of all names without a beginning that an automaton accepts."""
    transitions, accepts = automaton
    allowed = ~accepts  # (Q,)
    allowed[DEAD] = False
    return Automaton(np.where(accepts[transitions], DEAD, transitions).astype(np.int32), allowed)


def intersect(one: Automaton, other: Automaton) -> Automaton:
    """Build the automaton of the names that both accept, from the reachable pairs of states.

    Raises:
        SettingError: if there are more than `MAX_STATES` states.
    """
    size = len(other.accepts)
    if len(one.accepts) * size > MAX_PAIRS:
        raise SettingError(TOO_COMPLEX)
    pairs = np.array([START * size + START])  # a pair of states is one number
    frontier, found = pairs, [pairs]
    seen = np.zeros(len(one.accepts) * size, dtype=np.bool_)
    seen[frontier] = True
    while len(frontier):
        following = _pair_transitions(one, other, frontier)  # (f, V)
        frontier = np.unique(following[~seen[following]])
        frontier = frontier[frontier >= 0]
        seen[frontier] = True
        found.append(frontier)
        if sum(map(len, found)) > MAX_STATES:
            raise SettingError(TOO_COMPLEX)
    pairs = np.concatenate(found)  # (Q,)
    numbers = np.zeros(len(seen) + 1, dtype=np.int32)  # index -1 stands for DEAD
    numbers[pairs] = np.arange(START, START + len(pairs))
    transitions = numbers[_pair_transitions(one, other, pairs)]  # (Q, V)
    dead = np.full((1, transitions.shape[1]), DEAD, dtype=np.int32)
    accepts = one.accepts[pairs // size] & other.accepts[pairs % size]  # (Q,)
    return Automaton(np.concatenate([dead, transitions]), np.r_[False, accepts])


def _pair_transitions(
    one: Automaton, other: Automaton, pairs: NDArray[np.int64]
) -> NDArray[np.int64]:
    """(Q, V) the next pair for each pair and symbol; -1 if one of its states is `DEAD`."""
    size = len(other.accepts)
    a = one.transitions[pairs // size].astype(np.int64)  # (Q, V)
    b = other.transitions[pairs % size]  # (Q, V)
    return np.where((a == DEAD) | (b == DEAD), -1, a * size + b)


def trim(automaton: Automaton) -> Automaton:
    """Replace each state from which no accepting state is reachable by `DEAD`.

    Returns:
        The same automaton with the same state numbers; an empty one if no name is accepted.
    """
    transitions, accepts = automaton
    alive = accepts.copy()  # (Q,)
    while True:
        more = alive | alive[np.delete(transitions, END, axis=1)].any(axis=1)  # (Q,)
        if (more == alive).all():
            break
        alive = more
    if not alive[START]:
        return Automaton(transitions[:START], accepts[:START])
    return Automaton(np.where(alive[transitions], transitions, DEAD).astype(np.int32), accepts)


def accepted_lengths(automaton: Automaton, uncounted: Sequence[int] = ()) -> Iterator[int]:
    """Yield the lengths of the accepted names in ascending order, endlessly if there is no longest.

    Args:
        automaton: an automaton that was trimmed.
        uncounted: the symbols that do not count in a length.
    """
    counted = np.delete(automaton.transitions, [END, *uncounted], axis=1)
    others = automaton.transitions[:, list(uncounted)]
    reached = np.array([START])  # (q,) the states after `length` symbols
    for length in count():
        while len(more := np.setdiff1d(others[reached], [*reached, DEAD])):
            reached = np.union1d(reached, more)
        if automaton.accepts[reached].any():
            yield length
        reached = np.unique(counted[reached])
        reached = reached[reached != DEAD]
        if not len(reached):
            return


def universal_states(automaton: Automaton) -> NDArray[np.bool_]:
    """(Q,) mask of the states from which every continuation is accepted."""
    transitions = np.delete(automaton.transitions, END, axis=1)  # (Q, V - 1)
    universal = automaton.accepts.copy()  # (Q,)
    while True:
        fewer = universal & universal[transitions].all(axis=1)  # (Q,)
        if (fewer == universal).all():
            return universal
        universal = fewer
