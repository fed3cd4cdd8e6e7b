"""Plausibility and variety of the names that a person sees, beside plain Markov chains.

A list is shuffled by ``random.Random(seed)``. The first N names are learned, the next 1,000 are set
aside, and a judge learns all others: interpolated Kneser-Ney n-grams of order 6, written as the
papers write them. Everything is in lower case. Of 3,000 draws, repeats and known names allowed:

gap: the judge's nats per symbol on the new and distinct names, minus the same on the names that
    were set aside. 0 is as plausible as real names; below 0 is blander than they are.
odd: the share of the new names that the judge finds less plausible, per symbol, than 97 % of the
    names that were set aside.
real: the share of the new names that exist in the list, though they were not learned.
variety: new and distinct names per draw.
shorter, longer: the share of the draws outside the lengths of the names that were learned.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import log
from pathlib import Path
from statistics import mean

from dinogen.checkpoint import Checkpoint
from dinogen.data import clean
from dinogen.generation import Decoding, NameRules, NameStream, draw_names
from tests.bench.quality import corpus_of, trained
from tests.kneser_ney import START, KneserNey

LISTS = ("given-names", "surnames", "places-uk")
SIZES = (100, 300, 1_000, 3_000)
SET_ASIDE, MIN_JUDGE = 1_000, 2_000
DRAWN, ORDER = 3_000, 6

Figures = dict[str, float]

TABLE: Mapping[str, Decoding] = {
    "temperature 1": Decoding(),
    "temperature 0.8, top-p 0.9": Decoding(temperature=0.8, top_p=0.9),
}
CURVE: Mapping[str, Decoding] = {
    **{f"temperature {t}": Decoding(t) for t in (0.9, 0.8, 0.7, 0.6, 0.5)},
    **{f"top-p {p}": Decoding(top_p=p) for p in (0.95, 0.9, 0.8, 0.7)},
    **{f"min-p {p}": Decoding(min_p=p) for p in (0.05, 0.125, 0.2)},
    **{f"min-p 0.125, keep {k}": Decoding(min_p=0.125, keep=k) for k in (0.75, 0.5)},
}
MARKOV_ORDERS = (2, 3)
SAME_VARIETY = "temperature, at the variety of Markov 3"


def measure(path: Path, splits: int, decodings: Mapping[str, Decoding]) -> dict[str, list[Figures]]:
    """Return the figures of each way to draw names, for every size that the list allows.

    Returns:
        For each size and way, means over the splits. Each has ``names``, the number learned.
    """
    names = sorted(set(clean(path.read_text("utf-8"), str(path)).lower().split("\n")) - {""})
    figures: dict[str, list[Figures]] = defaultdict(list)
    for size in SIZES:
        if len(names) >= size + SET_ASIDE + MIN_JUDGE:
            rows = [measure_split(names, size, seed, decodings) for seed in range(1, splits + 1)]
            for way in rows[0]:
                row = {what: mean(each[way][what] for each in rows) for what in rows[0][way]}
                figures[way].append({"names": size, **row})
    return figures


def measure_split(
    names: Sequence[str], size: int, seed: int, decodings: Mapping[str, Decoding]
) -> dict[str, Figures]:
    """Return the figures of each way to draw names on one split."""
    shuffled = list(names)
    random.Random(seed).shuffle(shuffled)  # noqa: S311
    learned = shuffled[:size]
    judge = Judge(learned, shuffled[size : size + SET_ASIDE], shuffled[size + SET_ASIDE :])
    corpus = corpus_of(learned)
    checkpoint, scratch = trained(corpus, seed), trained(corpus, seed, origin="none")
    figures = {
        f"Markov {order}": judge.judge(markov_chain(learned, order, seed))
        for order in MARKOV_ORDERS
    }
    for way, decoding in {"default": checkpoint.decoding, **decodings}.items():
        figures[way] = judge.judge(draw(checkpoint, decoding))
    figures["default, from scratch"] = judge.judge(draw(scratch, scratch.decoding))
    figures[SAME_VARIETY] = at_variety(
        lambda t: judge.judge(draw(checkpoint, Decoding(t))), figures["Markov 3"]["variety"]
    )
    return figures


class Judge:
    """Tells how plausible names are, by n-grams of names that no model has learned."""

    def __init__(self, learned: Sequence[str], real: Sequence[str], others: Sequence[str]) -> None:
        self._known, self._others = set(learned), {*real, *others}
        self._lengths = range(min(map(len, learned)), max(map(len, learned)) + 1)
        symbols = sorted(set("".join([*learned, *real, *others])))
        self._index = {symbol: index for index, symbol in enumerate(symbols, start=1)}
        encoded = [self._encode(name) for name in others]
        self._probability = cache(KneserNey(encoded, len(symbols) + 1, ORDER).probability)
        self._real = self._mean(real)
        self._odd = sorted(map(self._per_symbol, real))[int(0.97 * len(real))]

    def judge(self, drawn: Sequence[str]) -> Figures:
        """Return the figures of some draws."""
        new = sorted(set(drawn) - self._known)
        lengths = [len(name) for name in drawn]
        return {
            "gap": self._mean(new) - self._real,
            "odd": mean(self._per_symbol(name) > self._odd for name in new),
            "real": mean(name in self._others for name in new),
            "variety": len(new) / len(drawn),
            "shorter": mean(length < self._lengths.start for length in lengths),
            "longer": mean(length >= self._lengths.stop for length in lengths),
        }

    def _encode(self, name: str) -> list[int]:
        return [*(self._index[symbol] for symbol in name), 0]

    def _nats(self, name: str) -> float:
        written = (START, *self._encode(name))
        return -sum(
            log(self._probability(written[max(0, end - ORDER + 1) : end], written[end]))
            for end in range(1, len(written))
        )

    def _per_symbol(self, name: str) -> float:
        return self._nats(name) / (len(name) + 1)

    def _mean(self, names: Sequence[str]) -> float:
        return sum(map(self._nats, names)) / sum(len(name) + 1 for name in names)


def draw(checkpoint: Checkpoint, decoding: Decoding) -> list[str]:
    """Draw names, known ones and repeats included."""
    vocabulary = checkpoint.vocabulary
    rules = NameRules.for_corpus(checkpoint.names, vocabulary, checkpoint.pairs)
    stream = NameStream(checkpoint.mixture, 1, decoding, rules)
    symbols = ("\n", *vocabulary.symbols)
    indices = [i for drawn in draw_names(stream, DRAWN) for i in drawn.names.symbols.tolist()]
    return "".join(symbols[index] for index in indices).split("\n")[:-1]


def markov_chain(names: Sequence[str], order: int, seed: int) -> list[str]:
    """Draw names from a plain Markov chain, which most name generators are."""
    following: dict[str, list[str]] = defaultdict(list)
    for name in names:
        written = "\n" * order + name + "\n"
        for end in range(order, len(written)):
            following[written[end - order : end]].append(written[end])
    chance = random.Random(seed)  # noqa: S311
    drawn: list[str] = []
    while len(drawn) < DRAWN:
        written = "\n" * order
        while len(written) == order or written[-1] != "\n":
            written += chance.choice(following[written[-order:]])
        drawn.append(written[order:-1])
    return drawn


def at_variety(judge: Callable[[float], Figures], variety: float) -> Figures:
    """Return the figures at the temperature that gives a variety, found by bisection."""
    low, high = 0.05, 1.5
    for _ in range(7):
        middle = (low + high) / 2
        figures = judge(middle)
        low, high = (middle, high) if figures["variety"] < variety else (low, middle)
    return {**figures, "temperature": middle}
