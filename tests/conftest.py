"""Shared by all tests: the command as a subprocess, and a short list of names."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORPORA = ROOT / "corpora"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def dinogen(tmp_path: Path) -> Run:
    """Run the command in an empty folder, without a terminal and without settings of a user."""

    def run(
        *args: str | Path, stdin: str | bytes = b"", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command(*args),
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            cwd=tmp_path,
            env=environment() | (env or {}),
            check=False,
            timeout=60,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    return run


def command(*args: str | Path) -> Sequence[str]:
    """Return the command line that runs dinogen in this Python; see `from_scratch`."""
    return [sys.executable, "-m", "dinogen", *from_scratch(args)]


def pipe_to_head(folder: Path, *args: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run dinogen in a folder; the reader of its output takes one line, and closes the pipe."""
    pipeline = f"set -o pipefail; {shlex.join(command(*args))} | head -n 1"
    return subprocess.run(
        ["bash", "-c", pipeline],
        capture_output=True,
        cwd=folder,
        env=environment(),
        check=False,
        timeout=60,
    )


def from_scratch(args: Sequence[str | Path]) -> Sequence[str]:
    """Return a command line that trains from scratch, unless it says what it starts from.

    Most tests train a tiny network for a moment. Those of a teacher say ``--from``.
    """
    given = [*map(str, args)]
    if given[:1] != ["train"] or {"--from", "--recipe", "--resume"} & {*given}:
        return given
    return ["train", "--from", "none", *given[1:]]


def environment() -> dict[str, str]:
    """Return the environment without the variables that change what dinogen does."""
    removed = (
        "DINOGEN",
        "FORCE_COLOR",
        "NO_COLOR",
        "COLUMNS",
        "PYTHONUNBUFFERED",
        "PYTHONDONTWRITE",
    )
    return {name: value for name, value in os.environ.items() if not name.startswith(removed)}


def read_terminal(terminal: int) -> bytes:
    """Read what is written to a terminal until its other end is closed, and close it."""
    output = b""
    try:
        while piece := os.read(terminal, 1 << 16):
            output += piece
    except OSError:  # on Linux, the other end is closed
        pass
    finally:
        os.close(terminal)
    return output


@pytest.fixture
def edda(tmp_path: Path) -> Path:
    """A copy of a short real list."""
    path = tmp_path / "edda.txt"
    path.write_bytes((CORPORA / "edda.txt").read_bytes())
    return path
