"""Untrusted bytes in, clean lines out: the one place that decides what a name may contain."""

import re
import unicodedata
from typing import NoReturn

from dinogen.errors import CorpusError

LONGEST_LINE = 255
"""The most symbols a line may have: no name is longer, and a file without line ends is no list."""

LONGEST_DECOMPOSED = 4 * LONGEST_LINE
"""The most before it is composed, which puts up to four into one: composing takes time that grows
with the square of the marks in a row."""

# Ends of lines as the Unicode standard counts them (section 5.8), VT and FF left out.
_NEWLINE = re.compile("\r\n|[\r\x85\u2028\u2029]")
_LINE_ENDS = tuple(end.encode() for end in ("\n", "\r", "\x85", "\u2028", "\u2029"))
_UNTIDY = re.compile(r"[^\S\n]\n|\n\s")

_UNNAMED = {"\t": "a tab; cut -f1 keeps the first column", "\0": "null", "\x1b": "escape"}

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
ZIP_MARK = b"PK\x03\x04"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

# Control, format, surrogate, private-use, unassigned, line and paragraph separator.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Drawn as nothing, though their category says letter, mark or symbol (Default_Ignorable_Code_Point,
# the braille blank, the Khitan filler and the null notehead).
_BLANK = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, 0x16FE4, 0x1D159}
    | set(range(0x180B, 0x1810))
    | set(range(0xFE00, 0xFE10))
    | set(range(0xE0100, 0xE01F0))
)


def clean(data: bytes, source: str, first_line: int = 1) -> str:
    """Turn the bytes of a list into names, each followed by one newline.

    Args:
        data: UTF-8, with or without a byte order mark, with any convention for the ends of lines.
        source: what to call the list in a message: a path, or ``standard input``.
        first_line: the number of its first line, where these bytes are not its beginning.

    Returns:
        The names in the order of the list, NFC-normalised, without white space around them and
        without blank lines. Empty where the list is.

    Raises:
        CorpusError: for bytes that are not UTF-8, a character that cannot be seen, or a line of
            more than `LONGEST_LINE` symbols; the message names the source and the line.
    """
    if first_line == 1:
        data = data.removeprefix(_BYTE_ORDER_MARK)
    text = _NEWLINE.sub("\n", _decode(data, source, first_line))
    names = text if text.endswith("\n") else text + "\n"
    if names[0].isspace() or _UNTIDY.search(names):
        names = "".join(f"{name}\n" for name in map(str.strip, names.split("\n")) if name)
    if _longer(names, LONGEST_DECOMPOSED):
        _refuse_length(text, source, first_line)
    # NFC is done on the whole text: a newline never composes with what follows it.
    names = unicodedata.normalize("NFC", names)
    bad = {symbol for symbol in set(names) if symbol != "\n" and not is_visible(symbol)}
    if bad:
        _refuse_character(text, bad, source, first_line)
    if _longer(names, LONGEST_LINE):
        _refuse_length(text, source, first_line)
    return names


def end_of_lines(data: bytes) -> int:
    """Count the bytes up to the end of the last line that is sure to be whole."""
    # A CR at the very end may be half of an end of line.
    known = len(data) - data.endswith(b"\r")
    places = {end: data.rfind(end, 0, known) for end in _LINE_ENDS}
    return max((place + len(end) for end, place in places.items() if place >= 0), default=0)


def count_lines(data: bytes) -> int:
    """Count the ends of lines, as `clean` takes them."""
    return sum(map(data.count, _LINE_ENDS)) - data.count(b"\r\n")


def is_visible(symbol: str) -> bool:
    """Tell whether a symbol may be part of a name: it leaves a mark, or is a space.

    What a terminal would obey and what a reader could not see is refused: control characters,
    format characters (bidirectional marks, zero-width joiners), fillers and variation selectors.
    """
    return unicodedata.category(symbol) not in _REFUSED_CATEGORIES and ord(symbol) not in _BLANK


def _decode(data: bytes, source: str, first_line: int) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if data.startswith(ZIP_MARK):
            raise CorpusError(
                f"{source}: an archive or an office document; export it as plain text"
            ) from None
        if data.startswith(_UTF16_MARKS):
            problem = "this is UTF-16"
        else:
            problem = f"byte 0x{data[error.start]:02x} is not UTF-8"
        line = _NEWLINE.sub("\n", data[: error.start].decode("utf-8")).count("\n") + first_line
        raise CorpusError(
            f"{source}, line {line}: {problem}; save the list as plain text in UTF-8"
        ) from None


def _refuse_character(text: str, bad: set[str], source: str, first_line: int) -> NoReturn:
    for number, line in enumerate(text.split("\n"), start=first_line):
        for symbol in unicodedata.normalize("NFC", line.strip()):
            if symbol in bad:
                name = _UNNAMED.get(symbol) or unicodedata.name(symbol, "no character").lower()
                raise CorpusError(
                    f"{source}, line {number}: U+{ord(symbol):04X} ({name}) cannot be seen and so "
                    f"cannot be part of a name; remove it"
                )
    raise AssertionError("a character was refused that no line holds")


def _longer(names: str, most: int) -> bool:
    return re.search(rf"^[^\n]{{{most + 1}}}", names, re.MULTILINE) is not None


def _refuse_length(text: str, source: str, first_line: int) -> NoReturn:
    for number, line in enumerate(text.split("\n"), start=first_line):
        name = line.strip()
        if len(name) <= LONGEST_DECOMPOSED:
            name = unicodedata.normalize("NFC", name)
        if len(name) > LONGEST_LINE:
            raise CorpusError(
                f"{source}, line {number}: {len(name):,} symbols, where a name has at most "
                f"{LONGEST_LINE}; put one name on a line"
            )
    raise AssertionError("a length was refused that no line has")
