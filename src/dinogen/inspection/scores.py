"""Scores of names or of lines of text, and which of two models one comes from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from dinogen.checkpoint.checkpoint import Checkpoint
from dinogen.data.sequences import contains, digest
from dinogen.data.vocabulary import Vocabulary
from dinogen.models.scoring import likelihoods


@dataclass(frozen=True)
class Score:
    """How likely a model finds a name or a running text.

    Attributes:
        text: the name or the text, as it was given.
        nats: the negative log-likelihood in nats: lower is more likely. Infinite if the model does
            not know a symbol.
        symbols: the length for a reader. The end of a name counts as one, and so does that of a
            line.
        known: whether the name is in the training list; None for running text.
        unknown: the first symbol that the model does not know; None if it knows all.
        by_symbol: each symbol as the model reads it, with its nats. The end of a name is an empty
            text, and a Hangul syllable is its letters. Empty for a name with an unknown symbol; in
            running text, such a symbol has infinite nats.
    """

    text: str
    nats: float
    symbols: int
    known: bool | None
    unknown: str | None
    by_symbol: Sequence[tuple[str, float]] = field(repr=False)

    @property
    def nats_per_symbol(self) -> float:
        """The nats per symbol; 0 for an empty text. It compares short and long ones."""
        return self.nats / self.symbols if self.symbols else 0.0

    def __str__(self) -> str:
        remark = ", known" if self.known else ""
        if self.unknown is not None:
            remark += f", unknown symbol {self.unknown!r}"
        numbers = f"{self.nats:.4f} nats, {self.nats_per_symbol:.3f} per symbol"
        return f"{self.text!r}: {numbers}{remark}"


@dataclass(frozen=True)
class Scores:
    """The scores of N names, or of N lines of running text, as columns.

    Methods take the index of a name or a line.

    Attributes:
        names: (N) the names or lines as they were given.
        folded: (N) their symbols, folded to the case of the training names.
        totals: (N) negative log-likelihoods in nats; infinite for one with an unknown symbol.
        known: (N) whether the name is in the training list; None for lines.
        nats: (S,) nats of each symbol, end to end. Names with unknown symbols are left out. In a
            line, an unknown symbol has infinite nats.
        starts: (N + 1,) the offset of each name or line in ``nats``.
        lengths: (N) the length of each for a reader, its end included.
        vocabulary: the vocabulary of the model.
        first: the number of the first one, from 1.
    """

    names: Sequence[str]
    folded: Sequence[Sequence[str]]
    totals: Sequence[float]
    known: Sequence[bool] | None
    nats: NDArray[np.float64]
    starts: NDArray[np.int64]
    lengths: Sequence[int]
    vocabulary: Vocabulary
    first: int = 1

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Score]:
        """Yield the score of each name or line."""
        end = "" if self.known is not None else "\n"
        for i, name in enumerate(self.names):
            nats, symbols = self.symbol_nats(i), [*self.folded[i], end]
            yield Score(
                text=name,
                nats=self.totals[i],
                symbols=self.lengths[i],
                known=None if self.known is None else self.known[i],
                unknown=self.unknown_symbol(i),
                by_symbol=tuple(zip(symbols, nats, strict=True)) if nats else (),
            )

    def length(self, i: int) -> int:
        """Return the length for a reader, the end included."""
        return self.lengths[i]

    def per_symbol(self, i: int) -> float:
        """Return the nats per symbol, as a reader counts them."""
        return self.totals[i] / self.lengths[i]

    def symbol_nats(self, i: int) -> list[float]:
        """Return the nats of each symbol, the end included; none if a name has an unknown one."""
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


def join_scores(parts: Sequence[Scores]) -> Scores:
    """Join the scores of the parts of a list or a text, at least one."""
    sizes = np.cumsum([0, *(len(part.nats) for part in parts)])  # (P + 1,)
    starts = [part.starts[:-1] + size for part, size in zip(parts, sizes, strict=False)]
    known = [*chain(*(part.known or () for part in parts))]
    return replace(
        parts[0],
        names=[*chain(*(part.names for part in parts))],
        folded=[*chain(*(part.folded for part in parts))],
        totals=[*chain(*(part.totals for part in parts))],
        known=None if parts[0].known is None else known,
        nats=np.concatenate([part.nats for part in parts]),
        starts=np.concatenate([*starts, sizes[-1:]]),
        lengths=[*chain(*(part.lengths for part in parts))],
    )


def probability_of_first(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compute how probable it is that a name or a line comes from the first of two models.

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
