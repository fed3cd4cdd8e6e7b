"""Marks: which neighbours of a list end with a mark or begin with a joiner."""

import sys
import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from dinogen.data import JOINERS, NO_PAIRS, WORD, Vocabulary, is_mark, learn_pairs, read_corpus

MODULE = sys.modules[learn_pairs.__module__]

symbols = st.sampled_from("ab กเาक\u0301\u093f\u094d\u200d\u200c❤\ufe0f\U0001f3fd")
lists = st.lists(st.text(symbols, min_size=1, max_size=8), min_size=1, max_size=20)


def twin(names: list[str]) -> set[tuple[str, str]]:
    """The pairs by a plain loop. A newline stands for the beginning and the end of a name."""
    marks = "า\u0301\u093f\u094d\u200d\u200c\ufe0f\U0001f3fd"
    return {
        (before, after)
        for name in names
        for before, after in pairwise(f"\n{name}\n")
        if after in marks or before in "เ\u200d\u200c"
    }


@settings(max_examples=100, deadline=None)
@given(lists, st.integers(1, 50))
def test_pairs_agree_with_a_literal_twin(names: list[str], chunk: int) -> None:
    """The pairs are found, sorted, wherever the list is cut into chunks."""
    text = "".join(f"{name}\n" for name in names)
    vocabulary = Vocabulary.of(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULE, "_CHUNK", chunk)
        pairs = learn_pairs(vocabulary.encode(text), vocabulary).tolist()
    found = ("\n", *vocabulary.symbols)
    assert {(found[before], found[after]) for before, after in pairs} == twin(names)
    assert pairs == sorted(pairs)
    assert len(pairs) == len(twin(names))


def test_marks_of_all_code_points() -> None:
    """Marks are what Unicode calls so, joiners, and the skin tones of emoji."""
    found = {chr(code) for code in range(0x110000) if is_mark(chr(code))}
    vowels = set("ะาำๅະາຳ")
    combining = {chr(code) for code in range(0x110000) if unicodedata.combining(chr(code))}
    tones = {
        chr(code) for code in range(0x110000) if "FITZPATRICK" in unicodedata.name(chr(code), "")
    }
    assert combining | tones | JOINERS | vowels <= found
    assert {unicodedata.category(symbol) for symbol in found - tones - JOINERS - vowels} == {
        "Mn",
        "Mc",
        "Me",
    }


def test_a_list_without_marks_has_no_pairs(tmp_path: Path) -> None:
    """Names in NFC of scripts without marks have none; neither have words."""
    path = tmp_path / "names.txt"
    path.write_text("Zoe\u0308\nÉmile\n李\n", "utf-8")
    assert read_corpus([path]).pairs is NO_PAIRS
    vocabulary = Vocabulary.of("a\u0301 \u0301\n", WORD)
    assert learn_pairs(vocabulary.encode("a\u0301 \u0301\n"), vocabulary) is NO_PAIRS


def test_too_many_pairs_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would not fit into a checkpoint."""
    vocabulary = Vocabulary.of("ab\u0301")
    names = vocabulary.encode("a\u0301b\u0301\n")
    monkeypatch.setattr(MODULE, "MAX_PAIRS", 2)
    assert len(learn_pairs(names, vocabulary)) == 2
    monkeypatch.setattr(MODULE, "MAX_PAIRS", 1)
    assert learn_pairs(names, vocabulary) is NO_PAIRS
