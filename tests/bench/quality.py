"""Quality: held-out nats per symbol, beside the classic recipe and Kneser-Ney n-grams; novelty.

A split: the distinct names in small letters, sorted, shuffled by ``random.Random(seed)``; the first
tenth, at most 1,000, is kept away from all rivals and tells how good they are. What dinogen holds
out for itself comes from the rest. The n-grams get the order and the discount that do best on the
very names that are reported, which favours them.

Novelty: of names drawn from what learned, how many were learned from, how many are real though kept
away, and how many are distinct; for the whole model, its network alone and its n-grams alone.
"""

import random
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import mean, stdev
from time import perf_counter

import numpy as np

from dinogen.generation.options import Options
from dinogen.generation.sampling import Stream, sample
from dinogen.generation.scoring import score
from dinogen.models.language_model import LanguageModel
from dinogen.text.cleaning import clean
from dinogen.text.corpus import Corpus, read_corpus
from dinogen.text.digests import contains, digests
from dinogen.text.names import Names
from dinogen.training.classic import ClassicRun
from dinogen.training.loop import DefaultRun
from dinogen.training.settings import Settings
from tests.kneser_ney import KneserNey

ORDERS = range(2, 8)
DISCOUNTS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.9)
DRAWN = 1_000


def measure(path: Path, splits: int) -> dict[str, float]:
    """Mean nats per symbol over splits, and how far dinogen is from the best n-gram."""
    rows = [measure_split(path, seed) for seed in range(1, splits + 1)]
    figures = {name: mean(row[name] for row in rows) for name in rows[0]}
    for rival in ("kneser_ney", "network"):
        gaps = [row["dinogen"] - row[rival] for row in rows]
        figures[f"to_{rival}"] = mean(gaps)
        figures[f"to_{rival}_spread"] = stdev(gaps) if len(gaps) > 1 else 0.0
    return figures


def measure_split(path: Path, seed: int) -> dict[str, float]:
    """Nats per symbol of each rival on one split."""
    names = sorted(set(clean(path.read_bytes(), str(path)).lower().split("\n")) - {""})
    random.Random(seed).shuffle(names)  # noqa: S311
    count = min(1_000, len(names) // 10)
    corpus = corpus_of(names[count:])
    known = set(corpus.vocabulary.symbols)
    # A symbol that occurs in the kept names alone would be beyond every rival.
    kept = [name for name in names[:count] if known >= set(name)]
    test = corpus.vocabulary.encode("".join(f"{name}\n" for name in kept))

    began = perf_counter()
    default = DefaultRun(corpus, Settings.for_corpus(corpus.facts, seed=seed))
    for _ in default.train():
        pass
    checkpoint = default.checkpoint()
    seconds = perf_counter() - began
    classic = ClassicRun(corpus)
    for _ in classic.train():
        pass
    network, ngram = checkpoint.network, checkpoint.ngram
    assert network
    assert ngram
    models: dict[str, LanguageModel] = {
        "dinogen": checkpoint.model,
        "network": network,
        "ngram": ngram,
        "classic": classic.model,
    }
    figures: dict[str, float] = {
        "names": len(names),
        "seconds": seconds,
        "kneser_ney": best_n_gram(corpus, test),
        "order": ngram.order,
        "weight": checkpoint.weight,
    }
    for name, model in models.items():
        figures[name] = nats_per_symbol(model, test)
        figures |= {f"{name}_{what}": n for what, n in novelty(model, corpus, test).items()}
    return figures


def novelty(model: LanguageModel, corpus: Corpus, test: Names) -> dict[str, int]:
    """Of `DRAWN` names: those learned from, those only kept away, and those distinct."""
    options = Options(2 * corpus.facts.longest, inner=corpus.vocabulary.spaces)
    stream = Stream(model, 1, options)
    drawn = np.concatenate([digests(some.names) for some in sample(stream, DRAWN)])
    return {
        "known": int(contains(corpus.known, drawn).sum()),
        "found": int(contains(np.sort(digests(test)), drawn).sum()),
        "distinct": len(set(drawn.tolist())),
    }


def best_n_gram(corpus: Corpus, test: Names) -> float:
    """The least nats per symbol over all orders and discounts."""
    learned, kept = lists(corpus.names), lists(test)
    return min(
        model.nats_per_symbol(kept, discount)
        for order in ORDERS
        for model in [KneserNey(learned, len(corpus.vocabulary), order)]
        for discount in DISCOUNTS
    )


def nats_per_symbol(model: LanguageModel, names: Names) -> float:
    """Mean over all symbols of the names, their ends included."""
    return float(score(model, names).sum()) / len(names.symbols)


def lists(names: Names) -> list[list[int]]:
    """Names as lists of indices, their ends included."""
    symbols = names.symbols.tolist()
    return [symbols[start:end] for start, end in pairwise(names.starts.tolist())]


def corpus_of(names: list[str]) -> Corpus:
    """A corpus of given names."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "names.txt")
        path.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        return read_corpus([path])
