"""Two models side by side."""

from collections.abc import Sequence
from math import isnan
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from dinogen.checkpoint.contents import Checkpoint
from dinogen.cli.telling import printable
from dinogen.cli.views.words import count


def comparison_view(checkpoints: Sequence[Checkpoint], paths: Sequence[Path]) -> RenderableType:
    """Draw what two checkpoints are, and how good."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("", style="cyan", no_wrap=True)
    for path in paths:
        table.add_column(Text(printable(str(path))), overflow="fold")
    columns = [_facts(checkpoint) for checkpoint in checkpoints]
    for name in columns[0]:
        table.add_row(name, *(Text(column[name]) for column in columns))
    return table


def _facts(checkpoint: Checkpoint) -> dict[str, str]:
    network, ngram, held_out = checkpoint.network, checkpoint.ngram, checkpoint.held_out
    training, corpus = checkpoint.training, checkpoint.corpus

    def loss(value: float | None) -> str:
        return "-" if value is None else f"{value:.3f}"

    return {
        "recipe": f"{checkpoint.recipe}, seed {training.seed}",
        "network": f"{network.config.hidden_size:,} hidden units" if network else "-",
        "n-grams": f"order {ngram.order}, {ngram.tree.contexts:,} contexts" if ngram else "-",
        "learned from": count(corpus.names, "name"),
        "symbols": f"{len(checkpoint.vocabulary.symbols):,}",
        "training": f"{count(training.steps, 'step')}, {training.seconds:.1f} s",
        "held out": count(held_out.names, "name") if held_out else "-",
        "nats per symbol": loss(held_out.nats_per_symbol if held_out else None),
        "network alone": loss(held_out.network if held_out else None),
        "n-grams alone": loss(held_out.ngram if held_out else None),
        "frequencies alone": loss(held_out.frequencies if held_out else None),
    }


def verdict_lines(
    names: Sequence[str], nats: Sequence[tuple[float, float]], first: Sequence[float]
) -> list[Text]:
    """Draw a line for each name: how likely it is the first model's, nats in both, the name."""
    lines: list[Text] = []
    for name, (one, other), p in zip(names, nats, first, strict=True):
        style = "green" if p >= 0.9 else "magenta" if p <= 0.1 else ""
        # Of a name that neither can write nothing can be said.
        line = Text(
            "      -" if isnan(p) else f"{p:7.1%}", style=style, no_wrap=True, overflow="ignore"
        )
        line.append(f"  {one:8.4f}  {other:8.4f}  {name}", style="none")
        lines.append(line)
    return lines
