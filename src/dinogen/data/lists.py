"""Lists: the clean names of a source, whatever its format, and what is odd about it."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from dinogen.data.cleaning import LongLineError, clean_parts
from dinogen.data.formats import MAX_JSON, Source, is_json, notice, read_json, refuse_format
from dinogen.data.sources import STDIN, read_text, source_name, split_lines
from dinogen.data.tables import Columns, read_columns
from dinogen.data.units import CHARACTER, WORD, Unit
from dinogen.errors import CorpusError

_HEAD = 1 << 16
"""The number of symbols that are read to see which format a source has."""


class NameList(NamedTuple):
    """The names of a source.

    Attributes:
        text: the clean names, each followed by a newline.
        weights: the weight of each name; None without a column of weights.
        warnings: what does not look like names, one line each, with the command that helps.
    """

    text: str
    weights: list[float] | None
    warnings: list[str]


def read_list(
    path: str | Path,
    *,
    encoding: str | None = None,
    columns: Columns | None = None,
    unit: Unit = CHARACTER,
) -> NameList:
    """Read a list: a name a line, a column of a table, or JSON.

    Args:
        path: a path, or `STDIN` for standard input.
        encoding: the encoding; None for UTF-8, or what the byte order mark says.
        columns: the columns of a table; None for a list.
        unit: what a symbol is.

    Raises:
        CorpusError: if the source cannot be read, if it is a file of another kind, and if `clean`
            refuses its text.
    """
    source = Source(source_name(path), None if path == STDIN else str(path), encoding, unit)
    chunks = read_text(path, encoding, option="--encoding")
    head, is_whole = _read_until(chunks, _HEAD)
    everything = chain([head], chunks)
    if is_json(head, is_table=columns is not None):
        names = read_json(_read_all(everything, source), source)
        if columns:
            raise CorpusError(f"{source.name}: a JSON list and not a table; leave --column out")
        text = "".join(f"{' '.join(name.splitlines())}\n" for name in names)
        place = f"{source.name} (each text a line)"
        return NameList("".join(clean_parts(iter([text]), place, unit)), None, [])
    if columns:
        return _read_table(split_lines(everything, path), columns, source, unit)
    refuse_format(head, source, is_whole=is_whole, refuse_tabs=unit is not WORD)
    try:
        text = "".join(clean_parts(split_lines(everything, path), source.name, unit))
    except LongLineError as error:
        raise CorpusError(f"{error}, or learn running text: {source.as_text}") from None
    return NameList(text, None, notice(text, source) if text else [])


def _read_until(chunks: Iterator[str], size: int) -> tuple[str, bool]:
    """Read a text until it has more than a size; returns it, and whether it is the whole text."""
    parts: list[str] = []
    read = 0
    for chunk in chunks:
        parts.append(chunk)
        read += len(chunk)
        if read > size:
            return "".join(parts), False
    return "".join(parts), True


def _read_all(chunks: Iterator[str], source: Source) -> str:
    """Read a JSON text of at most `MAX_JSON` symbols."""
    text, is_whole = _read_until(chunks, MAX_JSON)
    if not is_whole:
        raise CorpusError(
            f"{source.name}: more than {MAX_JSON:,} symbols of JSON; make a list of it: "
            + source.piped("jq -r '.[]'")
        )
    return text


def _read_table(parts: Iterator[str], columns: Columns, source: Source, unit: Unit) -> NameList:
    """Read the columns of a table."""
    weights: list[float] = []
    too_short = 0

    def texts() -> Iterator[str]:
        nonlocal too_short
        for part in read_columns(parts, columns, source.name):
            weights.extend(part.weights)
            too_short += part.too_short
            yield part.text

    text = "".join(clean_parts(texts(), source.name, unit))
    warnings = []
    if too_short:
        rows = "row has" if too_short == 1 else "rows have"
        warnings.append(f"{source.name}: {too_short:,} {rows} too few columns, and no name is read")
    return NameList(text, weights if columns.weights is not None else None, warnings)
