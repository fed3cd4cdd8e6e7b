"""Automata: against all words over two letters, read symbol by symbol."""

from collections.abc import Callable, Iterable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dinogen.errors import SettingError
from dinogen.generation import automata
from dinogen.generation.automata import (
    DEAD,
    START,
    Automaton,
    explore,
    intersect,
    trim,
    universal,
)

LETTERS = (1, 2)
WORDS = [word for length in range(6) for word in product(LETTERS, repeat=length)]
"""All words of up to five letters."""

Word = tuple[int, ...]


@st.composite
def small(draw: st.DrawFn) -> Automaton:
    """An automaton of up to five states besides the dead one, the column of the end included."""
    states = draw(st.integers(1, 5))
    row = st.lists(st.integers(0, states), min_size=3, max_size=3)
    moves = [[DEAD] * 3, *draw(st.lists(row, min_size=states, max_size=states))]
    accepts = draw(st.lists(st.booleans(), min_size=states, max_size=states))
    return Automaton(np.array(moves, dtype=np.int32), np.array([False, *accepts]))


def walk(automaton: Automaton, word: Iterable[int], state: int = START) -> int:
    """Follow a word, one look at the table a symbol."""
    for symbol in word:
        state = automaton.moves.tolist()[state][symbol]
    return state


def accepted(automaton: Automaton, words: Iterable[Word] = WORDS) -> set[Word]:
    """The words that an automaton accepts; one without a `START` accepts none."""
    moves, accepts = automaton.moves.tolist(), automaton.accepts.tolist()
    found = set()
    for word in words:
        state = START if len(moves) > START else DEAD
        for symbol in word:
            state = moves[state][symbol]
        if accepts[state]:
            found.add(word)
    return found


def reachable(automaton: Automaton, state: int = START) -> set[int]:
    """All states to which letters lead from a state, itself included."""
    found, waiting = {state}, [state]
    while waiting:
        row = automaton.moves[waiting.pop()].tolist()
        fresh = {row[letter] for letter in LETTERS} - found
        found |= fresh
        waiting += fresh
    return found


@settings(max_examples=100, deadline=None)
@given(small())
def test_reading_is_walking(automaton: Automaton) -> None:
    """`read` ends where one look at the table after the other ends."""
    assert [automaton.read(word) for word in WORDS] == [walk(automaton, word) for word in WORDS]


@settings(max_examples=100, deadline=None)
@given(automaton=small(), names=st.permutations("pqrst"))
def test_exploring_keeps_what_is_accepted(automaton: Automaton, names: list[str]) -> None:
    """States of any kind are numbered as they are reached: same words, and no state too many."""
    moves, accepts = automaton.moves.tolist(), automaton.accepts.tolist()
    name = dict(enumerate(names, start=START))
    number = {called: state for state, called in name.items()}

    def follow(called: str) -> list[str | None]:
        _, a, b = moves[number[called]]
        return [None, name.get(a), name.get(b)]

    explored = explore(name[START], follow, lambda called: accepts[number[called]])
    assert accepted(explored) == accepted(automaton)
    assert len(explored.accepts) - 1 == len(reachable(automaton) - {DEAD})
    assert explored.moves.shape == (len(explored.accepts), 3)
    assert (explored.moves[DEAD] == DEAD).all()
    assert not explored.accepts[DEAD]


@settings(max_examples=120, deadline=None)
@given(one=small(), other=small())
def test_both_accept_what_their_intersection_accepts(one: Automaton, other: Automaton) -> None:
    """Of all words of up to five letters exactly those that are in both."""
    both = intersect(one, other)
    assert accepted(both) == accepted(one) & accepted(other)
    assert (both.moves[DEAD] == DEAD).all()
    assert not both.accepts[DEAD]


@settings(max_examples=120, deadline=None)
@given(small())
def test_trimming_leaves_no_way_into_nowhere(automaton: Automaton) -> None:
    """The same words are accepted, and from all states left in reach some word is."""
    trimmed = trim(automaton)
    assert accepted(trimmed) == accepted(automaton)
    if not trimmed.is_empty:
        for state in reachable(trimmed) - {DEAD}:
            assert trimmed.accepts[list(reachable(trimmed, state))].any()


@settings(max_examples=120, deadline=None)
@given(automaton=small(), other=small())
def test_empty_is_what_accepts_no_word(automaton: Automaton, other: Automaton) -> None:
    """Once trimmed, an automaton is empty exactly if no word gets anywhere in it.

    An accepted word exists only if one exists that is shorter than there are states.
    """
    assert trim(automaton).is_empty == (not accepted(automaton))
    both = trim(intersect(automaton, other))
    assert both.is_empty == (not (accepts_any(automaton, other)))


def accepts_any(one: Automaton, other: Automaton) -> bool:
    """Whether some word of any length is accepted by both, by trying all pairs of states."""
    found = {(START, START)}
    waiting = [(START, START)]
    while waiting:
        a, b = waiting.pop()
        for letter in LETTERS:
            pair = (walk(one, [letter], a), walk(other, [letter], b))
            if pair not in found:
                found.add(pair)
                waiting.append(pair)
    return any(one.accepts[a] and other.accepts[b] for a, b in found)


@settings(max_examples=120, deadline=None)
@given(small())
def test_universal_states_accept_everything(automaton: Automaton) -> None:
    """A state is universal exactly if all words of up to five letters are accepted from it.

    Where any word is refused, one is that is shorter than there are states.
    """
    everything = [
        all(automaton.accepts[walk(automaton, word, state)] for word in WORDS)
        for state in range(len(automaton.accepts))
    ]
    assert universal(automaton).tolist() == everything


def counting(modulus: int) -> Automaton:
    """Accept words whose length is a multiple of a number: as many states."""

    def follow(length: int) -> list[int | None]:
        return [None, (length + 1) % modulus, (length + 1) % modulus]

    return explore(0, follow, lambda length: length == 0)


@pytest.mark.parametrize(
    "build",
    [lambda: counting(21), lambda: intersect(counting(3), counting(7))],
    ids=["explored", "intersected"],
)
def test_too_many_states_are_refused(
    build: Callable[[], Automaton], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An automaton of 21 states is built where 21 may be, and refused where 20 may."""
    monkeypatch.setattr(automata, "MOST_STATES", 21)
    assert len(build().accepts) == 22
    monkeypatch.setattr(automata, "MOST_STATES", 20)
    with pytest.raises(SettingError, match="too much is asked for"):
        build()
