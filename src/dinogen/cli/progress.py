"""Training from the command line: autosave, progress bar, progress lines and summary."""

import sys
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console
from tqdm import tqdm

from dinogen.checkpoint.writing import save
from dinogen.cli.terminal import print_message, printable, stop_on_signal
from dinogen.cli.views.charts import draw_losses, format_losses
from dinogen.cli.views.summary import describe_shares
from dinogen.data.statistics import TextStats
from dinogen.errors import CheckpointError
from dinogen.inspection.wording import pluralize
from dinogen.training.run import WRITING

if TYPE_CHECKING:
    from dinogen.checkpoint.checkpoint import Checkpoint
    from dinogen.checkpoint.writing import Stamp
    from dinogen.training.run import Run


# Autosave.

SAVE_EVERY = 10.0
"""The minimum number of seconds between two saves. A killed run loses about this much work."""

SAVE_PAUSE = 9
"""The pause after a save is at least this many times as long as the save."""

_LOST = "; no other place could be written either, and training since the last save is lost"


class Autosave:
    """Saves a run at a path.

    It replaces only its own saves, and the file that was there when the run began.
    """

    def __init__(self, run: "Run", output: str, replaces: "Stamp") -> None:
        """Set up the saves; the first is due after `SAVE_EVERY` seconds.

        Args:
            run: the run to save.
            output: the path of the checkpoint.
            replaces: the stamp of the file that is at the path now.
        """
        self._run = run
        self._output = output
        self._replaces = replaces
        self._next = monotonic() + SAVE_EVERY
        self._problem = ""

    def save_if_due(self) -> str | None:
        """Save if a save is due.

        Returns:
            The problem of a failed save, if it is not that of the save before; None otherwise. The
            run can continue, and a later save may succeed.
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
        self._next = ended + max(SAVE_EVERY, SAVE_PAUSE * (ended - began))
        news = problem if problem != self._problem else None
        self._problem = problem
        return news or None

    def save(self) -> "Checkpoint":
        """Save at the end of the run, and return what was saved.

        Raises:
            CheckpointError: if the path cannot be written. The checkpoint is then written to a
                temporary folder, if possible, and the message names it.
        """
        checkpoint = self._run.checkpoint()
        try:
            self._replaces = save(checkpoint, self._output, self._replaces)
        except CheckpointError as error:
            raise CheckpointError(f"{error}{_save_elsewhere(checkpoint, self._output)}") from None
        return checkpoint


def _save_elsewhere(checkpoint: "Checkpoint", output: str) -> str:
    """Save in a temporary folder, and return the end of the message, which has the path."""
    try:
        folder = Path(mkdtemp(prefix="dinogen-"))
    except OSError:
        return _LOST
    path = folder / Path(output).name
    try:
        save(checkpoint, path)
    except CheckpointError:
        folder.rmdir()
        return _LOST
    return f"; the model is saved in {path}"


# Progress.

_LINES = 8
"""The number of progress lines in a short run."""

_LINE_EVERY = 3.0
"""Seconds between two progress lines in a long run."""

_CURVE_WIDTH, _CURVE_HEIGHT = 60, 6


def train_with_progress(run: "Run", output: str, replaces: "Stamp", *, quiet: bool) -> bool:
    """Train and save, with progress on stderr. A stop signal ends the training early.

    Args:
        run: the run to train.
        output: the path of the checkpoint.
        replaces: the stamp of the file that is at this path now.
        quiet: print only problems.

    Returns:
        Whether the training is finished; False if a signal stopped it.

    Raises:
        CheckpointError: if the checkpoint cannot be saved at the end.
        TrainingError: if the loss explodes even at a very low learning rate.
    """
    already_finished = run.finished and run.step > 0
    if already_finished and not quiet:
        print_message(
            f"training was finished after {run.step:,} steps; to train longer, give a larger total "
            "with --steps or --epochs"
        )
    autosave, next_step, next_time = Autosave(run, output, replaces), 0, 0.0
    preparation: str | None = None
    # With disable=None, tqdm draws on terminals only.
    bar = tqdm(
        total=run.steps,
        initial=run.step,
        disable=True if quiet else None,
        file=sys.stderr,
        unit="step",
        leave=False,
        dynamic_ncols=True,
    )

    def print_above_bar(line: str) -> None:
        bar.write(printable(line), file=sys.stderr)

    with stop_on_signal() as stop, bar:
        for progress in run.train():
            if progress.preparation != preparation:
                preparation, next_step = progress.preparation, 0
                bar.reset(total=progress.total or run.steps)
                bar.set_description_str(preparation, refresh=False)
                bar.unit = "name" if preparation == WRITING else "step"
            bar.update(progress.step - bar.n)
            if progress.lowered_rate and not quiet:
                print_above_bar(
                    f"step {progress.step:,}: the loss exploded; training continues from the best "
                    f"step so far, with the learning rate halved to {progress.lowered_rate:.3g}"
                )
            if progress.row:
                losses = format_losses(progress.row)
                bar.set_postfix_str(losses, refresh=False)
                if not quiet and (progress.step >= next_step or monotonic() >= next_time):
                    total = progress.total or run.steps
                    step = f"{preparation or ''} step {progress.step:>{len(str(total))}}".lstrip()
                    print_above_bar(f"{step}  loss: {losses}  {run.preview()}")
                    next_step = progress.step + max(1, total // _LINES)
                    next_time = monotonic() + _LINE_EVERY
            if problem := autosave.save_if_due():
                print_above_bar(f"{problem}; training continues")
            if stop.requested:
                break
        bar.close()
        checkpoint = autosave.save()
    if not (checkpoint.training.interrupted or already_finished or quiet):
        if sys.stderr.isatty():
            console = Console(stderr=True, highlight=False)
            width = min(console.width, _CURVE_WIDTH)
            for line in draw_losses(
                checkpoint.history, width, _CURVE_HEIGHT, checkpoint.vocabulary.noun
            ):
                console.print(line)
        print_message(_summary(checkpoint, output, stopped_early=run.step < run.steps))
    return not checkpoint.training.interrupted


def _summary(checkpoint: "Checkpoint", output: str, *, stopped_early: bool) -> str:
    """Return the message after a finished training: names, time, held-out loss and path."""
    training, held_out = checkpoint.training, checkpoint.held_out
    stats = checkpoint.corpus
    total, counted = (
        (stats.symbols, "symbol") if isinstance(stats, TextStats) else (stats.names, "name")
    )
    trained_on = total - (held_out.size if held_out else 0)
    parts = [f"trained on {pluralize(trained_on, counted)}"]
    if training.steps:
        parts[0] += f" in {training.seconds:.1f} s"
    if stopped_early:
        parts.append(f"stopped early at step {training.steps:,}, as the loss no longer improved")
    if held_out:
        size, noun = pluralize(held_out.size, f"held-out {counted}"), checkpoint.vocabulary.noun
        loss = f"loss on {size}: {held_out.nats_per_symbol:.3f} nats per {noun}"
        if len(checkpoint.mixture.members) > 1:
            loss += f", from {describe_shares(checkpoint)}"
        parts.append(loss)
    return "; ".join([*parts, f"saved to {output}"])
