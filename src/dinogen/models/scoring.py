"""Scoring: the probability of given names, and of each next symbol."""

from collections.abc import Iterable

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
    p = np.empty(len(names.symbols))  # (S,)
    block = max_block_size(model.vocab_size)
    for first in range(0, len(names), block):
        batch = pack(names, np.arange(first, min(first + block, len(names))))
        place = names.starts[batch.rows]  # (N,) the index of the first symbol of each name
        n = batch.batch_sizes[0]
        state, following = model.begin(n)  # (N, V)
        symbols = batch.targets[:n]  # (N,)
        p[place] = following[np.arange(n), symbols]
        end = n
        for step, n in enumerate(batch.batch_sizes[1:], start=1):
            start, end = end, end + n
            # Names are packed longest first: those that have ended come last.
            state, following = model.advance(model.select(state, slice(n)), symbols[:n])
            symbols = batch.targets[start:end]  # (n,)
            p[place[:n] + step] = following[np.arange(n), symbols]
    return p


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
