"""Training runs killed at any moment, also while they save."""

import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import sleep

from dinogen.checkpoint.reading import load
from tests.conftest import CORPORA, environment

SLOW_DISK = """
import os, time
import dinogen.cli.keeping as keeping
keeping.SAVE_EVERY = 0.0
flush = os.fsync
def slow(descriptor):
    time.sleep(0.02)
    flush(descriptor)
os.fsync = slow
from dinogen.cli import main
main()
"""
"""The real command, on a disk so slow that it is nearly always saving."""


def torture(runs: int, seed: int) -> dict[str, int]:
    """Kill runs, one after the other in one folder, and look at what is left after each.

    Returns:
        How often there was no checkpoint yet, a new one, or that of before; how many could not be
        loaded, how many files lay about at the worst, and whether resuming came to an end.
    """
    chance = random.Random(seed)  # noqa: S311
    seen: Counter[str] = Counter(absent=0, new=0, same=0, broken=0, most_strays=0, resumed=0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "names.txt").write_bytes((CORPORA / "edda.txt").read_bytes())
        output = folder / "out.npz"
        before = b""
        for run in range(runs):
            # Now and then from nothing, else replacing or going on with what there is.
            if run % 10 == 0:
                output.unlink(missing_ok=True)
                before = b""
            how = ["--resume"] if output.exists() and run % 2 else ["--force", "--seed", "1"]
            new = [] if "--resume" in how else ["--hidden", "8", "--steps", "1000000"]
            _kill([*how, *new], folder, chance.uniform(0.2, 1.2))
            after = output.read_bytes() if output.exists() else b""
            seen["absent" if not after else "same" if after == before else "new"] += 1
            if after:
                try:
                    load(output).sample(2)
                except Exception:
                    seen["broken"] += 1
            strays = {path.name for path in folder.iterdir()} - {"names.txt", "out.npz"}
            seen["most_strays"] = max(seen["most_strays"], len(strays))
            before = after
        done = subprocess.run(
            [sys.executable, "-m", "dinogen", "train", "names.txt", "-o", "out.npz", "-q"]
            + (["--resume", "--steps", "100000"] if output.exists() else ["--steps", "20"]),
            cwd=folder,
            env=environment(),
            capture_output=True,
            timeout=300,
            check=False,
        )
        left = {path.name for path in folder.iterdir()}
        seen["resumed"] = int(done.returncode == 0 and left == {"names.txt", "out.npz"})
    return dict(seen)


def _kill(options: list[str], folder: Path, after: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_DISK, "train", "names.txt", "-o", "out.npz", "-q", *options],
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait()
