"""``dinogen inspect``: what is in a checkpoint, what it expects, and how it hears given names."""

import json
from collections.abc import Iterable, Iterator, Sequence
from math import isfinite, isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dinogen.cli.checkpoints import load_named
from dinogen.cli.options import checkpoint_argument
from dinogen.cli.telling import give_path, printable

if TYPE_CHECKING:
    from dinogen.checkpoint.contents import Checkpoint
    from dinogen.cli.views.screen import Screen
    from dinogen.inspection.hearing import Hearing


_NEAREST = 5


@click.command()
@checkpoint_argument
@click.option("--next", "written", metavar="TEXT", help="What may follow TEXT; '' for a beginning.")
@click.option(
    "--score",
    metavar="FILE",
    help="How each name of a list is heard: -log p of it in nats, the same per symbol, and its "
    "least expected symbol. - is standard input.",
)
@click.option(
    "--sort", is_flag=True, help="With --score: the most fitting first (nats per symbol)."
)
@click.option(
    "--symbols", is_flag=True, help="Which symbols the model treats alike, of 1,000 at the most."
)
@click.option(
    "--compare",
    metavar="OTHER",
    help="This checkpoint beside another; with --score, which of them each name belongs to.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs: a JSON object, or one a line.")
@click.option(
    "--export", metavar="FILE", help="The same as a picture: a file that ends in .svg or .html."
)
@click.option("--force", is_flag=True, help="Replace the picture if it exists.")
def inspect(
    checkpoint: str | None,
    written: str | None,
    score: str | None,
    compare: str | None,
    export: str | None,
    *,
    sort: bool,
    symbols: bool,
    as_json: bool,
    force: bool,
) -> None:
    """Show what a model is, what it learned from and how its training went; or look inside it.

    CHECKPOINT is what `dinogen train` wrote. Where left out: $DINOGEN_CHECKPOINT, else
    ./dinogen.npz, else the dinosaurs that come with dinogen.

    \b
    Examples:
      dinogen inspect
      dinogen inspect --next tyr                             what comes after Tyr
      dinogen inspect --score names.txt --sort | head        the most fitting first
      dinogen inspect elves.npz --compare dwarfs.npz --score names.txt
      dinogen inspect --symbols --export symbols.svg
      dinogen inspect --json | jq .heldout
    """
    given = {"--next": written is not None, "--score": score is not None, "--symbols": symbols}
    asked = [name for name in given if given[name]]
    if len(asked) > 1 or (compare is not None and asked not in ([], ["--score"])):
        raise click.UsageError(f"{' and '.join([*asked, '--compare'][:2])} are views of their own.")
    if sort and (score is None or compare is not None):
        raise click.UsageError("--sort is for --score, without --compare.")
    if as_json and export is not None:
        raise click.UsageError("--json is text and --export a picture; give one of them.")
    if force and export is None:
        raise click.UsageError("--force is for --export.")
    screen = None if as_json else _open_screen(export, force=force)
    model, path = load_named(checkpoint)
    if compare is not None:
        other, other_path = load_named(compare)
        if score is not None:
            _show_verdicts(model, other, score, screen)
        else:
            _show_comparison((model, other), (path, other_path), screen)
    elif score is not None:
        _show_scores(model, score, screen, sort=sort)
    elif written is not None:
        _show_next(model, written, screen)
    elif symbols:
        _show_likeness(model, screen)
    else:
        _show_summary(model, path, screen)
    if export is not None and screen:
        from dinogen.checkpoint.writing import write_whole

        picture = screen.picture(
            Path(export).suffix.lower(), f"dinogen inspect {printable(path.name)}"
        )
        write_whole(export, lambda file: file.write(picture.encode()))
        give_path(export)


def _open_screen(export: str | None, *, force: bool) -> "Screen":
    from dinogen.cli.views.screen import Screen, check_picture

    if export is not None:
        check_picture(export, force=force)
    return Screen(recording=export is not None)


def _print(record: dict[str, Any]) -> None:
    click.echo(json.dumps(record, ensure_ascii=False))


def _show_summary(checkpoint: "Checkpoint", path: Path, screen: "Screen | None") -> None:
    if screen is None:
        return _print(checkpoint.description())
    from dinogen.cli.views.summary import checkpoint_view

    screen.draw(checkpoint_view(checkpoint, path, screen.width))
    return None


def _show_comparison(
    checkpoints: "tuple[Checkpoint, Checkpoint]", paths: tuple[Path, Path], screen: "Screen | None"
) -> None:
    if screen is None:
        for checkpoint, path in zip(checkpoints, paths, strict=True):
            # In ASCII, so that a path is what it is, and yet cannot drive a terminal.
            click.echo(json.dumps({"checkpoint": str(path)} | checkpoint.description()))
        return
    from dinogen.cli.views.comparison import comparison_view

    screen.draw(comparison_view(checkpoints, paths))


def _show_next(checkpoint: "Checkpoint", written: str, screen: "Screen | None") -> None:
    from dinogen.inspection.expectation import expect

    # Read before another letter, as the beginning of a name that goes on.
    indices = checkpoint.vocabulary.indices_of(checkpoint.case.apply(f"{written}x")[:-1])
    p = expect(checkpoint.model, indices).tolist()
    symbols: list[str | None] = [None, *checkpoint.vocabulary.symbols]
    likely = sorted(zip(symbols, p, strict=True), key=lambda pair: -pair[1])
    if screen is None:
        return _print({"prefix": written, "next": [{"symbol": s, "p": q} for s, q in likely]})
    from dinogen.cli.views.next_symbols import next_view

    screen.draw(next_view(written, likely, screen.width))
    return None


def _show_likeness(checkpoint: "Checkpoint", screen: "Screen | None") -> None:
    from dinogen.inspection.likeness import cosines, embed, flat_map

    alike = cosines(embed(checkpoint.model, len(checkpoint.vocabulary)))  # (V - 1, V - 1)
    places = flat_map(alike)
    symbols = checkpoint.vocabulary.symbols
    nearest = {
        symbol: [(symbols[j], float(row[j])) for j in (-row).argsort() if j != i][:_NEAREST]
        for i, (symbol, row) in enumerate(zip(symbols, alike, strict=True))
    }
    flat = {s: (float(x), float(y)) for s, (x, y) in zip(symbols, places, strict=True)}
    if screen is None:
        return _print({"nearest": nearest, "map": flat})
    from dinogen.cli.views.likeness import likeness_view

    screen.draw(likeness_view(nearest, flat, screen.width))
    return None


def _show_scores(
    checkpoint: "Checkpoint", source: str, screen: "Screen | None", *, sort: bool
) -> None:
    from dinogen.generation.ahead import ahead
    from dinogen.inspection.hearing import hear

    hearings: Iterable[Hearing]
    if sort:
        # Whoever sorts has to know all names first.
        hearings = [hear(checkpoint, [name for names in _pieces(source) for name in names])]
    else:
        hearings = ahead(lambda names: hear(checkpoint, names), _pieces(source))
    for hearing in hearings:
        order: Sequence[int] = range(len(hearing.names))
        if sort:
            order = sorted(order, key=hearing.per_symbol.__getitem__)
        if screen is None:
            click.echo("".join(_records(hearing, order)), nl=False)
        else:
            from dinogen.cli.views.scores import score_lines

            heard = hearing.each()
            screen.draw_lines(score_lines([heard[i] for i in order]))


def _records(hearing: "Hearing", order: Sequence[int]) -> Iterator[str]:
    """Write a line of JSON for each name; by hand, which takes a third of the time."""
    quote = json.encoder.encode_basestring
    for i in order:
        total, known = hearing.totals[i], "true" if hearing.known[i] else "false"
        nats = round(total, 4) if hearing.writable[i] else "null"
        unknown = "" if hearing.writable[i] else f', "unknown": {quote(hearing.unknown(i) or "")}'
        yield (
            f'{{"name": {quote(hearing.names[i])}, "nats": {nats}, '
            f'"symbols": {len(hearing.read[i]) + 1}, "known": {known}{unknown}}}\n'
        )


def _show_verdicts(
    first: "Checkpoint", second: "Checkpoint", source: str, screen: "Screen | None"
) -> None:
    import numpy as np

    from dinogen.inspection.hearing import hear
    from dinogen.inspection.verdict import belongs_to_first

    for names in _pieces(source):
        ours, theirs = (hear(model, names).totals for model in (first, second))
        share = belongs_to_first(np.array(ours), np.array(theirs)).tolist()
        if screen is None:
            for name, one, other, p in zip(names, ours, theirs, share, strict=True):
                nats = [round(total, 4) if isfinite(total) else None for total in (one, other)]
                _print({"name": name, "nats": nats, "first": None if isnan(p) else round(p, 4)})
        else:
            from dinogen.cli.views.comparison import verdict_lines

            pairs = list(zip(ours, theirs, strict=True))
            screen.draw_lines(verdict_lines(names, pairs, share))


def _pieces(source: str) -> Iterator[list[str]]:
    """Read the names of a list, some at a time, as they come."""
    from dinogen.text.sources import read_names

    for names in read_names(source):
        yield names.split("\n")[:-1]
