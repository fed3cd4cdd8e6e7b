"""Cleaning: from untrusted bytes to clean names. Decides which symbols a name may contain."""

import re
import unicodedata
from typing import NoReturn

from dinogen.errors import CorpusError

MAX_NAME_LENGTH = 255
"""The maximum number of symbols in a name. It also stops files without line ends."""

MAX_DECOMPOSED_LENGTH = 4 * MAX_NAME_LENGTH
"""The maximum length of a line before NFC, which merges up to four symbols into one. Longer lines
are refused before NFC, whose time is quadratic in the length of a run of marks."""

ZIP_MARK = b"PK\x03\x04"
"""The first bytes of a zip archive."""

# The line ends of the Unicode standard (section 5.8) except VT and FF.
_NEWLINE = re.compile("\r\n|[\r\x85\u2028\u2029]")
_LINE_ENDS = tuple(end.encode() for end in ("\n", "\r", "\x85", "\u2028", "\u2029"))
# White space around a name, or a blank line.
_STRAY_SPACE = re.compile(r"[^\S\n]\n|\n\s")

# Control characters have no name in `unicodedata`.
_CONTROL_NAMES = {"\t": "tab", "\0": "null", "\x1b": "escape"}

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF16_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")

# Control, format, surrogate, private-use, unassigned, line and paragraph separator.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Invisible letters, marks and symbols: Default_Ignorable_Code_Point, the braille blank, the Khitan
# filler and the null notehead.
_INVISIBLE = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, 0x16FE4, 0x1D159}
    | set(range(0x180B, 0x1810))
    | set(range(0xFE00, 0xFE10))
    | set(range(0xE0100, 0xE01F0))
)


def clean(data: bytes, source: str, first_line: int = 1) -> str:
    """Clean the bytes of a list.

    Args:
        data: UTF-8 with or without a byte order mark, and with any line ends.
        source: the name of the list in messages: a path, or ``standard input``.
        first_line: the line number of the first byte, for a later part of a list.

    Returns:
        The names in the order of the list, each followed by a newline. They are in normal form C,
        stripped of white space, without blank lines. Empty if there are none.

    Raises:
        CorpusError: for bytes that are not UTF-8, an invisible symbol, or a line with more than
            `MAX_NAME_LENGTH` symbols; the message names the source and the line.
    """
    if first_line == 1:
        data = data.removeprefix(_BYTE_ORDER_MARK)
    text = _NEWLINE.sub("\n", _decode(data, source, first_line))
    names = text if text.endswith("\n") else text + "\n"
    if names[0].isspace() or _STRAY_SPACE.search(names):
        names = "".join(f"{name}\n" for name in map(str.strip, names.split("\n")) if name)
    if _has_longer_line(names, MAX_DECOMPOSED_LENGTH):
        _refuse_length(text, source, first_line)
    # The whole text is normalised at once: a newline never composes with the symbol after it.
    names = unicodedata.normalize("NFC", names)
    refused = {symbol for symbol in set(names) if symbol != "\n" and not is_visible(symbol)}
    if refused:
        _refuse_symbol(text, refused, source, first_line)
    if _has_longer_line(names, MAX_NAME_LENGTH):
        _refuse_length(text, source, first_line)
    return names


def end_of_last_line(data: bytes) -> int:
    """Return the number of bytes up to the end of the last complete line."""
    # A CR at the very end may be the first half of CR LF.
    complete = len(data) - data.endswith(b"\r")
    positions = {end: data.rfind(end, 0, complete) for end in _LINE_ENDS}
    return max((start + len(end) for end, start in positions.items() if start >= 0), default=0)


def count_lines(data: bytes) -> int:
    """Count line ends as `clean` does."""
    return sum(map(data.count, _LINE_ENDS)) - data.count(b"\r\n")


def is_visible(symbol: str) -> bool:
    """Tell whether a symbol may be part of a name: visible symbols and spaces may.

    Control characters are refused because a terminal obeys them. Invisible symbols are refused too:
    format characters (bidirectional marks, zero-width joiners), fillers and variation selectors.
    """
    return unicodedata.category(symbol) not in _REFUSED_CATEGORIES and ord(symbol) not in _INVISIBLE


def _decode(data: bytes, source: str, first_line: int) -> str:
    """Decode UTF-8. The error for other bytes says what they are and in which line."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if data.startswith(ZIP_MARK):
            raise CorpusError(
                f"{source}: an archive or an office document; export it as plain text"
            ) from None
        if data.startswith(_UTF16_BYTE_ORDER_MARKS):
            problem = "this is UTF-16"
        else:
            problem = f"byte 0x{data[error.start]:02x} is not valid UTF-8"
        line = _NEWLINE.sub("\n", data[: error.start].decode("utf-8")).count("\n") + first_line
        raise CorpusError(
            f"{source}, line {line}: {problem}; save the list as plain text in UTF-8"
        ) from None


def _has_longer_line(names: str, max_length: int) -> bool:
    """Tell whether a line has more symbols than a maximum."""
    return re.search(rf"^[^\n]{{{max_length + 1}}}", names, re.MULTILINE) is not None


def _refuse_symbol(text: str, refused: set[str], source: str, first_line: int) -> NoReturn:
    """Raise the error for the first refused symbol in a text."""
    for number, line in enumerate(text.split("\n"), start=first_line):
        for symbol in unicodedata.normalize("NFC", line.strip()):
            if symbol in refused:
                name = _CONTROL_NAMES.get(symbol) or unicodedata.name(symbol, "unnamed").lower()
                remedy = "remove it"
                if symbol == "\t":
                    remedy = "remove it, or keep the first column with: cut -f1"
                raise CorpusError(
                    f"{source}, line {number}: U+{ord(symbol):04X} ({name}) is invisible and "
                    f"cannot be part of a name; {remedy}"
                )
    raise AssertionError("no line contains a refused symbol")


def _refuse_length(text: str, source: str, first_line: int) -> NoReturn:
    """Raise the error for the first line of a text that is too long."""
    for number, line in enumerate(text.split("\n"), start=first_line):
        name = line.strip()
        if len(name) <= MAX_DECOMPOSED_LENGTH:
            name = unicodedata.normalize("NFC", name)
        if len(name) > MAX_NAME_LENGTH:
            raise CorpusError(
                f"{source}, line {number}: {len(name):,} symbols, but a name has at most "
                f"{MAX_NAME_LENGTH}; put one name on each line"
            )
    raise AssertionError("no line is too long")
