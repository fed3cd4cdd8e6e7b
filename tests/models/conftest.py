"""Fixtures for the tests of models."""

import pytest

from dinogen.models import CELLS
from tests.cells import LSTM, Lstm


@pytest.fixture(autouse=True)
def lstm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the LSTM of the tests, so that networks can be built of it."""
    assert isinstance(CELLS, dict)
    monkeypatch.setitem(CELLS, LSTM, Lstm)
