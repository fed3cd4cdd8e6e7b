"""The line chart: its size, its labels, and where its points are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dinogen.cli.views.plot import Point, plot

losses = st.floats(0, 1_000)
widths, heights = st.integers(60, 200), st.integers(2, 40)
points = st.lists(st.tuples(st.integers(1, 1_000_000_000), losses), min_size=1, max_size=50)


def dots(rows: list[str], symbol: str) -> list[tuple[int, int]]:
    """Where a symbol stands, as (column, row from the top), the axis and labels left out."""
    areas = [row.partition("│")[2] for row in rows if "│" in row]
    return [(x, y) for y, area in enumerate(areas) for x, s in enumerate(area) if s == symbol]


@settings(deadline=None)
@given(points, points, widths, heights)
def test_size_is_as_asked(first: list[Point], second: list[Point], width: int, height: int) -> None:
    """Whatever is drawn, the chart has its rows, an axis and a line below, all of one width."""
    rows = plot({"·": first, "●": second}, width, height, "steps")
    assert len(rows) == height + 2
    assert {len(row) for row in rows} == {width}
    assert all("│" in row for row in rows[:height])


@settings(deadline=None)
@given(points, widths, heights)
def test_labels_are_the_extremes(line: list[Point], width: int, height: int) -> None:
    """The highest and the lowest value stand beside the first and the last row."""
    rows = plot({"●": line}, width, height, "steps")
    ys = [y for _, y in line]
    assert rows[0].partition("│")[0].strip() == f"{max(ys):.2f}"
    assert rows[height - 1].partition("│")[0].strip() == f"{min(ys):.2f}"
    assert all(not row.partition("│")[0].strip() for row in rows[1 : height - 1])
    assert rows[-1].split()[0] == f"{min(x for x, _ in line):,}"
    assert rows[-1].split()[-2:] == [f"{max(x for x, _ in line):,}", "steps"]


def test_falling_line_falls() -> None:
    """A loss that falls evenly goes from the upper left to the lower right corner."""
    rows = plot({"●": [(step, 3 - step / 10) for step in range(11)]}, 40, 11, "steps")
    found = dots(rows, "●")
    area = len(rows[0].partition("│")[2])
    assert (found[0], found[-1]) == ((0, 0), (area - 1, 10))
    assert [y for _, y in found] == list(range(11))
    assert [x for x, _ in found] == sorted(x for x, _ in found)


def test_all_points_are_drawn() -> None:
    """Points far enough from each other are all to be seen."""
    line = [(0.0, 1.0), (50.0, 0.0), (100.0, 2.0)]
    assert len(dots(plot({"●": line}, 60, 10, "steps"), "●")) == 3


def test_later_series_lie_over_earlier_ones() -> None:
    """Where two series meet, the later one is seen."""
    line = [(1.0, 1.0), (2.0, 0.0)]
    rows = plot({"·": [*line, (3.0, 1.0)], "●": line}, 40, 5, "steps")
    assert len(dots(rows, "●")) == 2
    assert len(dots(rows, "·")) == 1


@pytest.mark.parametrize("line", [[(1.0, 2.5)], [(1.0, 2.5), (9.0, 2.5)]])
def test_nothing_to_compare(line: list[Point]) -> None:
    """One point, or a value that never changes, makes a chart as well."""
    rows = plot({"●": line}, 40, 5, "steps")
    assert len(dots(rows, "●")) == len(line)
    assert rows[0].startswith("2.50 │") or rows[4].startswith("2.50 │")


def test_series_without_points() -> None:
    """A series may be empty beside one that is not."""
    line = [(1.0, 3.0), (2.0, 1.0)]
    assert plot({"·": line, "●": []}, 40, 5, "steps") == plot({"·": line}, 40, 5, "steps")
