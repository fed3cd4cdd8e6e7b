"""``dinogen sample``: new names, one a line."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from dinogen.cli.checkpoints import load_named
from dinogen.cli.options import checkpoint_argument, number, seed_option, seed_or_fresh
from dinogen.generation.options import BOUNDS, Options

if TYPE_CHECKING:
    from dinogen.checkpoint.contents import Checkpoint
    from dinogen.text.names import Names


@click.command(
    epilog="The same checkpoint, seed and options give the same names; --n only says how many."
)
@checkpoint_argument
@number("-n --n", int, BOUNDS, "How many names.  [default: 10]")
@seed_option
@number(
    "--temperature",
    float,
    BOUNDS,
    "Below 1 the likely is made likelier, above 1 the unlikely.  [default: 1]",
)
@number("--top-k", int, BOUNDS, "Write only the N likeliest symbols at each place.  [default: all]")
@number(
    "--max-length",
    int,
    BOUNDS,
    "End a name after N symbols.  [default: twice the longest learned from]",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def sample(
    checkpoint: str | None,
    n: int | None,
    seed: int | None,
    temperature: float | None,
    top_k: int | None,
    max_length: int | None,
    as_json: bool,
) -> None:
    """Write new names, one a line.

    CHECKPOINT is what `dinogen train` wrote. Where left out: $DINOGEN_CHECKPOINT, else
    ./dinogen.npz, else the dinosaurs that come with dinogen.

    \b
    Examples:
      dinogen sample --n 7 --seed 42
      dinogen sample greek.npz --temperature 0.7
      dinogen sample --n 1000 | sort -u | head
      dinogen sample --json | jq -r 'select(.known | not) | .name'
    """
    from dinogen.generation import sampling
    from dinogen.text.case import spell

    model, _ = load_named(checkpoint)
    seed = seed_or_fresh(seed)
    options = Options(
        max_length=max_length or min(2 * model.corpus.longest, int(BOUNDS["max_length"][1])),
        temperature=1.0 if temperature is None else temperature,
        top_k=top_k,
        inner=model.vocabulary.spaces,
    )
    first = 0
    for names in sampling.sample(model.model, 10 if n is None else n, seed, options):
        if as_json:
            records = _records(model, names, first, seed)
            click.echo("\n".join(json.dumps(record, ensure_ascii=False) for record in records))
        else:
            click.echo(spell(names, model.vocabulary, model.case), nl=False)
        first += len(names)


def _records(
    checkpoint: "Checkpoint", names: "Names", first: int, seed: int
) -> Iterator[dict[str, Any]]:
    from dinogen.generation.scoring import score
    from dinogen.text.case import spell
    from dinogen.text.digests import contains, digests

    spelled = spell(names, checkpoint.vocabulary, checkpoint.case).split("\n")
    nats = score(checkpoint.model, names).tolist()
    known = contains(checkpoint.known, digests(names)).tolist()
    lengths = names.lengths.tolist()
    for i, name in enumerate(spelled[: len(names)]):
        yield {
            "name": name,
            "nats": round(nats[i], 4),
            "symbols": lengths[i],
            "known": known[i],
            "index": first + i,
            "seed": seed,
        }
