"""Sources of names: files and standard input, read in chunks."""

import sys
from collections.abc import Iterator
from pathlib import Path

from dinogen.data.cleaning import MAX_NAME_LENGTH, clean, count_lines, end_of_last_line
from dinogen.errors import CorpusError, os_reason

STDIN = "-"
"""The source that stands for standard input."""

_CHUNK = 1 << 18
"""The maximum number of bytes in a read and in a line. It bounds the memory in use."""


def source_name(source: str | Path) -> str:
    """Return the name of a source for messages."""
    return "standard input" if source == STDIN else str(source)


def read_names(source: str | Path) -> Iterator[list[str]]:
    """Read the clean names of a list, chunk by chunk; see `read_clean_text`."""
    for text in read_clean_text(source):
        yield text.split("\n")[:-1]


def read_clean_text(source: str | Path) -> Iterator[str]:
    """Read a list chunk by chunk as texts of clean names, each followed by a newline.

    Args:
        source: a path, or `STDIN` for standard input.

    Raises:
        CorpusError: if the source cannot be read, or if `clean` refuses its text.
    """
    name, line, rest = source_name(source), 1, b""
    for chunk in _read_chunks(source):
        data = rest + chunk
        end = end_of_last_line(data)
        lines, rest = data[:end], data[end:]
        if lines:
            yield clean(lines, name, line)
            line += count_lines(lines)
        if len(rest) > _CHUNK:
            raise CorpusError(
                f"{name}, line {line}: more than {_CHUNK:,} bytes, but a name has at most "
                f"{MAX_NAME_LENGTH} symbols; put one name on each line"
            )
    if rest:
        yield clean(rest, name, line)


def _read_chunks(source: str | Path) -> Iterator[bytes]:
    """Read the bytes of a source as they arrive, at most `_CHUNK` at a time."""
    try:
        if source == STDIN:
            if sys.stdin is None:
                raise CorpusError("standard input: closed; pipe a list into it, or give a file")
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
