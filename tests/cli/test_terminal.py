"""Messages: they cannot control a terminal, and a broken stderr stops no work."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from dinogen.checkpoint import load_checkpoint
from dinogen.cli import printable
from tests.conftest import Run, command, environment

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and devices of POSIX")

HOSTILE = "a\x1b[2Jb\u202ec\nd\x9be\u200bf"


def test_invisible_symbols_are_escaped() -> None:
    """Control characters and invisible symbols are escaped; other symbols are unchanged."""
    assert printable("Ærun, 각 שלום [red] \\") == "Ærun, 각 שלום [red] \\"
    assert printable(HOSTILE) == r"a\x1b[2Jb\u202ec\nd\x9be\u200bf"
    assert printable(os.fsdecode(b"\xff")) == r"\udcff"


@posix
def test_hostile_path(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """Paths are escaped in messages and views, and unchanged on a stdout that is no terminal."""
    edda.rename(tmp_path / HOSTILE)
    options = ("--steps", "2", "--hidden", "4", "-o", f"{HOSTILE}.npz")
    trained = dinogen("train", HOSTILE, *options)
    assert trained.stdout == f"{HOSTILE}.npz\n"
    texts = [
        trained.stderr,
        dinogen("train", HOSTILE, *options).stderr,
        dinogen("inspect", f"{HOSTILE}.npz").stdout,
        dinogen("inspect", f"{HOSTILE}.npz", "--compare", f"{HOSTILE}.npz").stdout,
        dinogen("sample", f"{HOSTILE}.none").stderr,
        dinogen("train", f"{HOSTILE}.none").stderr,
    ]
    for text in texts:
        assert printable("a\x1b[2Jb\u202ec") in text.replace("\n", "")
        assert all(symbol.isprintable() for symbol in text if symbol != "\n"), text
    export = dinogen("inspect", f"{HOSTILE}.npz", "--export", "picture.svg")
    assert export.returncode == 0
    assert "\x1b" not in (tmp_path / "picture.svg").read_text(encoding="utf-8")


@posix
def test_hostile_path_on_a_terminal(edda: Path, tmp_path: Path) -> None:
    """If stdout is a terminal, the path that ``train`` prints is escaped."""
    terminal, end = pty.openpty()
    done = subprocess.run(
        command("train", edda, "-q", "--hidden", "0", "-o", f"{HOSTILE}.npz"),
        stdout=end,
        cwd=tmp_path,
        env=environment(),
        check=True,
        timeout=60,
    )
    assert done.returncode == 0
    assert os.read(terminal, 10_000).decode() == printable(HOSTILE) + ".npz\r\n"


@posix
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("failure", ["full", "closed"])
def test_stderr_that_cannot_be_written(
    failure: str, unbuffered: str, edda: Path, tmp_path: Path
) -> None:
    """A full disk or a closed pipe behind stderr does not stop a training."""
    if failure == "full":
        stderr = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, stderr = os.pipe()
        os.close(reader)
    done = subprocess.run(
        command("train", edda, "--seed", "1", "--hidden", "4", "--steps", "100"),
        stdout=subprocess.PIPE,
        stderr=stderr,
        cwd=tmp_path,
        env=environment() | {"PYTHONUNBUFFERED": unbuffered},
        check=False,
        timeout=60,
    )
    os.close(stderr)
    assert (done.returncode, done.stdout) == (0, b"dinogen.npz\n")
    assert load_checkpoint(tmp_path / "dinogen.npz").training.steps == 100


@posix
@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams(closed: str, edda: Path, tmp_path: Path) -> None:
    """A training succeeds if the shell has closed the standard streams."""
    train = command("train", edda, "--hidden", "4", "--steps", "3")
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *train],
        cwd=tmp_path,
        env=environment(),
        check=False,
        timeout=60,
    )
    assert done.returncode == 0
    assert load_checkpoint(tmp_path / "dinogen.npz").training.steps == 3


def test_messages_escape_blank_symbols(dinogen: Run) -> None:
    """Symbols that look blank are escaped, even if Python calls them printable."""
    message = dinogen("sample", "--prefix", "\u034f\u3164\u2800", "--seed", "1").stderr
    assert r"\u034f\u3164\u2800" in message
    assert "\u3164" not in message
