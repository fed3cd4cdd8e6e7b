"""What a checkpoint holds: everything that is needed to use a model, and to go on training it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, final

import numpy as np
from numpy.typing import NDArray

from dinogen.errors import CheckpointError, SettingError
from dinogen.models.language_model import LanguageModel
from dinogen.models.mixture import Mixture
from dinogen.models.ngram import NGram
from dinogen.models.rnn import RNN, RNNConfig
from dinogen.text.case import CaseRule
from dinogen.text.facts import CorpusFacts
from dinogen.text.vocabulary import Vocabulary
from dinogen.version import __version__

if TYPE_CHECKING:
    from dinogen.generation.namer import Namer
    from dinogen.text.corpus import Corpus

FORMAT = 1
"""Raised whenever an older dinogen could no longer read what a newer one writes."""

PRECISION: Mapping[str, type[np.floating]] = {"default": np.float32, "classic": np.float64}
"""The type of the numbers, by recipe."""


@final
class DefaultRow(TypedDict):
    """One evaluation: updates done, and losses in nats per symbol."""

    step: int
    train: float
    heldout: float | None


@final
class ClassicRow(TypedDict):
    """One printout of the course's program: the loss in nats per name, and names."""

    step: int
    smoothed_loss: float
    samples: list[str]


HistoryRow = DefaultRow | ClassicRow


class TrainingFacts(NamedTuple):
    """How a model was trained.

    Attributes:
        seed: what all chance in it came from.
        steps: updates done.
        seconds: they took, however often the run was stopped and gone on with.
        interrupted: whether there is more to be done.
        settings: by name, as the recipe chose them.
    """

    seed: int
    steps: int
    seconds: float
    interrupted: bool
    settings: Mapping[str, int | float]

    def check_plan(self, steps: int) -> None:
        """Make sure that a plan of so many updates in all does not lie in the past.

        Raises:
            SettingError: if it does.
        """
        if steps < self.steps:
            raise SettingError(
                f"{self.steps:,} steps are done, more than {steps:,} in all; ask for more"
            )


class HeldOut(NamedTuple):
    """How well a model foretells names that it has not seen, at its best.

    Attributes:
        names: held out.
        nats_per_symbol: of the whole model, the n-grams counted without the held-out names.
        network: the same of the network alone, if there is one.
        ngram: the same of the n-grams alone, if there are any.
        frequencies: the same of knowing nothing but how often each symbol occurs.
    """

    names: int
    nats_per_symbol: float
    network: float | None
    ngram: float | None
    frequencies: float


class ResumeState(NamedTuple):
    """What else an exact resume needs: arrays and numbers by name, known to the recipe alone."""

    arrays: Mapping[str, NDArray[np.floating]]
    counters: Mapping[str, int | float]

    @staticmethod
    def kinds(recipe: str) -> dict[str, type[int] | type[float]]:
        """Give the kind of each number that the recipe keeps."""
        if recipe == "classic":
            return {"smoothed_loss": float}
        return {"stale": int, "lowered": int, "loss": float, "symbols": int}

    @staticmethod
    def shapes(recipe: str, config: RNNConfig, *, interrupted: bool) -> dict[str, tuple[int, ...]]:
        """Give the shape of each array that the recipe keeps, when it is done or before."""
        if recipe == "classic":
            return {"a_prev": (1, config.hidden_size)}
        if not interrupted:
            return {}
        return {
            f"{group}.{name}": shape
            for group in ("parameters", "velocity")
            for name, shape in config.shapes.items()
        }


@dataclass(frozen=True)
class Checkpoint:
    """A trained model, with all that gives its numbers a meaning.

    Attributes:
        recipe: "default" or "classic".
        network: at its best, if there is one.
        ngram: counted in all names, if there are any.
        weight: of the network in the mixture of both.
        vocabulary: what its indices stand for.
        case: how capitals are given back.
        corpus: facts about the list it learned from.
        known: (D,) sorted digests of the distinct names of that list, held-out ones included.
        training: facts about its training.
        held_out: its held-out loss, where names were held out.
        history: the losses along the way.
        resume: what else is needed to go on.
        version: of the dinogen that made it.
    """

    recipe: str
    network: RNN | None
    ngram: NGram | None
    weight: float
    vocabulary: Vocabulary
    case: CaseRule
    corpus: CorpusFacts
    known: NDArray[np.uint64]
    training: TrainingFacts
    held_out: HeldOut | None
    history: list[HistoryRow]
    resume: ResumeState
    version: str = __version__

    @cached_property
    def model(self) -> LanguageModel:
        """What names are drawn from and scored by: network and n-grams mixed, or the one there is.

        Raises:
            ValueError: if there is neither.
        """
        if self.network and self.ngram:
            return Mixture(self.network, self.ngram, self.weight)
        if only := self.network or self.ngram:
            return only
        raise ValueError("a checkpoint of neither a network nor n-grams")

    @cached_property
    def namer(self) -> "Namer":
        """What makes names, and tells which are new."""
        from dinogen.generation.namer import Namer

        longest = self.corpus.longest
        return Namer(self.model, self.vocabulary, self.case, self.known, longest)

    def sample(
        self,
        n: int = 10,
        seed: int = 0,
        *,
        prefix: str | None = None,
        suffix: str | None = None,
        contains: Sequence[str] = (),
        min_length: int | None = None,
        max_length: int | None = None,
        pattern: str | None = None,
        **options: Any,
    ) -> list[str]:
        """Make names: what ``dinogen sample`` prints.

        Args:
            n: how many.
            seed: where all chance comes from.
            prefix: how they begin.
            suffix: how they end.
            contains: what occurs in them, one text or several.
            min_length: the fewest symbols they have.
            max_length: the most.
            pattern: what they look like, in the shell's signs ``*``, ``?`` and ``[...]``.
            options: see `dinogen.generation.namer.Namer.draw`.

        Raises:
            SettingError: for a number out of its range, or for what no name can look like.
            RanOutError: if there are fewer than n such names.
        """
        from dinogen.generation.constraints import Constraints

        parts = (contains,) if isinstance(contains, str) else tuple(contains)
        asked = Constraints(prefix, suffix, parts, min_length, max_length, pattern)
        drawn = self.namer.draw(n, seed, asked, **options)
        return [name for some in drawn for name in self.namer.spell(some.names)]

    def description(self) -> dict[str, Any]:
        """Describe the checkpoint as one JSON object: what ``dinogen inspect --json`` prints."""
        config = self.network.config if self.network else RNNConfig(len(self.vocabulary), 0)
        return {
            "format": FORMAT,
            "version": self.version,
            "recipe": self.recipe,
            "model": {
                "cell": config.cell,
                "layers": config.layers,
                "hidden_size": config.hidden_size,
                "parameters": len(self.network.parameters.vector) if self.network else 0,
            },
            "ngram": self.ngram
            and {
                "order": self.ngram.order,
                "contexts": self.ngram.tree.contexts,
                "grams": len(self.ngram.tree.symbols) - 1,
            },
            "weights": {"network": self.weight, "ngram": 1 - self.weight},
            "symbols": list(self.vocabulary.symbols),
            "case": {"fold": self.case.fold, "capital_after": sorted(self.case.capital_after)},
            "corpus": self.corpus._asdict(),
            "training": {
                "seed": self.training.seed,
                "steps": self.training.steps,
                "seconds": self.training.seconds,
                "interrupted": self.training.interrupted,
                "settings": dict(self.training.settings),
            },
            "heldout": self.held_out._asdict() if self.held_out else None,
            "history": self.history,
        }

    def state_for(self, recipe: str, corpus: "Corpus") -> ResumeState:
        """Give the resume state, if training can go on with this recipe on this corpus.

        Raises:
            CheckpointError: if it cannot.
        """
        if recipe != self.recipe:
            raise CheckpointError(
                f"it was trained with the {self.recipe} recipe, not the {recipe} one; "
                f"resume with --recipe {self.recipe}"
            )
        if (corpus.facts, corpus.case) != (self.corpus, self.case) or (
            corpus.vocabulary.symbols != self.vocabulary.symbols
        ):
            raise CheckpointError(
                f"it was trained on another list, or another reading of it ({self.corpus.names:,} "
                f"names then, {corpus.facts.names:,} now); resume with the same list, or train "
                "anew with --force"
            )
        return self.resume
