"""Similar symbols: those after which a model expects the same symbols."""

import numpy as np

from dinogen.errors import CheckpointError
from dinogen.models.language_model import Array, LanguageModel

MAX_SYMBOLS = 1_000
"""The maximum number of symbols. Memory grows with its square, and time with its cube."""


def embed(model: LanguageModel) -> Array:
    """Describe each symbol, except the end, by what the model expects after it.

    Row i is log p(next symbol | symbol i + 1 alone), centred by column. The input weights of a
    network would still contain noise from their random initial values.

    Args:
        model: any language model of V symbols.

    Returns:
        (V - 1, V) embeddings.

    Raises:
        CheckpointError: for more than `MAX_SYMBOLS` symbols.
    """
    V = model.vocab_size
    if V - 1 > MAX_SYMBOLS:
        raise CheckpointError(
            f"the model has {V - 1:,} symbols, but similarity is limited to {MAX_SYMBOLS:,}; "
            "look at one symbol at a time with --next"
        )
    _, p = model.advance(model.blank(V), np.arange(V))  # (V, V)
    embeddings: Array = np.log(p[1:].astype(np.float64))  # (V - 1, V)
    embeddings -= embeddings.mean(axis=0)
    return embeddings


def cosines(embeddings: Array) -> Array:
    """Compute the (N, N) cosines of the angles between (N, M) embeddings."""
    lengths = np.sqrt((embeddings**2).sum(axis=1, keepdims=True))  # (N, 1)
    directions = embeddings / np.maximum(lengths, np.finfo(embeddings.dtype).tiny)  # (N, M)
    result: Array = directions @ directions.T  # (N, N)
    return result


def flat_map(similarities: Array) -> Array:
    """Compute (N, 2) positions on a map that fit (N, N) cosines as well as possible.

    Classical scaling (Torgerson 1952).
    """
    # Double centring gives the inner products of the centred directions.
    centred = (
        similarities
        - similarities.mean(axis=0)
        - similarities.mean(axis=1, keepdims=True)
        + similarities.mean()
    )
    values, vectors = np.linalg.eigh(centred)  # (N,), (N, N)
    positions = vectors[:, :-3:-1] * np.sqrt(np.maximum(values[:-3:-1], 0))  # (N, 2)
    # The sign of an eigenvector is arbitrary: the larger values are made positive.
    mirrored = positions.max(axis=0) < -positions.min(axis=0)  # (2,)
    flat: Array = np.where(mirrored, -positions, positions)
    return np.pad(flat, [(0, 0), (0, 2 - flat.shape[1])])
