"""Cleaning: what is kept, stripped or refused, and the line number in the message."""

import io
import unicodedata
import zipfile
from random import Random

import pytest
from hypothesis import given, settings, strategies as st

from dinogen.data import MAX_NAME_LENGTH, clean, is_visible
from dinogen.errors import CorpusError

LINE_ENDS = ("\r\n", "\n", "\r", "\x85", "\u2028", "\u2029")

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
    *("\0", "\x1b", "\u200d", "\u202e", "\ufeff", "\ufe0f", "\u3164", "\u2800", "\ue000"),
)

texts = st.lists(
    st.sampled_from(INTERESTING) | st.characters(codec="utf-8"),
    max_size=40,
).map("".join)


def lines_of(text: str) -> list[str]:
    """Split a text into lines, symbol by symbol."""
    lines, place = [""], 0
    while place < len(text):
        if text[place] == "\r" and text[place + 1 : place + 2] == "\n":
            place += 1
        if text[place] in LINE_ENDS:
            lines.append("")
        else:
            lines[-1] += text[place]
        place += 1
    return lines


def can_be_seen(symbol: str) -> bool:
    """Tell whether a symbol is visible, based on ``str.isprintable``, which refuses most spaces."""
    printable = symbol.isprintable() or unicodedata.category(symbol) == "Zs"
    return printable and ord(symbol) not in INVISIBLE


def literal(text: str) -> str | int:
    """Clean a text line by line, or return the number of the first line to refuse."""
    names = []
    for number, line in enumerate(lines_of(text.removeprefix("\ufeff")), start=1):
        name = unicodedata.normalize("NFC", line.strip())
        if not all(map(can_be_seen, name)):
            return number
        if name:
            names.append(name)
    return "".join(name + "\n" for name in names)


def refusal(data: bytes) -> str:
    """Return the error message for a list. It is one line that starts with the source."""
    with pytest.raises(CorpusError) as caught:
        clean(data, "names.txt")
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith("names.txt")
    return message


@settings(deadline=None, max_examples=200)
@given(texts, st.booleans())
def test_agrees_with_a_literal_twin(text: str, marked: bool) -> None:
    """Any text is cleaned, or refused at the right line, as by a loop over its lines."""
    text = "\ufeff" * marked + text
    expected = literal(text)
    if isinstance(expected, int):
        assert refusal(text.encode()).startswith(f"names.txt, line {expected}: U+")
    else:
        assert clean(text.encode(), "names.txt") == expected


@settings(deadline=None, max_examples=60)
@given(texts)
def test_cleaning_is_idempotent(text: str) -> None:
    """Cleaning a clean list changes nothing."""
    try:
        once = clean(text.encode(), "names.txt")
    except CorpusError:
        return
    assert clean(once.encode(), "names.txt") == once


def test_all_line_ends_in_one_file() -> None:
    """CRLF, CR, LF, NEL, LS and PS end lines; blank lines and the BOM are skipped."""
    text = "\ufeffAnna\r\nBerta\rCora\n\n\r\nDora\x85Edda\u2028Frida\u2029 \t \r\rGerda"
    assert clean(text.encode(), "names.txt") == "Anna\nBerta\nCora\nDora\nEdda\nFrida\nGerda\n"


def test_white_space_inside_a_name_is_kept() -> None:
    """White space around a name is stripped; spaces, hyphens and apostrophes inside stay."""
    data = " \u3000Jean-Paul  du Bois\xa0\n\tO\u2019Neill'\t\n-Ma\xa0Lou-\n".encode()
    assert clean(data, "names.txt") == "Jean-Paul  du Bois\nO\u2019Neill'\n-Ma\xa0Lou-\n"


def test_composes_letters_and_marks() -> None:
    """Names are in normal form C: a letter and its marks become one symbol if there is one."""
    data = "Ame\u0301lie\nA\u030angstro\u0308m\n\u1112\u1161\u11ab\n".encode()
    assert clean(data, "names.txt") == "Am\u00e9lie\n\u00c5ngstr\u00f6m\n\ud55c\n"


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\r\n \t\n\xc2\xa0"])
def test_a_list_without_names_is_empty(data: bytes) -> None:
    """A list without names becomes an empty text, not a blank line."""
    assert clean(data, "names.txt") == ""


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.sampled_from(["Anna", "Åse", "Ζωή", "李", "\U00010400", "", *LINE_ENDS])).map(
        "".join
    ),
    st.sampled_from([0xC0, 0xC1, 0xF5, 0xFE, 0xFF]),
    st.randoms(use_true_random=False),
)
def test_names_the_line_of_an_invalid_byte(text: str, bad: int, random: Random) -> None:
    """A byte that is never valid in UTF-8 is refused at any position, with its line."""
    data = text.encode()
    place = random.randrange(len(data) + 1)
    message = refusal(data[:place] + bytes([bad]) + data[place:])
    line = len(lines_of(data[:place].decode(errors="ignore")))
    assert message.startswith(f"names.txt, line {line}: ")
    assert "UTF-8" in message


@pytest.mark.parametrize(
    "bad",
    [
        b"\xe9",  # é in Latin-1
        "Å".encode()[:1],
        "李".encode()[:2],
        b"\x80",
        b"\xed\xa0\x80",  # one surrogate
        b"\xc0\xaf",  # an overlong slash
        b"\xf4\x90\x80\x80",  # beyond the last code point
    ],
)
def test_refuses_invalid_utf8(bad: bytes) -> None:
    """Incomplete symbols, surrogates and overlong forms are refused, also at the end of a file."""
    for data in (b"Anna\r\nBerta\r\n" + bad, b"Anna\r\nBerta\r\nX" + bad + b"y\nZoe\n"):
        message = refusal(data)
        assert message.startswith(f"names.txt, line 3: byte 0x{bad[0]:02x} is not valid UTF-8")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_refuses_utf16(encoding: str) -> None:
    """UTF-16 is refused in both byte orders; with a BOM the message names the encoding."""
    text = "Anna\r\nBerta\r\n"
    assert "UTF-16" in refusal(("\ufeff" + text).encode(encoding))
    assert refusal(text.encode(encoding)).startswith("names.txt, line 1: U+0000 (null)")


def test_refuses_an_archive() -> None:
    """Zip archives, and so office documents, are refused by name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", "Anna\nBerta\n" * 100)
    assert "archive" in refusal(file.getvalue())


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
    text = f"\ufeffAnna\r\n \r\r\nBe{symbol}la\nCora\nDo{symbol}ra\n"
    assert refusal(text.encode()).startswith(f"names.txt, line 4: {name}")


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
    assert clean(f"Anna\r\n{longest}\r\n".encode(), "names.txt") == f"Anna\n{name}\n"
    for text in (f"Anna\r\n\r\n{symbol * 256}\r\nEdda", f"{longest}\n\r{symbol * 256}"):
        assert refusal(text.encode()).startswith("names.txt, line 3: 256 symbols")
