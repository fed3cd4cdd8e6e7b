"""Scores of given names, or of lines of text, in one model or in two."""

import re
from collections.abc import Sequence
from math import isfinite, isnan, log

import numpy as np
from rich.cells import cell_len
from rich.text import Span, Text

from dinogen.cli.views.screen import (
    END_LABEL,
    LINE_END_LABEL,
    show_line,
    show_symbol,
)
from dinogen.data.units import WORD, Unit
from dinogen.data.vocabulary import Vocabulary
from dinogen.inspection.passages import TextTotal
from dinogen.inspection.scores import Scores
from dinogen.inspection.wording import pluralize

_STYLES = ("green", "", "yellow", "bold red")
"""The styles of symbols: likely symbols are green, unlikely ones red."""

_LIMITS = (1.0, 2.0, 3.5)
"""The maximum nats of a symbol in each style but the last."""

_MAX_NAME_WIDTH, _MAX_LINE_WIDTH = 32, 64
"""The maximum width of the column of names, or of lines of text. Longer ones stick out."""


def score_lines(scores: Scores, order: Sequence[int]) -> list[Text]:
    """Draw one line per name, or per line of running text.

    A line has the nats, the nats per symbol, the name or the text, whether a name is known, and the
    least likely symbol.

    Args:
        scores: the scores of N names or lines.
        order: what to draw, as indices from 0 to N - 1.
    """
    known = scores.known
    names = [show_line(scores.names[i]) for i in order]
    widths = [cell_len(name) for name in names]
    column = min(max(widths, default=0), _MAX_LINE_WIDTH if known is None else _MAX_NAME_WIDTH)
    lines: list[Text] = []
    for i, name, width in zip(order, names, widths, strict=True):
        numbers = f"{scores.totals[i]:8.4f}  {scores.per_symbol(i):6.3f}  "
        nats = scores.symbol_nats(i)
        spans = _spans(name, nats, scores.vocabulary.unit, len(numbers))
        line = Text(numbers + name, no_wrap=True, overflow="ignore", spans=spans)
        line.append(" " * (column - width) + "  ")
        if known is not None:
            line.append("known  " if known[i] else " " * 7)
        line.append(_remark(scores, i, nats).rstrip(), style="dim")
        lines.append(line)
    return lines


def _spans(name: str, nats: Sequence[float], unit: Unit, offset: int) -> list[Span]:
    """Colour each symbol of a name by its nats; a syllable by those of its least likely letter.

    Args:
        name: the name.
        nats: the nats of each symbol, the end included. A name with an unknown symbol has none.
        unit: what a symbol is.
        offset: the place of the name in the text that is coloured.
    """
    parts = re.findall(r"\S+ ?", name) if unit is WORD else name
    if not parts or not nats:
        return []
    most = np.array(nats[:-1])  # (P,)
    if len(most) != len(parts):
        sizes = [len(unit.split(part)) for part in parts]
        most = np.maximum.reduceat(most, np.cumsum([0, *sizes[:-1]]))
    styles = np.searchsorted(_LIMITS, most)  # (P,)
    # A span for each run of one style: one for each symbol would take much longer.
    last = np.flatnonzero(np.append(np.diff(styles), 1))  # (R,)
    ends = (offset + np.cumsum([*map(len, parts)])[last]).tolist()
    starts = [offset, *ends[:-1]]
    runs = zip(starts, ends, styles[last].tolist(), strict=True)
    return [Span(start, end, _STYLES[style]) for start, end, style in runs]


def _remark(scores: Scores, i: int, nats: Sequence[float]) -> str:
    """Return the least likely symbol and its nats, or the unknown symbol."""
    if not isfinite(scores.totals[i]):
        noun = scores.vocabulary.unit.noun
        return f"unknown {noun} {show_symbol(scores.unknown_symbol(i) or '')}"
    most = max(nats)
    position = nats.index(most)
    folded = scores.folded[i]
    end = LINE_END_LABEL if scores.known is None else END_LABEL
    symbol = show_symbol(folded[position]) if position < len(folded) else end
    before = scores.vocabulary.unit.tail(folded[:position], 3)
    place = f"after {show_line(before)}" if before else "at its start"
    return f"{symbol} {most:.1f} {place}"


def total_line(total: TextTotal, vocabulary: Vocabulary) -> Text:
    """Draw the score of a whole running text.

    Args:
        total: the score.
        vocabulary: the vocabulary of the model.
    """
    noun, per_symbol = vocabulary.unit.noun, total.nats_per_symbol
    shown = (
        f"{pluralize(total.lines, 'line')}: {total.nats:,.1f} nats, "
        f"{per_symbol:.3f} nats or {per_symbol / log(2):.3f} bits per {noun}"
    )
    if total.unknown:
        shown += f", without {pluralize(total.unknown, f'unknown {noun}')}"
    return Text(shown, style="cyan", no_wrap=True, overflow="ignore")


def compared_score_lines(
    names: Sequence[str], nats: Sequence[tuple[float, float]], first: Sequence[float]
) -> list[Text]:
    """Draw one line per name, or per line of running text.

    A line has the probability that the name comes from the first of two models, the nats in both,
    and the name.

    Args:
        names: N names or lines.
        nats: the nats of each in both models.
        first: the probability that each comes from the first model; NaN if neither model can write
            it.
    """
    lines: list[Text] = []
    for name, (one, other), p in zip(names, nats, first, strict=True):
        style = "green" if p >= 0.9 else "magenta" if p <= 0.1 else ""
        probability = "      -" if isnan(p) else f"{p:7.1%}"
        line = Text(probability, style=style, no_wrap=True, overflow="ignore")
        line.append(f"  {one:8.4f}  {other:8.4f}  {show_line(name)}", style="none")
        lines.append(line)
    return lines
