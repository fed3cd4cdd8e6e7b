"""Symbols: the probabilities of the next symbol, and the symbols that the model treats alike."""

from collections.abc import Mapping, Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dinogen.cli.views.screen import END_LABEL, grid_cell, show_symbol

# The next symbol.

_MAX_LABEL = 16
"""The maximum width of the label of a symbol, in columns. Words may be longer."""

_MAX_NEXT = 30
_NEXT_MARGIN = 11
"""The number of columns beside a bar and the symbols, for the probability."""


def next_view(
    written: str,
    likely: Sequence[tuple[str | None, float]],
    width: int,
    *,
    is_text: bool = False,
) -> RenderableType:
    """Draw the probabilities of the next symbol as bars.

    Args:
        written: the prefix that the next symbol follows.
        likely: each symbol and its probability, the most likely first. None is the end of a name,
            and a newline that of a line.
        width: the width in columns.
        is_text: whether it is the next symbol of running text.
    """
    begins = f"a {'line' if is_text else 'name'} begins with"
    title = f"after {written!r} comes" if written else begins
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="green", no_wrap=True)
    labels = [END_LABEL if symbol is None else _crop(show_symbol(symbol)) for symbol, _ in likely]
    widest = max(map(cell_len, (END_LABEL, *labels[:_MAX_NEXT])))
    for label, (_, p) in zip(labels, likely[:_MAX_NEXT], strict=False):
        bar = "█" * round((width - _NEXT_MARGIN - widest) * p / likely[0][1])
        table.add_row(Text(label), f"{p:.1%}", bar or "▏")
    rest = likely[_MAX_NEXT:]
    lines: list[RenderableType] = [Text(title, style="cyan"), table]
    if rest:
        lines.append(Text(f"and {len(rest)} more, {sum(p for _, p in rest):.1%} together"))
    return Group(*lines)


# Similar symbols.

_MAX_SYMBOLS = 100
_MAP_HEIGHT = 16
_MIN_CELL = 2
"""The minimum width of a cell of the map, in columns."""


def similarity_view(
    nearest: Mapping[str, Sequence[tuple[str, float]]],
    positions: Mapping[str, tuple[float, float]],
    width: int,
) -> RenderableType:
    """Draw the most similar symbols of each symbol, and a map of all symbols.

    Args:
        nearest: the most similar symbols of each symbol, and their cosines.
        positions: the position (x, y) of each symbol on the map.
        width: the width in columns.
    """
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for symbol, others in list(nearest.items())[:_MAX_SYMBOLS]:
        similar = (f"{_crop(show_symbol(other))} {cosine:.2f}" for other, cosine in others)
        table.add_row(Text(_crop(show_symbol(symbol))), Text("  ".join(similar)))
    lines: list[RenderableType] = [
        Text("similar symbols, by what the model expects after them (cosine similarity)", "cyan"),
        table,
    ]
    if len(nearest) > _MAX_SYMBOLS:
        lines.append(Text(f"and {len(nearest) - _MAX_SYMBOLS} more"))
    lines += ["", Text("map: similar symbols stand close together", style="cyan")]
    lines += map(Text, _map_lines(positions, width))
    return Group(*lines)


def _map_lines(positions: Mapping[str, tuple[float, float]], width: int) -> list[str]:
    """Put each symbol on the nearest free cell of a grid; a cell is as wide as all labels."""
    labels = {symbol: _crop(show_symbol(symbol)) for symbol in positions}
    widest = max(map(cell_len, labels.values()), default=1)
    cell_width = max(_MIN_CELL, widest + (widest > 1))
    columns = width // cell_width
    cells: dict[tuple[int, int], str] = {}
    xs, ys = ([position[axis] for position in positions.values()] for axis in (0, 1))
    for symbol, (x, y) in positions.items():
        column = grid_cell(x, min(xs), max(xs), columns, if_equal=columns // 2)
        row = grid_cell(-y, -max(ys), -min(ys), _MAP_HEIGHT, if_equal=_MAP_HEIGHT // 2)
        free = (cell for cell in _neighbours(column, row, columns) if cell not in cells)
        if (cell := next(free, None)) is not None:
            cells[cell] = labels[symbol]
    lines = []
    for row in range(_MAP_HEIGHT):
        row_labels = (cells.get((column, row), "") for column in range(columns))
        lines.append("".join(set_cell_size(each, cell_width) for each in row_labels).rstrip())
    return lines


def _crop(label: str) -> str:
    """Shorten the label of a long word."""
    if cell_len(label) <= _MAX_LABEL:
        return label
    return set_cell_size(label, _MAX_LABEL - 1).rstrip() + "…"


def _neighbours(column: int, row: int, columns: int) -> list[tuple[int, int]]:
    """Return a cell and the cells around it, the nearest first."""
    near = [
        (column + dx, row + dy)
        for dx in range(-4, 5)
        for dy in range(-2, 3)
        if 0 <= column + dx < columns and 0 <= row + dy < _MAP_HEIGHT
    ]
    return sorted(near, key=lambda cell: (cell[0] - column) ** 2 + (2 * (cell[1] - row)) ** 2)
