"""Scoring: the probability of given names, and of each next symbol."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from dinogen.data.batches import pack
from dinogen.data.sequences import Names
from dinogen.models.language_model import Array, LanguageModel, max_block_size


def likelihoods(model: LanguageModel, names: Names) -> NDArray[np.float64]:
    """(S,) the probability of each symbol of each name, the end included, given those before it.

    Args:
        model: any language model.
        names: N names of S symbols in total, without unknown symbols.
    """
    likely = np.empty(len(names.symbols))  # (S,)
    for places, p in _read(model, names):
        likely[places] = p[np.arange(len(p)), names.symbols[places]]
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


def _read(model: LanguageModel, names: Names) -> Iterator[tuple[NDArray[np.int64], Array]]:
    """Let a model read names, many at a time.

    Yields:
        The (n,) places of some symbols, one of each name that is read, and the (n, V)
        probabilities of all symbols at these places.
    """
    block = max_block_size(model.vocab_size)
    for first in range(0, len(names), block):
        batch = pack(names, np.arange(first, min(first + block, len(names))))
        begins = names.starts[batch.rows]  # (N,) the index of the first symbol of each name
        state, p = model.begin(len(begins))  # (N, V)
        yield begins, p
        for step, n in enumerate(batch.batch_sizes[1:], start=1):
            # Names are packed longest first: those that have ended come last.
            places = begins[:n] + step  # (n,)
            symbols = names.symbols[places - 1]  # (n,)
            state, p = model.advance(model.select(state, slice(n)), symbols)  # (n, V)
            yield places, p


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
