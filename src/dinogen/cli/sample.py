"""``dinogen sample``: write new names, one per line, or running text."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from dinogen.bounds import new_seed
from dinogen.cli.options import (
    load_named,
    number_option,
    print_seed,
    refused_as_usage,
    seed_option,
)

DEFAULT_LENGTH = 500
"""The default of `TextOptions.length`; importing that would import NumPy."""

if TYPE_CHECKING:
    from dinogen.bounds import Bounds
    from dinogen.data.units import Unit
    from dinogen.generation.stream import Drawn
    from dinogen.generation.writer import Piece
    from dinogen.model import Sampler


def _bounds() -> "Bounds":
    """Import the bounds of the sampling options, with a module that imports NumPy."""
    from dinogen.generation.options import BOUNDS

    return BOUNDS


def _as_weights(
    _ctx: click.Context, option: click.Parameter, value: str | None
) -> list[float] | None:
    """Convert weights that are separated by commas."""
    if value is None:
        return None
    try:
        weights = [float(number) for number in value.split(",")]
    except ValueError:
        message = f"{value!r} is not a list of numbers such as 0.7,0.3."
        raise click.BadParameter(message, param=option) from None
    from dinogen.blending import as_shares

    with refused_as_usage(option):
        as_shares(weights, len(weights))
    return weights


@click.command(
    epilog="Unlikely symbols and the least likely names are left out, as strictly as was measured "
    "to be right for the model. Any of --temperature, --top-k and --top-p replaces this default, "
    "which is about as strict as --temperature 0.5.\n\n"
    "Several checkpoints are blended: each symbol is drawn from the probabilities of all models, "
    "added up by weight. A model has no say after a symbol that is not in its list, so two "
    "alphabets are not mixed within a word. Then the list is all lists together, and the default "
    "is that of the model that leaves out the least.\n\n"
    "A Korean syllable counts as one symbol. In TEXT, a syllable is complete, and a letter alone "
    "(a jamo) finds that letter in any syllable. In a pattern, a letter is any syllable that "
    "begins with it.\n\n"
    "A model of running text (train --text) writes text. Without --prefix, it begins at the start "
    "of a line. Of the options that say which names to write, it has --prefix only. With --n above "
    "1, a line with a percent sign stands between two texts.\n\n"
    "If the list was learned with --unit word, TEXT is words, lengths and edits count words, and "
    "spaces separate the items of a pattern: ? is any word, * any number of words, [a b] one of "
    "the words a and b, [!a b] any other word.\n\n"
    "The same checkpoints, seed and options give the same names, and --n only sets how many. "
    "A candidate is a drawn name that may be new or not. To find N new names, up to about "
    "50,000 + 100 N candidates are drawn, and fewer if they are long. If that is not enough, the "
    "names that were found are written, and the exit status is 1."
)
@click.argument("checkpoints", nargs=-1, metavar="[CHECKPOINT]...")
@number_option(
    "-n --n", int, _bounds, "How many names to write, or texts.  [default: 10 names, or 1 text]"
)
@number_option(
    "--length",
    int,
    _bounds,
    "Of running text: how many symbols to write, or words, after the prompt.  "
    f"[default: {DEFAULT_LENGTH}]",
)
@seed_option
@click.option(
    "--mix",
    metavar="W,W...",
    callback=_as_weights,
    help="The weights of several checkpoints, in their order and in any scale: 0.7,0.3 is the same "
    "as 7,3.  [default: equal]",
)
@click.option(
    "--prefix",
    metavar="TEXT",
    multiple=True,
    help="Only names that begin with TEXT. If it is repeated, with any of the texts. Running text "
    "continues TEXT, the prompt, which is printed, too.",
)
@click.option(
    "--suffix",
    metavar="TEXT",
    multiple=True,
    help="Only names that end with TEXT. If it is repeated, with any of the texts.",
)
@click.option(
    "--contains",
    metavar="TEXT",
    multiple=True,
    help="Only names that contain TEXT. If it is repeated, all of the texts.",
)
@click.option(
    "--not-contains",
    metavar="TEXT",
    multiple=True,
    help="No name that contains TEXT. If it is repeated, none of the texts.",
)
@click.option(
    "--avoid",
    metavar="FILE",
    multiple=True,
    help="No name that contains a line of this file, as with --not-contains. May be repeated; - is "
    "standard input.",
)
@number_option(
    "--min-length",
    int,
    _bounds,
    "Only names of at least N symbols (letters, spaces and so on) or words.  "
    "[default: as in the list]",
)
@number_option(
    "--max-length",
    int,
    _bounds,
    "Only names of at most N symbols or words.  [default: as in the list]",
)
@click.option(
    "--pattern",
    metavar="GLOB",
    help="Only names that match a pattern from start to end: ? is any symbol, * any number of "
    "symbols, [ae] an a or an e, [a-e] one symbol from a to e, [!ae] any symbol but a and e. Quote "
    "it, because the shell would take it for file names.",
)
@click.option(
    "--allow-known",
    is_flag=True,
    help="Also write names of the training list, and names from which the base has learned.",
)
@click.option("--allow-repeats", is_flag=True, help="Write a name again if it is drawn again.")
@click.option(
    "--exclude",
    metavar="FILE",
    multiple=True,
    help="Write no name of this list. Case does not matter, unless the model was trained with "
    "--case keep. May be repeated; - is standard input.",
)
@number_option(
    "--min-distance",
    int,
    _bounds,
    "2: no name that is one edit away from a name of the training list. An edit adds, deletes or "
    "replaces one symbol. 1: no name of the list, which is the default.",
)
@number_option(
    "--temperature",
    float,
    _bounds,
    "Instead of the default: 1 is the model's own distribution, lower is safer and less varied, "
    "higher is wilder.",
)
@number_option(
    "--top-k",
    int,
    _bounds,
    "Instead of the default: draw each symbol from the N most likely ones.",
)
@number_option(
    "--top-p",
    float,
    _bounds,
    "Instead of the default: draw each symbol from the most likely ones that together have "
    "probability N, for example 0.9.",
)
@number_option(
    "--skip",
    int,
    _bounds,
    "Skip the first N candidates, to split a large job into parts. Leave room between the parts "
    "for candidates that are not new.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Write one JSON object per name and line. Its 'nats' are the negative log-likelihood of "
    "the name (natural-log units: lower = more likely). 'words' are the words of a name that was "
    "learned with --unit word.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print only errors on stderr.")
def sample(
    checkpoints: tuple[str, ...],
    n: int | None,
    seed: int | None,
    mix: list[float] | None,
    skip: int | None,
    avoid: tuple[str, ...],
    exclude: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Write new names, one per line, or running text.

    No name is in the training list, and no name is written twice.

    CHECKPOINT is a file that `dinogen train` wrote; several of them are blended. Without one:
    $DINOGEN_CHECKPOINT, else ./dinogen.npz, else the dinosaurs that come with dinogen.

    \b
    Examples:
      dinogen sample --n 7 --seed 42
      dinogen sample --prefix t --suffix saurus --max-length 12
      dinogen sample --pattern '[aeiou]*x' --exclude taken.txt
      dinogen sample --avoid rude.txt --min-distance 2 --quiet
      dinogen sample greek.npz --temperature 1
      dinogen sample elves.npz norse.npz --mix 0.7,0.3
      dinogen sample sonnets.npz --prefix "hello" --length 400
      dinogen sample --json | jq -r 'select(.nats < 20) | .name'
    """
    if (avoid + exclude).count("-") > 1:
        raise click.UsageError("- is standard input; give it once.")
    model = _load(checkpoints, mix, quiet=quiet)
    chosen = {name: value for name, value in given.items() if value is not None}
    chosen_seed = new_seed() if seed is None else seed
    if model.writes_text:
        chosen |= {"avoid": avoid, "exclude": exclude, "skip": skip}
        output = _texts(model, 1 if n is None else n, chosen_seed, chosen, as_json=as_json)
    else:
        unit = model.namer.vocabulary.unit
        chosen |= {"avoid": _read_names(avoid, unit), "exclude": _read_names(exclude, unit)}
        _check_kind(chosen, is_text=False)
        options = model.options(**chosen)
        blocks = model.namer.draw(10 if n is None else n, chosen_seed, options, skip=skip or 0)
        output = _names(model, blocks, chosen_seed, as_json=as_json)
    if seed is None and not quiet:
        print_seed(chosen_seed)
    for text in output:
        click.echo(text, nl=False)


def _check_kind(given: dict[str, Any], *, is_text: bool) -> None:
    """Refuse the first option that the model does not have, as it is typed."""
    from dinogen.generation.options import given_options

    _, misfit = given_options(given, is_text=is_text)
    if misfit is None:
        return
    flags = {option.name: option.opts[-1] for option in click.get_current_context().command.params}
    hint = "" if is_text else "; for the length of names, give --min-length and --max-length"
    raise click.UsageError(f"{flags[misfit.option]} {misfit.reason}{hint}.")


def _names(
    model: "Sampler", blocks: "Iterator[Drawn]", seed: int, *, as_json: bool
) -> Iterator[str]:
    """Yield the lines of each block of names."""
    for drawn in blocks:
        if as_json:
            records = _records(model, drawn, seed)
            lines = [json.dumps(record, ensure_ascii=False) for record in records]
        else:
            lines = model.namer.spell(drawn.names)
        yield "".join(f"{line}\n" for line in lines)


def _texts(
    model: "Sampler", n: int, seed: int, given: dict[str, Any], *, as_json: bool
) -> Iterator[str]:
    """Set up the texts; returns what is printed of them, as it is written."""
    prompts = given.pop("prefix")
    if len(prompts) > 1:
        raise click.UsageError(
            "A text begins with one prompt, and --prefix is repeated; give it once."
        )
    _check_kind(given, is_text=True)
    options = model.text_options(prefix="".join(prompts), **given)
    pieces = model.writer.write(n, seed, options)
    return _text_records(model, pieces, seed) if as_json else _joined(pieces)


def _joined(pieces: "Iterator[Piece]") -> Iterator[str]:
    """Yield the pieces of texts, with a line with a percent sign between two texts."""
    index = 0
    for piece in pieces:
        if piece.index != index:
            yield "%\n"
            index = piece.index
        yield piece.text
        if piece.is_last and not piece.text.endswith("\n"):
            yield "\n"


def _text_records(model: "Sampler", pieces: "Iterator[Piece]", seed: int) -> Iterator[str]:
    """Yield the JSON line of each text."""
    from dinogen.data.units import WORD

    parts: list[str] = []
    for piece in pieces:
        parts.append(piece.text)
        if piece.total is None:
            continue
        text = "".join(parts)
        parts.clear()
        record = {
            "text": text,
            **({"words": text.split()} if model.writer.vocabulary.unit is WORD else {}),
            "nats": round(piece.total.nats, 4),
            "symbols": piece.total.symbols,
            "index": piece.index,
            "seed": seed,
        }
        yield f"{json.dumps(record, ensure_ascii=False)}\n"


def _load(checkpoints: tuple[str, ...], mix: list[float] | None, *, quiet: bool) -> "Sampler":
    """Load a model, or blend several."""
    if len(checkpoints) < 2:
        if mix is not None:
            raise click.UsageError("--mix needs at least two checkpoints to blend; name them all.")
        return load_named(checkpoints[0] if checkpoints else None, quiet=quiet)[0]
    if mix is not None and len(mix) != len(checkpoints):
        raise click.UsageError(
            f"--mix needs {len(checkpoints)} weights, one for each checkpoint, not {len(mix)}."
        )
    from dinogen.blending import blend
    from dinogen.model import load

    return blend([load(checkpoint) for checkpoint in checkpoints], mix)


def _read_names(sources: tuple[str, ...], unit: "Unit") -> list[str]:
    """Read the lines of several lists."""
    if not sources:  # without lists, the modules that read them are not imported
        return []
    from dinogen.data.sources import read_names

    return [name for source in sources for names in read_names(source, unit) for name in names]


def _records(model: "Sampler", drawn: "Drawn", seed: int) -> Iterator[dict[str, Any]]:
    """Yield the JSON object of each name."""
    from dinogen.data.units import WORD
    from dinogen.models.scoring import score

    namer = model.namer
    nats = score(namer.model, drawn.names).tolist()
    known = namer.known.find(drawn.names).tolist()
    vocabulary = namer.vocabulary
    lengths = (vocabulary.lengths(drawn.names) + 1).tolist()
    positions = drawn.positions.tolist()
    for i, name in enumerate(namer.spell(drawn.names)):
        yield {
            "name": name,
            **({"words": name.split(" ")} if vocabulary.unit is WORD else {}),
            "nats": round(nats[i], 4),
            "symbols": lengths[i],
            "known": known[i],
            "index": positions[i],
            "seed": seed,
        }
