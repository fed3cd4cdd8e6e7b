"""A little of the torture; all of it is ``make torture``."""

import sys

import pytest

from tests.torture import files, kills, lists


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_killed_runs_leave_whole_checkpoints() -> None:
    """After each kill there is no checkpoint, or a whole one, and at most one stray file."""
    seen = kills.torture(runs=3, seed=2)
    assert seen["absent"] + seen["new"] + seen["same"] == 3
    assert seen["broken"] == 0
    assert seen["most_strays"] <= 1
    assert seen["resumed"] == 1


def test_broken_checkpoints_are_refused_or_behave() -> None:
    """Of 1,280 truncations and hundreds of mutations none does anything but that."""
    seen = files.torture(mutations=1_700, seed=3)
    assert seen["otherwise"] == 0
    assert seen["refused"] > 1_280
    assert seen["loaded"] > 0


def test_broken_lists_are_refused_or_read() -> None:
    """Whatever is put into a list, it is refused in one line or learned from."""
    seen = lists.torture(mutations=120, seed=4)
    assert seen["otherwise"] == 0
    assert seen["refused"] > 0
    assert seen["read"] > 0
