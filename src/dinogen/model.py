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
from dinogen.errors import CheckpointError, SettingError
from dinogen.generation.decoding import Decoding
from dinogen.generation.namer import Namer
from dinogen.generation.options import Options
from dinogen.generation.rules import NameRules
from dinogen.generation.successors import Successors
from dinogen.models.blend import Blend

BOUNDS: Bounds = {"weight": (1e-6, 1e6)}
"""The bounds of each weight of a blend."""


class Sampler(ABC):
    """What writes names: a model, or a blend of models."""

    @property
    @abstractmethod
    def namer(self) -> Namer:
        """The namer, which draws names as indices and spells them."""

    def sample(
        self, n: int = 10, seed: int | str = 0, *, skip: int = 0, **options: Any
    ) -> list[str]:
        """Draw names, as ``dinogen sample`` prints them.

        Args:
            n: how many names.
            seed: the random seed, a number or a text. The same seed and options give the same names
                for any n.
            skip: how many candidates to skip at the start of the stream.
            options: attributes of `dinogen.generation.Options`, such as temperature and
                prefix.

        Raises:
            SettingError: for an unknown option, a number out of range, and constraints that no name
                can satisfy.
            RanOutError: if fewer than n names were found.
        """
        for unknown in options.keys() - {field.name for field in fields(Options)}:
            raise SettingError(f"{unknown} is not a sampling option")
        drawn = self.namer.draw(n, seed, Options(**options), skip=skip)
        return [name for block in drawn for name in self.namer.spell(block.names)]


class Model(Sampler):
    """A trained model that writes names.

    Attributes:
        checkpoint: the data of the model: members, vocabulary, statistics and history.
        path: the file that it was loaded from; None if it was not.
    """

    def __init__(self, checkpoint: Checkpoint, path: str | Path | None = None) -> None:
        self.checkpoint = checkpoint
        self.path = path

    @cached_property
    def namer(self) -> Namer:
        """The namer of the model."""
        data = self.checkpoint
        return Namer(
            data.mixture,
            data.vocabulary,
            data.case,
            data.known_names,
            NameRules.for_corpus(data.corpus, data.vocabulary, data.pairs),
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
    """A blend of models, which writes names between theirs. `blend` makes it.

    Attributes:
        models: the models.
        weights: the weight of each; they sum to 1.
    """

    def __init__(self, models: Sequence[Model], weights: Sequence[float]) -> None:
        self.models = tuple(models)
        self.weights = tuple(weights)

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
                max(each.corpus.longest for each in data),
                Successors.of(vocabulary, merge_pairs(pairs, translations)),
                min(each.corpus.shortest for each in data),
                vocabulary.continuing,
            ),
            min((each.decoding for each in data), key=_strictness),
        )


def blend(models: Sequence[Model], weights: Sequence[float] | None = None) -> BlendedModel:
    """Blend models: each symbol is drawn from their weighted probabilities.

    Args:
        models: models of the same unit; at least one. All of them fold case, or none.
        weights: the weight of each, in any scale; equal if left out.

    Raises:
        SettingError: if there is not one weight for each model, or a weight is out of range.
        CheckpointError: if the models differ in unit or case.
    """
    shares = as_shares(weights, len(models))
    first, *others = models
    for number, other in enumerate(others, start=2):
        names = f"{_name(other, number)} and {_name(first, 1)}"
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
