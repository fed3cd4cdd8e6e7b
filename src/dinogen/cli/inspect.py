"""``dinogen inspect``: what is in a checkpoint, and how it scores given names."""

import json
from typing import TYPE_CHECKING

import click

from dinogen.cli.checkpoints import load_named
from dinogen.cli.options import checkpoint_argument

if TYPE_CHECKING:
    from dinogen.checkpoint.contents import Checkpoint


@click.command()
@checkpoint_argument
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON object.")
@click.option(
    "--score",
    metavar="FILE",
    help="In place of the summary: -log p, in nats, of each name of a list, and the name. - is "
    "standard input. With --json, an object a line.",
)
def inspect(checkpoint: str | None, as_json: bool, score: str | None) -> None:
    """Show what a model is, what it learned from and how its training went, or score names with it.

    CHECKPOINT is what `dinogen train` wrote. Where left out: $DINOGEN_CHECKPOINT, else
    ./dinogen.npz, else the dinosaurs that come with dinogen.

    \b
    Examples:
      dinogen inspect
      dinogen inspect --json | jq .heldout
      dinogen inspect --score names.txt | sort -g | head     the most fitting first
    """
    model, path = load_named(checkpoint)
    if score is not None:
        _score(model, score, as_json=as_json)
    elif as_json:
        click.echo(json.dumps(model.description(), ensure_ascii=False))
    else:
        from dinogen.cli.views import show_checkpoint

        show_checkpoint(model, path)


def _score(checkpoint: "Checkpoint", source: str, *, as_json: bool) -> None:
    from dinogen.generation.scoring import score
    from dinogen.text.cleaning import clean
    from dinogen.text.corpus import read_source, source_name
    from dinogen.text.digests import contains, digests

    text = clean(read_source(source), source_name(source))
    folded = checkpoint.case.apply(text)
    names = checkpoint.vocabulary.encode(folded)
    spellable = ~names.holds(checkpoint.vocabulary.unknown)  # (N,)
    nats = iter(score(checkpoint.model, names.keep(spellable)).tolist())
    known = contains(checkpoint.known, digests(names)).tolist()
    lengths = names.lengths.tolist()
    texts = zip(text.split("\n"), folded.split("\n"), strict=True)
    lines = []
    for i, ((name, symbols), can) in enumerate(zip(texts, spellable.tolist(), strict=False)):
        value = round(next(nats), 4) if can else None
        if as_json:
            record = {"name": name, "nats": value, "symbols": lengths[i], "known": known[i]}
            if not can:
                strange = set(symbols) - set(checkpoint.vocabulary.symbols)
                record["unknown"] = min(strange, key=symbols.index)
            lines.append(json.dumps(record, ensure_ascii=False))
        else:
            # A name that the model cannot write has probability 0.
            lines.append(f"{'inf' if value is None else f'{value:.4f}'}\t{name}")
    click.echo("".join(f"{line}\n" for line in lines), nl=False)
