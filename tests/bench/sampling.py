"""Sampling and start-up."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from dinogen.checkpoint.contents import Checkpoint
from dinogen.checkpoint.writing import save
from dinogen.generation.options import Options
from dinogen.generation.sampling import Stream, sample
from dinogen.text.corpus import Corpus
from dinogen.training.loop import DefaultRun
from dinogen.training.settings import Settings
from tests.bench.timing import side_by_side

NAMES = 100_000
DINOGEN = str(Path(sys.executable).with_name("dinogen"))


def trained(corpus: Corpus) -> Checkpoint:
    """A model of 64 hidden units, trained as by default, n-grams and all."""
    run = DefaultRun(corpus, Settings.for_corpus(corpus.facts, seed=1, hidden_size=64))
    for _ in run.train():
        pass
    return run.checkpoint()


def measure(corpus: Corpus) -> dict[str, float]:
    """Seconds for `NAMES` names: the whole command, the sampling in it, and its products alone."""
    checkpoint = trained(corpus)
    names = Stream(checkpoint.model, 1, Options(max_length=2 * corpus.facts.longest))
    running = [
        int((drawn.names.lengths > step).sum())
        for drawn in sample(names, NAMES)
        for step in range(int(drawn.names.lengths.max()))
    ]

    def inside() -> None:
        for _ in sample(names, NAMES):
            pass

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.npz")
        save(checkpoint, path)
        command = ["sample", str(path), "--n", str(NAMES), "--seed", "1"]
        every = ["--allow-known", "--allow-repeats"]
        rivals = {
            "command": process([DINOGEN, *command, *every]),
            "new": process([DINOGEN, *command]),
            "inside": inside,
            "limit": limit(checkpoint, running),
        }
        return side_by_side(rivals, rounds=5)


def limit(checkpoint: Checkpoint, running: Sequence[int]) -> Callable[[], object]:
    """The products, tanh and exp calls of sampling, and nothing else.

    Args:
        checkpoint: whose network it is.
        running: the names still running, step after step and block after block.
    """
    assert checkpoint.network
    p = checkpoint.network.parameters
    Waa, Wya = p["Waa"], p["Wya"]
    a = np.zeros((max(running), len(Waa)), dtype=np.float32)

    def run() -> None:
        for n in running:
            np.exp(np.dot(np.tanh(np.dot(a[:n], Waa)), Wya))

    return run


def measure_startup() -> dict[str, float]:
    """Seconds for seven names from the bundled model, and for importing NumPy, whole processes."""
    rivals = {
        "sample": process([DINOGEN, "sample", "--n", "7", "--seed", "1"]),
        "numpy": process([sys.executable, "-c", "import numpy"]),
    }
    return side_by_side(rivals, rounds=15)


def process(command: Sequence[str]) -> Callable[[], object]:
    """Run a command, its output thrown away."""
    # Where no ./dinogen.npz lies about, and with the bytecode that an installation brings along.
    nowhere = Path(__file__).parent
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return lambda: subprocess.run(
        command,
        check=True,
        cwd=nowhere,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
