"""Calibration: how names are drawn from a model if no option says so."""

from typing import NamedTuple

import numpy as np

from dinogen.data.corpus import Corpus
from dinogen.data.known import KnownList, KnownNames
from dinogen.data.sequences import digest
from dinogen.generation.blocks import draw_block
from dinogen.generation.decoding import Decoding
from dinogen.generation.rules import NameRules
from dinogen.models.language_model import LanguageModel, max_block_size
from dinogen.rng import Purpose, random_stream
from dinogen.threads import one_thread


class Strictness(NamedTuple):
    """How strictly names may be drawn.

    Attributes:
        min_p, exponent: of N names, min-p is ``min_p * N**exponent``.
        keep: the share of the new candidates that are kept.
        min_variety: the minimum share of new and distinct names among those that are kept if known
            names are candidates, too.
    """

    min_p: float
    exponent: float
    keep: float
    min_variety: float


FROM_SCRATCH = Strictness(min_p=1.0, exponent=-1 / 3, keep=0.75, min_variety=0.25)
FROM_ORIGIN = Strictness(min_p=2.0, exponent=-1 / 2, keep=0.5, min_variety=0.83)
"""The strictness for a model from scratch, and for one that started from a trained network, which
writes names as good with more variety."""

TEXT_DECODING = Decoding(temperature=0.8, min_p=0.02)
"""How running text is written if no option says so. On half a megabyte of the King James Bible, an
independent judge found what was written this way as likely as the real text, and as varied."""

MAX_MIN_P, MIN_MIN_P = 1 / 4, 1 / 64
"""Min-p lies within these bounds, or there is none."""

STEP = 0.9
"""The factor by which min-p is lowered until the variety is high enough."""

DRAWN = 4_096
"""The number of candidates that are drawn to measure the variety."""


def strict_decoding(names: int, strictness: Strictness = FROM_SCRATCH) -> Decoding:
    """Return the strictest decoding for a model of N distinct training names.

    Min-p falls with N: a model of few names is wrong more often, so its unlikely symbols are
    trusted less. The least likely of the new candidates are dropped. The rule was chosen by the
    plausibility and the variety of names, on other lists than those that ``make bench`` reports.
    """
    min_p = strictness.min_p * names**strictness.exponent
    return Decoding(min_p=min(MAX_MIN_P, min_p), keep=strictness.keep)


@one_thread()
def calibrate(
    model: LanguageModel, corpus: Corpus, strictness: Strictness = FROM_SCRATCH
) -> Decoding:
    """Return the strictest decoding that leaves enough variety.

    A model of a short list writes the same names again and again when it is decoded strictly. So
    min-p is lowered until enough of the names are new and distinct. If that does not help, all
    symbols are allowed, and half of the new candidates are dropped.

    Args:
        model: the model to sample.
        corpus: the names that it was trained on.
        strictness: how strictly names may be drawn.
    """
    known = KnownNames([KnownList(corpus.known, len(corpus.vocabulary))])
    rules = NameRules.for_corpus(corpus.stats, corpus.vocabulary, corpus.pairs)
    decoding = strict_decoding(corpus.stats.distinct, strictness)
    while decoding.min_p is not None:
        if _variety(model, known, rules, decoding) >= strictness.min_variety:
            return decoding
        lower = decoding.min_p * STEP
        decoding = decoding._replace(min_p=lower if lower >= MIN_MIN_P else None)
    return Decoding(keep=0.5)


def _variety(
    model: LanguageModel, known: KnownNames, rules: NameRules, decoding: Decoding
) -> float:
    """Return the share of new and distinct names among the kept candidates of a block."""
    random = random_stream(0, Purpose.CALIBRATE)
    size = min(DRAWN, max_block_size(model.vocab_size))
    candidates = draw_block(model, random, size, decoding, rules)
    kept = candidates.names.filter(candidates.best(decoding.keep, KnownNames()))
    new = kept.filter(~known.find(kept))
    return len(np.unique(digest(new))) / max(1, len(kept))
