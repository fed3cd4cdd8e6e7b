"""The interface of a training run, its progress and its history."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from dinogen.checkpoint.checkpoint import Checkpoint, HistoryRow, TrainingStats
from dinogen.data.corpus import Corpus
from dinogen.data.texts import TextCorpus
from dinogen.errors import CheckpointError, SettingError

PREPARATIONS = ("teacher", "writing")
"""What comes before the training of a network that is taught: a teacher learns the list, and writes
names."""

TEACHER, WRITING = PREPARATIONS


@dataclass(frozen=True)
class Progress:
    """The state of a run after an update.

    Attributes:
        step: the number of updates done.
        loss: the loss of this update. Default recipe: its names, in nats per symbol. Classic
            recipe: the smoothed loss, in nats per name.
        row: the row that this update added to the history, if any.
        lowered_rate: the new learning rate, if the loss exploded and the run was rolled back to its
            best parameters.
        preparation: the part of the preparation that this progress belongs to, one of
            `PREPARATIONS`; None for the training of the network that is saved.
        total: the number of steps, or of names, of that part.
    """

    step: int
    loss: float
    row: HistoryRow | None = None
    lowered_rate: float | None = None
    preparation: str | None = None
    total: int = 0


class Run(Protocol):
    """A training run. It may be stopped after any update, saved, and resumed later."""

    @property
    def corpus(self) -> Corpus | TextCorpus:
        """What the model learns from."""
        ...

    @property
    def step(self) -> int:
        """The number of updates done."""
        ...

    @property
    def steps(self) -> int:
        """The planned number of updates, including those done."""
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

    def preview(self) -> str:
        """Return a line of what the model writes at the current step, always with the same seed."""
        ...


PREVIEWED_NAMES = 5
"""The number of names in a preview."""

MAX_ROWS_LOG2 = 10
"""A history has about 2^10 rows at most, for any length of the run."""


def add_row(history: list[HistoryRow], row: HistoryRow, every: int) -> None:
    """Add a row to a history, in place. A long history is thinned to every 2nd, 4th, 8th ... row.

    Which rows are kept depends on their steps alone, so that a resumed run keeps the same rows as
    one that was never stopped. The latest row is always kept.

    Args:
        history: the rows so far, in the order of their steps.
        row: the latest row.
        every: the number of steps between two rows.
    """
    spacing = 1 << max(0, (row.step // every).bit_length() - MAX_ROWS_LOG2)
    history[:] = [earlier for earlier in history if earlier.step // every % spacing == 0]
    history.append(row)


def check_resumable(checkpoint: Checkpoint, recipe: str, corpus: Corpus | TextCorpus) -> None:
    """Check that training can resume with a recipe on a corpus.

    Raises:
        CheckpointError: for another recipe, another corpus, or the same one read in another way.
    """
    if recipe != checkpoint.recipe:
        raise CheckpointError(
            f"it was trained with the {checkpoint.recipe} recipe, not the {recipe} one; "
            f"resume with --recipe {checkpoint.recipe}"
        )
    if (corpus.stats, corpus.case, corpus.vocabulary.symbols, corpus.vocabulary.unit) != (
        checkpoint.corpus,
        checkpoint.case,
        checkpoint.vocabulary.symbols,
        checkpoint.vocabulary.unit,
    ):
        raise CheckpointError(
            f"it was trained on another list or text, or with other reading options "
            f"({checkpoint.corpus.describe()} then, {corpus.stats.describe()} now); "
            "resume with the same one, or train anew with --force"
        )


def check_plan(done: TrainingStats, steps: int) -> None:
    """Check that the planned number of updates is not smaller than the number done.

    Raises:
        SettingError: if it is.
    """
    if steps < done.steps:
        raise SettingError(
            f"{done.steps:,} steps are done, more than {steps:,} in total; give a larger total"
        )
