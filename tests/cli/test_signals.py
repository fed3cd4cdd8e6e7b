"""Signals: the first one stops and saves, a second Ctrl-C aborts; training can be resumed."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dinogen.checkpoint import load_checkpoint
from tests.cli.conftest import content, read_arrays, snapshot
from tests.conftest import Run, command, environment, from_scratch

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")

ENDLESS = (
    *("--steps", "1000000", "--patience", "1000000"),
    *("--hidden", "8", "--seed", "1"),
)

# The command; when it is about to complete a file, it gets a second signal.
SIGNALLED_AGAIN = """
import os, sys
from dinogen.cli import run_command, stop_on_signal
number = int(sys.argv.pop(1))
sys.modules[stop_on_signal.__module__].ABORT_AFTER = float(sys.argv.pop(1))
os.fsync = lambda file: os.kill(os.getpid(), number)
run_command()
"""

each_signal = pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", 1)]
)


def handle_all_signals() -> None:
    """Make a child process react to signals that a shell has made it ignore."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def running(*args: str | Path, cwd: Path, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command, and kill it at the end of the test."""
    with subprocess.Popen(
        args,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=environment() | variables,
        preexec_fn=handle_all_signals,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_line(process: subprocess.Popen[str], number: int = 1) -> None:
    """Wait for some progress lines."""
    assert process.stderr is not None
    for _ in range(number):
        assert any(line.startswith("step ") for line in process.stderr)


def stop(process: subprocess.Popen[str], number: signal.Signals) -> list[str]:
    """Send a signal to a training, and return the lines that it still prints."""
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    return stderr.splitlines()


@each_signal
def test_stopped_training_is_saved(
    number: signal.Signals, dinogen: Run, edda: Path, tmp_path: Path
) -> None:
    """A training that gets a signal saves a usable checkpoint, and prints how to continue."""
    with running(*command("train", edda, *ENDLESS), cwd=tmp_path) as process:
        wait_for_line(process)
        printed = "\n".join(stop(process, number))
    assert "--resume" in printed
    assert "dinogen.npz" in printed
    checkpoint = load_checkpoint(tmp_path / "dinogen.npz")
    assert checkpoint.training.interrupted
    assert 1 <= checkpoint.training.steps < 1_000_000
    assert f"step {checkpoint.training.steps:,} of 1,000,000" in printed
    assert set(snapshot(tmp_path)) == {edda, tmp_path / "dinogen.npz"}
    assert dinogen("sample", "--n", "3", "--seed", "1").stdout.count("\n") == 3


def signal_twice(
    number: signal.Signals, again: str, edda: Path, folder: Path, *options: str
) -> list[str]:
    """Train, send two signals, and return the lines that are still printed."""
    train: list[str | Path] = ["train", edda, *ENDLESS, *options]
    program = (sys.executable, "-c", SIGNALLED_AGAIN, str(int(number)), again)
    with running(*program, *from_scratch(train), cwd=folder) as process:
        wait_for_line(process)
        return stop(process, number)


def test_second_ctrl_c_aborts(edda: Path, edda_checkpoint: Path, tmp_path: Path) -> None:
    """A second Ctrl-C while it saves aborts a training; the old file is unchanged."""
    output = tmp_path / "dinogen.npz"
    output.write_bytes(edda_checkpoint.read_bytes())
    stderr = "\n".join(signal_twice(signal.SIGINT, "0", edda, tmp_path, "--force"))
    assert "Traceback" not in stderr
    assert stderr.strip() == "dinogen: interrupted"
    assert output.read_bytes() == edda_checkpoint.read_bytes()
    assert set(snapshot(tmp_path)) == {edda, output}


@pytest.mark.parametrize(
    ("number", "again"),
    [(signal.SIGINT, "60"), (signal.SIGTERM, "0"), (getattr(signal, "SIGHUP", 1), "0")],
)
def test_signals_that_come_twice(
    number: signal.Signals, again: str, edda: Path, tmp_path: Path
) -> None:
    """A second signal does not abort, except a late Ctrl-C: some are sent twice."""
    assert "saved; to continue: dinogen train" in signal_twice(number, again, edda, tmp_path)[-1]
    assert load_checkpoint(tmp_path / "dinogen.npz").training.interrupted


def test_sampling_can_be_stopped(edda_checkpoint: Path, tmp_path: Path) -> None:
    """An interrupted sampling exits with status 130 and one line."""
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
        ("--seed 3 --steps 600 --hidden 8 --text --holdout .1 --batch-size 4 --patience 999", 2),
    ],
    ids=["default", "classic", "text"],
)
def test_stopped_is_as_never_stopped(
    options: str, stops: int, dinogen: Run, edda: Path, tmp_path: Path
) -> None:
    """A training that was stopped and resumed gives the same as one that was not."""
    more, done, steps = options.split(), 0, int(options.split()[3])
    uninterrupted = command("train", edda, *more, "-q", "-o", "whole.npz")
    with running(*uninterrupted, cwd=tmp_path) as other:
        for _ in range(stops):
            train = command("train", edda, *more, "-o", "parts.npz")
            with running(*train, cwd=tmp_path) as process:
                wait_for_line(process)
                stop(process, signal.SIGINT)
            stopped_at = read_arrays(tmp_path / "parts.npz")[1]["training"]["steps"]
            assert done < stopped_at < steps
            more, done = ["--resume"], stopped_at
        last = dinogen("train", edda, "--resume", "-o", "parts.npz")
        assert (last.returncode, last.stdout) == (0, "parts.npz\n")
        other.communicate(timeout=60)
    whole, parts = (content(tmp_path / name) for name in ("whole.npz", "parts.npz"))
    assert whole[1]["training"]["steps"] == steps
    assert parts == whole


# The command; Ctrl-C comes while it is imported.
INTERRUPTED_IMPORT = """
import os, signal, sys
from dinogen.__main__ import main
class Loading:
    def find_spec(self, name, *_):
        if name.startswith("dinogen.cli"):
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Loading())
main()
"""


def test_interrupted_import(tmp_path: Path) -> None:
    """Ctrl-C during the import ends the process without a traceback."""
    with running(sys.executable, "-c", INTERRUPTED_IMPORT, "--version", cwd=tmp_path) as process:
        stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout, stderr) == (-signal.SIGINT, "", "")
