"""The Elman cell, which makes a vanilla RNN."""

from collections.abc import Sequence

import numpy as np

from dinogen.models.language_model import Array
from dinogen.models.network.cell import Arrays, CellState, draw_weights
from dinogen.models.network.parameters import Shapes, Workspace
from dinogen.models.network.products import multiply_transposed, step_product


class ElmanCell:
    """The vanilla RNN: a = tanh(z + a_prev Waa).

    Elman (1990), with tanh instead of the logistic function. Implements `Cell`.
    """

    embedding_scale = 2.0
    """Large, so that at first a state depends mostly on its last symbol."""

    def __init__(self, hidden_size: int) -> None:
        self._hidden_size = hidden_size

    def shapes(self, inputs: int) -> Shapes:
        """See `Cell.shapes`."""
        H = self._hidden_size
        return {"Wax": (inputs, H), "Waa": (H, H), "ba": (H,)}

    def initialise(self, p: Arrays, random: np.random.Generator, input_scale: float) -> None:
        """See `Cell.initialise`. The influence of old symbols fades slowly at first."""
        draw_weights(p, random, input_scale, recurrent_scale=0.7)

    def blank(self, n: int, dtype: np.dtype[np.floating]) -> CellState:
        """See `Cell.blank`: zeros."""
        return (np.zeros((n, self._hidden_size), dtype=dtype),)

    def start(self, p: Arrays, symbols: int, names: int, workspace: Workspace) -> "ElmanPass":
        """See `Cell.start`."""
        return ElmanPass(p["Waa"], symbols, names, workspace)


class ElmanPass:
    """The steps of an `ElmanCell`; a `CellPass`.

    z is overwritten with a, so that no other array is saved for the backward pass.
    """

    def __init__(self, Waa: Array, symbols: int, names: int, workspace: Workspace) -> None:
        self.z = workspace.array("z", symbols, len(Waa))
        self._Waa = Waa
        self._names = names
        self._workspace = workspace
        self._product = step_product(Waa, names, workspace, "product")

    def step(self, rows: slice, read: Array, state: CellState) -> CellState:
        """See `CellPass.step`."""
        z = self.z[rows]  # (n, H)
        z += self._product(read)
        return (np.tanh(z, z),)

    def hidden(self) -> Array:
        """See `CellPass.hidden`."""
        return self.z

    def turn_back(self) -> None:
        """See `CellPass.turn_back`."""
        Waa_T = self._workspace.transposed("Waa", self._Waa)
        self._product = step_product(Waa_T, self._names, self._workspace, "product")

    def differentiate(self, rows: slice) -> None:
        """See `CellPass.differentiate`: the derivative of tanh, 1 - a^2, replaces a."""
        a = self.z[rows]
        a *= a
        np.subtract(1, a, out=a)

    def step_back(self, rows: slice, dstate: Sequence[Array], mask: Array | None) -> Array:
        """See `CellPass.step_back`: dz = da (1 - a^2), da_prev = dz Waa^T."""
        dz = self.z[rows]  # (n, H)
        dz *= dstate[0]
        da_prev = self._product(dz)  # (n, H)
        if mask is not None:
            da_prev *= mask
        return da_prev

    def recurrent_gradients(self, gradients: Arrays, read: Array) -> None:
        """See `CellPass.recurrent_gradients`."""
        multiply_transposed(read, self.z, gradients["Waa"])
