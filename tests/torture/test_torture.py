"""A short run of the stress tests; ``make torture`` runs them in full."""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from tests.torture import checkpoints, kills, lists


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_killed_runs_leave_valid_checkpoints() -> None:
    """After each kill there is no checkpoint, or a valid one, and at most one temporary file."""
    counts = kills.torture(runs=3, seed=2)
    assert counts["absent"] + counts["newer"] + counts["same"] == 3
    assert counts["broken"] == counts["older"] == 0
    assert counts["max_strays"] <= 1
    assert counts["resumed"] == 1


def test_broken_checkpoints_are_refused_or_used() -> None:
    """Truncated and mutated files cause nothing else."""
    counts = checkpoints.torture(mutations=250, seed=3)
    assert counts["otherwise"] == 0
    assert counts["refused"] > 125
    assert counts["done"] > 0


def test_broken_lists_are_refused_or_read() -> None:
    """A list with anything in it is refused in one line or used."""
    counts = lists.torture(mutations=80, seed=4)
    assert counts["otherwise"] == 0
    assert counts["refused"] > 0
    assert counts["done"] > 0


PIECES = st.sampled_from(lists.PIECES) | st.binary(max_size=8) | st.text(max_size=4).map(str.encode)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory where a model was trained before."""
    folder = tmp_path_factory.mktemp("lists")
    for command in lists.COMMANDS:
        assert lists.use(b"Anna\nBerta\n", command, folder, piped=False) == "done"
    return folder


@settings(deadline=None, max_examples=60)
@given(st.lists(PIECES, max_size=12), st.sampled_from(lists.COMMANDS), st.booleans())
def test_any_bytes_are_refused_or_read(
    folder: Path, pieces: list[bytes], command: str, piped: bool
) -> None:
    """Arbitrary bytes as a list to train on, to score or to exclude."""
    assert lists.use(b"".join(pieces), command, folder, piped=piped) in ("refused", "done")
