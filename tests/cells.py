"""An LSTM for the tests of layers and networks.

It uses what the vanilla RNN does not: two state arrays, buffers, and more than one pre-activation
for each hidden unit.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dinogen.models import CELLS, Cell, Workspace

Array = NDArray[np.floating]
Arrays = Mapping[str, Array]

LSTM = "lstm of the tests"


class Lstm:
    """Hochreiter and Schmidhuber (1997), with a forget gate (Gers et al. 2000); a `Cell`.

    With i, f, o = sigmoid and g = tanh of the four quarters of z + a_prev Waa:

        c = f c_prev + i g,    a = o tanh(c)
    """

    def __init__(self, hidden_size: int) -> None:
        self._hidden_size = hidden_size

    def shapes(self, inputs: int) -> dict[str, tuple[int, ...]]:
        """Four pre-activations for each hidden unit."""
        H = self._hidden_size
        return {"Wax": (inputs, 4 * H), "Waa": (H, 4 * H), "ba": (4 * H,)}

    def initialise(self, p: Arrays, random: np.random.Generator, input_scale: float) -> None:
        """Draw normal weights."""
        p["Wax"][...] = input_scale * random.standard_normal(p["Wax"].shape)
        p["Waa"][...] = 0.1 * random.standard_normal(p["Waa"].shape)
        p["ba"][...] = 0

    def blank(self, n: int, dtype: np.dtype[np.floating]) -> tuple[Array, Array]:
        """Zeros: hidden state and cell state."""
        return np.zeros((n, self._hidden_size), dtype), np.zeros((n, self._hidden_size), dtype)

    def buffers(self, steps: int, workspace: Workspace) -> Arrays:
        """Room for what the backward pass reads."""
        names = ("c_prev", "tanh", "hidden", "forget", "dc")
        return {name: workspace.array(f"lstm {name}", steps, self._hidden_size) for name in names}

    def step(
        self,
        p: Arrays,
        z: Array,
        hidden: Array,
        state: tuple[Array, ...],
        buffers: Arrays | None = None,
        product: Array | None = None,
    ) -> tuple[Array, ...]:
        """Do one step forward."""
        z += np.dot(hidden, p["Waa"], out=product)
        gates = z[:, : 3 * self._hidden_size]
        gates[...] = 1 / (1 + np.exp(-gates))
        i, f, o, g = np.split(z, 4, axis=1)
        np.tanh(g, out=g)
        c_prev = state[1][: len(z)]
        c = f * c_prev + i * g
        tanh = np.tanh(c)
        a: Array = o * tanh
        if buffers:
            buffers["c_prev"][...], buffers["tanh"][...], buffers["hidden"][...] = c_prev, tanh, a
        return a, c

    def hidden(self, z: Array, buffers: Arrays) -> Array:
        """Return the saved hidden states."""
        return buffers["hidden"]

    def slopes(self, z: Array, buffers: Arrays, workspace: Workspace) -> Array:
        """Return what each gate's gradient is multiplied by."""
        i, f, o, g = np.split(z, 4, axis=1)
        c_prev, tanh = buffers["c_prev"], buffers["tanh"]
        buffers["forget"][...], buffers["dc"][...] = f, o * (1 - tanh**2)
        slopes: Array = np.concatenate(
            [g * i * (1 - i), c_prev * f * (1 - f), tanh * o * (1 - o), i * (1 - g**2)], axis=1
        )
        return slopes

    def step_back(
        self,
        p_T: Arrays,
        dz: Array,
        dstate: Sequence[Array],
        mask: Array | None,
        buffers: Arrays,
        product: Array,
    ) -> Array:
        """Do one step backward."""
        da, dc = dstate[0], dstate[1][: len(dz)]
        dc += da * buffers["dc"]
        i, f, o, g = np.split(dz, 4, axis=1)
        i *= dc
        f *= dc
        o *= da
        g *= dc
        dc *= buffers["forget"]
        da_prev: Array = np.dot(dz, p_T["Waa"], out=product)
        if mask is not None:
            da_prev *= mask
        return da_prev

    def recurrent_gradients(
        self, gradients: Arrays, hidden: Array, dz: Array, buffers: Arrays
    ) -> None:
        """Compute the gradient on Waa, in place."""
        np.dot(hidden.T, dz, out=gradients["Waa"])


ALL_CELLS: Mapping[str, type[Cell]] = {**CELLS, LSTM: Lstm}
"""The cells that generic tests are run with."""
