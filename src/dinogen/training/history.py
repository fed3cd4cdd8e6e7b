"""The history of a run: evaluations from its beginning to now, never more than a curve needs."""

from dinogen.checkpoint.contents import HistoryRow

MOST_BITS = 10
"""So many binary digits has the number of rows, at the most: a long run is as light as a short."""


def record(history: list[HistoryRow], row: HistoryRow, every: int) -> None:
    """Add an evaluation, in place; where there are too many, leave out every other of the earlier.

    What is left depends on the steps alone, so a run that was stopped and gone on with keeps the
    same rows as one that was not. The latest row is always there.

    Args:
        history: the rows so far, in the order of their steps.
        row: the latest.
        every: steps from one evaluation to the next.
    """
    spacing = 1 << max(0, (row["step"] // every).bit_length() - MOST_BITS)
    history[:] = [earlier for earlier in history if earlier["step"] // every % spacing == 0]
    history.append(row)
