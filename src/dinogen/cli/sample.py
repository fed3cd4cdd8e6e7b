"""``dinogen sample``: new names, one a line."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from dinogen.cli.checkpoints import load_named
from dinogen.cli.options import checkpoint_argument, fresh_seed, number, seed_option, tell_seed
from dinogen.generation.options import BOUNDS

if TYPE_CHECKING:
    from dinogen.checkpoint.contents import Checkpoint
    from dinogen.generation.sampling import Drawn


@click.command(
    epilog="The same checkpoint, seed and options give the same names; --n only says how many. "
    "Where names like that run out, those found are written, and the exit status is 1: for N names "
    "50,000 + 100 N candidates are looked at, or fewer where they are long."
)
@checkpoint_argument
@number("-n --n", int, BOUNDS, "How many names.  [default: 10]")
@seed_option
@click.option("--prefix", metavar="TEXT", help="Names that begin so.")
@click.option("--suffix", metavar="TEXT", help="Names that end so.")
@click.option(
    "--contains", metavar="TEXT", multiple=True, help="Names with this in them; may be repeated."
)
@number("--min-length", int, BOUNDS, "Names of N symbols or more.")
@number("--max-length", int, BOUNDS, "Names of N symbols or fewer.")
@click.option(
    "--pattern",
    metavar="GLOB",
    help="Names that look so as a whole: ? is any symbol, * any run of them, [ae] one of these, "
    "[!ae] one of the others. Quote it, or the shell takes it for files.",
)
@click.option("--allow-known", is_flag=True, help="Names that were in the list, too.")
@click.option("--allow-repeats", is_flag=True, help="The same name again, too.")
@click.option(
    "--exclude",
    metavar="FILE",
    multiple=True,
    help="No name of this list; case matters only where the model keeps it. May be repeated; - is "
    "standard input.",
)
@number(
    "--temperature",
    float,
    BOUNDS,
    "Below 1 names are safer and more alike, above 1 wilder.  [default: 1]",
)
@number("--top-k", int, BOUNDS, "Only the N likeliest symbols at each place: no odd ones.")
@number(
    "--top-p",
    float,
    BOUNDS,
    "Only the likeliest symbols that make up this share: no odd ones, but as many as fit.",
)
@number(
    "--skip",
    int,
    BOUNDS,
    "Begin at candidate N, so that a large job can be split. Candidates that are not new count, "
    "too: leave room for them between the parts.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def sample(
    checkpoint: str | None,
    n: int | None,
    seed: int | None,
    exclude: tuple[str, ...],
    as_json: bool,
    **given: Any,
) -> None:
    """Write new names, one a line: none that was in the list, and none twice.

    CHECKPOINT is what `dinogen train` wrote. Where left out: $DINOGEN_CHECKPOINT, else
    ./dinogen.npz, else the dinosaurs that come with dinogen.

    \b
    Examples:
      dinogen sample --n 7 --seed 42
      dinogen sample --prefix t --suffix saurus --max-length 12
      dinogen sample --pattern '[aeiou]*x' --exclude taken.txt
      dinogen sample greek.npz --temperature 0.7
      dinogen sample --json | jq -r 'select(.nats < 20) | .name'
    """
    from dinogen.generation.constraints import Constraints

    if exclude.count("-") > 1:
        raise click.UsageError("- stands for standard input; name it once.")
    model, _ = load_named(checkpoint)
    options = {name: value for name, value in given.items() if value is not None}
    asked = Constraints(*(options.pop(name, None) for name in Constraints._fields))
    if exclude:
        from dinogen.text.sources import read_names

        taken = "".join(names for source in exclude for names in read_names(source))
        options["exclude"] = taken.split("\n")[:-1]
    chosen = fresh_seed() if seed is None else seed
    names = model.namer.draw(10 if n is None else n, chosen, asked, **options)
    if seed is None:
        tell_seed(chosen)
    for drawn in names:
        if as_json:
            records = _records(model, drawn, chosen)
            lines = [json.dumps(record, ensure_ascii=False) for record in records]
        else:
            lines = model.namer.spell(drawn.names)
        click.echo("".join(f"{line}\n" for line in lines), nl=False)


def _records(checkpoint: "Checkpoint", drawn: "Drawn", seed: int) -> Iterator[dict[str, Any]]:
    from dinogen.generation.scoring import score
    from dinogen.text.digests import contains, digests

    nats = score(checkpoint.model, drawn.names).tolist()
    known = contains(checkpoint.known, digests(drawn.names)).tolist()
    lengths = drawn.names.lengths.tolist()
    places = drawn.places.tolist()
    for i, name in enumerate(checkpoint.namer.spell(drawn.names)):
        yield {
            "name": name,
            "nats": round(nats[i], 4),
            "symbols": lengths[i],
            "known": known[i],
            "index": places[i],
            "seed": seed,
        }
