"""Spelling: names are written with the capitals of a case rule."""

import unicodedata

import pytest
from hypothesis import given, settings, strategies as st

from dinogen.data import CaseRule, Vocabulary, WordShape, spell, write_word


def as_text(names: list[str]) -> str:
    """Write names as a text with one name per line."""
    return "".join(name + "\n" for name in names)


def is_part(symbol: str) -> bool:
    """Tell whether a symbol is part of a word."""
    return unicodedata.category(symbol)[0] in "LM"


def literal_spelling(name: str, case: CaseRule) -> str:
    """Write one name with loops: for each word, the deepest node decides."""
    written = ""
    for i, symbol in enumerate(name):
        if not is_part(symbol):
            written += symbol
        elif not i or not is_part(name[i - 1]):
            end = i
            while end < len(name) and is_part(name[end]):
                end += 1
            path = f"{name[i:end]}\n" + f"{name}\n"[end] + f"\n{name[:i]}"[::-1]
            nodes = [node for node in case.shapes if path.startswith(node.text)]
            shape = max(nodes, key=lambda node: len(node.text)).shape if nodes else ""
            before = name[i - 1] if i else "\n"
            shape = shape or ("Xx" if before in case.capital_after else "x")
            written += literal_word(name[i:end], shape)
    return written


def literal_word(word: str, shape: str) -> str:
    """Write one word; the last sign of the shape holds for the rest."""
    written, signs = "", list(shape)
    for symbol in word:
        has_case = symbol.isalpha() and (symbol.lower(), symbol.upper()) != (symbol, symbol)
        sign = "x"
        if has_case:
            sign = signs.pop(0) if len(signs) > 1 else signs[0]
        capital = {"ß": "ß", "ı": "ı", "ς": "Σ"}.get(symbol, symbol.upper())
        written += capital if sign == "X" else symbol
    return written


SYMBOLS = "abßıİς'- éʻ2"
TEXTS = st.text(st.sampled_from("abßıςé\nʻ") | st.sampled_from(SYMBOLS + "\n"), max_size=6)
SHAPES = st.text("Xx", max_size=4)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.text(st.sampled_from("ab") | st.sampled_from(SYMBOLS), max_size=8), max_size=20),
    st.frozensets(st.sampled_from("\n-' 2")),
    st.dictionaries(TEXTS | st.text("ab\n", max_size=4), SHAPES, max_size=12),
)
def test_spelling_agrees_with_a_literal_twin(
    names: list[str], after: frozenset[str], shapes: dict[str, str]
) -> None:
    """Each word has the shape of the deepest node, or the usual one; nothing else changes."""
    case = CaseRule(True, after, tuple(WordShape(*node) for node in shapes.items()))
    vocabulary = Vocabulary(sorted(SYMBOLS))
    found = spell(vocabulary.encode(as_text(names)), vocabulary, case)
    assert found == as_text([literal_spelling(name, case) for name in names])


def test_any_text_may_be_a_node() -> None:
    """Nodes that no word reaches change nothing: behind the start of a name, or without a word."""
    vocabulary = Vocabulary("-ab")
    texts = ["a\n\n\n", "a\n\n\n\n", "a\n\n\nb\n\n\n\n", "\n", "\na", "-", "a-", "é", "aé\n"]
    nodes = tuple(WordShape(text, "X") for text in texts)
    case = CaseRule(True, frozenset(), nodes)
    names = vocabulary.encode("a\nab\nb-a\n")
    assert spell(names, vocabulary, case) == "A\nab\nb-a\n"
    assert spell(vocabulary.encode(""), vocabulary, case) == ""
    assert spell(vocabulary.encode("\n\n"), vocabulary, case) == "\n\n"


@pytest.mark.parametrize("symbol", ["ß", "ŉ", "ǰ", "ΐ", "ﬁ", "և", "ı", "ა", "ꟲ", "ª", "ǅ", "א"])
def test_a_letter_without_a_capital_of_its_own_is_unchanged(symbol: str) -> None:
    """It is not capitalised, and the capital of the word is not moved to the next letter."""
    vocabulary = Vocabulary(sorted(f"{symbol}en"))
    for shape in ("X", "Xx"):
        case = CaseRule(True, frozenset("\n"), (WordShape("", shape),))
        spelled = spell(vocabulary.encode(f"{symbol}\n"), vocabulary, case)
        assert spelled == f"{symbol}\n"


@pytest.mark.parametrize(
    ("word", "shape", "written"),
    [
        ("berg", "Xx", "Berg"),
        ("van", "x", "van"),
        ("uss", "X", "USS"),
        ("mcdonald", "XxXx", "McDonald"),
        ("huallacháin", "xXx", "hUallacháin"),
        ("ʻewa", "Xx", "ʻEwa"),
        ("n\u0303ora", "xX", "n\u0303ORA"),
        ("ßen", "Xx", "ßen"),
        ("ßen", "xXx", "ßEn"),
        ("ǆemal", "Xx", "ǅemal"),
        ("σας", "X", "ΣΑΣ"),
        ("İpek", "Xx", "İpek"),
        ("mc", "XxXx", "Mc"),
        ("", "X", ""),
    ],
)
def test_words_of_each_shape(word: str, shape: str, written: str) -> None:
    """A shape counts the letters of scripts with capitals; its last sign holds for the rest."""
    assert write_word(word, shape) == written
    vocabulary = Vocabulary.of(word)
    case = CaseRule(True, frozenset(), (WordShape("", shape),))
    assert spell(vocabulary.encode(f"{word}\n"), vocabulary, case) == f"{written}\n"
