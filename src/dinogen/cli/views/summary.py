"""Summaries: of one checkpoint, and of two checkpoints side by side."""

from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dinogen.checkpoint.checkpoint import Checkpoint
from dinogen.cli.terminal import printable
from dinogen.cli.views.charts import draw_losses
from dinogen.cli.views.screen import pluralize, show_symbol
from dinogen.data.case import CaseRule
from dinogen.data.corpus import CorpusStats
from dinogen.models.language_model import LanguageModel
from dinogen.models.network.network import Network
from dinogen.models.ngram.kneser_ney import NGram

_CURVE_HEIGHT = 10

_MEMBER_LABELS: Mapping[str, str] = {"ngram": "n-grams"}
"""The labels of members whose label is not their name."""

_CELL_TITLES: Mapping[str, str] = {"rnn": "vanilla RNN"}
"""The titles of cells whose title is not their name in capitals."""


# One checkpoint.


def checkpoint_view(
    checkpoint: Checkpoint, path: Path, samples: Sequence[str], width: int
) -> RenderableType:
    """Draw the model, its corpus and training, its losses and its arrays.

    Args:
        checkpoint: the checkpoint.
        path: the path of its file.
        samples: names sampled from the model.
        width: the width in columns.
    """
    return Group(
        Text(printable(str(path)), style="bold"),
        "",
        _facts(checkpoint, samples),
        "",
        *draw_losses(checkpoint.history, width, _CURVE_HEIGHT),
        *_arrays(checkpoint),
    )


def _facts(checkpoint: Checkpoint, samples: Sequence[str]) -> Table:
    """Draw a table of the facts about a checkpoint: one label and one value per row."""
    model, training = checkpoint.mixture, checkpoint.training
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")

    def add_row(label: str, value: str) -> None:
        # As Text, so that brackets are not read as markup.
        table.add_row(Text(label), Text(value))

    for name, member in model.members.items():
        add_row(_label(name), _describe_member(member))
    if len(model.members) > 1:
        shares = [f"{weight:.0%} {_label(name)}" for name, weight in model.weights.items()]
        add_row("mixture", ", ".join(shares))
    add_row("training list", _describe_corpus(checkpoint.corpus))
    add_row("recipe", f"{checkpoint.recipe}, seed {training.seed}")
    interrupted = ", interrupted before the end" if training.interrupted else ""
    add_row("training", f"{training.steps:,} steps in {training.seconds:.1f} s{interrupted}")
    if held_out := checkpoint.held_out:
        members = [f"{_label(name)} {loss:.3f}" for name, loss in held_out.members.items()]
        alone = f"; alone: {', '.join(members)}" if len(members) > 1 else ""
        names = pluralize(held_out.names, "name")
        add_row("held out", f"{held_out.nats_per_symbol:.3f} nats per symbol, on {names}{alone}")
        uniform = log(len(checkpoint.vocabulary))
        baselines = f"symbol frequencies {held_out.frequencies:.3f}, uniform {uniform:.3f}"
        add_row("baselines", baselines)
    symbols = checkpoint.vocabulary.symbols
    add_row("symbols", f"{len(symbols)}: {' '.join(map(show_symbol, symbols))}")
    add_row("case", _describe_case(checkpoint.case))
    add_row("samples", ", ".join(samples))
    return table


def _label(name: str) -> str:
    """Return the label of a member."""
    return _MEMBER_LABELS.get(name, name)


def _describe_member(member: LanguageModel) -> str:
    """Describe the kind and the size of a member."""
    if isinstance(member, Network):
        config = member.config
        title = _CELL_TITLES.get(config.cell, config.cell.upper())
        layers = f"{config.layers} layers of " if config.layers > 1 else ""
        parameters = f"{config.parameter_count:,} parameters"
        return f"{title}, {layers}{config.hidden_size:,} hidden units, {parameters}"
    if isinstance(member, NGram):
        return f"Kneser-Ney of order {member.order}, {member.tree.contexts:,} contexts"
    return type(member).__name__


def _describe_corpus(corpus: CorpusStats) -> str:
    """Describe the size of a training list."""
    names, symbols = pluralize(corpus.names, "name"), pluralize(corpus.longest, "symbol")
    text = f"{names}, the longest of {symbols}"
    if not corpus.duplicates:
        return text
    verb = "kept" if corpus.keeps_duplicates else "dropped"
    return f"{text} ({pluralize(corpus.duplicates, 'duplicate')} {verb})"


def _describe_case(case: CaseRule) -> str:
    """Describe a case rule."""
    if not case.fold:
        return "kept"
    if not case.capital_after:
        return "folded to lower case"
    after = " ".join(map(show_symbol, sorted(case.capital_after - {"\n"})))
    places = f"the start and after {after}" if after else "the start"
    return f"folded to lower case; names are written with a capital at {places}"


def _arrays(checkpoint: Checkpoint) -> list[RenderableType]:
    """List the arrays of each network, with their shapes and norms."""
    lines: list[RenderableType] = []
    for member in checkpoint.mixture.members.values():
        if not isinstance(member, Network):
            continue
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="cyan")
        table.add_column("array")
        table.add_column("shape", justify="right")
        table.add_column("norm", justify="right")
        for name, array in member.parameters.items():
            shape = " x ".join(f"{size:,}" for size in array.shape)
            table.add_row(name, shape, f"{np.linalg.norm(array.astype(np.float64)):.2f}")
        lines += ["", table]
    return lines


# Two checkpoints.


def comparison_view(checkpoints: Sequence[Checkpoint], paths: Sequence[Path]) -> RenderableType:
    """Draw checkpoints side by side.

    Args:
        checkpoints: the checkpoints.
        paths: the path of each checkpoint.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("", style="cyan", no_wrap=True)
    for path in paths:
        table.add_column(Text(printable(str(path))), overflow="fold")
    members = dict.fromkeys(name for each in checkpoints for name in each.mixture.members)
    columns = [_column(checkpoint, [*members]) for checkpoint in checkpoints]
    for label in columns[0]:
        table.add_row(Text(label), *(Text(column[label]) for column in columns))
    return table


def _column(checkpoint: Checkpoint, members: Sequence[str]) -> dict[str, str]:
    """Return the values of a checkpoint by label, with labels for each of the given members."""
    model, held_out, training = checkpoint.mixture, checkpoint.held_out, checkpoint.training
    losses = held_out.members if held_out else {}
    return {
        "recipe": f"{checkpoint.recipe}, seed {training.seed}",
        **{
            _label(name): _describe_member(model.members[name]) if name in model.members else "-"
            for name in members
        },
        "trained on": pluralize(checkpoint.corpus.names, "name"),
        "symbols": f"{len(checkpoint.vocabulary.symbols):,}",
        "training": f"{pluralize(training.steps, 'step')}, {training.seconds:.1f} s",
        "held out": pluralize(held_out.names, "name") if held_out else "-",
        "nats per symbol": _loss(held_out.nats_per_symbol if held_out else None),
        **{f"{_label(name)} alone": _loss(losses.get(name)) for name in members},
        "symbol frequencies": _loss(held_out.frequencies if held_out else None),
    }


def _loss(value: float | None) -> str:
    """Format a loss; a dash if there is none."""
    return "-" if value is None else f"{value:.3f}"
