"""A line chart in plain symbols, for losses that fall over time."""

from collections.abc import Mapping, Sequence

Point = tuple[float, float]


def plot(series: Mapping[str, Sequence[Point]], width: int, height: int, x_label: str) -> list[str]:
    """Draw series of points, later ones over earlier ones.

    Args:
        series: points (x, y) by the symbol to draw them with.
        width: columns in all, the axis and its labels included.
        height: rows of the chart, without the axis below it.
        x_label: what x counts.

    Returns:
        The lines of the chart.
    """
    points = [point for line in series.values() for point in line]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    left, right, low, high = min(xs), max(xs), min(ys), max(ys)
    margin = max(len(f"{y:.2f}") for y in (low, high)) + 2
    columns = max(1, width - margin)
    grid = [[" "] * columns for _ in range(height)]
    for symbol, line in series.items():
        for x, y in line:
            column = _place(x, left, right, columns)
            grid[height - 1 - _place(y, low, high, height)][column] = symbol
    labels = {0: f"{high:.2f}", height - 1: f"{low:.2f}"}
    rows = [f"{labels.get(i, ''):>{margin - 2}} │{''.join(row)}" for i, row in enumerate(grid)]
    axis = " " * (margin - 1) + "└" + "─" * columns
    ends = f"{left:,.0f}", f"{right:,.0f} {x_label}"
    return [*rows, axis, " " * margin + ends[0] + ends[1].rjust(columns - len(ends[0]))]


def _place(value: float, low: float, high: float, places: int) -> int:
    return round((value - low) / (high - low) * (places - 1)) if high > low else 0
