"""What a model expects next, as bars."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dinogen.cli.views.words import END, shown

_MOST = 30
_BESIDE_BARS = 16
"""Columns of the symbols and their percentages."""


def next_view(
    written: str, likely: Sequence[tuple[str | None, float]], width: int
) -> RenderableType:
    """Draw how likely each symbol comes next.

    Args:
        written: what is written of the name.
        likely: symbols, None for the end, and how likely each is, the likeliest first.
        width: columns.
    """
    title = f"after {written!r} comes" if written else "a name begins with"
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="green", no_wrap=True)
    for symbol, p in likely[:_MOST]:
        bar = "█" * round((width - _BESIDE_BARS) * p / likely[0][1])
        table.add_row(Text(END if symbol is None else shown(symbol)), f"{p:.1%}", bar or "▏")
    rest = likely[_MOST:]
    lines: list[RenderableType] = [Text(title, style="cyan"), table]
    if rest:
        lines.append(Text(f"and {len(rest)} more, {sum(p for _, p in rest):.1%} together"))
    return Group(*lines)
