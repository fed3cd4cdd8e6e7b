"""Constraints: what they accept, against string methods and `fnmatch`, word by word."""

from collections import deque
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dinogen.errors import SettingError
from dinogen.generation.automata import DEAD, START, Automaton
from dinogen.generation.constraints import Constraints, compile_constraints
from dinogen.text.case import CaseRule
from dinogen.text.vocabulary import Vocabulary

KEEP = CaseRule.keep()
FOLD = CaseRule(fold=True, capital_after=frozenset("\n"))

SYMBOLS = " -abc"
VOCABULARY = Vocabulary.of(SYMBOLS)
WORDS = ["".join(word) for length in range(6) for word in product(SYMBOLS, repeat=length)]
"""All words of up to five symbols, each after the word that it goes on from."""


def is_tidy(word: str) -> bool:
    """A name: of at least one symbol, no space at its edges, no two in a row."""
    return word != "" and word == word.strip() and "  " not in word


def is_asked_for(word: str, asked: Constraints) -> bool:
    """What the constraints mean, in the words of Python's own library."""
    return (
        is_tidy(word)
        and word.startswith(asked.prefix or "")
        and word.endswith(asked.suffix or "")
        and all(text in word for text in asked.contains)
        and (asked.min_length is None or len(word) >= asked.min_length)
        and (asked.max_length is None or len(word) <= asked.max_length)
        and (asked.pattern is None or fnmatchcase(word, asked.pattern))
    )


def accepted(automaton: Automaton, vocabulary: Vocabulary = VOCABULARY) -> list[str]:
    """All words that are accepted, read through the table."""
    moves, accepts = automaton.moves.tolist(), automaton.accepts.tolist()
    index = {symbol: i for i, symbol in enumerate(vocabulary.symbols, start=1)}
    state = {"": START}
    for word in WORDS[1:]:
        state[word] = moves[state[word[:-1]]][index[word[-1]]]
    return [word for word in WORDS if accepts[state[word]]]


def shortest(automaton: Automaton) -> str:
    """The first of the shortest words that are accepted."""
    waiting = deque([(START, "")])
    seen = {START, DEAD}
    while waiting:
        state, word = waiting.popleft()
        if automaton.accepts[state]:
            return word
        for index, symbol in enumerate(SYMBOLS, start=1):
            following = int(automaton.moves[state, index])
            if following not in seen:
                seen.add(following)
                waiting.append((following, word + symbol))
    raise AssertionError("nothing is accepted")


def check(asked: Constraints) -> None:
    """Hold an automaton against the plain words; if it is refused, there must be no word."""
    wanted = [word for word in WORDS if is_asked_for(word, asked)]
    try:
        automaton = compile_constraints(asked, VOCABULARY, KEEP)
    except SettingError:
        assert wanted == []
        return
    if automaton is None:
        assert wanted == [word for word in WORDS if is_tidy(word)]
        return
    assert accepted(automaton) == wanted
    # Nothing is let through that accepts no word at all, however long.
    assert is_asked_for(shortest(automaton), asked)


texts = st.text(SYMBOLS, max_size=3)
patterns = st.text("abc- *?[]!", max_size=6) | st.lists(
    st.sampled_from(
        ["*", "?", "a", "b", "-", " ", "[ab]", "[!a]", "[a-c]", "[!b- ]", "[]a]", "[-a]"]
    ),
    max_size=5,
).map("".join)


@settings(max_examples=60, deadline=None)
@given(prefix=texts)
def test_prefix(prefix: str) -> None:
    """Accepted is what `str.startswith` finds among the tidy words."""
    check(Constraints(prefix=prefix))


@settings(max_examples=60, deadline=None)
@given(suffix=texts)
def test_suffix(suffix: str) -> None:
    """Accepted is what `str.endswith` finds, also where the text overlaps itself."""
    check(Constraints(suffix=suffix))


@settings(max_examples=80, deadline=None)
@given(contains=st.lists(texts, max_size=3))
@example(["aab"])
@example(["ab", "ba"])
def test_contains(contains: list[str]) -> None:
    """Accepted is what has each of the texts in it; they may overlap."""
    check(Constraints(contains=tuple(contains)))


@pytest.mark.parametrize("least", [None, 0, 1, 3, 5])
@pytest.mark.parametrize("most", [None, 1, 2, 3, 5, 9])
def test_lengths(least: int | None, most: int | None) -> None:
    """Accepted is what has as many symbols; both bounds belong to what may be."""
    check(Constraints(min_length=least, max_length=most))


@settings(max_examples=150, deadline=None)
@given(pattern=patterns)
@example("")
@example("*")
@example("[")
@example("[]")
@example("[!]")
@example("a[b")
@example("[b-a]")
@example("[!b-a]")
@example("[b-ac]")
@example("[!a-b-c]")
@example("[--b]")
@example("[a-]")
@example("[!-a]?")
@example("[]-a]")
@example("[!!a]")
@example("*[!]]*")
def test_pattern(pattern: str) -> None:
    """Accepted is what `fnmatch` finds; what could match no word is refused."""
    check(Constraints(pattern=pattern))


short = st.text(SYMBOLS, max_size=2)


@settings(max_examples=120, deadline=None)
@given(
    st.builds(
        Constraints,
        prefix=st.none() | short,
        suffix=st.none() | short,
        contains=st.lists(short, max_size=2).map(tuple),
        min_length=st.none() | st.integers(0, 5),
        max_length=st.none() | st.integers(1, 6),
        pattern=st.none() | patterns,
    )
)
def test_all_together(asked: Constraints) -> None:
    """Accepted is what is everything that is asked at once."""
    check(asked)


def test_impossible_is_refused_and_no_sooner() -> None:
    """Of all pairs of short texts those are refused that no word of up to five symbols is.

    A prefix, something in it and a suffix of one or two symbols need no more than five.
    """
    for prefix, suffix in product(("a", " ", "b-", "c "), ("a", " ", "ab", " b")):
        for most in (1, 2, 3, 4, 5):
            asked = Constraints(prefix, suffix, max_length=most)
            if any(is_asked_for(word, asked) for word in WORDS):
                assert compile_constraints(asked, VOCABULARY, KEEP) is not None
            else:
                with pytest.raises(SettingError, match="no name can be like that"):
                    compile_constraints(asked, VOCABULARY, KEEP)


def same(one: Automaton | None, other: Automaton | None) -> bool:
    """Whether two automata are the same tables."""
    assert one is not None
    assert other is not None
    tables = [(automaton.moves.tolist(), automaton.accepts.tolist()) for automaton in (one, other)]
    return tables[0] == tables[1]


@pytest.mark.parametrize(
    ("loud", "quiet"),
    [
        (Constraints(pattern="T*SAURUS"), Constraints(pattern="t*saurus")),
        (Constraints(pattern="[R-U]?[!A-E]*"), Constraints(pattern="[r-u]?[!a-e]*")),
        (Constraints(prefix="Tau"), Constraints(prefix="tau")),
        (Constraints(suffix="SAURUS"), Constraints(suffix="saurus")),
        (Constraints(contains=("Au", "RU")), Constraints(contains=("au", "ru"))),
        (Constraints(prefix="É"), Constraints(prefix="é")),
        (Constraints(prefix="E\u0301"), Constraints(prefix="é")),
        (Constraints(pattern="[E\u0301]*"), Constraints(pattern="[é]*")),
    ],
    ids=str,
)
def test_what_is_asked_is_folded_as_the_names_were(loud: Constraints, quiet: Constraints) -> None:
    """Where names were lower-cased, what is asked of them is, too; and composed as they were."""
    vocabulary = Vocabulary.of("abcdeorstuxé")
    assert same(
        compile_constraints(loud, vocabulary, FOLD), compile_constraints(quiet, vocabulary, KEEP)
    )


def test_what_is_asked_is_composed_where_case_was_kept_too() -> None:
    """Every list is read in composed form, whatever becomes of its case; so is what is asked."""
    vocabulary = Vocabulary.of("abcé")
    for loose, composed in (
        (Constraints(prefix="e\u0301a"), Constraints(prefix="éa")),
        (Constraints(pattern="*[e\u0301]"), Constraints(pattern="*[é]")),
    ):
        assert same(
            compile_constraints(loose, vocabulary, KEEP),
            compile_constraints(composed, vocabulary, KEEP),
        )


def test_case_matters_where_it_was_kept() -> None:
    """With both cases in the vocabulary, small letters do not stand for capitals."""
    vocabulary = Vocabulary.of("abAB")
    words = ["".join(word) for n in range(1, 4) for word in product("abAB", repeat=n)]
    index = {symbol: i for i, symbol in enumerate(vocabulary.symbols, start=1)}
    for asked in (
        Constraints(prefix="A", suffix="b"),
        Constraints(contains=("Ab",)),
        Constraints(pattern="[A-B]*[!b]"),
    ):
        automaton = compile_constraints(asked, vocabulary, KEEP)
        assert automaton is not None
        found = [w for w in words if automaton.accepts[automaton.read(index[s] for s in w)]]
        assert found == [word for word in words if is_asked_for(word, asked)]
        assert found


@pytest.mark.parametrize(
    ("asked", "option"),
    [
        (Constraints(prefix="abz"), "prefix"),
        (Constraints(suffix="zab"), "suffix"),
        (Constraints(contains=("a", "az")), "contains"),
        (Constraints(pattern="a*z"), "pattern"),
        (Constraints(pattern="[z]a"), "pattern"),
        (Constraints(pattern="a[x-z]*"), "pattern"),
        (Constraints(pattern="*[!- a-c]"), "pattern"),
    ],
    ids=str,
)
def test_symbols_that_the_model_never_saw_are_refused(asked: Constraints, option: str) -> None:
    """The message names the option, and the symbol or the choice that there is nothing for."""
    with pytest.raises(SettingError, match=rf"^{option} .*(never saw 'z'|no symbol of \[.+\])"):
        compile_constraints(asked, VOCABULARY, KEEP)


def test_a_capital_is_a_symbol_of_its_own_where_case_was_kept() -> None:
    """Without folding, a capital that no name had is refused; with folding it is not."""
    asked = Constraints(prefix="A")
    with pytest.raises(SettingError, match="prefix 'A': the model never saw 'A'"):
        compile_constraints(asked, VOCABULARY, KEEP)
    assert compile_constraints(asked, VOCABULARY, FOLD) is not None


@pytest.mark.parametrize("text", ["a\nb", "\n", "a\n"])
def test_the_end_of_a_line_is_no_symbol(text: str) -> None:
    """A line feed, by which names are kept apart, can be asked for in no option."""
    for asked in (
        Constraints(prefix=text),
        Constraints(suffix=text),
        Constraints(contains=(text,)),
        Constraints(pattern=text),
    ):
        with pytest.raises(SettingError, match=r"never saw '\\n'"):
            compile_constraints(asked, VOCABULARY, KEEP)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (Constraints(min_length=4, max_length=3), ["min length 4", "max length 3"]),
        (Constraints(prefix="abc", max_length=2), ["prefix 'abc'", "max length 2"]),
        (Constraints(prefix=" a"), ["prefix ' a'"]),
        (Constraints(suffix="a "), ["suffix 'a '"]),
        (Constraints(contains=("b", "a  b")), ["contains 'b'", "contains 'a  b'"]),
        (Constraints(pattern=""), ["pattern ''"]),
        (Constraints(pattern="a??", suffix="b", min_length=4), ["pattern 'a??'", "suffix 'b'"]),
        (Constraints(max_length=0), ["max length 0"]),
    ],
    ids=str,
)
def test_what_no_name_can_be_is_refused(asked: Constraints, named: list[str]) -> None:
    """The message names all that was asked, as it was written."""
    with pytest.raises(SettingError, match="no name can be like that; ask for less") as refused:
        compile_constraints(asked, VOCABULARY, KEEP)
    for demand in named:
        assert demand in str(refused.value)


@pytest.mark.parametrize(
    "asked",
    [Constraints(), Constraints(prefix="", suffix="", contains=("", "")), Constraints(prefix="")],
    ids=str,
)
def test_nothing_asked_is_no_automaton(asked: Constraints) -> None:
    """Where nothing is asked, or only for the empty text, names need not be steered."""
    assert compile_constraints(asked, VOCABULARY, KEEP) is None


GREEK = Vocabulary.of("αβςσυ")


def test_a_beginning_is_read_as_one() -> None:
    """A capital sigma that is asked for at the end of a prefix is the one within a word."""
    begins = compile_constraints(Constraints(prefix="ΑΣ"), GREEK, FOLD)
    assert begins
    moves, (alpha, _, at_end, within, _) = begins.moves, range(1, 6)
    state = moves[START, alpha]
    assert moves[state, within] != DEAD
    assert moves[state, at_end] == DEAD


@settings(deadline=None, max_examples=100)
@given(st.text("ab", min_size=1, max_size=12), st.text("ab", max_size=40), st.booleans())
def test_a_text_is_found_where_it_is(text: str, word: str, at_end: bool) -> None:
    """Texts that overlap with themselves are found wherever Python's own library finds them."""
    asked = Constraints(suffix=text) if at_end else Constraints(contains=(text,))
    automaton = compile_constraints(asked, Vocabulary.of("ab"), KEEP)
    assert automaton
    state = START
    for symbol in word:
        state = int(automaton.moves[state, "ab".index(symbol) + 1])
    assert bool(automaton.accepts[state]) == (word.endswith(text) if at_end else text in word)


@pytest.mark.parametrize("option", ["prefix", "suffix", "contains"])
def test_a_text_longer_than_any_name_is_refused(option: str) -> None:
    """Nobody waits for what no name can be."""

    def asked(length: int) -> Constraints:
        text = "ab" * (length // 2)
        given: Any = {option: (text,) if option == "contains" else text}
        return Constraints(**given)

    assert compile_constraints(asked(1_000), VOCABULARY, KEEP)
    with pytest.raises(SettingError, match=f"{option}: 1,002 symbols"):
        compile_constraints(asked(1_002), VOCABULARY, KEEP)
