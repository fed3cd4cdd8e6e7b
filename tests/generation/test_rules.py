"""The rules for names: the masks, the automaton and a literal twin describe the same rule."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from dinogen.data import END, CaseRule, Vocabulary, learn_pairs
from dinogen.errors import SettingError
from dinogen.generation import (
    DEAD,
    START,
    Decoding,
    NameRules,
    Options,
    Successors,
    compile_constraints,
    draw_block,
    successors_automaton,
)
from tests.networks import random_network

ACUTE, I_SIGN, VIRAMA, ZWJ, ZWNJ = "\u0301", "\u093f", "\u094d", "\u200d", "\u200c"
MARKS = ACUTE + I_SIGN + VIRAMA + ZWJ + ZWNJ
LETTERS = "\u1100\u1102\u1161\u11a8"
ALPHABET = "ab \u2003कख" + MARKS + LETTERS
V = len(Vocabulary.of(ALPHABET))

lists = st.lists(
    st.text(ALPHABET, min_size=1, max_size=6).map(str.strip).filter(bool), min_size=1, max_size=12
)


def may_follow(before: str, after: str, names: list[str]) -> bool:
    """The rule, pair by pair. A newline stands for the beginning and the end of a name."""
    seen = any(before + after in f"\n{name}\n" for name in names)
    if seen and {before, after} & set(LETTERS):
        return True
    spaces = (" ", "\u2003", "\n")
    if before in spaces and after in spaces:
        return False
    initial, vowel = before in "\u1100\u1102", after == "\u1161"
    if initial != vowel or (after == "\u11a8" and before != "\u1161"):
        return False
    is_known = any(after in name for name in names)
    if after in MARKS and is_known and not seen:
        return False
    return seen or before not in ZWJ + ZWNJ or not any(before in name for name in names)


def build(names: list[str]) -> tuple[Vocabulary, Successors]:
    """Learn the table of a list, over the whole alphabet."""
    vocabulary = Vocabulary.of(ALPHABET)
    pairs = learn_pairs(vocabulary.encode("".join(f"{name}\n" for name in names)), vocabulary)
    return vocabulary, Successors.of(vocabulary, pairs)


@settings(max_examples=200, deadline=None)
@given(lists)
def test_the_table_agrees_with_a_literal_twin(names: list[str]) -> None:
    """Each symbol may follow each other one exactly if the rule says so."""
    vocabulary, successors = build(names)
    symbols = ("\n", *vocabulary.symbols)
    found = successors.allowed[successors.rows]  # (V, V)
    expected = [[may_follow(before, after, names) for after in symbols] for before in symbols]
    assert found.tolist() == expected
    # Symbols with the same successors share a row.
    assert len(np.unique(successors.allowed, axis=0)) == len(successors.allowed)


@settings(max_examples=200, deadline=None)
@given(lists, st.lists(st.integers(1, V - 1), max_size=6))
def test_masks_agree_with_the_automaton(names: list[str], symbols: list[int]) -> None:
    """After every allowed beginning, a symbol is masked exactly if the automaton refuses it."""
    vocabulary, successors = build(names)
    rules, automaton = NameRules(8, successors), successors_automaton(successors)
    other = vocabulary.indices_of("a")[0]
    state = START
    for place in range(len(symbols) + 1):
        p = np.ones((2, V), dtype=np.float32)
        if place:
            rules.mask_next(p, np.array([symbols[place - 1], other]), place)
            assert (p[1] > 0).tolist() == successors.allowed[successors.rows[other]].tolist()
        else:
            rules.mask_first(p)
        allowed = automaton.transitions[state] != DEAD  # (V,)
        allowed[END] = automaton.accepts[state]
        assert (p[0] > 0).tolist() == allowed.tolist()
        if place == len(symbols) or not allowed[symbols[place]]:
            break
        state = int(automaton.transitions[state, symbols[place]])


def written(names: NDArray[np.unsignedinteger], vocabulary: Vocabulary) -> list[str]:
    """Write names symbol by symbol."""
    text = "".join(("\n", *vocabulary.symbols)[symbol] for symbol in names.tolist())
    return text.split("\n")[:-1]


@settings(max_examples=40, deadline=None)
@given(lists, st.integers(0, 99), st.sampled_from([0.2, 1.0, 1e6]))
def test_drawn_names_obey_the_rule(names: list[str], seed: int, temperature: float) -> None:
    """At any temperature, a whole name has only neighbours that the rule allows."""
    vocabulary, successors = build(names)
    rules = NameRules(5, successors, continuing=vocabulary.continuing)
    model = random_network(V, 4, seed=seed, dtype=np.float32)
    random, decoding = np.random.default_rng(seed), Decoding(temperature)
    drawn, excess = draw_block(model, random, 200, decoding, rules)
    whole = written(drawn.filter(np.isfinite(excess)).symbols, vocabulary)
    for name in whole:
        framed = f"\n{name}\n"
        assert all(map(may_follow, framed, framed[1:], [names] * (len(name) + 1))), name


def test_a_name_that_nothing_may_follow_is_cut_off() -> None:
    """If all symbols are forbidden, the name is not a candidate."""
    # After b comes only the end, but the shortest name has three symbols.
    vocabulary = Vocabulary.of("ab")
    allowed = np.array([[False, True, True], [True, True, True], [True, False, False]])
    rules = NameRules(6, Successors(np.arange(3), allowed), min_length=3)
    model = random_network(3, 4, seed=11, dtype=np.float32, scale=0.1)
    for decoding in (Decoding(), Decoding(temperature=0.5, keep=0.5), Decoding(top_p=0.5)):
        drawn, excess = draw_block(model, np.random.default_rng(1), 400, decoding, rules)
        whole = written(drawn.filter(np.isfinite(excess)).symbols, vocabulary)
        assert 0 < len(whole) < 400
        assert all(len(name) >= 3 and "b" not in name[:-1] for name in whole)


def test_the_last_symbol_can_end_a_name() -> None:
    """A name that is ended at the maximum length ends with a symbol that may be the last one."""
    vocabulary, successors = build(["क" + VIRAMA + ZWJ + "ख", "a b", "\u1100\u1161\u11a8"])
    p = np.ones((3, V))
    NameRules(4, successors).mask_last(p, np.array([True, False, True]))
    forbidden = set(vocabulary.indices_of([" ", "\u2003", ZWJ, "\u1100", "\u1102"]))
    assert [set(np.flatnonzero(row == 0).tolist()) for row in p] == [forbidden, set(), forbidden]
    # A vowel does not make a name longer, so it has room after an initial consonant.
    p = np.ones((1, V))
    NameRules(4, successors, continuing=vocabulary.continuing).mask_last(p)
    assert set(np.flatnonzero(p == 0).tolist()) == set(vocabulary.indices_of([" ", "\u2003", ZWJ]))


def test_without_a_table_only_the_empty_name_is_forbidden() -> None:
    """No other probability changes."""
    for rules in (NameRules(4), NameRules(4, Successors.of(Vocabulary.of("abc")))):
        p = np.ones((3, 4))
        rules.mask_next(p, np.array([1, 2, 3]), 1)
        rules.mask_last(p)
        assert p.all()
        rules.mask_first(p)
        assert (p[:, END] == 0).all()
        assert p[:, 1:].all()


def test_a_short_name_does_not_end() -> None:
    """The end is forbidden until a name has the minimum length; nothing else is."""
    rules = NameRules(max_length=9, min_length=3)
    p = np.ones((4, V))
    rules.mask_next(p, np.array([1, 2, 3, 4]), np.array([1, 2, 3, 4]))
    assert (p[:, END] == 0).tolist() == [True, True, False, False]
    assert p[:, 1:].all()


def test_a_large_vocabulary_has_a_small_table() -> None:
    """The table grows with the symbols that bear marks, not with the square of the vocabulary."""
    letters = "".join(map(chr, range(0x4E00, 0x9E00)))
    text = "".join(f"{letter}\n" for letter in letters) + "क" + I_SIGN + " \u0301\n"
    vocabulary = Vocabulary.of(text)
    successors = Successors.of(vocabulary, learn_pairs(vocabulary.encode(text), vocabulary))
    assert successors.allowed.shape == (4, len(vocabulary))  # the start, a space, क and the others


def test_too_large_a_table_does_not_restrict_marks() -> None:
    """A file that claims more bearers of marks than fit into memory gets no such rule."""
    letters = [chr(0x4E00 + i) for i in range(5_000)]
    vocabulary = Vocabulary([I_SIGN, *letters])
    pairs = np.array([[i, 1] for i in range(2, 5_002)], dtype=np.uint32)
    assert len(Successors.of(vocabulary, pairs).allowed) == 2


@pytest.mark.parametrize(
    "options",
    [
        Options(prefix=(I_SIGN,)),
        Options(prefix=(ZWJ,)),
        Options(contains=("a" + I_SIGN,)),
        Options(suffix=("b" + ACUTE,), prefix=("a",)),
        Options(pattern=f"[ab]{I_SIGN}*"),
        Options(suffix=(ZWJ,)),
    ],
    ids=["prefix", "joiner", "contains", "suffix", "pattern", "at the end"],
)
def test_constraints_that_contradict_the_rule_are_refused(options: Options) -> None:
    """A mark where no name of the list has one is refused, and the constraint is named."""
    vocabulary, successors = build(
        ["aक" + I_SIGN + "ख", "b", "क" + VIRAMA + ZWJ + "ख", "a" + ACUTE]
    )
    with pytest.raises(SettingError, match=r"^(prefix|contains|suffix|pattern) .* such a mark"):
        compile_constraints(options, vocabulary, CaseRule.unchanged(), successors)
    compile_constraints(options, vocabulary, CaseRule.unchanged())
    fitting = Options(prefix=("aक" + I_SIGN,), suffix=(ZWJ + "ख",), min_length=30)
    assert compile_constraints(fitting, vocabulary, CaseRule.unchanged(), successors)
