"""Recurrent cells: one class each, with shapes, initialisation, and a step in both directions."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from dinogen.models.language_model import Array
from dinogen.models.network.parameters import Shapes, Workspace

Arrays = Mapping[str, Array]

CellState = tuple[Array, ...]
"""(N, H) arrays. The first is the hidden state; an LSTM would add its cell state."""

NO_BUFFERS: Arrays = {}


class Cell(Protocol):
    """One step of a recurrent layer, forward and backward, for N sequences of H hidden units.

    The layer computes z = x Wax + ba, the input's part of the Z pre-activations, and runs the loop
    over time. For a vanilla RNN, Z is H. ``p`` holds the layer's arrays by name.
    """

    def __init__(self, hidden_size: int) -> None: ...

    def shapes(self, inputs: int) -> Shapes:
        """Return the shapes of the cell's arrays. They must include Wax (inputs, Z) and ba (Z,)."""
        ...

    def initialise(self, p: Arrays, random: np.random.Generator, input_scale: float) -> None:
        """Draw initial weights, in place. ``input_scale`` is the standard deviation of Wax."""
        ...

    def blank(self, n: int, dtype: np.dtype[np.floating]) -> CellState:
        """Return the state of n sequences before their first symbol."""
        ...

    def buffers(self, symbols: int, workspace: Workspace) -> Arrays:
        """Allocate the arrays that the steps save for the backward pass besides z, by name.

        Args:
            symbols: S, the number of symbols in the batch and of rows in each array.
            workspace: the memory of the layer. The names "z", "read", "product", "outputs", "dx"
                and "one_hot" are taken.
        """
        ...

    def step(
        self,
        p: Arrays,
        z: Array,
        hidden: Array,
        state: CellState,
        buffers: Arrays = NO_BUFFERS,
        product: Array | None = None,
    ) -> CellState:
        """Do one step forward.

        Args:
            p: the layer's arrays.
            z: (N, Z) the input's part of the pre-activations. Overwritten with activations.
            hidden: (N, H) the hidden state that the recurrent product reads, after dropout.
            state: the state before the step, without dropout. Only its first N rows are still
                running.
            buffers: this step's rows of the arrays of `buffers`; none outside of training.
            product: (N, Z) memory for the recurrent product; allocated if left out.

        Returns:
            The state after the step.
        """
        ...

    def hidden(self, z: Array, buffers: Arrays) -> Array:
        """Return the (S, H) hidden states after all steps."""
        ...

    def slopes(self, z: Array, buffers: Arrays, workspace: Workspace) -> Array:
        """Return the (S, Z) local derivatives of all steps.

        `step_back` multiplies them by the incoming gradient.
        """
        ...

    def step_back(
        self,
        p_T: Arrays,
        dz: Array,
        dstate: Sequence[Array],
        mask: Array | None,
        buffers: Arrays,
        product: Array,
    ) -> Array:
        """Do one step backward.

        Args:
            p_T: the recurrent weights, transposed and contiguous.
            dz: (N, Z) this step's rows of `slopes`. Overwritten with the gradient on z.
            dstate: the gradient on the state after the step. Item 0 is that on the hidden state,
                (N, H). In the other items, the first N rows are overwritten with the gradient on
                the state before the step.
            mask: (N, H) the dropout mask of the hidden state that was read; None without dropout.
            buffers: as in `step`.
            product: (N, H) memory for the result.

        Returns:
            (N, H) the gradient on the hidden state before the step.
        """
        ...

    def recurrent_gradients(
        self, gradients: Arrays, hidden: Array, dz: Array, buffers: Arrays
    ) -> None:
        """Compute the gradients on the recurrent weights, in place.

        Args:
            gradients: the layer's gradients.
            hidden: (S, H) the hidden states that the recurrent products read.
            dz: (S, Z) the gradients on z.
            buffers: the arrays of `buffers`, with all rows.
        """
        ...


class ElmanCell:
    """The vanilla RNN: a = tanh(z + a_prev Waa).

    Elman (1990), with tanh instead of the logistic function. z is overwritten with a, so no other
    array is saved for the backward pass. Implements `Cell`.
    """

    def __init__(self, hidden_size: int) -> None:
        self._hidden_size = hidden_size

    def shapes(self, inputs: int) -> Shapes:
        """See `Cell.shapes`."""
        H = self._hidden_size
        return {"Wax": (inputs, H), "Waa": (H, H), "ba": (H,)}

    def initialise(self, p: Arrays, random: np.random.Generator, input_scale: float) -> None:
        """Draw initial weights, in place. Biases are 0.

        The recurrent weights are 0.7 times an orthogonal matrix, so that the influence of old
        symbols fades slowly (Saxe, McClelland and Ganguli 2014).
        """
        p["Wax"][...] = input_scale * random.standard_normal(p["Wax"].shape)
        p["Waa"][...] = 0.7 * np.linalg.qr(random.standard_normal(p["Waa"].shape))[0]
        p["ba"][...] = 0

    def blank(self, n: int, dtype: np.dtype[np.floating]) -> CellState:
        """See `Cell.blank`: zeros."""
        return (np.zeros((n, self._hidden_size), dtype=dtype),)

    def buffers(self, symbols: int, workspace: Workspace) -> Arrays:
        """See `Cell.buffers`: none."""
        return NO_BUFFERS

    def step(
        self,
        p: Arrays,
        z: Array,
        hidden: Array,
        state: CellState,
        buffers: Arrays = NO_BUFFERS,
        product: Array | None = None,
    ) -> CellState:
        """See `Cell.step`."""
        z += hidden.dot(p["Waa"], out=product)  # (N, H)
        return (np.tanh(z, out=z),)

    def hidden(self, z: Array, buffers: Arrays) -> Array:
        """See `Cell.hidden`."""
        return z

    def slopes(self, z: Array, buffers: Arrays, workspace: Workspace) -> Array:
        """See `Cell.slopes`: the derivative of tanh, 1 - a^2."""
        slope = np.multiply(z, z, out=workspace.array("slope", *z.shape))  # (S, H)
        return np.subtract(1, slope, out=slope)

    def step_back(
        self,
        p_T: Arrays,
        dz: Array,
        dstate: Sequence[Array],
        mask: Array | None,
        buffers: Arrays,
        product: Array,
    ) -> Array:
        """See `Cell.step_back`: dz = da (1 - a^2), da_prev = dz Waa^T."""
        dz *= dstate[0]  # (N, H)
        da_prev: Array = dz.dot(p_T["Waa"], out=product)  # (N, H)
        if mask is not None:
            da_prev *= mask
        return da_prev

    def recurrent_gradients(
        self, gradients: Arrays, hidden: Array, dz: Array, buffers: Arrays
    ) -> None:
        """See `Cell.recurrent_gradients`."""
        np.dot(hidden.T, dz, out=gradients["Waa"])


CELLS: Mapping[str, type[Cell]] = {"rnn": ElmanCell}
"""The cells by the name that settings and checkpoints use."""
