"""``dinogen train``: train a model on lists of names, or on running text."""

import shlex
from typing import TYPE_CHECKING, Any

import click

from dinogen.bounds import new_seed
from dinogen.cli.options import (
    DEFAULT_CHECKPOINT,
    number_option,
    print_seed,
    refused_as_usage,
    seed_option,
)
from dinogen.cli.terminal import INTERRUPTED, print_message, print_path
from dinogen.training.settings import (
    BOUNDS,
    CHOICES,
    CLASSIC_RECIPE,
    CLASSIC_STEPS,
    LEARNING_RATES,
    MAX_NAMES,
    NO_ORIGIN,
    RECIPES,
    TAUGHT_EPOCHS,
    TAUGHT_RATE,
    TEXT_RATES,
    TEXT_WINDOW,
    TUNED_DROPOUT,
    TUNED_EPOCHS,
    TUNED_RATE,
    Settings,
)

if TYPE_CHECKING:
    from dinogen.checkpoint.checkpoint import Checkpoint
    from dinogen.data.corpus import Corpus
    from dinogen.data.texts import TextCorpus
    from dinogen.training.default import DefaultRun
    from dinogen.training.origin import Origin
    from dinogen.training.run import Run

_SOURCE = {"encoding", "column", "weights"}
"""The options that say where the names are in a file. Checkpoints do not hold them."""

_READING = {"text", "case", "unit", "keep_duplicates", *_SOURCE}
"""The options that say how a list is read. All others, except the recipe, go to `Settings`."""

_OF_NAMES = {"recipe", "origin", "case", "keep_duplicates", "column", "weights"}
"""The options that running text does not have."""


def _as_column(_ctx: click.Context, _option: click.Parameter, value: str | None) -> Any:
    """Convert digits to the position of a column."""
    from dinogen.data.tables import as_column

    return None if value is None else as_column(value)


def _check_encoding(_ctx: click.Context, option: click.Parameter, value: str | None) -> Any:
    """Refuse an unknown encoding."""
    from dinogen.data.encodings import check_encoding

    if value is not None:
        with refused_as_usage(option):
            check_encoding(value)
    return value


@click.command(
    epilog="Of running text with S symbols, these defaults differ: 384 hidden units for one layer, "
    "else 128; 22,000 / sqrt(S) epochs; dropout 80 / sqrt(S) for rnn, else 3.5 / S^0.25, at most "
    f"0.4; learning rate {', '.join(f'{cell} {rate:g}' for cell, rate in TEXT_RATES.items())}; "
    "n-grams of order 2 to 10. Nothing is taught.\n\n"
    "Ctrl-C stops the training and saves the model. To continue, run the same command with "
    "--resume, and without --force. The result is the same as without the stop."
)
@click.argument("corpus", nargs=-1, metavar="CORPUS...")
@click.option(
    "-o",
    "--output",
    default=DEFAULT_CHECKPOINT,
    show_default=True,
    metavar="PATH",
    help="Where to save the checkpoint, the file of the trained model.",
)
@click.option("--force", is_flag=True, help="Replace the checkpoint if it exists.")
@click.option("--resume", is_flag=True, help="Continue training the checkpoint.")
@click.option(
    "--recipe",
    type=click.Choice(RECIPES),
    help="Training method. 'classic' reproduces the program of a well-known course exactly; it has "
    "no other setting than --steps.  [default: default]",
)
@seed_option
@click.option(
    "--text",
    is_flag=True,
    help="Learn running text instead of names: each file is one text, of which every character "
    "counts. The last tenth of each text is held out. Some defaults differ, see below.",
)
@click.option(
    "--cell",
    type=click.Choice(CHOICES["cell"], case_sensitive=False),
    help="Kind of the neural network: rnn, a vanilla RNN; or gru or lstm, which predict names "
    f"better and take longer.  [default: {Settings.cell}]",
)
@click.option(
    "--from",
    "origin",
    metavar="base|none|PATH",
    help="The trained network to start from, so that a short list is enough. base: the one that "
    "comes with dinogen; it knows names of people and places and scientific names, in many "
    "scripts. PATH: another checkpoint. If your network has its cell, layers and hidden units, it "
    "is tuned to your names. Any other one is taught: the trained network learns your names and "
    "writes more like them. none: start from scratch.  [default: base for up to "
    f"{MAX_NAMES:,} names, if a short trial shows that it helps; else none]",
)
@number_option(
    "--layers",
    int,
    BOUNDS,
    "Recurrent layers of the network; each reads the hidden units of the one below.  "
    f"[default: {Settings.layers}]",
)
@number_option(
    "--hidden hidden_size",
    int,
    BOUNDS,
    "Hidden units in each layer of the network; 0 for no network.  [default: 256 for one layer, "
    "else 128; as many as those of the network that is tuned; from scratch 128 for fewer than "
    "1,000 names]",
)
@number_option(
    "--order",
    int,
    BOUNDS,
    "Length of the longest sequences of symbols that the n-gram model counts; it is mixed with the "
    "network. 0 for no n-gram model.  [default: from 2 to 8, the best on the held-out names]",
)
@number_option(
    "--epochs",
    int,
    BOUNDS,
    "Passes over the names or texts.  [default: taught "
    f"{TAUGHT_EPOCHS}, tuned {TUNED_EPOCHS}, from scratch 640 / names^0.35 or, for fewer than 200 "
    "names, half as many]",
)
@number_option(
    "--steps",
    int,
    BOUNDS,
    f"Training steps in total, instead of --epochs.  [default with classic: {CLASSIC_STEPS}]",
)
@number_option(
    "--batch-size",
    int,
    BOUNDS,
    "Names per training step, or streams of running text.  [default: 32; 64 if taught, and from "
    "10,000 names on]",
)
@number_option(
    "--window",
    int,
    BOUNDS,
    "With --text: symbols of each stream per training step. Gradients flow back through them, and "
    f"states are carried over to the next ones.  [default: {TEXT_WINDOW}]",
)
@number_option(
    "--learning-rate",
    float,
    BOUNDS,
    "Highest learning rate. The rate first rises to it, then falls to 0.  "
    f"[default: {', '.join(f'{cell} {rate:g}' for cell, rate in LEARNING_RATES.items())}; taught "
    f"rnn {TAUGHT_RATE:g}; tuned {TUNED_RATE:g}]",
)
@number_option(
    "--momentum",
    float,
    BOUNDS,
    f"Share of each update that is added to the next one.  [default: {Settings.momentum}]",
)
@number_option(
    "--dropout",
    float,
    BOUNDS,
    "Share of hidden units dropped in training, against overfitting.  "
    f"[default: taught 0, tuned {TUNED_DROPOUT:g}, from scratch 24 / names^0.6 for rnn, else twice "
    "as much; at most 0.5]",
)
@number_option(
    "--clip",
    float,
    BOUNDS,
    "Largest norm of the gradient. A larger gradient is scaled down to it.  "
    f"[default: {Settings.clip}]",
)
@number_option(
    "--holdout",
    float,
    BOUNDS,
    "Share of the names that are held out of training, at most 1,000; or the last part of each "
    "text. They measure how good the model is and decide when to stop. 0 to train on everything.  "
    f"[default: {Settings.holdout}, or 0 for fewer than 200 names or 5,000 symbols of text]",
)
@number_option(
    "--patience",
    int,
    BOUNDS,
    "Stop after N evaluations in a row without a better loss on what is held out.  "
    f"[default: {Settings.patience}]",
)
@click.option(
    "--case",
    type=click.Choice(["fold", "keep"]),
    help="fold: train on names in small letters, and write new names with capitals as in the list. "
    "keep: train on names as they are.  [default: fold]",
)
@click.option(
    "--unit",
    type=click.Choice(["character", "word"]),
    help="What a name is made of. character: letters, spaces and so on. word: words between white "
    "space, such as phonemes, syllables, notes or chords; they are learned as they are, in any "
    "case.  [default: character]",
)
@click.option(
    "--keep-duplicates", is_flag=True, help="Train on a name as often as it is in the list."
)
@click.option(
    "--column",
    metavar="NAME|N",
    callback=_as_column,
    help="The column that has the names, if CORPUS is a table (CSV, or with tabs, semicolons or "
    "bars): its name in the first row, or its position, counted from 1.",
)
@click.option(
    "--weights",
    metavar="NAME|N",
    callback=_as_column,
    help="The column that says how much each name weighs, such as a count. Rows with the same name "
    "add up.",
)
@click.option(
    "--encoding",
    metavar="NAME",
    callback=_check_encoding,
    help="The encoding of CORPUS, such as utf-16, cp1252 or shift_jis.  [default: utf-8, or what "
    "the file begins with]",
)
@click.option("-q", "--quiet", is_flag=True, help="Print only problems on stderr.")
def train(
    corpus: tuple[str, ...], output: str, force: bool, resume: bool, quiet: bool, **options: Any
) -> None:
    """Train a model on lists of names, or on running text.

    CORPUS is a text file in UTF-8 with one name per line, or a table with --column. Several files
    are read as one list; - is standard input. With --text, CORPUS is running text. The path of the
    checkpoint is printed on stdout.

    \b
    Examples:
      dinogen train dinos.txt
      dinogen train people.csv --column name -o people.npz
      sort -u old.txt new.txt | dinogen train - -o both.npz
      dinogen train elves.txt dwarfs.txt -o peoples.npz --hidden 128 --seed 1
      dinogen train surnames.txt -o surnames.npz --cell lstm --layers 2
      dinogen train --text plays.txt -o plays.npz
      dinogen train dinos.txt --recipe classic --steps 3500 -o classic.npz
    """
    given = {
        name: value for name, value in options.items() if value is not None and value is not False
    }
    _check_usage(corpus, output, given, force=force, resume=resume)
    from dinogen.checkpoint.writing import NO_FILE, Stamp, check_writable
    from dinogen.cli.progress import train_with_progress

    check_writable(output)
    before = Stamp.of(output)
    if before != NO_FILE and not resume:
        _check_replacing(output, force=force)
    if resume:
        run = _resume(corpus, output, given, quiet=quiet)
    else:
        run = _new_run(corpus, given, quiet=quiet)
    if not train_with_progress(run, output, before, quiet=quiet):
        where = [f"--{name}={given[name]}" for name in sorted(given.keys() & _SOURCE)]
        command = shlex.join(["dinogen", "train", *corpus, *where, "-o", output, "--resume"])
        place = f"at step {run.step:,} of {run.steps:,}" if run.step else "during the preparation"
        print_message(f"stopped {place} and saved; to continue: {command}")
        click.get_current_context().exit(INTERRUPTED)
    print_path(output)


def _check_usage(
    corpus: tuple[str, ...], output: str, given: dict[str, Any], *, force: bool, resume: bool
) -> None:
    """Refuse a missing list, and options that contradict each other."""
    if not corpus:
        raise click.UsageError(
            "CORPUS is missing; name a file with one name per line, or one of running text with "
            "--text; - is standard input."
        )
    if corpus.count("-") > 1:
        raise click.UsageError("- is standard input; give it once.")
    if output == "-":
        raise click.UsageError("A checkpoint cannot go to stdout; name a file with --output.")
    if force and resume:
        raise click.UsageError(
            "--force replaces the checkpoint and --resume continues it; give one of them."
        )
    if "steps" in given and "epochs" in given:
        raise click.UsageError("--steps and --epochs both set the training time; give one of them.")
    if "weights" in given and "column" not in given:
        raise click.UsageError("--weights needs --column, the column of the names.")
    if "weights" in given and "keep_duplicates" in given:
        raise click.UsageError(
            "With --weights, names are kept once and their weights add up; leave --keep-duplicates "
            "out."
        )
    if "text" in given:
        allowed = given.keys() - _OF_NAMES
        if given.get("origin") == NO_ORIGIN:
            allowed.add("origin")
        if given.get("recipe") != CLASSIC_RECIPE:
            allowed.add("recipe")
        if given.get("case") == "keep":
            allowed.add("case")
        _check_allowed(given, allowed, "is for names, and --text learns running text")
    elif "window" in given and not resume:
        raise click.UsageError("--window is for running text; leave it out, or add --text.")
    if given.get("recipe") == CLASSIC_RECIPE:
        allowed = {"recipe", "steps", "encoding", "column"}
        _check_allowed(given, allowed, "is fixed in the classic recipe")
    if given.get("unit") == "word" and given.get("case") == "fold":
        raise click.UsageError("--unit word learns words as they are; leave --case fold out.")
    if given.get("hidden_size") == 0:
        allowed = {"recipe", "seed", "hidden_size", "order", "holdout", *_READING}
        if given.get("origin") == NO_ORIGIN:
            allowed.add("origin")
        _check_allowed(given, allowed, "has no effect with --hidden 0, which removes the network")


def _check_allowed(given: dict[str, Any], allowed: set[str], reason: str) -> None:
    """Refuse the first option that is given and not allowed."""
    for option in click.get_current_context().command.params:
        if option.name in given.keys() - allowed:
            name = option.opts[-1]
            raise click.UsageError(f"{name} {reason}; leave {name} out.")


def _check_replacing(output: str, *, force: bool) -> None:
    """Refuse to replace a checkpoint without ``--force``, and any other file at all."""
    from dinogen.checkpoint.writing import check_replaceable
    from dinogen.errors import CheckpointError

    check_replaceable(output)
    if not force:
        raise CheckpointError(
            f"{output}: already exists; replace it with --force, continue its training with "
            "--resume, or name another file with -o"
        )


def _new_run(paths: tuple[str, ...], given: dict[str, Any], *, quiet: bool) -> "Run":
    """Set up a run at step 0."""
    from dinogen.training.classic import ClassicRun
    from dinogen.training.default import DefaultRun

    if given.get("recipe") == CLASSIC_RECIPE:
        names = _read_list(paths, given, keep_duplicates=True)
        return ClassicRun(names, given.get("steps", CLASSIC_STEPS))
    unit = given.get("unit", "character")
    corpus: Corpus | TextCorpus
    if "text" in given:
        corpus = _read_texts(paths, given, unit)
    else:
        corpus = _read_list(
            paths,
            given,
            fold_case=given.get("case") != "keep",
            unit=unit,
            keep_duplicates=given.get("keep_duplicates", False),
        )
    chosen = {name: value for name, value in given.items() if name not in {"recipe", *_READING}}
    if "seed" not in given:
        chosen["seed"] = new_seed()
    run = DefaultRun.start(corpus, **chosen)
    if "seed" not in given and not quiet:
        print_seed(run.settings.seed)
    if not quiet:
        _print_plan(run)
    return run


def _read_list(paths: tuple[str, ...], given: dict[str, Any], **options: Any) -> "Corpus":
    """Read lists of names, and print what does not look like names."""
    from dinogen.data.corpus import read_corpus

    where = {name: given[name] for name in given.keys() & _SOURCE}
    corpus = read_corpus(paths, **where, **options)
    # These are problems, so they are printed with --quiet, too.
    for warning in corpus.warnings:
        print_message(f"warning: {warning}")
    return corpus


def _read_texts(paths: tuple[str, ...], given: dict[str, Any], unit: str) -> "TextCorpus":
    """Read running text."""
    from dinogen.data.texts import read_texts

    return read_texts(paths, unit=unit, encoding=given.get("encoding"))


def _print_plan(run: "DefaultRun") -> None:
    """Print the network and its training. N-grams alone have no plan."""
    from dinogen.data.corpus import Corpus
    from dinogen.inspection.wording import describe_network, pluralize
    from dinogen.training.teaching import names_to_write

    settings, corpus = run.settings, run.corpus
    if not settings.hidden_size:
        return
    network = describe_network(settings.cell, settings.layers, settings.hidden_size)
    batch = pluralize(settings.batch_size, "name")
    if settings.window:
        batch = f"{settings.batch_size:,} x {pluralize(settings.window, 'symbol')}"
    print_message(
        f"{corpus.stats.describe()}: {network}, {pluralize(settings.steps, 'step')} of {batch}, "
        f"learning rate {settings.learning_rate:g}, dropout {settings.dropout:g}"
    )
    if run.origin is None or not isinstance(corpus, Corpus):
        return
    config = run.origin.network.config
    start = (
        f"{run.origin.name} ({describe_network(config.cell, config.layers, config.hidden_size)})"
    )
    if run.teaching:
        steps = pluralize(run.teaching.trainer.steps, "step")
        print_message(
            f"before that, its teacher, {start}, learns the names in up to {steps} and writes "
            f"{names_to_write(corpus):,} names"
        )
    else:
        print_message(f"it starts as {start} and is tuned to the names")


def _resume(paths: tuple[str, ...], output: str, given: dict[str, Any], *, quiet: bool) -> "Run":
    """Set up a run that continues a checkpoint."""
    from dinogen.checkpoint.reading import load_checkpoint
    from dinogen.data.corpus import Corpus
    from dinogen.errors import CheckpointError, SettingError
    from dinogen.training.classic import ClassicRun
    from dinogen.training.default import DefaultRun
    from dinogen.training.run import check_resumable

    checkpoint = load_checkpoint(output)
    # The names and their weights are compared, wherever they come from.
    plan = _plan({name: given[name] for name in given.keys() - _SOURCE - {"origin"}}, checkpoint)
    corpus = _read_again(paths, given, checkpoint)
    recipe = plan.pop("recipe", checkpoint.recipe)
    origin = None
    if recipe != CLASSIC_RECIPE:
        origin = _origin_of(checkpoint, output, given.get("origin"))
    elif "origin" in given:
        plan["origin"] = given["origin"]  # refused below
    try:
        check_resumable(checkpoint, recipe, corpus)
        if recipe == CLASSIC_RECIPE and isinstance(corpus, Corpus):
            _check_allowed(plan, {"steps"}, "is fixed in the classic recipe")
            return ClassicRun.resume(corpus, checkpoint, plan.get("steps"))
        run = DefaultRun.resume(corpus, checkpoint, origin, **plan)
    except (CheckpointError, SettingError) as error:
        raise CheckpointError(f"{output}: {error}") from None
    if not quiet:
        _print_plan(run)
    return run


def _read_again(
    paths: tuple[str, ...], given: dict[str, Any], checkpoint: "Checkpoint"
) -> "Corpus | TextCorpus":
    """Read a corpus as that of a checkpoint was read."""
    from dinogen.data.statistics import TextStats

    stats, unit = checkpoint.corpus, checkpoint.vocabulary.unit.name
    if isinstance(stats, TextStats):
        return _read_texts(paths, given, unit)
    return _read_list(
        paths,
        given,
        fold_case=checkpoint.case.folds,
        unit=unit,
        keep_duplicates=stats.keeps_duplicates,
    )


def _origin_of(checkpoint: "Checkpoint", output: str, name: str | None) -> "Origin | None":
    """Load the origin of a checkpoint, or what the user names instead."""
    from dinogen.errors import CheckpointError
    from dinogen.training.origin import load_origin

    if name is not None:
        return None if name == NO_ORIGIN else load_origin(name)
    if checkpoint.lineage is None:
        return None
    try:
        return load_origin(checkpoint.lineage.name)
    except CheckpointError:
        raise CheckpointError(
            f"{output}: it started from {checkpoint.lineage.name}, which cannot be read; name its "
            "new path with --from, or train anew with --force"
        ) from None


def _plan(given: dict[str, Any], checkpoint: "Checkpoint") -> dict[str, Any]:
    """Return the options that may change when training continues.

    The others may repeat what the checkpoint says, so that a command line works again with
    ``--resume``. They may not contradict it.
    """
    from dinogen.data.statistics import CorpusStats

    plan = {"recipe", "steps", "epochs", "patience"}
    stats = checkpoint.corpus
    fixed: dict[str, object] = {
        **checkpoint.training.settings,
        "text": stats.content == "text",
        "case": "fold" if checkpoint.case.folds else "keep",
        "unit": checkpoint.vocabulary.unit.name,
    }
    if isinstance(stats, CorpusStats):
        # In a list without duplicates, the option changes nothing.
        fixed["keep_duplicates"] = stats.keeps_duplicates or not stats.duplicates
    changed = {
        name: value for name, value in given.items() if name in plan or value != fixed.get(name)
    }
    _check_allowed(changed, plan, "cannot change when training continues")
    return changed
