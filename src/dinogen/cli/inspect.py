"""``dinogen inspect``: show a model, what it expects next, and how it scores names or text."""

import json
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from math import inf, isfinite, isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dinogen.cli.options import checkpoint_argument, load_named
from dinogen.cli.terminal import print_path, printable

if TYPE_CHECKING:
    from dinogen.checkpoint.checkpoint import Checkpoint
    from dinogen.cli.views.screen import Screen
    from dinogen.inspection.passages import Passage
    from dinogen.inspection.scores import Scores
    from dinogen.model import Model

_NEAREST = 5

_SAMPLES = 5
"""The number of names that are sampled, or the maximum number of lines of a text."""

_LENGTHS = {"character": 240, "word": 48}
"""The number of symbols of a text that is sampled, by the unit."""


@click.command()
@checkpoint_argument
@click.option(
    "--next",
    "written",
    metavar="TEXT",
    help="Show how likely each symbol is after TEXT; with '', at the start of a name, or of a line "
    "of running text.",
)
@click.option(
    "--score",
    metavar="FILE",
    help="Score each name of a list: negative log-likelihood in nats (natural-log units: lower = "
    "more likely), the same per symbol, the name, 'known' if it is in the training list, and its "
    "least likely symbol. - is standard input. A model of running text scores each line of a text, "
    "after the lines before it, and the whole text.",
)
@click.option(
    "--sort",
    is_flag=True,
    help="With --score: the most likely names or lines first, by nats per symbol.",
)
@click.option(
    "--symbols",
    is_flag=True,
    help="Show which symbols the model treats alike, if it has at most 1,000.",
)
@click.option(
    "--compare",
    metavar="OTHER",
    help="Compare with another checkpoint. With --score: the probability that a name or a line "
    "comes from CHECKPOINT rather than from OTHER, its nats in both, and the name or the line.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Write JSON: one object, or one object per line."
)
@click.option(
    "--export", metavar="FILE", help="Save the view as a picture; FILE ends in .svg or .html."
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
    """Show a model and how it was trained.

    The options --next, --score, --symbols and --compare show other views of it.

    CHECKPOINT is a file that `dinogen train` wrote. Without it: $DINOGEN_CHECKPOINT, else
    ./dinogen.npz, else the dinosaurs that come with dinogen.

    \b
    Examples:
      dinogen inspect
      dinogen inspect --next tyr                         what comes after Tyr
      dinogen inspect --score names.txt --sort | head    the ten most likely names of a list
      dinogen inspect elves.npz --compare dwarfs.npz --score names.txt
      dinogen inspect --symbols --export symbols.svg
      dinogen inspect --json | jq .heldout
    """
    given = {"--next": written is not None, "--score": score is not None, "--symbols": symbols}
    asked = [name for name in given if given[name]]
    if len(asked) > 1 or (compare is not None and asked not in ([], ["--score"])):
        both = " and ".join([*asked, "--compare"][:2])
        raise click.UsageError(f"{both} cannot be combined; give one of them.")
    if sort and (score is None or compare is not None):
        raise click.UsageError("--sort needs --score, without --compare.")
    if as_json and export is not None:
        raise click.UsageError("--json writes text and --export a picture; give one of them.")
    if force and export is None:
        raise click.UsageError("--force needs --export.")
    screen = None if as_json else _open_screen(export, force=force)
    model, path = load_named(checkpoint)
    if compare is not None:
        other, other_path = load_named(compare)
        pair, paths = (model.checkpoint, other.checkpoint), (path, other_path)
        if score is not None:
            _check_comparable(pair, paths)
            _show_compared_scores(*pair, score, screen)
        else:
            _show_comparison(pair, paths, screen)
    elif score is not None:
        _show_scores(model.checkpoint, score, screen, sort=sort)
    elif written is not None:
        _show_next(model.checkpoint, written, screen)
    elif symbols:
        _show_similarity(model.checkpoint, screen)
    else:
        _show_summary(model, path, screen)
    if export is not None and screen:
        from dinogen.checkpoint.writing import write_whole

        title = f"dinogen inspect {printable(path.name)}"
        picture = screen.picture(Path(export).suffix.lower(), title)
        write_whole(export, lambda file: file.write(picture.encode()))
        print_path(export)


def _open_screen(export: str | None, *, force: bool) -> "Screen":
    """Open the screen; with a path to export to, it records a picture."""
    from dinogen.cli.views.screen import Screen, check_picture

    if export is not None:
        check_picture(export, force=force)
    return Screen(recording=export is not None)


def _print_json(record: dict[str, Any]) -> None:
    """Print an object as one line of JSON."""
    click.echo(json.dumps(record, ensure_ascii=False))


# Each of these functions shows one view: on the screen, or as JSON if there is no screen.


def _show_summary(model: "Model", path: Path, screen: "Screen | None") -> None:
    if screen is None:
        from dinogen.checkpoint.schema import describe

        return _print_json(describe(model.checkpoint))
    from dinogen.cli.views.summary import checkpoint_view

    if model.checkpoint.corpus.content == "text":
        samples = _sample_lines(model)
    else:
        samples = model.sample(_SAMPLES, seed=0, allow_known=True, allow_repeats=True)
    screen.draw(checkpoint_view(model.checkpoint, path, samples, screen.width))
    return None


def _sample_lines(model: "Model") -> list[str]:
    """Write the first lines of a text."""
    length = _LENGTHS[model.checkpoint.vocabulary.unit.name]
    (text,) = model.sample(1, seed=0, length=length)
    return text.strip("\n").split("\n")[:_SAMPLES]


def _show_comparison(
    checkpoints: "tuple[Checkpoint, Checkpoint]", paths: tuple[Path, Path], screen: "Screen | None"
) -> None:
    if screen is None:
        from dinogen.checkpoint.schema import describe

        for checkpoint, path in zip(checkpoints, paths, strict=True):
            # Escaped as ASCII, a path cannot control a terminal. Programs read it unchanged.
            click.echo(json.dumps({"checkpoint": str(path)} | describe(checkpoint)))
        return
    from dinogen.cli.views.summary import comparison_view

    screen.draw(comparison_view(checkpoints, paths))


def _show_next(checkpoint: "Checkpoint", written: str, screen: "Screen | None") -> None:
    from dinogen.models.scoring import next_probabilities

    vocabulary, is_text = checkpoint.vocabulary, checkpoint.corpus.content == "text"
    # More may follow, so a letter stands for it: no sigma is final.
    more = unicodedata.normalize("NFC", f"{written}q")
    folded = checkpoint.case.fold(more, vocabulary).removesuffix("q")
    if is_text:
        indices = vocabulary.prompt(folded)
    else:
        indices = vocabulary.indices_of(vocabulary.unit.split(folded))
    p = next_probabilities(checkpoint.mixture, indices).tolist()
    symbols: list[str | None] = ["\n" if is_text else None, *vocabulary.symbols]
    likely = sorted(zip(symbols, p, strict=True), key=lambda pair: -pair[1])
    if screen is None:
        return _print_json({"prefix": written, "next": [{"symbol": s, "p": q} for s, q in likely]})
    from dinogen.cli.views.symbols import next_view

    screen.draw(next_view(written, likely, screen.width, is_text=is_text))
    return None


def _show_similarity(checkpoint: "Checkpoint", screen: "Screen | None") -> None:
    from dinogen.inspection.similarity import cosines, embed, flat_map

    similarities = cosines(embed(checkpoint.mixture))  # (V - 1, V - 1)
    symbols = checkpoint.vocabulary.symbols
    nearest = {
        symbol: [(symbols[j], float(row[j])) for j in (-row).argsort() if j != i][:_NEAREST]
        for i, (symbol, row) in enumerate(zip(symbols, similarities, strict=True))
    }
    positions = {
        symbol: (float(x), float(y))
        for symbol, (x, y) in zip(symbols, flat_map(similarities), strict=True)
    }
    if screen is None:
        return _print_json({"nearest": nearest, "map": positions})
    from dinogen.cli.views.symbols import similarity_view

    screen.draw(similarity_view(nearest, positions, screen.width))
    return None


def _show_scores(
    checkpoint: "Checkpoint", source: str, screen: "Screen | None", *, sort: bool
) -> None:
    from dinogen.inspection.passages import TextTotal
    from dinogen.inspection.scores import join_scores
    from dinogen.threads import map_ordered

    parts: Iterable[Scores] = map_ordered(
        lambda part: _score_part(checkpoint, part), _read_parts(checkpoint, source)
    )
    if sort:
        found = [*parts]
        parts = [join_scores(found)] if found else []
    total, is_text = TextTotal(), checkpoint.corpus.content == "text"
    for scores in parts:
        order: Sequence[int] = range(len(scores))
        if sort:
            order = sorted(order, key=scores.per_symbol)
        if screen is None:
            click.echo("".join(_score_records(scores, order)), nl=False)
            continue
        from dinogen.cli.views.scores import score_lines

        screen.draw_lines(score_lines(scores, order))
        if is_text:
            total = total.plus(scores)
    if screen and total.lines:
        from dinogen.cli.views.scores import total_line

        screen.draw_lines([total_line(total, checkpoint.vocabulary)])


def _read_parts(checkpoint: "Checkpoint", source: str) -> "Iterator[list[str] | Passage]":
    """Read what a model scores: names, or passages of a text."""
    from dinogen.data.sources import read_names
    from dinogen.inspection.passages import read_passages

    read = read_passages if checkpoint.corpus.content == "text" else read_names
    yield from read(source, checkpoint.vocabulary.unit)


def _score_part(checkpoint: "Checkpoint", part: "list[str] | Passage") -> "Scores":
    """Score some names, or a passage of a text."""
    from dinogen.inspection.passages import score_passage
    from dinogen.inspection.scores import score_names

    if isinstance(part, list):
        return score_names(checkpoint, part)
    return score_passage(checkpoint, part)


def _score_records(scores: "Scores", order: Sequence[int]) -> Iterator[str]:
    """Yield the JSON line of each name or line of text.

    Written by hand: json.dumps takes three times as long.
    """
    quote = json.encoder.encode_basestring
    names, lengths, totals, known = scores.names, scores.lengths, scores.totals, scores.known
    is_known = ""
    for i in order:
        nats, unknown = f"{round(totals[i], 4)}", ""
        if totals[i] == inf:
            nats, unknown = "null", f', "unknown": {quote(scores.unknown_symbol(i) or "")}'
        if known is None:
            label = f'"line": {scores.first + i}, "text"'
        else:
            label, is_known = '"name"', f', "known": {"true" if known[i] else "false"}'
        yield (
            f'{{{label}: {quote(names[i])}, "nats": {nats}, "symbols": {lengths[i]}'
            f"{is_known}{unknown}}}\n"
        )


def _check_comparable(
    checkpoints: "tuple[Checkpoint, Checkpoint]", paths: tuple[Path, Path]
) -> None:
    """Refuse to score names with a model of running text, or text with a model of names."""
    from dinogen.errors import CheckpointError

    is_text = [checkpoint.corpus.content == "text" for checkpoint in checkpoints]
    if is_text[0] != is_text[1]:
        text, names = paths if is_text[0] else paths[::-1]
        raise CheckpointError(
            f"{text} has learned running text, and {names} names; --score compares two models of "
            "the same kind"
        )


def _show_compared_scores(
    first: "Checkpoint", second: "Checkpoint", source: str, screen: "Screen | None"
) -> None:
    import numpy as np

    from dinogen.inspection.scores import probability_of_first

    for part in _read_parts(first, source):
        scores, others = _score_part(first, part), _score_part(second, part)
        ours, theirs = scores.totals, others.totals
        share = probability_of_first(np.array(ours), np.array(theirs)).tolist()
        if screen is None:
            rows = zip(scores.names, ours, theirs, share, strict=True)
            for number, (name, one, other, p) in enumerate(rows, start=scores.first):
                label = (
                    {"name": name} if scores.known is not None else {"line": number, "text": name}
                )
                nats = [round(total, 4) if isfinite(total) else None for total in (one, other)]
                _print_json(label | {"nats": nats, "first": None if isnan(p) else round(p, 4)})
        else:
            from dinogen.cli.views.scores import compared_score_lines

            pairs = list(zip(ours, theirs, strict=True))
            screen.draw_lines(compared_score_lines(scores.names, pairs, share))
