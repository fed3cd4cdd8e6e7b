"""The speed of sampling and of the start of the command."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from dinogen.checkpoint import Checkpoint, save
from dinogen.data import Corpus
from dinogen.generation import Decoding, NameRules, NameStream, draw_names
from dinogen.models import Network
from tests.bench.quality import trained
from tests.bench.timing import time_in_turns

NAMES = 100_000
DINOGEN = str(Path(sys.executable).with_name("dinogen"))


def measure(corpus: Corpus) -> dict[str, float]:
    """Return seconds for `NAMES` names.

    Returns:
        For the command by default ("default"), and at temperature 1 with new names ("new") and with
        all names ("command"); for the sampling inside it ("inside"), and for its products alone
        ("limit").
    """
    checkpoint = trained(corpus, seed=1, hidden_size=64)
    rules = NameRules.for_corpus(corpus.stats, corpus.vocabulary, corpus.pairs)
    names = NameStream(checkpoint.mixture, 1, Decoding(), rules)
    running = [
        int((drawn.names.lengths > step).sum())
        for drawn in draw_names(names, NAMES)
        for step in range(int(drawn.names.lengths.max()))
    ]

    def inside() -> None:
        for _ in draw_names(names, NAMES):
            pass

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.npz")
        save(checkpoint, path)
        command = ["sample", str(path), "--n", str(NAMES), "--seed", "1"]
        free = ["--temperature", "1"]
        functions = {
            "command": process([DINOGEN, *command, *free, "--allow-known", "--allow-repeats"]),
            "new": process([DINOGEN, *command, *free]),
            "default": process([DINOGEN, *command]),
            "inside": inside,
            "limit": products(checkpoint, running),
        }
        return time_in_turns(functions, rounds=5)


def products(checkpoint: Checkpoint, running: Sequence[int]) -> Callable[[], object]:
    """Compute the products, tanh and exp calls of sampling, and nothing else.

    Args:
        checkpoint: has the network.
        running: the number of unfinished names at each step of each block.
    """
    network = checkpoint.mixture.members["network"]
    assert isinstance(network, Network)
    Waa, Wya = network.parameters["Waa"], network.parameters["Wya"]
    a = np.zeros((max(running), len(Waa)), dtype=np.float32)

    def run() -> None:
        for n in running:
            np.exp(np.dot(np.tanh(np.dot(a[:n], Waa)), Wya))

    return run


def measure_startup() -> dict[str, float]:
    """Return seconds of a process for seven bundled names, and for importing NumPy."""
    functions = {
        "sample": process([DINOGEN, "sample", "--n", "7", "--seed", "1"]),
        "numpy": process([sys.executable, "-c", "import numpy"]),
    }
    return time_in_turns(functions, rounds=15)


def process(command: Sequence[str]) -> Callable[[], object]:
    """Run a command and discard its output."""
    # This folder has no dinogen.npz. An installed package has its bytecode.
    folder = Path(__file__).parent
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return lambda: subprocess.run(
        command,
        check=True,
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
