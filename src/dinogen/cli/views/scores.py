"""Scores of given names, in one model or in two."""

import re
from collections.abc import Sequence
from math import isnan

from rich.cells import cell_len
from rich.text import Text

from dinogen.cli.views.screen import END_LABEL, show_symbol
from dinogen.data.units import WORD, Unit
from dinogen.inspection.scores import Scores

_STYLES = ((1.0, "green"), (2.0, ""), (3.5, "yellow"), (float("inf"), "bold red"))
"""The maximum nats of a symbol in each style: likely symbols are green, unlikely ones red."""

_MAX_NAME_WIDTH = 32


def score_lines(scores: Scores, order: Sequence[int]) -> list[Text]:
    """Draw one line per name.

    A line has the nats, the nats per symbol, the name, whether it is known, and its least likely
    symbol.

    Args:
        scores: the scores of N names.
        order: the names to draw, as indices from 0 to N - 1.
    """
    names = [scores.names[i] for i in order]
    widths = [cell_len(name) for name in names]
    column = min(max(widths, default=0), _MAX_NAME_WIDTH)
    lines: list[Text] = []
    for i, name, width in zip(order, names, widths, strict=True):
        numbers = f"{scores.totals[i]:8.4f}  {scores.per_symbol(i):6.3f}  "
        nats = scores.symbol_nats(i)
        line = Text(numbers, no_wrap=True, overflow="ignore")
        line.append_text(_coloured(name, nats, scores.vocabulary.unit))
        line.append(" " * (column - width) + "  " + ("known  " if scores.known[i] else " " * 7))
        line.append(_remark(scores, i, nats), style="dim")
        line.rstrip()
        lines.append(line)
    return lines


def _coloured(name: str, nats: Sequence[float], unit: Unit) -> Text:
    """Colour each symbol of a name by its nats; a syllable by those of its least likely letter."""
    parts = re.findall(r"\S+ ?", name) if unit is WORD else name
    sizes = [1] * len(parts)
    if len(nats) != len(parts) + 1:
        sizes = [len(unit.split(part)) for part in parts]
    # An unknown symbol leaves a name without nats.
    if len(nats) != sum(sizes) + 1:
        return Text(name)
    text, place = Text(), 0
    for part, size in zip(parts, sizes, strict=True):
        most_surprising = max(nats[place : place + size])
        text.append(part, next(style for most, style in _STYLES if most_surprising <= most))
        place += size
    return text


def _remark(scores: Scores, i: int, nats: Sequence[float]) -> str:
    """Return the least likely symbol and its nats, or the unknown symbol."""
    if not nats:
        noun = scores.vocabulary.unit.noun
        return f"unknown {noun} {show_symbol(scores.unknown_symbol(i) or '')}"
    most = max(nats)
    position = nats.index(most)
    folded = scores.folded[i]
    symbol = show_symbol(folded[position]) if position < len(folded) else END_LABEL
    before = scores.vocabulary.unit.tail(folded[:position], 3)
    return f"{symbol} {most:.1f}" + (f" after {before}" if before else " at its start")


def compared_score_lines(
    names: Sequence[str], nats: Sequence[tuple[float, float]], first: Sequence[float]
) -> list[Text]:
    """Draw one line per name.

    A line has the probability that the name comes from the first of two models, the nats in both,
    and the name.

    Args:
        names: N names.
        nats: the nats of each name in both models.
        first: the probability that each name comes from the first model; NaN if neither model can
            write the name.
    """
    lines: list[Text] = []
    for name, (one, other), p in zip(names, nats, first, strict=True):
        style = "green" if p >= 0.9 else "magenta" if p <= 0.1 else ""
        probability = "      -" if isnan(p) else f"{p:7.1%}"
        line = Text(probability, style=style, no_wrap=True, overflow="ignore")
        line.append(f"  {one:8.4f}  {other:8.4f}  {name}", style="none")
        lines.append(line)
    return lines
