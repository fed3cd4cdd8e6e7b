"""A checkpoint: a trained model, with the data to sample from it and to resume its training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from dinogen.data.case import CaseRule
from dinogen.data.known import KnownList, KnownNames, OriginNames
from dinogen.data.statistics import CorpusStats, TextStats
from dinogen.data.vocabulary import Vocabulary
from dinogen.errors import CheckpointError
from dinogen.generation.decoding import Decoding
from dinogen.models.language_model import Array
from dinogen.models.mixture import Mixture
from dinogen.version import __version__

T = TypeVar("T")

NETWORK = "network"
NGRAM = "ngram"
"""The names of the members that the recipes train."""


class HistoryRow(NamedTuple):
    """One evaluation during training.

    Attributes:
        step: the number of updates done.
        losses: the losses by name. The default recipe has ``train`` and ``heldout``, in nats per
            symbol; the classic one has ``smoothed_loss``, in nats per name.
        samples: names that the model wrote at this step, if the recipe records them.
    """

    step: int
    losses: Mapping[str, float | None]
    samples: Sequence[str] = ()


class TrainingStats(NamedTuple):
    """How a model was trained.

    Attributes:
        seed: the random seed.
        steps: the number of updates done.
        seconds: the time spent on updates in all sessions, in seconds.
        interrupted: whether planned updates are left.
        settings: the settings of the recipe, by name.
    """

    seed: int
    steps: int
    seconds: float
    interrupted: bool
    settings: Mapping[str, str | int | float]


class Lineage(NamedTuple):
    """The trained network from which the training started, its origin.

    Attributes:
        name: ``base``, or the path of the checkpoint.
        digest: the SHA-256 of its symbols and parameters, in hexadecimal.
        cell: the kind of its cells.
        layers: the number of its layers.
        hidden_size: the number of hidden units in each layer.
        symbols: the number of symbols of the list that it knew.
        steps: the number of updates in which it learned the list as a teacher; 0 if it is the
            network that was saved.
        nats_per_symbol: the held-out loss of the teacher; None without one.
    """

    name: str
    digest: str
    cell: str
    layers: int
    hidden_size: int
    symbols: int
    steps: int = 0
    nats_per_symbol: float | None = None


class HeldOut(NamedTuple):
    """The loss on held-out names, in nats per symbol.

    Attributes:
        size: the number of held-out names, or of held-out symbols of running text.
        nats_per_symbol: the loss of the mixture.
        members: the loss of each member alone, by name.
        frequencies: the loss of a baseline that predicts each symbol by its frequency.
    """

    size: int
    nats_per_symbol: float
    members: Mapping[str, float]
    frequencies: float


def _split(values: Mapping[str, T], prefix: str) -> tuple[dict[str, T], dict[str, T]]:
    """Split values by key: those with a prefix, without it; and the others."""
    within = {key: value for key, value in values.items() if key.startswith(prefix)}
    others = {key: value for key, value in values.items() if key not in within}
    return {key.removeprefix(prefix): value for key, value in within.items()}, others


class ResumeState(NamedTuple):
    """What a recipe needs to resume its training exactly. The keys are private to the recipe.

    Attributes:
        arrays: the arrays of the training state, of float32 or float64, by key.
        numbers: the numbers of the training state, by key.
    """

    arrays: Mapping[str, Array]
    numbers: Mapping[str, int | float]

    def prefixed(self, prefix: str) -> "ResumeState":
        """Return the state with a prefix before each key."""
        return ResumeState(
            {f"{prefix}{key}": array for key, array in self.arrays.items()},
            {f"{prefix}{key}": number for key, number in self.numbers.items()},
        )

    def split(self, prefix: str) -> "tuple[ResumeState, ResumeState]":
        """Split the state: what has a prefix, without it; and what does not have it."""
        arrays, other_arrays = _split(self.arrays, prefix)
        numbers, other_numbers = _split(self.numbers, prefix)
        return ResumeState(arrays, numbers), ResumeState(other_arrays, other_numbers)

    def joined(self, other: "ResumeState") -> "ResumeState":
        """Return this state together with another one, which has other keys."""
        return ResumeState({**self.arrays, **other.arrays}, {**self.numbers, **other.numbers})


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained model as plain data.

    Attributes:
        recipe: the name of the recipe that trained the model.
        mixture: the members by name, and their weights.
        vocabulary: the meaning of the symbol indices.
        case: the rule for capitals.
        corpus: statistics of the training list, or of the running text.
        known: (D,) sorted digests of the distinct names of that list, held-out names included. Text
            has none.
        pairs: (P, 2) the pairs of `dinogen.data.learn_pairs` of that list.
        decoding: how names are drawn if no option says so.
        training: how the model was trained.
        held_out: the held-out loss; None if no names were held out.
        history: the losses during training.
        resume: the state to resume from.
        lineage: the origin of the network; None if it was trained from scratch.
        origin_names: the names that the origin has learned from, which are not new either.
        version: the version of dinogen that made the checkpoint.
    """

    recipe: str
    mixture: Mixture
    vocabulary: Vocabulary
    case: CaseRule
    corpus: CorpusStats | TextStats
    known: NDArray[np.uint64]
    pairs: NDArray[np.uint32]
    decoding: Decoding
    training: TrainingStats
    held_out: HeldOut | None
    history: Sequence[HistoryRow]
    resume: ResumeState
    lineage: Lineage | None = None
    origin_names: OriginNames | None = None
    version: str = __version__

    def __repr__(self) -> str:
        members = " and ".join(self.mixture.members)
        symbols = self.vocabulary.describe()
        return f"<Checkpoint: {members}, {self.corpus.describe()}, {symbols}>"

    @property
    def names(self) -> CorpusStats:
        """The statistics of the training list.

        Raises:
            CheckpointError: if the model was trained on running text.
        """
        if isinstance(self.corpus, TextStats):
            raise CheckpointError("the model writes running text, and not names")
        return self.corpus

    @property
    def known_names(self) -> KnownNames:
        """The names that are not new: those of the training list, and those of the origin."""
        own = KnownList(self.known, len(self.vocabulary))
        return KnownNames([own] if self.origin_names is None else [own, self.origin_names])
