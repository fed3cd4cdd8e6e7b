"""The gradients of a large batch, computed in two halves at the same time."""

import os
from collections.abc import Sequence
from math import prod

import numpy as np

from dinogen.data.batches import Batch
from dinogen.models.language_model import Array
from dinogen.models.network.layers import LayerMasks
from dinogen.models.network.network import Backpropagated, Network, NetworkState
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
        self,
        batch: Batch,
        state: NetworkState | None = None,
        masks: Sequence[LayerMasks] | None = None,
    ) -> Backpropagated:
        """Return what `Network.loss_and_gradients` does, up to rounding.

        Args:
            batch: N packed rows.
            state: the state of the N rows before the first step; `Network.blank` if left out.
            masks: the dropout masks of each layer; no dropout if left out.
        """
        if len(batch.rows) == 1:
            return self._networks[0].loss_and_gradients(batch, state, masks)
        later = None
        if self._pool:
            # In some BLAS libraries, the limit to one thread belongs to a thread.
            later = self._pool.submit(one_thread()(self._half), 1, batch, state, masks)
        own = self._half(0, batch, state, masks)
        other = later.result() if later else self._half(1, batch, state, masks)
        own.gradients.vector += other.gradients.vector
        return Backpropagated(
            own.loss + other.loss,
            own.gradients,
            _interleave(own.dstate, other.dstate, len(batch.rows)),
            _interleave(own.state, other.state, batch.batch_sizes[-1]),
        )

    def _half(
        self,
        half: int,
        batch: Batch,
        state: NetworkState | None,
        masks: Sequence[LayerMasks] | None,
    ) -> Backpropagated:
        """Compute the loss and the gradients of the rows at even or at odd places of a batch."""
        network, every_other = self._networks[half], slice(half, None, 2)
        own_state = None if state is None else network.select(state, every_other)
        own_masks = masks and [
            LayerMasks(*(None if mask is None else mask[every_other] for mask in layer))
            for layer in masks
        ]
        # Overflow is checked by the caller. The error state belongs to a thread.
        with np.errstate(over="ignore", invalid="ignore"):
            return network.loss_and_gradients(batch.every_other(half), own_state, own_masks)


def _interleave(first: NetworkState, second: NetworkState, rows: int) -> NetworkState:
    """Join the states of the rows at even and at odd places."""
    return tuple(
        tuple(_interleave_rows(*arrays, rows) for arrays in zip(*layers, strict=True))
        for layers in zip(first, second, strict=True)
    )


def _interleave_rows(even: Array, odd: Array, rows: int) -> Array:
    """Join the rows at even and at odd places."""
    joined = np.empty((rows, *even.shape[1:]), dtype=even.dtype)
    # Of ragged names, the rows at odd places may all have ended before the last step.
    joined[::2], joined[1::2] = even, odd[: rows // 2]
    return joined
