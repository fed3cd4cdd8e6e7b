"""Charts: line charts in plain symbols, and the losses during training."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.console import RenderableType
from rich.text import Text

from dinogen.cli.views.screen import grid_cell

if TYPE_CHECKING:
    from dinogen.checkpoint.checkpoint import HistoryRow

Point = tuple[float, float]


# Line charts.


def plot(series: Mapping[str, Sequence[Point]], width: int, height: int, x_label: str) -> list[str]:
    """Draw series of points. A later series covers an earlier one.

    Args:
        series: the points (x, y) of each series, by the sign that marks them.
        width: the number of columns, including the axis and its labels.
        height: the number of rows, without the axis below them.
        x_label: the unit of x.

    Returns:
        The lines of the chart.
    """
    points = [point for line in series.values() for point in line]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    left, right, low, high = min(xs), max(xs), min(ys), max(ys)
    margin = max(len(f"{y:.2f}") for y in (low, high)) + 2
    columns = max(1, width - margin)
    grid = [[" "] * columns for _ in range(height)]
    for sign, line in series.items():
        for x, y in line:
            column = grid_cell(x, left, right, columns)
            grid[height - 1 - grid_cell(y, low, high, height)][column] = sign
    labels = {0: f"{high:.2f}", height - 1: f"{low:.2f}"}
    rows = [f"{labels.get(i, ''):>{margin - 2}} │{''.join(row)}" for i, row in enumerate(grid)]
    axis = " " * (margin - 1) + "└" + "─" * columns
    ends = f"{left:,.0f}", f"{right:,.0f} {x_label}"
    return [*rows, axis, " " * margin + ends[0] + ends[1].rjust(columns - len(ends[0]))]


# Losses.


class LossStyle(NamedTuple):
    """How a loss is shown.

    Attributes:
        sign: the sign that marks its points in a chart.
        colour: the colour of the sign.
        label: the name that is shown.
        unit: the unit of the loss.
        skip_first: whether a chart leaves out the first value. An untrained network has so large a
            loss that the rest of the curve would be flat.
    """

    sign: str
    colour: str
    label: str
    unit: str
    skip_first: bool


LOSSES: Mapping[str, LossStyle] = {
    "train": LossStyle("·", "yellow", "training", "nats per symbol", skip_first=True),
    "heldout": LossStyle("●", "green", "held out", "nats per symbol", skip_first=True),
    "smoothed_loss": LossStyle("●", "green", "smoothed", "nats per name", skip_first=False),
}
"""The losses that are shown, by their names in a history. Others are not shown."""


def format_losses(row: "HistoryRow") -> str:
    """Return the losses of a row as text."""
    losses = ((style, row.losses.get(name)) for name, style in LOSSES.items())
    return ", ".join(f"{style.label} {loss:.3f}" for style, loss in losses if loss is not None)


def draw_losses(
    history: "Sequence[HistoryRow]", width: int, height: int, symbol: str = "symbol"
) -> list[RenderableType]:
    """Draw the losses during training; nothing if there are fewer than two values.

    Args:
        history: the losses.
        width: the number of columns.
        height: the number of rows, without the axis and the title.
        symbol: what a symbol of the model is called.
    """
    series = {style: _points(history, name, style) for name, style in LOSSES.items()}
    # A chart has one unit: that of the first loss with values.
    unit = next((style.unit for style, points in series.items() if points), "")
    series = {s: points for s, points in series.items() if points and s.unit == unit}
    if max(map(len, series.values()), default=0) < 2:
        return []
    labels = ", ".join(f"{style.sign} {style.label}" for style in series)
    by_sign = {style.sign: points for style, points in series.items()}
    lines = [Text(line) for line in plot(by_sign, width, height, "steps")]
    for line in lines:
        for style in series:
            line.highlight_regex(style.sign, style.colour)
    return [
        Text(f"network loss in {unit.replace('symbol', symbol)}: {labels}", style="cyan"),
        *lines,
    ]


def _points(history: "Sequence[HistoryRow]", name: str, style: LossStyle) -> list[Point]:
    """Return the points (step, loss) of a loss that a chart shows."""
    losses = [(row.step, row.losses.get(name)) for row in history]
    points = [(float(step), loss) for step, loss in losses if loss is not None]
    return points[1:] if style.skip_first else points
