"""Line charts: size, labels and points; the losses that are shown."""

import pytest
from hypothesis import given, settings, strategies as st

from dinogen.checkpoint import HistoryRow
from dinogen.cli.views import Point, format_losses, plot

losses = st.floats(0, 1_000)
widths, heights = st.integers(60, 200), st.integers(2, 40)
points = st.lists(st.tuples(st.integers(1, 1_000_000_000), losses), min_size=1, max_size=50)


def dots(rows: list[str], symbol: str) -> list[tuple[int, int]]:
    """Return where a sign is, as (column, row from the top), without axis and labels."""
    areas = [row.partition("│")[2] for row in rows if "│" in row]
    return [(x, y) for y, area in enumerate(areas) for x, s in enumerate(area) if s == symbol]


@settings(deadline=None)
@given(points, points, widths, heights)
def test_size_is_as_asked(first: list[Point], second: list[Point], width: int, height: int) -> None:
    """A chart has the given rows, an axis and a line of labels, all of the given width."""
    rows = plot({"·": first, "●": second}, width, height, "steps")
    assert len(rows) == height + 2
    assert {len(row) for row in rows} == {width}
    assert all("│" in row for row in rows[:height])


@settings(deadline=None)
@given(points, widths, heights)
def test_labels_are_the_extremes(line: list[Point], width: int, height: int) -> None:
    """The labels of the first and the last row are the largest and the smallest value."""
    rows = plot({"●": line}, width, height, "steps")
    ys = [y for _, y in line]
    assert rows[0].partition("│")[0].strip() == f"{max(ys):.2f}"
    assert rows[height - 1].partition("│")[0].strip() == f"{min(ys):.2f}"
    assert all(not row.partition("│")[0].strip() for row in rows[1 : height - 1])
    assert rows[-1].split()[0] == f"{min(x for x, _ in line):,}"
    assert rows[-1].split()[-2:] == [f"{max(x for x, _ in line):,}", "steps"]


def test_falling_line() -> None:
    """A loss that falls evenly goes from the upper left to the lower right corner."""
    rows = plot({"●": [(step, 3 - step / 10) for step in range(11)]}, 40, 11, "steps")
    found = dots(rows, "●")
    area = len(rows[0].partition("│")[2])
    assert (found[0], found[-1]) == ((0, 0), (area - 1, 10))
    assert [y for _, y in found] == list(range(11))
    assert [x for x, _ in found] == sorted(x for x, _ in found)


def test_all_points_are_drawn() -> None:
    """Points that are far from each other are all visible."""
    line = [(0.0, 1.0), (50.0, 0.0), (100.0, 2.0)]
    assert len(dots(plot({"●": line}, 60, 10, "steps"), "●")) == 3


def test_later_series_cover_earlier_ones() -> None:
    """If two series share a point, the later one is visible."""
    line = [(1.0, 1.0), (2.0, 0.0)]
    rows = plot({"·": [*line, (3.0, 1.0)], "●": line}, 40, 5, "steps")
    assert len(dots(rows, "●")) == 2
    assert len(dots(rows, "·")) == 1


@pytest.mark.parametrize("line", [[(1.0, 2.5)], [(1.0, 2.5), (9.0, 2.5)]])
def test_constant_line(line: list[Point]) -> None:
    """A chart of one point, or of equal values, can be drawn."""
    rows = plot({"●": line}, 40, 5, "steps")
    assert len(dots(rows, "●")) == len(line)
    assert rows[0].startswith("2.50 │") or rows[4].startswith("2.50 │")


def test_series_without_points() -> None:
    """A series may be empty if another one is not."""
    line = [(1.0, 3.0), (2.0, 1.0)]
    assert plot({"·": line, "●": []}, 40, 5, "steps") == plot({"·": line}, 40, 5, "steps")


def test_losses_as_text() -> None:
    """Known losses are shown with a label; a loss that is None, or unknown, is left out."""
    assert format_losses(HistoryRow(1, {"train": 1.5, "heldout": 2.25})) == (
        "training 1.500, held out 2.250"
    )
    assert format_losses(HistoryRow(1, {"train": 1.5, "heldout": None, "x": 3.0})) == (
        "training 1.500"
    )
    assert format_losses(HistoryRow(1, {"smoothed_loss": 23.0})) == "smoothed 23.000"
