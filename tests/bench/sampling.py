"""The speed of sampling, of constraints, and of the start of the command."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dinogen import Model, load
from dinogen.checkpoint import save
from dinogen.data import Corpus
from dinogen.generation import Namer, Options, SamplingOptions
from dinogen.models import Network
from dinogen.threads import WORKERS, map_ordered
from tests.bench.quality import trained
from tests.bench.timing import time_in_turns

NAMES = 100_000
MAKEMORE_NAMES = 2_000
"""The number of names of the slower baseline."""

DINOGEN = str(Path(sys.executable).with_name("dinogen"))

EVERY = ("--allow-known", "--allow-repeats")

CONSTRAINTS: dict[str, SamplingOptions] = {
    "prefix": {"prefix": "t"},
    "suffix": {"suffix": "saurus"},
    "contains": {"contains": "rex"},
    "lengths": {"min_length": 6, "max_length": 8},
}
"""The constraints that are measured."""


def measure(corpus: Corpus) -> dict[str, dict[str, float]]:
    """Return names a second, of models of a list and of the bundled one.

    Returns:
        For each model: of the command for `NAMES` new names by default ("new"), and with known
        names and repeats ("all"); of the sampling inside that ("inside"); of the products of the
        network for its distinct prefixes, and nothing else ("limit"); and of a sampler like that
        of makemore, with PyTorch ("makemore"), which has repeats, too.
    """
    models = {
        f"{hidden} hidden units and n-grams": Model(
            trained(corpus, seed=1, hidden_size=hidden, origin="none")
        )
        for hidden in (64, 256)
    }
    return {name: measure_model(model) for name, model in {**models, "bundled": load()}.items()}


def measure_model(model: Model) -> dict[str, float]:
    """Return the figures of a model, see `measure`."""
    network = model.checkpoint.mixture.members["network"]
    assert isinstance(network, Network)
    options = Options(allow_known=True, allow_repeats=True)
    rows = predicted_rows(model, options)

    def inside() -> None:
        for _ in model.namer.draw(NAMES, 1, options):
            pass

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.npz")
        save(model.checkpoint, path)
        command = [DINOGEN, "sample", str(path), "--n", str(NAMES), "--seed", "1"]
        functions = {
            "new": process(command),
            "all": process([*command, *EVERY]),
            "inside": inside,
            "limit": products(network, rows),
        }
        seconds = time_in_turns(functions, rounds=3)
    figures = {name: NAMES / second for name, second in seconds.items()}
    sampler = makemore(network, model.namer.rules.max_length)
    if sampler:
        sampler()
        began = perf_counter()
        sampler()
        figures["makemore"] = MAKEMORE_NAMES / (perf_counter() - began)
    return figures


def predicted_rows(model: Model, options: Options) -> list[int]:
    """Return the number of prefixes at each step of sampling `NAMES` names."""
    namer, network = model.namer, model.namer.model
    counts: list[int] = []

    class Counted:
        """The model, which counts."""

        vocab_size = network.vocab_size

        def begin(self, n: int) -> tuple[object, NDArray[np.floating]]:
            counts.append(n)
            return network.begin(n)

        def blank(self, n: int) -> object:
            return network.blank(n)

        def advance(self, state: object, symbols: Any) -> tuple[object, NDArray[np.floating]]:
            counts.append(len(symbols))
            return network.advance(state, symbols)

        def select(self, state: object, rows: Any) -> object:
            return network.select(state, rows)

    parts = (namer.vocabulary, namer.case, namer.known, namer.rules, namer.default)
    for _ in Namer(Counted(), *parts).draw(NAMES, 1, options):
        pass
    return counts


def products(network: Network, rows: Sequence[int]) -> Callable[[], object]:
    """Compute the products, tanh and exp calls of sampling on all cores, and nothing else.

    Args:
        network: a network of one vanilla layer.
        rows: the number of prefixes at each step.
    """
    Waa, Wya = network.parameters["Waa"], network.parameters["Wya"]

    def some(sizes: Sequence[int]) -> None:
        a = np.zeros((max(sizes), len(Waa)), dtype=np.float32)
        for n in sizes:
            np.exp(np.dot(np.tanh(np.dot(a[:n], Waa)), Wya))

    parts = [rows[part :: 4 * WORKERS] for part in range(4 * WORKERS)]

    def run() -> None:
        for _ in map_ordered(some, parts):
            pass

    return run


def makemore(network: Network, longest: int) -> Callable[[], object] | None:
    """Sample as makemore does, with a network of the same size; None without torch.

    makemore (github.com/karpathy/makemore) reads the whole beginning of all names again for each
    symbol, and goes on until the longest possible name would have ended.
    """
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(WORKERS)
    V, H = network.vocab_size, network.config.hidden_size
    embedding, cell, readout = (
        torch.nn.Embedding(V, H),
        torch.nn.Linear(2 * H, H),
        torch.nn.Linear(H, V),
    )

    def run() -> None:
        with torch.no_grad():
            written = torch.zeros(MAKEMORE_NAMES, 1, dtype=torch.long)
            for _ in range(longest + 1):
                hidden = torch.zeros(MAKEMORE_NAMES, H)
                for place in range(written.shape[1]):
                    read = torch.cat([embedding(written[:, place]), hidden], dim=1)
                    hidden = torch.tanh(cell(read))
                p = torch.softmax(readout(hidden), dim=1)
                written = torch.cat([written, torch.multinomial(p, 1)], dim=1)

    return run


def measure_constraints() -> dict[str, dict[str, float]]:
    """Return seconds for seven names of the bundled model, without and with constraints.

    Returns:
        Of a call in a process that has made the same call before ("warm"), and of a whole command
        ("cold"). By constraint; "none" is without.
    """
    model = load()
    ways: dict[str, SamplingOptions] = {"none": {}, **CONSTRAINTS}

    def sample(given: SamplingOptions) -> Callable[[], object]:
        return lambda: model.sample(7, 1, **given)

    warm = {name: sample(given) for name, given in ways.items()}
    command = [DINOGEN, "sample", "--n", "7", "--seed", "1"]
    cold = {
        name: process([*command, *(f"--{key.replace('_', '-')}={v}" for key, v in given.items())])
        for name, given in ways.items()
    }
    return {"warm": time_in_turns(warm, rounds=25), "cold": time_in_turns(cold, rounds=9)}


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
