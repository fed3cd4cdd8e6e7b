"""The history of a run, and the checks before a run is resumed."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from dinogen.checkpoint import HistoryRow
from dinogen.data import Corpus, Vocabulary, read_corpus
from dinogen.errors import CheckpointError, SettingError
from dinogen.training import (
    ClassicRun,
    DefaultRun,
    Progress,
    Run,
    Settings,
    add_row,
    check_plan,
    check_resumable,
)
from tests.conftest import CORPORA

SETTINGS = Settings(seed=1, hidden_size=4, steps=3, order=2)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """The names of the Edda."""
    return read_corpus([CORPORA / "edda.txt"])


# The history.


def recorded_steps(evaluations: int, every: int) -> list[int]:
    """Record a number of evaluations, and return the steps of the rows that are kept."""
    history: list[HistoryRow] = []
    for step in [1, *range(every, evaluations * every, every)]:
        add_row(history, HistoryRow(step, {"train": 1.0}), every)
    return [row.step for row in history]


def test_a_short_history_is_complete() -> None:
    """Up to 1,000 evaluations, each has its row."""
    assert recorded_steps(1_000, 20) == [1, *range(20, 20_000, 20)]


def test_a_long_history_is_thinned_evenly() -> None:
    """A run of any length keeps 500 to 1,026 rows: the first, evenly spaced ones, the latest."""
    for evaluations in (1_025, 5_001, 9_000):
        kept = recorded_steps(evaluations, 20)
        assert 500 < len(kept) <= 1_026
        assert kept[0] == 1
        assert kept[-1] == (evaluations - 1) * 20
        gaps = {after - before for before, after in pairwise(kept[1:-1])}
        assert len(gaps) == 1


def test_rows_between_the_spacing_are_replaced_by_later_ones() -> None:
    """The row of a last step is kept while it is the latest, or while nothing is thinned."""
    history: list[HistoryRow] = []
    for step in (*range(20, 20_480, 20), 20_471):
        add_row(history, HistoryRow(step, {"train": 1.0}), 20)
    assert history[-1].step == 20_471
    add_row(history, HistoryRow(20_520, {"train": 1.0}), 20)
    assert [row.step for row in history[-2:]] == [20_440, 20_520]


# Both recipes.


def test_both_recipes_are_runs(corpus: Corpus) -> None:
    """A run reports each step, says when it is finished, and can be saved at any step."""
    runs: list[Run] = [
        DefaultRun(corpus, SETTINGS),
        ClassicRun(read_corpus([CORPORA / "edda.txt"], keep_duplicates=True), steps=3),
    ]
    for run in runs:
        assert (run.step, run.steps, run.finished) == (0, 3, False)
        reported: list[Progress] = []
        for progress in run.train():
            reported.append(progress)
            assert run.step == progress.step
            assert run.checkpoint().training.steps == progress.step
            assert run.checkpoint().training.interrupted != run.finished
        assert [progress.step for progress in reported] == [1, 2, 3]
        assert reported[0].row in run.checkpoint().history
        assert run.finished
        assert list(run.train()) == []


# Resuming.


def test_only_the_same_recipe_can_resume(corpus: Corpus) -> None:
    """The message has the option that resumes with the other recipe."""
    checkpoint = DefaultRun(corpus, SETTINGS).checkpoint()
    check_resumable(checkpoint, "default", corpus)
    with pytest.raises(CheckpointError, match="--recipe default"):
        check_resumable(checkpoint, "classic", corpus)


def test_only_the_same_corpus_can_resume(corpus: Corpus, tmp_path: Path) -> None:
    """Another list is refused, and so is the same list with other reading options."""
    checkpoint = DefaultRun(corpus, SETTINGS).checkpoint()
    path = tmp_path / "other.txt"
    path.write_text("Anna\nBerta\nCarla\n")
    others = [
        read_corpus([path]),
        read_corpus([CORPORA / "edda.txt"], fold_case=False),
        replace(corpus, stats=corpus.stats._replace(sha256="0" * 64)),
        replace(corpus, vocabulary=Vocabulary(corpus.vocabulary.symbols[1:])),
    ]
    for other in others:
        with pytest.raises(
            CheckpointError, match="another list or text, or with other reading options"
        ):
            check_resumable(checkpoint, "default", other)


def test_a_plan_covers_the_steps_that_are_done(corpus: Corpus) -> None:
    """A plan of fewer steps than are done is refused."""
    done = DefaultRun(corpus, SETTINGS).checkpoint().training._replace(steps=40)
    check_plan(done, 40)
    check_plan(done, 41)
    with pytest.raises(SettingError, match="40 steps are done, more than 39 in total"):
        check_plan(done, 39)
