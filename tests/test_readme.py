"""The examples of the README are run, and print what it says."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

import dinogen
from dinogen.cli import group
from tests.conftest import CORPORA, ROOT, environment

README = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLES = re.findall(r"^```console\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
PROGRAMS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)

TOOLS = ("jq", "abc2midi")
"""Tools that may be missing. Examples that need them are then skipped."""


WRITE_FEWER = """
import sys
from dinogen.training import Settings, Teaching
for user in (Settings, Teaching):
    sys.modules[user.__module__].WRITTEN = 500
"""
"""Lets teachers write fewer names, which takes less time. Only the plan of a training shows it. The
command also trains fewer steps on running text and on tunes."""

COMMAND = """#!/bin/sh
python={python}
if [ "$1" = train ] && [ -n "$WRITE_FEWER" ]; then
    case "$*" in *--text*|*tunes.txt*) set -- "$@" --steps 20;; esac
    exec $python -c "$WRITE_FEWER"'from dinogen.cli import run_command; run_command()' "$@"
fi
exec $python -m dinogen "$@"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like that of a reader, shared by all examples."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "corpora").mkdir()
    for path in CORPORA.iterdir():
        (folder / "corpora" / path.name).symlink_to(path)
    # Only the shortest tunes, because long ones take long to learn.
    tunes = (CORPORA / "tunes.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    tunes = sorted((tune for tune in tunes if tune.startswith("M:6/8")), key=len)[:60]
    (folder / "corpora" / "tunes.txt").unlink()
    (folder / "corpora" / "tunes.txt").write_text("".join(tunes), encoding="utf-8")
    names = (CORPORA / "edda.txt").read_text(encoding="utf-8").split("\n")[:60]
    (folder / "heroes.csv").write_text(
        "".join(f"{name},1\n" for name in names if name), encoding="utf-8"
    )
    command = folder / "bin" / "dinogen"
    command.parent.mkdir()
    command.write_text(COMMAND.format(python=shlex.quote(sys.executable)), encoding="utf-8")
    command.chmod(0o755)
    return folder


def examples() -> list[tuple[str, str]]:
    """All commands of the README, each with the output that it promises."""
    found = []
    for console in CONSOLES:
        for example in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
            command, _, output = example.partition("\n")
            found.append((command, output))
    return found


@pytest.mark.parametrize(("command", "printed"), examples())
def test_an_example_prints_what_the_readme_says(folder: Path, command: str, printed: str) -> None:
    """A shell prints the lines below each `$` line; three dots stand for anything."""
    missing = [tool for tool in TOOLS if f"{tool} " in command and not shutil.which(tool)]
    if missing:
        pytest.skip(f"needs {missing[0]}")
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    fewer = "" if " steps of " in printed else WRITE_FEWER
    done = subprocess.run(
        ["bash", "-c", command.encode()],
        cwd=folder,
        env=environment() | {"PATH": path, "WRITE_FEWER": fewer},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    pattern = "".join(
        r"(.*\n)*" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
        for line in printed.split("\n")[:-1]
    )
    shown = re.sub(r"^(using the dinosaurs|seed \d).*\n", "", done.stdout, flags=re.MULTILINE)
    assert re.fullmatch(pattern, shown), done.stdout
    assert done.returncode == 0


def run_program(folder: Path, program: str) -> list[str]:
    """Run a Python program as a reader does, and return the lines that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", WRITE_FEWER + program],
        cwd=folder,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_the_first_program_runs(folder: Path) -> None:
    """The recipe prints seven names with the ending."""
    names = run_program(folder, PROGRAMS[0])
    assert len(names) == 7
    assert all(name.endswith("r") for name in names)


def test_the_library_does_what_the_readme_says(folder: Path) -> None:
    """The examples are one program, and print what their comments say."""
    program = "".join(PROGRAMS[1:])
    shown = re.findall(r"print\(.*\)  # (.*)", program)
    assert len(shown) == program.count("print(") > 15
    for line, wanted in zip(run_program(folder, program), shown, strict=True):
        assert re.fullmatch(re.escape(wanted).replace(r"\.\.\.", ".*"), line), line


def test_the_readme_has_an_example_of_each_public_name() -> None:
    """Nothing public is without one."""
    program = "".join(PROGRAMS[1:])
    assert {*dinogen.__all__} == {*re.findall(r"\bdinogen\.(\w+)", program)}


def test_the_readme_has_ten_recipes_before_any_mathematics() -> None:
    """Recipes are numbered from 1, and the first equation comes after the last of them."""
    numbers = re.findall(r"^### (\d+)\. ", README, re.MULTILINE)
    assert len(numbers) >= 10
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert README.index(f"### {numbers[-1]}. ") < README.index("$$")


@pytest.mark.parametrize(("section", "command"), [("Sample", "sample"), ("Train", "train")])
def test_the_option_tables_name_real_options(section: str, command: str) -> None:
    """Each option in a table of the README exists; the table of sample is complete."""
    found = group.get_command(click.Context(group), command)
    assert found is not None
    options = {option.opts[-1] for option in found.params if isinstance(option, click.Option)}
    text = re.split(rf"^## {section}$", README, flags=re.MULTILINE)[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`--.*?) \|", text, re.MULTILINE)
    told = {option for row in rows for option in re.findall(r"--[a-z-]+", row)}
    assert told <= options
    assert told
    if command == "sample":
        assert told == options - {"--n", "--seed"}
