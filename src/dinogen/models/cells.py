"""One recurrent step, forward and backward."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def vanilla_forward(z: Array, a_prev: Array, Waa: Array) -> Array:
    """One step of a vanilla RNN: a = tanh(z + a_prev Waa), with z = x Wax + ba.

    Elman, "Finding structure in time" (1990), with tanh for the logistic function.

    Args:
        z: (N, H) the input's part of the pre-activation, bias included; overwritten with a.
        a_prev: (N, H) the hidden state before.
        Waa: (H, H) recurrent weights.

    Returns:
        (N, H) the hidden state after.
    """
    z += a_prev @ Waa  # (N, H)
    return np.tanh(z, out=z)


def vanilla_backward(da: Array, a: Array, Waa: Array) -> Array:
    """Go back through one step: dz = da (1 - a^2), da_prev = dz Waa^T.

    Args:
        da: (N, H) the gradient on the hidden state after, from the readout and from the next step;
            overwritten with dz.
        a: (N, H) the hidden state after.
        Waa: (H, H) recurrent weights.

    Returns:
        (N, H) the gradient on the hidden state before.
    """
    da -= da * a * a  # (N, H)
    return da @ Waa.T
