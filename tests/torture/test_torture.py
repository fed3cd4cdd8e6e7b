"""A little of the torture; all of it is ``make torture``."""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.torture import files, kills, lists


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_killed_runs_leave_whole_checkpoints() -> None:
    """After each kill there is no checkpoint, or a whole one, and at most one stray file."""
    seen = kills.torture(runs=3, seed=2)
    assert seen["absent"] + seen["newer"] + seen["same"] == 3
    assert seen["broken"] == seen["older"] == 0
    assert seen["most_strays"] <= 1
    assert seen["resumed"] == 1


def test_broken_checkpoints_are_refused_or_behave() -> None:
    """Of truncations and mutations in every way none does anything but that."""
    seen = files.torture(mutations=250, seed=3)
    assert seen["otherwise"] == 0
    assert seen["refused"] > 125
    assert seen["done"] > 0


def test_broken_lists_are_refused_or_read() -> None:
    """Whatever is put into a list, it is refused in one line or learned from."""
    seen = lists.torture(mutations=80, seed=4)
    assert seen["otherwise"] == 0
    assert seen["refused"] > 0
    assert seen["done"] > 0


PIECES = st.sampled_from(lists.PIECES) | st.binary(max_size=8) | st.text(max_size=4).map(str.encode)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where a model was trained before."""
    folder = tmp_path_factory.mktemp("lists")
    for command in lists.COMMANDS:
        assert lists.use(b"Anna\nBerta\n", command, folder, piped=False) == "done"
    return folder


@settings(deadline=None, max_examples=60)
@given(st.lists(PIECES, max_size=12), st.sampled_from(lists.COMMANDS), st.booleans())
def test_any_bytes_are_refused_or_read(
    folder: Path, pieces: list[bytes], command: str, piped: bool
) -> None:
    """Bytes of whatever kind, as a list to learn from, to hear or to keep clear of."""
    assert lists.use(b"".join(pieces), command, folder, piped=piped) in ("refused", "done")
