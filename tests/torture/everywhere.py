"""The tests, run elsewhere: oldest and newest versions, odd paths, locales, seeds and threads."""

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

from tests.conftest import ROOT, all_shown


class Place(NamedTuple):
    """Where to run the tests.

    Attributes:
        pythons: by which names to look for one; the first that there is.
        packages: what dinogen needs, in what versions.
        told: what the environment says; None is what it does not say.
        terminal: whether there is one.
    """

    pythons: Sequence[str]
    packages: Sequence[str]
    told: Mapping[str, str | None]
    terminal: bool


PLACES = {
    "oldest": Place(
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
    "newest": Place(
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


def torture(place: Place) -> dict[str, int | str]:
    """Install into a folder with spaces and letters beyond ASCII in its name, and run the tests.

    Returns:
        The Python, and how many tests passed, failed and were left out.
    """
    with tempfile.TemporaryDirectory(prefix="наша répo 1 ") as folder:
        copy, own = Path(folder, "dinogen"), Path(folder, "venv", "bin", "python")
        _copy_to(copy)
        subprocess.run([_find(place.pythons), "-m", "venv", own.parents[1]], check=True)
        pip = (own, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-U")
        subprocess.run([*pip, f"{copy}[dev]", *place.packages], check=True)
        version = subprocess.run([own, "-V"], capture_output=True, text=True, check=True).stdout
        environ = {k: v for k, v in (os.environ | place.told).items() if v is not None}
        run = _on_a_terminal if place.terminal else _without_a_terminal
        said = run([str(own), "-m", "pytest", "-q", "-p", "no:cacheprovider"], copy, environ)
    counts = re.findall(r"(\d+) (passed|failed|skipped|error)", said.rpartition("\n=")[2] or said)
    if not {what for _, what in counts} <= {"passed", "skipped"}:
        print(said[-4_000:], file=sys.stderr)
    return {"python": version.strip(), **{what: int(count) for count, what in counts}}


def _find(pythons: Sequence[str]) -> str:
    for path in filter(None, map(shutil.which, pythons)):
        # Some that are found only say that they are not there.
        if subprocess.run([path, "-V"], capture_output=True, check=False).returncode == 0:
            return path
    return sys.executable


def _copy_to(folder: Path) -> None:
    """Copy all that belongs to the project."""
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
        said = all_shown(terminal)
    return said.decode(errors="replace").replace("\r", "")
