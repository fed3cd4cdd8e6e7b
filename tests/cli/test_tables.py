"""``dinogen train`` on tables, other encodings and other formats, from the command line."""

import gzip
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import TINY, Refused, content, read_arrays, side_by_side
from tests.conftest import Run

QUICK = ("--steps", "20", "--hidden", "8", "--seed", "1")
TABLE = "year;name;count\n" + "".join(f"1880;{name};{i}\n" for i, name in enumerate(TINY, 1))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A spreadsheet export."""
    path = tmp_path / "people.csv"
    path.write_text(TABLE)
    return path


def test_a_spreadsheet_export_in_two_commands(dinogen: Run, table: Path) -> None:
    """The names of a column are learned, and the output is names."""
    trained = dinogen("train", table, "--column", "name", "-q", *QUICK)
    assert (trained.returncode, trained.stdout, trained.stderr) == (0, "dinogen.npz\n", "")
    sampled = dinogen("sample", "--n", "3", "--seed", "1", "--allow-known")
    assert sampled.returncode == 0
    assert set("".join(sampled.stdout.split()).lower()) <= set("".join(TINY).lower())


def test_a_column_is_the_list(dinogen: Run, table: Path, tmp_path: Path) -> None:
    """By name, by position, from a pipe, and in another encoding: always the same checkpoint."""
    (tmp_path / "list.txt").write_text("\n".join(TINY))
    (tmp_path / "utf16.csv").write_bytes(TABLE.encode("utf-16"))
    (tmp_path / "list.json").write_text(str(TINY).replace("'", '"'))
    commands: dict[str, list[str | Path]] = {
        "list": ["list.txt"],
        "name": [table, "--column", "NAME"],
        "position": [table, "--column", "2"],
        "pipe": ["-", "--column", "2"],
        "utf16": ["utf16.csv", "--column", "2"],
        "given": ["utf16.csv", "--column", "2", "--encoding", "utf16"],
        "json": ["list.json"],
    }
    side_by_side(
        lambda name: dinogen(
            "train", *commands[name], *QUICK, "-o", f"{name}.npz", stdin=TABLE.encode()
        ),
        commands,
    )
    found = [content(tmp_path / f"{name}.npz") for name in commands]
    assert all(each == found[0] for each in found)


def test_weights_are_recorded_and_shown(dinogen: Run, table: Path, tmp_path: Path) -> None:
    """The checkpoint has the sum of the weights, and inspect says it."""
    weighted = ("train", table, "--column", "2", "--weights", "count")
    assert dinogen(*weighted, *QUICK).returncode == 0
    assert read_arrays(tmp_path / "dinogen.npz")[1]["corpus"]["weight"] == 15
    assert "(weighing 15 in total)" in dinogen("inspect").stdout


def test_resume_needs_the_same_columns(
    dinogen: Run, table: Path, tmp_path: Path, refused: Refused
) -> None:
    """Training resumes with the same names and weights, wherever they come from."""
    weighted = ("train", table, "--column", "2", "--weights", "count")
    assert dinogen(*weighted, *QUICK).returncode == 0
    more = ("--resume", "--steps", "30")
    line = refused("train", table, "--column", "2", *more, status=1)
    assert "another list or text, or with other reading options" in line
    (tmp_path / "other.txt").write_text(TABLE.replace(";", "\t").replace("count", "n"))
    again = dinogen("train", "other.txt", "--column", "name", "--weights", "n", *more)
    assert again.returncode == 0, again.stderr


def test_warnings_are_printed(dinogen: Run, table: Path) -> None:
    """A table without --column is learned with a warning, also with --quiet."""
    done = dinogen("train", table, "-q", *QUICK)
    assert done.returncode == 0
    assert done.stderr == (
        f"warning: {table}: 6 of 6 lines look like a table of 3 columns with semicolons between; "
        f"to read one: dinogen train {table} --column name\n"
    )


def test_the_advice_of_a_warning_helps(dinogen: Run, table: Path) -> None:
    """The command at the end of the warning trains on the names without a warning."""
    warning = dinogen("train", table, "-q", *QUICK, "-o", "garbage.npz").stderr
    advised = shlex.split(warning.partition("to read one: dinogen ")[2])
    done = dinogen(*advised, "-q", *QUICK)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_to_resume_has_the_columns(
    dinogen: Run, table: Path, tmp_path: Path, refused: Refused
) -> None:
    """Options that say where the names are can be given again."""
    train = ("train", table, "--column=2", "--weights=3", "--encoding=utf-8")
    assert dinogen(*train, *QUICK).returncode == 0
    assert dinogen(*train, *QUICK, "--resume").returncode == 0


def test_bad_tables(table: Path, tmp_path: Path, refused: Refused) -> None:
    """One line says what is wrong, and what to do."""
    files = {
        "tabs.txt": b"1\tAnna\n2\tBerta\n",
        "line.txt": b"Anna, Berta, Carla",
        "page.html": b"<!doctype html>\n<p>Anna\n",
        "two.json": b'{"girls": ["Anna", "Berta"], "boys": ["Carl"]}',
        "latin.txt": "Jos\xe9\nZo\xeb\n".encode("latin-1"),
        "utf16.txt": "Anna\nBerta\n".encode("utf-16-le"),
        "list.gz": gzip.compress(b"Anna\nBerta\n"),
        "list.xls": b"\xd0\xcf\x11\xe0" + bytes(600),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    messages = {
        f"{table} --column nmae": "no column 'nmae'; its columns are 1 'year', 2 'name', 3 'count'",
        f"{table} --column 4": "no column 4; its columns are",
        f"{table} --column name --weights name": "line 2: 'Anna' is not a count",
        "tabs.txt": "choose one: dinogen train tabs.txt --column 2",
        "line.txt": "one line with 2 commas; if it is a list, put one name on each line: "
        "tr , '\\n' < line.txt | dinogen train -",
        "page.html": "a page in HTML or XML",
        "two.json": "jq -r '.girls[]' two.json | dinogen train -",
        "latin.txt": "if it should read 'Jos\xe9', add --encoding cp1252",
        "utf16.txt": "read it with --encoding utf-16-le",
        "list.gz": "compressed by gzip",
        "list.xls": "a spreadsheet; export it as CSV and use --column",
    }
    # Not in parallel: each run creates a temporary file for a moment.
    for args, message in messages.items():
        line = refused("train", *args.split(), status=1)
        assert message in line, args


def test_wrong_options(table: Path, refused: Refused) -> None:
    """Contradictions are refused before anything is read."""
    messages = {
        "--weights 3": "--weights needs --column",
        "--column 2 --weights 3 --keep-duplicates": "leave --keep-duplicates out",
        "--column 2 --weights 3 --recipe classic": "--weights is fixed in the classic recipe",
        "--encoding latin9x": "'latin9x' is not an encoding that Python knows",
        "--encoding base64": "'base64' is not an encoding that Python knows",
    }
    lines = side_by_side(
        lambda options: refused("train", table, *options.split(), status=2), messages
    )
    for line, message in zip(lines, messages.values(), strict=True):
        assert message in line


def test_the_classic_recipe_reads_columns(dinogen: Run, table: Path) -> None:
    """A column is a list."""
    done = dinogen("train", table, "--column", "2", "--recipe", "classic", "--steps", "5", "-q")
    assert (done.returncode, done.stderr) == (0, "")
