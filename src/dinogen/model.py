"""Trained models, as users of the library see them: load, sample, save, and blend."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any

from dinogen.bounds import Bounds, check
from dinogen.checkpoint.checkpoint import Checkpoint
from dinogen.checkpoint.reading import load_checkpoint
from dinogen.checkpoint.writing import save
from dinogen.data.known import KnownList, KnownNames, OriginNames
from dinogen.data.merging import merge_cases, merge_pairs, merge_vocabularies
from dinogen.data.statistics import TextStats
from dinogen.errors import CheckpointError, SettingError
from dinogen.generation.decoding import Decoding
from dinogen.generation.namer import Namer
from dinogen.generation.options import Options, TextOptions
from dinogen.generation.rules import NameRules
from dinogen.generation.successors import Successors
from dinogen.generation.writer import Writer
from dinogen.models.blend import Blend

BOUNDS: Bounds = {"weight": (1e-6, 1e6)}
"""The bounds of each weight of a blend."""


class Sampler(ABC):
    """What writes names or running text: a model, or a blend of models."""

    @property
    @abstractmethod
    def writes_text(self) -> bool:
        """Whether it writes running text, and not names."""

    @property
    @abstractmethod
    def namer(self) -> Namer:
        """The namer, which draws names as indices and spells them.

        Raises:
            CheckpointError: if it writes running text.
        """

    @property
    @abstractmethod
    def writer(self) -> Writer:
        """The writer, which writes running text piece by piece.

        Raises:
            CheckpointError: if it writes names.
        """

    def sample(
        self, n: int = 10, seed: int | str = 0, *, skip: int = 0, **options: Any
    ) -> list[str]:
        """Draw names, or write texts, as ``dinogen sample`` prints them.

        Args:
            n: how many names or texts.
            seed: the random seed, a number or a text. The same seed and options give the same names
                or texts for any n.
            skip: how many candidates to skip at the start of the stream of names.
            options: attributes of `dinogen.generation.Options`, such as temperature and prefix; for
                running text, of `dinogen.generation.TextOptions`.

        Raises:
            SettingError: for an option that is unknown or does not fit the model, a number out of
                range, and constraints that no name can satisfy.
            RanOutError: if fewer than n names were found.
        """
        if not self.writes_text:
            chosen = self.options(**options)
            drawn = self.namer.draw(n, seed, chosen, skip=skip)
            return [name for block in drawn for name in self.namer.spell(block.names)]
        texts: list[list[str]] = []
        for piece in self.writer.write(n, seed, self.text_options(skip=skip or None, **options)):
            if piece.index == len(texts):
                texts.append([])
            texts[-1].append(piece.text)
        return ["".join(text) for text in texts]

    @staticmethod
    def options(**options: Any) -> Options:
        """Return the sampling options of names; refuses those of running text."""
        known = {field.name for field in fields(Options)}
        for name in options.keys() - known:
            if name in {field.name for field in fields(TextOptions)}:
                raise SettingError(
                    f"{_in_words(name)} is for running text, and the model writes names"
                )
            raise SettingError(f"{name} is not a sampling option")
        return Options(**options)

    @staticmethod
    def text_options(**options: Any) -> TextOptions:
        """Return the options of running text; refuses those of names.

        Options without a value are left out, and so are flags that are not set.
        """
        given = {
            name: value
            for name, value in options.items()
            if not (value is None or value is False or value == ())
        }
        known = {field.name for field in fields(TextOptions)}
        for name in given.keys() - known:
            if name == "skip" or name in {field.name for field in fields(Options)}:
                raise SettingError(
                    f"{_in_words(name)} is for names, and the model writes running text; leave it "
                    "out"
                )
            raise SettingError(f"{name} is not a sampling option")
        return TextOptions(**given)


def _in_words(option: str) -> str:
    """Return the name of an option in words, as the command line and Python share it."""
    return option.replace("_", " ")


class Model(Sampler):
    """A trained model that writes names or running text.

    Attributes:
        checkpoint: the data of the model: members, vocabulary, statistics and history.
        path: the file that it was loaded from; None if it was not.
    """

    def __init__(self, checkpoint: Checkpoint, path: str | Path | None = None) -> None:
        self.checkpoint = checkpoint
        self.path = path

    @property
    def writes_text(self) -> bool:
        """See `Sampler.writes_text`."""
        return isinstance(self.checkpoint.corpus, TextStats)

    @cached_property
    def writer(self) -> Writer:
        """See `Sampler.writer`."""
        if not self.writes_text:
            raise CheckpointError("the model writes names, and not running text")
        data = self.checkpoint
        return Writer(data.mixture, data.vocabulary, data.decoding, data.case)

    @cached_property
    def namer(self) -> Namer:
        """See `Sampler.namer`."""
        data = self.checkpoint
        return Namer(
            data.mixture,
            data.vocabulary,
            data.case,
            data.known_names,
            NameRules.for_corpus(data.names, data.vocabulary, data.pairs),
            data.decoding,
        )

    def save(self, path: str | Path) -> None:
        """Write the model to a checkpoint file.

        Raises:
            CheckpointError: if it cannot be written. A file at the path is then unchanged.
        """
        save(self.checkpoint, path)


def load(path: str | Path) -> Model:
    """Load a model from a checkpoint file.

    Raises:
        CheckpointError: for a file that cannot be read, or that is not a checkpoint.
    """
    return Model(load_checkpoint(path), path)


# Blends.


class BlendedModel(Sampler):
    """A blend of models, which writes names or text between theirs. `blend` makes it.

    Attributes:
        models: the models.
        weights: the weight of each; they sum to 1.
    """

    def __init__(self, models: Sequence[Model], weights: Sequence[float]) -> None:
        self.models = tuple(models)
        self.weights = tuple(weights)

    @property
    def writes_text(self) -> bool:
        """See `Sampler.writes_text`."""
        return self.models[0].writes_text

    @cached_property
    def writer(self) -> Writer:
        """See `Sampler.writer`. By default, text is drawn as from the first model."""
        if not self.writes_text:
            raise CheckpointError("the models write names, and not running text")
        data = [model.checkpoint for model in self.models]
        vocabulary, translations = merge_vocabularies(
            [each.vocabulary for each in data], data[0].case
        )
        blended = Blend([each.mixture for each in data], self.weights, translations)
        return Writer(blended, vocabulary, data[0].decoding, data[0].case)

    @cached_property
    def namer(self) -> Namer:
        """The namer of the blend.

        Symbols, capitals, known names and lengths are those of all lists together. By default,
        names are drawn as from the model that leaves out the least.
        """
        data = [model.checkpoint for model in self.models]
        cases, pairs = [each.case for each in data], [each.pairs for each in data]
        vocabulary, translations = merge_vocabularies([each.vocabulary for each in data], cases[0])
        known: list[KnownList | OriginNames] = []
        for each, translation in zip(data, translations, strict=True):
            known.append(KnownList(each.known, len(each.vocabulary), translation.read))
            if each.origin_names:
                known.append(each.origin_names.translated(translation.read))
        return Namer(
            Blend([each.mixture for each in data], self.weights, translations),
            vocabulary,
            merge_cases(cases, self.weights, translations),
            KnownNames(known),
            NameRules(
                max(each.names.longest for each in data),
                Successors.of(vocabulary, merge_pairs(pairs, translations)),
                min(each.names.shortest for each in data),
                vocabulary.continuing,
            ),
            min((each.decoding for each in data), key=_strictness),
        )


def blend(models: Sequence[Model], weights: Sequence[float] | None = None) -> BlendedModel:
    """Blend models: each symbol is drawn from their weighted probabilities.

    Args:
        models: models of the same unit; at least one. All of them write names, or text. All of them
            fold case, or none.
        weights: the weight of each, in any scale; equal if left out.

    Raises:
        SettingError: if there is not one weight for each model, or a weight is out of range.
        CheckpointError: if the models differ in what they write, unit or case.
    """
    shares = as_shares(weights, len(models))
    first, *others = models
    for number, other in enumerate(others, start=2):
        names = f"{_name(other, number)} and {_name(first, 1)}"
        if other.writes_text is not first.writes_text:
            raise CheckpointError(
                f"{names}: one writes names and the other running text; blend models of one kind"
            )
        if other.checkpoint.vocabulary.unit is not first.checkpoint.vocabulary.unit:
            raise CheckpointError(
                f"{names}: one writes characters and the other words; blend models that were "
                "trained with the same --unit"
            )
        if other.checkpoint.case.folds is not first.checkpoint.case.folds:
            raise CheckpointError(
                f"{names}: only one keeps the case of its list; blend models that were trained "
                "with the same --case"
            )
    return BlendedModel(models, shares)


def as_shares(weights: Sequence[float] | None, n: int) -> list[float]:
    """Return the weights of n models as shares of 1; equal ones for None.

    Raises:
        SettingError: if there are not n weights, or one is out of range.
    """
    if n < 1:
        raise SettingError("a blend needs at least one model")
    if weights is None:
        return [1 / n] * n
    if len(weights) != n:
        raise SettingError(f"a blend of {n} models needs {n} weights, not {len(weights)}")
    for weight in weights:
        check("weight", weight, BOUNDS)
    return [weight / sum(weights) for weight in weights]


def _name(model: Model, number: int) -> str:
    """Return what a model is called in messages."""
    return f"model {number}" if model.path is None else str(model.path)


def _strictness(decoding: Decoding) -> tuple[float, float]:
    """Return how much a default decoding leaves out: the more, the greater."""
    return decoding.min_p or 0, -decoding.keep
