"""Very large lists: read, or refused in one line, with at most 1 GiB of memory."""

import resource
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from dinogen.cli import BUNDLED
from tests.cli.conftest import side_by_side
from tests.conftest import command, environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux to limit memory")

MEMORY = 1 << 30

SMALL = "--seed 1 --hidden 16 --steps 20 -q --force"
COMMAND_LINES = (
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


def run_all(source: str, folder: Path) -> list[subprocess.CompletedProcess[str]]:
    """Train on a list, score it and exclude it."""
    paths = {"LIST": source, "BUNDLED": str(BUNDLED)}
    return side_by_side(
        lambda line: limited([paths.get(word, word) for word in line.split()], folder),
        COMMAND_LINES,
    )


@pytest.mark.parametrize("source", ["line.txt", "/dev/zero"])
def test_a_line_of_100_megabytes(source: str, tmp_path: Path) -> None:
    """A very long or endless line is refused with its number, without reading all of it."""
    with (tmp_path / "line.txt").open("wb") as file:
        for _ in range(100):
            file.write(b"a" * 1_000_000)
    for done in run_all(source, tmp_path):
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            f"dinogen: {source}, line 1: more than 262,144 symbols, but a name has at most "
            "255; put one name on each line\n"
        )


def test_a_million_names_of_one_letter(tmp_path: Path) -> None:
    """A million names can be trained on, scored and excluded."""
    names = "\n".join("abcdefghijklmnopqrstuvwxyz"[i % 26] for i in range(1_000_000))
    (tmp_path / "list.txt").write_text(names)
    trained, scored, sampled = run_all("list.txt", tmp_path)
    assert (trained.returncode, trained.stdout, trained.stderr) == (0, "dinogen.npz\n", "")
    assert scored.returncode == sampled.returncode == 0
    assert scored.stdout.count("\n") == 1_000_000
    assert all(len(name) > 1 for name in sampled.stdout.split())


VIEWS = [
    *("sample --n 3 --seed 1", "sample --n 3 --seed 1 --suffix 丁", "inspect --next 丁", "inspect"),
    "inspect --score list.txt --json",
]


def test_five_thousand_symbols(tmp_path: Path) -> None:
    """A model of 5,000 symbols can be trained and used, except with ``--symbols``."""
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
    assert refused.stderr.startswith("dinogen: the model has 5,000 symbols")
