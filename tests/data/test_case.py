"""Folding: capitals become small letters where they can be restored, and variants are merged."""

import sys
import unicodedata

import pytest
from hypothesis import given, settings, strategies as st

from dinogen.data import CaseRule, Vocabulary, merge_variants, spell

FOLD = CaseRule(folds=True, capital_after=frozenset("\n"))
KEEP = CaseRule.unchanged()


def as_text(*names: str) -> str:
    """Write names as a text with one name per line."""
    return "".join(name + "\n" for name in names)


def restored(*names: str) -> list[str]:
    """Fold a list, learn its rule and write the list again."""
    case, folded = CaseRule.learn(as_text(*names))
    vocabulary = Vocabulary.of(folded)
    return spell(vocabulary.encode(folded), vocabulary, case).split("\n")[:-1]


@pytest.mark.parametrize(
    ("names", "folded"),
    [
        # Every letter is small, whatever its place.
        (["McDonald", "van den Berg", "USS"], ["mcdonald", "van den berg", "uss"]),
        # The dotted capital I has no small letter of one symbol, and the dotless small one no
        # capital of its own.
        (["İstanbul", "Işık", "ılıca", "Diyarbakır"], ["İstanbul", "işık", "ılıca", "diyarbakır"]),
        (["STRAẞE", "Straße"], ["straẞe", "straße"]),
        # A capital sigma is final at the end of a word.
        (["ΟΔΥΣΣΕΥΣ", "Σας-ΝΟΣ", "Σ"], ["οδυσσευς", "σας-νος", "σ"]),
        (["Ǆemal", "ǅemal", "Roǆa"], ["Ǆemal", "ǆemal", "roǆa"]),  # only title case is restored
        # A small letter that composes with a mark is another symbol.
        (["H\u0331ava", "Hava", "J\u030can"], ["H\u0331ava", "hava", "J\u030can"]),
        # A script in one case stays as it is, also beside another one.
        (["NASA", "ESA-2"], ["NASA", "ESA-2"]),
        (["anna", "berta"], ["anna", "berta"]),
        (["ᏌᏉᏯ", "ᏣᎳᎩ"], ["ᏌᏉᏯ", "ᏣᎳᎩ"]),
        (["ᲗᲑᲘᲚᲘᲡᲘ", "თბილისი"], ["ᲗᲑᲘᲚᲘᲡᲘ", "თბილისი"]),
        (["ΝΙΚΟΣ Anna"], ["ΝΙΚΟΣ anna"]),
        (["GROSS", "GROß"], ["GROSS", "GROß"]),
        (["Ⅻ Ⓐa"], ["Ⅻ Ⓐa"]),
    ],
)
def test_a_list_is_folded(names: list[str], folded: list[str]) -> None:
    """A capital is folded if it can be restored and its script has two cases in the list."""
    case, text = CaseRule.learn(as_text(*names))
    assert text == as_text(*folded)
    assert case.folds
    assert restored(*names) == names


def test_every_letter() -> None:
    """A folded letter is one symbol in normal form C, and its capital is the letter again."""
    letters = [chr(code) for code in range(sys.maxunicode + 1)]
    cased = [s for s in letters if s != s.lower() and unicodedata.is_normalized("NFC", s)]
    assert len(cased) > 1_000
    # Each name has all letters of its script in both cases.
    names = [f"{s}{s.lower()}" for s in cased if len(s.lower()) == 1]
    _, text = CaseRule.learn(as_text(*names))
    folded = text.split("\n")[:-1]
    assert unicodedata.is_normalized("NFC", text)
    for name, small in zip(names, folded, strict=True):
        assert len(small) == 2
        if small[0] != name[0]:
            assert small[0] == name[0].lower()
            assert small[0].title() == name[0]
    unfolded = {name[0] for name, small in zip(names, folded, strict=True) if small == name}
    assert not unfolded & set("ABCÉØÞŁΑΩЯԱ\U00010400")
    assert unfolded >= set("ẞǄϴ")


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(st.characters(categories=["L", "M", "N", "P", "Zs"]), max_size=8)))
def test_folding_keeps_the_length_and_the_normal_form(names: list[str]) -> None:
    """Every symbol stays one symbol, the text stays in NFC, and the unchanged rule keeps it."""
    text = as_text(*(unicodedata.normalize("NFC", name) for name in names))
    case, folded = CaseRule.learn(text)
    assert [*map(len, folded.split("\n"))] == [*map(len, text.split("\n"))]
    assert unicodedata.is_normalized("NFC", folded)
    vocabulary = Vocabulary.of(text)
    assert spell(vocabulary.encode(text), vocabulary, KEEP) == text
    # A name of the list is known by its folded form, and a folded name stays.
    vocabulary = Vocabulary.of(folded)
    assert case.fold(folded, vocabulary) == folded
    assert case.fold(text, vocabulary) == folded


LETTERS = st.sampled_from("aAbBéÉßıİIiñÑσΣςяЯ")


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.text(LETTERS, min_size=1, max_size=6), min_size=1),
    st.lists(st.text(LETTERS | st.sampled_from(" -'"), max_size=8)),
)
def test_what_is_written_is_read_as_the_same_symbols(names: list[str], new: list[str]) -> None:
    """A new name, written and folded again, has the same symbols."""
    case, folded = CaseRule.learn(as_text(*names, *new))
    vocabulary = Vocabulary.of(folded)
    # The case of a new name is not that of the list.
    drawn = case.fold(as_text(*new, *map(str.swapcase, names)), vocabulary)
    drawn = "".join(symbol for symbol in drawn if symbol in (*vocabulary.symbols, "\n"))
    # A capital that was kept beside its small letter cannot be told from a restored one, and the
    # form of a sigma follows from its place.
    written = spell(vocabulary.encode(drawn), vocabulary, case)
    again = case.fold(written, vocabulary)
    assert again.replace("ς", "σ") == drawn.replace("ς", "σ")


@pytest.mark.parametrize(
    ("symbols", "text", "folded"),
    [
        ("ahn", "HANNAH", "hannah"),
        ("AHN", "hannah Hannah", "HANNAH HANNAH"),
        ("iİıs", "IİıiS", "iİıis"),
        ("is", "İıI", "İıi"),  # two other letters, which this vocabulary does not have
        ("οσς", "ΣΟΣ Σ", "σος σ"),
        ("οσ", "ΣΟΣ", "σοσ"),
        ("Σ", "σας", "ΣαΣ"),
        ("’a ", "A'a\u00a0A", "a’a a"),
        ("'a\u202f", "A’A a", "a'a\u202fa"),
        ("ßs", "ẞSS", "ßss"),
        ("sßẞ", "ẞSß", "ẞsß"),
        ("hH\u0331a", "H\u0331aH", "H\u0331ah"),
        ("ʻa", "ʻA'", "ʻa'"),  # an ʻokina is a letter, not an apostrophe
        ("a", "Ab Ba", "ab Ba"),
        ("", "Ab", "Ab"),
    ],
)
def test_names_from_outside(symbols: str, text: str, folded: str) -> None:
    """They are written with the symbols of the vocabulary; unknown symbols stay."""
    known = Vocabulary(sorted(symbols))
    assert FOLD.fold(text + "\n", known) == folded + "\n"


def test_names_from_outside_without_folding() -> None:
    """Letters keep their case; apostrophes and spaces are still those of the vocabulary."""
    known = Vocabulary(sorted("Aa’ "))
    assert KEEP.fold("AaB'\u00a0b\n", known) == "AaB’ b\n"


@pytest.mark.parametrize(
    ("symbols", "fold", "keep"),
    [
        ("Aa", 1, 2),
        ("σςΣ", 1, 3),
        ("ßẞ", 1, 2),
        ("iI", 1, 2),
        ("iİı", 3, 3),
        ("'’", 1, 1),
        (" \u00a0\u202f", 1, 1),
        ("'ʻ-", 3, 3),
        ("eé", 2, 2),
    ],
)
def test_symbols_that_are_the_same_for_constraints(symbols: str, fold: int, keep: int) -> None:
    """Capitals, apostrophes and spaces share a key with their variants; other symbols do not."""
    assert len({FOLD.key(symbol) for symbol in symbols}) == fold
    assert len({KEEP.key(symbol) for symbol in symbols}) == keep


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        ("O'Hara\nO'Dea\nO’Neil\n", "O'Hara\nO'Dea\nO'Neil\n"),
        ("O’Hara\nO’Dea\nO'Neil\n", "O’Hara\nO’Dea\nO’Neil\n"),
        ("O’Hara\nO'Neil\n", "O'Hara\nO'Neil\n"),  # a tie
        ("a\u00a0b\u00a0c\nd e\n", "a\u00a0b\u00a0c\nd\u00a0e\n"),
        ("a\u202fb\nc\n", "a\u202fb\nc\n"),
        ("ʻa`b´c‘d\n", "ʻa`b´c‘d\n"),
    ],
)
def test_variants_are_merged(text: str, merged: str) -> None:
    """A list has one apostrophe and one space: the most frequent one, in a tie the plain one."""
    assert merge_variants(text) == merged
