"""Constraints on Hangul letters and on words, compared with their literal meaning, name by name."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import assume, example, given, settings, strategies as st

from dinogen.data import WORD, CaseRule, Vocabulary
from dinogen.errors import SettingError
from dinogen.generation import (
    Automaton,
    Options,
    Successors,
    accepted_lengths,
    compile_avoided,
    compile_constraints,
    successors_automaton,
    trim,
)

KEEP = CaseRule.unchanged()

# Hangul.

INITIALS, VOWELS, FINALS = "ㄴㅍ", "ㅏㅣ", "ㄴㄶ"
CHARACTERS = [*"가나난낞니닌닎파판팒피핀핂a"[1:]]
"""All syllables of these letters, and one other symbol."""

NAMES = ["".join(name) for length in range(1, 4) for name in product(CHARACTERS, repeat=length)]
VOCABULARY = Vocabulary.of("".join(CHARACTERS))

LETTERS = {
    normalize("NFD", "나")[0]: "ㄴ",
    normalize("NFD", "나")[1]: "ㅏ",
    normalize("NFD", "니")[1]: "ㅣ",
    normalize("NFD", "난")[2]: "ㄴ",
    normalize("NFD", "파")[0]: "ㅍ",
    normalize("NFD", "낞")[2]: "ㄶ",
}


def spelled(character: str) -> str:
    """The compatibility letters of a syllable; any other symbol as it is."""
    return "".join(LETTERS.get(letter, letter) for letter in normalize("NFD", character))


SPELLED = {character: spelled(character) for character in CHARACTERS}


def test_the_symbols_are_letters() -> None:
    """The names have all combinations of the letters."""
    assert len(CHARACTERS) == len(INITIALS) * len(VOWELS) * (len(FINALS) + 1) + 1
    assert len(VOCABULARY.symbols) == 7


def ends(name: str, start: tuple[int, int], text: str) -> Iterator[tuple[int, int]]:
    """Yield where a text ends that begins at a place in a name.

    A place is a character and how many of its letters come before. A syllable of a text is a whole
    character of the name; a letter of the text is one letter of the name.
    """
    character, letter = start
    if not text:
        yield start
    elif character < len(name):
        if letter == 0 and name[character] == text[0]:
            yield from ends(name, (character + 1, 0), text[1:])
        else:
            letters = SPELLED[name[character]]
            if letters[letter] == text[0]:
                following = (character, letter + 1)
                if letter + 1 == len(letters):
                    following = (character + 1, 0)
                yield from ends(name, following, text[1:])


def has(name: str, text: str, *, at_start: bool = False, at_end: bool = False) -> bool:
    """Whether a text occurs in a name, literally."""
    places = [(i, k) for i, character in enumerate(name) for k in range(len(SPELLED[character]))]
    return any(
        not at_end or end == (len(name), 0)
        for place in (places[:1] if at_start else places)
        for end in ends(name, place, text)
    )


def matches(name: str, items: Sequence[str]) -> bool:
    """Whether a name matches the items of a pattern."""
    if not items:
        return not name
    if items[0] == "*":
        return matches(name, items[1:]) or (name != "" and matches(name[1:], items))
    return name != "" and matches_one(name[0], items[0]) and matches(name[1:], items[1:])


def matches_one(character: str, item: str) -> bool:
    """Whether a character matches an item of a pattern."""
    letters = SPELLED[character]
    if item == "?":
        return True
    if item.startswith("[!"):
        return not matches_one(character, f"[{item[2:]}")
    if item.startswith("["):
        inside = item[1:-1]
        if inside[1:2] == "-" and inside[0] in "ㄴㅏ":
            return any(matches_one(character, letter) for letter in ranges[inside])
        if inside[1:2] == "-":
            return inside[0] <= character <= inside[2]
        return any(matches_one(character, each) for each in inside)
    if item in INITIALS:
        return letters[0] == item
    return character == item or (item in "ㅏㅣㄶ" and item in letters)


ranges = {"ㄴ-ㅍ": "ㄴㄶㅍ", "ㅏ-ㅣ": "ㅏㅣ"}


def satisfies(name: str, options: Options) -> bool:
    """Whether a name satisfies the constraints."""
    prefixes, suffixes = filter_texts(options.prefix), filter_texts(options.suffix)
    return (
        (not prefixes or any(has(name, text, at_start=True) for text in prefixes))
        and (not suffixes or any(has(name, text, at_end=True) for text in suffixes))
        and all(has(name, text) for text in filter_texts(options.contains))
        and not any(has(name, text) for text in filter_texts(options.not_contains))
        and len(name) >= (options.min_length or 0)
        and len(name) <= (options.max_length or 9)
    )


def filter_texts(texts: Sequence[str]) -> list[str]:
    """The texts that are not empty."""
    return [text for text in texts if text]


def accepted(automaton: Automaton, vocabulary: Vocabulary, names: Sequence[str]) -> list[str]:
    """The names that an automaton accepts."""
    table, accepts = automaton.transitions.tolist(), automaton.accepts.tolist()
    found = []
    for name in names:
        state = 1
        for symbol in vocabulary.indices_of(vocabulary.unit.split(name)):
            state = table[state][symbol]
        if accepts[state]:
            found.append(name)
    return found


def check(options: Options, expected: list[str], names: Sequence[str] = NAMES) -> None:
    """Compare an automaton with the names that satisfy the constraints."""
    try:
        automaton = compile_constraints(options, VOCABULARY, KEEP)
    except SettingError:
        assert expected == []
        return
    assert (accepted(automaton, VOCABULARY, names) if automaton else names) == expected


texts = st.text(st.sampled_from("나난피핀ㄴㅍㅏㅣㄶa"), max_size=3)


@settings(max_examples=50, deadline=None)
@given(
    st.builds(
        Options,
        prefix=texts | st.lists(texts, max_size=2),
        suffix=texts | st.lists(texts, max_size=2),
        contains=st.lists(texts, max_size=1),
        not_contains=st.lists(texts, max_size=2),
        min_length=st.none() | st.integers(0, 3),
        max_length=st.none() | st.integers(1, 3),
    )
)
@example(Options(prefix="ㅍ"))
@example(Options(prefix="피"))
@example(Options(prefix="핀"))
@example(Options(prefix=["피ㄴ", "ㄴㅏㄴㅏ"]))
@example(Options(suffix="ㄴ"))
@example(Options(suffix="ㅣ"))
@example(Options(contains="ㅏㄴㅣ"))
@example(Options(contains="ㄴㄴ"))
@example(Options(not_contains=["피", "ㄶ"]))
@example(Options(min_length=2, max_length=2))
def test_texts_match_whole_syllables_and_single_letters(options: Options) -> None:
    """A syllable of a text is complete. A letter matches wherever it is in a syllable."""
    check(options, [name for name in NAMES if satisfies(name, options)])


@settings(max_examples=50, deadline=None)
@given(st.lists(texts, max_size=4))
def test_avoided_texts(avoid: list[str]) -> None:
    """The filter for many texts means the same as `not_contains`."""
    passes = compile_avoided(avoid, VOCABULARY, KEEP)
    expected = [not any(has(name, text) for text in filter_texts(avoid)) for name in NAMES]
    if passes is None:
        assert all(expected)
    else:
        text = "".join(f"{name}\n" for name in NAMES)
        assert passes(VOCABULARY.encode(text)).tolist() == expected


items = st.sampled_from(
    [
        *"??**나핀aㄴㅍㅏㄶ",
        "[나-니]",
        "[a]",
        "[!피]",
        "[ㅍ난]",
        "[ㄴ-ㅍ]",
        "[ㅏ-ㅣ]",
        "[!ㄴ]",
        "[!ㅣ]",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(items, max_size=4))
@example(["ㅍ", "?"])
@example(["*", "[나-니]"])
@example(["?", "?", "?"])
def test_an_item_of_a_pattern_is_a_syllable(pattern: list[str]) -> None:
    """A question mark, a set and a letter stand for one syllable or one other symbol."""
    expected = [name for name in NAMES if matches(name, pattern)]
    check(Options(pattern="".join(pattern)), expected)


def test_letters_of_all_kinds_in_constraints() -> None:
    """A conjoining letter and decomposed syllables work, too."""
    initial, vowel, final = [*normalize("NFD", "핀")]
    for text, same in ((initial, "ㅍ"), (vowel, "ㅣ"), (initial + vowel, "피")):
        for option in ("prefix", "contains"):
            given: Any = {option: text}
            check(
                Options(**given),
                [name for name in NAMES if has(name, same, at_start=option == "prefix")],
            )
    check(Options(suffix=final), [name for name in NAMES if name[-1] in "난닌판핀"])
    check(Options(pattern=f"[{final}]*"), [name for name in NAMES if name[0] in "난닌판핀"])


def test_letters_that_a_list_has_alone_match_too() -> None:
    """A compatibility letter of the list is a symbol of its own, and is found by itself."""
    vocabulary = Vocabulary.of("ㅋㅋ코킥\n")
    names = ["ㅋ", "ㅋㅋ", "코", "킥", "킥ㅋ", "ㅋ코"]
    for options, expected in (
        (Options(prefix="ㅋ"), names),
        (Options(prefix="ㅋㅋ"), ["ㅋㅋ", "ㅋ코"]),
        (Options(prefix="ㅋㅗ"), ["코"]),
        (Options(contains="ㄱㅋ"), ["킥ㅋ"]),
        (Options(pattern="ㅋ?"), ["ㅋㅋ", "킥ㅋ", "ㅋ코"]),
    ):
        automaton = compile_constraints(options, vocabulary, KEEP)
        assert automaton
        assert accepted(automaton, vocabulary, names) == expected


def test_unknown_letters_are_named() -> None:
    """The message shows the letter of a syllable that no name has."""
    for options, message in (
        (Options(prefix="하"), "prefix '하': unknown symbol 'ㅎ'"),
        (Options(suffix="학"), "suffix '학': unknown symbol 'ㅎ'"),
        (Options(contains="ㅎ"), "contains 'ㅎ': unknown symbol 'ㅎ'"),
        (Options(pattern="나낙"), "pattern '나낙': unknown symbol '-ㄱ'"),
        (Options(pattern="ㅎ*"), "pattern 'ㅎ\\*': unknown symbol 'ㅎ'"),
        (Options(pattern="[ㅎ]*"), "no symbol of \\[ㅎ\\]"),
    ):
        with pytest.raises(SettingError, match=message):
            compile_constraints(options, VOCABULARY, KEEP)
    assert compile_constraints(Options(not_contains=["하", "ㅎ"]), VOCABULARY, KEEP) is None


def test_too_many_readings_are_refused() -> None:
    """Letters that are typed alone can stand for many sequences."""
    vocabulary = Vocabulary.of("ㅋㅗ코킥\n")
    with pytest.raises(SettingError, match="too complex"):
        compile_constraints(Options(prefix="ㅋㅗ" * 40), vocabulary, KEEP)


def test_accepted_lengths_count_syllables() -> None:
    """Vowels and final consonants do not lengthen a name."""
    rules = successors_automaton(Successors.of(VOCABULARY))
    lengths = accepted_lengths(trim(rules), VOCABULARY.continuing)
    assert [next(lengths) for _ in range(3)] == [1, 2, 3]
    for options, expected in (
        (Options(pattern="핀?핀"), [3]),
        (Options(prefix="피", max_length=3), [1, 2, 3]),
        (Options(pattern="핀", min_length=1), [1]),
    ):
        automaton = compile_constraints(options, VOCABULARY, KEEP)
        assert automaton
        assert [*accepted_lengths(automaton, VOCABULARY.continuing)] == expected


# Words.

WORDS = ["a", "ab", "b", "k'a", "["]
SENTENCES = [" ".join(words) for n in range(1, 5) for words in product(WORDS, repeat=n)]
WORD_VOCABULARY = Vocabulary.of("".join(f"{word}\n" for word in WORDS), WORD)


def position_of(words: list[str], text: list[str]) -> list[int]:
    """Where some words occur within others."""
    return [i for i in range(len(words) - len(text) + 1) if words[i : i + len(text)] == text]


def word_matches(words: list[str], items: Sequence[str]) -> bool:
    """Whether words match the items of a pattern."""
    if not items:
        return not words
    item, rest = items[0], items[1:]
    if item == "*":
        return word_matches(words, rest) or (words != [] and word_matches(words[1:], items))
    if not words:
        return False
    if item.startswith("[!"):
        one = words[0] not in item[2:-1].split()
    elif item.startswith("[") and len(item) > 1:
        one = words[0] in item[1:-1].split()
    else:
        one = item in ("?", words[0])
    return one and word_matches(words[1:], rest)


def split(texts: Sequence[str]) -> list[list[str]]:
    """The words of the texts that have any, with the apostrophe of the vocabulary."""
    return [text.replace("\u2019", "'").split() for text in texts if text.split()]


def word_satisfies(sentence: str, options: Options) -> bool:
    """Whether a name of words satisfies the constraints."""
    words = sentence.split()
    prefixes, suffixes = split(options.prefix), split(options.suffix)
    return (
        (not prefixes or any(words[: len(text)] == text for text in prefixes))
        and (not suffixes or any(words[-len(text) :] == text for text in suffixes))
        and all(position_of(words, text) for text in split(options.contains))
        and not any(position_of(words, text) for text in split(options.not_contains))
        and len(words) >= (options.min_length or 0)
        and len(words) <= (options.max_length or 9)
    )


word_texts = st.lists(st.sampled_from([*WORDS, "k\u2019a"]), max_size=2).map("  ".join)


@settings(max_examples=50, deadline=None)
@given(
    st.builds(
        Options,
        prefix=word_texts | st.lists(word_texts, max_size=2),
        suffix=word_texts | st.lists(word_texts, max_size=2),
        contains=st.lists(word_texts, max_size=1),
        not_contains=st.lists(word_texts, max_size=2),
        min_length=st.none() | st.integers(0, 4),
        max_length=st.none() | st.integers(1, 4),
    )
)
@example(Options(prefix="a"))
@example(Options(suffix="k\u2019a"))
@example(Options(contains="a b", not_contains="ab"))
def test_texts_of_words(options: Options) -> None:
    """A text matches whole words: "a" is not the beginning of "ab"."""
    expected = [sentence for sentence in SENTENCES if word_satisfies(sentence, options)]
    try:
        automaton = compile_constraints(options, WORD_VOCABULARY, KEEP)
    except SettingError:
        assert expected == []
        return
    found = accepted(automaton, WORD_VOCABULARY, SENTENCES) if automaton else SENTENCES
    assert found == expected


word_items = st.sampled_from(["?", "*", *WORDS, "[a b]", "[!a b]", "[ab]", "[a  k'a]"])


@settings(max_examples=50, deadline=None)
@given(st.lists(word_items, max_size=4))
@example(["[", "a", "?"])
def test_patterns_of_words(pattern: list[str]) -> None:
    """Items are separated by spaces, and a set holds words."""
    # A bracket that is a word is one only if no set follows that it would open.
    assume("[" not in pattern or not any("]" in each for each in pattern[pattern.index("[") :]))
    expected = [sentence for sentence in SENTENCES if word_matches(sentence.split(), pattern)]
    try:
        options = Options(pattern="  ".join(pattern))
        automaton = compile_constraints(options, WORD_VOCABULARY, KEEP)
    except SettingError:
        assert expected == []
        return
    assert automaton
    assert accepted(automaton, WORD_VOCABULARY, SENTENCES) == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(word_texts, max_size=3))
def test_avoided_words(avoid: list[str]) -> None:
    """The filter for many texts means the same as `not_contains`."""
    passes = compile_avoided([*avoid, "unknown", "a unknown"], WORD_VOCABULARY, KEEP)
    expected = [not any(position_of(s.split(), text) for text in split(avoid)) for s in SENTENCES]
    if passes is None:
        assert all(expected)
    else:
        text = "".join(f"{sentence}\n" for sentence in SENTENCES)
        assert passes(WORD_VOCABULARY.encode(text)).tolist() == expected


def test_words_that_are_refused() -> None:
    """The message names the word, or the bracket that is not closed."""
    vocabulary = Vocabulary.of("a b\n", WORD)
    for options, message in (
        (Options(prefix="a zz"), "prefix 'a zz': unknown word 'zz'; dinogen inspect --json lists"),
        (Options(pattern="a zz"), "pattern 'a zz': unknown word 'zz'"),
        (Options(pattern="[zz y] a"), "the model has no word of \\[zz y\\]; use words of the"),
        (Options(pattern="a [b"), "\\[ is not closed; write \\] after the set"),
        (Options(prefix="a " * 1_001), "prefix: 1,001 words, more than the maximum of 1,000"),
        (Options(pattern="a " * 256), "pattern: 256 words, more than the maximum of 255"),
        (Options(pattern="a b", max_length=1), "pattern 'a b' and max length 1: no name can"),
    ):
        with pytest.raises(SettingError, match=message):
            compile_constraints(options, vocabulary, KEEP)
