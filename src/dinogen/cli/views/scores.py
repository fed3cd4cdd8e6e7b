"""How a model hears given names."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from dinogen.cli.views.words import END, shown
from dinogen.inspection.hearing import Heard

_STEPS = ((1.0, "green"), (2.0, ""), (3.5, "yellow"), (float("inf"), "bold red"))
"""Up to so many nats a symbol is drawn so: what was likely in green, what was not in red."""

_WIDEST_NAME = 32


def score_lines(heard: Sequence[Heard]) -> list[Text]:
    """Draw a line for each name: nats, nats per symbol, the name, and what was least expected."""
    widths = [cell_len(one.name) for one in heard]
    column = min(max(widths, default=0), _WIDEST_NAME)
    lines: list[Text] = []
    for one, width in zip(heard, widths, strict=True):
        line = Text(f"{one.total:8.4f}  {one.per_symbol:6.3f}  ", no_wrap=True, overflow="ignore")
        line.append_text(_coloured(one))
        line.append(" " * (column - width) + "  " + ("known  " if one.known else " " * 7))
        line.append(_least_expected(one), style="dim")
        line.rstrip()
        lines.append(line)
    return lines


def _coloured(heard: Heard) -> Text:
    # Where folding has changed the number of symbols, they cannot be told apart in the name.
    if heard.nats is None or len(heard.name) != len(heard.read):
        return Text(heard.name)
    text = Text()
    for symbol, nats in zip(heard.name, heard.nats, strict=False):
        text.append(symbol, style=next(style for most, style in _STEPS if nats <= most))
    return text


def _least_expected(heard: Heard) -> str:
    if heard.unknown is not None or heard.nats is None:
        return f"never saw {shown(heard.unknown or '')}"
    most = max(heard.nats)
    place = list(heard.nats).index(most)
    symbol = shown(heard.read[place]) if place < len(heard.read) else END
    before = heard.read[:place][-3:]
    return f"{symbol} {most:.1f}" + (f" after {before}" if before else " at its start")
