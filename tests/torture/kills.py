"""Kills training runs at random moments, also while they save."""

import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from dinogen import load
from dinogen.errors import CheckpointError
from tests.conftest import CORPORA, command, environment, from_scratch

SLOW_DISK = """
import os, time
import sys
from dinogen.cli import Autosave, run_command
progress = sys.modules[Autosave.__module__]
progress.SAVE_EVERY = progress.SAVE_PAUSE = 0
def slow(function):
    def call(*args):
        time.sleep(0.01)
        result = function(*args)
        time.sleep(0.01)
        return result
    return call
os.fsync, os.replace = slow(os.fsync), slow(os.replace)
run_command()
"""
"""The real command on a slow disk, so that it is saving nearly all the time."""

ENDLESS = ("--hidden", "8", "--steps", "1000000", "--patience", "1000000", "--seed", "1")


def torture(runs: int, seed: int) -> dict[str, int]:
    """Kill runs one by one in one directory, and check the files after each.

    Returns:
        The number of runs that left no checkpoint yet, a newer one, or the same one; of those that
        were killed while they wrote; of checkpoints that are broken, or older than before; the
        maximum of temporary files; and whether a last run finishes.
    """
    rng = random.Random(seed)  # noqa: S311
    counts: Counter[str] = Counter(
        absent=0, newer=0, same=0, while_writing=0, broken=0, older=0, max_strays=0, resumed=0
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "names.txt").write_bytes((CORPORA / "edda.txt").read_bytes())
        output = folder / "out.npz"
        for run in range(runs):
            # Some runs start without a checkpoint; the others replace it or resume.
            if run % 10 == 0:
                output.unlink(missing_ok=True)
            before = output.read_bytes() if output.exists() else b""
            resume = bool(before) and run % 2 == 1
            least = load(output).checkpoint.training.steps if resume else 1
            _kill(["--resume"] if resume else ["--force", *ENDLESS], folder, rng)
            after = output.read_bytes() if output.exists() else b""
            counts["absent" if not after else "same" if after == before else "newer"] += 1
            counts["broken"] += bool(before) and not after
            if after:
                try:
                    model = load(output)
                    model.sample(2, seed=0)
                    counts["older"] += model.checkpoint.training.steps < least
                except CheckpointError:
                    counts["broken"] += 1
            strays = {path.name for path in folder.iterdir()} - {"names.txt", "out.npz"}
            counts["while_writing"] += bool(strays)
            counts["max_strays"] = max(counts["max_strays"], len(strays))
        counts["resumed"] = int(_finishes(folder))
    return dict(counts)


def lost_seconds(after: float) -> float:
    """Kill a run of the unmodified command after some seconds; returns the seconds of work lost."""
    with tempfile.TemporaryDirectory() as name:
        output = Path(name, "out.npz")
        args = command("train", CORPORA / "edda.txt", "-o", output, "-q", *ENDLESS)
        with subprocess.Popen(args, env=environment()) as process:
            time.sleep(after)
            process.kill()
        return round(time.time() - output.stat().st_mtime, 1)


def _kill(options: list[str], folder: Path, rng: random.Random) -> None:
    train = from_scratch(["train", "names.txt", "-o", "out.npz", "-q", *options])
    args = [sys.executable, "-c", SLOW_DISK, *train]
    with subprocess.Popen(
        args, cwd=folder, env=environment(), stdout=subprocess.DEVNULL
    ) as process:
        time.sleep(rng.uniform(0.2, 1.2))
        assert process.poll() is None, "it ended early"
        process.send_signal(signal.SIGKILL)


def _finishes(folder: Path) -> bool:
    """Return whether a run finishes after all those kills, and leaves no temporary file."""
    exists = (folder / "out.npz").exists()
    options = ["--resume", "--patience", "1"] if exists else ["--steps", "20"]
    done = subprocess.run(
        command("train", "names.txt", "-o", "out.npz", "-q", *options),
        cwd=folder,
        env=environment(),
        capture_output=True,
        timeout=300,
        check=False,
    )
    left = {path.name for path in folder.iterdir()}
    return done.returncode == 0 and left == {"names.txt", "out.npz"}
