"""Which symbols a model treats alike: those after which it expects the same."""

import numpy as np
from numpy.typing import NDArray

from dinogen.errors import CheckpointError
from dinogen.models.language_model import LanguageModel

Array = NDArray[np.floating]

MOST_SYMBOLS = 1_001
"""Each is held against each other."""


def embed(model: LanguageModel, symbols: int) -> Array:
    """(V - 1, V) what each symbol, the end left out, makes a model expect.

    The log-probabilities of what comes next when nothing but the symbol was read, less their mean
    over all symbols: of a network, its embedding as the readout sees it. What was drawn at random
    for each symbol at first, and never mattered, is not in it, as it is in the rows of Wax.

    Args:
        model: only its answers are asked for.
        symbols: V, the end included.

    Raises:
        CheckpointError: for more than `MOST_SYMBOLS`.
    """
    if symbols > MOST_SYMBOLS:
        raise CheckpointError(
            f"the model knows {symbols - 1:,} symbols; which of more than {MOST_SYMBOLS - 1:,} are "
            "alike is more than one can see: look at single ones with --next"
        )
    _, p = model.advance(model.start(symbols), np.arange(symbols))  # (V, V)
    expected: Array = np.log(p[1:].astype(np.float64))  # (V - 1, V)
    expected -= expected.mean(axis=0)
    return expected


def cosines(embeddings: Array) -> Array:
    """(N, N) cosines of the angles between (N, M) embeddings: 1 for the same direction."""
    lengths = np.sqrt((embeddings**2).sum(axis=1, keepdims=True))  # (N, 1)
    directions = embeddings / np.maximum(lengths, np.finfo(embeddings.dtype).tiny)  # (N, M)
    alike: Array = directions @ directions.T  # (N, N)
    return alike


def flat_map(alike: Array) -> Array:
    """(N, 2) places on a flat map that keeps as much as one can of (N, N) cosines.

    Classical scaling (Torgerson 1952).
    """
    # Centred twice, cosines are products of centred directions.
    centred = alike - alike.mean(axis=0) - alike.mean(axis=1, keepdims=True) + alike.mean()
    values, vectors = np.linalg.eigh(centred)  # (N,), (N, N)
    places = vectors[:, :-3:-1] * np.sqrt(np.maximum(values[:-3:-1], 0))  # (N, 2)
    # An eigenvector is as good as its opposite: the one is taken that reaches further above 0.
    mirrored = places.max(axis=0) < -places.min(axis=0)  # (2,)
    flat: Array = np.where(mirrored, -places, places)
    return np.pad(flat, [(0, 0), (0, 2 - flat.shape[1])])
