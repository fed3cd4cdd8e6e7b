"""Plain Python version of temperature, top-k and top-p for one row of probabilities."""

from collections.abc import Sequence

from dinogen.generation import Options


class TooClose(Exception):  # noqa: N818
    """Rounding alone decides which symbol is the last one kept."""


def reweight_row(row: Sequence[float], options: Options, tolerance: float = 0.0) -> list[float]:
    """Apply temperature, then top-k, then top-p to a row, and normalise it.

    Args:
        row: weights, at least one above 0.
        options: the sampling options.
        tolerance: the rounding error of a sum, as a share of the whole sum.

    Raises:
        TooClose: if that rounding error could change which symbols are kept.
    """
    largest = max(row)
    weights = [(weight / largest) ** (1 / options.temperature) for weight in row]
    if options.temperature == 1:
        weights = list(row)
    if options.top_k is not None:
        kept = sorted(weights, reverse=True)[: options.top_k]
        weights = [weight if weight >= min(kept) else 0.0 for weight in weights]
    if options.top_p is not None:
        share = options.top_p * sum(weights)
        kept = []
        for weight in sorted(weights, reverse=True):
            if abs(sum(kept) - share) < tolerance * sum(weights):
                raise TooClose
            if sum(kept) < share:
                kept.append(weight)
        weights = [weight if weight >= min(kept) else 0.0 for weight in weights]
    return [weight / sum(weights) for weight in weights]
