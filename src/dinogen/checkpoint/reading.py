"""Reading a checkpoint, which is untrusted input: nothing is used before it was checked."""

import json
import os
import stat
import struct
import warnings
import zipfile
import zlib
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import IO, TypeVar

import numpy as np
from numpy.typing import NDArray

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
from dinogen.checkpoint.fields import LARGEST_NUMBER, Fields, Malformed, visible
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

LARGEST_FILE = 1 << 30
MOST_ARRAYS = 64
MOST_ROWS = 1 << 12

_MAGIC = b"\x93NUMPY\x01\x00"

_PIECE = 1 << 20

# The end of an archive's directory (APPNOTE.TXT 6.3.10, section 4.3.16), and what stands before it
# where an archive is too large for it.
_DIRECTORY_MARK = b"PK\x05\x06"
_DIRECTORY_END = struct.Struct("<10sHL4xH")
_LOCATOR_MARK = b"PK\x06\x07"
_LOCATOR = 20

Scalar = TypeVar("Scalar", bound=np.generic)


def load(path: str | Path) -> Checkpoint:
    """Read a checkpoint.

    No byte of it is ever executed or unpickled: it holds numbers and one JSON text, whose types,
    shapes and bounds are checked against each other before use.

    Raises:
        CheckpointError: for a file that cannot be read, or that `save` did not write.
    """
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            return _read(file)
    except Malformed as problem:
        raise CheckpointError(f"{path}: {problem}") from None
    except MemoryError:
        raise CheckpointError(
            f"{path}: takes more memory than there is; use a smaller one"
        ) from None
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: no such checkpoint; make one with: dinogen train LIST -o {path}"
        ) from None
    except IsADirectoryError:
        raise CheckpointError(f"{path}: a directory; name a checkpoint in it") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CheckpointError(f"{path}: {reason}; check the path") from None


def _open_at_once(path: str, flags: int) -> int:
    # Without this a pipe would be waited for until somebody writes to it.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _read(file: IO[bytes]) -> Checkpoint:
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise Malformed("not a plain file; name a checkpoint")
    if status.st_size > LARGEST_FILE:
        raise Malformed("far larger than any checkpoint; name one that dinogen wrote")
    damaged = "no dinogen checkpoint, or a damaged one: {}; make one with: dinogen train LIST"
    try:
        _check_directory(file, status.st_size)
        with warnings.catch_warnings():
            # What is strange is refused below, and needs no warning.
            warnings.simplefilter("ignore")
            archive = zipfile.ZipFile(file)
        with archive:
            return _Reader(archive, status.st_size).checkpoint()
    except Malformed as problem:
        if isinstance(problem, _Foreign):
            raise
        raise Malformed(damaged.format(problem)) from None
    except zipfile.BadZipFile:
        raise Malformed(damaged.format("not a whole .npz file")) from None
    # What zipfile lets through of broken archives: bad streams, places outside of the file,
    # encryption, unknown methods.
    except (zlib.error, EOFError, OSError, RuntimeError, ValueError, KeyError, OverflowError):
        raise Malformed(damaged.format("not as dinogen writes it")) from None


def _check_directory(file: IO[bytes], size: int) -> None:
    """Look at the end of an archive, before all that it lists is read into memory.

    Raises:
        Malformed: where it is not as `save` writes it: a short list, and nothing behind that.
    """
    file.seek(max(0, size - _LOCATOR - _DIRECTORY_END.size))
    end = file.read()
    if len(end) < _DIRECTORY_END.size or end[-_DIRECTORY_END.size :][:4] != _DIRECTORY_MARK:
        raise zipfile.BadZipFile
    _, arrays, length, comment = _DIRECTORY_END.unpack(end[-_DIRECTORY_END.size :])
    if comment or end.startswith(_LOCATOR_MARK):
        raise zipfile.BadZipFile
    if arrays > MOST_ARRAYS or length > MOST_ARRAYS << 8:
        raise Malformed("it lists far too much")


class _Foreign(Malformed):
    """The file is whole, but not for this program."""


class _Reader:
    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self._archive = archive
        self._members = {info.filename: info for info in archive.infolist()}
        if "meta.npy" not in self._members:
            raise _Foreign("an .npz file, but no dinogen checkpoint; name one that dinogen wrote")
        if len(self._members) != len(archive.infolist()):
            raise Malformed("it holds two arrays of one name")
        for info in self._members.values():
            # What is not compressed can hold no more than the file does.
            if info.compress_type != zipfile.ZIP_STORED:
                raise Malformed("an array is compressed, which dinogen never does")
            if not info.compress_size == info.file_size <= size:
                raise Malformed("an array is said to be larger than the file")

    def checkpoint(self) -> Checkpoint:
        meta = self._meta()
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
        self._expect(
            {
                "meta",
                "known",
                *(f"model.{name}" for name in weights),
                *(f"ngram.{name}" for name in ((*GramTree._fields, "discounts") if grams else ())),
                *(f"resume.{name}" for name in shapes),
            }
        )
        known = self._array("known", np.uint64, (corpus.lines - corpus.duplicates,))
        if not (known[1:] > known[:-1]).all():
            raise Malformed("its digests are not in order")
        counters = meta.fields("resume")
        return Checkpoint(
            version=meta.text("version"),
            recipe=recipe,
            network=self._network(config, PRECISION[recipe]) if weights else None,
            ngram=self._ngram(grams, V) if grams else None,
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
                    name: self._numbers(f"resume.{name}", PRECISION[recipe], shape)
                    for name, shape in shapes.items()
                },
                {
                    name: counters.integer(name) if kind is int else counters.number(name)
                    for name, kind in ResumeState.kinds(recipe).items()
                },
            ),
        )

    def _network(self, config: RNNConfig, dtype: type[np.floating]) -> RNN:
        # Read before there is a network, which would be as large as the file only claims to be.
        parameters = {
            name: self._numbers(f"model.{name}", dtype, shape)
            for name, shape in config.shapes.items()
        }
        network = RNN(config, dtype)
        network.parameters.fill(parameters)
        return network

    def _ngram(self, grams: Fields, symbols: int) -> NGram:
        order = grams.integer("order", low=1, high=LONGEST_LINE)
        nodes = grams.integer("grams", low=1) + 1
        contexts = grams.integer("contexts", low=1)
        if max(nodes, contexts * symbols) > LARGEST_TABLE:
            raise Malformed("it has too many n-grams or contexts")
        tree = GramTree(
            **{
                name: self._array(f"ngram.{name}", kind, (nodes,))
                for name, kind in GramTree.kinds(symbols).items()
            }
        )
        if not tree.is_sound(order, symbols):
            raise Malformed("its n-grams are no tree")
        if tree.contexts != contexts:
            raise Malformed("it has another number of contexts than it says")
        discounts = self._numbers("ngram.discounts", np.float64, (order, len(MOST_DISCOUNT)))
        if not ((discounts >= LEAST_DISCOUNT) & (discounts <= MOST_DISCOUNT)).all():
            raise Malformed("its discounts are out of bounds")
        return NGram(tree, discounts, symbols)

    def _meta(self) -> Fields:
        length = self._members["meta.npy"].file_size
        if length > LARGEST_META:
            raise Malformed("its description is too long")
        text = self._array("meta", np.uint8, None).tobytes()
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

    def _expect(self, names: set[str]) -> None:
        expected = {f"{name}.npy" for name in names}
        for name in sorted(expected - set(self._members)):
            raise Malformed(f"the array {name.removesuffix('.npy')} is missing")
        if set(self._members) - expected:
            raise Malformed("it holds arrays that no checkpoint has")

    def _numbers(
        self, name: str, dtype: type[np.floating], shape: tuple[int, ...]
    ) -> NDArray[np.floating]:
        array = self._array(name, dtype, shape)
        # Written so that a NaN, which is neither below nor above, does not pass.
        if not (np.abs(array) <= LARGEST_NUMBER).all():
            raise Malformed(f"the array {name} holds what is not a finite number, or far too large")
        return array

    def _array(
        self, name: str, dtype: type[Scalar], shape: tuple[int, ...] | None
    ) -> NDArray[Scalar]:
        """Read an array of a known type and shape; without a shape, a flat one of bounded size."""
        info = self._members[f"{name}.npy"]
        with self._archive.open(info) as file:
            prefix = file.read(len(_MAGIC) + 2)
            header = file.read(int.from_bytes(prefix[len(_MAGIC) :], "little"))
            room = info.file_size - len(prefix) - len(header)
            if shape is None:
                shape = (room,)
            # Compared with what NumPy writes, and not parsed: a header is a Python expression.
            kind = np.dtype(dtype)
            wanted = f"{{'descr': '{kind.str}', 'fortran_order': False, 'shape': {shape}, }}"
            if not prefix.startswith(_MAGIC) or header.rstrip() != wanted.encode():
                raise Malformed(f"the array {name} is not {kind} {shape}")
            if room != prod(shape) * kind.itemsize:
                raise Malformed(f"the array {name} is of another length than it says")
            data, length = bytearray(room), 0
            while piece := file.read(min(_PIECE, room - length)):
                data[length : length + len(piece)] = piece
                length += len(piece)
            # At the end of the file its checksum is checked.
            if length < room or file.read(1):
                raise Malformed(f"the array {name} is cut short")
        return np.frombuffer(data, dtype=kind).reshape(shape)


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
