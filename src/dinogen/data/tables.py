"""Tables: one column of names, and one of weights, from CSV and its relatives."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import chain, islice
from typing import NamedTuple

from dinogen.errors import CorpusError

DELIMITERS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas"}
"""What separates the columns of a table, and how messages call it. The cells of a table may contain
those that come later."""

_CLEAR = 0.9
"""The share of rows of one size that settles the delimiter."""

_PART_ROWS = 10_000
"""The number of rows that are read together. It bounds the memory in use."""

_NO_DELIMITER = "\x1f"
"""A delimiter for tables of one column. No name contains it."""

_SAMPLE_ROWS = 200
"""The number of rows that tell the delimiter, and whether the first row is a header."""

_MAX_ROW_LINES = 100
"""The maximum number of lines of a row. More mean that a quote is not closed."""

_MAX_SHOWN = 20
"""The maximum number of columns that a message lists."""

MAX_WEIGHT = 1e15
"""The maximum weight. The sum of many weights is still finite and exact enough."""

# "sep=;" tells spreadsheet programs the delimiter.
_SEPARATOR_LINE = re.compile(r"sep=(.)$", re.IGNORECASE)
# The lines in printed tables: "----+----", "|:---|---:|".
_RULE = re.compile(r"[-+|:= ]*[-=]{2,}[-+|:= ]*")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:([,'’ \u00a0\u202f])\d{3})(?:\1\d{3})*")
_NUMBER = re.compile(r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)? ?%?")
_HEADER_WORD = re.compile(r"names?$", re.IGNORECASE)


class Columns(NamedTuple):
    """Which columns of a table are read. A number is a position, counted from 1.

    Attributes:
        names: the column of names.
        weights: the column of weights, if any.
    """

    names: str | int
    weights: str | int | None = None

    def as_headings(self, first: Sequence[str], width: int) -> "Columns":
        """Take numbers that are no positions for headings, such as 2020 in a table of 3 columns.

        Args:
            first: the first row.
            width: the number of columns.
        """
        headings = {*map(str.strip, first)}

        def resolve(column: str | int) -> str | int:
            is_position = isinstance(column, int) and 0 < column <= width
            return str(column) if str(column) in headings and not is_position else column

        weights = None if self.weights is None else resolve(self.weights)
        return Columns(resolve(self.names), weights)


def as_column(value: str) -> str | int:
    """Return the position that digits stand for, or the name of a column."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else value


def sniff_delimiter(lines: Sequence[str]) -> str | None:
    """Return the delimiter of a table; None if its lines are not of several columns.

    It is the one that makes the same number of columns in most rows. (`csv.Sniffer` may take a
    letter for the delimiter, or the one that stands beside the first quote.)

    Args:
        lines: the first lines, each with its line end.
    """
    best, chosen = 0.5, None
    for delimiter in DELIMITERS:
        sizes = Counter(map(len, sample_rows(lines, delimiter)))
        columns, rows = max(sizes.items(), key=lambda size: size[::-1], default=(0, 0))
        share = rows / max(1, sizes.total())
        if columns > 1 and share > best:
            best, chosen = share, delimiter
        if best >= _CLEAR:
            break
    return chosen


def sample_rows(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """Return the first rows of a table, without blank rows and rules.

    Args:
        lines: the first lines, each with its line end.
        delimiter: what separates the columns.
    """
    try:
        rows = [
            tidy
            for row in csv.reader(lines[: 2 * _SAMPLE_ROWS], delimiter=delimiter)
            if (tidy := _tidy(row, delimiter))
        ]
    except csv.Error:
        return []
    # The sample may end within the last row.
    return rows[:-1][:_SAMPLE_ROWS] if len(lines) >= 2 * _SAMPLE_ROWS else rows


class Part(NamedTuple):
    """A part of a table.

    Attributes:
        text: as many lines as the table has there. A row has its name in its first line, so that
            names keep their line numbers; without a name, or of weight 0, it is blank.
        weights: the weights of the lines that are not blank; none without a column of weights.
        too_short: the number of rows that do not have the columns.
    """

    text: str
    weights: list[float]
    too_short: int


def read_columns(parts: Iterable[str], columns: Columns, source: str) -> Iterator[Part]:
    """Read the names of a table, and their weights, part by part.

    Args:
        parts: the table, in parts of whole lines.
        columns: the columns to read.
        source: the name of the table in messages.

    Raises:
        CorpusError: if there is no such column, for a weight that is not a number, and for a quote
            that is not closed.
    """
    unread = iter(parts)
    head = next(unread, "")
    sample = [*islice(StringIO(head), 2 * _SAMPLE_ROWS)]
    separator = _SEPARATOR_LINE.match(sample[0]) if sample else None
    if separator:
        delimiter, sample = separator[1], sample[1:]
    else:
        delimiter = sniff_delimiter(sample) or _NO_DELIMITER
    rows = sample_rows(sample, delimiter)
    if rows:
        places = _Places.find(columns, rows, source)
        to_skip = bool(separator) + places.has_header
        yield from _read_rows(chain([head], unread), delimiter, places, source, to_skip)


class _Places(NamedTuple):
    """Where the columns are.

    Attributes:
        names: the index of the column of names.
        weights: the index of the column of weights; None if there is none.
        has_header: whether the first row is a header.
    """

    names: int
    weights: int | None
    has_header: bool

    @classmethod
    def find(cls, columns: Columns, rows: Sequence[Sequence[str]], source: str) -> "_Places":
        """Find columns by their names in the first row, or by their positions.

        Raises:
            CorpusError: if there is no such column, or several.
        """
        columns = columns.as_headings(rows[0], max(map(len, rows)))
        names = _find(columns.names, rows, source)
        weights = None if columns.weights is None else _find(columns.weights, rows, source)
        is_named = isinstance(columns.names, str) or isinstance(columns.weights, str)
        return cls(names, weights, is_named or has_header(rows, weights))


def _find(column: str | int, rows: Sequence[Sequence[str]], source: str) -> int:
    """Return the index of a column."""
    header = [cell.strip() for cell in rows[0]]
    if isinstance(column, int):
        if 0 < column <= max(map(len, rows)):
            return column - 1
        places = []
    else:
        wanted = column.strip()
        places = [place for place, name in enumerate(header) if name == wanted] or [
            place for place, name in enumerate(header) if name.casefold() == wanted.casefold()
        ]
    if len(places) == 1:
        return places[0]
    if places:
        numbers = " or ".join(str(place + 1) for place in places)
        raise CorpusError(
            f"{source}: {len(places)} columns are called {column!r}; give a number: {numbers}"
        )
    raise CorpusError(f"{source}: no column {column!r}; its columns are {describe_columns(header)}")


def describe_columns(header: Sequence[str]) -> str:
    """List the columns of a table with their positions."""
    shown = [f"{place} {name[:30]!r}" for place, name in enumerate(header[:_MAX_SHOWN], start=1)]
    more = len(header) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def has_header(rows: Sequence[Sequence[str]], weights: int | None = None) -> bool:
    """Tell whether the first row is plainly a header.

    It is one if its weight is not a number, if a cell ends with the word "name", or if another
    column has only numbers below it. (`csv.Sniffer.has_header` also compares lengths, and takes
    the first name of a list for a header if it is the only one of its length.)
    """
    first, *others = rows
    if weights is not None and weights < len(first):
        return parse_weight(first[weights]) is None
    if any(_HEADER_WORD.search(cell.strip()) for cell in first):
        return True
    return any(
        cell.strip()
        and parse_weight(cell) is None
        and len(others) > 1
        and all(place < len(row) and parse_weight(row[place]) is not None for row in others)
        for place, cell in enumerate(first)
    )


def parse_weight(cell: str) -> float | None:
    """Return the number in a cell, 0 for an empty one; None if it is not a number."""
    text = cell.strip()
    if text.isdecimal() and text.isascii():
        return float(text)
    if not text:
        return 0.0
    if thousands := _THOUSANDS.fullmatch(text):
        return float(text.replace(thousands[1], "") if thousands[1] else text)
    if not _NUMBER.fullmatch(text):
        return None
    return float(text.rstrip("% ").replace(",", "."))


def _read_rows(
    parts: Iterable[str], delimiter: str, places: _Places, source: str, to_skip: int
) -> Iterator[Part]:
    """Yield the names and weights of all rows after the first ones; see `read_columns`."""
    raw: list[str] = []  # the lines of the current row

    def lines() -> Iterator[str]:
        for part in parts:
            for line in StringIO(part):
                raw.append(line)
                yield line

    reader = csv.reader(lines(), delimiter=delimiter)
    # Below a printed table, a line without a bar says how many rows there are.
    min_cells = max(places.names, places.weights or 0, delimiter == "|") + 1
    names: list[str] = []
    weights: list[float] = []
    too_short, line = 0, 1
    try:
        for row in reader:
            height = reader.line_num + 1 - line
            if height > _MAX_ROW_LINES or (height > 1 and "".join(raw).count('"') % 2):
                raise CorpusError(f"{source}, line {line}: a quote is opened and not closed")
            raw.clear()
            name = ""
            cells = _tidy(row, delimiter)
            if cells and to_skip:
                to_skip -= 1
            elif cells and len(cells) < min_cells:
                too_short += 1
            elif cells:
                name = cells[places.names].strip()
                if height > 1:
                    name = " ".join(name.split("\n"))
                if places.weights is not None:
                    weight = _weight(cells[places.weights], f"{source}, line {line}")
                    name = name if weight else ""
                    if name:
                        weights.append(weight)
            names.append(name + "\n" * height)
            line += height
            if len(names) == _PART_ROWS:
                yield Part("".join(names), weights, too_short)
                names, weights, too_short = [], [], 0
    except csv.Error as error:
        raise CorpusError(f"{source}, line {line}: not a row of a table: {error}") from None
    yield Part("".join(names), weights, too_short)


def _weight(cell: str, place: str) -> float:
    """Return the weight in a cell."""
    weight = parse_weight(cell)
    if weight is None or not 0 <= weight <= MAX_WEIGHT:
        raise CorpusError(
            f"{place}: {cell[:30]!r} is not a count; --weights names a column of numbers from 0 on"
        )
    return weight


def _tidy(row: list[str], delimiter: str) -> list[str]:
    """Return the cells of a row without the bars around it; none for a blank row or a rule."""
    cells = row
    if delimiter == "|":
        cells = [*map(str.strip, row)]
        if len(cells) > 2 and not cells[0] and not cells[-1]:
            cells = cells[1:-1]
        if _RULE.fullmatch("|".join(cells)):
            return []
    return cells if any(map(str.strip, cells)) else []
