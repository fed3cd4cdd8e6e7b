"""Constraints: compared with string methods and `fnmatch`, word by word."""

from collections import deque
from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from dinogen.data import CaseRule, Vocabulary
from dinogen.errors import SettingError
from dinogen.generation import (
    DEAD,
    START,
    Automaton,
    Options,
    Successors,
    compile_avoided,
    compile_constraints,
    successors_automaton,
)

KEEP = CaseRule.unchanged()
FOLD = CaseRule(folds=True, capital_after=frozenset("\n"))

SYMBOLS = " -abc"
VOCABULARY = Vocabulary.of(SYMBOLS)
WORDS = ["".join(word) for length in range(6) for word in product(SYMBOLS, repeat=length)]
"""All words of up to five symbols, each after the word without its last symbol."""


def is_name(word: str) -> bool:
    """Whether a word is not empty and has white space only between other symbols."""
    return word != "" and word == word.strip() and "  " not in word


def written(texts: Sequence[str]) -> tuple[str, ...]:
    """The texts that are not empty. The others are ignored."""
    return tuple(filter(None, texts))


def satisfies(word: str, options: Options) -> bool:
    """Whether a word satisfies the constraints, by the standard library."""
    return (
        is_name(word)
        and word.startswith(written(options.prefix) or "")
        and word.endswith(written(options.suffix) or "")
        and all(text in word for text in options.contains)
        and not any(text in word for text in written(options.not_contains))
        and (options.min_length is None or len(word) >= options.min_length)
        and (options.max_length is None or len(word) <= options.max_length)
        and (options.pattern is None or fnmatchcase(word, options.pattern))
    )


def accepted(automaton: Automaton, vocabulary: Vocabulary = VOCABULARY) -> list[str]:
    """All accepted words, by table lookups."""
    transitions, accepts = automaton.transitions.tolist(), automaton.accepts.tolist()
    index = {symbol: i for i, symbol in enumerate(vocabulary.symbols, start=1)}
    state = {"": START}
    for word in WORDS[1:]:
        state[word] = transitions[state[word[:-1]]][index[word[-1]]]
    return [word for word in WORDS if accepts[state[word]]]


def shortest(automaton: Automaton) -> str:
    """The first of the shortest accepted words."""
    queue = deque([(START, "")])
    seen = {START, DEAD}
    while queue:
        state, word = queue.popleft()
        if automaton.accepts[state]:
            return word
        for index, symbol in enumerate(SYMBOLS, start=1):
            following = int(automaton.transitions[state, index])
            if following not in seen:
                seen.add(following)
                queue.append((following, word + symbol))
    raise AssertionError("no word is accepted")


def check(options: Options) -> None:
    """Compare an automaton with the standard library. If it is refused, no word may satisfy it."""
    expected = [word for word in WORDS if satisfies(word, options)]
    try:
        automaton = compile_constraints(options, VOCABULARY, KEEP)
    except SettingError:
        assert expected == []
        return
    if automaton is None:
        assert expected == [word for word in WORDS if is_name(word)]
        return
    assert accepted(automaton) == expected
    # The automaton accepts at least one word, even if it has more than five symbols.
    assert satisfies(shortest(automaton), options)


def test_rules() -> None:
    """Without constraints, the automaton of the rules accepts exactly the words that are names."""
    assert accepted(successors_automaton(Successors.of(VOCABULARY))) == [
        word for word in WORDS if is_name(word)
    ]


texts = st.text(SYMBOLS, max_size=3)
patterns = st.text("abc- *?[]!", max_size=6) | st.lists(
    st.sampled_from(
        ["*", "?", "a", "b", "-", " ", "[ab]", "[!a]", "[a-c]", "[!b- ]", "[]a]", "[-a]"]
    ),
    max_size=5,
).map("".join)


@settings(max_examples=80, deadline=None)
@given(prefix=texts | st.lists(texts, max_size=4))
@example(["ab", "a"])
@example(["a", "ab", "abc"])
@example(["", "b"])
def test_prefix(prefix: Sequence[str]) -> None:
    """The accepted words are those that `str.startswith` finds, for one text or for any of some."""
    check(Options(prefix=prefix))


@settings(max_examples=80, deadline=None)
@given(suffix=texts | st.lists(texts, max_size=4))
@example(["aab", "ab"])
@example(["bab", "a", "ba"])
@example(["", "b"])
def test_suffix(suffix: Sequence[str]) -> None:
    """The accepted words are those that `str.endswith` finds, for one text or for any of some.

    A text may overlap itself and the others.
    """
    check(Options(suffix=suffix))


@settings(max_examples=80, deadline=None)
@given(contains=st.lists(texts, max_size=3))
@example(["aab"])
@example(["ab", "ba"])
def test_contains(contains: list[str]) -> None:
    """A word is accepted if every text occurs in it. Occurrences may overlap."""
    check(Options(contains=contains))


@settings(max_examples=80, deadline=None)
@given(not_contains=texts | st.lists(texts, max_size=4))
@example(["aab", "ab"])
@example(["a", "b", "c"])
@example([" ", ""])
def test_not_contains(not_contains: Sequence[str]) -> None:
    """A word is accepted if none of the texts occurs in it."""
    check(Options(not_contains=not_contains))


def test_one_text_is_a_list_of_one() -> None:
    """A `str` is one text and not a list of symbols."""
    for name in ("prefix", "suffix", "contains", "not_contains", "avoid", "exclude"):
        forms: list[Any] = ["ab", ["ab"], ("ab",)]
        assert {getattr(Options(**{name: form}), name) for form in forms} == {("ab",)}
        none: list[Any] = [(), []]
        assert {getattr(Options(**{name: form}), name) for form in none} == {()}


@pytest.mark.parametrize("least", [None, 0, 1, 3, 5])
@pytest.mark.parametrize("most", [None, 1, 2, 3, 5, 9])
def test_lengths(least: int | None, most: int | None) -> None:
    """Both bounds are inclusive."""
    check(Options(min_length=least, max_length=most))


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
    """The accepted words are those that `fnmatch` finds. A glob without a match is refused."""
    check(Options(pattern=pattern))


short = st.text(SYMBOLS, max_size=2)


@settings(max_examples=120, deadline=None)
@given(
    st.builds(
        Options,
        prefix=short | st.lists(short, max_size=3),
        suffix=short | st.lists(short, max_size=3),
        contains=st.lists(short, max_size=2),
        not_contains=st.lists(short, max_size=2),
        min_length=st.none() | st.integers(0, 5),
        max_length=st.none() | st.integers(1, 6),
        pattern=st.none() | patterns,
    )
)
def test_all_together(options: Options) -> None:
    """A word is accepted if it satisfies all constraints."""
    check(options)


def test_only_impossible_constraints_are_refused() -> None:
    """Constraints are refused if no word of up to five symbols satisfies them.

    A prefix and a suffix of one or two symbols never need more than five.
    """
    for prefix, suffix in product(("a", " ", "b-", "c "), ("a", " ", "ab", " b")):
        for most in (1, 2, 3, 4, 5):
            options = Options(prefix=prefix, suffix=suffix, max_length=most)
            if any(satisfies(word, options) for word in WORDS):
                assert compile_constraints(options, VOCABULARY, KEEP) is not None
            else:
                with pytest.raises(SettingError, match="no name can satisfy this"):
                    compile_constraints(options, VOCABULARY, KEEP)


def are_equal(one: Automaton | None, other: Automaton | None) -> bool:
    """Whether two automata have the same tables."""
    assert one is not None
    assert other is not None
    tables = [
        (automaton.transitions.tolist(), automaton.accepts.tolist()) for automaton in (one, other)
    ]
    return tables[0] == tables[1]


@pytest.mark.parametrize(
    ("folded", "plain"),
    [
        (Options(pattern="T*SAURUS"), Options(pattern="t*saurus")),
        (Options(pattern="[R-U]?[!A-E]*"), Options(pattern="[r-u]?[!a-e]*")),
        (Options(prefix="Tau"), Options(prefix="tau")),
        (Options(suffix="SAURUS"), Options(suffix="saurus")),
        (Options(contains=("Au", "RU")), Options(contains=("au", "ru"))),
        (Options(not_contains=("Au", "RU")), Options(not_contains=("au", "ru"))),
        (Options(prefix=("TAU", "É")), Options(prefix=("tau", "é"))),
        (Options(prefix="É"), Options(prefix="é")),
        (Options(prefix="E\u0301"), Options(prefix="é")),
        (Options(pattern="[E\u0301]*"), Options(pattern="[é]*")),
    ],
    ids=str,
)
def test_texts_are_folded_like_training_names(folded: Options, plain: Options) -> None:
    """Texts are lower-cased if the training names were, and composed."""
    vocabulary = Vocabulary.of("abcdeorstuxé")
    assert are_equal(
        compile_constraints(folded, vocabulary, FOLD), compile_constraints(plain, vocabulary, KEEP)
    )


def test_texts_are_composed_if_case_is_kept_too() -> None:
    """Texts are normalised to NFC like every training list, whether case is folded or not."""
    vocabulary = Vocabulary.of("abcé")
    for decomposed, composed in (
        (Options(prefix="e\u0301a"), Options(prefix="éa")),
        (Options(pattern="*[e\u0301]"), Options(pattern="*[é]")),
    ):
        assert are_equal(
            compile_constraints(decomposed, vocabulary, KEEP),
            compile_constraints(composed, vocabulary, KEEP),
        )


def test_case_matters_if_it_is_kept() -> None:
    """If case is not folded, a small letter does not match its capital."""
    vocabulary = Vocabulary.of("abAB")
    words = ["".join(word) for n in range(1, 4) for word in product("abAB", repeat=n)]
    index = {symbol: i for i, symbol in enumerate(vocabulary.symbols, start=1)}
    for options in (
        Options(prefix="A", suffix="b"),
        Options(contains=("Ab",)),
        Options(pattern="[A-B]*[!b]"),
    ):
        automaton = compile_constraints(options, vocabulary, KEEP)
        assert automaton is not None
        found = [w for w in words if automaton.accepts[automaton.read(index[s] for s in w)]]
        assert found == [word for word in words if satisfies(word, options)]
        assert found


@pytest.mark.parametrize(
    ("options", "option"),
    [
        (Options(prefix="abz"), "prefix 'abz'"),
        (Options(prefix=("ab", "z", "c")), "prefix 'z'"),
        (Options(suffix="zab"), "suffix 'zab'"),
        (Options(suffix=("a", "zab")), "suffix 'zab'"),
        (Options(contains=("a", "az")), "contains"),
        (Options(pattern="a*z"), "pattern"),
        (Options(pattern="[z]a"), "pattern"),
        (Options(pattern="a[x-z]*"), "pattern"),
        (Options(pattern="*[!- a-c]"), "pattern"),
    ],
    ids=str,
)
def test_unknown_symbols_are_refused(options: Options, option: str) -> None:
    """The message names the option, and the symbol or the set of symbols."""
    with pytest.raises(SettingError, match=rf"^{option}.*(unknown symbol 'z'|no symbol of \[.+\])"):
        compile_constraints(options, VOCABULARY, KEEP)


def test_an_unknown_capital_is_refused_if_case_is_kept() -> None:
    """If case is folded, it is not refused."""
    options = Options(prefix="A")
    with pytest.raises(SettingError, match="prefix 'A': unknown symbol 'A'"):
        compile_constraints(options, VOCABULARY, KEEP)
    assert compile_constraints(options, VOCABULARY, FOLD) is not None


@pytest.mark.parametrize("text", ["a\nb", "\n", "a\n"])
def test_a_newline_is_refused(text: str) -> None:
    """It separates names, so it is not a symbol of any name."""
    for options in (
        Options(prefix=text),
        Options(suffix=text),
        Options(contains=(text,)),
        Options(pattern=text),
    ):
        with pytest.raises(SettingError, match=r"unknown symbol '\\n'"):
            compile_constraints(options, VOCABULARY, KEEP)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (Options(min_length=4, max_length=3), ["min length 4", "max length 3"]),
        (Options(prefix="abc", max_length=2), ["prefix 'abc'", "max length 2"]),
        (Options(prefix=("abc", "cba"), max_length=2), ["prefix 'abc' or 'cba'", "max length 2"]),
        (Options(suffix=("abc", " b"), max_length=1), ["suffix 'abc' or ' b'", "max length 1"]),
        (Options(contains="ab", not_contains="b"), ["contains 'ab'", "not contains 'b'"]),
        (Options(pattern="a*", not_contains=("b", "a")), ["not contains 'b' or 'a'", "pattern"]),
        (Options(not_contains=[*"-abc"]), ["not contains '-' or 'a' or 'b' or 'c'"]),
        (Options(prefix=" a"), ["prefix ' a'"]),
        (Options(suffix="a "), ["suffix 'a '"]),
        (Options(contains=("b", "a  b")), ["contains 'b'", "contains 'a  b'"]),
        (Options(pattern="a??", suffix="b", min_length=4), ["pattern 'a??'", "suffix 'b'"]),
        (Options(pattern="??", max_length=1), ["pattern '??'", "max length 1"]),
    ],
    ids=str,
)
def test_impossible_constraints_are_named(options: Options, named: list[str]) -> None:
    """The message names all constraints as they were written."""
    with pytest.raises(
        SettingError, match="no name can satisfy this; relax the constraints"
    ) as refused:
        compile_constraints(options, VOCABULARY, KEEP)
    for constraint in named:
        assert constraint in str(refused.value)


@pytest.mark.parametrize(
    "options",
    [
        Options(),
        Options(prefix="", suffix="", contains=("", "")),
        Options(prefix=""),
        Options(not_contains=("", "z", "az", "a\nb", "a" * 1_001)),
        Options(temperature=0.5, top_k=3, exclude=["a"], allow_known=True),
        Options(avoid=["a"], min_distance=2),
    ],
    ids=str,
)
def test_no_constraints_give_no_automaton(options: Options) -> None:
    """Empty texts and the other options are not constraints. No name has an unknown symbol."""
    assert compile_constraints(options, VOCABULARY, KEEP) is None


# Symbols that are the same.


def match(symbols: str, case: CaseRule, options: Options) -> list[str]:
    """All words of one to three symbols that satisfy the constraints."""
    vocabulary = Vocabulary.of(symbols)
    automaton = compile_constraints(options, vocabulary, case)
    assert automaton
    words = ["".join(word) for n in (1, 2, 3) for word in product(vocabulary.symbols, repeat=n)]
    return [
        word for word in words if automaton.accepts[automaton.read(vocabulary.indices_of(word))]
    ]


@pytest.mark.parametrize(
    ("symbols", "options", "expected"),
    [
        ("αςσ", Options(suffix="ΑΣ", max_length=2), "ας ασ"),
        ("αςσ", Options(prefix="σς", max_length=2), "ςς ςσ σς σσ"),
        ("αςσ", Options(not_contains="Σ"), "α αα ααα"),
        ("αςσ", Options(pattern="[Σ]"), "ς σ"),
        ("αςσ", Options(pattern="[!ς]"), "α"),
        ("αςσ", Options(pattern="[ρ-τ]"), "ς σ"),
        ("AB", Options(prefix="a", max_length=2), "A AA AB"),
        ("AB", Options(pattern="[a-b]b"), "AB BB"),
        ("ß", Options(prefix="ẞ", max_length=1), "ß"),
        ("aßt", Options(pattern="[r-u]"), "t"),
        ("aßt", Options(pattern="[ß-ü]"), "ß"),
        ("iıİ", Options(prefix="I", max_length=1), "i"),
        ("iıİ", Options(prefix="ı", max_length=1), "ı"),
        ("iıİ", Options(prefix="İ", max_length=1), "İ"),
        ("iıİ", Options(pattern="[!İ]"), "i ı"),
        ("b'o", Options(prefix="O\u2019", max_length=2), "o'"),
        ("b\u2019o", Options(prefix="o'", max_length=2), "o\u2019"),
        ("b\u2019o", Options(pattern="?[']b"), "b\u2019b o\u2019b \u2019\u2019b"),
        ("a\u00a0", Options(contains="A\u202fa"), "a\u00a0a"),
        ("a ", Options(not_contains="a\u00a0"), "a aa aaa"),
    ],
    ids=ascii,
)
def test_symbols_that_are_the_same(symbols: str, options: Options, expected: str) -> None:
    """Case, the form of a sigma, of an apostrophe and of a space do not matter."""
    assert match(symbols, FOLD, options) == expected.split(" ")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(contains="A\u2019", max_length=2), ["A'"]),
        (Options(pattern="[A-B\u2019]"), ["'", "A"]),
        (Options(not_contains=("a", "\u2019")), ["A", "AA", "AAA"]),
    ],
    ids=ascii,
)
def test_apostrophes_are_the_same_if_case_is_kept(options: Options, expected: list[str]) -> None:
    """Then case matters, but the form of an apostrophe does not."""
    assert match("'aA", KEEP, options) == expected


# Texts that overlap.


alternatives = st.lists(st.text("ab", min_size=1, max_size=12), min_size=1, max_size=4)


@settings(deadline=None, max_examples=150)
@given(alternatives, st.text("ab", max_size=40))
def test_search_agrees_with_the_standard_library(texts: list[str], word: str) -> None:
    """This includes texts that overlap with themselves and with each other."""
    expected = {
        Options(prefix=texts): word.startswith(tuple(texts)),
        Options(suffix=texts): word.endswith(tuple(texts)),
        Options(contains=texts[0]): texts[0] in word,
        Options(not_contains=texts): word != "" and not any(text in word for text in texts),
    }
    for options, accepts in expected.items():
        try:
            automaton = compile_constraints(options, Vocabulary.of("ab"), KEEP)
        except SettingError:
            assert options.not_contains
            assert {"a", "b"} <= set(texts)
            continue
        assert automaton
        state = automaton.read("ab".index(symbol) + 1 for symbol in word)
        assert automaton.accepts[state] == accepts


@settings(deadline=None, max_examples=100)
@given(
    avoid=st.lists(st.text(" 'ABab\u2019z", max_size=4), max_size=6),
    words=st.lists(st.text(" 'ab", min_size=1, max_size=12), max_size=8),
)
def test_avoided_texts(avoid: list[str], words: list[str]) -> None:
    """The filter keeps the names that contain none of the texts, in any case."""
    vocabulary = Vocabulary.of(" 'ab")
    passes = compile_avoided(avoid, vocabulary, FOLD)
    found = [text.lower().replace("\u2019", "'") for text in avoid if text and "z" not in text]
    if passes is None:
        assert found == []
        return
    names = vocabulary.encode("".join(f"{word}\n" for word in words))
    expected = [not any(text in word for text in found) for word in words]
    assert passes(names).tolist() == expected


@pytest.mark.parametrize("pattern", ["[", "[ab", "a[", "[]", "[!]", "*[^b", "[a]["])
def test_an_open_bracket_is_refused(pattern: str) -> None:
    """The message says what is missing."""
    with pytest.raises(SettingError) as refused:
        compile_constraints(Options(pattern=pattern), VOCABULARY, KEEP)
    expected = f"pattern {pattern!r}: [ is not closed; write ] after the set"
    assert str(refused.value) == expected


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", "pattern is empty; give one, for example 'a*'"),
        (
            "[b-a]",
            "pattern '[b-a]': the model has no symbol of [b-a]; write a-b, since b-a runs backward",
        ),
    ],
)
def test_a_pattern_that_cannot_match_says_why(pattern: str, message: str) -> None:
    """An empty pattern and a range that runs backwards are called that."""
    with pytest.raises(SettingError) as refused:
        compile_constraints(Options(pattern=pattern), VOCABULARY, KEEP)
    assert str(refused.value) == message


def test_an_open_bracket_may_be_a_symbol() -> None:
    """If the vocabulary has the bracket, it stands for itself, as in `fnmatch`."""
    words = ["".join(word) for n in (1, 2, 3) for word in product("[a", repeat=n)]
    for pattern in ("[", "[a", "a[", "*[a"):
        expected = [word for word in words if fnmatchcase(word, pattern)]
        assert match("[a", KEEP, Options(pattern=pattern)) == sorted(expected, key=words.index)


@pytest.mark.parametrize("option", ["prefix", "suffix", "contains"])
def test_a_text_longer_than_any_name_is_refused(option: str) -> None:
    """The limit is the largest value of `max_length`."""

    def options(length: int) -> Options:
        given: Any = {option: "ab" * (length // 2)}
        return Options(**given)

    assert compile_constraints(options(1_000), VOCABULARY, KEEP)
    with pytest.raises(
        SettingError, match=f"{option}: 1,002 symbols, more than the maximum of 1,000"
    ):
        compile_constraints(options(1_002), VOCABULARY, KEEP)
