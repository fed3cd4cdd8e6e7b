"""Cleaning: what is kept, stripped or refused, and the line number in the message."""

import unicodedata

import pytest
from hypothesis import given, settings, strategies as st

from dinogen.data import JOINERS, MAX_NAME_LENGTH, clean, is_visible, joins
from dinogen.errors import CorpusError

# Default_Ignorable_Code_Point in DerivedCoreProperties.txt of Unicode 15, without the categories
# that are refused as a whole; and the braille blank, the Khitan filler and the null notehead.
INVISIBLE = {
    *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0x2800, 0x16FE4, 0x1D159),
    *(0x180B, 0x180C, 0x180D, 0x180F),
    *range(0xFE00, 0xFE0F + 1),
    *range(0xE0100, 0xE01EF + 1),
}

# Symbols that random texts should contain often.
INTERESTING = (
    *("a", "Z", "e", "'", "-", "\u2019", "ß", "\u0301", "\u0323", "\u1100", "\u1161", "\u2126"),
    *(*"\n\r \t\v\f\x1c\x1f\x85\xa0", "\u2000", "\u2028", "\u2029", "\u3000", "\r\n"),
    *(
        "\0",
        "\x1b",
        "\u200c",
        "\u200d",
        "\u202e",
        "\u0628",
        "\u094d",
        "\u2764",
        "\ufeff",
        "\ufe0f",
        "\u3164",
        "\u2800",
        "\ue000",
    ),
)

texts = st.lists(
    st.sampled_from(INTERESTING) | st.characters(codec="utf-8"),
    max_size=40,
).map("".join)


def can_be_seen(symbol: str) -> bool:
    """Tell whether a symbol is visible, based on ``str.isprintable``, which refuses most spaces."""
    printable = symbol.isprintable() or unicodedata.category(symbol) == "Zs"
    # Unicode reserves the rest of these blocks for more pictures.
    is_picture = 0x1F000 <= ord(symbol) < 0x1FB00
    return (printable and ord(symbol) not in INVISIBLE) or is_picture


def can_stay(name: str) -> bool:
    """Tell whether all symbols of a name are visible, or join their neighbours."""
    framed = f"\n{name}\n"
    return all(
        can_be_seen(symbol) or (symbol in JOINERS and joins(before, symbol, after))
        for before, symbol, after in zip(framed, framed[1:], framed[2:], strict=False)
    )


def literal(text: str) -> str | int:
    """Clean a text line by line, or return the number of the first line to refuse."""
    names = []
    for number, line in enumerate(text.split("\n"), start=1):
        name = unicodedata.normalize("NFC", line.strip())
        if not can_stay(name):
            return number
        if name:
            names.append(name)
    return "".join(name + "\n" for name in names)


def refusal(text: str) -> str:
    """Return the error message for a list. It is one line that starts with the source."""
    with pytest.raises(CorpusError) as caught:
        clean(text, "names.txt")
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith("names.txt")
    return message


@settings(deadline=None, max_examples=200)
@given(texts)
def test_agrees_with_a_literal_twin(text: str) -> None:
    """Any text is cleaned, or refused at the right line, as by a loop over its lines."""
    expected = literal(text)
    if isinstance(expected, int):
        assert refusal(text).startswith(f"names.txt, line {expected}: U+")
    else:
        assert clean(text, "names.txt") == expected


@settings(deadline=None, max_examples=60)
@given(texts)
def test_cleaning_is_idempotent(text: str) -> None:
    """Cleaning a clean list changes nothing."""
    try:
        once = clean(text, "names.txt")
    except CorpusError:
        return
    assert clean(once, "names.txt") == once


def test_white_space_inside_a_name_is_kept() -> None:
    """White space around a name is stripped; spaces, hyphens and apostrophes inside stay."""
    text = " \u3000Jean-Paul  du Bois\xa0\n\tO\u2019Neill'\t\n-Ma\xa0Lou-\n"
    assert clean(text, "names.txt") == "Jean-Paul  du Bois\nO\u2019Neill'\n-Ma\xa0Lou-\n"


def test_composes_letters_and_marks() -> None:
    """Names are in normal form C: a letter and its marks become one symbol if there is one."""
    text = "Ame\u0301lie\nA\u030angstro\u0308m\n\u1112\u1161\u11ab\n"
    assert clean(text, "names.txt") == "Am\u00e9lie\n\u00c5ngstr\u00f6m\n\ud55c\n"


@pytest.mark.parametrize("text", ["", "\n \t\n\xa0"], ids=["nothing", "white space"])
def test_a_list_without_names_is_empty(text: str) -> None:
    """A list without names becomes an empty text, not a blank line."""
    assert clean(text, "names.txt") == ""


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("\t", "U+0009 (tab)"),
        ("\0", "U+0000 (null)"),
        ("\x1b", "U+001B (escape)"),
        ("\x7f", "U+007F"),
        ("\v", "U+000B"),
        ("\x9b", "U+009B"),
        ("\xad", "U+00AD (soft hyphen)"),
        ("\u200b", "U+200B (zero width space)"),
        ("\u200d", "U+200D (zero width joiner)"),
        ("\u202e", "U+202E (right-to-left override)"),
        ("\u2066", "U+2066 (left-to-right isolate)"),
        ("\u3164", "U+3164 (hangul filler)"),
        ("\u2800", "U+2800 (braille pattern blank)"),
        ("\ufe0f", "U+FE0F (variation selector-16)"),
        ("\ufeff", "U+FEFF (zero width no-break space)"),
        ("\ue000", "U+E000 (unnamed)"),
        ("\ufffe", "U+FFFE"),
        ("\U000e0041", "U+E0041 (tag latin capital letter a)"),
    ],
)
def test_refuses_an_invisible_symbol(symbol: str, name: str) -> None:
    """Control characters and invisible symbols are refused; the message has their name and line."""
    text = f"Anna\n \n\nBe{symbol}la\nCora\nDo{symbol}ra\n"
    assert refusal(text).startswith(f"names.txt, line 4: {name}")


def test_visibility_of_all_code_points() -> None:
    """A symbol is visible if it is printable or a space, and not in the list of invisible ones."""
    wrong = [code for code in range(0x110000) if is_visible(chr(code)) != can_be_seen(chr(code))]
    assert not wrong


@pytest.mark.parametrize("symbol", ["a", "e\u0301", "李", "\U00010400"])
def test_a_name_has_a_maximum_length(symbol: str) -> None:
    """A name has at most 255 symbols, counted after cleaning."""
    assert MAX_NAME_LENGTH == 255
    longest = "\t " + symbol * 255 + " \t"
    name = unicodedata.normalize("NFC", symbol) * 255
    assert clean(f"Anna\n{longest}\n", "names.txt") == f"Anna\n{name}\n"
    for text in (f"Anna\n\n{symbol * 256}\nEdda", f"{longest}\n\n{symbol * 256}"):
        assert refusal(text).startswith("names.txt, line 3: 256 symbols")
