"""The recurrent network: an embedding, a cell, a readout, and the loops over time."""

from collections.abc import Sequence
from math import log, prod
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from dinogen.models.cells import vanilla_backward, vanilla_forward, vanilla_slope
from dinogen.models.language_model import LEAST, Rows
from dinogen.models.parameters import Parameters, Shapes
from dinogen.models.workspace import Workspace

Array = NDArray[np.floating]
Symbols = NDArray[np.integer]


MOST_PARAMETERS = 1 << 25
"""Three times so many numbers, in a checkpoint to go on from, are 384 MiB."""


class RNNConfig(NamedTuple):
    """The size of a network: V symbols, the end of a name among them, and H hidden units."""

    symbols: int
    hidden_size: int
    cell: str = "rnn"
    layers: int = 1

    @property
    def shapes(self) -> Shapes:
        """The arrays of the network: inputs on the left, so ``x @ Wax``."""
        V, H = self.symbols, self.hidden_size
        return {"Wax": (V, H), "Waa": (H, H), "ba": (H,), "Wya": (H, V), "by": (V,)}

    @property
    def parameters(self) -> int:
        """Count the numbers in them."""
        return sum(map(prod, self.shapes.values()))


class Masks(NamedTuple):
    """Dropout: what hidden states are multiplied by, where they are to be thinned out.

    Attributes:
        recurrent: (N, H) before the next step reads them, the same at every step of a name (Gal and
            Ghahramani 2016).
        readout: (S, H) before they are read out (Srivastava et al. 2014).
    """

    recurrent: Array | None
    readout: Array | None


NO_MASKS = Masks(None, None)


class Backpropagated(NamedTuple):
    """What one pass forward and backward gives. The arrays last until the next pass.

    Attributes:
        loss: the summed cross-entropy in nats.
        gradients: on every parameter.
        da0: (N, H) the gradient on the initial hidden state.
        a: (S, H) the hidden states.
    """

    loss: float
    gradients: Parameters
    da0: Array
    a: Array


class RNN:
    """A vanilla recurrent network over symbols; a `LanguageModel`.

    a_t = tanh(Wax[x_t] + a_{t-1} Waa + ba) and p(x_{t+1} | x_1 ... x_t) = softmax(a_t Wya + by):
    Elman (1990), as a language model Mikolov et al. (2010), equations 1 to 5. The product of a
    one-hot input with Wax is a row of Wax, so a row is looked up.

    Attributes:
        config: the sizes.
        parameters: the arrays of `RNNConfig.shapes`.
    """

    def __init__(self, config: RNNConfig, dtype: DTypeLike = np.float32) -> None:
        self.config = config
        self.parameters = Parameters(config.shapes, dtype)
        self._gradients = Parameters(config.shapes, dtype)
        self._workspace = Workspace(dtype)

    # The language model: one symbol of each name at a time.

    def start(self, n: int) -> Array:
        """(n, H) hidden states of zeros."""
        return np.zeros((n, self.config.hidden_size), dtype=self.parameters.vector.dtype)

    def advance(self, state: Array, symbols: Symbols) -> tuple[Array, Array]:
        """See `LanguageModel.advance`; the state is (N, H)."""
        p = self.parameters
        z = (p["Wax"] + p["ba"]).take(symbols, axis=0)  # (N, H)
        a = vanilla_forward(z, state, p["Waa"])  # (N, H)
        return a, softmax(self._logits(a)).T  # (N, H), (N, V)

    def select(self, state: Array, rows: Rows) -> Array:
        """See `LanguageModel.select`."""
        return state[rows]

    # Training: all symbols of all names of a batch at once, packed time-major.

    def loss_and_gradients(
        self,
        inputs: Symbols,
        targets: Symbols,
        sizes: Sequence[int],
        a0: Array,
        masks: Masks = NO_MASKS,
    ) -> Backpropagated:
        """Backpropagate through time (Werbos 1990) through packed names, without truncation.

        Args:
            inputs: (S,) the symbols read, all names' first ones before all second ones.
            targets: (S,) the symbols that follow them.
            sizes: the number of names still running at each of the T steps, never rising.
            a0: (N, H) the hidden state before the first step.
            masks: what is dropped out.
        """
        p, gradients, workspace = self.parameters, self._gradients, self._workspace
        z = self._embed(inputs)  # (S, H)
        a, before = run(z, sizes, a0, p["Waa"], workspace, masks.recurrent)  # (S, H), (S, H)
        read = a
        if masks.readout is not None:
            read = np.multiply(a, masks.readout, out=workspace.array("read", *a.shape))  # (S, H)
        dlogits = self._logits(
            read, workspace.array("logits", self.config.symbols, len(a))
        )  # (V, S)
        loss = cross_entropy(dlogits, targets)

        da = np.dot(dlogits.T, p["Wya"].T, out=workspace.array("da", *a.shape))  # (S, H)
        if masks.readout is not None:
            da *= masks.readout
        dz, da0 = run_backward(da, a, sizes, p["Waa"], workspace, masks.recurrent)
        one_hot = workspace.array("one_hot", *dlogits.shape)  # (V, S)
        one_hot.fill(0)
        one_hot[inputs, np.arange(len(inputs))] = 1
        ones = np.ones(len(inputs), dtype=a.dtype)  # (S,) sums as products, which are quicker

        np.dot(one_hot, dz, out=gradients["Wax"])
        np.dot(before.T, dz, out=gradients["Waa"])
        np.dot(ones, dz, out=gradients["ba"])
        np.dot(read.T, dlogits.T, out=gradients["Wya"])
        np.dot(dlogits, ones, out=gradients["by"])
        return Backpropagated(loss, gradients, da0, a)

    def _embed(self, inputs: Symbols) -> Array:
        p = self.parameters
        z = self._workspace.array("a", len(inputs), self.config.hidden_size)  # (S, H)
        # Clipping is how NumPy is told not to look for indices out of bounds first.
        return (p["Wax"] + p["ba"]).take(inputs, axis=0, out=z, mode="clip")

    def _logits(self, a: Array, out: Array | None = None) -> Array:
        """(V, N) symbols by names, since sums down long columns are quicker than along rows."""
        p = self.parameters
        logits = np.dot(p["Wya"].T, a.T, out=out)  # (V, N)
        logits += p["by"][:, np.newaxis]
        return logits


def run(
    z: Array,
    sizes: Sequence[int],
    a0: Array,
    Waa: Array,
    workspace: Workspace,
    keep: Array | None = None,
) -> tuple[Array, Array]:
    """Run the cell through packed names.

    Args:
        z: (S, H) the inputs' part of the pre-activations, step after step; overwritten.
        sizes: the number of names still running at each of the T steps, never rising.
        a0: (N, H) the hidden state before the first step.
        Waa: (H, H) recurrent weights.
        workspace: room for intermediate results.
        keep: (N, H) by which a hidden state is multiplied before a step reads it, if by anything.

    Returns:
        The (S, H) hidden states after each step, and before it, as the step read them.
    """
    before = workspace.array("before", *z.shape)  # (S, H)
    product = workspace.array("product", *a0.shape)  # (N, H)
    a_prev, end = a0, 0
    for n in sizes:
        start, end = end, end + n
        read = before[start:end]  # (n, H)
        if keep is None:
            read[...] = a_prev[:n]
        else:
            np.multiply(a_prev[:n], keep[:n], out=read)
        a_prev = vanilla_forward(z[start:end], read, Waa, product[:n])  # (n, H)
    return z, before


def run_backward(
    da: Array,
    a: Array,
    sizes: Sequence[int],
    Waa: Array,
    workspace: Workspace,
    keep: Array | None = None,
) -> tuple[Array, Array]:
    """Go back through the steps of `run`.

    Args:
        da: (S, H) the gradient on each hidden state, from outside the recurrence; overwritten.
        a: (S, H) the hidden states.
        sizes: the number of names still running at each of the T steps, never rising.
        Waa: (H, H) recurrent weights.
        workspace: room for intermediate results.
        keep: (N, H) as it was given to `run`.

    Returns:
        The (S, H) gradients on the pre-activations; the (N, H) gradient on the initial state.
    """
    slope = vanilla_slope(a, workspace.array("slope", *a.shape))  # (S, H)
    Waa_T = np.ascontiguousarray(Waa.T)  # a product with it takes half the time
    product = workspace.array("product", sizes[0], a.shape[1])  # (N, H)
    carry, start = product[:0], len(a)
    for n in reversed(sizes):
        start, end = start - n, start
        da[start : start + len(carry)] += carry
        carry = vanilla_backward(da[start:end], slope[start:end], Waa_T, product[:n])  # (n, H)
        if keep is not None:
            carry *= keep[:n]
    return da, carry


def softmax(logits: Array) -> Array:
    """Turn logits into probabilities, in place: (V,) ones, or (V, N) by columns.

    None is 0, so that whatever is forbidden later, something is left to choose from.
    """
    logits -= logits.max(axis=0)
    np.maximum(logits, log(LEAST), out=logits)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=0)
    return logits


def cross_entropy(logits: Array, targets: Symbols) -> float:
    """Sum the cross-entropy -log softmax(logits)[target], in nats, over the columns.

    Args:
        logits: (V, S), symbols by places, since sums down long columns are quicker than along
            short rows; overwritten with the gradient of the sum on them, softmax - one-hot.
        targets: (S,) the symbols that followed.
    """
    places = np.arange(len(targets))  # (S,)
    logits -= logits.max(axis=0)  # (V, S)
    likely = logits[targets, places]  # (S,)
    np.exp(logits, out=logits)
    total = logits.sum(axis=0)  # (S,)
    logits /= total
    logits[targets, places] -= 1
    return float(np.log(total).sum(dtype=np.float64) - likely.sum(dtype=np.float64))
