"""Small random networks and names, as the tests of models, training and generation need them."""

import numpy as np

from dinogen.models.rnn import RNN, RNNConfig
from dinogen.text.names import Names


def random_network(
    symbols: int,
    hidden: int,
    seed: int,
    *,
    dtype: type[np.floating] = np.float64,
    scale: float = 1.0,
) -> RNN:
    """Draw a network of normal weights, biases included."""
    model = RNN(RNNConfig(symbols, hidden), dtype)
    random = np.random.default_rng(seed)
    model.parameters.vector[...] = scale * random.standard_normal(len(model.parameters.vector))
    return model


def names_of(*names: list[int]) -> Names:
    """Build names from lists of indices, their ends left out."""
    return Names.split(np.array([i for name in names for i in (*name, 0)], dtype=np.uint8))


def as_columns(model: RNN) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """Give the parameters in the course's orientation, as the literal twins take them."""
    p = model.parameters
    return {
        "Wax": p["Wax"].T.astype(np.float64),
        "Waa": p["Waa"].T.astype(np.float64),
        "Wya": p["Wya"].T.astype(np.float64),
        "b": p["ba"][:, np.newaxis].astype(np.float64),
        "by": p["by"][:, np.newaxis].astype(np.float64),
    }
