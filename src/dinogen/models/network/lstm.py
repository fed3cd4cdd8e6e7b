"""The LSTM cell."""

from collections.abc import Sequence

import numpy as np

from dinogen.models.language_model import Array
from dinogen.models.network.cell import Arrays, CellState, draw_weights
from dinogen.models.network.parameters import Shapes, Workspace
from dinogen.models.network.products import multiply_transposed, step_product

OUTPUT, FORGET, UPDATE, CANDIDATE = range(4)
"""The order of the gates. Those that the gradient on the cell state reaches are neighbours."""


class LstmCell:
    """The LSTM: a cell state c that gates keep, write and read.

    Hochreiter and Schmidhuber (1997), with the forget gate of Gers, Schmidhuber and Cummins (2000).
    Of the pre-activations z + a_prev Waa of the four gates, the logistic function makes the gates
    o, f, u, and tanh makes the candidate g. Then

        c = f c_prev + u g,    a = o tanh(c)

    Implements `Cell`.
    """

    embedding_scale = 0.5
    """Small, so that at first no gate is fully open or closed."""

    def __init__(self, hidden_size: int) -> None:
        self._hidden_size = hidden_size

    def shapes(self, inputs: int) -> Shapes:
        """See `Cell.shapes`: four gates, in the order output, forget, update, candidate."""
        H = self._hidden_size
        return {"Wax": (4, inputs, H), "Waa": (4, H, H), "ba": (4, H)}

    def initialise(self, p: Arrays, random: np.random.Generator, input_scale: float) -> None:
        """See `Cell.initialise`.

        The bias of the forget gate is 1, so that at first the cell state is kept (Jozefowicz,
        Zaremba and Sutskever 2015).
        """
        draw_weights(p, random, input_scale)
        p["ba"][FORGET] = 1

    def blank(self, n: int, dtype: np.dtype[np.floating]) -> CellState:
        """See `Cell.blank`: zeros, for the hidden state and the cell state."""
        a, c = np.zeros((2, n, self._hidden_size), dtype=dtype)
        return a, c

    def start(self, p: Arrays, symbols: int, names: int, workspace: Workspace) -> "LstmPass":
        """See `Cell.start`."""
        return LstmPass(p["Waa"], symbols, names, workspace)


class LstmPass:
    """The steps of an `LstmCell`; a `CellPass`.

    The gates overwrite z. Beside them, the three products o tanh(c), f c_prev and u g are saved.
    """

    def __init__(self, Waa: Array, symbols: int, names: int, workspace: Workspace) -> None:
        S, N, H = symbols, names, Waa.shape[-1]
        self.z = workspace.array("z", 4, S, H)
        self._products = workspace.array("products", 3, S, H)
        self._c = workspace.array("c", S, H)
        self._tanh_c = workspace.array("tanh_c", S, H)
        self._da_prev = workspace.array("da_prev", N, H)
        self._Waa = Waa
        self._names = names
        self._workspace = workspace
        self._product = step_product(Waa, names, workspace, "product")

    def step(self, rows: slice, read: Array, state: CellState) -> CellState:
        """See `CellPass.step`."""
        z = self.z[:, rows]  # (4, n, H)
        z += self._product(read)
        gates = z[:CANDIDATE]  # (3, n, H)
        gates *= 0.5  # the logistic function is (1 + tanh(z / 2)) / 2
        np.tanh(z, z)
        gates *= 0.5
        gates += 0.5
        o, f, u, g = z
        a, kept, written = self._products[:, rows]
        np.multiply(f, state[1][: len(f)], kept)
        np.multiply(u, g, written)
        c = np.add(kept, written, self._c[rows])
        np.multiply(o, np.tanh(c, self._tanh_c[rows]), a)
        return a, c

    def hidden(self) -> Array:
        """See `CellPass.hidden`."""
        a: Array = self._products[OUTPUT]
        return a

    def turn_back(self) -> None:
        """See `CellPass.turn_back`."""
        Waa_T = self._workspace.transposed("Waa", self._Waa)
        self._product = step_product(Waa_T, self._names, self._workspace, "product")

    def differentiate(self, rows: slice) -> None:
        """See `CellPass.differentiate`.

        With h the logistic function, h' = h (1 - h). So the derivative of o tanh(c) in z_o is the
        product itself, times 1 - o. Likewise for the other gates.
        """
        z, products, tanh_c = self.z[:, rows], self._products[:, rows], self._tanh_c[rows]
        gates, (o, f, u, g) = z[:CANDIDATE], z
        a, _, written = products
        # The derivative of a in c, o (1 - tanh(c)^2) = o - a tanh(c), replaces tanh(c).
        tanh_c *= a
        np.subtract(o, tanh_c, out=tanh_c)
        # That of c in c_prev, f, replaces c.
        self._c[rows] = f
        # That of u g in z_g is u (1 - g^2) = u - (u g) g.
        g *= written
        np.subtract(u, g, out=g)
        np.subtract(1, gates, out=gates)
        gates *= products

    def step_back(self, rows: slice, dstate: Sequence[Array], mask: Array | None) -> Array:
        """See `CellPass.step_back`."""
        da = dstate[0]  # (n, H)
        dc = dstate[1][: len(da)]
        through_a = self._tanh_c[rows]
        through_a *= da
        dc += through_a
        dz = self.z[:, rows]  # (4, n, H)
        dz[OUTPUT] *= da
        dz[FORGET:] *= dc
        dc *= self._c[rows]
        da_prev = self._da_prev[: len(da)]  # (n, H)
        np.add.reduce(self._product(dz), axis=0, out=da_prev)
        if mask is not None:
            da_prev *= mask
        return da_prev

    def recurrent_gradients(self, gradients: Arrays, read: Array) -> None:
        """See `CellPass.recurrent_gradients`."""
        multiply_transposed(read, self.z, gradients["Waa"])
