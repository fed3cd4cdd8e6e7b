"""The gradients of a large batch, computed in two halves at the same time."""

import os
from collections.abc import Sequence
from math import prod

import numpy as np

from dinogen.data.batches import Batch
from dinogen.models.network.layers import LayerMasks
from dinogen.models.network.network import Network
from dinogen.models.network.parameters import Parameters
from dinogen.threads import one_thread

MIN_MULTIPLICATIONS = 5_000_000
"""In the recurrent product of a step, for half of a batch. With fewer, two threads hinder each
other more than they help."""


class Halves:
    """Computes the gradients of a batch in two halves, on two cores if there are two.

    The halves are always the same: every other name, from the longest to the shortest. Their
    gradients are added in a fixed order. So the result does not depend on the number of cores.
    """

    def __init__(self, network: Network) -> None:
        """Set up the computation for a network. Its parameters may change between two calls."""
        # Most networks are too small for halves, so only this imports the thread pool.
        from concurrent.futures import ThreadPoolExecutor

        self._networks = [network, Network(network.config, parameters=network.parameters)]
        self._pool = ThreadPoolExecutor(1) if (os.cpu_count() or 1) > 1 else None

    @staticmethod
    def pay(network: Network, batch_size: int) -> bool:
        """Tell whether a network and its batches are large enough for two threads."""
        recurrent = prod(network.parameters["Waa"].shape)
        return recurrent * (batch_size // 2) >= MIN_MULTIPLICATIONS

    def loss_and_gradients(
        self, batch: Batch, masks: Sequence[LayerMasks] | None
    ) -> tuple[float, Parameters]:
        """Return what `Network.loss_and_gradients` does, up to rounding.

        Args:
            batch: N packed names.
            masks: the dropout masks of each layer; None for no dropout.
        """
        if len(batch.rows) == 1:
            result = self._networks[0].loss_and_gradients(batch, masks=masks)
            return result.loss, result.gradients
        later = None
        if self._pool:
            # In some BLAS libraries, the limit to one thread belongs to a thread.
            later = self._pool.submit(one_thread()(self._half), 1, batch, masks)
        loss, gradients = self._half(0, batch, masks)
        other_loss, other_gradients = later.result() if later else self._half(1, batch, masks)
        gradients.vector += other_gradients.vector
        return loss + other_loss, gradients

    def _half(
        self, half: int, batch: Batch, masks: Sequence[LayerMasks] | None
    ) -> tuple[float, Parameters]:
        """Return the loss and the gradients of the names at even or at odd places of a batch."""
        own_masks = masks and [
            LayerMasks(*(None if mask is None else mask[half::2] for mask in layer))
            for layer in masks
        ]
        # Overflow is checked by the caller. The error state belongs to a thread.
        with np.errstate(over="ignore", invalid="ignore"):
            result = self._networks[half].loss_and_gradients(
                batch.every_other(half), masks=own_masks
            )
        return result.loss, result.gradients
