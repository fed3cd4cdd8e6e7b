"""SGD with momentum: clipping, the update, the learning rate schedule, dropout."""

import numpy as np

from dinogen.models.language_model import Array
from dinogen.models.network.layers import LayerMasks
from dinogen.models.network.parameters import Parameters, Workspace
from dinogen.rng import Purpose, random_stream


def clip_by_global_norm(gradients: Parameters, limit: float, scale: float = 1.0) -> float:
    """Scale all gradients, in place, and further down if the norm of all of them exceeds a limit.

    Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013),
    algorithm 1.

    Args:
        gradients: the gradients.
        limit: the maximum norm after scaling.
        scale: the factor of all gradients, for example 1 / S for a mean over S symbols.

    Returns:
        The norm after scaling and before clipping.
    """
    norm = scale * float(np.sqrt(np.dot(gradients.vector, gradients.vector)))
    gradients.vector *= scale * limit / norm if norm > limit else scale
    return norm


def descend(
    parameters: Parameters,
    gradients: Parameters,
    velocity: Parameters,
    rate: float,
    momentum: float,
) -> None:
    """Take one step of SGD with momentum, in place: v <- momentum v + g, then w <- w - rate v.

    Polyak (1964), in the form of Sutskever et al. (2013), equations 1 and 2. The gradients are
    overwritten.
    """
    velocity.vector *= momentum
    velocity.vector += gradients.vector
    # The gradients are used up, so their memory is used again.
    parameters.vector -= np.multiply(velocity.vector, rate, out=gradients.vector)


def rate_factor(step: int, steps: int) -> float:
    """Return the factor of the learning rate at a step.

    It rises linearly over the first twentieth of the steps, and falls linearly to 0 at the end.

    Args:
        step: the step, counted from 0.
        steps: the total number of steps.
    """
    warm_up = (step + 1) / (0.05 * steps)
    return min(1.0, warm_up) * (1 - step / steps)


class Dropout:
    """Draws dropout masks. Each step has its own random stream.

    A mask sets a share of the hidden units to zero and scales the others up. The share is rounded
    to a multiple of 1/256, so that one random byte decides on each unit.
    """

    def __init__(self, share: float, hidden_size: int, layers: int, seed: int) -> None:
        self._dropped_bytes = round(share * 256)
        self._hidden_size = hidden_size
        self._layers = layers
        self._seed = seed
        self._workspace = Workspace(np.float32)

    def masks(self, step: int, names: int) -> list[LayerMasks] | None:
        """Draw the masks of each layer for a batch; they are valid until the next call.

        Args:
            step: the step, counted from 0.
            names: N, the number of names in the batch.

        Returns:
            Masks of (N, H) for each layer; None without dropout.
        """
        if not self._dropped_bytes:
            return None
        random = random_stream(self._seed, Purpose.DROPOUT, step)
        return [
            LayerMasks(
                self._mask(f"recurrent {layer}", random, names),
                self._mask(f"output {layer}", random, names),
            )
            for layer in range(self._layers)
        ]

    def _mask(self, name: str, random: np.random.Generator, rows: int) -> Array:
        """(rows, H) mask, in the workspace array of a name."""
        count = rows * self._hidden_size
        raw = random.bit_generator.random_raw(-(-count // 8))  # 8 bytes each
        drawn = raw.view(np.uint8)[:count].reshape(rows, self._hidden_size)
        mask = self._workspace.array(name, rows, self._hidden_size)
        np.greater_equal(drawn, self._dropped_bytes, out=mask)
        mask *= 256 / (256 - self._dropped_bytes)
        return mask
