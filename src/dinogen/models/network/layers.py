"""The layers of a network, with their forward and backward passes."""

from collections.abc import Callable, Sequence
from itertools import accumulate
from math import log
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.data.batches import Batch
from dinogen.models.language_model import MIN_PROBABILITY, Array, Symbols
from dinogen.models.network.cell import Arrays, Cell, CellState
from dinogen.models.network.parameters import NewArrays, Shapes, Workspace
from dinogen.models.network.products import multiply, multiply_transposed


class LayerMasks(NamedTuple):
    """Dropout masks of a recurrent layer, which multiply hidden states.

    Both are the same at every step of a name (Gal and Ghahramani 2016).

    Attributes:
        recurrent: (N, H) mask of the hidden state that the next step reads. None without dropout.
        output: (N, H) mask of the hidden states that the layer above reads. None without dropout.
    """

    recurrent: Array | None
    output: Array | None


NO_MASKS = LayerMasks(None, None)


_FEW_SYMBOLS = 128
"""Up to this number of symbols, a product with one-hot vectors is faster than sums of rows."""


class Embedding:
    """The input map of the first layer: z = Wax[x] + ba.

    The product of a one-hot vector with Wax is a row of Wax, so rows are looked up.
    """

    def forward(self, p: Arrays, symbols: NDArray[Any], out: Array) -> None:
        """Compute z of (S,) symbols, in place."""
        Wax, ba = p["Wax"], p["ba"][..., np.newaxis, :]
        # With mode="raise", NumPy would write to a buffer first.
        if len(symbols) < Wax.shape[-2]:
            # For fewer symbols than rows, adding ba after the look-up is less work.
            Wax.take(symbols, axis=-2, out=out, mode="clip")
            out += ba
        else:
            (Wax + ba).take(symbols, axis=-2, out=out, mode="clip")

    def backward(
        self, p: Arrays, gradients: Arrays, symbols: NDArray[Any], dz: Array, workspace: Workspace
    ) -> None:
        """Compute the gradient on Wax, in place: the sum of dz over the places of each symbol."""
        V = p["Wax"].shape[-2]
        if V <= _FEW_SYMBOLS:
            one_hot = workspace.array("one_hot", V, len(symbols))  # (V, S)
            one_hot.fill(0)
            one_hot.put(_flat_index(symbols), 1)
            np.matmul(one_hot, dz, out=gradients["Wax"])
            return
        order = np.argsort(symbols, kind="stable")  # (S,)
        found, starts = np.unique(symbols[order], return_index=True)  # (D,), (D,)
        in_order = dz.take(
            order, axis=-2, out=workspace.array("dz in order", *dz.shape), mode="clip"
        )
        gradients["Wax"].fill(0)
        gradients["Wax"][..., found, :] = np.add.reduceat(in_order, starts, axis=-2)


class Projection:
    """The input map of any other layer: z = x Wax + ba."""

    def forward(self, p: Arrays, x: NDArray[Any], out: Array) -> None:
        """Compute z of (S, H) hidden states of the layer below, in place."""
        multiply(x, p["Wax"], out)
        out += p["ba"][..., np.newaxis, :]

    def backward(
        self, p: Arrays, gradients: Arrays, x: NDArray[Any], dz: Array, workspace: Workspace
    ) -> Array:
        """Compute the gradient on Wax, in place; returns the (S, H) gradient on x."""
        multiply_transposed(x, dz, gradients["Wax"])
        # One gate after the other, because the sum of products of all gates takes more memory.
        Wax_T = workspace.transposed("Wax", p["Wax"])
        # (G, S, H) and (G, H, H), with one gate for a vanilla RNN.
        dz, Wax_T = (array.reshape(-1, *array.shape[-2:]) for array in (dz, Wax_T))
        gates = zip(dz, Wax_T, strict=True)
        dx, more = workspace.array("dx", *x.shape), workspace.array("dx of a gate", *x.shape)
        multiply(*next(gates), dx)
        for own, weights in gates:
            multiply(own, weights, more)
            dx += more
        return dx


CHUNK = 1 << 15
"""The number of hidden states whose derivatives are computed at once: many, because each call takes
time, but no more than a cache keeps until their steps."""

Backward = Callable[[Array, Arrays], tuple[Array | None, CellState]]
"""The backward pass of a recurrent layer. Takes the (S, H) gradient on the outputs, which it
overwrites, and memory for the gradients on the parameters. Returns the gradients on the inputs and
on the initial state. The first is None if the inputs are symbols."""


class Recurrent:
    """A recurrent layer: an input map, a cell, and the loop over time.

    It runs over packed names; see `dinogen.data.batches.Batch`. So no padding is multiplied.
    """

    def __init__(self, cell: Cell, inputs: Embedding | Projection) -> None:
        self.cell = cell
        self._inputs = inputs

    def step(self, p: Arrays, x: NDArray[Any], state: CellState) -> CellState:
        """Do one step forward, outside of training."""
        n = len(x)
        cell_pass = self.cell.start(p, n, n, NewArrays(state[0].dtype))
        self._inputs.forward(p, x, cell_pass.z)
        return cell_pass.step(slice(0, n), state[0], state)

    def forward(
        self,
        p: Arrays,
        x: NDArray[Any],
        batch_sizes: Sequence[int],
        state: CellState,
        masks: LayerMasks,
        workspace: Workspace,
    ) -> tuple[Array, CellState, Backward]:
        """Run the cell over packed names.

        Args:
            p: the layer's arrays.
            x: (S,) symbols, or (S, H) hidden states of the layer below, in packed order.
            batch_sizes: the number of names still running at each of the T steps; never increases.
            state: the state of the N names before the first step.
            masks: the dropout masks.
            workspace: memory for intermediate results. No other layer may use it.

        Returns:
            The (S, H) outputs, the state after the last step, and the backward pass, which
            overwrites the outputs. They are valid until the next forward pass.
        """
        S = len(x)
        cell_pass = self.cell.start(p, S, batch_sizes[0], workspace)
        self._inputs.forward(p, x, cell_pass.z)
        initial, mask = state, masks.recurrent
        read = workspace.array("read", S, initial[0].shape[1])  # what the recurrent products read
        ends = accumulate(batch_sizes)
        steps = [slice(end - n, end) for n, end in zip(batch_sizes, ends, strict=True)]
        for n, rows in zip(batch_sizes, steps, strict=True):
            before = read[rows]  # (n, H)
            if mask is None:
                before[...] = state[0][:n]
            else:
                np.multiply(state[0][:n], mask[:n], before)
            state = cell_pass.step(rows, before, state)
        # The backward pass overwrites what the steps wrote.
        state = tuple([array.copy() for array in state])
        outputs = hidden = cell_pass.hidden()  # (S, H)
        if masks.output is not None:
            names = np.concatenate([np.arange(n) for n in batch_sizes])  # (S,)
            output_mask = masks.output.take(
                names, axis=0, out=workspace.array("mask", *hidden.shape), mode="clip"
            )
            outputs = np.multiply(
                hidden, output_mask, out=workspace.array("outputs", *hidden.shape)
            )

        def backward(da: Array, gradients: Arrays) -> tuple[Array | None, CellState]:
            if masks.output is not None:
                da *= output_mask
            cell_pass.turn_back()
            ready, chunk = S, max(1, CHUNK // read.shape[1])
            da_prev = read[:0]  # (0, H): no gradient comes from beyond the last step
            # The first item is a placeholder, which each step replaces.
            dstate = [da_prev, *map(np.zeros_like, initial[1:])]
            for n, rows in zip(reversed(batch_sizes), reversed(steps), strict=True):
                if rows.start < ready:
                    start = max(0, min(rows.start, ready - chunk))
                    cell_pass.differentiate(slice(start, ready))
                    ready = start
                dstate[0] = da[rows]  # (n, H)
                carried = dstate[0][: len(da_prev)]
                carried += da_prev
                masked = None if mask is None else mask[:n]
                da_prev = cell_pass.step_back(rows, dstate, masked)
            cell_pass.recurrent_gradients(gradients, read)
            dz = cell_pass.z
            # A product with ones is faster than a sum.
            np.matmul(np.ones(S, dtype=dz.dtype), dz, out=gradients["ba"])
            dx = self._inputs.backward(p, gradients, x, dz, workspace)
            return dx, (da_prev, *dstate[1:])

        return outputs, state, backward


class Readout:
    """The last layer: logits = a Wya + by, softmax and cross-entropy."""

    @staticmethod
    def shapes(hidden_size: int, vocab_size: int) -> Shapes:
        """Return the shapes of its arrays."""
        return {"Wya": (hidden_size, vocab_size), "by": (vocab_size,)}

    def initialise(self, p: Arrays, random: np.random.Generator) -> None:
        """Draw weights of standard deviation 0.3 / sqrt(H): symbols start about equally likely."""
        p["Wya"][...] = 0.3 / np.sqrt(len(p["Wya"])) * random.standard_normal(p["Wya"].shape)
        p["by"][...] = 0

    def logits(self, p: Arrays, a: Array, out: Array | None = None) -> Array:
        """(V, N) logits: one column per name, because NumPy sums along axis 0 faster."""
        logits: Array = np.dot(p["Wya"].T, a.T, out=out)  # (V, N)
        logits += p["by"][:, np.newaxis]
        return logits

    def loss(
        self, p: Arrays, gradients: Arrays, a: Array, batch: Batch, workspace: Workspace
    ) -> tuple[float, Array]:
        """Compute the summed cross-entropy and its gradients.

        Args:
            p: the layer's arrays.
            gradients: the gradients on these arrays. Overwritten.
            a: (S, H) outputs of the layer below.
            batch: the batch, which has the targets.
            workspace: memory for intermediate results.

        Returns:
            The loss in nats, and the (S, H) gradient on ``a``.
        """
        dlogits = self.logits(p, a, workspace.array("logits", len(p["by"]), len(a)))  # (V, S)
        if batch.soft_targets is None:
            loss = cross_entropy(dlogits, batch.targets)
        else:
            loss = soft_cross_entropy(dlogits, batch.soft_targets)
        np.dot(a.T, dlogits.T, out=gradients["Wya"])
        np.dot(dlogits, np.ones(len(a), dtype=a.dtype), out=gradients["by"])
        return loss, np.dot(dlogits.T, p["Wya"].T, out=workspace.array("da", *a.shape))


def softmax(logits: Array) -> Array:
    """Turn logits into probabilities, in place: (V,), or (V, N) by columns.

    No probability is below about `MIN_PROBABILITY`, so that some symbol always remains when
    constraints exclude others.
    """
    logits -= logits.max(axis=0)
    np.maximum(logits, log(MIN_PROBABILITY), out=logits)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=0)
    return logits


def cross_entropy(logits: Array, targets: Symbols) -> float:
    """Sum the cross-entropy -log softmax(logits)[target] over the columns, in nats.

    Args:
        logits: (V, S). Overwritten with the gradient of the sum, softmax - one-hot.
        targets: (S,) the symbols that followed.
    """
    index = _flat_index(targets)  # (S,)
    logits -= logits.max(axis=0)  # (V, S)
    likely = logits.take(index)  # (S,)
    np.exp(logits, out=logits)
    total = logits.sum(axis=0)  # (S,)
    logits /= total
    logits.put(index, logits.take(index) - 1)
    return float(np.log(total).sum(dtype=np.float64) - likely.sum(dtype=np.float64))


def soft_cross_entropy(logits: Array, soft_targets: Array) -> float:
    """Sum the cross-entropy -sum_v q_v log softmax(logits)_v over the columns, in nats.

    Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015), section 2, at
    temperature 1.

    Args:
        logits: (V, S). Overwritten with the gradient of the sum, softmax - q.
        soft_targets: (S, V) the probabilities q; each row sums to 1.
    """
    logits -= logits.max(axis=0)  # (V, S)
    likely = np.einsum("vs,sv->s", logits, soft_targets)  # (S,)
    np.exp(logits, out=logits)
    total = logits.sum(axis=0)  # (S,)
    logits /= total
    logits -= soft_targets.T
    return float(np.log(total).sum(dtype=np.float64) - likely.sum(dtype=np.float64))


def _flat_index(symbols: NDArray[Any]) -> NDArray[np.intp]:
    """(S,) the flat index of the element [symbols[i], i] of a (V, S) array, for each i.

    NumPy reads and writes faster with one index than with two.
    """
    index: NDArray[np.intp] = symbols.astype(np.intp) * len(symbols) + np.arange(len(symbols))
    return index
