"""Small random networks, names, and finite differences, shared by the tests."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dinogen.data import Names
from dinogen.models import Network, NetworkConfig


def random_network(
    symbols: int,
    hidden: int,
    seed: int,
    *,
    dtype: type[np.floating] = np.float64,
    scale: float = 1.0,
    layers: int = 1,
    cell: str = "rnn",
) -> Network:
    """Draw a network whose parameters are all normal, biases included."""
    model = Network(NetworkConfig(symbols, hidden, cell, layers), dtype)
    random = np.random.default_rng(seed)
    model.parameters.vector[...] = scale * random.standard_normal(len(model.parameters.vector))
    return model


def names_of(*names: list[int]) -> Names:
    """Build names from lists of indices without ends."""
    return Names.split(np.array([i for name in names for i in (*name, 0)], dtype=np.uint8))


def as_columns(model: Network, layer: int = 1) -> dict[str, NDArray[np.float64]]:
    """Return the parameters in the course's orientation, for the slow versions in `literal`.

    Args:
        model: a stack of Elman cells.
        layer: the layer, counted from 1, whose recurrent arrays are returned.
    """
    p = {name.removeprefix(f"layer{layer}."): array for name, array in model.parameters.items()}
    return {
        "Wax": p["Wax"].T.astype(np.float64),
        "Waa": p["Waa"].T.astype(np.float64),
        "Wya": p["Wya"].T.astype(np.float64),
        "b": p["ba"][:, np.newaxis].astype(np.float64),
        "by": p["by"][:, np.newaxis].astype(np.float64),
    }


def finite_differences(
    loss: Callable[[], float], array: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Return the slope of a loss in each element of a float64 array, by central differences."""
    slopes, step = np.empty_like(array), 1e-5
    for i in np.ndindex(array.shape):
        middle = array[i]
        array[i] = middle + step
        above = loss()
        array[i] = middle - step
        slopes[i] = (above - loss()) / (2 * step)
        array[i] = middle
    return slopes


def assert_gradient(
    gradient: NDArray[np.floating],
    loss: Callable[[], float],
    array: NDArray[np.floating],
    name: str,
) -> None:
    """Check that a gradient agrees with finite differences to 1e-6."""
    slopes = finite_differences(loss, array)
    atol = 1e-6 * np.abs(slopes).max() + 1e-9
    np.testing.assert_allclose(gradient, slopes, rtol=1e-6, atol=atol, err_msg=name)
