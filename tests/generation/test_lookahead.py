"""Lookahead: compared with all names of a Markov chain."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from dinogen.data import END, CaseRule, Vocabulary
from dinogen.generation import (
    DEAD,
    START,
    Automaton,
    MarkovChain,
    Options,
    compile_constraints,
    lookahead_table,
    trim,
    universal_states,
)


def by_last_symbol(p: NDArray[np.float64]) -> MarkovChain:
    """The chain whose context is the last symbol, from (V, V) probabilities."""
    following = np.tile(np.arange(len(p)), (len(p), 1))
    return MarkovChain(following, p, start=END)


@st.composite
def small(draw: st.DrawFn) -> Automaton:
    """A trimmed automaton over two letters, of up to four states besides `DEAD`."""
    states = draw(st.integers(1, 4))
    row = st.lists(st.integers(0, states), min_size=2, max_size=2).map(lambda to: [DEAD, *to])
    transitions = [[DEAD] * 3, *draw(st.lists(row, min_size=states, max_size=states))]
    accepts = draw(st.lists(st.booleans(), min_size=states, max_size=states).filter(any))
    return trim(Automaton(np.array(transitions, dtype=np.int32), np.array([False, *accepts])))


@st.composite
def chains(draw: st.DrawFn) -> NDArray[np.float64]:
    """(3, 3) probabilities of a chain of short names: 4 of 5 symbols are ends."""
    parts = st.lists(st.integers(8, 12), min_size=2, max_size=2)
    rows = np.array([[80, *draw(parts)] for _ in range(3)], dtype=np.float64)
    divided: NDArray[np.float64] = rows / rows.sum(axis=1, keepdims=True)
    return divided


def probability(
    automaton: Automaton, p: list[list[float]], state: int, last: int, letters: int
) -> float:
    """Sum over all continuations of at most so many letters that end in an accepting state."""
    total = p[last][END] if automaton.accepts[state] else 0.0
    if letters:
        for letter in (1, 2):
            to = int(automaton.transitions[state, letter])
            if to != DEAD:
                total += p[last][letter] * probability(automaton, p, to, letter, letters - 1)
    return total


@settings(max_examples=40, deadline=None)
@given(automaton=small(), p=chains())
def test_acceptance_is_the_sum_over_all_continuations(
    automaton: Automaton, p: NDArray[np.float64]
) -> None:
    """This holds after each symbol in each state.

    Continuations of more than nine letters have a probability of 1 in 2 million.
    """
    acceptance = np.exp(lookahead_table(automaton, by_last_symbol(p), horizon=2_000))[:, 0]
    assert acceptance.shape == automaton.transitions.shape
    plain = p.tolist()
    for state, row in enumerate(automaton.transitions.tolist()):
        assert acceptance[state, END] == automaton.accepts[state]
        for letter in (1, 2):
            expected = probability(automaton, plain, row[letter], letter, 9) if row[letter] else 0.0
            assert acceptance[state, letter] == pytest.approx(expected, rel=1e-3, abs=0)


VOCABULARY = Vocabulary.of("ab")


def compiled(options: Options) -> Automaton:
    """The automaton of constraints on names of two letters."""
    automaton = compile_constraints(options, VOCABULARY, CaseRule.unchanged())
    assert automaton is not None
    return automaton


@pytest.mark.parametrize(
    "options",
    [Options(prefix="ab"), Options(contains="aa"), Options(min_length=3)],
    ids=str,
)
def test_acceptance_is_certain_in_universal_states(options: Options) -> None:
    """The probability is exactly 1, even if the rows of the chain do not sum to exactly 1."""
    p = np.array([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [0.5, 0.25, 0.25]]) * (1 + 1e-7)
    automaton = compiled(options)
    acceptance = np.exp(lookahead_table(automaton, by_last_symbol(p), horizon=2_000))[:, 0]
    certain = universal_states(automaton)[automaton.transitions]
    certain[:, END] = automaton.accepts
    assert certain[:, 1:].any()
    assert (acceptance[certain] == 1).all()
    assert (acceptance[~certain] < 1).all()


def test_acceptance_before_a_prefix_is_complete() -> None:
    """It is the product of the probabilities of the remaining symbols of the prefix."""
    p = np.array([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [0.5, 0.25, 0.25]])
    automaton = compiled(Options(prefix="abba"))
    acceptance = np.exp(lookahead_table(automaton, by_last_symbol(p), horizon=2_000))[:, 0]
    state = START
    found: list[list[float]] = []
    for letter in (1, 2, 2, 1):
        found.append(acceptance[state].tolist())
        state = int(automaton.transitions[state, letter])
    b_to_a, b_to_b, a_to_b = 0.25, 0.25, 0.4
    expected: list[list[float]] = [
        [0, a_to_b * b_to_b * b_to_a, 0],
        [0, 0, b_to_b * b_to_a],
        [0, 0, b_to_a],
        [0, 1, 0],
    ]
    np.testing.assert_allclose(np.array(found), np.array(expected), rtol=1e-12)
    assert acceptance[state].tolist() == [1, 1, 1]


@pytest.mark.parametrize("length", [5, 150, 250, 1_000])
def test_acceptance_far_ahead_is_not_0(length: int) -> None:
    """The logarithm is finite however many symbols are needed for acceptance."""
    p = np.array([[0.1, 0.4, 0.5]] * 3)
    automaton = compiled(Options(min_length=length))
    acceptance = lookahead_table(automaton, by_last_symbol(p), horizon=length + 10)
    assert np.isfinite(acceptance[START, :, 1:]).all()
    # None of the remaining symbols is the end.
    np.testing.assert_allclose(acceptance[START, 0, 1], (length - 1) * np.log(0.9), rtol=1e-6)
