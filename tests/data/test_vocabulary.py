"""Vocabulary: encoding and decoding."""

import re
import sys
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dinogen.data import Vocabulary

# Hangul syllables are several symbols; see test_units.
symbols = st.characters(exclude_categories=["Cs"], exclude_characters="\n").filter(
    lambda symbol: not "가" <= symbol <= "힣"
)
lists = st.lists(st.text(symbols, max_size=6), max_size=12)


def as_text(names: list[str]) -> str:
    """Write names as a text with one name per line."""
    return "".join(name + "\n" for name in names)


def many(count: int) -> list[str]:
    """Return ``count`` different symbols in code point order."""
    return [chr(0x10000 + i) for i in range(count)]


def test_the_end_comes_first_and_symbols_in_order() -> None:
    """Index 0 is the end of a name. The symbols follow in code point order."""
    vocabulary = Vocabulary.of("zoë\n\U00010400bo\nab\n")
    assert vocabulary.symbols == ("a", "b", "o", "z", "ë", "\U00010400")
    assert len(vocabulary) == 7
    assert vocabulary.encode("aboz\në\U00010400\n").symbols.tolist() == [1, 2, 3, 4, 0, 5, 6, 0]


@settings(deadline=None, max_examples=60)
@given(lists)
def test_decoding_inverts_encoding(names: list[str]) -> None:
    """Decoding returns the encoded text."""
    text = as_text(names)
    vocabulary = Vocabulary.of(text)
    encoded = vocabulary.encode(text)
    assert len(encoded) == len(names)
    assert "".join(map(chr, vocabulary.decode(encoded))) == text


@settings(deadline=None, max_examples=100)
@given(lists, lists, st.integers(1, 5))
def test_an_unknown_symbol_gets_the_index_after_the_last(
    learned: list[str], read: list[str], chunk: int
) -> None:
    """Known symbols get their index, all others index V, for every chunk size."""
    vocabulary = Vocabulary.of(as_text(learned))
    indices = {symbol: index for index, symbol in enumerate(vocabulary.symbols, start=1)}
    text = as_text(read)
    expected = [0 if s == "\n" else indices.get(s, len(indices) + 1) for s in text]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[Vocabulary.__module__], "_CHUNK", chunk)
        encoded = vocabulary.encode(text)
    assert encoded.symbols.tolist() == expected
    assert vocabulary.encode(text).symbols.tolist() == expected
    assert vocabulary.unknown == len(vocabulary) == len(indices) + 1


@pytest.mark.parametrize(
    ("count", "dtype"),
    [(254, np.uint8), (255, np.uint16), (65_534, np.uint16), (65_535, np.uint32)],
)
def test_indices_have_the_smallest_type(count: int, dtype: type[np.unsignedinteger]) -> None:
    """The type grows exactly when the unknown index no longer fits."""
    known = many(count)
    vocabulary = Vocabulary(known)
    encoded = vocabulary.encode(f"{known[0]}{known[-1]}\n{chr(ord(known[-1]) + 1)}a\U0010ffff\n")
    assert vocabulary.dtype is dtype
    assert encoded.symbols.dtype == dtype
    unknown = count + 1
    assert encoded.symbols.tolist() == [1, count, 0, unknown, unknown, unknown, 0]
    assert vocabulary.decode(vocabulary.encode(f"{known[-1]}\n")).tolist() == [ord(known[-1]), 10]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(st.sampled_from("aeé\u0301\u0323\u1100\u1161\u11a8가"), max_size=6)))
def test_composed_names_are_those_in_normal_form(names: list[str]) -> None:
    """The mask is true for the names that NFC normalisation does not change.

    Hangul letters are composed anyway, and they do not compose with anything else.
    """
    vocabulary = Vocabulary.of(as_text(names))
    others = [re.sub("[\u1100\u1161\u11a8가]", "x", name) for name in names]
    expected = [normalize("NFC", name) == name for name in others]
    assert vocabulary.composed(vocabulary.encode(as_text(names))).tolist() == expected
