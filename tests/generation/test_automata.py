"""Automata: compared with all words over two letters, read symbol by symbol."""

import sys
from collections.abc import Callable, Iterable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dinogen.errors import SettingError
from dinogen.generation import (
    DEAD,
    START,
    Automaton,
    absorb,
    build_automaton,
    build_search,
    build_trie,
    forbid,
    intersect,
    trim,
    universal_states,
)

LETTERS = (1, 2)
WORDS = [word for length in range(6) for word in product(LETTERS, repeat=length)]
"""All words of up to five letters."""

Word = tuple[int, ...]


@st.composite
def small(draw: st.DrawFn) -> Automaton:
    """An automaton of up to five states besides `DEAD`. The column of the end is arbitrary."""
    states = draw(st.integers(1, 5))
    row = st.lists(st.integers(0, states), min_size=3, max_size=3)
    transitions = [[DEAD] * 3, *draw(st.lists(row, min_size=states, max_size=states))]
    accepts = draw(st.lists(st.booleans(), min_size=states, max_size=states))
    return Automaton(np.array(transitions, dtype=np.int32), np.array([False, *accepts]))


def walk(automaton: Automaton, word: Iterable[int], state: int = START) -> int:
    """Return the state after a word, by one table lookup per symbol."""
    for symbol in word:
        state = automaton.transitions.tolist()[state][symbol]
    return state


def accepted(automaton: Automaton, words: Iterable[Word] = WORDS) -> set[Word]:
    """The words that an automaton accepts; none if it has no `START`."""
    transitions, accepts = automaton.transitions.tolist(), automaton.accepts.tolist()
    found = set()
    for word in words:
        state = START if len(transitions) > START else DEAD
        for symbol in word:
            state = transitions[state][symbol]
        if accepts[state]:
            found.add(word)
    return found


def reachable(automaton: Automaton, state: int = START) -> set[int]:
    """All states that are reachable from a state, itself included."""
    found, queue = {state}, [state]
    while queue:
        row = automaton.transitions[queue.pop()].tolist()
        fresh = {row[letter] for letter in LETTERS} - found
        found |= fresh
        queue += fresh
    return found


@settings(max_examples=100, deadline=None)
@given(small())
def test_read_follows_the_table(automaton: Automaton) -> None:
    """`read` returns the same state as one table lookup per symbol."""
    assert [automaton.read(word) for word in WORDS] == [walk(automaton, word) for word in WORDS]


@settings(max_examples=100, deadline=None)
@given(automaton=small(), names=st.permutations("pqrst"))
def test_build_automaton_numbers_reachable_states(automaton: Automaton, names: list[str]) -> None:
    """The same words are accepted, and there is no unreachable state."""
    transitions, accepts = automaton.transitions.tolist(), automaton.accepts.tolist()
    name = dict(enumerate(names, start=START))
    number = {called: state for state, called in name.items()}

    def next_states(state: str) -> list[str | None]:
        _, a, b = transitions[number[state]]
        return [None, name.get(a), name.get(b)]

    built = build_automaton(name[START], next_states, lambda state: accepts[number[state]])
    assert accepted(built) == accepted(automaton)
    assert len(built.accepts) - 1 == len(reachable(automaton) - {DEAD})
    assert built.transitions.shape == (len(built.accepts), 3)
    assert (built.transitions[DEAD] == DEAD).all()
    assert not built.accepts[DEAD]


@settings(max_examples=120, deadline=None)
@given(one=small(), other=small())
def test_an_intersection_accepts_the_words_of_both(one: Automaton, other: Automaton) -> None:
    """It accepts exactly the words of up to five letters that both accept."""
    both = intersect(one, other)
    assert accepted(both) == accepted(one) & accepted(other)
    assert (both.transitions[DEAD] == DEAD).all()
    assert not both.accepts[DEAD]


@settings(max_examples=120, deadline=None)
@given(small())
def test_trim_leaves_no_dead_ends(automaton: Automaton) -> None:
    """The same words are accepted, and every reachable state can reach an accepting one."""
    trimmed = trim(automaton)
    assert accepted(trimmed) == accepted(automaton)
    if not trimmed.is_empty:
        for state in reachable(trimmed) - {DEAD}:
            assert trimmed.accepts[list(reachable(trimmed, state))].any()


@settings(max_examples=120, deadline=None)
@given(automaton=small(), other=small())
def test_an_automaton_is_empty_if_it_accepts_no_word(
    automaton: Automaton, other: Automaton
) -> None:
    """This holds after `trim`.

    If any word is accepted, one is that is shorter than the number of states.
    """
    assert trim(automaton).is_empty == (not accepted(automaton))
    both = trim(intersect(automaton, other))
    assert both.is_empty == (not accepts_any(automaton, other))


def accepts_any(one: Automaton, other: Automaton) -> bool:
    """Whether both accept a common word of any length, by a search over pairs of states."""
    found = {(START, START)}
    queue = [(START, START)]
    while queue:
        a, b = queue.pop()
        for letter in LETTERS:
            pair = (walk(one, [letter], a), walk(other, [letter], b))
            if pair not in found:
                found.add(pair)
                queue.append(pair)
    return any(one.accepts[a] and other.accepts[b] for a, b in found)


@settings(max_examples=120, deadline=None)
@given(small())
def test_universal_states_accept_everything(automaton: Automaton) -> None:
    """A state is universal exactly if all words of up to five letters are accepted from it.

    If any word is refused, one is that is shorter than the number of states.
    """
    expected = [
        all(automaton.accepts[walk(automaton, word, state)] for word in WORDS)
        for state in range(len(automaton.accepts))
    ]
    assert universal_states(automaton).tolist() == expected


some_texts = st.lists(
    st.lists(st.sampled_from(LETTERS), min_size=1, max_size=4).map(tuple), min_size=1, max_size=4
)


def ends_with(word: Word, text: Word) -> bool:
    """Whether a word ends with a text, which is not empty."""
    return word[-len(text) :] == text


@settings(max_examples=120, deadline=None)
@given(some_texts)
def test_a_trie_accepts_exactly_the_texts(texts: list[Word]) -> None:
    """No beginning is shared by two of its states."""
    trie = build_trie(texts, 3)
    assert accepted(trie) == set(texts)
    beginnings = {text[:end] for text in texts for end in range(len(text) + 1)}
    assert len(trie.accepts) == 1 + len(beginnings)


@settings(max_examples=120, deadline=None)
@given(some_texts)
def test_a_search_accepts_what_ends_with_a_text(texts: list[Word]) -> None:
    """It has as many states as the trie, and never gets stuck."""
    search = build_search(texts, 3)
    expected = {word for word in WORDS if any(ends_with(word, text) for text in texts)}
    assert accepted(search) == expected
    assert len(search.accepts) == len(build_trie(texts, 3).accepts)
    assert reachable(search) == set(range(START, len(search.accepts)))


@settings(max_examples=120, deadline=None)
@given(small())
def test_an_accepted_beginning_is_enough_or_too_much(automaton: Automaton) -> None:
    """`absorb` accepts the words with an accepted beginning, and `forbid` all the others."""
    some = accepted(automaton)
    expected = {word for word in WORDS if any(word[:end] in some for end in range(len(word) + 1))}
    assert accepted(absorb(automaton)) == expected
    if not automaton.accepts[START]:
        assert accepted(forbid(automaton)) == set(WORDS) - expected - stuck(automaton)


def stuck(automaton: Automaton) -> set[Word]:
    """The words that reach `DEAD`."""
    return {word for word in WORDS if walk(automaton, word) == DEAD}


def test_too_many_transitions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The texts (1, 1) and (1, 2) need 5 rows of 3 transitions, that of `DEAD` included."""
    module = sys.modules[Automaton.__module__]
    monkeypatch.setattr(module, "MAX_TRANSITIONS", 15)
    assert build_trie([(1, 1), (1, 2)], 3).transitions.size == 15
    monkeypatch.setattr(module, "MAX_TRANSITIONS", 14)
    with pytest.raises(SettingError, match="too complex"):
        build_trie([(1, 1), (1, 2)], 3)


def counting(modulus: int) -> Automaton:
    """Accept words whose length is a multiple of a number, which is the number of states."""

    def next_states(length: int) -> list[int | None]:
        return [None, (length + 1) % modulus, (length + 1) % modulus]

    return build_automaton(0, next_states, lambda length: length == 0)


@pytest.mark.parametrize(
    "build",
    [lambda: counting(21), lambda: intersect(counting(3), counting(7))],
    ids=["built", "intersected"],
)
def test_too_many_states_are_refused(
    build: Callable[[], Automaton], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An automaton of 21 states is built if 21 are allowed, and refused if 20 are."""
    module = sys.modules[Automaton.__module__]
    monkeypatch.setattr(module, "MAX_STATES", 21)
    assert len(build().accepts) == 22
    monkeypatch.setattr(module, "MAX_STATES", 20)
    with pytest.raises(SettingError, match="too complex"):
        build()
