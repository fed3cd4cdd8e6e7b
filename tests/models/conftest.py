"""Fixtures for the tests of models."""

from collections.abc import Iterator

import pytest

from dinogen.threads import one_thread


@pytest.fixture(autouse=True, scope="module")
def single_thread() -> Iterator[None]:
    """Compute each product in one thread, as all commands do: on a busy machine, more are slow."""
    with one_thread():
        yield
