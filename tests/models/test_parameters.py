"""Parameters, which are one vector, and workspaces, which reuse their memory."""

import numpy as np

from dinogen.models import Parameters, Workspace


def test_the_vector_and_the_arrays_share_memory() -> None:
    """A change of the vector changes the arrays, and the reverse; arrays do not overlap."""
    parameters = Parameters({"W": (2, 3), "b": (3,)}, np.float32)
    parameters.vector[...] = np.arange(9)
    assert parameters["W"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert parameters["b"].tolist() == [6, 7, 8]
    parameters["b"][...] = 0
    assert parameters.vector.tolist() == [0, 1, 2, 3, 4, 5, 0, 0, 0]
    assert parameters.vector.dtype == np.float32


def test_a_copy_is_independent() -> None:
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
    assert parameters.shapes == copy.shapes == {"W": (2, 2), "b": (2,)}


def test_a_group_is_a_view_with_shorter_names() -> None:
    """The arrays of a layer are found by their own names, and share memory with the vector."""
    parameters = Parameters({"W": (1, 2), "layer2.W": (2,)}, np.float64)
    group = parameters.group("layer2.", ["W"])
    group["W"][...] = 7
    assert list(group) == ["W"]
    assert parameters.vector.tolist() == [0, 0, 7, 7]


def test_a_workspace_reuses_memory_and_grows() -> None:
    """A smaller array uses the same memory. A larger one has memory for all its numbers."""
    workspace = Workspace(np.float32)
    first = workspace.array("a", 4, 5)
    again = workspace.array("a", 2, 3)
    assert np.shares_memory(first, again)
    assert again.shape == (2, 3)
    assert again.dtype == np.float32
    larger = workspace.array("a", 100, 7)
    larger[...] = 1
    assert larger.sum() == 700


def test_arrays_of_two_names_do_not_overlap() -> None:
    """Two names never share memory."""
    workspace = Workspace(np.float64)
    assert not np.shares_memory(workspace.array("a", 9), workspace.array("b", 9))
