"""Sources of names and texts: files and standard input, read in chunks."""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from shlex import quote

from dinogen.data.cleaning import MAX_NAME_LENGTH, clean_parts
from dinogen.data.detection import is_mostly_utf8, likeliest_encoding
from dinogen.data.encodings import UndecodableError, decode
from dinogen.data.units import CHARACTER, Unit
from dinogen.errors import CorpusError, os_reason

STDIN = "-"
"""The source that stands for standard input."""

_CHUNK = 1 << 18
"""The maximum number of bytes in a read, and of symbols in a line. It bounds the memory in use."""

MAX_TEXT = 1 << 28
"""The maximum number of symbols of a text. It stops sources without an end."""

# The line ends of the Unicode standard (section 5.8) except VT and FF.
_NEWLINE = re.compile("\r\n|[\r\x85\u2028\u2029]")
_LINE_ENDS = ("\n", "\r", "\x85", "\u2028", "\u2029")

_SHOWN = 40
"""The maximum number of symbols of a line that a message shows."""

_ICONV_NAMES = {"mac-roman": "macintosh"}


def source_name(source: str | Path) -> str:
    """Return the name of a source for messages."""
    return "standard input" if source == STDIN else str(source)


def read_names(source: str | Path, unit: Unit = CHARACTER) -> Iterator[list[str]]:
    """Read the clean names of a list, chunk by chunk; see `read_clean_text`."""
    for text in read_clean_text(source, unit):
        yield text.split("\n")[:-1]


def read_clean_text(source: str | Path, unit: Unit = CHARACTER) -> Iterator[str]:
    """Read a list chunk by chunk as texts of clean names, each followed by a newline.

    Args:
        source: a path, or `STDIN` for standard input.
        unit: what a symbol is.

    Raises:
        CorpusError: if the source cannot be read, or if `clean` refuses its text.
    """
    yield from clean_parts(split_lines(read_text(source), source), source_name(source), unit)


def read_text(
    source: str | Path,
    encoding: str | None = None,
    *,
    option: str | None = None,
    is_text: bool = False,
) -> Iterator[str]:
    """Read and decode a text as it arrives, in any parts.

    Args:
        source: a path, or `STDIN` for standard input.
        encoding: the encoding; None for UTF-8, or what the byte order mark says.
        option: the option of the command that sets the encoding, for messages.
        is_text: whether it is running text, for messages.

    Raises:
        CorpusError: if the source cannot be read, or is not text in the encoding.
    """
    name, line, before, is_ascii = source_name(source), 1, "", True
    try:
        for chunk in decode(_read_chunks(source), name, encoding, is_text=is_text):
            yield chunk
            is_ascii = is_ascii and chunk.isascii()
            text = before + chunk
            end = _end_of_last_line(text)
            line += _count_lines(text[:end])
            before = text[end:][-_CHUNK:]
    except UndecodableError as error:
        text = before + error.before
        end = _end_of_last_line(text)
        before = text[end:]
        line += _count_lines(text[:end]) + before.endswith("\r")
        is_ascii = is_ascii and error.before.isascii()
        problem = f"byte 0x{error.data[0]:02x} is not valid {encoding or 'UTF-8'}"
        remedy = f"give its encoding with {option}" if option else "save it in UTF-8"
        if not encoding:
            is_utf8 = not is_ascii or is_mostly_utf8(error.data)
            remedy = _remedy(before, error.data, source, option, is_utf8=is_utf8) or remedy
        raise CorpusError(f"{name}, line {line}: {problem}; {remedy}") from None


def split_lines(
    chunks: Iterable[str], source: str | Path, *, is_text: bool = False
) -> Iterator[str]:
    """Split a list or a text that arrives in any parts into parts of whole lines.

    Args:
        chunks: the parts.
        source: the source.
        is_text: whether it is running text, whose lines have any length.

    Yields:
        Lines that end with a newline each, whatever ended them in the text. Only the last line of
        the last part may have none.

    Raises:
        CorpusError: for a line of a list with more than `_CHUNK` symbols, and for a text with more
            than `MAX_TEXT` symbols.
    """
    line, size, length, rest = 1, 0, 0, [""]
    for chunk in chunks:
        size += len(chunk)
        if is_text and size > MAX_TEXT:
            raise CorpusError(
                f"{source_name(source)}: more than {MAX_TEXT:,} symbols, too many to learn; give "
                "a part of it"
            )
        # A CR at the end may be the first half of CR LF.
        text = rest.pop() + chunk if rest[-1].endswith("\r") else chunk
        length += len(chunk)
        if end := _end_of_last_line(text):
            lines = _unify("".join([*rest, text[:end]]))
            yield lines
            line += lines.count("\n")
            length, rest = len(text) - end, [""]
        # The parts of a long line are joined when it ends: its length may be that of the text.
        rest.append(text[end:])
        if not is_text and length > _CHUNK:
            raise CorpusError(
                f"{source_name(source)}, line {line}: more than {_CHUNK:,} symbols, but a name has "
                f"at most {MAX_NAME_LENGTH}; put one name on each line"
            )
    if any(rest):
        yield _unify("".join(rest))


def _unify(lines: str) -> str:
    """Replace all line ends by newlines."""
    # Most files have no others, and a search for one symbol is fast.
    return _NEWLINE.sub("\n", lines) if any(end in lines for end in _LINE_ENDS[1:]) else lines


def _end_of_last_line(text: str) -> int:
    """Return the number of symbols up to the end of the last complete line."""
    # A CR at the very end may be the first half of CR LF.
    complete = len(text) - text.endswith("\r")
    return max(text.rfind(end, 0, complete) for end in _LINE_ENDS) + 1


def _count_lines(text: str) -> int:
    """Count line ends."""
    return sum(map(text.count, _LINE_ENDS)) - text.count("\r\n")


def _remedy(
    before: str, data: bytes, source: str | Path, option: str | None, *, is_utf8: bool
) -> str | None:
    """Say what to do about bytes that are not UTF-8; None if their encoding cannot be guessed.

    Args:
        before: the text before them in their line.
        data: the bytes from the first invalid one on.
        source: the source.
        option: the option of the command that sets the encoding.
        is_utf8: whether most of the text is UTF-8.
    """
    path = "" if source == STDIN else f" {quote(str(source))}"
    line = before.encode() + data
    if is_utf8:
        return (
            f"most of the text is; correct this line, or drop such bytes: iconv -c -t utf-8{path}"
        )
    likeliest = likeliest_encoding(line)
    if likeliest is None:
        return None
    shown = re.split(rb"[\r\n]", line)[0].decode(likeliest, "replace").strip()
    if len(shown) > _SHOWN:
        shown = shown[: _SHOWN - 3] + "..."
    known_to_iconv = _ICONV_NAMES.get(likeliest, likeliest)
    remedy = f"add {option} {likeliest}" if option else f"iconv -f {known_to_iconv} -t utf-8{path}"
    return f"if it should read {shown!r}, {remedy}"


def _read_chunks(source: str | Path) -> Iterator[bytes]:
    """Read the bytes of a source as they arrive, at most `_CHUNK` at a time."""
    try:
        if source == STDIN:
            if sys.stdin is None:
                raise CorpusError("standard input: closed; pipe text into it, or give a file")
            # read1 returns what has arrived; read waits for a full chunk.
            read = getattr(sys.stdin.buffer, "read1", sys.stdin.buffer.read)
            while chunk := read(_CHUNK):
                yield chunk
        else:
            with Path(source).open("rb") as file:
                while chunk := file.read1(_CHUNK):
                    yield chunk
    except IsADirectoryError:
        raise CorpusError(f"{source}: a directory; give the files in it") from None
    except OSError as error:
        raise CorpusError(f"{source_name(source)}: {os_reason(error)}; check the path") from None
