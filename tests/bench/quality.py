"""Quality: nats per symbol on test names, and novelty, of networks trained from scratch.

The baselines are the classic recipe and Kneser-Ney n-grams. For a split, the distinct names are
lower-cased, sorted and shuffled by ``random.Random(seed)``. The first tenth, at most 1,000 names,
are the test names, which no model sees. The names that dinogen holds out come from the rest. The
n-grams have the order and the discount that are best on the test names, which favours them.

Novelty counts, of the names drawn from each model: training names, test names, distinct names. It
is measured for the mixture, its network, its n-grams and the classic recipe.
"""

import random
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import mean, stdev
from time import perf_counter
from typing import Any

import numpy as np

from dinogen.checkpoint import Checkpoint
from dinogen.data import Corpus, Names, clean, contains, digest, read_corpus
from dinogen.generation import Decoding, NameRules, NameStream, Successors, draw_names
from dinogen.models import LanguageModel, NGram, score
from dinogen.training import ClassicRun, DefaultRun
from tests.kneser_ney import KneserNey

ORDERS = range(2, 8)
DISCOUNTS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.9)
DRAWN = 1_000


def measure(path: Path, splits: int) -> dict[str, float]:
    """Return means over splits, and the differences to the best n-grams and to the network."""
    rows = [measure_split(path, seed) for seed in range(1, splits + 1)]
    figures = {name: mean(row[name] for row in rows) for name in rows[0]}
    for baseline in ("kneser_ney", "network"):
        gaps = [row["dinogen"] - row[baseline] for row in rows]
        figures[f"to_{baseline}"] = mean(gaps)
        figures[f"to_{baseline}_spread"] = stdev(gaps) if len(gaps) > 1 else 0.0
    return figures


def split(path: Path, seed: int) -> tuple[Corpus, Names]:
    """Return the names to train on and the test names of a split."""
    names = sorted(set(clean(path.read_text("utf-8"), str(path)).lower().split("\n")) - {""})
    random.Random(seed).shuffle(names)  # noqa: S311
    count = min(1_000, len(names) // 10)
    corpus = corpus_of(names[count:])
    return corpus, encode_test_names(corpus, names[:count])


def encode_test_names(corpus: Corpus, names: Sequence[str]) -> Names:
    """Encode test names, without those with a symbol that the corpus does not have.

    No model can score such a symbol.
    """
    known = set(corpus.vocabulary.symbols)
    return corpus.vocabulary.encode("".join(f"{name}\n" for name in names if known >= set(name)))


def trained(corpus: Corpus, seed: int, **given: Any) -> Checkpoint:
    """Train as the command does, with the default settings, except for those given."""
    run = DefaultRun.start(corpus, seed=seed, **given)
    for _ in run.train():
        pass
    return run.checkpoint()


def measure_split(path: Path, seed: int) -> dict[str, float]:
    """Return the figures of each model on one split."""
    corpus, test = split(path, seed)
    began = perf_counter()
    checkpoint = trained(corpus, seed, origin="none")
    seconds = perf_counter() - began
    classic = ClassicRun(corpus)
    for _ in classic.train():
        pass
    network, ngram = checkpoint.mixture.members["network"], checkpoint.mixture.members["ngram"]
    assert isinstance(ngram, NGram)
    models: dict[str, LanguageModel] = {
        "dinogen": checkpoint.mixture,
        "network": network,
        "ngram": ngram,
        "classic": classic.network,
    }
    figures: dict[str, float] = {
        "names": corpus.stats.names + len(test),
        "seconds": seconds,
        "kneser_ney": best_n_gram(corpus, test),
        "order": ngram.order,
        "weight": checkpoint.mixture.weights["network"],
    }
    for name, model in models.items():
        figures[name] = nats_per_symbol(model, test)
        figures |= {f"{name}_{what}": n for what, n in novelty(model, corpus, test).items()}
    return figures


def novelty(model: LanguageModel, corpus: Corpus, test: Names) -> dict[str, int]:
    """Count, of `DRAWN` names: training names, test names, distinct names."""
    rules = NameRules(2 * corpus.stats.longest, Successors.of(corpus.vocabulary, corpus.pairs))
    stream = NameStream(model, 1, Decoding(), rules)
    drawn = np.concatenate([digest(some.names) for some in draw_names(stream, DRAWN)])
    return {
        "known": int(contains(corpus.known, drawn).sum()),
        "found": int(contains(np.sort(digest(test)), drawn).sum()),
        "distinct": len(set(drawn.tolist())),
    }


def best_n_gram(corpus: Corpus, test: Names) -> float:
    """Return the lowest nats per symbol over all orders and discounts."""
    training_names, test_names = lists(corpus.names), lists(test)
    return min(
        model.nats_per_symbol(test_names, discount)
        for order in ORDERS
        for model in [KneserNey(training_names, len(corpus.vocabulary), order)]
        for discount in DISCOUNTS
    )


def nats_per_symbol(model: LanguageModel, names: Names) -> float:
    """Return the mean over all symbols of the names, their ends included."""
    return float(score(model, names).sum()) / len(names.symbols)


def lists(names: Names) -> list[list[int]]:
    """Return names as lists of indices, their ends included."""
    symbols = names.symbols.tolist()
    return [symbols[start:end] for start, end in pairwise(names.starts.tolist())]


def corpus_of(names: list[str]) -> Corpus:
    """Read a corpus of given names."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "names.txt")
        path.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        return read_corpus([path])
