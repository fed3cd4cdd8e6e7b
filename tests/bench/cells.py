"""Quality of each kind of network, trained from scratch and mixed with n-grams.

The splits are those of `quality`.
"""

from pathlib import Path
from statistics import mean, stdev
from time import perf_counter
from typing import Any

from tests.bench.quality import best_n_gram, nats_per_symbol, split, trained

LISTS = ("edda", "places-finland", "dinosaurs")
"""The lists of `corpora/` by which no setting was chosen."""

NETWORKS: dict[str, dict[str, Any]] = {
    "rnn": {},
    "gru 2 × 128": {"cell": "gru", "layers": 2},
    "lstm 2 × 128": {"cell": "lstm", "layers": 2},
    "lstm 2 × 256": {"cell": "lstm", "layers": 2, "hidden_size": 256},
}
"""The settings that differ from the defaults, by the name of the network."""


def measure(path: Path, splits: int) -> dict[str, dict[str, float]]:
    """Return means over splits for each network: nats per symbol and differences, and seconds."""
    rows = [measure_split(path, seed) for seed in range(1, splits + 1)]
    figures = {}
    for name in NETWORKS:
        own = [row[name] for row in rows]
        figures[name] = {what: mean(row[what] for row in own) for what in own[0]}
        gaps = [row["to_kneser_ney"] for row in own]
        figures[name]["spread"] = stdev(gaps) if len(gaps) > 1 else 0.0
    return figures


def measure_split(path: Path, seed: int) -> dict[str, dict[str, float]]:
    """Return the figures of each network on one split."""
    corpus, test = split(path, seed)
    baseline = best_n_gram(corpus, test)
    figures: dict[str, dict[str, float]] = {}
    for name, given in NETWORKS.items():
        began = perf_counter()
        mixture = trained(corpus, seed, origin="none", **given).mixture
        seconds = perf_counter() - began
        nats = nats_per_symbol(mixture, test)
        figures[name] = {
            "mixture": nats,
            "network": nats_per_symbol(mixture.members["network"], test),
            "to_kneser_ney": nats - baseline,
            "to_rnn": nats - figures["rnn"]["mixture"] if figures else 0.0,
            "seconds": seconds,
        }
    return figures
