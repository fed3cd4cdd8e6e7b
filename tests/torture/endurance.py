"""Memory of commands that run for a long time, at the beginning and at the end."""

import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

from dinogen.cli import BUNDLED
from tests.conftest import CORPORA, command, environment

FOREVER = str(10**9)

SAMPLE = ("sample", BUNDLED, "--n", FOREVER, "--seed", "1", "--allow-repeats")

RUNS = {
    "sampling": SAMPLE,
    "constrained": (*SAMPLE, "--suffix", "us"),
    "training": (
        *("train", CORPORA / "dinosaurs.txt", "--seed", "1", "--hidden", "64", "--force"),
        *("--steps", FOREVER, "--patience", "1000000"),
    ),
}
"""Endless sampling that remembers no names, the same with a constraint, and endless training."""


def torture(name: str, seconds: float) -> dict[str, float]:
    """Run a command, and measure its memory once a second.

    Returns:
        MiB: the median of the second tenth of the time, which is after the warm-up; that of the
        last tenth; and the maximum.
    """
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            command(*RUNS[name]),
            cwd=folder,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            measured, began = [], time.monotonic()
            while time.monotonic() < began + seconds:
                time.sleep(1)
                assert process.poll() is None, "it ended early"
                measured.append(_resident(process.pid))
        finally:
            process.kill()
            process.wait()
    tenth = max(1, len(measured) // 10)
    first, last = median(measured[tenth : 2 * tenth]), median(measured[-tenth:])
    return {"first": round(first, 1), "last": round(last, 1), "max": round(max(measured), 1)}


def _resident(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    (line,) = (line for line in status if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
