"""What a checkpoint is: the model, its list, its training, and some names."""

from math import log
from pathlib import Path

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dinogen.checkpoint.contents import Checkpoint
from dinogen.cli.telling import printable
from dinogen.cli.views.curve import curve
from dinogen.cli.views.words import count, shown
from dinogen.text.facts import CorpusFacts

_CURVE_ROWS = 10
_NAMES = 5


def checkpoint_view(checkpoint: Checkpoint, path: Path, width: int) -> RenderableType:
    """Draw the model, its corpus, its training, the learning curve, its arrays and some names."""
    return Group(
        Text(printable(str(path)), style="bold"),
        "",
        _facts(checkpoint),
        "",
        *curve(checkpoint.history, width, _CURVE_ROWS),
        *_arrays(checkpoint),
    )


def _facts(checkpoint: Checkpoint) -> Table:
    corpus, training = checkpoint.corpus, checkpoint.training
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")

    def row(name: str, value: str) -> None:
        # As text, not as markup: a symbol may well be a bracket.
        table.add_row(name, Text(value))

    if network := checkpoint.network:
        units, parameters = network.config.hidden_size, len(network.parameters.vector)
        row("network", f"vanilla RNN, {units:,} hidden units, {parameters:,} parameters")
    if ngram := checkpoint.ngram:
        row("n-grams", f"Kneser-Ney of order {ngram.order}, {ngram.tree.contexts:,} contexts")
    if network and ngram:
        row("mixture", f"{checkpoint.weight:.0%} network, {1 - checkpoint.weight:.0%} n-grams")
    row("learned from", _learned_from(corpus))
    row("recipe", f"{checkpoint.recipe}, seed {training.seed}")
    stopped = ", stopped before its end" if training.interrupted else ""
    row("training", f"{training.steps:,} steps in {training.seconds:.1f} s{stopped}")
    if held_out := checkpoint.held_out:
        parts = {"network": held_out.network, "n-grams": held_out.ngram}
        alone = [f"{name} {loss:.3f}" for name, loss in parts.items() if loss is not None]
        told = f"; alone: {', '.join(alone)}" if len(alone) > 1 else ""
        names = count(held_out.names, "name")
        row("held out", f"{held_out.nats_per_symbol:.3f} nats per symbol, on {names}{told}")
        frequencies, uniform = held_out.frequencies, log(len(checkpoint.vocabulary))
        row("to compare", f"frequencies alone {frequencies:.3f}, knowing nothing {uniform:.3f}")
    row("symbols", f"{len(checkpoint.vocabulary.symbols)}: {_symbols(checkpoint)}")
    row("case", _case(checkpoint))
    row("names", ", ".join(_names(checkpoint)))
    return table


def _names(checkpoint: Checkpoint) -> list[str]:
    """Draw a few names, the same each time, whether they are new or not."""
    drawn = checkpoint.namer.draw(_NAMES, 0, allow_known=True, allow_repeats=True)
    return [name for some in drawn for name in checkpoint.namer.spell(some.names)]


def _learned_from(corpus: CorpusFacts) -> str:
    text = f"{count(corpus.names, 'name')}, the longest of {count(corpus.longest, 'symbol')}"
    if not corpus.duplicates:
        return text
    what = "kept" if corpus.keeps_duplicates else "dropped"
    return f"{text} ({count(corpus.duplicates, 'duplicate')} {what})"


def _symbols(checkpoint: Checkpoint) -> str:
    return " ".join(map(shown, checkpoint.vocabulary.symbols))


def _case(checkpoint: Checkpoint) -> str:
    case = checkpoint.case
    if not case.fold:
        return "kept as it was"
    if not case.capital_after:
        return "folded"
    between = " ".join(map(shown, sorted(case.capital_after - {"\n"})))
    return "folded; names begin with a capital" + (
        f", and so do words after {between}" if between else ""
    )


def _arrays(checkpoint: Checkpoint) -> list[RenderableType]:
    """List the network's arrays: their shapes, and how long each is as one vector."""
    if not checkpoint.network:
        return []
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="cyan")
    table.add_column("array")
    table.add_column("shape", justify="right")
    table.add_column("norm", justify="right")
    for name, array in checkpoint.network.parameters.items():
        shape = " x ".join(f"{size:,}" for size in array.shape)
        table.add_row(name, shape, f"{np.linalg.norm(array.astype(np.float64)):.2f}")
    return ["", table]
