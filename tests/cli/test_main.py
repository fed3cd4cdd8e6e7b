"""The command as a whole: help, imports, exit statuses, and streams that cannot be written."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import click
import pytest

from dinogen import __version__
from dinogen.cli import group
from tests.cli.conftest import side_by_side
from tests.conftest import Run, command, environment

COMMANDS = ("train", "sample", "inspect")

# Runs the command, and prints the packages that it imported.
PROGRAM = """
import sys
from dinogen.cli import run_command
try:
    run_command()
finally:
    print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""


def imported_packages(*args: str) -> set[str]:
    """Return the packages that a command imports."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *args],
        env=environment(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    return set(done.stderr.decode().splitlines()[-1].split())


def run_into(stdout: int, *args: str | Path, cwd: Path) -> tuple[int, str]:
    """Run the command with a given stdout, and return its exit status and stderr."""
    done = subprocess.run(
        command(*args),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=environment(),
        check=False,
        timeout=60,
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_has_examples(name: str, dinogen: Run) -> None:
    """The help of a command has examples; -h and --help print the same."""
    result, short = side_by_side(lambda flag: dinogen(name, flag), ("--help", "-h"))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Usage: dinogen {name} ")
    assert "Examples:\n" in result.stdout
    assert f"  dinogen {name}" in result.stdout.partition("Examples:\n")[2]
    assert short.stdout == result.stdout


def test_help_of_the_group_lists_the_commands(dinogen: Run) -> None:
    """The help has examples and all commands. Without a command, the help is printed."""
    result = dinogen("--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Usage: dinogen ")
    assert "Examples:\n" in result.stdout
    listed = result.stdout.partition("Commands:\n")[2]
    assert all(f"  {name} " in listed for name in COMMANDS)
    for same in (dinogen("-h"), dinogen()):
        assert (same.returncode, same.stdout, same.stderr) == (0, result.stdout, "")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    """Every option has a help text."""
    command = group.get_command(click.Context(group), name)
    assert command is not None
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert options
    assert [option.name for option in options if not option.help] == []


def test_version(dinogen: Run) -> None:
    """The command prints the version of the package."""
    for flag in ("--version", "-V"):
        result = dinogen(flag)
        assert (result.returncode, result.stdout) == (0, f"dinogen {__version__}\n")


def test_script_and_module_agree(tmp_path: Path) -> None:
    """The installed command and ``python -m dinogen`` do the same."""
    script = Path(sysconfig.get_path("scripts")) / "dinogen"

    def run(program: list[str]) -> tuple[int, bytes, bytes]:
        done = subprocess.run(
            program,
            capture_output=True,
            cwd=tmp_path,
            env=environment(),
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout, done.stderr

    for args in (["sample", "--n", "3", "--seed", "1"], ["no-such-command"]):
        installed, module = side_by_side(run, ([str(script), *args], [*command(*args)]))
        assert installed == module


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["train", "-h"]])
def test_help_needs_no_numpy(args: list[str]) -> None:
    """Help and version do not import large packages."""
    imported = imported_packages(*args)
    assert "click" in imported
    assert imported.isdisjoint({"numpy", "rich", "tqdm"})


def test_sampling_imports_no_drawing_packages() -> None:
    """Sampling does not import the packages that draw on terminals."""
    imported = imported_packages("sample", "--n", "1")
    assert "numpy" in imported
    assert imported.isdisjoint({"rich", "tqdm"})


def test_shell_completion(dinogen: Run) -> None:
    """The command gives a shell a completion script, and completions."""
    script = dinogen(env={"_DINOGEN_COMPLETE": "bash_source"})
    assert script.returncode == 0
    assert "complete" in script.stdout
    words = {"COMP_WORDS": "dinogen tr", "COMP_CWORD": "1"}
    answer = dinogen(env={"_DINOGEN_COMPLETE": "bash_complete", **words})
    assert (answer.returncode, answer.stdout) == (0, "plain,train\n")


COMMAND_LINES = ("--help", "inspect", "sample --seed 1", "sample --seed 1 --n 20000")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk_is_a_failure(tmp_path: Path, tiny_checkpoint: Path) -> None:
    """If stdout cannot be written, the command prints one line and exits with status 1."""
    (tmp_path / "dinogen.npz").write_bytes(tiny_checkpoint.read_bytes())
    with Path("/dev/full").open("wb") as full:
        results = side_by_side(
            lambda args: run_into(full.fileno(), *args.split(), cwd=tmp_path), COMMAND_LINES
        )
    for status, stderr in results:
        assert status == 1
        assert stderr.startswith("dinogen: ")
        assert "no space left on device" in stderr
        assert stderr.count("\n") == 1


def test_closed_pipe_is_not_a_failure(tmp_path: Path, tiny_checkpoint: Path) -> None:
    """If the reader of stdout has closed the pipe, the command exits with status 0, silently."""
    (tmp_path / "dinogen.npz").write_bytes(tiny_checkpoint.read_bytes())
    reader, writer = os.pipe()
    os.close(reader)
    try:
        results = side_by_side(
            lambda args: run_into(writer, *args.split(), cwd=tmp_path), COMMAND_LINES
        )
    finally:
        os.close(writer)
    assert dict(zip(COMMAND_LINES, results, strict=True)) == dict.fromkeys(COMMAND_LINES, (0, ""))


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_closed_stdout_gives_no_traceback(tmp_path: Path) -> None:
    """If stdout is closed from the start, there is no traceback."""
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command("sample", "--seed", "1")],
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment(),
        check=False,
        timeout=60,
    )
    assert b"Traceback" not in done.stderr
    assert done.returncode in (0, 1)


def test_a_list_in_place_of_a_command(dinogen: Run, edda: Path) -> None:
    """Whoever gives a list and no command is told how to learn from it."""
    done = dinogen(edda)
    assert done.returncode == 2
    assert f"To learn from this file: dinogen train {edda}" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "To learn" not in dinogen("no-such-file.txt").stderr


@pytest.mark.parametrize("args", [["train", "--hidden"], ["inspect", "--score"], ["sample", "-x"]])
def test_the_right_help_is_named(args: list[str], dinogen: Run) -> None:
    """A wrong option leads to the help of its command."""
    assert f"see dinogen {args[0]} --help\n" in dinogen(*args).stderr
