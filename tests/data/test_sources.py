"""Sources: a list is read in chunks, and the chunk borders make no difference."""

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings, strategies as st

from dinogen.data import MAX_NAME_LENGTH, STDIN, clean, read_clean_text, read_names, source_name
from dinogen.errors import CorpusError

PARTS = [
    "Anna",
    "Zoë",
    " ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\n\r",
    "\x85",
    "\u2028",
    "\u2029",
    "각",
    "é",
]


class Trickle(io.BytesIO):
    """A stream that returns a few bytes at a time, as a pipe can."""

    def __init__(self, data: bytes, random: Random) -> None:
        super().__init__(data)
        self._random = random

    def read1(self, size: int | None = -1) -> bytes:
        """Read one to five bytes."""
        return super().read1(self._random.randint(1, 5))


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Callable[[io.BytesIO], None]:
    """Return a function that replaces standard input."""

    def feed(stream: io.BytesIO) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream, "ascii"))

    return feed


def outcome(read: Callable[[], str]) -> str:
    """Return what was read, or the error message."""
    try:
        return read()
    except CorpusError as error:
        return str(error)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(PARTS), max_size=30).map("".join), st.randoms())
def test_chunks_make_no_difference(text: str, random: Random) -> None:
    """For any chunk borders and line ends, the names or the error message are the same."""
    data = ("\ufeff" + text).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(Trickle(data, random), "ascii"))
        chunked = outcome(lambda: "".join(read_clean_text(STDIN)))
    whole = re.sub("\r\n|[\r\x85\u2028\u2029]", "\n", text)
    assert chunked == outcome(lambda: clean(whole, "standard input"))


def test_all_line_ends_in_one_file(tmp_path: Path) -> None:
    """CRLF, CR, LF, NEL, LS and PS end lines; blank lines and the BOM are skipped."""
    text = "\ufeffAnna\r\nBerta\rCora\n\n\r\nDora\x85Edda\u2028Frida\u2029 \t \r\rGerda"
    (tmp_path / "list").write_bytes(text.encode())
    names = "Anna\nBerta\nCora\nDora\nEdda\nFrida\nGerda\n"
    assert "".join(read_clean_text(tmp_path / "list")) == names


def test_a_file_is_read_like_a_pipe(tmp_path: Path, feed: Callable[[io.BytesIO], None]) -> None:
    """A list with CR line ends, much larger than a chunk, gives the same names from both."""
    names = [f"{'xyz'[i % 3]}{i}" for i in range(200_000)]
    data = "\r".join(names).encode()
    (tmp_path / "list").write_bytes(data)
    feed(io.BytesIO(data))
    for source in (tmp_path / "list", str(tmp_path / "list"), STDIN):
        assert "".join(read_clean_text(source)).split("\n")[:-1] == names
    assert [name for chunk in read_names(tmp_path / "list") for name in chunk] == names


def test_an_endless_line_is_refused(feed: Callable[[io.BytesIO], None]) -> None:
    """An endless line is refused after less than 10 MB."""

    class Endless(io.BytesIO):
        read_so_far = 0

        def read1(self, size: int | None = -1) -> bytes:
            assert size
            self.read_so_far += size
            assert self.read_so_far < 10_000_000
            return b"a" * size

    feed(Endless())
    with pytest.raises(CorpusError, match=r"standard input, line 1: more than 262,144 symbols"):
        list(read_clean_text(STDIN))


@pytest.mark.parametrize(
    "line",
    [
        "a" + " " * 250_000 + "b",
        "a" + " \t" * 100_000,
        "a" + "\u0301\u0323" * 50_000,
        "\u0301\u0323" * 50_000 + " " * 1_000,
    ],
    ids=["spaces inside", "spaces after", "marks", "nothing but marks"],
)
def test_long_runs_of_spaces_and_marks_take_little_time(line: str, tmp_path: Path) -> None:
    """Long runs of spaces or marks are stripped or refused; a quadratic algorithm would hang."""
    (tmp_path / "list").write_bytes(f"Anna\n{line}\n".encode())
    read = outcome(lambda: "".join(read_clean_text(tmp_path / "list")))
    if len(line.strip()) > MAX_NAME_LENGTH:
        assert f"list, line 2: {len(line.strip()):,} symbols" in read
    else:
        assert read == f"Anna\n{line.strip()}\n"


def test_a_source_has_a_name(tmp_path: Path) -> None:
    """The name of a path is the path as given."""
    assert source_name(STDIN) == "standard input"
    assert source_name(tmp_path / "raw") == str(tmp_path / "raw")


def test_little_of_a_list_is_held_in_memory(tmp_path: Path) -> None:
    """No text is longer than two chunks, however long the list."""
    (tmp_path / "list").write_bytes(b"Anna\nBerta\n" * 200_000)
    chunk = sys.modules[read_names.__module__]._CHUNK
    assert max(map(len, read_clean_text(tmp_path / "list"))) <= 2 * chunk
