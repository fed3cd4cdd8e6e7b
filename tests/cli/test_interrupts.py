"""Signals: once to stop in good order, once more to leave at once, and going on afterwards."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dinogen import load
from tests.cli.conftest import essence, read_arrays, snapshot
from tests.conftest import Run, command, environment

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")

ENDLESS = (
    *("--steps", "1000000", "--patience", "1000000"),
    *("--hidden", "8", "--seed", "1"),
)

# The command, which is told to stop once more when a file is about to be complete.
TOLD_AGAIN = """
import os, sys
from dinogen.cli import interrupts, main
number, interrupts.AGAIN = int(sys.argv.pop(1)), float(sys.argv.pop(1))
os.fsync = lambda file: os.kill(os.getpid(), number)
main()
"""

ALL = pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", 1)]
)


def all_heard() -> None:
    """Take from a child, before it is the command, what a shell has told it not to hear."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def running(*args: str | Path, cwd: Path, **told: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command, and see to it that it does not outlive the test."""
    with subprocess.Popen(
        args,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=environment() | told,
        preexec_fn=all_heard,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until_line(process: subprocess.Popen[str], number: int = 1) -> None:
    """Wait for some lines about the training."""
    assert process.stderr is not None
    for _ in range(number):
        assert any(line.startswith("step ") for line in process.stderr)


def stop(process: subprocess.Popen[str], number: signal.Signals) -> list[str]:
    """Ask a training to stop; what it still had to say."""
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    return stderr.splitlines()


@ALL
def test_stopped_training_is_saved(
    number: signal.Signals, dinogen: Run, edda: Path, tmp_path: Path
) -> None:
    """A training that is asked to stop saves what it has, ready for use, and says how to go on."""
    with running(*command("train", edda, *ENDLESS), cwd=tmp_path) as process:
        until_line(process)
        said = "\n".join(stop(process, number))
    assert "--resume" in said
    assert "dinogen.npz" in said
    checkpoint = load(tmp_path / "dinogen.npz")
    assert checkpoint.training.interrupted
    assert 1 <= checkpoint.training.steps < 1_000_000
    assert f"step {checkpoint.training.steps:,} of 1,000,000" in said
    assert set(snapshot(tmp_path)) == {edda, tmp_path / "dinogen.npz"}
    assert dinogen("sample", "--n", "3", "--seed", "1").stdout.count("\n") == 3


def told_again(
    number: signal.Signals, again: str, edda: Path, folder: Path, *options: str
) -> list[str]:
    """Train, and stop it twice; what it still had to say."""
    train: list[str | Path] = ["train", edda, *ENDLESS, *options]
    program = (sys.executable, "-c", TOLD_AGAIN, str(int(number)), again)
    with running(*program, *train, cwd=folder) as process:
        until_line(process)
        return stop(process, number)


def test_another_ctrl_c_leaves_at_once(edda: Path, edda_checkpoint: Path, tmp_path: Path) -> None:
    """Asked again while it is saving, a training leaves; the old file is whole, and no other."""
    output = tmp_path / "dinogen.npz"
    output.write_bytes(edda_checkpoint.read_bytes())
    stderr = "\n".join(told_again(signal.SIGINT, "0", edda, tmp_path, "--force"))
    assert "Traceback" not in stderr
    assert stderr.strip() == "dinogen: interrupted"
    assert output.read_bytes() == edda_checkpoint.read_bytes()
    assert set(snapshot(tmp_path)) == {edda, output}


@pytest.mark.parametrize(
    ("number", "again"),
    [(signal.SIGINT, "60"), (signal.SIGTERM, "0"), (getattr(signal, "SIGHUP", 1), "0")],
)
def test_what_is_told_twice_is_told_once(
    number: signal.Signals, again: str, edda: Path, tmp_path: Path
) -> None:
    """A closing terminal hangs up twice, and others send to a process and its group: it saves."""
    assert "saved; to go on" in told_again(number, again, edda, tmp_path)[-1]
    assert load(tmp_path / "dinogen.npz").training.interrupted


def test_sampling_can_be_stopped(edda_checkpoint: Path, tmp_path: Path) -> None:
    """An interrupted sampling ends with status 130 and a word, not with a traceback."""
    args = ("sample", edda_checkpoint, "--n", "1000000000", "--seed", "1")
    with running(*command(*args), cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stderr.strip() == "dinogen: interrupted"


@pytest.mark.parametrize(
    ("options", "stops"),
    [
        ("--seed 3 --steps 1200 --hidden 8 --patience 1000", 2),
        ("--recipe classic --steps 1000", 1),
    ],
    ids=["default", "classic"],
)
def test_stopped_is_as_never_stopped(
    options: str, stops: int, dinogen: Run, edda: Path, tmp_path: Path
) -> None:
    """A training that was stopped and gone on with ends as one that was left alone."""
    more, done, steps = options.split(), 0, int(options.split()[3])
    alone = command("train", edda, *more, "-q", "-o", "whole.npz")
    with running(*alone, cwd=tmp_path) as undisturbed:
        for _ in range(stops):
            train = command("train", edda, *more, "-o", "parts.npz")
            with running(*train, cwd=tmp_path) as process:
                until_line(process)
                stop(process, signal.SIGINT)
            stopped_at = read_arrays(tmp_path / "parts.npz")[1]["training"]["steps"]
            assert done < stopped_at < steps
            more, done = ["--resume"], stopped_at
        last = dinogen("train", edda, "--resume", "-o", "parts.npz")
        assert (last.returncode, last.stdout) == (0, "parts.npz\n")
        undisturbed.communicate(timeout=60)
    whole, parts = (essence(tmp_path / name) for name in ("whole.npz", "parts.npz"))
    assert whole[1]["training"]["steps"] == steps
    assert parts == whole


# Ctrl-C comes while the command is loaded.
HASTY = """
import os, signal, sys
from dinogen.__main__ import main
class Loading:
    def find_spec(self, name, *_):
        if name.startswith("dinogen.cli"):
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Loading())
main()
"""


def test_interrupted_before_it_can_speak(tmp_path: Path) -> None:
    """A command that is not loaded yet ends as a signal ends it, without a traceback."""
    with running(sys.executable, "-c", HASTY, "--version", cwd=tmp_path) as process:
        stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout, stderr) == (-signal.SIGINT, "", "")
