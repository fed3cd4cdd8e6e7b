"""Training, watched: a bar, a line now and then with names to see it learn by, saving, stopping."""

import sys
from time import monotonic
from typing import TYPE_CHECKING

from dinogen.cli.telling import printable, tell

if TYPE_CHECKING:
    from dinogen.checkpoint.contents import Checkpoint, HistoryRow
    from dinogen.checkpoint.writing import Stamp
    from dinogen.training.run import Run

_LINES = 8
_LINE_EVERY = 3.0  # seconds, in a run so long that its share of steps takes longer
_NAMES = 5
_CURVE_WIDTH, _CURVE_ROWS = 60, 6


def watch(run: "Run", output: str, replaces: "Stamp", *, quiet: bool) -> bool:
    """Train and save, telling on stderr how it goes.

    Returns:
        Whether it came to its end. If someone asked to stop, what there was is saved all the same.
    """
    from tqdm import tqdm

    from dinogen.cli.interrupts import graceful
    from dinogen.cli.keeping import Keeper

    if run.finished and run.step and not quiet:
        tell(f"nothing left to do after {run.step:,} steps; --steps gives it more")
    keeper, next_step, next_line = Keeper(run, output, replaces), run.step, 0.0
    # Without "disable" tqdm would draw into files and pipes; with None it asks for a terminal.
    bar = tqdm(
        total=run.steps,
        initial=run.step,
        disable=True if quiet else None,
        file=sys.stderr,
        unit="step",
        leave=False,
        dynamic_ncols=True,
    )

    def write(line: str) -> None:
        bar.write(printable(line), file=sys.stderr)

    with graceful() as interrupt, bar:
        for progress in run.train():
            bar.update()
            if progress.lowered and not quiet:
                write(
                    f"step {progress.step:,}: the loss exploded; going on from the best so far at "
                    f"half the rate, {progress.lowered:.2g}"
                )
            if progress.row:
                bar.set_postfix_str(_losses(progress.row), refresh=False)
                if not quiet and (progress.step >= next_step or monotonic() >= next_line):
                    write(_line(run, progress.row))
                    next_step = progress.step + max(1, run.steps // _LINES)
                    next_line = monotonic() + _LINE_EVERY
            if problem := keeper.save_if_due():
                write(f"{problem}; going on meanwhile")
            if interrupt.asked:
                break
        bar.close()
        checkpoint = keeper.save()
    if not (checkpoint.training.interrupted or quiet):
        if sys.stderr.isatty():
            _draw_curve(checkpoint)
        tell(_summary(checkpoint, output))
    return not checkpoint.training.interrupted


def _draw_curve(checkpoint: "Checkpoint") -> None:
    """Draw the learning curve, on a terminal."""
    from rich.console import Console

    from dinogen.cli.views.curve import curve

    console = Console(stderr=True, highlight=False)
    for line in curve(checkpoint.history, min(console.width, _CURVE_WIDTH), _CURVE_ROWS):
        console.print(line)


def _losses(row: "HistoryRow") -> str:
    if "smoothed_loss" in row:
        return f"smoothed loss {row['smoothed_loss']:.3f}"
    held_out = "" if row["heldout"] is None else f", held out {row['heldout']:.3f}"
    return f"train {row['train']:.3f}{held_out}"


def _line(run: "Run", row: "HistoryRow") -> str:
    names = row["samples"][:_NAMES] if "smoothed_loss" in row else _sample(run)
    return f"step {row['step']:>{len(str(run.steps))}}  {_losses(row)}  {', '.join(names)}"


def _sample(run: "Run") -> list[str]:
    """Draw names from the same seed every time, so that one sees the same names get better."""
    from dinogen.generation.growing import grow
    from dinogen.generation.options import Options
    from dinogen.streams import Purpose, stream
    from dinogen.text.case import spell

    corpus = run.corpus
    options = Options(max_length=corpus.facts.longest, inner=corpus.vocabulary.spaces)
    names = grow(run.model, stream(0, Purpose.SAMPLE), 2 * _NAMES, options)
    return spell(names, corpus.vocabulary, corpus.case).split("\n")[:_NAMES]


def _summary(checkpoint: "Checkpoint", output: str) -> str:
    held_out = checkpoint.held_out
    learned = checkpoint.corpus.names - (held_out.names if held_out else 0)
    loss = (
        f", {held_out.names:,} held out: {held_out.nats_per_symbol:.3f} nats per symbol"
        if held_out
        else ""
    )
    training = checkpoint.training
    took = f"; {training.seconds:.1f} s" if training.steps else ""
    return f"{learned:,} names learned{loss}{took}; saved to {output}"
