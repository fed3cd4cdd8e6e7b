"""Merging: symbols, capitals and pairs of several lists, compared with the lists themselves."""

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dinogen.data import (
    NO_PAIRS,
    UNITS,
    WORD,
    CaseRule,
    Corpus,
    Translation,
    Vocabulary,
    WordShape,
    merge_cases,
    merge_pairs,
    merge_vocabularies,
    read_corpus,
    spell,
)
from tests.conftest import CORPORA

FOLD, KEEP = CaseRule(True), CaseRule.unchanged()


def merge(*texts: str, case: CaseRule = FOLD) -> tuple[str, list[Translation]]:
    """Merge vocabularies of characters, and return the merged symbols as one text."""
    vocabulary, translations = merge_vocabularies([Vocabulary.of(text) for text in texts], case)
    return "".join(vocabulary.symbols), translations


def learn(folder: Path, names: list[str]) -> Corpus:
    """Read a list of names."""
    path = folder / "names.txt"
    path.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    return read_corpus([path])


# Symbols.


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.text("abAB αΣσς'’\u00a0민ㄱ", min_size=1), min_size=1, max_size=4), st.booleans()
)
def test_each_symbol_has_one_place(texts: list[str], folds: bool) -> None:
    """No two symbols of a list are merged, every symbol is read back, and each is known."""
    vocabularies = [Vocabulary.of(text) for text in texts]
    merged, translations = merge_vocabularies(vocabularies, CaseRule(folds))
    assert list(merged.symbols) == sorted(set(merged.symbols))
    known = np.zeros(len(merged), dtype=np.bool_)
    for vocabulary, (written, read, renamed) in zip(vocabularies, translations, strict=True):
        assert written[0] == read[0] == 0
        assert (len(written), len(read)) == (len(vocabulary), len(merged))
        assert read[written].tolist() == list(range(len(vocabulary)))
        assert (read <= vocabulary.unknown).all()
        known |= read < vocabulary.unknown
        for index, symbol in enumerate(vocabulary.symbols, start=1):
            assert merged.symbols[written[index] - 1] == renamed.get(symbol, symbol)
    assert known.all()


@settings(deadline=None, max_examples=60)
@given(st.text("abAB ΣσςH\u0331'’\u00a0", min_size=1), st.booleans(), st.integers(1, 3))
def test_equal_vocabularies_stay_as_they_are(text: str, folds: bool, copies: int) -> None:
    """A vocabulary that is merged with itself, or alone, keeps its indices."""
    symbols, translations = merge(*[text] * copies, case=CaseRule(folds))
    assert symbols == "".join(sorted(set(text)))
    for written, read, renamed in translations:
        assert written.tolist() == read.tolist() == list(range(len(symbols) + 1))
        assert renamed == {}


def test_symbols_are_collected() -> None:
    """Indices follow the code points of all symbols; an unknown symbol has the index V."""
    symbols, (first, second) = merge("bd", "abc")
    assert symbols == "abcd"
    assert first.written.tolist() == [0, 2, 4]
    assert first.read.tolist() == [0, 3, 1, 3, 2]
    assert second.written.tolist() == [0, 1, 2, 3]
    assert second.read.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("texts", "case", "merged"),
    [
        (("a'", "a’"), KEEP, "'a"),
        (("a ", "a\u00a0", "a\u202f"), KEEP, " a"),
        (("a\u202f", "a\u00a0"), KEEP, "a\u00a0\u202f"),
        (("a'’", "a’"), KEEP, "'a’"),
        (("AY", "ab"), FOLD, "aby"),
        (("AY", "ab"), KEEP, "AYab"),
        (("AY", "AB"), FOLD, "ABY"),
        (("ΣΑ", "ab"), FOLD, "abΑΣ"),
        (("ΣΑ", "σςα"), FOLD, "αςσ"),
        (("Hab", "hab"), FOLD, "Habh"),
    ],
)
def test_symbols_that_are_the_same(texts: tuple[str, ...], case: CaseRule, merged: str) -> None:
    """Forms of an apostrophe or a space are merged, and capitals of a list without small letters.

    They are not merged if a list has both, or if case is kept.
    """
    for order in permutations(texts):
        assert merge(*order, case=case)[0] == merged


def test_a_symbol_is_read_as_one_that_is_the_same() -> None:
    """A list with one form of a symbol reads the other forms as that one."""
    symbols, (_, capitals) = merge("σςα", "ΣΑ")
    read = dict(zip(symbols, capitals.read[1:].tolist(), strict=True))
    assert read == {"α": 1, "σ": 2, "ς": 2}
    assert capitals.renamed == {"Α": "α", "Σ": "σ"}


def test_words_are_collected() -> None:
    """Words are merged if they differ only in the form of an apostrophe."""
    vocabularies = [Vocabulary.of(text, WORD) for text in ("b d’a\n", "c b d'a B\n")]
    merged, translations = merge_vocabularies(vocabularies, KEEP)
    assert merged.symbols == ("B", "b", "c", "d'a")
    assert merged.unit is UNITS["word"]
    assert translations[0].written.tolist() == [0, 2, 4]
    assert translations[0].read.tolist() == [0, 3, 1, 3, 2]


# Capitals.


def test_merged_capitals_of_a_list_and_itself(tmp_path: Path) -> None:
    """The names of a list have the same capitals, when it is merged with itself."""
    names = ["van Berg", "van Dam", "McDonald", "McLeod", "USS Vega", "de la Cruz", "O'Hara", "Ek"]
    for corpus in (learn(tmp_path, names), read_corpus([CORPORA / "places-uk.txt"])):
        merged, translations = merge_vocabularies([corpus.vocabulary] * 2, corpus.case)
        case = merge_cases([corpus.case] * 2, [0.3, 0.7], translations)
        assert case.capital_after == corpus.case.capital_after
        assert set(case.shapes) == set(corpus.case.shapes)
        text = spell(corpus.names, corpus.vocabulary, corpus.case)
        assert spell(corpus.names, merged, case) == text


def test_the_capitals_of_both_lists(tmp_path: Path) -> None:
    """Names of each list are written as there, though only one list has such words."""
    lists = [
        ["McDonald", "McLeod", "McKay", "McRae", "Ek", "Berg Lund"],
        ["Jan van Dam", "Per van Ek", "Ola van Lo", "Lo", "Ek"],
        ["ΣΟΦΙΑ", "ΑΝΝΑ"],
    ]
    corpora = [learn(tmp_path, names) for names in lists]
    merged, translations = merge_vocabularies([each.vocabulary for each in corpora], FOLD)
    case = merge_cases([each.case for each in corpora], [0.2, 0.5, 0.3], translations)
    for names in lists:
        text = "".join(f"{name}\n" for name in names)
        encoded = merged.encode(text if names[0] == "ΣΟΦΙΑ" else text.lower())
        assert spell(encoded, merged, case) == text


def test_the_greater_weight_decides() -> None:
    """If two lists write a word differently, the weights decide, not the order."""
    cases = [
        CaseRule(True, frozenset("\n"), (WordShape("mac", "XxxX"),)),
        CaseRule(True, frozenset("\n-"), (WordShape("mac", "x"), WordShape("ab", "X"))),
        CaseRule(True, frozenset("’"), (WordShape("mac", "XxxX"),)),
    ]
    _, translations = merge("abcm-", "abcm-", "abcm’")
    _, renaming = merge("abcm-'", "abcm-", "abcm’")
    for weights, shape in [((0.2, 0.5, 0.3), "x"), ((0.3, 0.4, 0.3), "XxxX")]:
        for order in permutations(range(3)):
            found = merge_cases(
                [cases[i] for i in order],
                [weights[i] for i in order],
                [translations[i] for i in order],
            )
            assert found.folds
            assert found.capital_after == frozenset("\n-’")
            assert set(found.shapes) == {WordShape("mac", shape), WordShape("ab", "X")}
    assert merge_cases(cases, (1, 1, 1), renaming).capital_after == frozenset("\n-'")


# Pairs.


def test_pairs_are_those_of_all_lists(tmp_path: Path) -> None:
    """Each pair of symbols is kept, and a list without marks adds none."""
    lists = [["สมชาย", "กิตติ"], ["Anna", "Per"], ["กุ้ง", "วิชัย"]]
    corpora = [learn(tmp_path, names) for names in lists]
    merged, translations = merge_vocabularies([each.vocabulary for each in corpora], FOLD)
    pairs = merge_pairs([each.pairs for each in corpora], translations)

    def as_text(vocabulary: Vocabulary, pairs: np.ndarray) -> set[tuple[str, ...]]:
        symbols = ("", *vocabulary.symbols)
        return {tuple(symbols[i] for i in pair) for pair in pairs.tolist()}

    expected = [as_text(each.vocabulary, each.pairs) for each in corpora]
    assert len(expected[0]) > 1
    assert not expected[1]
    assert as_text(merged, pairs) == expected[0] | expected[2]
    assert pairs.tolist() == sorted(pairs.tolist())
    assert len(merge_pairs([NO_PAIRS] * 2, translations[:2])) == 0
