"""What rich draws."""

from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from dinogen.checkpoint.contents import Checkpoint
from dinogen.cli.plot import plot
from dinogen.text.facts import CorpusFacts

_CURVE_ROWS = 10
_WIDEST = 80


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command what to do when the reader has gone."""
        raise


def show_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Print what a checkpoint is, on stdout, for people."""
    console = _Console(highlight=False)
    console.print(checkpoint_view(checkpoint, path, min(console.width, _WIDEST)))


def checkpoint_view(checkpoint: Checkpoint, path: Path, width: int) -> RenderableType:
    """Draw the model, its corpus, its training, the learning curve and the symbols."""
    return Group(
        Text(str(path), style="bold"),
        "",
        _facts(checkpoint),
        "",
        *_curve(checkpoint, width),
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
        names = _count(held_out.names, "name")
        row("held out", f"{held_out.nats_per_symbol:.3f} nats per symbol, on {names}{told}")
    row("symbols", f"{len(checkpoint.vocabulary.symbols)}: {_symbols(checkpoint)}")
    row("case", _case(checkpoint))
    return table


def _learned_from(corpus: CorpusFacts) -> str:
    text = f"{_count(corpus.names, 'name')}, the longest of {_count(corpus.longest, 'symbol')}"
    if not corpus.duplicates:
        return text
    what = "kept" if corpus.keeps_duplicates else "dropped"
    return f"{text} ({_count(corpus.duplicates, 'duplicate')} {what})"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _symbols(checkpoint: Checkpoint) -> str:
    return " ".join("␣" if s == " " else s for s in checkpoint.vocabulary.symbols)


def _case(checkpoint: Checkpoint) -> str:
    case = checkpoint.case
    if not case.fold:
        return "kept as it was"
    if not case.capital_after:
        return "folded"
    between = " ".join("␣" if s == " " else s for s in sorted(case.capital_after - {"\n"}))
    return "folded; names begin with a capital" + (
        f", and so do words after {between}" if between else ""
    )


def _curve(checkpoint: Checkpoint, width: int) -> list[RenderableType]:
    if checkpoint.recipe == "classic":
        loss = [
            (row["step"], row["smoothed_loss"])
            for row in checkpoint.history
            if "smoothed_loss" in row
        ]
        title = "smoothed loss, nats per name"
        series = {"●": loss}
    else:
        rows = [row for row in checkpoint.history if "train" in row]
        # The first loss is that of knowing nothing: drawn along, it would flatten all the rest.
        rows = rows[1:] or rows
        train = [(row["step"], row["train"]) for row in rows]
        held_out = [(row["step"], row["heldout"]) for row in rows if row["heldout"] is not None]
        title = "loss, nats per symbol: · training" + (", ● held out" if held_out else "")
        series = {"·": train, "●": held_out}
    if max(map(len, series.values())) < 2:
        return []
    chart = plot(series, width, _CURVE_ROWS, "steps")
    return [Text(title, style="cyan"), *(Text(line) for line in chart)]
