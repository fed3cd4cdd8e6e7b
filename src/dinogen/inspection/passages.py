"""Passages of running text: whole lines, scored with the context before them."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self
from unicodedata import normalize

import numpy as np

from dinogen.checkpoint.checkpoint import Checkpoint
from dinogen.data.cleaning import clean_parts
from dinogen.data.sequences import Names, Texts
from dinogen.data.sources import read_text, source_name, split_lines
from dinogen.data.units import CHARACTER, Unit
from dinogen.inspection.scores import Score, Scores
from dinogen.models.scoring import WARM_UP, likelihoods

PASSAGE = 1 << 18
"""The maximum number of characters in a passage of more than one line. It bounds the memory."""

_BEFORE = 32 * WARM_UP
"""The number of characters before a passage that are kept: more than `WARM_UP` symbols have."""


class Passage(NamedTuple):
    """Some whole lines of a running text.

    Attributes:
        before: the end of the text before them; empty at the start of the text.
        text: the lines, each followed by a newline.
        first: the number of the first line, from 1.
    """

    before: str
    text: str
    first: int


def read_passages(source: str | Path, unit: Unit = CHARACTER) -> Iterator[Passage]:
    """Read and clean a running text as passages, which do not depend on how the text arrives.

    Args:
        source: a path, or `dinogen.data.STDIN` for standard input.
        unit: what a symbol is.

    Raises:
        CorpusError: if the source cannot be read or is not text, or if its text is refused (see
            `dinogen.data.read_texts`).
    """
    lines = split_lines(read_text(source, is_text=True), source, is_text=True)
    passage, waiting = Passage("", "", 1), ""
    for part in clean_parts(lines, source_name(source), unit, is_text=True):
        waiting += part
        while len(waiting) >= PASSAGE:
            end = waiting.rfind("\n", 0, PASSAGE) + 1 or waiting.index("\n", PASSAGE) + 1
            passage = _next(passage, waiting[:end])
            yield passage
            waiting = waiting[end:]
    if waiting:
        yield _next(passage, waiting)


def _next(passage: Passage, text: str) -> Passage:
    """Return the passage of a text after another passage."""
    before = (passage.before + passage.text[-_BEFORE:])[-_BEFORE:]
    return Passage(before, text, passage.first + passage.text.count("\n"))


def score_passage(checkpoint: Checkpoint, passage: Passage) -> Scores:
    """Score the lines of a passage, each after all that comes before it.

    The model reads the text without its unknown symbols. See `likelihoods` for the context.

    Args:
        checkpoint: the checkpoint of a model of running text.
        passage: the passage.
    """
    vocabulary = checkpoint.vocabulary
    before, text = (
        checkpoint.case.fold(part, vocabulary) for part in (passage.before, passage.text)
    )
    lines = Names.split(vocabulary.encode_text(text))
    known = lines.symbols != vocabulary.unknown  # (S,)
    context = vocabulary.encode_text(before)  # (B,)
    context = context[context != vocabulary.unknown][-WARM_UP:]
    symbols = np.concatenate([context, lines.symbols[known]])  # (B + s,)
    texts = Texts(symbols, np.array([0, len(symbols)]))
    nats = np.full(len(known), np.inf)  # (S,)
    nats[known] = -np.log(likelihoods(checkpoint.mixture, texts)[len(context) :])
    # A blank line is its end alone.
    lengths = np.where(lines.lengths > 1, vocabulary.lengths(lines) + 1, 1)  # (N,)
    return Scores(
        names=passage.text.split("\n")[:-1],
        folded=vocabulary.split(text),
        totals=np.add.reduceat(nats, lines.starts[:-1]).tolist(),
        known=None,
        nats=nats,
        starts=lines.starts,
        lengths=lengths.tolist(),
        vocabulary=vocabulary,
        first=passage.first,
    )


def score_text(checkpoint: Checkpoint, text: str) -> Score:
    """Score a running text as a whole, up to its last symbol. It may end within a line.

    Args:
        checkpoint: the checkpoint of a model of running text.
        text: the text, with lines that end as in any file.
    """
    lines = normalize("NFC", "\n".join(f"{text} ".splitlines()))[:-1]
    scores = score_passage(checkpoint, Passage("", f"{lines}\n", 1))
    by_symbol = [pair for line in scores for pair in line.by_symbol][:-1]
    unknown = (scores.unknown_symbol(i) for i in range(len(scores)))
    return Score(
        text=text,
        nats=sum(nats for _, nats in by_symbol),
        symbols=sum(scores.lengths) - 1,
        known=None,
        unknown=next((symbol for symbol in unknown if symbol is not None), None),
        by_symbol=tuple(by_symbol),
    )


class TextTotal(NamedTuple):
    """The score of a running text.

    Attributes:
        lines: the number of lines.
        unknown: the number of unknown symbols.
        symbols: the number of other symbols, as a reader counts them, the ends of lines included.
        nats: the negative log-likelihood of these in nats.
    """

    lines: int = 0
    unknown: int = 0
    symbols: int = 0
    nats: float = 0.0

    @property
    def nats_per_symbol(self) -> float:
        """The nats per symbol."""
        return self.nats / self.symbols

    def plus(self, scores: Scores) -> Self:
        """Return the total with more lines."""
        nats = scores.nats[scores.nats < np.inf]
        unknown = len(scores.nats) - len(nats)
        return self._replace(
            lines=self.lines + len(scores),
            unknown=self.unknown + unknown,
            symbols=self.symbols + sum(scores.lengths) - unknown,
            nats=self.nats + float(nats.sum()),
        )
