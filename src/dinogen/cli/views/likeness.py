"""Which symbols are treated alike."""

from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dinogen.cli.views.words import shown

_ROWS = 16
_MOST = 100


def likeness_view(
    nearest: Mapping[str, Sequence[tuple[str, float]]],
    places: Mapping[str, tuple[float, float]],
    width: int,
) -> RenderableType:
    """Draw the nearest of each symbol, and a map of all.

    Args:
        nearest: for each symbol the most alike, with the cosine of each.
        places: where each stands on the map.
        width: columns.
    """
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for symbol, others in list(nearest.items())[:_MOST]:
        told = "  ".join(f"{shown(other)} {cosine:.2f}" for other, cosine in others)
        table.add_row(Text(shown(symbol)), Text(told))
    lines: list[RenderableType] = [
        Text("after which the model expects alike: the nearest symbols, and the cosine", "cyan"),
        table,
    ]
    if len(nearest) > _MOST:
        lines.append(Text(f"and {len(nearest) - _MOST} more"))
    lines += ["", Text("a flat map of them", style="cyan"), *map(Text, _map(places, width))]
    return Group(*lines)


def _map(places: Mapping[str, tuple[float, float]], width: int) -> list[str]:
    """Put symbols on a grid of cells two columns wide, each on the nearest that is free."""
    columns = width // 2
    cells: dict[tuple[int, int], str] = {}
    xs, ys = ([place[axis] for place in places.values()] for axis in (0, 1))
    for symbol, (x, y) in places.items():
        column, row = _cell(x, min(xs), max(xs), columns), _cell(-y, -max(ys), -min(ys), _ROWS)
        free = (cell for cell in _around(column, row, columns) if cell not in cells)
        if (cell := next(free, None)) is not None:
            cells[cell] = shown(symbol)
    lines = []
    for row in range(_ROWS):
        signs = (cells.get((column, row), "") for column in range(columns))
        lines.append("".join(sign + " " * (2 - cell_len(sign)) for sign in signs).rstrip())
    return lines


def _cell(value: float, low: float, high: float, cells: int) -> int:
    return round((value - low) / (high - low) * (cells - 1)) if high > low else cells // 2


def _around(column: int, row: int, columns: int) -> list[tuple[int, int]]:
    """Give the cells of the grid, the nearest first, as far as a few away."""
    near = [
        (column + dx, row + dy)
        for dx in range(-4, 5)
        for dy in range(-2, 3)
        if 0 <= column + dx < columns and 0 <= row + dy < _ROWS
    ]
    return sorted(near, key=lambda cell: (cell[0] - column) ** 2 + (2 * (cell[1] - row)) ** 2)
