"""Time and memory by the size of the list: made-up names, one process for each size."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

COUNTS = (10_000, 100_000, 1_000_000)
SYLLABLES = [c + v for c in "bcdfghjklmnprstvz" for v in "aeiou"]


def measure() -> list[dict[str, float]]:
    """Measure all sizes, smallest first."""
    figures = []
    for count in COUNTS:
        command = [sys.executable, "-m", "tests.bench.growth", str(count)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        figures.append(json.loads(done.stdout))
    return figures


def peak_mib() -> float:
    """Return the peak memory of this process, on Linux, without that of its parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure_one(count: int) -> dict[str, float]:
    """Read a list of distinct names, and train on it for one epoch."""
    from dinogen.data import Batches, read_corpus
    from dinogen.training import DefaultRun, Settings

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "names.txt")
        size = len(SYLLABLES)
        with path.open("w") as file:
            for number in range(count):
                # The factor and the number of possible names are coprime, so no name repeats.
                code = number * 7_919_077 % size**4
                digits = (code // size**3, code // size**2 % size, code // size % size, code % size)
                file.write("".join(SYLLABLES[digit] for digit in digits) + "\n")
        bytes_read = path.stat().st_size
        before = peak_mib()
        began = perf_counter()
        corpus = read_corpus([path])
        read = perf_counter() - began
    settings = Settings.for_corpus(corpus.stats, seed=1, hidden_size=64, batch_size=256, epochs=1)
    run = DefaultRun(corpus, settings)
    began = perf_counter()
    for _ in run.train():
        pass
    epoch = perf_counter() - began
    began = perf_counter()
    batches = Batches(corpus.names, 256, seed=1)
    for step in range(batches.per_epoch):
        batches[step]
    return {
        "names": count,
        "bytes": bytes_read,
        "read_s": read,
        "epoch_s": epoch,
        "batches_s": perf_counter() - began,
        "peak_mib": peak_mib(),
        "peak_before_mib": before,
    }


if __name__ == "__main__":
    print(json.dumps(measure_one(int(sys.argv[1]))))
