"""What a model expects next, against the literal loops."""

import numpy as np
import pytest

from dinogen.inspection.expectation import expect
from tests.literal import forward_backward
from tests.networks import as_columns, random_network


@pytest.mark.parametrize("written", [[], [2], [1, 3, 3, 2]])
def test_expectations_are_those_of_the_literal_loops(written: list[int]) -> None:
    """After any beginning each symbol is as likely as the plain loops find it."""
    model = random_network(4, 6, seed=3)
    p = expect(model, written)
    a0 = np.zeros((6, 1))
    before = forward_backward(as_columns(model), [0, *written][:-1], written, a0).loss
    for symbol in range(4):
        whole = forward_backward(as_columns(model), [0, *written], [*written, symbol], a0).loss
        assert p[symbol] == pytest.approx(np.exp((before if written else 0.0) - whole), rel=1e-9)
    assert p.sum() == pytest.approx(1)
