"""Summaries: of one checkpoint, and of two checkpoints side by side."""

from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dinogen.checkpoint.checkpoint import Checkpoint, HeldOut, Lineage, TrainingStats
from dinogen.cli.terminal import printable
from dinogen.cli.views.charts import draw_losses
from dinogen.cli.views.screen import show_line, show_symbol
from dinogen.data.case import CaseRule
from dinogen.data.spelling import write_word
from dinogen.data.statistics import CorpusStats, TextStats
from dinogen.data.units import CHARACTER, WORD
from dinogen.data.vocabulary import Vocabulary
from dinogen.generation.decoding import Decoding
from dinogen.inspection.wording import describe_member, describe_network, pluralize
from dinogen.models.network.network import Network

_CURVE_HEIGHT = 10

_MEMBER_LABELS: Mapping[str, str] = {"ngram": "n-grams"}
"""The labels of members whose label is not their name."""

_PARTS: Mapping[str, Sequence[str]] = {
    "gru": ("reset gate", "update gate", "candidate"),
    "lstm": ("output gate", "forget gate", "update gate", "candidate"),
}
"""The parts of the arrays of a cell with gates, in order."""

_SHAPES: Mapping[str, str] = {"x": "small", "X": "large", "Xx": "capital"}
"""What words of a shape are called."""

_VOCABULARY_WORDS = 60
"""The maximum number of words of a vocabulary that are listed."""

_WORDS = 5
"""The maximum number of words of one shape that are listed."""


# One checkpoint.


def checkpoint_view(
    checkpoint: Checkpoint, path: Path, samples: Sequence[str], width: int
) -> RenderableType:
    """Draw the model, its corpus and training, its losses and its arrays.

    Args:
        checkpoint: the checkpoint.
        path: the path of its file.
        samples: names sampled from the model, or the lines of a sampled text.
        width: the width in columns.
    """
    return Group(
        Text(printable(str(path)), style="bold"),
        "",
        _facts(checkpoint, samples),
        "",
        *draw_losses(checkpoint.history, width, _CURVE_HEIGHT, checkpoint.vocabulary.noun),
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
        add_row(_label(name), describe_member(member))
    if len(model.members) > 1:
        add_row("mixture", describe_shares(checkpoint))
    is_text = isinstance(checkpoint.corpus, TextStats)
    if isinstance(checkpoint.corpus, TextStats):
        add_row("running text", _describe_texts(checkpoint.corpus, checkpoint.vocabulary))
    else:
        add_row("training list", _describe_list(checkpoint.corpus, checkpoint.vocabulary))
    add_row("recipe", f"{checkpoint.recipe}, seed {training.seed}")
    if checkpoint.lineage:
        add_row("started from", _describe_lineage(checkpoint.lineage, checkpoint.vocabulary))
    interrupted = ", interrupted before the end" if training.interrupted else ""
    steps = f"{training.steps:,} steps{_describe_window(training)}"
    add_row("training", f"{steps} in {training.seconds:.1f} s{interrupted}")
    if held_out := checkpoint.held_out:
        add_row("held out", _describe_held_out(held_out, checkpoint))
        uniform = log(len(checkpoint.vocabulary))
        baselines = f"symbol frequencies {held_out.frequencies:.3f}, uniform {uniform:.3f}"
        add_row("baselines", baselines)
    add_row(f"{checkpoint.vocabulary.unit.noun}s", _describe_vocabulary(checkpoint.vocabulary))
    if not is_text:
        add_row("case", _describe_case(checkpoint.case))
    add_row("by default", _describe_decoding(checkpoint.decoding))
    if is_text:
        add_row("sample", "\n".join(map(show_line, samples)))
    else:
        add_row("samples", ", ".join(samples))
    return table


def describe_shares(checkpoint: Checkpoint) -> str:
    """Describe the weight of each member, and its held-out loss alone."""
    losses = checkpoint.held_out.members if checkpoint.held_out else {}
    shares = []
    for name, weight in checkpoint.mixture.weights.items():
        alone = f" (alone {losses[name]:.3f})" if name in losses else ""
        shares.append(f"{weight:.0%} {_label(name)}{alone}")
    return ", ".join(shares)


def _describe_lineage(lineage: Lineage, vocabulary: Vocabulary) -> str:
    """Describe the origin of a network, and what its teacher did."""
    config = describe_network(lineage.cell, lineage.layers, lineage.hidden_size)
    nouns = f"{vocabulary.unit.noun}s"
    parts = [
        f"{lineage.name}: {config}, which knew {lineage.symbols} of {len(vocabulary) - 1} {nouns}"
    ]
    if lineage.steps:
        steps = pluralize(lineage.steps, "step")
        parts.append(f"as a teacher it learned the list in {steps}")
        if lineage.nats_per_symbol is not None:
            parts.append(f"held out {lineage.nats_per_symbol:.3f} nats per {vocabulary.noun}")
    return "; ".join(parts)


def _describe_window(training: TrainingStats) -> str:
    """Describe how much running text a step reads; empty for names, and without a network."""
    streams, window = (training.settings.get(name) for name in ("batch_size", "window"))
    return f" of {streams:,} x {window:,} symbols" if window and training.steps else ""


def _describe_held_out(held_out: HeldOut, checkpoint: Checkpoint) -> str:
    """Describe the held-out loss, and on what it was measured."""
    nats, noun = held_out.nats_per_symbol, checkpoint.vocabulary.noun
    if not isinstance(checkpoint.corpus, TextStats):
        return f"{nats:.3f} nats per {noun}, on {pluralize(held_out.size, 'name')}"
    end = "the end of each text" if checkpoint.corpus.texts > 1 else "the end of the text"
    size = pluralize(held_out.size, "symbol")
    return f"{nats:.3f} nats or {nats / log(2):.3f} bits per {noun}, on {size}, {end}"


def _describe_decoding(decoding: Decoding) -> str:
    """Describe how symbols are drawn if no option says so."""
    parts = []
    if decoding.temperature != 1:
        parts.append(f"temperature {decoding.temperature:g}")
    if decoding.top_k is not None:
        parts.append(f"top-k {decoding.top_k}")
    if decoding.top_p is not None:
        parts.append(f"top-p {decoding.top_p:g}")
    if decoding.min_p is not None:
        parts.append(f"min-p {decoding.min_p:.3f} (rarer symbols are left out)")
    if decoding.keep < 1:
        parts.append(f"the least likely {1 - decoding.keep:.0%} of the new names are left out")
    return "; ".join(parts) or "the model's own distribution"


def _label(name: str) -> str:
    """Return the label of a member."""
    return _MEMBER_LABELS.get(name, name)


def _describe_vocabulary(vocabulary: Vocabulary) -> str:
    """List the symbols; of words, the first ones."""
    symbols = vocabulary.symbols
    shown = symbols if vocabulary.unit is CHARACTER else symbols[:_VOCABULARY_WORDS]
    more = f" and {len(symbols) - len(shown):,} more" if len(shown) < len(symbols) else ""
    return f"{len(symbols):,}: {' '.join(map(show_symbol, shown))}{more}"


def _describe_texts(corpus: TextStats, vocabulary: Vocabulary) -> str:
    """Describe the size of running text."""
    sizes = [pluralize(corpus.texts, "text"), pluralize(corpus.lines, "line")]
    symbols = pluralize(corpus.symbols, "symbol")
    # Where a symbol is a word, a reader would not expect that the end of a line is one, too.
    what = " (words and ends of lines)" if vocabulary.unit is WORD else ""
    return f"{', '.join(sizes)}, {symbols}{what}"


def _describe_list(corpus: CorpusStats, vocabulary: Vocabulary) -> str:
    """Describe the size of a training list."""
    lengths = f"{corpus.shortest:,} to {corpus.longest:,}"
    if corpus.shortest == corpus.longest:
        lengths = f"{corpus.longest:,}"
    text = f"{pluralize(corpus.names, 'name')} of {lengths} {vocabulary.unit.noun}s"
    if corpus.weight is not None:
        return f"{text} (weighing {corpus.weight:,.15g} in total)"
    if not corpus.duplicates:
        return text
    verb = "kept" if corpus.keeps_duplicates else "dropped"
    return f"{text} ({pluralize(corpus.duplicates, 'duplicate')} {verb})"


def _describe_case(case: CaseRule) -> str:
    """Describe a case rule."""
    if not case.folds:
        return "kept"
    after = " ".join(map(show_symbol, sorted(case.capital_after - {"\n"})))
    places = ["at the start"] * ("\n" in case.capital_after) + [f"after {after}"] * bool(after)
    groups: dict[str, list[str]] = {"small": [], "large": [], "capital": [], "inside": []}
    for text, shape in case.shapes:
        beginning, end, context = text.partition("\n")
        if shape and not context:
            written = write_word(beginning, shape)
            if not text:
                written = "all others"
            elif not end:  # a capital right behind the beginning is shown as "X"
                written += "X…" if shape.rfind("X") >= len(beginning) else "…"
            groups[_SHAPES.get(shape, "inside")].append(written)
    parts = [f"capitals {' and '.join(places)}"] if places else []
    for label, words in groups.items():
        if words:
            more = f" and {len(words) - _WORDS:,} more" if len(words) > _WORDS else ""
            parts.append(f"{label}: {', '.join(words[:_WORDS])}{more}")
    return "; ".join(parts) or "no capitals are restored"


def _arrays(checkpoint: Checkpoint) -> list[RenderableType]:
    """List the arrays of each network, with their shapes, sizes and norms."""
    lines: list[RenderableType] = []
    for member in checkpoint.mixture.members.values():
        if not isinstance(member, Network):
            continue
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="cyan")
        table.add_column("array")
        table.add_column("shape", justify="right")
        table.add_column("parameters", justify="right")
        table.add_column("norm", justify="right")
        for name, array in member.parameters.items():
            shape = " x ".join(f"{size:,}" for size in array.shape)
            norm = f"{np.linalg.norm(array.astype(np.float64)):.2f}"
            table.add_row(name, shape, f"{array.size:,}", norm)
        lines += ["", table]
        if parts := _PARTS.get(member.config.cell):
            lines += ["", Text(f"parts of Wax, Waa and ba: {', '.join(parts)}")]
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
    is_text = isinstance(checkpoint.corpus, TextStats)
    return {
        "recipe": f"{checkpoint.recipe}, seed {training.seed}",
        **{
            _label(name): describe_member(model.members[name]) if name in model.members else "-"
            for name in members
        },
        "trained on": checkpoint.corpus.describe(),
        "symbols": f"{len(checkpoint.vocabulary.symbols):,}",
        "training": f"{pluralize(training.steps, 'step')}, {training.seconds:.1f} s",
        "held out": pluralize(held_out.size, "symbol" if is_text else "name") if held_out else "-",
        "nats per symbol": _loss(held_out.nats_per_symbol if held_out else None),
        **{f"{_label(name)} alone": _loss(losses.get(name)) for name in members},
        "symbol frequencies": _loss(held_out.frequencies if held_out else None),
    }


def _loss(value: float | None) -> str:
    """Format a loss; a dash if there is none."""
    return "-" if value is None else f"{value:.3f}"
