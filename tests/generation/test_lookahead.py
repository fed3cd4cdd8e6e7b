"""Looking ahead: against all names of a Markov chain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dinogen.generation.automata import DEAD, START, Automaton, trim, universal
from dinogen.generation.constraints import Constraints, compile_constraints
from dinogen.generation.lookahead import Chain, look_ahead
from dinogen.text.case import CaseRule
from dinogen.text.vocabulary import Vocabulary

END = 0


def by_last_symbol(follows: NDArray[np.float64]) -> Chain:
    """The chain whose context is the last symbol."""
    symbols = len(follows)
    return Chain(np.tile(np.arange(symbols), (symbols, 1)), follows)


@st.composite
def small(draw: st.DrawFn) -> Automaton:
    """A trimmed automaton over two letters, of up to four states besides the dead one."""
    states = draw(st.integers(1, 4))
    row = st.lists(st.integers(0, states), min_size=2, max_size=2).map(lambda to: [DEAD, *to])
    moves = [[DEAD] * 3, *draw(st.lists(row, min_size=states, max_size=states))]
    accepts = draw(st.lists(st.booleans(), min_size=states, max_size=states).filter(any))
    return trim(Automaton(np.array(moves, dtype=np.int32), np.array([False, *accepts])))


@st.composite
def chains(draw: st.DrawFn) -> NDArray[np.float64]:
    """(3, 3) of a Markov chain whose names end soon: each next letter has one chance in five."""
    parts = st.lists(st.integers(8, 12), min_size=2, max_size=2)
    rows = np.array([[80, *draw(parts)] for _ in range(3)], dtype=np.float64)
    divided: NDArray[np.float64] = rows / rows.sum(axis=1, keepdims=True)
    return divided


def chance(
    automaton: Automaton, follows: list[list[float]], state: int, last: int, letters: int
) -> float:
    """Add up all ways to go on by so many letters at most, and to end in an accepting state."""
    total = follows[last][END] if automaton.accepts[state] else 0.0
    if letters:
        for letter in (1, 2):
            to = int(automaton.moves[state, letter])
            if to != DEAD:
                total += follows[last][letter] * chance(automaton, follows, to, letter, letters - 1)
    return total


@settings(max_examples=40, deadline=None)
@given(automaton=small(), follows=chains())
def test_the_chance_to_be_accepted_is_that_of_all_names_together(
    automaton: Automaton, follows: NDArray[np.float64]
) -> None:
    """After each symbol in each state: the sum over all names that go on from there.

    Names that go on by more than nine letters are one in two million.
    """
    ahead = np.exp(look_ahead(automaton, by_last_symbol(follows), rounds=2_000))[:, 0]
    assert ahead.shape == automaton.moves.shape
    plain = follows.tolist()
    for state, row in enumerate(automaton.moves.tolist()):
        assert ahead[state, END] == automaton.accepts[state]
        for letter in (1, 2):
            wanted = chance(automaton, plain, row[letter], letter, 9) if row[letter] else 0.0
            assert ahead[state, letter] == pytest.approx(wanted, rel=1e-3, abs=0)


VOCABULARY = Vocabulary.of("ab")


def compiled(asked: Constraints) -> Automaton:
    """The automaton of what is asked of names of two letters."""
    automaton = compile_constraints(asked, VOCABULARY, CaseRule.keep())
    assert automaton is not None
    return automaton


@pytest.mark.parametrize(
    "asked",
    [Constraints(prefix="ab"), Constraints(contains=("aa",)), Constraints(min_length=3)],
    ids=str,
)
def test_where_everything_is_accepted_it_is_certain(asked: Constraints) -> None:
    """Into a universal state the chance is 1 to the last bit, even where chances do not add up.

    Here those in a row are together a little more than 1.
    """
    follows = np.array([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [0.5, 0.25, 0.25]]) * (1 + 1e-7)
    automaton = compiled(asked)
    ahead = np.exp(look_ahead(automaton, by_last_symbol(follows), rounds=2_000))[:, 0]
    certain = universal(automaton)[automaton.moves]
    certain[:, END] = automaton.accepts
    assert certain[:, 1:].any()
    assert (ahead[certain] == 1).all()
    assert (ahead[~certain] < 1).all()


def test_a_prefix_is_as_likely_as_its_symbols() -> None:
    """Before a prefix is complete, the chance is the product of what is left of it."""
    follows = np.array([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [0.5, 0.25, 0.25]])
    automaton = compiled(Constraints(prefix="abba"))
    ahead = np.exp(look_ahead(automaton, by_last_symbol(follows), rounds=2_000))[:, 0]
    state = START
    found: list[list[float]] = []
    for letter in (1, 2, 2, 1):
        found.append(ahead[state].tolist())
        state = int(automaton.moves[state, letter])
    b_to_a, b_to_b, a_to_b = 0.25, 0.25, 0.4
    wanted: list[list[float]] = [
        [0, a_to_b * b_to_b * b_to_a, 0],
        [0, 0, b_to_b * b_to_a],
        [0, 0, b_to_a],
        [0, 1, 0],
    ]
    np.testing.assert_allclose(np.array(found), np.array(wanted), rtol=1e-12)
    assert ahead[state].tolist() == [1, 1, 1]


@pytest.mark.parametrize("length", [5, 150, 250, 1_000])
def test_far_is_not_never(length: int) -> None:
    """However many symbols it takes until a name is accepted, there is some chance of it."""
    follows = np.array([[0.1, 0.4, 0.5]] * 3)
    automaton = compiled(Constraints(min_length=length))
    ahead = look_ahead(automaton, by_last_symbol(follows), rounds=length + 10)
    assert np.isfinite(ahead[START, :, 1:]).all()
    # Each symbol that has yet to come is none of the ends.
    np.testing.assert_allclose(ahead[START, 0, 1], (length - 1) * np.log(0.9), rtol=1e-6)
