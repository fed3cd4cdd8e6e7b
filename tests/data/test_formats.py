"""Formats: what is read, refused or warned about, and that the proposed command helps."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from dinogen.data import Columns, NameList, as_column, read_corpus, read_list
from dinogen.errors import CorpusError
from tests.conftest import CORPORA

NAMES = ["Anna", "Berta", "Carla Maria", "Zoë", "O'Neill", "Frida"]

SONNETS = CORPORA / "sonnets.txt"
OF_WORDS = {"phonemes", "tunes"}
"""The running text in the folder of lists, and the lists whose symbols are words."""


def write(folder: Path, text: str, name: str = "my list") -> Path:
    """Write a list to a file, whose name needs quotes in a shell."""
    path = folder / name
    path.write_bytes(text.encode())
    return path


def names_of(found: NameList) -> list[str]:
    """Return the names of a list."""
    return found.text.split("\n")[:-1]


def refusal(path: Path) -> str:
    """Return the message for a file. It is one line that begins with the path."""
    with pytest.raises(CorpusError) as caught:
        read_list(path)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


def follow(command: str, folder: Path) -> NameList:
    """Follow the advice of a message: run the command, up to dinogen, and read what it makes."""
    if match := re.fullmatch(r"dinogen train '(.*)' --column (.*)", command):
        path, column = match.groups()
        return read_list(path, columns=Columns(as_column(column.strip("'"))))
    made, found, _ = command.partition(" | dinogen train -")
    assert found, command
    if made.startswith("jq") and not shutil.which("jq"):
        pytest.skip("jq is not installed")
    done = subprocess.run(["sh", "-c", made], capture_output=True, check=True, timeout=60)
    assert not done.stderr
    (folder / "made").write_bytes(done.stdout)
    return read_list(folder / "made")


def lines(pattern: str) -> str:
    """Write each name into a pattern, with its number and its length."""
    return "".join(
        pattern.format(name=name, number=i, length=len(name)) + "\n"
        for i, name in enumerate(NAMES, start=1)
    )


# Warnings.

NOTICED = {
    "commas": (lines('1880,"{name}",0.0{length},"girl"'), 6, "look like a table of 4 columns"),
    "semicolons": ("Jahr;Vorname\n" + lines("1880;{name}"), 7, "look like a table of 2 columns"),
    "spaces after commas": (lines("{name}, {length}"), 6, "look like a table of 2 columns"),
    "bars": (lines("{number} | {name} | x"), 6, "look like a table of 3 columns with bars"),
    "markdown": ("| Name | n |\n|---|---|\n" + lines("| {name} | 1 |"), 8, "look like a table"),
    "aligned": (lines("{number:>4}  {name:12}  {length}"), 6, "have columns with several spaces"),
    "numbers": (lines("{number}. {name}"), 6, "begin with a number"),
    "numbers in brackets": (lines("({number}) {name}"), 6, "begin with a number"),
    "numbers and spaces": (lines("{number:>3} {name}"), 6, "begin with a number"),
    "bullets": (lines("- {name}"), 6, "begin with a bullet"),
    "comments": ("# elves\n" + lines("{name}") + "## more\n", 2, "begin with # as comments do"),
    "slashes": ("// elves\n" + lines("{name}"), 1, "begin with // as comments do"),
    "tags": (lines('<li class="x">{name}</li>'), 6, "have tags of HTML or XML"),
    "one tag": (lines("{name}").replace("Zoë", "<b>Zoë</b>"), 1, "have tags of HTML or XML"),
    "entities": (lines("{name}").replace("ë", "&euml;").replace("'", "&#39;"), 2, "have symbols"),
    "quotes": (lines('"{name}"') + '"Anna ""A"" B"\n', 7, "are in quotes"),
    "single quotes": (lines("'{name}',"), 6, "are in quotes"),
    "quotes and commas": (lines('"{name}",'), 6, "look like a table of 2 columns"),
}


@pytest.mark.parametrize("kind", NOTICED)
def test_warns_and_proposes_what_helps(kind: str, tmp_path: Path) -> None:
    """The warning counts the lines, and its command makes the list of names, without a warning."""
    text, count, seen = NOTICED[kind]
    path = write(tmp_path, text)
    found = read_list(path)
    [warning] = found.warnings
    assert len(warning.splitlines()) == 1
    total = len(names_of(found))
    assert warning.startswith(f"{path}: {count} of {total} lines {seen}")
    helped = follow(warning.partition(": ")[2].partition(": ")[2], tmp_path)
    assert names_of(helped)[: len(NAMES)] == NAMES
    assert helped.warnings == []


@pytest.mark.parametrize(
    "text",
    {
        "last, first": "Smith, John\nDoe, Jane\nMarx, Groucho\n",
        "places": "Paris, Texas, USA\nLondon, Ontario, Canada\nRome, Georgia, USA\n",
        "some commas": "Anna\nSammy Davis, Jr.\nBo\n",
        "hashtags": "#anna\n#berta\n#cara\n",
        "songs": "#1 Crush\nYesterday\n#9 Dream\nHelp\n",
        "numbers": "1. FC Köln\nHertha\nSchalke 04\n1. FC Union\nBayern\n",
        "houses": "12 Main Street\n7 Park Lane\n40 High Street\n3 Mill Road\n",
        "ampersands": "AT&T\nMarks & Spencer\nB&Q;\nH&M\n",
        "hearts": "I <3 U\na < b > c\nx <- y\n",
        "dashes": "-Ma-\n-Lou-\n-Jo-\n",
        "quotes": '"Weird Al" Yankovic\nDwayne "The Rock" Johnson\n\'Ata\'\n',
        "brackets": "[Anna]\n[Berta]\n",
        "braces": "{Anna}\n{Berta}\n",
        "one row": "Anna;Berta\n",
        "double spaces": "Anna  Maria\nBerta\nCara\n",
    }.values(),
    ids=str.__len__,
)
def test_names_are_not_warned_about(text: str, tmp_path: Path) -> None:
    """Names with commas, numbers, quotes and signs are names."""
    assert read_list(write(tmp_path, text)).warnings == []


@pytest.mark.parametrize(
    "path", sorted({*CORPORA.glob("*.txt")} - {SONNETS}), ids=lambda path: path.stem
)
def test_real_lists_are_not_warned_about(path: Path) -> None:
    """The lists of this project give no false alarm."""
    unit = "word" if path.stem in OF_WORDS else "character"
    assert read_corpus([path], unit=unit).warnings == ()


def test_each_list_has_its_own_warnings(tmp_path: Path) -> None:
    """Several files are looked at one by one."""
    one = write(tmp_path, "# a\nAnna\nBo\n", "one")
    two = write(tmp_path, "Cara\nDora\n", "two")
    three = write(tmp_path, "1. Emil\n2. Frida\n", "three")
    warnings = read_corpus([one, two, three]).warnings
    assert [Path(warning.partition(":")[0]).name for warning in warnings] == ["one", "three"]


# Refusals.


def test_a_table_with_tabs_is_refused(tmp_path: Path) -> None:
    """No name has a tab, so nothing could be learned; the message names the column."""
    message = refusal(write(tmp_path, "rank\tname\n" + lines("{number}\t{name}")))
    assert message.startswith(": a table of 2 columns with tabs between; choose one: ")
    assert names_of(follow(message.partition("one: ")[2], tmp_path)) == NAMES


def test_a_table_of_long_lines_is_refused(tmp_path: Path) -> None:
    """Its lines are too long for names, but not its cells."""
    message = refusal(write(tmp_path, "x,name\n" + lines("a" * 300 + ",{name}")))
    assert names_of(follow(message.partition("one: ")[2], tmp_path)) == NAMES


@pytest.mark.parametrize(
    "text", ["Anna, Berta, Cara\n", ",".join(NAMES * 9), ",".join(NAMES * 9_000)]
)
def test_a_list_in_one_line_is_refused(text: str, tmp_path: Path) -> None:
    """The command puts one name on each line."""
    message = refusal(write(tmp_path, text))
    commas = text.count(",")
    assert message.startswith(
        f": one line with {commas} commas" if commas < 1_000 else ": one line with at least "
    )
    command, _, other = message.partition("each line: ")[2].partition("; if it is running text: ")
    assert other == f"dinogen train --text '{tmp_path / 'my list'}'"
    found = names_of(follow(command, tmp_path))
    assert found == [name.strip() for name in text.split(",")]


@pytest.mark.parametrize("start", ["<!DOCTYPE html>", "<html lang=de>", "<?xml version='1.0'?>"])
def test_a_page_is_refused(start: str, tmp_path: Path) -> None:
    """The lines of a page are not names, and no command finds the names in it."""
    assert refusal(write(tmp_path, f"\n{start}\n" + lines("<li>{name}</li>"))).startswith(
        ": a page in HTML or XML"
    )


# JSON.


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.text(st.sampled_from('aÄ"\\\u2028\U0001f600')).filter(str.strip), min_size=2),
    st.sampled_from([None, 0, 2]),
    st.booleans(),
)
def test_json_lists_are_read(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], indent: int | None, ascii_: bool
) -> None:
    """An array of strings, an object with one, and a string a line are lists of names."""
    folder = tmp_path_factory.mktemp("lists")
    expected = [name.replace("\u2028", " ").strip() for name in names]
    if not all(expected):
        return
    values = [names, {"about": "names", "n": 3, "names": names, "more": [1, 2], "none": []}]
    for value in values:
        text = json.dumps(value, indent=indent, ensure_ascii=ascii_)
        assert names_of(read_list(write(folder, text))) == expected
    text = "\n".join(json.dumps(name) for name in names)
    assert names_of(read_list(write(folder, text))) == expected


REFUSED_JSON = {
    "objects": [{"id": i, "name": name} for i, name in enumerate(NAMES)],
    "nested": {"data": {"names": NAMES}},
    "strange keys": {"a": {"first names": NAMES}},
    "two lists": {"Names": NAMES, "sources": ["a", "b"]},
    "numbers": dict.fromkeys(sorted(NAMES), 3),
    "mixed": [*NAMES, None, 3],
}


@pytest.mark.parametrize("kind", REFUSED_JSON)
def test_other_json_is_refused_with_a_command(kind: str, tmp_path: Path) -> None:
    """The message has the command that takes the names."""
    message = refusal(write(tmp_path, json.dumps(REFUSED_JSON[kind])))
    command = re.search(r"jq -r .*? \| dinogen train -", message)
    assert command
    assert names_of(follow(command[0], tmp_path)) == (sorted if kind == "numbers" else list)(NAMES)


def test_objects_in_lines_are_refused_with_a_command(tmp_path: Path) -> None:
    """JSON lines are common, too."""
    text = "\n".join(json.dumps({"id": "x", "first name": name}) for name in NAMES)
    message = refusal(write(tmp_path, text))
    command = re.search(r"jq -r .*? \| dinogen train -", message)
    assert command
    assert "first name" in command[0]
    assert names_of(follow(command[0], tmp_path)) == NAMES


@pytest.mark.parametrize(
    ("text", "message"),
    {
        '["Anna",\n"Bo",\n"Cara",]': ", line 3: this looks like JSON and is not valid",
        '{"names": ["Anna"': ", line 1: this looks like JSON and is not valid",
        '"Anna"\n12\n': ", line 1: ",
        "[" * 100_000: ": this looks like JSON and is not valid",
        "[]": ": JSON, an array without a list of texts",
        '{"a": "b"}': ": JSON, an object without a list of texts",
    }.items(),
    ids=["comma", "cut off", "number", "deep", "nothing", "text"],
)
def test_json_without_a_list_is_refused(text: str, message: str, tmp_path: Path) -> None:
    """There is no list to take, or it is not valid."""
    if text.startswith('"'):
        assert names_of(read_list(write(tmp_path, text))) == ['"Anna"', "12"]
    else:
        assert refusal(write(tmp_path, text)).startswith(message)


def test_json_has_no_columns(tmp_path: Path) -> None:
    """A list needs no column, and objects are taken apart by the command in the message."""
    for value, message in ((NAMES, "leave --column out"), ([{"name": "Anna"}], "jq -r '.[].name'")):
        path = write(tmp_path, json.dumps(value))
        with pytest.raises(CorpusError, match=re.escape(message)):
            read_list(path, columns=Columns("name"))


def test_endless_json_is_refused(tmp_path: Path) -> None:
    """The memory for it is bounded."""
    text = '["' + '","'.join(["name"] * 2_500_000) + '"]'
    assert refusal(write(tmp_path, text)).startswith(": more than 16,777,216 symbols of JSON")


# Anything at all.

PARTS = ["Anna", "1", ".", ",", ";", "|", "\t", '"', "'", "\n", "\r\n", " ", "  ", "[", "]", "{"]
PARTS += [
    "}",
    ":",
    "#",
    "//",
    "<b>",
    "&amp;",
    "-",
    "\\",
    "é",
    "\ufeff",
    "\0",
    "name",
    "=",
    "\u2028",
]


@settings(deadline=None, max_examples=300)
@given(
    st.binary(max_size=40) | st.lists(st.sampled_from(PARTS)).map(lambda x: "".join(x).encode()),
    st.sampled_from([None, Columns(1), Columns("name"), Columns(2, 1)]),
    st.sampled_from([None, "utf-16", "shift_jis", "cp1252"]),
)
def test_anything_is_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory,
    data: bytes,
    columns: Columns | None,
    encoding: str | None,
) -> None:
    """Whatever a file holds, names and warnings come back, or one line with its path."""
    path = tmp_path_factory.mktemp("lists") / "list"
    path.write_bytes(data)
    try:
        found = read_list(path, columns=columns, encoding=encoding)
    except CorpusError as error:
        message = str(error)
        assert message.startswith(str(path))
        assert "\n" not in message
        return
    assert all(warning.startswith(f"{path}: ") for warning in found.warnings)
    names = found.text.split("\n")[:-1]
    assert all(name == name.strip() != "" for name in names)
    if found.weights is not None:
        assert len(found.weights) == len(names)
        assert all(weight > 0 for weight in found.weights)


def test_a_proposed_command_repeats_the_encoding(tmp_path: Path) -> None:
    """Without it, the command would fail on the bytes of another encoding."""
    path = tmp_path / "people.csv"
    path.write_bytes("name;year\nMüller;3\nGrün;4\nBäcker;5\n".encode("cp1252"))
    (warning,) = read_list(path, encoding="cp1252").warnings
    assert warning.endswith(f"dinogen train {path} --column name --encoding cp1252")
