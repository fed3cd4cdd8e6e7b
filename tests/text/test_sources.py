"""Reading lists in pieces: wherever the pieces are cut, it is as if a list were read whole."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dinogen.errors import CorpusError
from dinogen.text import sources
from dinogen.text.cleaning import LONGEST_LINE, clean
from dinogen.text.sources import STDIN, read_names, source_name

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
    """Gives what is in it in pieces of every size, as a pipe does."""

    def __init__(self, data: bytes, random: Random) -> None:
        super().__init__(data)
        self._random = random

    def read1(self, size: int | None = -1) -> bytes:
        """Read a little."""
        return super().read1(self._random.randint(1, 5))


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Callable[[io.BytesIO], None]:
    """Make something the standard input."""

    def feed(stream: io.BytesIO) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream, "ascii"))

    return feed


def outcome(read: Callable[[], str]) -> str:
    """Give what was read, or why it was refused."""
    try:
        return read()
    except CorpusError as error:
        return str(error)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(PARTS), max_size=30).map("".join), st.randoms())
def test_pieces_make_no_difference(text: str, random: Random) -> None:
    """Wherever a list is cut and whatever ends its lines: the same names, the same complaint."""
    data = ("\ufeff" + text).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(Trickle(data, random), "ascii"))
        cut = outcome(lambda: "".join(read_names(STDIN)))
    assert cut == outcome(lambda: clean(data, "standard input"))


def test_a_file_is_read_like_a_pipe(tmp_path: Path, feed: Callable[[io.BytesIO], None]) -> None:
    """A list far larger than a piece, with bare CRs, gives the same names from either."""
    names = [f"{'xyz'[i % 3]}{i}" for i in range(200_000)]
    data = "\r".join(names).encode()
    (tmp_path / "list").write_bytes(data)
    feed(io.BytesIO(data))
    for source in (tmp_path / "list", str(tmp_path / "list"), STDIN):
        assert "".join(read_names(source)).split("\n")[:-1] == names


def test_a_line_without_end_is_refused_at_once(feed: Callable[[io.BytesIO], None]) -> None:
    """What never ends a line is not read to its end, if it has any."""

    class Endless(io.BytesIO):
        read_so_far = 0

        def read1(self, size: int | None = -1) -> bytes:
            assert size
            self.read_so_far += size
            assert self.read_so_far < 10_000_000
            return b"a" * size

    feed(Endless())
    with pytest.raises(CorpusError, match=r"standard input, line 1: more than 262,144 bytes"):
        list(read_names(STDIN))


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
def test_what_would_take_forever_to_tidy(line: str, tmp_path: Path) -> None:
    """Long runs of spaces and of marks are refused or stripped in a moment, not in minutes."""
    (tmp_path / "list").write_bytes(f"Anna\n{line}\n".encode())
    read = outcome(lambda: "".join(read_names(tmp_path / "list")))
    if len(line.strip()) > LONGEST_LINE:
        assert f"list, line 2: {len(line.strip()):,} symbols" in read
    else:
        assert read == f"Anna\n{line.strip()}\n"


def test_a_source_has_a_name(tmp_path: Path) -> None:
    """A path is called as it was given."""
    assert source_name(STDIN) == "standard input"
    assert source_name(tmp_path / "raw") == str(tmp_path / "raw")


def test_no_more_is_held_than_a_few_pieces(tmp_path: Path) -> None:
    """A text given at a time is no longer than two pieces, however long the list."""
    (tmp_path / "list").write_bytes(b"Anna\nBerta\n" * 200_000)
    assert max(map(len, read_names(tmp_path / "list"))) <= 2 * sources._PIECE
