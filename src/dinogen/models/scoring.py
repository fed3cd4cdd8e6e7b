"""Scoring: the probability of given names, and of each next symbol."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.data.sequences import Names, Sequences
from dinogen.models.language_model import Array, LanguageModel, max_block_size

PIECE = 1_024
"""The length of the pieces of a text, in symbols. Many pieces are scored at the same time."""

WARM_UP = 128
"""The number of symbols before a piece that a model reads, too, so that it knows the context."""


def likelihoods(model: LanguageModel, sequences: Sequences) -> NDArray[np.float64]:
    """(S,) the probability of each symbol given those before it; of names, also that of the end.

    Texts are cut into pieces of `PIECE` symbols. Before a piece, a model reads the `WARM_UP`
    symbols before it, as if they were the beginning of a text.

    Args:
        model: any language model.
        sequences: names or texts of S symbols in total, without unknown symbols.
    """
    likely = np.empty(len(sequences.symbols))  # (S,)
    for places, p in _read(model, sequences):
        likely[places] = p[np.arange(len(p)), sequences.symbols[places]]
    return likely


def distributions(model: LanguageModel, names: Names) -> NDArray[np.float32]:
    """(S, V) the probability of each symbol at the place of each symbol of the names.

    Args:
        model: any language model.
        names: N names of S symbols in total, without unknown symbols.
    """
    result = np.empty((len(names.symbols), model.vocab_size), dtype=np.float32)  # (S, V)
    for places, p in _read(model, names):
        result[places] = p
    return result


class _Pieces(NamedTuple):
    """N parts of sequences that are read at the same time.

    Attributes:
        reads: (N,) the place of the first symbol that is read, as if an `END` came before it.
        starts: (N,) the place of the first symbol whose probability is wanted.
        ends: (N,) the place after the last one.
    """

    reads: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


def _pieces_of(sequences: Sequences) -> _Pieces:
    """Cut sequences into pieces: a name is one piece."""
    begins, ends = sequences.starts[:-1], sequences.starts[1:]  # (N,), (N,)
    if isinstance(sequences, Names):
        return _Pieces(begins, begins, ends)
    counts = -(-sequences.lengths // PIECE)  # (N,) the number of pieces of each text
    first = np.repeat(np.cumsum(counts) - counts, counts)  # (P,)
    begins, ends = np.repeat(begins, counts), np.repeat(ends, counts)  # (P,), (P,)
    starts = begins + (np.arange(len(first)) - first) * PIECE  # (P,)
    return _Pieces(np.maximum(begins, starts - WARM_UP), starts, np.minimum(ends, starts + PIECE))


def _read(model: LanguageModel, sequences: Sequences) -> Iterator[tuple[NDArray[np.int64], Array]]:
    """Let a model read sequences, many at a time.

    Yields:
        The (n,) places of some symbols, at most one of each piece that is read, and the (n, V)
        probabilities of all symbols at these places.
    """
    pieces = _pieces_of(sequences)
    size = max_block_size(model.vocab_size)
    for first in range(0, len(pieces.ends), size):
        block = _Pieces(*(array[first : first + size] for array in pieces))
        lengths = block.ends - block.reads  # (N,)
        # The longest come first, so that those that have ended come last.
        order = np.argsort(-lengths, kind="stable")  # (N,)
        reads, starts, lengths = block.reads[order], block.starts[order], lengths[order]
        state, p = model.begin(len(order))  # (N, V)
        for step in range(lengths[0]):
            if step:
                n = int(np.searchsorted(-lengths, -step))  # the pieces longer than the step
                reads, starts = reads[:n], starts[:n]
                symbols = sequences.symbols[reads + step - 1]  # (n,)
                state, p = model.advance(model.select(state, slice(n)), symbols)  # (n, V)
            places = reads + step  # (n,)
            wanted = places >= starts  # (n,)
            if wanted.all():
                yield places, p
            elif wanted.any():
                yield places[wanted], p[wanted]


def score(model: LanguageModel, names: Names) -> NDArray[np.float64]:
    """(N,) the negative log-likelihood of each name, its end included, in nats.

    Args:
        model: any language model.
        names: N names without unknown symbols.
    """
    nats: NDArray[np.float64] = -np.log(likelihoods(model, names))  # (S,)
    return np.add.reduceat(nats, names.starts[:-1]) if len(names) else nats


def mean_nats(p: NDArray[np.float64], weights: NDArray[np.float64] | None = None) -> float:
    """Return the mean negative log of (S,) probabilities, in nats per symbol; 0 if S is 0.

    With (S,) weights, it is a weighted mean.
    """
    if weights is None:
        return -float(np.log(p).sum()) / max(1, len(p))
    return -float(np.log(p) @ weights) / float(weights.sum()) if len(p) else 0.0


def next_probabilities(model: LanguageModel, prefix: Iterable[int]) -> Array:
    """(V,) the probability of each next symbol after a prefix.

    Args:
        model: any language model.
        prefix: the indices of the first symbols of a name; may be empty.
    """
    state, p = model.begin(1)  # (1, V)
    for symbol in prefix:
        state, p = model.advance(state, np.array([symbol]))  # (1, V)
    following: Array = p[0]
    return following
