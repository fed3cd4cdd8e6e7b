"""The README's examples are run, and print what it says."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CORPORA, ROOT, environment

README = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLES = re.findall(r"^```console\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
PROGRAMS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)

TOOLS = ("jq",)
"""What a reader may not have; without it the examples that need it are left out."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the README's reader may have it, which the examples share."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "corpora").symlink_to(CORPORA)
    names = (CORPORA / "edda.txt").read_text(encoding="utf-8").split("\n")[:60]
    (folder / "heroes.csv").write_text(
        "".join(f"{name},1\n" for name in names if name), encoding="utf-8"
    )
    command = folder / "bin" / "dinogen"
    command.parent.mkdir()
    command.write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m dinogen "$@"\n', encoding="utf-8"
    )
    command.chmod(0o755)
    return folder


def examples() -> list[tuple[str, str]]:
    """All commands of the README, each with what it says they print."""
    found = []
    for console in CONSOLES:
        for example in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
            command, _, output = example.partition("\n")
            found.append((command, output))
    return found


@pytest.mark.parametrize(("command", "printed"), examples())
def test_an_example_prints_what_the_readme_says(folder: Path, command: str, printed: str) -> None:
    """A shell prints, for each `$` line, the lines below it; three dots stand for anything."""
    missing = [tool for tool in TOOLS if f"{tool} " in command and not shutil.which(tool)]
    if missing:
        pytest.skip(f"needs {missing[0]}")
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command.encode()],
        cwd=folder,
        env=environment() | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    pattern = "".join(
        r"(.*\n)*" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
        for line in printed.split("\n")[:-1]
    )
    shown = re.sub(r"^(using the dinosaurs|seed \d).*\n", "", done.stdout, flags=re.MULTILINE)
    assert re.fullmatch(pattern, shown), done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize("program", PROGRAMS, ids=["library"])
def test_the_program_runs(folder: Path, program: str) -> None:
    """The Python example runs as it stands, and prints seven names."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert len(done.stdout.split("\n")) == 8


def test_every_public_option_of_sample_is_told() -> None:
    """The table of sample's options names options that exist."""
    from dinogen.cli.sample import sample

    options = {flag for option in sample.params for flag in option.opts}
    told = re.findall(r"^\| `(--[a-z-]+)", README, re.MULTILINE)
    assert told
    assert set(told) <= options
