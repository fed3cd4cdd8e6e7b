"""Training runs killed at any moment, also while they save."""

import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from dinogen.checkpoint.reading import load
from dinogen.errors import CheckpointError
from tests.conftest import CORPORA, command, environment

SLOW_DISK = """
import os, time
import dinogen.cli.keeping as keeping
keeping.SAVE_EVERY = 0.0
keeping._SHARE = 1
def slow(function):
    def call(*args):
        time.sleep(0.01)
        result = function(*args)
        time.sleep(0.01)
        return result
    return call
os.fsync, os.replace = slow(os.fsync), slow(os.replace)
from dinogen.cli import main
main()
"""
"""The real command, on a disk so slow that it is nearly always saving."""

ENDLESS = ("--hidden", "8", "--steps", "1000000", "--patience", "1000000", "--seed", "1")


def torture(runs: int, seed: int) -> dict[str, int]:
    """Kill runs, one after the other in one folder, and look at what is left after each.

    Returns:
        How often there was no checkpoint yet, a newer one, or that of before; how often a run was
        killed while it wrote; how many checkpoints could not be used, or were older than that of
        before; how many files lay about at the worst; and whether resuming came to an end.
    """
    chance = random.Random(seed)  # noqa: S311
    seen: Counter[str] = Counter(
        absent=0, newer=0, same=0, while_writing=0, broken=0, older=0, most_strays=0, resumed=0
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "names.txt").write_bytes((CORPORA / "edda.txt").read_bytes())
        output = folder / "out.npz"
        for run in range(runs):
            # Now and then from nothing, else replacing or going on with what there is.
            if run % 10 == 0:
                output.unlink(missing_ok=True)
            before = output.read_bytes() if output.exists() else b""
            resume = bool(before) and run % 2 == 1
            least = load(output).training.steps if resume else 1
            _kill(["--resume"] if resume else ["--force", *ENDLESS], folder, chance)
            after = output.read_bytes() if output.exists() else b""
            seen["absent" if not after else "same" if after == before else "newer"] += 1
            seen["broken"] += bool(before) and not after
            if after:
                try:
                    checkpoint = load(output)
                    checkpoint.sample(2)
                    seen["older"] += checkpoint.training.steps < least
                except CheckpointError:
                    seen["broken"] += 1
            strays = {path.name for path in folder.iterdir()} - {"names.txt", "out.npz"}
            seen["while_writing"] += bool(strays)
            seen["most_strays"] = max(seen["most_strays"], len(strays))
        seen["resumed"] = int(_goes_on(folder))
    return dict(seen)


def lost_seconds(after: float) -> float:
    """Kill one run of the command as it is after some seconds; give the seconds of work lost."""
    with tempfile.TemporaryDirectory() as name:
        output = Path(name, "out.npz")
        args = command("train", CORPORA / "edda.txt", "-o", output, "-q", *ENDLESS)
        with subprocess.Popen(args, env=environment()) as process:
            time.sleep(after)
            process.kill()
        return round(time.time() - output.stat().st_mtime, 1)


def _kill(options: list[str], folder: Path, chance: random.Random) -> None:
    args = [sys.executable, "-c", SLOW_DISK, "train", "names.txt", "-o", "out.npz", "-q", *options]
    with subprocess.Popen(
        args, cwd=folder, env=environment(), stdout=subprocess.DEVNULL
    ) as process:
        time.sleep(chance.uniform(0.2, 1.2))
        process.send_signal(signal.SIGKILL)


def _goes_on(folder: Path) -> bool:
    """Tell whether a run comes to its end after all those kills, and leaves nothing lying about."""
    there = (folder / "out.npz").exists()
    how = ["--resume", "--patience", "1"] if there else ["--steps", "20"]
    done = subprocess.run(
        command("train", "names.txt", "-o", "out.npz", "-q", *how),
        cwd=folder,
        env=environment(),
        capture_output=True,
        timeout=300,
        check=False,
    )
    left = {path.name for path in folder.iterdir()}
    return done.returncode == 0 and left == {"names.txt", "out.npz"}
