"""What is said on stderr: it drives no terminal, and nothing is lost where nobody hears it."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from dinogen import load
from dinogen.cli.telling import printable
from tests.conftest import Run, command, environment

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and devices of POSIX")

HOSTILE = "a\x1b[2Jb\u202ec\nd\x9be\u200bf"


def test_what_cannot_be_shown_is_written_out() -> None:
    """What a terminal would obey, or not show, is escaped; all else is as it was."""
    assert printable("Ærun, 각 שלום [red] \\") == "Ærun, 각 שלום [red] \\"
    assert printable(HOSTILE) == r"a\x1b[2Jb\u202ec\nd\x9be\u200bf"
    assert printable(os.fsdecode(b"\xff")) == r"\udcff"


@posix
def test_a_path_that_would_drive_a_terminal(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """Paths are escaped wherever people read them; a program gets the path as it is."""
    edda.rename(tmp_path / HOSTILE)
    options = ("--steps", "2", "--hidden", "4", "-o", f"{HOSTILE}.npz")
    trained = dinogen("train", HOSTILE, *options)
    assert trained.stdout == f"{HOSTILE}.npz\n"
    said = [
        trained.stderr,
        dinogen("train", HOSTILE, *options).stderr,
        dinogen("inspect", f"{HOSTILE}.npz").stdout,
        dinogen("inspect", f"{HOSTILE}.npz", "--compare", f"{HOSTILE}.npz").stdout,
        dinogen("sample", f"{HOSTILE}.none").stderr,
        dinogen("train", f"{HOSTILE}.none").stderr,
    ]
    for text in said:
        assert printable("a\x1b[2Jb\u202ec") in text.replace("\n", "")
        assert all(symbol.isprintable() for symbol in text if symbol != "\n"), text
    export = dinogen("inspect", f"{HOSTILE}.npz", "--export", "picture.svg")
    assert export.returncode == 0
    assert "\x1b" not in (tmp_path / "picture.svg").read_text(encoding="utf-8")


@posix
def test_a_path_on_a_terminal(edda: Path, tmp_path: Path) -> None:
    """On a terminal even the path that training gives back is escaped."""
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
@pytest.mark.parametrize("deaf", ["full", "gone"])
def test_nobody_hears(deaf: str, unbuffered: str, edda: Path, tmp_path: Path) -> None:
    """A full disk behind stderr, or a reader of it that has gone, do not stop a training."""
    if deaf == "full":
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
    assert load(tmp_path / "dinogen.npz").training.steps == 100


@posix
@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed(closed: str, edda: Path, tmp_path: Path) -> None:
    """Where the shell gave no stderr, nor anything else, the work is done all the same."""
    train = command("train", edda, "--hidden", "4", "--steps", "3")
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *train],
        cwd=tmp_path,
        env=environment(),
        check=False,
        timeout=60,
    )
    assert done.returncode == 0
    assert load(tmp_path / "dinogen.npz").training.steps == 3


def test_a_message_shows_what_a_reader_could_not_see(dinogen: Run) -> None:
    """What is blank to a reader is written out, also where Python would print it."""
    said = dinogen("sample", "--prefix", "\u034f\u3164\u2800", "--seed", "1").stderr
    assert r"\u034f\u3164\u2800" in said
    assert "\u3164" not in said
