"""Plain Python version of temperature and truncation for one row of probabilities."""

from collections.abc import Sequence

from dinogen.generation import Decoding


class TooClose(Exception):  # noqa: N818
    """Rounding alone decides which symbol is the last one kept."""


def reweight_row(row: Sequence[float], decoding: Decoding, tolerance: float = 0.0) -> list[float]:
    """Apply temperature, then top-k, top-p and min-p to a row, and normalise it.

    Args:
        row: weights, at least one above 0.
        decoding: how names are drawn.
        tolerance: the rounding error of a sum, as a share of the whole sum.

    Raises:
        TooClose: if that rounding error could change which symbols are kept.
    """
    largest = max(row)
    weights = [(weight / largest) ** (1 / decoding.temperature) for weight in row]
    if decoding.temperature == 1:
        weights = list(row)
    if decoding.top_k is not None:
        kept = sorted(weights, reverse=True)[: decoding.top_k]
        weights = [weight if weight >= min(kept) else 0.0 for weight in weights]
    if decoding.top_p is not None:
        share = decoding.top_p * sum(weights)
        kept = []
        for weight in sorted(weights, reverse=True):
            if abs(sum(kept) - share) < tolerance * sum(weights):
                raise TooClose
            if sum(kept) < share:
                kept.append(weight)
        weights = [weight if weight >= min(kept) else 0.0 for weight in weights]
    if decoding.min_p is not None:
        limit = decoding.min_p * max(weights)
        if any(weight and abs(weight - limit) < tolerance * limit for weight in weights):
            raise TooClose
        weights = [weight if weight >= limit else 0.0 for weight in weights]
    return [weight / sum(weights) for weight in weights]
