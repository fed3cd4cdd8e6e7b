"""Quality and speed on running text. Its last tenth is held out, and selects, as in nanoGPT."""

from pathlib import Path
from time import perf_counter
from typing import Any

from dinogen import DefaultRun, Model
from dinogen.data import TextCorpus, read_texts

NETWORKS: dict[str, dict[str, Any]] = {
    "n-grams": {"hidden_size": 0},
    "default": {},
    "lstm 2": {"cell": "lstm", "layers": 2},
}
"""The settings that differ from the defaults, by the name of the model."""

SOON = 120.0
"""Seconds after which a snapshot of the training is taken, too."""

WRITTEN = 10_000
"""The number of symbols that each model writes."""


def measure(path: Path, seed: int = 1) -> dict[str, dict[str, float]]:
    """Return for each model: held-out nats per symbol, seconds of training and of writing."""
    corpus = read_texts([path])
    return {name: measure_model(corpus, seed, given) for name, given in NETWORKS.items()}


def measure_model(corpus: TextCorpus, seed: int, given: dict[str, Any]) -> dict[str, float]:
    """Train one model, and let it write."""
    figures: dict[str, float] = {}
    began = perf_counter()
    run = DefaultRun.start(corpus, seed=seed, **given)
    for progress in run.train():
        if progress.row and "soon" not in figures and perf_counter() - began >= SOON:
            held_out = run.checkpoint().held_out
            figures["soon"] = held_out.nats_per_symbol if held_out else 0.0
    checkpoint = run.checkpoint()
    figures["seconds"] = perf_counter() - began
    if held_out := checkpoint.held_out:
        figures |= {"nats": held_out.nats_per_symbol, **held_out.members}
        figures["symbols"] = held_out.size
    model = Model(checkpoint)
    model.sample(1, 1, length=10)  # without the time to unfold the tables
    began = perf_counter()
    model.sample(1, 1, length=WRITTEN)
    figures["writing"] = perf_counter() - began
    return figures
