"""The rules for names: the masks and the automaton describe the same rule."""

import numpy as np
from hypothesis import given, settings, strategies as st

from dinogen.data import END, Vocabulary
from dinogen.generation import DEAD, START, NameRules, rules_automaton

VOCABULARY = Vocabulary.of("a b\u2003")
V = len(VOCABULARY)
RULES = NameRules(max_length=4, spaces=VOCABULARY.spaces)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, V - 1), max_size=6))
def test_masks_agree_with_the_automaton(symbols: list[int]) -> None:
    """After every allowed prefix, a symbol is masked exactly if the automaton refuses it."""
    automaton = rules_automaton(VOCABULARY)
    assert len(RULES.spaces) == 2
    state = START
    for place in range(len(symbols) + 1):
        p = np.ones((2, V), dtype=np.float32)
        if place:
            previous = np.array([symbols[place - 1], VOCABULARY.indices_of("a")[0]])
            RULES.mask_next(p, previous, place)
            assert p[1].all()  # the other name of the block is not affected
        else:
            RULES.mask_first(p)
        allowed = automaton.transitions[state] != DEAD  # (V,)
        allowed[END] = automaton.accepts[state]
        assert (p[0] > 0).tolist() == allowed.tolist()
        if place == len(symbols) or not allowed[symbols[place]]:
            break
        state = int(automaton.transitions[state, symbols[place]])


def test_the_last_symbol_is_not_white_space() -> None:
    """A name that is ended at the maximum length does not end with white space."""
    p = np.ones((3, V))
    RULES.mask_last(p)
    assert [set(np.flatnonzero(row == 0).tolist()) for row in p] == [set(RULES.spaces)] * 3


def test_without_white_space_only_the_empty_name_is_forbidden() -> None:
    """No other probability changes."""
    rules = NameRules(max_length=4)
    p = np.ones((3, V))
    rules.mask_next(p, np.array([1, 2, 3]), 1)
    rules.mask_last(p)
    assert p.all()
    rules.mask_first(p)
    assert (p[:, END] == 0).all()
    assert p[:, 1:].all()


def test_a_short_name_does_not_end() -> None:
    """The end is forbidden until a name has the minimum number of symbols; nothing else is."""
    rules = NameRules(max_length=9, min_length=3)
    for length in (1, 2, 3, 4):
        p = np.ones((2, V))
        rules.mask_next(p, np.array([1, 2]), length)
        assert (p[:, END] == 0).all() == (length < 3)
        assert p[:, 1:].all()
