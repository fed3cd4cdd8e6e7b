"""One step of the cell, against the numbers that the course published for it."""

import numpy as np
import pytest

from dinogen.models.cells import vanilla_backward, vanilla_forward, vanilla_slope


def draw(seed: int, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Draw arrays as the course's exercise does, all from one seed."""
    random = np.random.RandomState(seed)
    return [random.randn(*shape) for shape in shapes]


def test_one_step_forward_gives_the_published_numbers() -> None:
    """A step over a batch of ten agrees with "rnn_cell_forward" to the digits printed there."""
    x, a_prev, Waa, Wax, Wya, ba, by = draw(
        1, (3, 10), (5, 10), (5, 5), (5, 3), (2, 5), (5, 1), (2, 1)
    )
    a = vanilla_forward(x.T @ Wax.T + ba.T, a_prev.T, Waa.T)  # (10, 5)
    logits = a @ Wya.T + by.T  # (10, 2)
    y = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    published_a = [
        0.59584544, 0.18141802, 0.61311866, 0.99808218, 0.85016201,
        0.99980978, -0.18887155, 0.99815551, 0.6531151, 0.82872037,
    ]  # fmt: skip
    published_y = [
        0.9888161, 0.01682021, 0.21140899, 0.36817467, 0.98988387,
        0.88945212, 0.36920224, 0.9966312, 0.9982559, 0.17746526,
    ]  # fmt: skip
    np.testing.assert_allclose(a[:, 4], published_a, rtol=0, atol=5.1e-9)
    np.testing.assert_allclose(y[:, 1], published_y, rtol=0, atol=5.1e-9)


def test_one_step_backward_gives_the_published_numbers() -> None:
    """The gradients of a step agree with "rnn_cell_backward" to the digits printed there."""
    # The exercise takes its bias from the forward exercise before it, not from its own draw.
    *_, ba = draw(1, (3, 10, 4), (5, 10), (5, 5), (5, 3), (2, 5), (5, 1))
    x, a_prev, Wax, Waa, _, _, _, da_next = draw(
        1, (3, 10), (5, 10), (5, 3), (5, 5), (2, 5), (5, 1), (2, 1), (5, 10)
    )
    a = vanilla_forward(x.T @ Wax.T + ba.T, a_prev.T, Waa.T)  # (10, 5)
    dz = da_next.T.copy()  # (10, 5)
    da_prev = vanilla_backward(dz, vanilla_slope(a), Waa)  # (10, 5)
    assert (dz @ Wax)[2, 1] == pytest.approx(-0.4605641030588796, abs=1e-15)
    assert da_prev[3, 2] == pytest.approx(0.08429686538067718, abs=1e-15)
    assert (dz.T @ x.T)[3, 1] == pytest.approx(0.3930818739219304, abs=1e-15)
    assert (dz.T @ a_prev.T)[1, 2] == pytest.approx(-0.2848395578696067, abs=1e-15)
    assert dz.sum(axis=0)[4] == pytest.approx(0.80517166, abs=5.1e-9)
