"""SGD and dropout: compared with the formulas by hand."""

import numpy as np
import pytest

from dinogen.models import Parameters
from dinogen.training import Dropout, clip_by_global_norm, descend, rate_factor


def parameters(*values: float) -> Parameters:
    """Build two arrays of two numbers each."""
    result = Parameters({"W": (1, 2), "b": (2,)}, np.float64)
    result.vector[...] = values
    return result


# Clipping, the update, and the learning rate.


def test_the_global_norm_is_that_of_all_arrays_together() -> None:
    """Gradients (2, 4, 5, 6) have the norm 9, and are scaled to the norm 3."""
    gradients = parameters(2, 4, 5, 6)
    assert clip_by_global_norm(gradients, 3.0) == pytest.approx(9)
    np.testing.assert_allclose(gradients.vector, np.array([2, 4, 5, 6]) / 3)


def test_short_gradients_are_unchanged() -> None:
    """A norm below the limit changes no bit."""
    gradients = parameters(0.1, 0.2, 0.3, 0.4)
    clip_by_global_norm(gradients, 1.0)
    assert gradients.vector.tolist() == [0.1, 0.2, 0.3, 0.4]


def test_gradients_are_scaled_before_they_are_clipped() -> None:
    """The limit holds for the scaled gradients, and the norm is theirs."""
    gradients = parameters(2, 4, 5, 6)
    assert clip_by_global_norm(gradients, 3.0, scale=1 / 4) == pytest.approx(9 / 4)
    np.testing.assert_allclose(gradients.vector, np.array([2, 4, 5, 6]) / 4)
    gradients = parameters(2, 4, 5, 6)
    assert clip_by_global_norm(gradients, 1.5, scale=1 / 2) == pytest.approx(9 / 2)
    np.testing.assert_allclose(gradients.vector, np.array([2, 4, 5, 6]) / 6)


def test_momentum_accumulates_gradients() -> None:
    """Two steps at rate 0.1 and momentum 0.5, with gradient 1, go down by 0.1 and then 0.15."""
    p, v = parameters(1, 1, 1, 1), parameters(0, 0, 0, 0)
    descend(p, parameters(1, 1, 1, 1), v, rate=0.1, momentum=0.5)
    np.testing.assert_allclose(p.vector, 0.9)
    np.testing.assert_allclose(v.vector, 1)
    descend(p, parameters(1, 1, 1, 1), v, rate=0.1, momentum=0.5)
    np.testing.assert_allclose(p.vector, 0.75)
    np.testing.assert_allclose(v.vector, 1.5)


def test_the_rate_rises_over_a_twentieth_and_then_falls() -> None:
    """Over 100 steps the factor starts at 1/5, is highest at the fifth step, and ends near 0."""
    factors = [rate_factor(step, 100) for step in range(100)]
    assert factors[0] == pytest.approx(0.2)
    assert max(factors) == factors[4] == pytest.approx(0.96)
    assert factors[4:] == sorted(factors[4:], reverse=True)
    assert factors[-1] == pytest.approx(0.01)


def test_a_run_of_one_step_has_the_full_rate() -> None:
    """The only step of the shortest run has the factor 1."""
    assert rate_factor(0, 1) == 1


# Dropout.


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_share_is_dropped_and_the_rest_is_scaled_up(share: float, layers: int) -> None:
    """A mask has zeros, about the given share, and 1 / (1 - share), so its mean is about 1."""
    masks = Dropout(share, hidden_size=50, layers=layers, seed=1).masks(0, names=40)
    assert masks is not None
    assert len(masks) == layers
    for layer in masks:
        for mask in layer:
            assert mask is not None
            assert mask.shape == (40, 50)
            assert mask.dtype == np.float32
            assert set(np.unique(mask).tolist()) == {0.0, float(np.float32(1 / (1 - share)))}
            # Five standard deviations of a mean over so many independent draws.
            spread = 5 * (share * (1 - share) / mask.size) ** 0.5
            assert abs(float((mask == 0).mean()) - share) < spread


def drawn(dropout: Dropout, step: int) -> list[tuple[float, ...]]:
    """Return all masks of a step: recurrent and output, layer by layer."""
    masks = dropout.masks(step, names=9)
    assert masks is not None
    flat = []
    for layer in masks:
        for mask in layer:
            assert mask is not None
            flat.append(tuple(mask.ravel().tolist()))
    return flat


def test_each_step_has_its_own_masks() -> None:
    """Step 7 has the same masks with or without earlier steps. Steps and seeds differ."""
    one = Dropout(0.5, 8, 2, seed=1)
    in_order = [drawn(one, step) for step in range(8)]
    assert drawn(Dropout(0.5, 8, 2, seed=1), 7) == in_order[7]
    assert len({tuple(masks) for masks in in_order}) == 8
    assert drawn(Dropout(0.5, 8, 2, seed=2), 7) != in_order[7]


def test_all_masks_of_a_step_differ() -> None:
    """Each layer has its own masks, recurrent and output. The first layer's come first."""
    masks = drawn(Dropout(0.5, 8, 3, seed=1), 7)
    assert len(set(masks)) == 6
    assert drawn(Dropout(0.5, 8, 1, seed=1), 7) == masks[:2]


def test_without_dropout_there_are_no_masks() -> None:
    """A share of 0, or of less than half of 1/256, makes no masks."""
    for share in (0.0, 0.001):
        assert Dropout(share, 8, 2, seed=1).masks(0, 3) is None
    assert Dropout(0.002, 8, 2, seed=1).masks(0, 3) is not None
