"""What the tests share: the real command, and small lists of names."""

import os
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
    """Run the real command in an empty folder, as a shell would: no terminal, no user settings."""

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
    """The command line that runs dinogen in this Python."""
    return [sys.executable, "-m", "dinogen", *map(str, args)]


def environment() -> dict[str, str]:
    """The environment, less what would change what dinogen does, or how fast it starts."""
    told = ("DINOGEN", "FORCE_COLOR", "NO_COLOR", "COLUMNS", "PYTHONUNBUFFERED", "PYTHONDONTWRITE")
    return {name: value for name, value in os.environ.items() if not name.startswith(told)}


def all_shown(terminal: int) -> bytes:
    """Read what is shown on a terminal until nobody is left at the other end, and close it."""
    shown = b""
    try:
        while piece := os.read(terminal, 1 << 16):
            shown += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    finally:
        os.close(terminal)
    return shown


@pytest.fixture
def edda(tmp_path: Path) -> Path:
    """A small real list, by a path of its own."""
    path = tmp_path / "edda.txt"
    path.write_bytes((CORPORA / "edda.txt").read_bytes())
    return path
