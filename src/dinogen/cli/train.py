"""``dinogen train``: learn from lists of names, and save what was learned."""

import shlex
from typing import TYPE_CHECKING, Any

import click

from dinogen.cli.checkpoints import DEFAULT_OUTPUT
from dinogen.cli.options import fresh_seed, number, seed_option, tell_seed
from dinogen.cli.statuses import INTERRUPTED
from dinogen.cli.telling import give_path, tell
from dinogen.cli.watching import watch
from dinogen.training.settings import BOUNDS, CLASSIC_STEPS, Settings

if TYPE_CHECKING:
    from dinogen.checkpoint.contents import Checkpoint
    from dinogen.training.run import Run


@click.command(
    epilog="Ctrl-C saves what there is; with --resume it goes on as if it had never stopped."
)
@click.argument("corpus", nargs=-1, required=True, metavar="CORPUS...")
@click.option(
    "-o",
    "--output",
    default=DEFAULT_OUTPUT,
    show_default=True,
    metavar="PATH",
    help="The checkpoint.",
)
@click.option("--force", is_flag=True, help="Replace the checkpoint if it exists.")
@click.option("--resume", is_flag=True, help="Go on training the checkpoint.")
@click.option(
    "--recipe",
    type=click.Choice(["default", "classic"]),
    help="'classic' is the program of the course, exactly: of the options below it takes --steps.  "
    "[default: default]",
)
@seed_option
@number(
    "--hidden hidden_size",
    int,
    BOUNDS,
    "Hidden units; 0 leaves the network out.  [default: 128; from 1,000 names on 256]",
)
@number(
    "--order",
    int,
    BOUNDS,
    "The longest n-grams beside the network; 0 leaves them out.  [default: from 2 to 8, whichever "
    "does best on the held-out names]",
)
@number("--epochs", int, BOUNDS, "Passes over the names.  [default: 640 / names^0.35]")
@number(
    "--steps", int, BOUNDS, f"Updates in all, in place of --epochs.  [classic: {CLASSIC_STEPS}]"
)
@number("--batch-size", int, BOUNDS, "Names in an update.  [default: 32; from 10,000 names on 64]")
@number(
    "--learning-rate",
    float,
    BOUNDS,
    "The highest rate of the schedule, which rises to it and then falls to 0.  "
    f"[default: {Settings.learning_rate}]",
)
@number(
    "--momentum",
    float,
    BOUNDS,
    f"How much of an update goes into the next.  [default: {Settings.momentum}]",
)
@number(
    "--dropout",
    float,
    BOUNDS,
    "The share of hidden units left out while learning, against learning by heart.  "
    "[default: 24 / names^0.6, at most 0.5]",
)
@number("--clip", float, BOUNDS, f"The greatest norm of a gradient.  [default: {Settings.clip}]")
@number(
    "--holdout",
    float,
    BOUNDS,
    "The share of the names held out, to tell how good the model is and when to stop; at most "
    f"1,000 names. 0 trains on all.  [default: {Settings.holdout}; of fewer than 50 names none]",
)
@number(
    "--patience",
    int,
    BOUNDS,
    f"Stop after N evaluations without a better held-out loss.  [default: {Settings.patience}]",
)
@click.option(
    "--case",
    type=click.Choice(["fold", "keep"]),
    help="Learn from lower-cased names and give capitals back, or keep names as they are.  "
    "[default: fold]",
)
@click.option("--keep-duplicates", is_flag=True, help="Learn from a name as often as it occurs.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing on stderr but what went wrong.")
def train(
    corpus: tuple[str, ...], output: str, force: bool, resume: bool, quiet: bool, **options: Any
) -> None:
    """Learn from lists of names, and save what was learned.

    CORPUS is a file of one name a line, in UTF-8; several are read as one, and - is standard
    input. The path of the checkpoint is printed on stdout.

    \b
    Examples:
      dinogen train dinos.txt
      cut -d, -f1 people.csv | dinogen train - -o people.npz
      dinogen train elves.txt dwarfs.txt -o peoples.npz --hidden 128 --seed 1
      dinogen train dinos.txt --recipe classic --steps 3500 -o classic.npz
    """
    given = {
        name: value for name, value in options.items() if value is not None and value is not False
    }
    _check_usage(corpus, output, given, force=force, resume=resume)
    from dinogen.checkpoint.writing import NO_FILE, Stamp, check_writable

    check_writable(output)
    before = Stamp.of(output)
    if before != NO_FILE and not resume:
        _check_replacing(output, force=force)
    run = _resume(corpus, output, given) if resume else _begin(corpus, given, quiet=quiet)
    if not watch(run, output, before, quiet=quiet):
        again = shlex.join(["dinogen", "train", *corpus, "-o", output, "--resume"])
        tell(f"stopped at step {run.step:,} of {run.steps:,}; saved; to go on: {again}")
        click.get_current_context().exit(INTERRUPTED)
    give_path(output)


def _check_usage(
    corpus: tuple[str, ...], output: str, given: dict[str, Any], *, force: bool, resume: bool
) -> None:
    if corpus.count("-") > 1:
        raise click.UsageError("- stands for standard input; name it once.")
    if output == "-":
        raise click.UsageError("A checkpoint is no text for stdout; name a file with --output.")
    if force and resume:
        raise click.UsageError("--force replaces the checkpoint, --resume goes on; give one.")
    if "steps" in given and "epochs" in given:
        raise click.UsageError("--steps and --epochs both say how long to train; give one.")
    if given.get("recipe") == "classic":
        _allow(given, {"recipe", "steps"}, "is fixed in the classic recipe")
    if given.get("hidden_size") == 0:
        ngrams = {"recipe", "seed", "hidden_size", "order", "holdout", "case", "keep_duplicates"}
        _allow(given, ngrams, "is for the network, which --hidden 0 leaves out")


def _allow(given: dict[str, Any], names: set[str], why: str) -> None:
    for option in click.get_current_context().command.params:
        if option.name in given.keys() - names:
            raise click.UsageError(f"{option.opts[-1]} {why}; leave it out.")


def _check_replacing(output: str, *, force: bool) -> None:
    from dinogen.checkpoint.writing import check_replaceable
    from dinogen.errors import CheckpointError

    check_replaceable(output)
    if not force:
        raise CheckpointError(
            f"{output}: exists already; --force replaces it, --resume goes on training it, "
            "-o names another"
        )


def _begin(paths: tuple[str, ...], given: dict[str, Any], *, quiet: bool) -> "Run":
    """Set up a new run."""
    from dinogen.text.corpus import read_corpus
    from dinogen.training.classic import ClassicRun
    from dinogen.training.loop import DefaultRun

    if given.get("recipe") == "classic":
        return ClassicRun(
            read_corpus(paths, keep_duplicates=True), given.get("steps", CLASSIC_STEPS)
        )
    corpus = read_corpus(
        paths,
        fold_case=given.get("case") != "keep",
        keep_duplicates=given.get("keep_duplicates", False),
    )
    chosen = {name: given.get(name) for name in BOUNDS}
    chosen["seed"] = given["seed"] if "seed" in given else fresh_seed()
    settings = Settings.for_corpus(corpus.facts, **chosen)
    if "seed" not in given and not quiet:
        tell_seed(settings.seed)
    if settings.hidden_size and not quiet:
        tell(
            f"{corpus.facts.names:,} names: {settings.hidden_size:,} hidden units, "
            f"{settings.steps:,} updates of {settings.batch_size:,} names, "
            f"dropout {settings.dropout:g}"
        )
    return DefaultRun(corpus, settings)


def _drop_said(given: dict[str, Any], checkpoint: "Checkpoint") -> None:
    """Take out what is given as it was at first; what is not may change nothing but the plan."""
    plan = {"recipe", "steps", "epochs", "patience"}
    said: dict[str, object] = {
        **checkpoint.training.settings,
        "case": "fold" if checkpoint.case.fold else "keep",
        # Of a list without any, it makes no difference.
        "keep_duplicates": checkpoint.corpus.keeps_duplicates or not checkpoint.corpus.duplicates,
    }
    for name in given.keys() - plan:
        if given[name] == said.get(name):
            del given[name]
    _allow(given, plan, "is what the checkpoint says")


def _resume(paths: tuple[str, ...], output: str, given: dict[str, Any]) -> "Run":
    """Set up a run that goes on where the checkpoint stands."""
    from dinogen.checkpoint.reading import load
    from dinogen.errors import CheckpointError, SettingError
    from dinogen.text.corpus import read_corpus
    from dinogen.training.classic import ClassicRun
    from dinogen.training.loop import DefaultRun

    checkpoint = load(output)
    _drop_said(given, checkpoint)
    corpus = read_corpus(
        paths,
        fold_case=checkpoint.case.fold,
        keep_duplicates=checkpoint.corpus.keeps_duplicates,
    )
    recipe = given.pop("recipe", checkpoint.recipe)
    try:
        if recipe == "classic":
            _allow(given, {"steps"}, "is fixed in the classic recipe")
            return ClassicRun.resume(corpus, checkpoint, given.get("steps"))
        return DefaultRun.resume(corpus, checkpoint, **given)
    except (CheckpointError, SettingError) as error:
        raise CheckpointError(f"{output}: {error}") from None
