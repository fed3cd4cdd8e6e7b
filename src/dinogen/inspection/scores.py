"""Scores of given names, and the probability that a name comes from one of two models."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dinogen.checkpoint.checkpoint import Checkpoint
from dinogen.data.sequences import contains, digest
from dinogen.data.vocabulary import Vocabulary
from dinogen.models.scoring import likelihoods


@dataclass(frozen=True)
class Scores:
    """The scores of N names, as columns. Methods take the index of a name.

    Attributes:
        names: (N) the names as they were given.
        folded: (N) their symbols, folded to the case of the training names.
        totals: (N) negative log-likelihoods in nats; infinite for a name with an unknown symbol.
        known: (N) whether the name is in the training list.
        nats: (S,) nats per symbol of the names without unknown symbols, end to end.
        starts: (N + 1,) the offset of each name in ``nats``.
        lengths: (N) the length of each name for a reader, its end included.
        vocabulary: the vocabulary of the model.
    """

    names: Sequence[str]
    folded: Sequence[Sequence[str]]
    totals: Sequence[float]
    known: Sequence[bool]
    nats: NDArray[np.float64]
    starts: NDArray[np.int64]
    lengths: Sequence[int]
    vocabulary: Vocabulary

    def __len__(self) -> int:
        return len(self.names)

    def length(self, i: int) -> int:
        """Return the length for a reader, the end included."""
        return self.lengths[i]

    def per_symbol(self, i: int) -> float:
        """Return the nats per symbol, as a reader counts them."""
        return self.totals[i] / self.lengths[i]

    def symbol_nats(self, i: int) -> list[float]:
        """Return the nats of each symbol, the end included; empty if a symbol is unknown."""
        nats: list[float] = self.nats[self.starts[i] : self.starts[i + 1]].tolist()
        return nats

    def unknown_symbol(self, i: int) -> str | None:
        """Return the first unknown symbol; None if there is none."""
        return next((s for s in self.folded[i] if s not in self.vocabulary), None)


def score_names(checkpoint: Checkpoint, names: Sequence[str]) -> Scores:
    """Score N names, after folding their case like that of the training names.

    Args:
        checkpoint: the checkpoint of the model.
        names: clean names; see `dinogen.data.read_names`.
    """
    vocabulary = checkpoint.vocabulary
    text = checkpoint.case.fold("".join(f"{name}\n" for name in names), vocabulary)
    encoded = vocabulary.encode(text)
    scorable = ~encoded.holds(vocabulary.unknown)  # (N,)
    scored = encoded.filter(scorable)
    nats = -np.log(likelihoods(checkpoint.mixture, scored))  # (S,)
    starts = np.zeros(len(encoded) + 1, dtype=np.int64)  # (N + 1,)
    np.cumsum(np.where(scorable, encoded.lengths, 0), out=starts[1:])
    totals = np.full(len(encoded), np.inf)  # (N,)
    if len(scored):
        totals[scorable] = np.add.reduceat(nats, scored.starts[:-1])
    return Scores(
        names=names,
        folded=vocabulary.split(text),
        totals=totals.tolist(),
        known=contains(checkpoint.known, digest(encoded)).tolist(),
        nats=nats,
        starts=starts,
        lengths=(vocabulary.lengths(encoded) + 1).tolist(),
        vocabulary=vocabulary,
    )


def probability_of_first(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compute how probable it is that a name comes from the first of two models.

    By Bayes' rule with equal priors: 1 / (1 + p_second / p_first).

    Args:
        first: (N,) nats of each name in the first model; infinite if it cannot write the name.
        second: (N,) the same in the second model.

    Returns:
        (N,) probabilities; NaN if neither model can write the name.
    """
    with np.errstate(invalid="ignore"):
        p: NDArray[np.float64] = 1 / (1 + np.exp(np.clip(first - second, -700, 700)))
    return p
