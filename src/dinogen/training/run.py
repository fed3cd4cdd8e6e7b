"""The interface of a training run, its progress and its history."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from dinogen.checkpoint.checkpoint import Checkpoint, HistoryRow, TrainingStats
from dinogen.data.corpus import Corpus
from dinogen.errors import CheckpointError, SettingError


@dataclass(frozen=True)
class Progress:
    """The state of a run after an update.

    Attributes:
        step: updates done.
        loss: of this update's names, in the recipe's unit.
        row: the row that was just added to the history, if any.
        lowered: the new learning rate, if the loss had exploded and the run was rolled back to its
            best parameters.
    """

    step: int
    loss: float
    row: HistoryRow | None = None
    lowered: float | None = None


class Run(Protocol):
    """A training run. It may be stopped after any update, saved, and resumed later."""

    corpus: Corpus
    """The names that it learns from."""

    @property
    def step(self) -> int:
        """Updates done."""
        ...

    @property
    def steps(self) -> int:
        """Planned updates, including those done."""
        ...

    @property
    def finished(self) -> bool:
        """Whether no update is left to do."""
        ...

    def train(self) -> Iterator[Progress]:
        """Do the remaining updates; yields after each."""
        ...

    def checkpoint(self) -> Checkpoint:
        """Return a snapshot: a model that can be sampled, and the state to resume from."""
        ...

    def sample_names(self, n: int) -> list[str]:
        """Return n names of the model at this step, always from the same seed."""
        ...


MAX_ROWS_LOG2 = 10
"""A history has at most 2^10 rows, however long the run."""


def record(history: list[HistoryRow], row: HistoryRow, every: int) -> None:
    """Add a row to a history, in place. A long history keeps every 2nd, 4th, 8th ... earlier row.

    Which rows are kept depends on their steps alone, so that a resumed run keeps the same rows as
    one that was never stopped. The latest row is always kept.

    Args:
        history: the rows so far, in the order of their steps.
        row: the latest.
        every: steps between two rows.
    """
    spacing = 1 << max(0, (row.step // every).bit_length() - MAX_ROWS_LOG2)
    history[:] = [earlier for earlier in history if earlier.step // every % spacing == 0]
    history.append(row)


def check_resumable(checkpoint: Checkpoint, recipe: str, corpus: Corpus) -> None:
    """Check that training can resume with a recipe on a corpus.

    Raises:
        CheckpointError: for another recipe, another list, or the same list read in another way.
    """
    if recipe != checkpoint.recipe:
        raise CheckpointError(
            f"it was trained with the {checkpoint.recipe} recipe, not the {recipe} one; "
            f"resume with --recipe {checkpoint.recipe}"
        )
    if (corpus.stats, corpus.case, corpus.vocabulary.symbols) != (
        checkpoint.corpus,
        checkpoint.case,
        checkpoint.vocabulary.symbols,
    ):
        raise CheckpointError(
            f"it was trained on another list, or with other reading options "
            f"({checkpoint.corpus.names:,} names then, {corpus.stats.names:,} now); "
            "resume with the same list, or train anew with --force"
        )


def check_plan(done: TrainingStats, steps: int) -> None:
    """Check that a plan of so many updates in total is not below what is done.

    Raises:
        SettingError: if it is.
    """
    if steps < done.steps:
        raise SettingError(
            f"{done.steps:,} steps are done, more than {steps:,} in total; ask for more"
        )
