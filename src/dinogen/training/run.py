"""What every recipe offers to the one who watches it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from dinogen.checkpoint.contents import Checkpoint, HistoryRow
from dinogen.models.rnn import RNN
from dinogen.text.corpus import Corpus


@dataclass(frozen=True)
class Progress:
    """Where a run stands after an update.

    Attributes:
        step: updates done.
        loss: of this update's names, as the recipe counts it.
        row: what was just added to the history, if anything was.
        lowered: the learning rate from here on, where the loss had exploded and the best parameters
            so far were taken up again.
    """

    step: int
    loss: float
    row: HistoryRow | None = None
    lowered: float | None = None


class Run(Protocol):
    """A training run: it may be left after any update, saved, and gone on with later."""

    corpus: Corpus
    """What is learned from."""

    model: RNN
    """The network as it stands now, which need not be the best so far."""

    @property
    def step(self) -> int:
        """Updates done."""
        ...

    @property
    def steps(self) -> int:
        """Updates to do at the most, those done included."""
        ...

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        ...

    def train(self) -> Iterator[Progress]:
        """Go on to the end, yielding after each update."""
        ...

    def checkpoint(self) -> Checkpoint:
        """Take down all that is needed to use the model, and to go on from here."""
        ...
