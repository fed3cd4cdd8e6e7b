"""Reading a checkpoint, which is untrusted input: nothing is used before it was checked."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np

from dinogen.checkpoint.archive import Archive, open_at_once, unpack
from dinogen.checkpoint.contents import (
    FORMAT,
    PRECISION,
    Checkpoint,
    ClassicRow,
    DefaultRow,
    HeldOut,
    HistoryRow,
    ResumeState,
    TrainingFacts,
)
from dinogen.checkpoint.fields import Fields, Malformed, visible
from dinogen.errors import CheckpointError
from dinogen.models.ngram import (
    LARGEST_TABLE,
    LEAST_DISCOUNT,
    MOST_DISCOUNT,
    GramTree,
    NGram,
)
from dinogen.models.rnn import MOST_PARAMETERS, RNN, RNNConfig
from dinogen.text.case import LONGEST_FOLDED, CaseRule
from dinogen.text.cleaning import LONGEST_LINE, is_visible
from dinogen.text.facts import CorpusFacts
from dinogen.text.vocabulary import Vocabulary

LARGEST_HIDDEN_SIZE = 4_096
LARGEST_META = 1 << 24
"""Bytes of JSON: far more than a history and a vocabulary ever take."""

MOST_ROWS = 1 << 12
"""Of a history, which never has so many."""


def load(path: str | Path) -> Checkpoint:
    """Read a checkpoint.

    No byte of it is ever executed or unpickled: it holds numbers and one JSON text, whose types,
    shapes and bounds are checked against each other before use.

    Raises:
        CheckpointError: for a file that cannot be read, or that `save` did not write.
    """
    try:
        with open(path, "rb", opener=open_at_once) as file, unpack(file) as archive:
            return _checkpoint(archive)
    except _Foreign as problem:
        raise CheckpointError(f"{path}: {problem}") from None
    except Malformed as problem:
        raise CheckpointError(
            f"{path}: no dinogen checkpoint, or a damaged one: {problem}; "
            "make one with: dinogen train LIST"
        ) from None
    except MemoryError:
        raise CheckpointError(
            f"{path}: takes more memory than there is; use a smaller one"
        ) from None
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: no such checkpoint; check the path, or make one with: "
            f"dinogen train LIST -o {path}"
        ) from None
    except IsADirectoryError:
        raise CheckpointError(f"{path}: a directory; name a checkpoint in it") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CheckpointError(f"{path}: {reason}; check the path") from None


class _Foreign(Malformed):
    """The file is whole, but not for this program."""


def _checkpoint(archive: Archive) -> Checkpoint:
    meta = _meta(archive)
    recipe = meta.text("recipe")
    if recipe not in PRECISION:
        raise _Foreign(f"its recipe, {recipe!r}, is not known here; upgrade dinogen")
    vocabulary = _vocabulary(meta.list("symbols"))
    V = len(vocabulary)
    config = _config(meta.fields("model"), V)
    weights = config.shapes if config.hidden_size else {}
    grams = None if meta.any("ngram") is None else meta.fields("ngram")
    if not weights and (recipe == "classic" or not grams):
        raise Malformed("it holds no model")
    corpus = _corpus(meta.fields("corpus"))
    training = _training(meta.fields("training"))
    shapes = ResumeState.shapes(recipe, config, interrupted=training.interrupted)
    archive.expect(
        {
            "meta",
            "known",
            *(f"model.{name}" for name in weights),
            *(f"ngram.{name}" for name in ((*GramTree._fields, "discounts") if grams else ())),
            *(f"resume.{name}" for name in shapes),
        }
    )
    known = archive.array("known", np.uint64, (corpus.lines - corpus.duplicates,))
    if not (known[1:] > known[:-1]).all():
        raise Malformed("its digests are not in order")
    counters = meta.fields("resume")
    return Checkpoint(
        version=meta.text("version"),
        recipe=recipe,
        network=_network(archive, config, PRECISION[recipe]) if weights else None,
        ngram=_ngram(archive, grams, V) if grams else None,
        weight=meta.fields("weights").number("network", 0, 1),
        vocabulary=vocabulary,
        case=_case(meta.fields("case")),
        corpus=corpus,
        known=known,
        training=training,
        held_out=_held_out(meta),
        history=_history(meta.list("history"), recipe),
        resume=ResumeState(
            {
                name: archive.numbers(f"resume.{name}", PRECISION[recipe], shape)
                for name, shape in shapes.items()
            },
            {
                name: counters.integer(name) if kind is int else counters.number(name)
                for name, kind in ResumeState.kinds(recipe).items()
            },
        ),
    )


def _network(archive: Archive, config: RNNConfig, dtype: type[np.floating]) -> RNN:
    # Read before there is a network, which would be as large as the file only claims to be.
    parameters = {
        name: archive.numbers(f"model.{name}", dtype, shape)
        for name, shape in config.shapes.items()
    }
    network = RNN(config, dtype)
    network.parameters.fill(parameters)
    return network


def _ngram(archive: Archive, grams: Fields, symbols: int) -> NGram:
    order = grams.integer("order", low=1, high=LONGEST_LINE)
    count, contexts = grams.integer("grams", low=1), grams.integer("contexts", low=1)
    if max(count, contexts * symbols) > LARGEST_TABLE:
        raise Malformed("it has too many n-grams or contexts")
    tree = GramTree(
        **{
            name: archive.array(f"ngram.{name}", kind, (count + 1,))
            for name, kind in GramTree.kinds(symbols).items()
        }
    )
    if not tree.is_sound(order, symbols):
        raise Malformed("its n-grams are no tree")
    if tree.contexts != contexts:
        raise Malformed("it has another number of contexts than it says")
    discounts = archive.numbers("ngram.discounts", np.float64, (order, len(MOST_DISCOUNT)))
    if not ((discounts >= LEAST_DISCOUNT) & (discounts <= MOST_DISCOUNT)).all():
        raise Malformed("its discounts are out of bounds")
    return NGram(tree, discounts, symbols)


def _meta(archive: Archive) -> Fields:
    if "meta" not in archive.names:
        raise _Foreign("an .npz file, but no dinogen checkpoint; name one that dinogen wrote")
    text = archive.text("meta", LARGEST_META)
    try:
        meta = Fields(json.loads(text), "its description")
    except (ValueError, RecursionError):
        raise Malformed("its description is not JSON") from None
    version = meta.integer("format", low=1)
    if version > FORMAT:
        raise _Foreign(
            f"written in format {version} by a newer dinogen, where this one reads format "
            f"{FORMAT}; upgrade dinogen"
        )
    return meta


def _vocabulary(symbols: list[object]) -> Vocabulary:
    if not symbols or any(
        not isinstance(symbol, str) or len(symbol) != 1 or not is_visible(symbol)
        for symbol in symbols
    ):
        raise Malformed("its symbols are not single visible symbols")
    texts = [str(symbol) for symbol in symbols]
    if texts != sorted(set(texts)):
        raise Malformed("its symbols are not in order")
    if all(map(str.isspace, texts)):
        raise Malformed("its symbols are white space, of which no name can be made")
    return Vocabulary(texts)


def _config(model: Fields, symbols: int) -> RNNConfig:
    cell, layers = model.text("cell"), model.integer("layers")
    if (cell, layers) != ("rnn", 1):
        raise _Foreign(f"its {layers}-layer {cell} network is not known here; upgrade dinogen")
    config = RNNConfig(symbols, model.integer("hidden_size", high=LARGEST_HIDDEN_SIZE))
    if config.parameters > MOST_PARAMETERS:
        raise Malformed("its network is far too large")
    return config


def _case(case: Fields) -> CaseRule:
    after = case.list("capital_after")
    if any(
        not isinstance(s, str) or (s != "\n" and not (len(s) == 1 and is_visible(s))) for s in after
    ):
        raise Malformed("capital_after is no list of symbols")
    return CaseRule(case.boolean("fold"), frozenset(after))


def _corpus(corpus: Fields) -> CorpusFacts:
    lines = corpus.integer("lines", low=2)
    return CorpusFacts(
        lines=lines,
        names=corpus.integer("names", low=2, high=lines),
        duplicates=corpus.integer("duplicates", high=lines - 2),
        longest=corpus.integer("longest", low=1, high=LONGEST_FOLDED),
        sha256=corpus.text("sha256"),
    )


def _training(training: Fields) -> TrainingFacts:
    settings = training.fields("settings")
    settings.integer("steps", low=1)
    return TrainingFacts(
        seed=training.integer("seed", high=2**64 - 1),
        steps=training.integer("steps"),
        seconds=training.number("seconds"),
        interrupted=training.boolean("interrupted"),
        settings={
            visible(name, "the name of a setting"): settings.number(name) for name in settings
        },
    )


def _held_out(meta: Fields) -> HeldOut | None:
    if meta.any("heldout") is None:
        return None
    held_out = meta.fields("heldout")
    return HeldOut(
        names=held_out.integer("names", low=1),
        nats_per_symbol=held_out.number("nats_per_symbol"),
        network=held_out.number_or_none("network"),
        ngram=held_out.number_or_none("ngram"),
        frequencies=held_out.number("frequencies"),
    )


def _history(rows: list[object], recipe: str) -> list[HistoryRow]:
    if len(rows) > MOST_ROWS:
        raise Malformed("its history is far too long")
    history = [_row(Fields(row, "history"), recipe) for row in rows]
    if any(before["step"] > after["step"] for before, after in pairwise(history)):
        raise Malformed("its history is not in order")
    return history


def _row(row: Fields, recipe: str) -> HistoryRow:
    step = row.integer("step", low=1)
    if recipe == "classic":
        samples = [visible(name, "a sample") for name in row.list("samples")]
        return ClassicRow(step=step, smoothed_loss=row.number("smoothed_loss"), samples=samples)
    return DefaultRow(step=step, train=row.number("train"), heldout=row.number_or_none("heldout"))
