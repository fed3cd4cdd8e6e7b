"""Commands that run and run: what memory they take at first, and in the end."""

import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

from dinogen.cli.checkpoints import BUNDLED
from tests.conftest import CORPORA, command, environment

FOREVER = str(10**9)

SAMPLE = ("sample", BUNDLED, "--n", FOREVER, "--seed", "1", "--allow-repeats")

RUNS = {
    "sampling": SAMPLE,
    "steered": (*SAMPLE, "--suffix", "us"),
    "training": (
        *("train", CORPORA / "dinosaurs.txt", "--seed", "1", "--hidden", "64", "--force"),
        *("--steps", FOREVER, "--patience", "1000000"),
    ),
}
"""Names without end, with nothing to remember of them; the same, steered; and a training."""


def torture(name: str, seconds: float) -> dict[str, float]:
    """Let a command run, and look at its memory once a second.

    Returns:
        MiB: the median of the second tenth of the time, when all has been done once; that of the
        last tenth; and the most.
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
            taken, began = [], time.monotonic()
            while time.monotonic() < began + seconds:
                time.sleep(1)
                assert process.poll() is None, "it came to an end"
                taken.append(_resident(process.pid))
        finally:
            process.kill()
            process.wait()
    tenth = max(1, len(taken) // 10)
    first, last = median(taken[tenth : 2 * tenth]), median(taken[-tenth:])
    return {"first": round(first, 1), "last": round(last, 1), "most": round(max(taken), 1)}


def _resident(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    (line,) = (line for line in status if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
