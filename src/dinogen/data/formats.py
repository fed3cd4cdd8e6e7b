"""Formats: lists in JSON, and files that are not lists, with the command that makes them so."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from html.entities import html5
from itertools import pairwise
from math import sqrt
from shlex import quote
from typing import Any, NamedTuple, NoReturn

from dinogen.data.cleaning import MAX_NAME_LENGTH
from dinogen.data.tables import DELIMITERS, has_header, parse_weight, sample_rows, sniff_delimiter
from dinogen.data.units import CHARACTER, Unit
from dinogen.errors import CorpusError

MAX_JSON = 1 << 24
"""The maximum number of symbols of a JSON text. It bounds the memory in use."""

_SAMPLE = 1 << 16
"""The number of symbols at the start of a list that tell its format."""

_MOST, _HALF, _SOME = 0.9, 0.5, 0.1
"""The share of lines that show a format."""

_MANY_SPACES = 5
"""The number of spaces in a line from which it is rather a line of text than a name."""

_JSON = re.compile(r'\s*(?:\[\s*["\[{\]]|\{\s*["}])')
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_PAGE = re.compile(r"\s*<(?:!doctype|html|head|body|\?xml|svg|rss|table)\b", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]*(?:\s[^<>\n]*)?/?>|<!--")
_ENTITY = re.compile(r"&(#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z]+\d*);")
_COMMENT = re.compile(r"#(?:[\s#]|$)|//")
_NUMBERED = re.compile(r"\(?\d+[.):]\)?\s+\S")
_COUNTED = re.compile(r"\d{1,9} +\S", re.ASCII)
_BULLET = re.compile(r"[-*•+]\s+\S")
_DOUBLE_QUOTED = re.compile(r'".*"[,;]?$')
_SINGLE_QUOTED = re.compile(r"'.*'[,;]?$")
_COLUMN_GAP = re.compile(r"\S {2,}\S")
_NAME = re.compile("names?", re.IGNORECASE)
_SOME_NAME = re.compile(r".*names?|names?\W.*", re.IGNORECASE)
_PUNCTUATED = re.compile("[.,;!?\u2026\u0964\u06d4\u3002\uff0c\uff01\uff1f][\"'\u2019\u201d»)]*$")
_IDEOGRAPHIC = re.compile("[\u3001\u3002\uff0c]")
_PLAIN_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class Source(NamedTuple):
    """A source in messages and in the commands that they propose.

    Attributes:
        name: the path, or ``standard input``.
        path: the path; None for standard input.
        encoding: the encoding that was given, if any.
        unit: what a symbol is.
    """

    name: str
    path: str | None
    encoding: str | None = None
    unit: Unit = CHARACTER

    def piped(self, command: str, *then: str, reads: str = "") -> str:
        """Return the command line that trains on what a command makes of the source.

        Args:
            command: the command, which takes the path as its last argument.
            then: commands for what it writes.
            reads: " <" if the command reads standard input instead.
        """
        path = f"{reads} {quote(self.path)}" if self.path else ""
        return " | ".join((f"{command}{path}", *then, f"dinogen train -{self._again}"))

    def with_column(self, column: str) -> str:
        """Return the command line that trains on a column of the source."""
        return f"dinogen train {quote(self.path or '-')} --column {quote(column)}{self._again}"

    @property
    def as_text(self) -> str:
        """The command line that trains on the source as running text."""
        return f"dinogen train --text {quote(self.path or '-')}{self._again}"

    @property
    def _again(self) -> str:
        """The options that were given, for the next command line."""
        encoding = f" --encoding {quote(self.encoding)}" if self.encoding else ""
        return encoding if self.unit is CHARACTER else f"{encoding} --unit {self.unit.name}"


# JSON.


def is_json(head: str, *, is_table: bool = False) -> bool:
    """Tell whether a text begins as a JSON array or object does, or has a JSON string a line.

    A table may have a quoted cell a line.
    """
    if is_table or _JSON.match(head):
        return _JSON.match(head) is not None
    lines = [line.strip() for line in head[:_SAMPLE].split("\n") if line.strip()]
    # The last line of a part may be incomplete.
    complete = lines[:-1] if len(head) > _SAMPLE else lines
    return len(complete) > 1 and all(map(_JSON_STRING.fullmatch, complete))


def read_json(text: str, source: Source) -> list[str]:
    """Return the names in a JSON text: an array of strings, an object with one, or a string a line.

    Raises:
        CorpusError: for anything else, with the command that makes a list of it.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return _read_json_lines(text, source, error)
    if isinstance(value, Mapping):
        lists = {key: each for key, each in value.items() if _is_list(each)}
        if len(lists) == 1:
            return next(iter(lists.values()))
        _refuse_json(value, source)
    if not _is_list(value):
        _refuse_json(value, source)
    names: list[str] = value
    return names


def _is_list(value: object) -> bool:
    """Tell whether a JSON value is an array of strings that is not empty."""
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def _read_json_lines(text: str, source: Source, error: Exception) -> list[str]:
    """Return the strings of a text with one JSON value a line."""
    names: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            value = json.loads(line) if line.strip() else ""
        except (ValueError, RecursionError):
            reason = f", line {number}" if number > 1 else ""
            if isinstance(error, json.JSONDecodeError) and number == 1:
                reason = f", line {error.lineno}"
            raise CorpusError(
                f"{source.name}{reason}: this looks like JSON and is not valid; correct it, or "
                "give a text file with one name on each line"
            ) from None
        if isinstance(value, Mapping):
            keys = [f".{_jq_key(key)}" for key, each in value.items() if isinstance(each, str)]
            best = next((key for key in keys if "name" in key.lower()), (keys or ["."])[0])
            raise CorpusError(
                f"{source.name}: JSON with an object a line; take one of its texts: "
                + source.piped(f"jq -r {quote(best)}")
            )
        if not isinstance(value, str):
            raise CorpusError(f"{source.name}, line {number}: JSON that is not a string")
        names.append(value)
    return names


def _refuse_json(value: object, source: Source) -> NoReturn:
    """Refuse JSON that is not a list, and propose how to make a list of it."""
    kind = "an array" if isinstance(value, list) else "an object"
    if isinstance(value, Mapping) and value and all(_is_number(each) for each in value.values()):
        raise CorpusError(
            f"{source.name}: a JSON object with numbers; take its keys: "
            + source.piped("jq -r 'keys[]'")
        )
    paths = [*_paths(value, "")][:8]
    if not paths:
        raise CorpusError(
            f"{source.name}: JSON, {kind} without a list of texts; give a text file with one name "
            "on each line"
        )
    best = next((path for path in paths if "name" in path.lower()), paths[0])
    others = f" (it also has {', '.join(path for path in paths if path != best)})"
    raise CorpusError(
        f"{source.name}: JSON, {kind} and not one list of texts; take one of its lists: "
        + source.piped(f"jq -r {quote(best)}")
        + (others if len(paths) > 1 else "")
    )


def _is_number(value: object) -> bool:
    """Tell whether a JSON value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _paths(value: Any, path: str, depth: int = 0) -> Iterator[str]:
    """Yield the paths for jq to lists of texts in a JSON value."""
    if _is_list(value):
        yield f"{path or '.'}[]"
    elif isinstance(value, list) and value and depth < 4:
        if isinstance(value[0], str):
            yield f"{path or '.'}[]|strings"
        else:
            yield from _paths(value[0], f"{path or '.'}[]", depth + 1)
    elif isinstance(value, Mapping) and depth < 4:
        for key, each in value.items():
            below = (
                f"{path}.{_jq_key(key)}"
                if path or _PLAIN_WORD.fullmatch(key)
                else f".{_jq_key(key)}"
            )
            if isinstance(each, str) and "[]" in path:
                yield below
            else:
                yield from _paths(each, below, depth + 1)


def _jq_key(key: str) -> str:
    """Return a key as jq writes it."""
    return key if _PLAIN_WORD.fullmatch(key) else json.dumps(key)


# Files that are refused.


def refuse_format(head: str, source: Source, *, is_whole: bool, refuse_tabs: bool) -> None:
    """Refuse files of which no line is a name: pages, tables with tabs, and lists in one line.

    Nothing useful could be learned from them.

    Args:
        head: the beginning of the text, with its line ends as they are.
        source: the source.
        is_whole: whether it is the whole text.
        refuse_tabs: whether names cannot contain tabs.

    Raises:
        CorpusError: for such a file, with the command that makes a list of it.
    """
    if _PAGE.match(head):
        raise CorpusError(
            f"{source.name}: a page in HTML or XML and not a list; copy its names into a text "
            f"file, one on each line; if it is running text: {source.as_text}"
        )
    lines = [line for line in head.split("\n") if line.strip()]
    commas = lines[0].count(",") if lines else 0
    if len(lines) == 1 and commas > 1:
        at_least = "" if is_whole else "at least "
        raise CorpusError(
            f"{source.name}: one line with {at_least}{commas:,} commas; if it is a list, put one "
            "name on each line: "
            + source.piped("tr , '\\n'", reads=" <")
            + f"; if it is running text: {source.as_text}"
        )
    rows = [f"{line}\n" for line in lines]
    delimiter = sniff_delimiter(rows)
    has_tabs = delimiter == "\t" and refuse_tabs
    if delimiter and (has_tabs or max(map(len, rows)) > MAX_NAME_LENGTH):
        table = _Table.of(rows, delimiter)
        if has_tabs or table.is_plain:
            raise CorpusError(
                f"{source.name}: a table of {table.description}; choose one: "
                f"{source.with_column(table.likely_column)}"
            )


# Files that are learned with a warning.


def notice(text: str, source: Source) -> list[str]:
    """Say what in a list does not look like names, in how many lines, and what helps.

    Args:
        text: clean names, each followed by a newline.
        source: the source.

    Returns:
        One line for each kind of thing that was seen.
    """
    head = text[:_SAMPLE].split("\n")[:-1]
    table = _notice_table(text, head, source)
    # Few of the lines of running text may look like other things, too.
    if not table and (prose := _notice_prose(text, head, source)):
        return [prose]
    found = [
        warning
        for kind in (_notice_markup, _notice_comments, _notice_lists, _notice_quotes)
        if (warning := kind(text, head, source))
    ]
    # What was seen so far may also look like columns.
    if not found and (warning := table or _notice_counts(text, head, source)):
        found.append(warning)
    return found


def _share(lines: Sequence[str], pattern: re.Pattern[str]) -> float:
    """Return the share of lines that begin with a pattern."""
    return sum(map(bool, map(pattern.match, lines))) / max(1, len(lines))


def _tell(text: str, source: Source, is_seen: Callable[[str], object], seen: str, fix: str) -> str:
    """Return a warning with the number of lines."""
    lines = text.split("\n")[:-1]
    count = sum(map(bool, map(is_seen, lines)))
    return f"{source.name}: {count:,} of {len(lines):,} lines {seen}: {fix}"


def _notice_markup(text: str, _head: Sequence[str], source: Source) -> str | None:
    """Notice tags and entities of HTML and XML."""
    if "<" in text and _TAG.search(text):
        fix = source.piped("sed 's/<[^>]*>//g'")
        return _tell(text, source, _TAG.search, "have tags of HTML or XML; to remove them", fix)
    if "&" in text and any(_is_entity(match[1]) for match in _ENTITY.finditer(text)):
        unescape = "python3 -c 'import html, sys; print(html.unescape(sys.stdin.read()))'"
        seen = "have symbols as HTML writes them, such as &amp;; to turn them into symbols"
        return _tell(text, source, _ENTITY.search, seen, source.piped(unescape, reads=" <"))
    return None


def _is_entity(name: str) -> bool:
    """Tell whether HTML has an entity."""
    return name.startswith("#") or f"{name};" in html5


def _notice_comments(text: str, head: Sequence[str], source: Source) -> str | None:
    """Notice lines that begin with # or //, if they are few."""
    for mark in ("#", "//"):
        if text.startswith(mark) or f"\n{mark}" in text:
            # "#1 Crush" is a song.
            is_comment = re.compile(f"{mark}(?!\\d)") if head[0].startswith(mark) else _COMMENT
            marked = [line for line in text.split("\n") if line.startswith(mark)]
            if len(marked) <= _HALF * text.count("\n") and any(map(is_comment.match, marked)):
                seen = f"begin with {mark} as comments do; to leave them out"
                fix = source.piped(f"grep -v '^ *{mark}'")
                return _tell(text, source, re.compile(mark).match, seen, fix)
    return None


def _notice_lists(text: str, head: Sequence[str], source: Source) -> str | None:
    """Notice numbers and bullets in front of the names."""
    if _share(head, _NUMBERED) > _HALF:
        fix = source.piped("sed -E 's/^ *\\(?[0-9]+[.):]+ *//'")
        return _tell(
            text, source, _NUMBERED.match, "begin with a number; to remove the numbers", fix
        )
    if _share(head, _BULLET) > _HALF:
        fix = source.piped("sed -E 's/^ *[-*•+] +//'")
        return _tell(text, source, _BULLET.match, "begin with a bullet; to remove them", fix)
    return None


def _notice_quotes(text: str, head: Sequence[str], source: Source) -> str | None:
    """Notice names in quotes."""
    if len(head) > 1 and _share(head, _SINGLE_QUOTED) > _MOST:
        fix = source.piped("sed -E \"s/^ *'//; s/'[,;]? *$//\"")
        return _tell(text, source, _SINGLE_QUOTED.match, "are in quotes; to remove them", fix)
    are_quoted = len(head) > 1 and _share(head, _DOUBLE_QUOTED) > _MOST
    if are_quoted and sniff_delimiter([f"{line}\n" for line in head]) is None:
        fix = source.with_column("1")
        return _tell(text, source, _DOUBLE_QUOTED.match, "are in quotes; to remove them", fix)
    return None


def _notice_table(text: str, head: Sequence[str], source: Source) -> str | None:
    """Notice columns."""
    lines = [f"{line}\n" for line in head]
    delimiter = sniff_delimiter(lines)
    if delimiter and len(head) > 1:
        table = _Table.of(lines, delimiter)
        if table.is_plain:
            seen = f"look like a table of {table.description}; to read one"
            fix = source.with_column(table.likely_column)
            return _tell(text, source, lambda line: delimiter in line, seen, fix)
    if len(head) > 2 and sum(map(bool, map(_COLUMN_GAP.search, head))) > _MOST * len(head):
        rows = [re.split(" {2,}", line) for line in head]
        column = _likely_place(rows) + 1
        return _tell(
            text,
            source,
            _COLUMN_GAP.search,
            "have columns with several spaces between; to read one of them",
            source.piped("sed 's/^ *//'", f"awk -F '  +' '{{print ${column}}}'"),
        )
    return None


def _notice_counts(text: str, head: Sequence[str], source: Source) -> str | None:
    """Notice numbers in front of the names that rise or fall, as the numbers of houses do not."""
    numbers = [int(line.split(" ")[0]) for line in head if _COUNTED.match(line)]
    if len(head) > 2 and len(numbers) > _MOST * len(head):
        rising = sum(one < two for one, two in pairwise(numbers))
        if (
            max(rising, sum(one >= two for one, two in pairwise(numbers)))
            > _MOST * len(numbers) - 1
        ):
            fix = source.piped("sed -E 's/^ *[0-9]+ +//'")
            seen = "begin with a number; to remove the numbers"
            return _tell(text, source, _COUNTED.match, seen, fix)
    return None


def _notice_prose(text: str, head: Sequence[str], source: Source) -> str | None:
    """Notice running text: many words or an ideographic comma in most lines, and punctuation."""
    prose = [line for line in head if _is_prose(line)]
    if len(head) > 2 and len(prose) > _HALF * len(head):
        punctuated = sum(map(bool, map(_PUNCTUATED.search, prose)))
        if punctuated > _SOME * len(prose):
            seen = "are of many words, as running text is; to learn it as such"
            return _tell(text, source, _is_prose, seen, source.as_text)
    return None


def _is_prose(line: str) -> bool:
    """Tell whether a line may be one of a running text."""
    return line.count(" ") >= _MANY_SPACES or _IDEOGRAPHIC.search(line) is not None


class _Table(NamedTuple):
    """The first rows of a text that may be a table.

    Attributes:
        lines: the lines, each with its line end.
        rows: their cells.
        delimiter: what separates the columns.
    """

    lines: Sequence[str]
    rows: Sequence[Sequence[str]]
    delimiter: str

    @classmethod
    def of(cls, lines: Sequence[str], delimiter: str) -> "_Table":
        """Split lines at a delimiter."""
        return cls(lines, sample_rows(lines, delimiter), delimiter)

    @property
    def columns(self) -> int:
        """The number of columns in most rows."""
        sizes = [*map(len, self.rows)]
        return max({*sizes}, key=sizes.count)

    @property
    def is_plain(self) -> bool:
        """Whether it is plainly a table, and not names such as "Smith, John".

        It is one if its rows have the same size, and the delimiter is not followed by a space; or
        if a column has only numbers.
        """
        rows = [row for row in self.rows if len(row) == self.columns]
        # Few names contain semicolons or bars.
        if len(rows) < (_MOST if self.delimiter == "," else _HALF) * len(self.rows):
            return False
        spaced = sum(line.count(f"{self.delimiter} ") for line in self.lines)
        every = sum(line.count(self.delimiter) for line in self.lines)
        if self.delimiter == "|" or spaced < _HALF * every:
            return True
        body = rows[1:] if has_header(rows) else rows
        return any(
            all(row[place].strip() and parse_weight(row[place]) is not None for row in body)
            for place in range(self.columns)
        )

    @property
    def description(self) -> str:
        """What the columns are."""
        return f"{self.columns:,} columns with {DELIMITERS[self.delimiter]} between"

    @property
    def likely_column(self) -> str:
        """The name of the column that likely has the names, or its position."""
        rows = [row for row in self.rows if len(row) == self.columns]
        place = _likely_place(rows)
        header = [cell.strip() for cell in rows[0]]
        is_name = header.count(header[place]) == 1 and not header[place].isdigit()
        return header[place] if has_header(rows) and is_name else str(place + 1)


def _likely_place(rows: Sequence[Sequence[str]]) -> int:
    """Return the index of the column that likely has the names: letters, and few repeats."""
    columns = max(map(len, rows))
    header, *body = rows if len(rows) > 1 else [rows[0], rows[0]]
    for pattern in (_NAME, _SOME_NAME):
        for place, cell in enumerate(header):
            if pattern.fullmatch(cell.strip()):
                return place

    def score(place: int) -> float:
        cells = [row[place] for row in body if place < len(row)]
        letters = [sum(map(str.isalpha, cell)) / max(1, len(cell)) for cell in cells]
        distinct = len({*cells}) / max(1, len(cells))
        return sum(letters) / max(1, len(letters)) * sqrt(distinct)

    return max(range(columns), key=score)
