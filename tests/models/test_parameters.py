"""Arrays by name that are one vector."""

import numpy as np

from dinogen.models.parameters import Parameters


def test_vector_and_arrays_are_the_same_numbers() -> None:
    """Writing into the vector shows in the arrays, and the reverse; nothing overlaps."""
    parameters = Parameters({"W": (2, 3), "b": (3,)}, np.float32)
    parameters.vector[...] = np.arange(9)
    assert parameters["W"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert parameters["b"].tolist() == [6, 7, 8]
    parameters["b"][...] = 0
    assert parameters.vector.tolist() == [0, 1, 2, 3, 4, 5, 0, 0, 0]
    assert parameters.vector.dtype == np.float32


def test_a_copy_goes_its_own_way() -> None:
    """A copy has the same numbers, and keeps them when the original changes."""
    parameters = Parameters({"W": (2, 2), "b": (2,)}, np.float64)
    parameters.vector[...] = np.arange(6)
    copy = parameters.copy()
    parameters.vector[...] = -1
    assert copy["W"].tolist() == [[0, 1], [2, 3]]
    parameters.fill(copy)
    assert parameters.vector.tolist() == [0, 1, 2, 3, 4, 5]
    assert list(parameters) == ["W", "b"]
    assert len(parameters) == 2
