"""Keeping what a run has learned: saved now and then, and at its end, come what may."""

from pathlib import Path
from tempfile import mkdtemp
from time import monotonic
from typing import TYPE_CHECKING

from dinogen.checkpoint.writing import save
from dinogen.errors import CheckpointError

if TYPE_CHECKING:
    from dinogen.checkpoint.contents import Checkpoint
    from dinogen.checkpoint.writing import Stamp
    from dinogen.training.run import Run

SAVE_EVERY = 10.0
"""Seconds of work that are lost at the most to a kill, with the update and the saving at hand."""

_SHARE = 10
"""Where saving takes long, it comes so seldom that it takes no more than one in so many seconds."""


_LOST = "; there was no other place for what was learned since it was last saved"


class Keeper:
    """Saves a run at a path, over nothing but itself and what was there before it."""

    def __init__(self, run: "Run", output: str, replaces: "Stamp") -> None:
        self._run = run
        self._output = output
        self._replaces = replaces
        self._next = monotonic() + SAVE_EVERY
        self._problem = ""

    def save_if_due(self) -> str | None:
        """Save, if it is time to.

        Returns:
            Why it could not be done, if it could not and that is news: the run can go on, and the
            next time, or the end, it may go better.
        """
        began = monotonic()
        if began < self._next:
            return None
        try:
            self._replaces = save(self._run.checkpoint(), self._output, self._replaces)
            problem = ""
        except CheckpointError as error:
            problem = str(error)
        ended = monotonic()
        self._next = ended + max(SAVE_EVERY, (_SHARE - 1) * (ended - began))
        news = problem if problem != self._problem else None
        self._problem = problem
        return news or None

    def save(self) -> "Checkpoint":
        """Save for good.

        Raises:
            CheckpointError: if it cannot be done; what was learned is then elsewhere, and it says
                where, if there is any place for it at all.
        """
        checkpoint = self._run.checkpoint()
        try:
            self._replaces = save(checkpoint, self._output, self._replaces)
        except CheckpointError as error:
            raise CheckpointError(f"{error}{_rescue(checkpoint, self._output)}") from None
        return checkpoint


def _rescue(checkpoint: "Checkpoint", output: str) -> str:
    """Save a checkpoint where there is room; tells where, if anywhere."""
    try:
        folder = Path(mkdtemp(prefix="dinogen-"))
    except OSError:
        return _LOST
    spare = folder / Path(output).name
    try:
        save(checkpoint, spare)
    except CheckpointError:
        folder.rmdir()
        return _LOST
    return f"; what was learned is in {spare}"
