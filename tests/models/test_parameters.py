"""Parameters, which are one vector, and workspaces, which reuse their memory."""

import numpy as np
import pytest

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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_memory_is_aligned(dtype: type[np.floating]) -> None:
    """Every vector and every array of a workspace starts at a multiple of 64 bytes."""
    workspace = Workspace(dtype)
    kept = []  # Memory that is freed would be given out again.
    for size in range(1, 40):
        parameters = Parameters({"W": (size, 3), "b": (5,)}, dtype)
        array = workspace.array(f"array {size}", 2, size)
        copy = workspace.transposed(f"array {size}", array)
        kept += [parameters.vector, parameters.copy().vector, array, copy]
        # The memory grows.
        kept.append(workspace.array("array", size, 7))
    assert {array.ctypes.data % 64 for array in kept} == {0}
    assert all(array.dtype == dtype for array in kept)


def test_a_new_vector_is_zeros() -> None:
    """Velocity starts from zeros."""
    for _ in range(3):
        parameters = Parameters({"W": (20, 3)}, np.float32)
        assert not parameters.vector.any()
        parameters.vector.fill(1)


@pytest.mark.parametrize("shape", [(2, 3), (4, 2, 3), (1, 1)], ids=str)
def test_a_transposed_copy(shape: tuple[int, ...]) -> None:
    """The last two axes are exchanged. The copy is contiguous and has its own memory."""
    array = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    workspace = Workspace(np.float64)
    copy = workspace.transposed("W", array)
    np.testing.assert_array_equal(copy, array.swapaxes(-1, -2))
    assert copy.flags.c_contiguous
    assert not np.shares_memory(copy, array)
    assert np.shares_memory(workspace.transposed("W", array + 1), copy)
    assert not np.shares_memory(workspace.transposed("V", array), copy)
