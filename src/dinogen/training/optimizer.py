"""Stochastic gradient descent with momentum, gradient clipping, and a schedule for the rate."""

import numpy as np

from dinogen.models.parameters import Parameters


def clip_by_global_norm(gradients: Parameters, limit: float) -> float:
    """Scale all gradients down together, in place, where their common norm is above the limit.

    Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013),
    algorithm 1.

    Returns:
        The norm before.
    """
    norm = float(np.sqrt(np.dot(gradients.vector, gradients.vector)))
    if norm > limit:
        gradients.vector *= limit / norm
    return norm


def descend(
    parameters: Parameters,
    gradients: Parameters,
    velocity: Parameters,
    rate: float,
    momentum: float,
) -> None:
    """Take one step of SGD with momentum, in place: v <- momentum v + g, then w <- w - rate v.

    Polyak (1964), as Sutskever et al. (2013), equations 1 and 2, write it.
    """
    velocity.vector *= momentum
    velocity.vector += gradients.vector
    parameters.vector -= rate * velocity.vector


def rate_factor(step: int, steps: int) -> float:
    """Give the share of the learning rate at a step: up over the first twentieth, then down to 0.

    Args:
        step: counted from 0.
        steps: in all.
    """
    warm_up = (step + 1) / (0.05 * steps)
    return min(1.0, warm_up) * (1 - step / steps)
