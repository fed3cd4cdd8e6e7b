"""Where lists come from: files and standard input, read as they come and never trusted."""

import sys
from collections.abc import Iterator
from pathlib import Path

from dinogen.errors import CorpusError
from dinogen.text.cleaning import LONGEST_LINE, clean, count_lines, end_of_lines

STDIN = "-"

_PIECE = 1 << 18
"""Bytes read at a time. No line is longer, so that no more than a few pieces are ever held."""


def source_name(source: str | Path) -> str:
    """Name a source as a message does."""
    return "standard input" if source == STDIN else str(source)


def read_names(source: str | Path) -> Iterator[str]:
    """Read a list as it comes: texts of clean names, each followed by a newline.

    Args:
        source: a path, or `STDIN` for standard input.

    Raises:
        CorpusError: for a source that cannot be read, and for what `clean` refuses.
    """
    name, line, rest = source_name(source), 1, b""
    for piece in _pieces(source):
        data = rest + piece
        end = end_of_lines(data)
        lines, rest = data[:end], data[end:]
        if lines:
            yield clean(lines, name, line)
            line += count_lines(lines)
        if len(rest) > _PIECE:
            raise CorpusError(
                f"{name}, line {line}: more than {_PIECE:,} bytes, where a name has at most "
                f"{LONGEST_LINE} symbols; put one name on a line"
            )
    if rest:
        yield clean(rest, name, line)


def _pieces(source: str | Path) -> Iterator[bytes]:
    try:
        if source == STDIN:
            if sys.stdin is None:
                raise CorpusError("standard input: closed; pipe a list into it, or name a file")
            read = getattr(sys.stdin.buffer, "read1", sys.stdin.buffer.read)  # without waiting
            while piece := read(_PIECE):
                yield piece
        else:
            with Path(source).open("rb") as file:
                while piece := file.read1(_PIECE):
                    yield piece
    except IsADirectoryError:
        raise CorpusError(f"{source}: a directory; name the files in it") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CorpusError(f"{source_name(source)}: {reason}; check the path") from None
