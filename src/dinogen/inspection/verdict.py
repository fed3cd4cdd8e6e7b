"""Which of two models a name belongs to."""

import numpy as np
from numpy.typing import NDArray

Nats = NDArray[np.float64]


def belongs_to_first(first: Nats, second: Nats) -> Nats:
    """(N,) how likely each name comes from the first of two models rather than the second.

    Bayes' rule with equal priors: 1 / (1 + p_second / p_first).

    Args:
        first: (N,) -log p of each name in the first model; infinite where it cannot write it.
        second: (N,) the same in the second one.

    Returns:
        Shares; no number where neither can write the name.
    """
    with np.errstate(invalid="ignore"):
        share: Nats = 1 / (1 + np.exp(np.clip(first - second, -700, 700)))
    return share
