"""How a model hears given names, symbol by symbol."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.checkpoint.contents import Checkpoint
from dinogen.models.likelihood import likelihoods
from dinogen.text.digests import contains, digests


class Heard(NamedTuple):
    """A name, and how surprising it was.

    Attributes:
        name: as it was given.
        read: its symbols as the model reads them.
        nats: of each of them, and of the end; None where the model cannot write the name.
        known: whether the name was learned from.
        unknown: the first symbol that the model never saw, if there is one.
    """

    name: str
    read: str
    nats: Sequence[float] | None
    known: bool
    unknown: str | None

    @property
    def length(self) -> int:
        """Symbols, the end included."""
        return len(self.read) + 1

    @property
    def total(self) -> float:
        """-log p of the name, in nats; infinite where the model cannot write it."""
        return float("inf") if self.nats is None else sum(self.nats)

    @property
    def per_symbol(self) -> float:
        """The same for each symbol, the end included."""
        return self.total / self.length


class Hearing(NamedTuple):
    """Names, and how surprising they were, in lists of N.

    Attributes:
        names: as they were given.
        read: as the model reads them.
        nats: (S,) of the symbols of the names that the model can write, one name after the other.
        writable: whether it can.
        known: whether a name was learned from.
        totals: -log p of each, in nats; infinite where the model cannot write it.
        symbols: that the model knows.
    """

    names: Sequence[str]
    read: Sequence[str]
    nats: NDArray[np.float64]
    writable: Sequence[bool]
    known: Sequence[bool]
    totals: Sequence[float]
    symbols: frozenset[str]

    @property
    def per_symbol(self) -> list[float]:
        """The totals for each symbol, the ends included."""
        return [total / (len(read) + 1) for total, read in zip(self.totals, self.read, strict=True)]

    def unknown(self, i: int) -> str | None:
        """Give the first symbol of a name that the model never saw, if there is one."""
        return next((symbol for symbol in self.read[i] if symbol not in self.symbols), None)

    def each(self) -> list[Heard]:
        """Give name by name what was heard."""
        nats, place, heard = self.nats.tolist(), 0, []
        for i, (name, read) in enumerate(zip(self.names, self.read, strict=True)):
            length = len(read) + 1 if self.writable[i] else 0
            surprise = nats[place : place + length] if length else None
            heard.append(Heard(name, read, surprise, self.known[i], self.unknown(i)))
            place += length
        return heard


def hear(checkpoint: Checkpoint, names: Sequence[str]) -> Hearing:
    """Listen to clean names, in whatever case."""
    text = checkpoint.case.apply("".join(f"{name}\n" for name in names))
    encoded = checkpoint.vocabulary.encode(text)
    writable = ~encoded.holds(checkpoint.vocabulary.unknown)  # (N,)
    kept = encoded.keep(writable)
    nats = -np.log(likelihoods(checkpoint.model, kept))  # (S,)
    totals = np.full(len(encoded), np.inf)  # (N,)
    if len(kept):
        totals[writable] = np.add.reduceat(nats, kept.starts[:-1])
    return Hearing(
        names,
        text.split("\n")[:-1],
        nats,
        writable.tolist(),
        contains(checkpoint.known, digests(encoded)).tolist(),
        totals.tolist(),
        frozenset(checkpoint.vocabulary.symbols),
    )
