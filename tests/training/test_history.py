"""The history of a run: bounded, and the same whether or not it was stopped."""

from itertools import pairwise
from typing import TYPE_CHECKING

from dinogen.training.history import record

if TYPE_CHECKING:
    from dinogen.checkpoint.contents import HistoryRow


def steps(evaluations: int, every: int) -> list[int]:
    """Record so many evaluations; the steps of the rows that are kept."""
    history: list[HistoryRow] = []
    for step in [1, *range(every, evaluations * every, every)]:
        record(history, {"step": step, "train": 1.0, "heldout": None}, every)
    return [row["step"] for row in history]


def test_a_short_history_is_kept_whole() -> None:
    """Up to a thousand evaluations, each has its row."""
    assert steps(1_000, 20) == [1, *range(20, 20_000, 20)]


def test_a_long_history_is_thinned_evenly() -> None:
    """However long a run, between 500 and 1,025 rows are left: the first, even ones, the latest."""
    for evaluations in (1_025, 5_001, 9_000):
        kept = steps(evaluations, 20)
        assert 500 < len(kept) <= 1_026
        assert kept[0] == 1
        assert kept[-1] == (evaluations - 1) * 20
        gaps = {after - before for before, after in pairwise(kept[1:-1])}
        assert len(gaps) == 1


def test_rows_off_the_beat_give_way_to_later_ones() -> None:
    """The row of a run's last step is there as long as it is the latest, or nothing is thinned."""
    history: list[HistoryRow] = []
    for step in (*range(20, 20_480, 20), 20_471):
        record(history, {"step": step, "train": 1.0, "heldout": None}, 20)
    assert history[-1]["step"] == 20_471
    record(history, {"step": 20_520, "train": 1.0, "heldout": None}, 20)
    assert [row["step"] for row in history[-2:]] == [20_440, 20_520]
