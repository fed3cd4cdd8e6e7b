"""Room that is used again."""

import numpy as np

from dinogen.models.workspace import Workspace


def test_room_is_used_again_and_grows() -> None:
    """A smaller or equal array lies in the same memory, a larger one has all its numbers."""
    workspace = Workspace(np.float32)
    first = workspace.array("a", 4, 5)
    again = workspace.array("a", 2, 3)
    assert np.shares_memory(first, again)
    assert again.shape == (2, 3)
    assert again.dtype == np.float32
    larger = workspace.array("a", 100, 7)
    larger[...] = 1
    assert larger.sum() == 700


def test_names_have_rooms_of_their_own() -> None:
    """Two names never share memory."""
    workspace = Workspace(np.float64)
    assert not np.shares_memory(workspace.array("a", 9), workspace.array("b", 9))
