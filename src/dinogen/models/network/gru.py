"""The GRU cell."""

from collections.abc import Sequence

import numpy as np

from dinogen.models.language_model import Array
from dinogen.models.network.cell import Arrays, CellState, draw_weights
from dinogen.models.network.parameters import Shapes, Workspace
from dinogen.models.network.products import multiply_transposed, step_product

RESET, UPDATE, CANDIDATE = range(3)
"""The order of the gates."""


class GruCell:
    """The GRU: a hidden state that an update gate overwrites in part.

    Cho et al. (2014), equations 5 to 8, with the two sides of the update gate exchanged, as in
    Chung et al. (2014). With the logistic function h,

        r = h(z_r + a_prev Waa_r),    u = h(z_u + a_prev Waa_u)
        g = tanh(z_g + (r a_prev) Waa_g)
        a = u g + (1 - u) a_prev

    Implements `Cell`.
    """

    embedding_scale = 0.5
    """Small, so that at first no gate is fully open or closed."""

    def __init__(self, hidden_size: int) -> None:
        self._hidden_size = hidden_size

    def shapes(self, inputs: int) -> Shapes:
        """See `Cell.shapes`: three gates, in the order reset, update, candidate."""
        H = self._hidden_size
        return {"Wax": (3, inputs, H), "Waa": (3, H, H), "ba": (3, H)}

    def initialise(self, p: Arrays, random: np.random.Generator, input_scale: float) -> None:
        """See `Cell.initialise`."""
        draw_weights(p, random, input_scale)

    def blank(self, n: int, dtype: np.dtype[np.floating]) -> CellState:
        """See `Cell.blank`: zeros."""
        return (np.zeros((n, self._hidden_size), dtype=dtype),)

    def start(self, p: Arrays, symbols: int, names: int, workspace: Workspace) -> "GruPass":
        """See `Cell.start`."""
        return GruPass(p["Waa"], symbols, names, workspace)


class GruPass:
    """The steps of a `GruCell`; a `CellPass`.

    The gates overwrite z. Beside them, a, r a_prev and u (g - a_prev) are saved.
    """

    def __init__(self, Waa: Array, symbols: int, names: int, workspace: Workspace) -> None:
        S, H = symbols, Waa.shape[-1]
        self.z = workspace.array("z", 3, S, H)
        self._products = workspace.array("products", 2, S, H)
        self._a = workspace.array("a", S, H)
        self._Waa = Waa
        self._names = names
        self._workspace = workspace
        self._multiply_with(Waa)

    def _multiply_with(self, Waa: Array) -> None:
        """Set up the products with the weights of the gates and with those of the candidate."""
        N, workspace = self._names, self._workspace
        self._gates_product = step_product(Waa[:CANDIDATE], N, workspace, "gates product")
        self._product = step_product(Waa[CANDIDATE], N, workspace, "product")

    def step(self, rows: slice, read: Array, state: CellState) -> CellState:
        """See `CellPass.step`."""
        z = self.z[:, rows]  # (3, n, H)
        gates, g = z[:CANDIDATE], z[CANDIDATE]  # (2, n, H), (n, H)
        gates += self._gates_product(read)
        gates *= 0.5  # the logistic function is (1 + tanh(z / 2)) / 2
        np.tanh(gates, gates)
        gates *= 0.5
        gates += 0.5
        r, u = gates
        reset, change = self._products[:, rows]
        g += self._product(np.multiply(r, read, reset))
        np.tanh(g, g)
        a_prev = state[0][: len(g)]
        np.subtract(g, a_prev, change)
        change *= u
        return (np.add(a_prev, change, self._a[rows]),)

    def hidden(self) -> Array:
        """See `CellPass.hidden`."""
        return self._a

    def turn_back(self) -> None:
        """See `CellPass.turn_back`."""
        self._multiply_with(self._workspace.transposed("Waa", self._Waa))

    def differentiate(self, rows: slice) -> None:
        """See `CellPass.differentiate`.

        With h the logistic function, h' = h (1 - h). So the derivative of r a_prev in z_r is the
        product itself, times 1 - r. Likewise for u (g - a_prev) in z_u.
        """
        r, u, g = self.z[:, rows]
        reset, change = self._products[:, rows]
        # The derivative of a in z_g is u (1 - g^2).
        g *= g
        np.subtract(1, g, out=g)
        g *= u
        # That of a in a_prev, for a fixed g, is 1 - u. It replaces a.
        kept = np.subtract(1, u, out=self._a[rows])
        np.multiply(change, kept, out=u)
        # That of r a_prev in a_prev, r, replaces the change.
        change[...] = r
        np.subtract(1, r, out=r)
        r *= reset

    def step_back(self, rows: slice, dstate: Sequence[Array], mask: Array | None) -> Array:
        """See `CellPass.step_back`."""
        da = dstate[0]  # (n, H)
        dz = self.z[:, rows]  # (3, n, H)
        dz[UPDATE:] *= da
        da_prev = self._product(dz[CANDIDATE])  # (n, H) the gradient on r a_prev
        dz[RESET] *= da_prev
        da_prev *= self._products[UPDATE, rows]  # r
        for product in self._gates_product(dz[:CANDIDATE]):
            da_prev += product
        if mask is not None:
            da_prev *= mask
        kept = self._a[rows]  # 1 - u
        kept *= da
        da_prev += kept
        return da_prev

    def recurrent_gradients(self, gradients: Arrays, read: Array) -> None:
        """See `CellPass.recurrent_gradients`. The product of the candidate reads r a_prev."""
        dWaa = gradients["Waa"]
        multiply_transposed(read, self.z[:CANDIDATE], dWaa[:CANDIDATE])
        multiply_transposed(self._products[RESET], self.z[CANDIDATE], dWaa[CANDIDATE])
