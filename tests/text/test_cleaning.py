"""Bytes in, clean lines out: what is kept, what is tidied, what is refused, and on which line."""

import io
import unicodedata
import zipfile
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dinogen.errors import CorpusError
from dinogen.text.cleaning import LONGEST_LINE, clean, is_visible

LINE_ENDS = ("\r\n", "\n", "\r", "\x85", "\u2028", "\u2029")

# DerivedCoreProperties.txt of Unicode 15, Default_Ignorable_Code_Point: the letters, marks and
# symbols of it (the rest has a category that is refused as a whole); and the empty braille cell,
# the Khitan filler and the null notehead.
DRAWN_AS_NOTHING = {
    *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0x2800, 0x16FE4, 0x1D159),
    *(0x180B, 0x180C, 0x180D, 0x180F),
    *range(0xFE00, 0xFE0F + 1),
    *range(0xE0100, 0xE01EF + 1),
}

# What a list may hold that is worth a test, more likely than by chance.
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
    """Cut a text into lines, symbol by symbol."""
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
    """Say by Python's own account, which refuses all spaces but one, whether a symbol shows."""
    printable = symbol.isprintable() or unicodedata.category(symbol) == "Zs"
    return printable and ord(symbol) not in DRAWN_AS_NOTHING


def literal(text: str) -> str | int:
    """Clean a text line by line; a number is the first line that has to be refused."""
    names = []
    for number, line in enumerate(lines_of(text.removeprefix("\ufeff")), start=1):
        name = unicodedata.normalize("NFC", line.strip())
        if not all(map(can_be_seen, name)):
            return number
        if name:
            names.append(name)
    return "".join(name + "\n" for name in names)


def refusal(data: bytes) -> str:
    """Give the message with which a list is refused; it is one line, and names the list first."""
    with pytest.raises(CorpusError) as caught:
        clean(data, "names.txt")
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith("names.txt")
    return message


@settings(deadline=None, max_examples=200)
@given(texts, st.booleans())
def test_agrees_with_a_literal_twin(text: str, marked: bool) -> None:
    """Any text is cleaned, or refused on the right line, as it is when taken line by line."""
    text = "\ufeff" * marked + text
    expected = literal(text)
    if isinstance(expected, int):
        assert refusal(text.encode()).startswith(f"names.txt, line {expected}: U+")
    else:
        assert clean(text.encode(), "names.txt") == expected


@settings(deadline=None, max_examples=60)
@given(texts)
def test_a_clean_list_stays_as_it_is(text: str) -> None:
    """Cleaning what was cleaned before changes nothing."""
    try:
        once = clean(text.encode(), "names.txt")
    except CorpusError:
        return
    assert clean(once.encode(), "names.txt") == once


def test_every_convention_for_line_ends_in_one_file() -> None:
    """CRLF, CR, LF, NEL, LS and PS all end lines, a blank line is no name, and BOM is skipped."""
    text = "\ufeffAnna\r\nBerta\rCora\n\n\r\nDora\x85Edda\u2028Frida\u2029 \t \r\rGerda"
    assert clean(text.encode(), "names.txt") == "Anna\nBerta\nCora\nDora\nEdda\nFrida\nGerda\n"


def test_what_is_inside_a_name_is_kept() -> None:
    """White space goes from around a name; spaces, hyphens, apostrophes within it stay."""
    data = " \u3000Jean-Paul  du Bois\xa0\n\tO\u2019Neill'\t\n-Ma\xa0Lou-\n".encode()
    assert clean(data, "names.txt") == "Jean-Paul  du Bois\nO\u2019Neill'\n-Ma\xa0Lou-\n"


def test_composes_what_can_be_composed() -> None:
    """Letters and their marks become one symbol where Unicode has one: the normal form C."""
    data = "Ame\u0301lie\nA\u030angstro\u0308m\n\u1112\u1161\u11ab\n".encode()
    assert clean(data, "names.txt") == "Am\u00e9lie\n\u00c5ngstr\u00f6m\n\ud55c\n"


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\r\n \t\n\xc2\xa0"])
def test_nothing_comes_of_nothing(data: bytes) -> None:
    """A list without names is an empty text, not a blank line."""
    assert clean(data, "names.txt") == ""


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.sampled_from(["Anna", "Åse", "Ζωή", "李", "\U00010400", "", *LINE_ENDS])).map(
        "".join
    ),
    st.sampled_from([0xC0, 0xC1, 0xF5, 0xFE, 0xFF]),
    st.randoms(use_true_random=False),
)
def test_names_the_line_of_a_byte_that_no_utf8_has(text: str, bad: int, random: Random) -> None:
    """A byte that occurs in no UTF-8 text is refused wherever it stands, with its line."""
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
        b"\xed\xa0\x80",  # half of a surrogate pair
        b"\xc0\xaf",  # a slash, longer than need be
        b"\xf4\x90\x80\x80",  # beyond the last code point
    ],
)
def test_refuses_what_only_looks_like_utf8(bad: bytes) -> None:
    """Parts of symbols, surrogates and overlong forms are refused, at the end of a file too."""
    for data in (b"Anna\r\nBerta\r\n" + bad, b"Anna\r\nBerta\r\nX" + bad + b"y\nZoe\n"):
        message = refusal(data)
        assert message.startswith(f"names.txt, line 3: byte 0x{bad[0]:02x} is not UTF-8")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_knows_utf16(encoding: str) -> None:
    """UTF-16 is refused in either order of bytes, and called by its name where it is marked."""
    text = "Anna\r\nBerta\r\n"
    assert "UTF-16" in refusal(("\ufeff" + text).encode(encoding))
    assert refusal(text.encode(encoding)).startswith("names.txt, line 1: U+0000 (null)")


def test_knows_an_archive() -> None:
    """An archive, which an office document is too, is refused as one."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", "Anna\nBerta\n" * 100)
    assert "archive" in refusal(packed.getvalue())


@pytest.mark.parametrize(
    ("symbol", "called"),
    [
        ("\t", "U+0009 (a tab"),
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
        ("\ue000", "U+E000"),
        ("\ufffe", "U+FFFE"),
        ("\U000e0041", "U+E0041 (tag latin capital letter a)"),
    ],
)
def test_refuses_a_symbol_that_cannot_be_seen(symbol: str, called: str) -> None:
    """What drives a terminal or hides from a reader is refused by name, with its line."""
    text = f"\ufeffAnna\r\n \r\r\nBe{symbol}la\nCora\nDo{symbol}ra\n"
    assert refusal(text.encode()).startswith(f"names.txt, line 4: {called}")


def test_what_is_visible_is_settled_for_all_of_unicode() -> None:
    """Visible is what Python can print, and every space; less what is drawn as nothing."""
    wrong = [code for code in range(0x110000) if is_visible(chr(code)) != can_be_seen(chr(code))]
    assert not wrong


@pytest.mark.parametrize("symbol", ["a", "e\u0301", "李", "\U00010400"])
def test_a_line_has_a_greatest_length(symbol: str) -> None:
    """255 symbols are a name and 256 are none, counted when clean, whatever they are made of."""
    assert LONGEST_LINE == 255
    longest = "\t " + symbol * 255 + " \t"
    name = unicodedata.normalize("NFC", symbol) * 255
    assert clean(f"Anna\r\n{longest}\r\n".encode(), "names.txt") == f"Anna\n{name}\n"
    for text in (f"Anna\r\n\r\n{symbol * 256}\r\nEdda", f"{longest}\n\r{symbol * 256}"):
        assert refusal(text.encode()).startswith("names.txt, line 3: 256 symbols")
