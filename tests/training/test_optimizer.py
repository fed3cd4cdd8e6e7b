"""The optimiser, against the formulas by hand."""

import numpy as np
import pytest

from dinogen.models.parameters import Parameters
from dinogen.training.optimizer import clip_by_global_norm, descend, rate_factor


def parameters(*values: float) -> Parameters:
    """Build two arrays of two numbers each."""
    result = Parameters({"W": (1, 2), "b": (2,)}, np.float64)
    result.vector[...] = values
    return result


def test_the_global_norm_is_over_all_arrays_together() -> None:
    """Gradients (2, 4, 5, 6) have the norm 9, and come down to norm 3 in their own direction."""
    gradients = parameters(2, 4, 5, 6)
    assert clip_by_global_norm(gradients, 3.0) == pytest.approx(9)
    np.testing.assert_allclose(gradients.vector, np.array([2, 4, 5, 6]) / 3)


def test_short_gradients_are_left_alone() -> None:
    """A norm below the limit changes nothing, to the bit."""
    gradients = parameters(0.1, 0.2, 0.3, 0.4)
    clip_by_global_norm(gradients, 1.0)
    assert gradients.vector.tolist() == [0.1, 0.2, 0.3, 0.4]


def test_momentum_adds_up_gradients() -> None:
    """Two steps at rate 0.1 and momentum 0.5 with gradient 1 go 0.1 and then 0.15 down."""
    p, v, g = parameters(1, 1, 1, 1), parameters(0, 0, 0, 0), parameters(1, 1, 1, 1)
    descend(p, g, v, rate=0.1, momentum=0.5)
    np.testing.assert_allclose(p.vector, 0.9)
    descend(p, g, v, rate=0.1, momentum=0.5)
    np.testing.assert_allclose(p.vector, 0.75)


def test_the_rate_rises_over_a_twentieth_and_falls_to_the_end() -> None:
    """Over 100 steps the factor is 1/5 at first, highest at the fifth step, and near 0 at last."""
    factors = [rate_factor(step, 100) for step in range(100)]
    assert factors[0] == pytest.approx(0.2)
    assert max(factors) == factors[4] == pytest.approx(0.96)
    assert factors[4:] == sorted(factors[4:], reverse=True)
    assert factors[-1] == pytest.approx(0.01)


def test_a_run_of_one_step_has_a_rate() -> None:
    """The shortest run learns at the full rate."""
    assert rate_factor(0, 1) == 1
