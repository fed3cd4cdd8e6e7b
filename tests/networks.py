"""Small random networks, names, and finite differences, shared by the tests."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from dinogen.data import Names
from dinogen.models import LanguageModel, Network, NetworkConfig

GATES = {"rnn": "", "gru": "rug", "lstm": "ofic"}
"""The letters of the gates in `literal`, in the order of the package. The vanilla RNN has none."""


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
        model: the network.
        layer: the layer, counted from 1, whose recurrent arrays are returned.
    """
    return columns(model.config.cell, model.parameters, layer)


def columns(
    cell: str, arrays: Mapping[str, NDArray[np.floating]], layer: int = 1
) -> dict[str, NDArray[np.float64]]:
    """Return parameters, or gradients on them, in the course's orientation.

    Args:
        cell: the kind of cell.
        arrays: the arrays of a network, or of one recurrent layer.
        layer: the layer, counted from 1, whose recurrent arrays are returned.
    """
    p = {
        name.removeprefix(f"layer{layer}."): array.astype(np.float64)
        for name, array in arrays.items()
    }
    turned: dict[str, NDArray[np.float64]] = {}
    if "Wya" in p:
        turned |= {"Wya": p["Wya"].T, "by": p["by"][:, np.newaxis]}
    if not GATES[cell]:
        return turned | {"Wax": p["Wax"].T, "Waa": p["Waa"].T, "b": p["ba"][:, np.newaxis]}
    for gate, letter in enumerate(GATES[cell]):
        turned[f"W{letter}"] = np.concatenate([p["Waa"][gate], p["Wax"][gate]]).T
        turned[f"b{letter}"] = p["ba"][gate][:, np.newaxis]
    return turned


def packed(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn an (F, N, T) array of the course into packed (T * N, F) rows, step after step."""
    return np.concatenate([x[:, :, t].T for t in range(x.shape[2])])


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


def answers(model: LanguageModel, symbols: NDArray[np.integer]) -> NDArray[np.floating]:
    """(T + 1, N, V) what a model answers at the start and after each of T symbols of N names."""
    state, p = model.begin(len(symbols))
    found = [p.copy()]
    for column in symbols.T:
        state, p = model.advance(state, column)
        found.append(p.copy())  # (N, V)
    return np.array(found)
