"""The command as a whole: help, start-up, how it ends, and what it does when nobody listens."""

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

# Runs the command line in this very interpreter, then tells which packages were needed for it.
PROGRAM = """
import sys
from dinogen.cli import main
try:
    main()
finally:
    print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""


def packages_needed(*args: str) -> set[str]:
    """The packages that a command has imported by its end."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *args],
        env=environment(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    return set(done.stderr.decode().splitlines()[-1].split())


def run_into(stdout: int, *args: str | Path, cwd: Path) -> tuple[int, str]:
    """Run the command with something else for a stdout; its exit status and stderr."""
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
    """Every command has a help page with examples, the same for -h and --help."""
    result, short = side_by_side(lambda flag: dinogen(name, flag), ("--help", "-h"))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Usage: dinogen {name} ")
    assert "Examples:\n" in result.stdout
    assert f"  dinogen {name}" in result.stdout.partition("Examples:\n")[2]
    assert short.stdout == result.stdout


def test_help_of_the_group_lists_the_commands(dinogen: Run) -> None:
    """The help page has examples and names every command, and is what no command at all gives."""
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
    """No option is listed without a word on what it does."""
    command = group.get_command(click.Context(group), name)
    assert command is not None
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert options
    assert [option.name for option in options if not option.help] == []


def test_version(dinogen: Run) -> None:
    """The version is the package's."""
    for flag in ("--version", "-V"):
        result = dinogen(flag)
        assert (result.returncode, result.stdout) == (0, f"dinogen {__version__}\n")


def test_script_and_module_agree(tmp_path: Path) -> None:
    """The installed command and ``python -m dinogen`` say the same and end the same."""
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
    """Help and version appear at once, because nothing heavy is loaded for them."""
    needed = packages_needed(*args)
    assert "click" in needed
    assert needed.isdisjoint({"numpy", "rich", "tqdm"})


def test_names_need_no_drawing() -> None:
    """Names are made without the packages that draw on terminals."""
    needed = packages_needed("sample", "--n", "1")
    assert "numpy" in needed
    assert needed.isdisjoint({"rich", "tqdm"})


def test_shell_completion(dinogen: Run) -> None:
    """A shell can ask for a completion script, and for what may come next."""
    script = dinogen(env={"_DINOGEN_COMPLETE": "bash_source"})
    assert script.returncode == 0
    assert "complete" in script.stdout
    words = {"COMP_WORDS": "dinogen tr", "COMP_CWORD": "1"}
    answer = dinogen(env={"_DINOGEN_COMPLETE": "bash_complete", **words})
    assert (answer.returncode, answer.stdout) == (0, "plain,train\n")


ANSWERS = ("--help", "inspect", "sample --seed 1", "sample --seed 1 --n 20000")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk_is_a_failure(tmp_path: Path, tiny_checkpoint: Path) -> None:
    """Output that cannot be written is told in one line, with status 1."""
    (tmp_path / "dinogen.npz").write_bytes(tiny_checkpoint.read_bytes())
    with Path("/dev/full").open("wb") as full:
        results = side_by_side(
            lambda args: run_into(full.fileno(), *args.split(), cwd=tmp_path), ANSWERS
        )
    for status, stderr in results:
        assert status == 1
        assert stderr.startswith("dinogen: ")
        assert "no space left on device" in stderr
        assert stderr.count("\n") == 1


def test_reader_that_is_gone_is_no_failure(tmp_path: Path, tiny_checkpoint: Path) -> None:
    """Nobody reading any more ends the command quietly, whatever it was about to print."""
    (tmp_path / "dinogen.npz").write_bytes(tiny_checkpoint.read_bytes())
    reader, writer = os.pipe()
    os.close(reader)
    try:
        results = side_by_side(lambda args: run_into(writer, *args.split(), cwd=tmp_path), ANSWERS)
    finally:
        os.close(writer)
    assert dict(zip(ANSWERS, results, strict=True)) == dict.fromkeys(ANSWERS, (0, ""))


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_closed_stdout_is_no_traceback(tmp_path: Path) -> None:
    """A stdout that was closed before the start does not end in a traceback."""
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
