"""Decoding: temperature, truncation, and the draw of one symbol."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.models.language_model import MIN_PROBABILITY, Array


class Decoding(NamedTuple):
    """How names are drawn from a model. The defaults give the model's own distribution.

    Attributes:
        temperature: divides the log probabilities.
        top_k: only the k likeliest symbols may come next; None for all.
        top_p: only the likeliest symbols that together have this probability may come next; None
            for all (Holtzman et al. 2020).
        min_p: only symbols that are at least this many times as likely as the likeliest one may
            come next; None for all.
        keep: the share of the new candidates that are kept: those with the lowest excess, see
            `dinogen.generation.blocks.Candidates`.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    keep: float = 1.0

    @property
    def truncates(self) -> bool:
        """Whether unlikely symbols get probability 0."""
        return (self.top_k, self.top_p, self.min_p) != (None, None, None)

    def without_truncation(self) -> "Decoding":
        """Return the decoding at the same temperature without any truncation."""
        return Decoding(self.temperature)


def reweight(p: Array, decoding: Decoding) -> Array:
    """Apply temperature, then top-k, then top-p, then min-p.

    Symbols as likely as the least likely one that is kept are kept, too.

    Args:
        p: (N, V) probabilities, up to a factor per row; 0 for forbidden symbols.
        decoding: how names are drawn.

    Returns:
        (V, N) weights, up to a factor per column: one column per name, because NumPy sums along
        axis 0 faster.
    """
    temperature, top_k, top_p, min_p, _ = decoding
    weights = np.array(p.T, order="C")  # (V, N)
    if temperature != 1.0:
        # With a maximum of 1, a low temperature cannot turn all weights into 0.
        weights /= np.maximum(weights.max(axis=0), MIN_PROBABILITY)
        np.power(weights, 1 / temperature, out=weights)
    if top_k is not None and top_k < len(weights):
        smallest = np.partition(weights, -top_k, axis=0)[-top_k]  # (N,)
        weights[weights < smallest] = 0
    if top_p is not None and top_p < 1:
        descending = np.sort(weights, axis=0)[::-1]  # (V, N)
        before = np.cumsum(descending, axis=0) - descending  # (V, N)
        kept = (before < top_p * descending.sum(axis=0)).sum(axis=0)  # (N,)
        weights[weights < descending[kept - 1, np.arange(len(kept))]] = 0
    if min_p is not None:
        # Multiplying takes a tenth of the time of writing zeros where a mask says so.
        weights *= weights >= weights.max(axis=0) * weights.dtype.type(min_p)
    return weights


_FEW = 64
"""Up to this number of columns, adding up all rows in one call is faster than row by row."""

_MAX_COMPARED = 1 << 16
"""Up to this number of comparisons, comparing all weights is faster than searching."""


def draw_symbols(
    weights: Array, uniform: Array, columns: NDArray[np.intp] | None = None
) -> NDArray[np.intp]:
    """Draw symbols, each from one column of weights, by inversion of the cumulative weights.

    Args:
        weights: (V, D). Overwritten.
        uniform: (n,) numbers in [0, 1), of the same dtype.
        columns: (n,) the column of each symbol; None for one symbol of each column, n = D.

    Returns:
        (n,) indices, never of a symbol of weight 0; V where no weight is above 0.
    """
    V, D = weights.shape
    if D <= _FEW:
        np.add.accumulate(weights, axis=0, out=weights)
    else:
        # Adding row by row takes a fifth of the time of cumsum.
        for below, row in pairwise(weights):
            row += below
    # The symbol drawn is the first one whose cumulative weight exceeds the target.
    if columns is None:
        return _count(weights <= uniform * weights[-1])
    target = uniform * weights[-1].take(columns)  # (n,)
    if V * len(columns) <= _MAX_COMPARED:
        return _count(weights.take(columns, axis=1) <= target)
    # Binary search: `passed` counts weights that do not exceed the target.
    flat, last = weights.ravel(), weights.size - 1
    place = columns - D  # (n,) of the last weight that is counted
    passed = np.zeros(len(columns), dtype=np.intp)
    step = 1 << (V.bit_length() - 1)
    while step:
        further = place + step * D  # (n,)
        goes_on = flat.take(np.minimum(further, last)) <= target  # (n,)
        goes_on &= further <= last
        passed += step * goes_on
        place += step * D * goes_on
        step >>= 1
    return passed


def _count(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(n,) the number of true elements in each column of a (V, n) mask."""
    # Counting is fastest in the smallest dtype.
    dtype = np.min_scalar_type(len(mask))
    count: NDArray[np.intp] = mask.view(np.uint8).sum(axis=0, dtype=dtype).astype(np.intp)
    return count


def entropy(p: Array) -> Array:
    """(N,) entropies in nats of (N, V) probabilities, up to log Z if a row sums to Z."""
    logarithms = np.log(np.maximum(p, MIN_PROBABILITY))  # (N, V)
    result: Array = -np.einsum("nv,nv->n", p, logarithms) / p.sum(axis=1)
    return result
