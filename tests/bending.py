"""What temperature, `top_k` and `top_p` do to one row of probabilities, in the plainest words."""

from collections.abc import Sequence

from dinogen.generation.options import Options


class TooClose(Exception):  # noqa: N818
    """Rounding alone decides which symbol is the last one kept."""


def bend(row: Sequence[float], options: Options, tolerance: float = 0.0) -> list[float]:
    """Give what the options leave of a row, as shares of one.

    Args:
        row: weights, some of them above 0.
        options: the temperature divides the logarithms, then the k likeliest are kept, then of
            those the likeliest that make up a share of what they are together.
        tolerance: how far rounding may shift a sum, as a share of it all.

    Raises:
        TooClose: where that could change what is kept.
    """
    most = max(row)
    bent = [(weight / most) ** (1 / options.temperature) for weight in row]
    if options.temperature == 1:
        bent = list(row)
    if options.top_k is not None:
        kept = sorted(bent, reverse=True)[: options.top_k]
        bent = [weight if weight >= min(kept) else 0.0 for weight in bent]
    if options.top_p is not None:
        share = options.top_p * sum(bent)
        kept = []
        for weight in sorted(bent, reverse=True):
            if abs(sum(kept) - share) < tolerance * sum(bent):
                raise TooClose
            if sum(kept) < share:
                kept.append(weight)
        bent = [weight if weight >= min(kept) else 0.0 for weight in bent]
    return [weight / sum(bent) for weight in bent]
