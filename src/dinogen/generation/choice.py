"""Choosing the next symbol: what the options leave of the probabilities, and the draw."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dinogen.generation.options import Options

Weights = NDArray[np.floating]


def shape(p: Weights, options: Options) -> Weights:
    """Bend probabilities as the options say.

    Args:
        p: (N, V) probabilities, up to a factor a row; 0 for what must not be. Overwritten.
        options: the temperature divides the logarithms; then ``top_k`` keeps the k likeliest and
            ``top_p`` the likeliest that make up a share of the rest (Holtzman et al. 2020). Equals
            of the last one kept are kept, too.

    Returns:
        (V, N) weights, up to a factor a column: symbols by names, since sums down long columns are
        quicker than along short rows.
    """
    weights = np.ascontiguousarray(p.T)  # (V, N)
    if options.temperature != 1.0:
        # The likeliest is brought to 1 first, so that no temperature takes it to 0.
        weights /= weights.max(axis=0)
        np.power(weights, 1 / options.temperature, out=weights)
    if options.top_k is not None and options.top_k < len(weights):
        least = np.partition(weights, -options.top_k, axis=0)[-options.top_k]  # (N,)
        weights[weights < least] = 0
    if options.top_p is not None and options.top_p < 1:
        falling = np.sort(weights, axis=0)[::-1]  # (V, N)
        before = np.cumsum(falling, axis=0) - falling  # (V, N)
        kept = (before < options.top_p * falling.sum(axis=0)).sum(axis=0)  # (N,)
        weights[weights < falling[kept - 1, np.arange(len(kept))]] = 0
    return weights


def choose(weights: Weights, uniform: Weights) -> NDArray[np.intp]:
    """Choose a symbol in each column, by inversion of the cumulated weights.

    Args:
        weights: (V, N) with something above 0 in each column. Overwritten.
        uniform: (N,) from 0 to less than 1, of the same type.

    Returns:
        (N,) indices, never one of weight 0.
    """
    # A row at a time, which takes half the time of cumsum.
    for below, row in pairwise(weights):
        row += below
    # The first symbol whose cumulated weight is above the target.
    passed = weights <= uniform * weights[-1]  # (V, N)
    # Counted in the smallest type that will do, which is the quickest.
    kind = np.min_scalar_type(len(weights))
    index: NDArray[np.intp] = passed.view(np.uint8).sum(axis=0, dtype=kind).astype(np.intp)
    return index
