"""Calibration: how names are drawn from a model if no option says so."""

import numpy as np
from numpy.typing import NDArray

from dinogen.data.corpus import Corpus
from dinogen.data.sequences import digest
from dinogen.generation.decoding import Decoding, draw_block
from dinogen.generation.rules import NameRules
from dinogen.models.language_model import LanguageModel, max_block_size
from dinogen.rng import Purpose, random_stream
from dinogen.threads import one_thread

KEEP = 3 / 4
"""The share of the new candidates that are kept."""

MAX_MIN_P, MIN_MIN_P = 1 / 4, 1 / 64
"""Min-p lies within these bounds, or there is none."""

MIN_VARIETY = 1 / 5
"""The minimum share of kept, new and distinct names among the candidates."""

DRAWN = 1_024
"""The number of candidates that are drawn to measure the variety."""


def strict_decoding(names: int) -> Decoding:
    """Return the strictest decoding for a model of N distinct training names.

    Min-p is 1 over the cube root of N: a model of few names is wrong more often, so its unlikely
    symbols are trusted less. A quarter of the new candidates is dropped. The rule was chosen by the
    plausibility and the variety of names, on other lists than those that ``make bench`` reports.
    """
    return Decoding(min_p=min(MAX_MIN_P, names ** (-1 / 3)), keep=KEEP)


@one_thread()
def calibrate(model: LanguageModel, corpus: Corpus) -> Decoding:
    """Return the strictest decoding that leaves enough variety.

    A model that has memorised a short list writes little else when it is decoded strictly. So min-p
    is halved until `MIN_VARIETY` of the names are new and distinct. If that does not help, all
    symbols are allowed, and half of the new candidates are dropped.

    Args:
        model: the model to sample.
        corpus: the names that it was trained on.
    """
    rules = NameRules.for_corpus(corpus.stats, corpus.vocabulary, corpus.pairs)
    decoding = strict_decoding(corpus.stats.distinct)
    while decoding.min_p is not None:
        if _variety(model, corpus.known, rules, decoding) >= MIN_VARIETY:
            return decoding
        lower = decoding.min_p / 2
        decoding = decoding._replace(min_p=lower if lower >= MIN_MIN_P else None)
    return Decoding(keep=1 / 2)


def _variety(
    model: LanguageModel, known: NDArray[np.uint64], rules: NameRules, decoding: Decoding
) -> float:
    """Return the share of kept, new and distinct names among the candidates of a block."""
    random = random_stream(0, Purpose.CALIBRATE)
    size = min(DRAWN, max_block_size(model.vocab_size))
    candidates = draw_block(model, random, size, decoding, rules)
    names = candidates.names.filter(candidates.best(decoding.keep, known))
    return len(np.unique(digest(names))) / size
