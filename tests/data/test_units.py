"""Units: Hangul letters and words, compared with `unicodedata` and `str.split`."""

from itertools import pairwise
from pathlib import Path
from unicodedata import name as name_of, normalize

import pytest
from hypothesis import given, settings, strategies as st

from dinogen import read_corpus
from dinogen.data import (
    CHARACTER,
    MAX_VOCABULARY_SIZE,
    MAX_WORD_LENGTH,
    MAX_WORDS,
    WORD,
    CaseRule,
    Vocabulary,
    letter_forms,
    may_follow,
    read_names,
    show_letter,
    spell,
    to_letters,
    to_syllables,
)
from dinogen.errors import CorpusError, SettingError

SYLLABLES = "".join(map(chr, range(0xAC00, 0xD7A4)))

JAMO = "".join(map(chr, [*range(0x1100, 0x1113), *range(0x1161, 0x1176), *range(0x11A8, 0x11C3)]))

hangul = st.text(st.sampled_from("가각힣피핀ㅍㅏaé \u1112\u1161\u11ab\u1140\u0301"), max_size=8)


# Hangul.


def test_all_syllables_become_letters_and_back() -> None:
    """The letters are those of normal form D, and normal form C composes them."""
    assert len(SYLLABLES) == 11_172
    for syllable in SYLLABLES:
        letters = to_letters(syllable)
        assert letters == normalize("NFD", syllable)
        assert set(letters) <= set(JAMO)
        assert to_syllables(letters) == syllable
    assert to_letters(SYLLABLES) == normalize("NFD", SYLLABLES)


@settings(deadline=None, max_examples=200)
@given(hangul)
def test_no_other_symbol_is_split(text: str) -> None:
    """Splitting and composing gives the normal form C of any text."""
    composed = normalize("NFC", text)
    letters = to_letters(composed)
    assert to_syllables(letters) == composed
    assert not set(letters) & set(SYLLABLES)
    assert [s for s in letters if s not in JAMO] == [
        s for s in composed if s not in JAMO and s not in SYLLABLES
    ]


@pytest.mark.parametrize("letter", JAMO, ids=lambda letter: f"U+{ord(letter):04X}")
def test_letters_are_shown_by_the_name_in_unicode(letter: str) -> None:
    """A conjoining letter is shown as the compatibility letter of the same sound."""
    kind, _, sound = name_of(letter).rpartition(" ")
    shown = show_letter(letter)
    assert name_of(shown[-1]) == f"HANGUL LETTER {sound}"
    assert shown[:-1] == ("-" if kind == "HANGUL JONGSEONG" else "")
    assert letter in letter_forms(shown[-1])


def test_other_symbols_are_shown_as_they_are() -> None:
    """Compatibility letters, syllables and other scripts do not change."""
    for symbol in "aé가ㅍㅏ東\u1140":
        assert show_letter(symbol) == symbol
    assert letter_forms("a") == letter_forms("가") == letter_forms("\u1100") == ""
    assert letter_forms("ㄱ") == "\u1100\u11a8"


def test_neighbours_within_complete_syllables() -> None:
    """All neighbours in names of complete syllables may follow each other, and no others."""
    names = [f"{a}{b}" for a in "가각힣a " for b in "피핀b "]
    text = "\n" + "".join(f"{normalize('NFD', name)}\n" for name in names)
    seen = {*pairwise(text)}
    kinds = {"\n": "#", **dict.fromkeys("ab ", "-")}
    kinds |= {s: "LVT"[(s >= "\u1161") + (s >= "\u11a8")] for s in set(text) & set(JAMO)}
    expected = {(kinds[a], kinds[b]) for a, b in seen} | {("#", "#"), ("-", "-"), ("#", "-")}
    for a in kinds:
        for b in kinds:
            assert may_follow(a, b) == ((kinds[a], kinds[b]) in expected)


@settings(deadline=None, max_examples=200)
@given(st.lists(hangul, max_size=5))
def test_names_are_encoded_as_letters_and_decoded_as_syllables(names: list[str]) -> None:
    """Decoding returns the names in normal form C. The vocabulary has no syllable."""
    text = normalize("NFC", "".join(f"{name}\n" for name in names))
    vocabulary = Vocabulary.of(text)
    encoded = vocabulary.encode(text)
    assert vocabulary.text(encoded) == text
    assert spell(encoded, vocabulary, CaseRule.unchanged()) == text
    assert vocabulary.composed(encoded).all()
    assert not set(vocabulary.symbols) & set(SYLLABLES)
    assert ["".join(symbols) for symbols in vocabulary.split(text)] == [
        to_letters(name) for name in text.split("\n")[:-1]
    ]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(st.sampled_from("가각힣피a -é"), min_size=1, max_size=6), max_size=5))
def test_a_syllable_counts_once(names: list[str]) -> None:
    """The length of a name is the number of its code points in normal form C."""
    text = "".join(f"{name}\n" for name in names)
    vocabulary = Vocabulary.of(text)
    assert vocabulary.lengths(vocabulary.encode(text)).tolist() == [*map(len, names)]


def test_a_letter_outside_of_a_syllable_keeps_its_length() -> None:
    """A vowel or a final consonant never counts, but no name has length 0."""
    text = "\u1161\n\u1100\n\u1161\u1161a\n"
    vocabulary = Vocabulary.of(text)
    assert vocabulary.lengths(vocabulary.encode(text)).tolist() == [1, 1, 1]


def test_an_unknown_letter_is_named_so_that_it_can_be_read() -> None:
    """The message shows the compatibility letter."""
    vocabulary = Vocabulary.of("가나\n")
    with pytest.raises(SettingError, match="'간': unknown symbol '-ㄴ'"):
        vocabulary.indices_of(CHARACTER.split("간"))
    assert vocabulary.indices_of("ㄱㅏ") == vocabulary.indices_of(CHARACTER.split("가"))


def test_a_list_of_syllables(tmp_path: Path) -> None:
    """Lists in normal forms C and D are the same corpus, and lengths count syllables."""
    path = tmp_path / "names.txt"
    corpora = []
    for form in ("NFC", "NFD"):
        path.write_text(normalize(form, "김민준\n한나\nJi-Woo 이\n"), "utf-8")
        corpora.append(read_corpus([path]))
    composed, decomposed = corpora
    assert composed.stats == decomposed.stats
    assert composed.vocabulary.symbols == decomposed.vocabulary.symbols
    assert (composed.stats.shortest, composed.stats.longest) == (2, 8)
    written = spell(composed.names, composed.vocabulary, composed.case)
    assert written == "김민준\n한나\nJi-Woo 이\n"


def test_capitals_in_the_context_of_syllables(tmp_path: Path) -> None:
    """A word that is written in two ways is told by the syllables around it."""
    path = tmp_path / "names.txt"
    names = [f"가{i} the" for i in "abcdefgh"] + [f"나{i} The" for i in "abcdefgh"]
    path.write_text("\n".join(names), "utf-8")
    corpus = read_corpus([path])
    assert spell(corpus.names, corpus.vocabulary, corpus.case).split("\n")[:-1] == names


# Words.

words = st.lists(st.text(st.sampled_from("aB'\u2019é가"), min_size=1, max_size=3), max_size=5)


@settings(deadline=None, max_examples=200)
@given(st.lists(words, max_size=5))
def test_words_are_symbols(names: list[list[str]]) -> None:
    """Encoding numbers the words in order, and decoding joins them with spaces."""
    names = [name for name in names if name]
    text = normalize("NFC", "".join(" ".join(name) + "\n" for name in names))
    vocabulary = Vocabulary.of(text, WORD)
    assert vocabulary.symbols == tuple(sorted(set(text.split())))
    encoded = vocabulary.encode(text)
    index = {word: i for i, word in enumerate(vocabulary.symbols, start=1)}
    expected = [i for line in text.split("\n")[:-1] for i in [*map(index.get, line.split()), 0]]
    assert encoded.symbols.tolist() == expected
    assert vocabulary.text(encoded) == spell(encoded, vocabulary, CaseRule.unchanged()) == text
    assert vocabulary.lengths(encoded).tolist() == [len(name) for name in names]
    assert vocabulary.composed(encoded).all()
    assert vocabulary.continuing == vocabulary.spaces == ()


def test_unknown_words() -> None:
    """They get the index after the last, and the message names them."""
    vocabulary = Vocabulary.of("b c\na\n", WORD)
    assert vocabulary.encode("c d a\n").symbols.tolist() == [3, 4, 1, 0]
    assert vocabulary.unknown == 4
    with pytest.raises(SettingError, match="'a ab': unknown word 'ab'; dinogen inspect --json"):
        vocabulary.indices_of(["a", "ab"])


def test_words_are_read_between_any_white_space(tmp_path: Path) -> None:
    """Tabs, several spaces and no-break spaces separate words. Blank lines are dropped."""
    path = tmp_path / "words.txt"
    path.write_text(" t͡ʃ  æ\tl \n\n\u3000B\u00a0b\r\nB b\n", "utf-8")
    corpus = read_corpus([path], unit="word")
    assert corpus.vocabulary.unit is WORD
    assert corpus.vocabulary.symbols == ("B", "b", "l", "t͡ʃ", "æ")
    assert corpus.vocabulary.text(corpus.names) == "t͡ʃ æ l\nB b\n"
    assert corpus.case == CaseRule.unchanged()
    assert (corpus.stats.lines, corpus.stats.duplicates) == (3, 1)
    assert (corpus.stats.shortest, corpus.stats.longest) == (2, 3)
    assert [*read_names(path, WORD)] == [["t͡ʃ æ l", "B b", "B b"]]


def test_apostrophes_in_words_are_the_same(tmp_path: Path) -> None:
    """The most frequent form is learned, and a word with another form is found."""
    path = tmp_path / "words.txt"
    path.write_text("k\u2019a b\nk'a k\u2019a\n", "utf-8")
    corpus = read_corpus([path], unit="word")
    assert corpus.vocabulary.symbols == ("b", "k\u2019a")
    assert corpus.case.fold("k'a b zz\n", corpus.vocabulary) == "k\u2019a b zz\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a " * MAX_WORDS + "b", "line 2: 4,097 words, but a name has at most 4,096"),
        ("a " + "b" * (MAX_WORD_LENGTH + 1), "line 2: a word of 256 characters, but a word has"),
        ("a " + "e\u0301" * (3 * MAX_WORD_LENGTH), "line 2: a word of"),
        ("a\x1b[31m b", "line 2"),
    ],
    ids=["words", "word", "marks", "escape"],
)
def test_lines_of_words_that_are_refused(tmp_path: Path, line: str, message: str) -> None:
    """The message names the line."""
    path = tmp_path / "words.txt"
    path.write_text(f"a b\n{line}\n", "utf-8")
    with pytest.raises(CorpusError, match=message):
        read_corpus([path], unit="word")


def test_the_longest_lines_of_words(tmp_path: Path) -> None:
    """The limits themselves are allowed, and so are lines that are longer than other names."""
    path = tmp_path / "words.txt"
    long_word = "b" * MAX_WORD_LENGTH
    path.write_text("a " * (MAX_WORDS - 1) + f"{long_word}\nc\n", "utf-8")
    corpus = read_corpus([path], unit="word")
    assert corpus.stats.longest == MAX_WORDS
    assert long_word in corpus.vocabulary.symbols


def test_too_many_different_words(tmp_path: Path) -> None:
    """The size of a vocabulary is limited."""
    path = tmp_path / "words.txt"
    count = MAX_VOCABULARY_SIZE // 201 + 1
    path.write_text("\n".join(f"{i:0200}" for i in range(count)), "utf-8")
    with pytest.raises(CorpusError, match=f"{count:,} different words"):
        read_corpus([path], unit="word")


def test_an_unknown_unit_is_refused(tmp_path: Path) -> None:
    """The message lists the units."""
    with pytest.raises(SettingError, match="unit must be character or word, not 'note'"):
        read_corpus([tmp_path / "names.txt"], unit="note")
