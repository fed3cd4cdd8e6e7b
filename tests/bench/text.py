"""Quality and speed on running text. Its last tenth is held out, and selects, as in nanoGPT."""

from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import Any

import numpy as np

from dinogen import DefaultRun, Model
from dinogen.data import TextCorpus, Texts, Vocabulary, clean_parts, read_texts
from dinogen.generation import Decoding, TextOptions, Writer
from dinogen.models import count, likelihoods_by_order

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


# Plausibility and variety.

JUDGED, DRAWN, LENGTH = 7, 40, 1_000
"""The order of the judge's n-grams; how many texts are written, and how many symbols each has."""

DECODINGS: Mapping[str, Decoding] = {
    **{f"temperature {t}": Decoding(t) for t in (1, 0.9, 0.8, 0.7, 0.6)},
    **{f"min-p {p}": Decoding(min_p=p) for p in (0.02, 0.05, 0.1)},
    **{f"temperature 0.8, min-p {p}": Decoding(0.8, min_p=p) for p in (0.02, 0.05)},
}


class Judge:
    """N-grams that have learned one part of a text, and compare what is written with another part.

    Attributes:
        learned: the part from which a model may learn.
    """

    def __init__(self, path: Path) -> None:
        """Split a text: half of it is for the judge, a third to learn, a sixth is the real text."""
        whole = "".join(clean_parts(iter([path.read_text("utf-8")]), str(path), is_text=True))
        lines = whole.splitlines(keepends=True)
        half, rest = len(lines) // 2, len(lines) * 5 // 6
        own, self.learned, self._real = (
            "".join(part) for part in (lines[:half], lines[half:rest], lines[rest:])
        )
        self._vocabulary = Vocabulary.of(whole)
        self._levels = count(self._encode(own), len(self._vocabulary), JUDGED)
        self._words = {*own.split()}

    def figures(self, texts: list[str]) -> dict[str, float]:
        """Return the gap, the share of known words and of distinct 12-grams; real ones, too."""
        written, real = "\n".join(texts), self._real[: sum(map(len, texts))]
        return {
            "gap": mean(map(self._nats, texts)) - self._nats(self._real),
            "words": self._known_words(written),
            "real words": self._known_words(real),
            "distinct": _distinct(written),
            "real distinct": _distinct(real),
        }

    def _encode(self, text: str) -> Texts:
        symbols = self._vocabulary.encode_text(text if text.endswith("\n") else f"{text}\n")
        return Texts(symbols, np.array([0, len(symbols)]))

    def _nats(self, text: str) -> float:
        """Return the judge's nats per symbol."""
        p = likelihoods_by_order(self._levels, len(self._vocabulary), [JUDGED], self._encode(text))
        return -float(np.log(p[JUDGED]).mean())

    def _known_words(self, text: str) -> float:
        words = text.split()
        return sum(word in self._words for word in words) / len(words)


def _distinct(text: str) -> float:
    """Return the number of distinct parts of 12 symbols, as a share of all of them."""
    parts = [text[i : i + 12] for i in range(len(text) - 11)]
    return len({*parts}) / len(parts)


def measure_writing(path: Path, folder: Path) -> dict[str, dict[str, float]]:
    """Return what a judge says of the texts of the default model, for each way to draw them."""
    judge = Judge(path)
    learned = folder / path.name
    learned.write_text(judge.learned, "utf-8")
    run = DefaultRun.start(read_texts([learned]), seed=1)
    for _ in run.train():
        pass
    checkpoint = run.checkpoint()
    figures = {}
    for name, decoding in {"default": checkpoint.decoding, **DECODINGS}.items():
        writer = Writer(checkpoint.mixture, checkpoint.vocabulary, decoding)
        texts = [""] * DRAWN
        for piece in writer.write(DRAWN, 1, TextOptions(length=LENGTH)):
            texts[piece.index] += piece.text
        figures[name] = judge.figures(texts)
    return figures
