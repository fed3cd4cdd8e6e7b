"""Lists made to be too much: refused in one line, or read, with no more than 1 GiB of memory."""

import resource
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from dinogen.cli.checkpoints import BUNDLED
from tests.cli.conftest import side_by_side
from tests.conftest import command, environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as on Linux")

MEMORY = 1 << 30

SMALL = "--seed 1 --hidden 16 --steps 20 -q --force"
WAYS = (
    f"train LIST {SMALL}",
    "inspect BUNDLED --json --score LIST",
    "sample BUNDLED --exclude LIST",
)


def limited(args: Iterable[str | Path], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command with 1 GiB of memory."""
    return subprocess.run(
        command(*args),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env=environment(),
        check=False,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )


def every_way(source: str, folder: Path) -> list[subprocess.CompletedProcess[str]]:
    """Learn from a list, hear it and keep clear of it."""
    meant = {"LIST": source, "BUNDLED": str(BUNDLED)}
    return side_by_side(
        lambda way: limited([meant.get(word, word) for word in way.split()], folder), WAYS
    )


@pytest.mark.parametrize("source", ["line.txt", "/dev/zero"])
def test_a_line_of_100_megabytes(source: str, tmp_path: Path) -> None:
    """A line that is far too long, or never ends, is refused by its number, and not read."""
    with (tmp_path / "line.txt").open("wb") as file:
        for _ in range(100):
            file.write(b"a" * 1_000_000)
    for done in every_way(source, tmp_path):
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            f"dinogen: {source}, line 1: more than 262,144 bytes, where a name has at most "
            "255 symbols; put one name on a line\n"
        )


def test_a_million_names_of_one_letter(tmp_path: Path) -> None:
    """As many lines as one likes, of next to nothing."""
    names = "\n".join("abcdefghijklmnopqrstuvwxyz"[i % 26] for i in range(1_000_000))
    (tmp_path / "list.txt").write_text(names)
    learned, heard, kept = every_way("list.txt", tmp_path)
    assert (learned.returncode, learned.stdout, learned.stderr) == (0, "dinogen.npz\n", "")
    assert heard.returncode == kept.returncode == 0
    assert heard.stdout.count("\n") == 1_000_000
    assert all(len(name) > 1 for name in kept.stdout.split())


VIEWS = [
    *("sample --n 3 --seed 1", "sample --n 3 --seed 1 --suffix 丁", "inspect --next 丁", "inspect"),
    "inspect --score list.txt --json",
]


def test_five_thousand_symbols(tmp_path: Path) -> None:
    """A list in a script of very many symbols can be learned, and names come as they are asked."""
    symbols = [chr(0x4E00 + i) for i in range(5_000)]
    names = ["".join(symbols[(i * 3 + k) % 5_000] for k in range(3)) for i in range(2_000)]
    (tmp_path / "list.txt").write_text("\n".join(names), encoding="utf-8")
    trained = limited(f"train list.txt {SMALL}".split(), tmp_path)
    assert trained.returncode == 0
    views = side_by_side(lambda view: limited(view.split(), tmp_path), VIEWS)
    assert {done.returncode for done in views} == {0}
    assert [done.stdout.count("\n") for done in views[:2]] == [3, 3]
    refused = limited(["inspect", "--symbols"], tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.startswith("dinogen: the model knows 5,000 symbols")
