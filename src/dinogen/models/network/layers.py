"""The layers of a network, with their forward and backward passes."""

from collections.abc import Callable, Sequence
from itertools import accumulate
from math import log
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.models.language_model import MIN_PROBABILITY, Array, Symbols
from dinogen.models.network.cells import Arrays, Cell, CellState
from dinogen.models.network.parameters import Shapes, Workspace


class LayerMasks(NamedTuple):
    """Dropout masks of a recurrent layer, which multiply hidden states.

    Attributes:
        recurrent: (N, H) mask of the hidden state that the next step reads; the same at every step
            of a name (Gal and Ghahramani 2016). None without dropout.
        output: (S, H) mask of the hidden states that the layer above reads (Srivastava et al.
            2014). None without dropout.
    """

    recurrent: Array | None
    output: Array | None


NO_MASKS = LayerMasks(None, None)


class Embedding:
    """The input map of the first layer: z = Wax[x] + ba.

    The product of a one-hot vector with Wax is a row of Wax, so rows are looked up.
    """

    def forward(self, p: Arrays, symbols: NDArray[Any], out: Array | None = None) -> Array:
        """(S, Z) z of (S,) symbols."""
        if out is None and len(symbols) < len(p["Wax"]):
            # For fewer symbols than rows, adding ba after the look-up is less work.
            z: Array = p["Wax"].take(symbols, axis=0)  # (S, Z)
            z += p["ba"]
            return z
        # With mode="raise", NumPy would write to a buffer first.
        return (p["Wax"] + p["ba"]).take(
            symbols, axis=0, out=out, mode="raise" if out is None else "clip"
        )

    def backward(
        self, p: Arrays, gradients: Arrays, symbols: NDArray[Any], dz: Array, workspace: Workspace
    ) -> None:
        """Compute the gradient on Wax, in place."""
        one_hot = workspace.array("one_hot", len(p["Wax"]), len(dz))  # (V, S)
        one_hot.fill(0)
        one_hot.put(_flat_index(symbols), 1)
        np.dot(one_hot, dz, out=gradients["Wax"])


class Projection:
    """The input map of any other layer: z = x Wax + ba."""

    def forward(self, p: Arrays, x: NDArray[Any], out: Array | None = None) -> Array:
        """(S, Z) z of (S, H) hidden states of the layer below."""
        z: Array = np.dot(x, p["Wax"], out=out)  # (S, Z)
        z += p["ba"]
        return z

    def backward(
        self, p: Arrays, gradients: Arrays, x: NDArray[Any], dz: Array, workspace: Workspace
    ) -> Array:
        """Compute the gradient on Wax, in place; returns the (S, H) gradient on x."""
        np.dot(x.T, dz, out=gradients["Wax"])
        return np.dot(dz, p["Wax"].T, out=workspace.array("dx", *x.shape))


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
        z = self._inputs.forward(p, x)  # (N, Z)
        return self.cell.step(p, z, state[0], state)

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
            The (S, H) outputs, the state after the last step, and the backward pass. They are
            valid until the next forward pass.
        """
        cell, S, N = self.cell, len(x), batch_sizes[0]
        Z, H = len(p["ba"]), state[0].shape[1]
        z = self._inputs.forward(p, x, workspace.array("z", S, Z))
        read = workspace.array("read", S, H)  # what the recurrent products read
        buffers = cell.buffers(S, workspace)
        product = workspace.array("product", N, Z)  # memory for a recurrent product of any step
        ends = accumulate(batch_sizes)
        steps = [slice(end - n, end) for n, end in zip(batch_sizes, ends, strict=True)]
        initial, mask = state, masks.recurrent
        for n, rows in zip(batch_sizes, steps, strict=True):
            before = read[rows]  # (n, H)
            if mask is None:
                before[...] = state[0][:n]
            else:
                np.multiply(state[0][:n], mask[:n], out=before)
            here = buffers and _select(buffers, rows)
            state = cell.step(p, z[rows], before, state, here, product[:n])
        hidden = cell.hidden(z, buffers)  # (S, H)
        outputs = hidden
        if masks.output is not None:
            outputs = np.multiply(hidden, masks.output, out=workspace.array("outputs", S, H))

        def backward(da: Array, gradients: Arrays) -> tuple[Array | None, CellState]:
            if masks.output is not None:
                da *= masks.output
            dz = cell.slopes(z, buffers, workspace)  # (S, Z)
            # A product with a contiguous transpose takes half the time.
            p_T = {
                name: np.ascontiguousarray(array.T)
                for name, array in p.items()
                if array.ndim == 2 and name != "Wax"
            }
            # The forward pass is over, so its memory is used again.
            product = workspace.array("product", N, H)
            da_prev = product[:0]  # (0, H): no gradient comes from beyond the last step
            # The first item is a placeholder, which each step replaces.
            dstate = [da_prev, *map(np.zeros_like, initial[1:])]
            for n, rows in zip(reversed(batch_sizes), reversed(steps), strict=True):
                dstate[0] = da[rows]  # (n, H)
                carried = dstate[0][: len(da_prev)]
                carried += da_prev
                here = buffers and _select(buffers, rows)
                masked = None if mask is None else mask[:n]
                da_prev = cell.step_back(p_T, dz[rows], dstate, masked, here, product[:n])
            cell.recurrent_gradients(gradients, read, dz, buffers)
            # A product with ones is faster than a sum.
            np.dot(np.ones(S, dtype=dz.dtype), dz, out=gradients["ba"])
            dx = self._inputs.backward(p, gradients, x, dz, workspace)
            return dx, (da_prev, *dstate[1:])

        return outputs, state, backward


def _select(arrays: Arrays, rows: slice) -> Arrays:
    """Return some rows of every array."""
    return {name: array[rows] for name, array in arrays.items()}


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
        self, p: Arrays, gradients: Arrays, a: Array, targets: Symbols, workspace: Workspace
    ) -> tuple[float, Array]:
        """Compute the summed cross-entropy and its gradients.

        Args:
            p: the layer's arrays.
            gradients: the gradients on these arrays. Overwritten.
            a: (S, H) outputs of the layer below.
            targets: (S,) the symbols that followed.
            workspace: memory for intermediate results.

        Returns:
            The loss in nats, and the (S, H) gradient on ``a``.
        """
        dlogits = self.logits(p, a, workspace.array("logits", len(p["by"]), len(a)))  # (V, S)
        loss = cross_entropy(dlogits, targets)
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


def _flat_index(symbols: NDArray[Any]) -> NDArray[np.intp]:
    """(S,) the flat index of the element [symbols[i], i] of a (V, S) array, for each i.

    NumPy reads and writes faster with one index than with two.
    """
    index: NDArray[np.intp] = symbols.astype(np.intp) * len(symbols) + np.arange(len(symbols))
    return index
