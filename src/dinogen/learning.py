"""Learning as users of the library see it: from names or files to a model, in one call."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from os import PathLike
from pathlib import Path
from reprlib import repr as shorten
from typing import Any, Literal, TypedDict, Unpack, get_type_hints

from dinogen.arguments import as_items, convert_all, refuse_unknown
from dinogen.bounds import as_seed, check, in_words, new_seed
from dinogen.data.corpus import Corpus, read_corpus
from dinogen.data.encodings import check_encoding
from dinogen.data.given import GivenNames
from dinogen.data.texts import TextCorpus, read_texts
from dinogen.errors import CorpusError, SettingError
from dinogen.model import Model
from dinogen.training.default import DefaultRun
from dinogen.training.run import Progress
from dinogen.training.settings import BOUNDS, NO_ORIGIN, Settings

Source = str | PathLike[str] | Iterable[str | PathLike[str]] | Corpus | TextCorpus


class TrainingSettings(TypedDict, total=False):
    """The settings of `train` as keyword arguments; each may be left out, or be None.

    How the source is read, see `read_corpus` and `read_texts`:

    - text: whether each file is one running text instead of a list of names.
    - unit: what a symbol is.
    - case: whether names are learned in small letters, with the rule for their capitals ("fold",
      the default), or as they are ("keep").
    - keep_duplicates, column, weights, encoding.

    What is learned, see `DefaultRun.start`:

    - origin: the trained network to start from: "base", "none", or the path of a checkpoint. By
      default it is the base, where that helps.
    - epochs, and the attributes of `dinogen.training.Settings`.
    """

    text: bool
    unit: Literal["character", "word"] | None
    case: Literal["fold", "keep"] | None
    keep_duplicates: bool
    column: str | int | None
    weights: str | int | None
    encoding: str | None
    origin: str | PathLike[str] | None
    cell: Literal["rnn", "gru", "lstm"] | None
    layers: int | None
    hidden_size: int | None
    order: int | None
    epochs: int | None
    steps: int | None
    batch_size: int | None
    window: int | None
    learning_rate: float | None
    momentum: float | None
    clip: float | None
    dropout: float | None
    holdout: float | None
    patience: int | None


_OF_FILES = ("column", "weights", "encoding")
"""What only files have."""

_READING = ("text", "unit", "case", "keep_duplicates", *_OF_FILES)
"""How a source is read."""

_OF_NAMES = ("case", "keep_duplicates", "column", "weights")
"""What running text does not have."""


def train(
    source: Source,
    *,
    seed: int | str | None = None,
    progress: Callable[[Progress], object] | None = None,
    **settings: Unpack[TrainingSettings],
) -> Model:
    """Train a model, as ``dinogen train`` does by default.

    All settings are checked before anything is read. What does not look like names is a
    `UserWarning`.

    Args:
        source: names, or what has them. In a list, a ``str`` is a name and a ``Path`` is a file; a
            single ``str`` or ``Path`` is a file. Or a corpus that has been read.
        seed: the random seed, a number or a text; None for a new one. It is then in
            ``checkpoint.training.seed`` of the model. The same source, settings and seed give the
            same model on the same machine.
        progress: is called after each update with its progress. What it raises ends the training.
        settings: see `TrainingSettings`.

    Raises:
        SettingError: for a setting that is unknown, of a wrong type, out of range, or contradicts
            another one.
        CorpusError: for names or files that cannot be learned. The message has the number of the
            name, or the line of the file.
        CheckpointError: for an origin that cannot be read.
        TrainingError: if the loss explodes even at a very low learning rate.
    """
    if progress is not None and not callable(progress):
        raise SettingError(f"progress must be a function, not {shorten(progress)}")
    number = new_seed() if seed is None else as_seed(seed)
    is_text = isinstance(source, TextCorpus) or settings.get("text") is True
    given = _checked(settings, is_text=is_text)
    corpus = _read(source, {name: given.pop(name) for name in _READING if name in given})
    run = DefaultRun.start(corpus, seed=number, **given)
    for each in run.train():
        if progress is not None:
            progress(each)
    return Model(run.checkpoint())


def _checked(settings: Mapping[str, object], *, is_text: bool) -> dict[str, Any]:
    """Return the settings that have a value; refuses what can be refused without the source."""
    hints = get_type_hints(TrainingSettings)
    refuse_unknown(settings, hints, "a setting of training")
    converted = convert_all(settings, hints)
    given = {n: value for n, value in converted.items() if value is not None and value is not False}
    if "encoding" in given:
        check_encoding(given["encoding"])
    if is_text:
        for name in _OF_NAMES:
            if name in given:
                raise SettingError(
                    f"{in_words(name)} is for names, and running text is learned; leave it out"
                )
        if given.get("origin", NO_ORIGIN) != NO_ORIGIN:
            raise SettingError("running text is learned from scratch; leave origin out")
    elif "window" in given:
        raise SettingError("window is for running text; leave it out")
    if given.get("unit") == "word" and given.get("case") == "fold":
        raise SettingError("unit word learns words as they are; leave case fold out")
    if "epochs" in given:
        check("epochs", given["epochs"], BOUNDS)
        if "steps" in given:
            raise SettingError("steps and epochs both set the training time; give one of them")
    own = {field.name for field in fields(Settings)}
    draft = {"seed": 0, "hidden_size": 1, "steps": 1}
    Settings.from_json(draft | {name: value for name, value in given.items() if name in own})
    return given


def _read(source: Source, reading: dict[str, Any]) -> Corpus | TextCorpus:
    """Read a source; what does not look like names is a warning."""
    if isinstance(source, Corpus | TextCorpus):
        for name in reading:
            raise SettingError(
                f"{in_words(name)} says how a source is read, and this one is a corpus; leave it "
                "out"
            )
        return source
    if isinstance(source, str | PathLike):
        items: list[Any] = [Path(source)]
    else:
        items = as_items("source", source, "a list of names or paths, a path or a corpus")
    if not items:
        raise CorpusError("the source has no names; give some, or the path of a list")
    for number, item in enumerate(items, start=1):
        if not isinstance(item, str | PathLike):
            raise SettingError(f"item {number} must be a name or a Path, not {shorten(item)}")
    corpus: Corpus | TextCorpus
    if reading.pop("text", False):
        corpus = read_texts(_files(items), **reading)
    else:
        reading["fold_case"] = reading.pop("case", "fold") == "fold"
        parts = _parts(items)
        texts = [item for item in items if isinstance(item, str)]
        if texts and _are_files(texts):
            warnings.warn(
                f"{texts[0]!r} is a name, because it is a text in a list; if it is a file, give "
                f"pathlib.Path({texts[0]!r})",
                stacklevel=3,
            )
        if any(isinstance(part, GivenNames) for part in parts):
            for name in _OF_FILES:
                if name in reading:
                    raise SettingError(
                        f"{in_words(name)} is for files, and the source has names in memory; leave "
                        "it out"
                    )
        corpus = read_corpus(parts, **reading)
    for warning in corpus.warnings:
        warnings.warn(warning, stacklevel=3)
    return corpus


def _are_files(names: Iterable[str]) -> bool:
    """Tell whether all names are those of files, by mistake."""
    try:
        return all(Path(name).is_file() for name in names)
    except (OSError, ValueError):  # no file can have such a name
        return False


def _files(items: Iterable[str | PathLike[str]]) -> list[Path]:
    """Return the files of a source of running text."""
    for number, item in enumerate(items, start=1):
        if isinstance(item, str):
            raise SettingError(
                f"item {number} must be a Path, because running text is read from files; not "
                f"{shorten(item)}"
            )
    return [Path(item) for item in items]


def _parts(items: Iterable[str | PathLike[str]]) -> list[Path | GivenNames]:
    """Return the files of a source of names, and the names between them."""
    parts: list[Path | GivenNames] = []
    names: list[str] = []
    for number, item in enumerate(items, start=1):
        if not isinstance(item, str):
            parts.append(Path(item))
            names = []
            continue
        if not names:
            parts.append(GivenNames(names, number))
        names.append(item)
    return parts
