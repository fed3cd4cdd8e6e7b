"""One recurrent step, forward and backward."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def vanilla_forward(z: Array, a_prev: Array, Waa: Array, product: Array | None = None) -> Array:
    """One step of a vanilla RNN: a = tanh(z + a_prev Waa), with z = x Wax + ba.

    Elman, "Finding structure in time" (1990), with tanh for the logistic function.

    Args:
        z: (N, H) the input's part of the pre-activation, bias included; overwritten with a.
        a_prev: (N, H) the hidden state before.
        Waa: (H, H) recurrent weights.
        product: (N, H) room for the product, where there is some.

    Returns:
        (N, H) the hidden state after.
    """
    z += np.dot(a_prev, Waa, out=product)  # (N, H)
    return np.tanh(z, out=z)


def vanilla_slope(a: Array, out: Array | None = None) -> Array:
    """(S, H) the slope of the tanh that gave ``a``: 1 - a^2. For all steps at once."""
    slope = np.multiply(a, a, out=out)  # (S, H)
    return np.subtract(1, slope, out=slope)


def vanilla_backward(da: Array, slope: Array, Waa_T: Array, da_prev: Array | None = None) -> Array:
    """Go back through one step: dz = da (1 - a^2), da_prev = dz Waa^T.

    Args:
        da: (N, H) the gradient on the hidden state after, from the readout and from the next step;
            overwritten with dz.
        slope: (N, H) see `vanilla_slope`.
        Waa_T: (H, H) recurrent weights, transposed.
        da_prev: (N, H) room for the result, where there is some.

    Returns:
        (N, H) the gradient on the hidden state before.
    """
    da *= slope  # (N, H)
    return np.dot(da, Waa_T, out=da_prev)
