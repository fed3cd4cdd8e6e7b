"""Runs the tests with the oldest and newest versions, unusual paths, locales and threads."""

import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT, read_terminal


class Environment(NamedTuple):
    """An environment for the tests.

    Attributes:
        pythons: names of the Python; the first one that exists is used.
        packages: the dependencies, with versions.
        variables: of the environment; None removes one.
        terminal: whether the tests run on a terminal.
    """

    pythons: Sequence[str]
    packages: Sequence[str]
    variables: Mapping[str, str | None]
    terminal: bool


ENVIRONMENTS = {
    "oldest": Environment(
        ("python3.11",),
        ("numpy==1.26.0", "click==8.1.0", "tqdm==4.66.0", "rich==13.7.0", "threadpoolctl==3.8.0"),
        {
            "LANG": "C",
            "LC_ALL": "C",
            "PYTHONHASHSEED": "0",
            "OPENBLAS_NUM_THREADS": "1",
            "HOME": None,
            "PYTHONUNBUFFERED": None,
            "PYTHONPATH": None,
        },
        terminal=False,
    ),
    "newest": Environment(
        ("python3.15", "python3.14", "python3.13", "python3.12"),
        ("numpy", "click", "tqdm", "rich", "threadpoolctl"),
        {
            "LC_ALL": "C.UTF-8",
            "PYTHONHASHSEED": "12345",
            "OPENBLAS_NUM_THREADS": "2",
            "HOME": "/nonexistent",
            "PYTHONUNBUFFERED": None,
            "PYTHONPATH": None,
            "TERM": "dumb",
        },
        terminal=True,
    ),
}


def torture(environment: Environment) -> dict[str, int | str]:
    """Install into a directory with spaces and non-ASCII letters in its name, and run the tests.

    Returns:
        The Python, and the number of tests that passed, failed and were skipped.
    """
    with tempfile.TemporaryDirectory(prefix="наша répo 1 ") as folder:
        copy, own = Path(folder, "dinogen"), Path(folder, "venv", "bin", "python")
        _copy_to(copy)
        subprocess.run([_find(environment.pythons), "-m", "venv", own.parents[1]], check=True)
        pip = (own, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-U")
        subprocess.run([*pip, f"{copy}[dev]", *environment.packages], check=True)
        version = subprocess.run([own, "-V"], capture_output=True, text=True, check=True).stdout
        environ = {k: v for k, v in (os.environ | environment.variables).items() if v is not None}
        run = _on_a_terminal if environment.terminal else _without_a_terminal
        output = run([str(own), "-m", "pytest", "-q", "-p", "no:cacheprovider"], copy, environ)
    counts = re.findall(
        r"(\d+) (passed|failed|skipped|error)", output.rpartition("\n=")[2] or output
    )
    if not {what for _, what in counts} <= {"passed", "skipped"}:
        print(output[-4_000:], file=sys.stderr)
    return {"python": version.strip(), **{what: int(count) for count, what in counts}}


def _find(pythons: Sequence[str]) -> str:
    for path in filter(None, map(shutil.which, pythons)):
        # A found one may be a stub that fails.
        if subprocess.run([path, "-V"], capture_output=True, check=False).returncode == 0:
            return path
    return sys.executable


def _copy_to(folder: Path) -> None:
    """Copy all files of the project."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for path in listed.stdout.decode().split("\0")[:-1]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, folder / path)


def _without_a_terminal(args: list[str], folder: Path, environ: dict[str, str]) -> str:
    done = subprocess.run(
        args,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        check=False,
    )
    return done.stdout.decode(errors="replace")


def _on_a_terminal(args: list[str], folder: Path, environ: dict[str, str]) -> str:
    terminal, end = pty.openpty()
    with subprocess.Popen(args, cwd=folder, env=environ, stdin=end, stdout=end, stderr=end):
        os.close(end)
        output = read_terminal(terminal)
    return output.decode(errors="replace").replace("\r", "")
