"""Blended models: names or text between those of several models."""

from collections.abc import Sequence
from functools import cached_property
from reprlib import repr as shorten

from dinogen.arguments import as_items
from dinogen.bounds import Bounds, check
from dinogen.data.known import KnownList, KnownNames, OriginNames
from dinogen.data.merging import merge_cases, merge_pairs, merge_vocabularies
from dinogen.errors import CheckpointError, SettingError
from dinogen.generation.decoding import Decoding
from dinogen.generation.namer import Namer
from dinogen.generation.rules import NameRules
from dinogen.generation.successors import Successors
from dinogen.generation.writer import Writer
from dinogen.model import Model, Sampler
from dinogen.models.blend import Blend

WEIGHT: Bounds = {"weight": (1e-6, 1e6)}
"""The bounds of each weight of a blend."""


class BlendedModel(Sampler):
    """A blend of models, which writes names or text between theirs. `blend` makes it.

    Attributes:
        models: the models.
        weights: the weight of each; they sum to 1.
    """

    def __init__(self, models: Sequence[Model], weights: Sequence[float]) -> None:
        self.models = tuple(models)
        self.weights = tuple(weights)

    def __repr__(self) -> str:
        parts = zip(self.weights, map(repr, self.models), strict=True)
        return f"<BlendedModel of {', '.join(f'{weight:.0%} {model}' for weight, model in parts)}>"

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
    models = as_items("models", models, "a list of models")
    for number, model in enumerate(models, start=1):
        if not isinstance(model, Model):
            raise SettingError(f"model {number} must be a Model, not {shorten(model)}")
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
    weights = as_items("weights", weights, "a list of numbers")
    if len(weights) != n:
        raise SettingError(f"a blend of {n} models needs {n} weights, not {len(weights)}")
    for weight in weights:
        check("weight", weight, WEIGHT)
    return [weight / sum(weights) for weight in weights]


def _name(model: Model, number: int) -> str:
    """Return what a model is called in messages."""
    return f"model {number}" if model.path is None else str(model.path)


def _strictness(decoding: Decoding) -> tuple[float, float]:
    """Return how much a default decoding leaves out: the more, the greater."""
    return decoding.min_p or 0, -decoding.keep
