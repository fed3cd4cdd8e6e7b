"""Dropout: how much is dropped, and that a step's masks are its own."""

import numpy as np
import pytest

from dinogen.models.rnn import NO_MASKS
from dinogen.training.dropout import Dropout


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_share_is_dropped_and_the_rest_scaled_up(share: float) -> None:
    """A mask holds zeros, about the share of them, and 1 / (1 - share); its mean is about 1."""
    masks = Dropout(share, share, seed=1).masks(0, names=40, symbols=300, hidden_size=50)
    for mask, rows in ((masks.recurrent, 40), (masks.readout, 300)):
        assert mask is not None
        assert mask.shape == (rows, 50)
        assert mask.dtype == np.float32
        assert set(np.unique(mask).tolist()) == {0.0, float(np.float32(1 / (1 - share)))}
        # Five deviations of a mean over so many independent draws.
        spread = 5 * (share * (1 - share) / mask.size) ** 0.5
        assert abs(float((mask == 0).mean()) - share) < spread


def test_each_step_has_masks_of_its_own() -> None:
    """Step 7 has the same masks whether or not others came before; steps and seeds differ."""

    def draw(dropout: Dropout, step: int) -> list[float]:
        mask = dropout.masks(step, names=3, symbols=9, hidden_size=8).recurrent
        assert mask is not None
        return mask.ravel().tolist()

    one = Dropout(0.5, 0.5, seed=1)
    in_order = [draw(one, step) for step in range(8)]
    assert draw(Dropout(0.5, 0.5, seed=1), 7) == in_order[7]
    assert len({tuple(mask) for mask in in_order}) == 8
    assert draw(Dropout(0.5, 0.5, seed=2), 7) != in_order[7]


def test_nothing_is_dropped_without_dropout() -> None:
    """A share of 0, or of less than half a 256th, makes no mask."""
    assert Dropout(0.0, 0.0, seed=1).masks(0, 3, 9, 8) is NO_MASKS
    masks = Dropout(0.001, 0.5, seed=1).masks(0, 3, 9, 8)
    assert masks.recurrent is None
    assert masks.readout is not None
