"""The recurrent network: an embedding, a cell, a readout, and the loops over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from dinogen.models.cells import vanilla_backward, vanilla_forward
from dinogen.models.language_model import Rows
from dinogen.models.parameters import Parameters, Shapes

Array = NDArray[np.floating]
Symbols = NDArray[np.integer]


@dataclass(frozen=True)
class RNNConfig:
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


class Backpropagated(NamedTuple):
    """What one pass forward and backward gives.

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

    # The language model: one symbol of each name at a time.

    def start(self, n: int) -> Array:
        """(n, H) hidden states of zeros."""
        return np.zeros((n, self.config.hidden_size), dtype=self.parameters.vector.dtype)

    def advance(self, state: Array, symbols: Symbols) -> tuple[Array, Array]:
        """See `LanguageModel.advance`; the state is (N, H)."""
        p = self.parameters
        z = p["Wax"][symbols]  # (N, H)
        z += p["ba"]
        a = vanilla_forward(z, state, p["Waa"])  # (N, H)
        return a, log_softmax(a @ p["Wya"] + p["by"])  # (N, H), (N, V)

    def select(self, state: Array, rows: Rows) -> Array:
        """See `LanguageModel.select`."""
        return state[rows]

    # Training: all symbols of all names of a batch at once, packed time-major.

    def loss(self, inputs: Symbols, targets: Symbols, sizes: Sequence[int]) -> float:
        """Sum the cross-entropy, in nats, of packed names; see `loss_and_gradients`."""
        a = run(self._embed(inputs), sizes, self.start(sizes[0]), self.parameters["Waa"])  # (S, H)
        log_p = self._read_out(a)  # (S, V)
        return -float(log_p[np.arange(len(targets)), targets].sum(dtype=np.float64))

    def loss_and_gradients(
        self, inputs: Symbols, targets: Symbols, sizes: Sequence[int], a0: Array
    ) -> Backpropagated:
        """Backpropagate through time (Werbos 1990) through packed names, without truncation.

        Args:
            inputs: (S,) the symbols read, all names' first ones before all second ones.
            targets: (S,) the symbols that follow them.
            sizes: the number of names still running at each of the T steps, never rising.
            a0: (N, H) the hidden state before the first step.
        """
        p = self.parameters
        a = run(self._embed(inputs), sizes, a0, p["Waa"])  # (S, H)
        log_p = self._read_out(a)  # (S, V)
        rows = np.arange(len(targets))  # (S,)
        loss = -float(log_p[rows, targets].sum(dtype=np.float64))

        dlogits = np.exp(log_p, out=log_p)  # (S, V)
        dlogits[rows, targets] -= 1
        dz, a_prev, da0 = run_backward(dlogits @ p["Wya"].T, a, sizes, a0, p["Waa"])
        one_hot = np.zeros_like(dlogits)  # (S, V)
        one_hot[rows, inputs] = 1

        gradients = Parameters(self.config.shapes, p.vector.dtype)
        np.matmul(one_hot.T, dz, out=gradients["Wax"])
        np.matmul(a_prev.T, dz, out=gradients["Waa"])
        np.sum(dz, axis=0, out=gradients["ba"])
        np.matmul(a.T, dlogits, out=gradients["Wya"])
        np.sum(dlogits, axis=0, out=gradients["by"])
        return Backpropagated(loss, gradients, da0, a)

    def _embed(self, inputs: Symbols) -> Array:
        p = self.parameters
        return (p["Wax"] + p["ba"])[inputs]  # (S, H)

    def _read_out(self, a: Array) -> Array:
        logits = a @ self.parameters["Wya"]  # (S, V)
        logits += self.parameters["by"]
        return log_softmax(logits)


def run(z: Array, sizes: Sequence[int], a0: Array, Waa: Array) -> Array:
    """Run the cell through packed names.

    Args:
        z: (S, H) the inputs' part of the pre-activations, step after step; overwritten.
        sizes: the number of names still running at each of the T steps, never rising.
        a0: (N, H) the hidden state before the first step.
        Waa: (H, H) recurrent weights.

    Returns:
        (S, H) the hidden state after each step.
    """
    a_prev, end = a0, 0
    for n in sizes:
        start, end = end, end + n
        a_prev = vanilla_forward(z[start:end], a_prev[:n], Waa)  # (n, H)
    return z


def run_backward(
    da: Array, a: Array, sizes: Sequence[int], a0: Array, Waa: Array
) -> tuple[Array, Array, Array]:
    """Go back through the steps of `run`.

    Args:
        da: (S, H) the gradient on each hidden state, from outside the recurrence; overwritten.
        a: (S, H) the hidden states.
        sizes: the number of names still running at each of the T steps, never rising.
        a0: (N, H) the hidden state before the first step.
        Waa: (H, H) recurrent weights.

    Returns:
        The (S, H) gradients on the pre-activations; the (S, H) hidden states before each step, by
        which they are to be multiplied; the (N, H) gradient on the initial hidden state.
    """
    a_prev = np.empty_like(a)  # (S, H)
    a_prev[: len(a0)] = a0
    carry, start = a0[:0], len(a)
    for step in reversed(range(len(sizes))):
        start, end = start - sizes[step], start
        da[start : start + len(carry)] += carry
        if step:
            before = start - sizes[step - 1]
            a_prev[start:end] = a[before : before + sizes[step]]  # (n, H)
        carry = vanilla_backward(da[start:end], a[start:end], Waa)  # (n, H)
    return da, a_prev, carry


def log_softmax(logits: Array) -> Array:
    """(N, V) logarithms of the softmax over the last axis, in place."""
    logits -= logits.max(axis=-1, keepdims=True)  # (N, V)
    logits -= np.log(np.exp(logits).sum(axis=-1, keepdims=True))  # (N, V)
    return logits
