"""Tables: the names and weights that are read, compared with what was written."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dinogen.data import (
    Columns,
    Corpus,
    as_column,
    parse_weight,
    read_corpus,
    read_list,
    sniff_delimiter,
    spell,
)
from dinogen.errors import CorpusError

DELIMITERS = {"commas": ",", "tabs": "\t", "semicolons": ";", "bars": "|"}
COUNTS = [("Anna", 3), ("Smith, John", 5), ("Zoë", 1), ("O'Neill", 2), ('Dwayne "Rock" J', 9)]


def write(folder: Path, text: str, name: str = "table.csv") -> Path:
    """Write a table to a file."""
    path = folder / name
    path.write_bytes(text.encode())
    return path


def read(path: Path, column: str | int, weights: str | int | None = None) -> list[Any]:
    """Read the names of a table; with weights, pairs."""
    found = read_list(path, columns=Columns(column, weights))
    names = found.text.split("\n")[:-1]
    return names if found.weights is None else [*zip(names, found.weights, strict=True)]


def refusal(path: Path, column: str | int, weights: str | int | None = None) -> str:
    """Return the message for a table. It is one line that begins with the path."""
    with pytest.raises(CorpusError) as caught:
        read(path, column, weights)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


def weighted(corpus: Corpus) -> dict[str, float]:
    """Return the weight of each name of a corpus."""
    assert corpus.names.weights is not None
    names = spell(corpus.names, corpus.vocabulary, corpus.case).split("\n")[:-1]
    return dict(zip(names, corpus.names.weights.tolist(), strict=True))


# Reading columns.


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL], ids=["minimal", "all"])
@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize(
    ("names", "weights"),
    [("name", "count"), ("NAME", "Count"), (2, 3), (2, "count")],
    ids=["by name", "in another case", "by position", "by both"],
)
def test_reads_what_the_csv_module_writes(
    names: str | int, weights: str | int, delimiter: str, quoting: Any, tmp_path: Path
) -> None:
    """Quotes, delimiters within cells and the header are those of the csv module."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=DELIMITERS[delimiter], quoting=quoting)
    writer.writerow(["year", "name", "count"])
    writer.writerows([1880, name, count] for name, count in COUNTS)
    path = write(tmp_path, file.getvalue())
    assert read(path, names, weights) == COUNTS
    assert read(path, names) == [name for name, _ in COUNTS]


cells = st.text(st.sampled_from("abÄ,;|\"' \t"), min_size=1, max_size=6).filter(str.strip)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(cells, st.integers(0, 9)), min_size=3, max_size=8))
def test_any_cell_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int]]
) -> None:
    """Whatever a cell contains, it is the name, unless a tab is in it; a weight of 0 drops it."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerows([("name", "count"), *rows])
    path = write(tmp_path_factory.mktemp("tables"), "sep=,\r\n" + file.getvalue())
    expected = [(name.strip(), float(count)) for name, count in rows if count]
    if any("\t" in name for name, _ in expected):
        assert "U+0009" in refusal(path, "name", "count")
    else:
        assert read(path, "name", "count") == expected


def test_a_table_of_one_column(tmp_path: Path) -> None:
    """A list with a header is a table of one column, and commas do not end it."""
    path = write(tmp_path, 'Name\nAnna\n"Smith, John"\nDoe, Jane\nBo\n')
    assert read(path, "name") == ["Anna", "Smith, John", "Doe, Jane", "Bo"]
    assert read(path, 1) == ["Anna", "Smith, John", "Doe, Jane", "Bo"]


def test_printed_tables(tmp_path: Path) -> None:
    """Tables of Markdown and of database clients have bars around and rules between rows."""
    markdown = "| Name | Count |\n|:-----|------:|\n| Anna | 1 |\n| Bo J | 2 |\n"
    assert read(write(tmp_path, markdown), "name", 2) == [("Anna", 1), ("Bo J", 2)]
    client = " name | count\n------+-------\n Anna |     1\n Bo J |     2\n(2 rows)\n"
    path = write(tmp_path, client)
    assert read(path, "name", 2) == [("Anna", 1), ("Bo J", 2)]
    found = read_list(path, columns=Columns("name"))
    assert found.warnings == [f"{path}: 1 row has too few columns, and no name is read"]


def test_a_separator_line_tells_the_delimiter(tmp_path: Path) -> None:
    """Spreadsheet programs write and read such a line."""
    assert read(write(tmp_path, "sep=;\nname;n\nAnna;1,5\nBo;2\n"), "name", "n") == [
        ("Anna", 1.5),
        ("Bo", 2),
    ]


def test_a_name_may_have_two_lines(tmp_path: Path) -> None:
    """A line break within quotes becomes a space."""
    assert read(write(tmp_path, 'name,n\n"Anna\nBo",1\nCara,2\n'), "name") == ["Anna Bo", "Cara"]


def test_names_keep_their_line_numbers(tmp_path: Path) -> None:
    """A message about a name has the line of its row, also after rows of several lines."""
    path = write(tmp_path, 'name,n\n"Anna\r\nBo",1\r\n\r\n,5\r\nX,0\r\nDo\x07ra,2\r\n')
    assert refusal(path, "name", "n").startswith(", line 7: U+0007")


def test_a_large_table_is_read_in_parts(tmp_path: Path) -> None:
    """Rows and weights stay together, however many there are."""
    rows = [(f"{'abc'[i % 3]}{i}", i % 4) for i in range(50_000)]
    path = write(tmp_path, "name;count\n" + "".join(f"{name};{n}\n" for name, n in rows))
    assert read(path, "name", "count") == [row for row in rows if row[1]]


def test_several_tables_and_their_own_headers(tmp_path: Path) -> None:
    """Each file has its own header, delimiter and order of columns."""
    one = write(tmp_path, "name,n\nAnna,1\nBo,2\n", "one")
    two = write(tmp_path, "n;Name\n3;Bo\n4;Cara\n", "two")
    corpus = read_corpus([one, two], column="name", weights="n")
    assert weighted(corpus) == {"Anna": 1, "Bo": 5, "Cara": 4}


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_a_table_in_another_encoding(encoding: str, tmp_path: Path) -> None:
    """Both options work together."""
    path = tmp_path / "table"
    path.write_bytes("name;n\nZoë;1\nJosé;2\n".encode(encoding))
    corpus = read_corpus([path], column="name", weights="n", encoding=encoding)
    assert weighted(corpus) == {"Zoë": 1, "José": 2}


# Headers.


@pytest.mark.parametrize(
    ("text", "names"),
    {
        "name,n\nAnna,1\n": ["Anna"],
        "Given name,sex\nAnna,f\n": ["Anna"],
        "who,n\nAnna,1\nBo,2\n": ["Anna", "Bo"],
        "Anna,1\nBo,2\n": ["Anna", "Bo"],
        "Anna,Bo\nCara,Dora\n": ["Anna", "Cara"],
    }.items(),
    ids=["name", "given name", "numbers below", "numbers", "words"],
)
def test_a_header_is_recognised(text: str, names: list[str], tmp_path: Path) -> None:
    """By position, the first row is left out only if it is plainly a header."""
    assert read(write(tmp_path, text), 1) == names


def test_a_weight_that_is_no_number_makes_a_header(tmp_path: Path) -> None:
    """With a column of weights there is no doubt."""
    assert read(write(tmp_path, "a,b\nAnna,1\n"), 1, 2) == [("Anna", 1)]
    assert read(write(tmp_path, "Anna,1\nBo,2\n"), 1, 2) == [("Anna", 1), ("Bo", 2)]


def test_digits_are_a_position() -> None:
    """Anything else is a name."""
    assert [as_column(value) for value in ("2", "02", "-1", "name", "٣", "1.5")] == [
        *(2, 2, "-1", "name", "٣", "1.5")
    ]


# Messages.


def test_a_missing_column_is_refused_with_a_list_of_columns(tmp_path: Path) -> None:
    """The message has the positions and the names."""
    path = write(tmp_path, "year,name\n1880,Anna\n1881,Bo\n")
    columns = "its columns are 1 'year', 2 'name'"
    assert refusal(path, "nmae") == f": no column 'nmae'; {columns}"
    assert refusal(path, 3) == f": no column 3; {columns}"
    assert refusal(path, 0) == f": no column 0; {columns}"
    assert refusal(path, "name", "count") == f": no column 'count'; {columns}"
    wide = write(tmp_path, ",".join(f"c{i}" for i in range(1_000)) + "\n", "wide")
    assert refusal(wide, "name").endswith(", 20 'c19' and 980 more")


def test_a_name_of_two_columns_is_refused(tmp_path: Path) -> None:
    """The exact case decides first, then a position must."""
    path = write(tmp_path, "name,Name,NAME,Name\na,b,c,d\n")
    assert read(path, "name") == ["a"]
    assert refusal(path, "Name") == ": 2 columns are called 'Name'; give a number: 2 or 4"
    assert refusal(path, "nAme").startswith(": 4 columns are called 'nAme'")


@pytest.mark.parametrize("cell", ["-1", "many", "nan", "inf", "1e99", "0x10", "1/2", "--"])
def test_a_weight_that_is_not_a_count_is_refused(cell: str, tmp_path: Path) -> None:
    """The message has the line and the cell."""
    path = write(tmp_path, f"name,n\nAnna,1\n\nBo,{cell}\n")
    assert refusal(path, "name", "n").startswith(f", line 4: {cell!r} is not a count")


def test_a_quote_that_is_not_closed_is_refused(tmp_path: Path) -> None:
    """Otherwise it would swallow the rest of the table, or much of it."""
    rows = "".join(f"Name {i},{i}\n" for i in range(1_000))
    for text in (
        f'name,n\nBo,1\n"Anna,2\n{rows}',
        f'name,n\nBo,1\n{rows[:200]}\n"Anna,2\nCara,3\n',
    ):
        line = text.split("\n").index('"Anna,2') + 1
        assert (
            refusal(write(tmp_path, text), 1) == f", line {line}: a quote is opened and not closed"
        )


def test_an_empty_column_has_no_names(tmp_path: Path) -> None:
    """Without a name there is nothing to learn."""
    for text in ("", "name,n\n", "name,n\n,1\n,2\n", "name,n\nAnna,0\n"):
        with pytest.raises(CorpusError, match="contains no names"):
            read_corpus([write(tmp_path, text)], column=1, weights=2)


# Numbers and delimiters.


@pytest.mark.parametrize(
    ("cell", "number"),
    {
        "7": 7.0,
        " 1234 ": 1234.0,
        "1,234": 1234.0,
        "12,345,678": 12345678.0,
        "1'234": 1234.0,
        "1\u202f234\u202f567": 1234567.0,
        "3.5": 3.5,
        "3,5": 3.5,
        ".5": 0.5,
        "5 %": 5.0,
        "1e3": 1000.0,
        "-2": -2.0,
        "": 0.0,
        "1,23,4": None,
        "1 2": None,
        "١٢": 12.0,
        "n/a": None,
    }.items(),
    ids=repr,
)
def test_numbers_as_people_write_them(cell: str, number: float | None) -> None:
    """Thousands, decimal commas and per cent are understood, also in other digits."""
    assert parse_weight(cell) == number


@pytest.mark.parametrize(
    ("text", "delimiter"),
    {
        "a,b\nc,d\n": ",",
        "Smith, John\t5\nDoe, Jane\t6\n": "\t",
        "a;1,5\nb;2,5\n": ";",
        '"a;b",1\n"c",2\n"d",3\n': ",",
        "Anna\nBo\n": None,
        "Anna, Bo\nCara\nDora\n": None,
    }.items(),
    ids=["commas", "tabs", "semicolons", "quotes", "list", "few commas"],
)
def test_the_delimiter_is_sniffed(text: str, delimiter: str | None) -> None:
    """It makes rows of one size. One that rarely occurs in cells wins."""
    assert sniff_delimiter(io.StringIO(text).readlines()) == delimiter


# Weights.


def test_weights_add_up(tmp_path: Path) -> None:
    """A name that occurs in several rows, or in two cases, weighs what they weigh together."""
    text = "name,sex,n\nAnna,f,1\nAnna,m,2\nBo,f,0\nANNA,f,4\nCara,f,2.5\nO'Dea,f,1\nO’Dea,f,1\n"
    corpus = read_corpus([write(tmp_path, text)], column="name", weights="n")
    assert [*weighted(corpus).values()] == [7, 2.5, 2]
    stats = corpus.stats
    assert (stats.lines, stats.names, stats.duplicates, stats.weight) == (6, 3, 3, 11.5)


def test_weights_make_another_checksum(tmp_path: Path) -> None:
    """The same names with other weights are another list."""
    texts = ["name,n\nAnna,1\nBo,2\n", "name,n\nAnna,1\nBo,3\n", "n,name\n1,Anna\n2,Bo\n"]
    one, other, same = (
        read_corpus([write(tmp_path, text)], column="name", weights="n").stats for text in texts
    )
    assert one.sha256 != other.sha256
    assert one == same


def test_equal_weights_are_no_weights(tmp_path: Path) -> None:
    """A corpus of equal weights is that of the list."""
    table = write(tmp_path, "name,n\nAnna,3\nBo,3\nCara,1\nCara,2\n")
    plain = write(tmp_path, "Anna\nBo\nCara\nCara\n", "list")
    one = read_corpus([table], column="name", weights="n")
    assert one.names.weights is None
    assert one.stats == read_corpus([plain]).stats


def test_weights_need_a_column_of_names(tmp_path: Path) -> None:
    """They would belong to nothing."""
    with pytest.raises(CorpusError, match="needs a column of names"):
        read_corpus([write(tmp_path, "Anna,1\nBo,2\n")], weights=2)


def test_names_carry_their_weights(tmp_path: Path) -> None:
    """Parts of a list have the weights of their names."""
    text = "name,n\n" + "".join(f"{'abcdefgh'[i]},{i}\n" for i in range(1, 8))
    names = read_corpus([write(tmp_path, text)], column="name", weights="n").names
    chosen = names.filter(np.array([True, False, True, False, False, True, True]))
    assert chosen.weights is not None
    assert chosen.weights.tolist() == [1, 3, 6, 7]
    parts = [part.weights for part in names.split_every(3)]
    assert [part.tolist() for part in parts if part is not None] == [[1, 2, 3], [4, 5, 6], [7]]
    assert names.symbol_weights is not None
    assert names.symbol_weights.tolist() == [i for i in range(1, 8) for _ in range(2)]


def test_a_number_that_is_no_position_is_a_heading(tmp_path: Path) -> None:
    """A table of three columns has no column 2021 but the one with that heading."""
    path = write(tmp_path, "name,2020,2021\nAnna,3,4\nBerta,5,6\nCora,0,1\n")
    assert weighted(read_corpus([path], column="name", weights=2021)) == {
        "Anna": 4,
        "Berta": 6,
        "Cora": 1,
    }
    assert "no column 2022; its columns are 1 'name'" in refusal(path, 2022)
