"""Tiny trained networks to start from, shared by the tests."""

import sys
from pathlib import Path

import numpy as np
import pytest

from dinogen.data import Corpus, Vocabulary, read_corpus
from dinogen.models import Network, NetworkConfig
from dinogen.training import DefaultRun, Origin, Settings, Teaching

ALPHABET = "".join(map(chr, range(ord("a"), ord("z") + 1)))


def make_origin(
    symbols: str = ALPHABET,
    *,
    cell: str = "lstm",
    layers: int = 2,
    hidden: int = 8,
    seed: int = 1,
    name: str = "base",
    scale: float = 0.3,
) -> Origin:
    """Draw a network that stands for a trained one, and digests that stand for those of its names.

    All parameters are normal, biases included.
    """
    vocabulary = Vocabulary(sorted(symbols))
    network = Network(NetworkConfig(len(vocabulary), hidden, cell, layers))
    random = np.random.default_rng(seed)
    network.parameters.vector[...] = scale * random.standard_normal(network.parameters.vector.shape)
    known = np.sort(random.integers(0, 2**64, 20, dtype=np.uint64))
    return Origin(name, network, vocabulary, known)


def corpus_of(folder: Path, *names: str, **options: bool | str) -> Corpus:
    """Read a list of names, through a file in a folder."""
    path = folder / "names of a corpus.txt"
    path.write_text("\n".join(names), encoding="utf-8")
    return read_corpus([path], **options)  # type: ignore[arg-type]


def write_fewer(monkeypatch: pytest.MonkeyPatch, written: int) -> None:
    """Let teachers write fewer names than `WRITTEN`, which takes less time."""
    for user in (Settings, Teaching):
        monkeypatch.setattr(sys.modules[user.__module__], "WRITTEN", written)


def set_up(corpus: Corpus, origin: Origin | None, **given: str | float | None) -> DefaultRun:
    """Set up a run that starts from an origin; see `Settings.for_corpus`."""
    chosen = {"seed": 3, "order": 0, **given}
    if origin is not None:
        chosen |= origin.network_settings(chosen)
    return DefaultRun(corpus, Settings.for_corpus(corpus.stats, **chosen), origin)  # type: ignore[arg-type]
