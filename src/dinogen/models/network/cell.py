"""The interface of a recurrent cell: shapes, initialisation, and a step in both directions."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from dinogen.models.language_model import Array
from dinogen.models.network.parameters import Shapes, Workspace

Arrays = Mapping[str, Array]

CellState = tuple[Array, ...]
"""(N, H) arrays. The first is the hidden state; an LSTM adds its cell state."""


class CellPass(Protocol):
    """The steps of a cell through one batch of S symbols, forward and then backward.

    Attributes:
        z: the pre-activations, (S, H), or (G, S, H) for a cell with G gates, so that the rows of
            each gate are contiguous. The layer fills them with the input's part, x Wax + ba. The
            backward pass leaves dz there, the gradient on the pre-activations.
    """

    z: Array

    def step(self, rows: slice, read: Array, state: CellState) -> CellState:
        """Do one step forward.

        Args:
            rows: the n rows of this step, among the S of the batch.
            read: (n, H) the hidden state that the recurrent products read, after dropout.
            state: the state before the step, without dropout. Only its first n rows are still
                running.

        Returns:
            The state after the step.
        """
        ...

    def hidden(self) -> Array:
        """Return the (S, H) hidden states after all steps. The backward pass overwrites them."""
        ...

    def turn_back(self) -> None:
        """Prepare the backward pass."""
        ...

    def differentiate(self, rows: slice) -> None:
        """Replace what the steps saved by their local derivatives, for many steps at once.

        Args:
            rows: the rows of any number of steps.
        """
        ...

    def step_back(self, rows: slice, dstate: Sequence[Array], mask: Array | None) -> Array:
        """Do one step backward.

        Args:
            rows: the n rows of this step. They have been differentiated.
            dstate: the gradient on the state after the step. Item 0 is that on the hidden state,
                (n, H). In the other items, the first n rows are overwritten with the gradient on
                the state before the step.
            mask: (n, H) the dropout mask of the hidden state that was read; None without dropout.

        Returns:
            (n, H) the gradient on the hidden state before the step. Valid until the next step.
        """
        ...

    def recurrent_gradients(self, gradients: Arrays, read: Array) -> None:
        """Compute the gradients on the recurrent weights, in place.

        Args:
            gradients: the layer's gradients.
            read: (S, H) the hidden states that the recurrent products read.
        """
        ...


class Cell(Protocol):
    """A kind of recurrent layer, with H hidden units. ``p`` holds the layer's arrays by name.

    Attributes:
        embedding_scale: the standard deviation of the initial Wax if the inputs are symbols.
    """

    embedding_scale: float

    def __init__(self, hidden_size: int) -> None: ...

    def shapes(self, inputs: int) -> Shapes:
        """Return the shapes of the cell's arrays.

        They must include Wax (inputs, H) and ba (H,), or with gates, (G, inputs, H) and (G, H).
        """
        ...

    def initialise(self, p: Arrays, random: np.random.Generator, input_scale: float) -> None:
        """Draw initial weights, in place. ``input_scale`` is the standard deviation of Wax."""
        ...

    def blank(self, n: int, dtype: np.dtype[np.floating]) -> CellState:
        """Return the state of n sequences before their first symbol."""
        ...

    def start(self, p: Arrays, symbols: int, names: int, workspace: Workspace) -> CellPass:
        """Start the pass through a batch.

        Args:
            p: the layer's arrays.
            symbols: S, the number of symbols in the batch.
            names: N, the number of names in the batch.
            workspace: the memory of the layer. The names "read", "outputs", "mask", "dx",
                "dx of a gate", "Wax transposed", "one_hot" and "dz in order" are taken.
        """
        ...


def draw_weights(
    p: Arrays, random: np.random.Generator, input_scale: float, recurrent_scale: float = 1.0
) -> None:
    """Draw normal input weights and orthogonal recurrent weights, in place; biases become 0.

    Orthogonal weights keep the norm of what they are multiplied with (Saxe, McClelland and Ganguli
    2014).

    Args:
        p: the layer's arrays.
        random: the random stream.
        input_scale: the standard deviation of Wax.
        recurrent_scale: what the orthogonal matrices of Waa are multiplied with.
    """
    p["Wax"][...] = input_scale * random.standard_normal(p["Wax"].shape)
    p["Waa"][...] = recurrent_scale * np.linalg.qr(random.standard_normal(p["Waa"].shape))[0]
    p["ba"][...] = 0
