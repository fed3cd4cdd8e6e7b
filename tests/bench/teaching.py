"""What the pretrained base gives: short lists, learned with it and from scratch.

A list is shuffled by ``random.Random(seed)``. The first N names are learned, and up to 1,000 of the
others are the test names. Everything is in lower case. Of names that the default prints:

real: the share that the base has learned from, though they are not in the list.
"""

import random
from pathlib import Path
from statistics import mean
from time import perf_counter

import numpy as np

from dinogen import Model
from dinogen.checkpoint import Checkpoint
from dinogen.data import Corpus, KnownList, clean
from dinogen.generation import Options
from dinogen.training import BASE, load_origin
from tests.bench.quality import best_n_gram, corpus_of, encode_test_names, nats_per_symbol, trained

SIZES = (100, 300, 1_000)
MIN_TEST, MAX_TEST = 100, 1_000
PRINTED = 2_000

LATIN = ("dinosaurs", "edda", "given-names", "places-finland", "places-uk", "surnames")
"""The lists of `corpora/` in Latin script."""


def measure(path: Path, splits: int) -> list[dict[str, float]]:
    """Return means over splits, for every size that the list allows."""
    names = sorted(set(clean(path.read_text("utf-8"), str(path)).lower().split("\n")) - {""})
    rows = []
    for size in SIZES:
        if len(names) >= size + MIN_TEST:
            splits_of_size = [measure_split(names, size, seed) for seed in range(1, splits + 1)]
            means = {what: mean(row[what] for row in splits_of_size) for what in splits_of_size[0]}
            rows.append({"names": size, **means})
    return rows


def measure_split(names: list[str], size: int, seed: int) -> dict[str, float]:
    """Return the figures of one split: nats per symbol of the test names, and seconds."""
    shuffled = list(names)
    random.Random(seed).shuffle(shuffled)  # noqa: S311
    corpus = corpus_of(shuffled[:size])
    test = encode_test_names(corpus, shuffled[size : size + MAX_TEST])
    scratch, scratch_seconds = timed(corpus, seed, "none")
    default, seconds = timed(corpus, seed, None)
    return {
        "kneser_ney": best_n_gram(corpus, test),
        "scratch": nats_per_symbol(scratch.mixture, test),
        "default": nats_per_symbol(default.mixture, test),
        "scratch_seconds": scratch_seconds,
        "seconds": seconds,
        "real": share_of_base(default),
    }


def timed(corpus: Corpus, seed: int, origin: str | None) -> tuple[Checkpoint, float]:
    """Train as the command does, with a value of ``--from``; also returns the seconds."""
    began = perf_counter()
    checkpoint = trained(corpus, seed, origin=origin)
    return checkpoint, perf_counter() - began


def share_of_base(checkpoint: Checkpoint) -> float:
    """Return the share of the printed names that the base has learned from."""
    base = load_origin(BASE)
    # Not by the filter that is being measured: by the digests, in the vocabulary of the base.
    read = base.names(checkpoint.vocabulary).read
    known = KnownList(base.known, len(base.vocabulary), read)
    drawn = Model(checkpoint).namer.draw(PRINTED, 1, Options())
    return float(np.concatenate([known.find(some.names) for some in drawn]).mean())
