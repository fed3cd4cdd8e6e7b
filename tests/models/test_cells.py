"""Cells: the published numbers of the course, and what holds for every registered cell."""

import numpy as np
import pytest

from dinogen.models import Cell, ElmanCell, Parameters, Workspace
from tests.cells import ALL_CELLS
from tests.literal import draw


def test_one_step_forward_gives_the_published_numbers() -> None:
    """One step over a batch of 10 agrees with "rnn_cell_forward" to the printed digits."""
    x, a_prev, Waa, Wax, Wya, ba, by = draw(
        1, (3, 10), (5, 10), (5, 5), (5, 3), (2, 5), (5, 1), (2, 1)
    )
    (a,) = ElmanCell(5).step({"Waa": Waa.T}, x.T @ Wax.T + ba.T, a_prev.T, (a_prev.T,))  # (10, 5)
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
    """The gradients of one step agree with "rnn_cell_backward" to the printed digits."""
    # The exercise takes its bias from the exercise before it, not from its own draw.
    *_, ba = draw(1, (3, 10, 4), (5, 10), (5, 5), (5, 3), (2, 5), (5, 1))
    x, a_prev, Wax, Waa, _, _, _, da_next = draw(
        1, (3, 10), (5, 10), (5, 3), (5, 5), (2, 5), (5, 1), (2, 1), (5, 10)
    )
    cell, workspace = ElmanCell(5), Workspace(np.float64)
    z = x.T @ Wax.T + ba.T  # (10, 5)
    cell.step({"Waa": Waa.T}, z, a_prev.T, (a_prev.T,))
    buffers = cell.buffers(10, workspace)
    dz = cell.slopes(z, buffers, workspace)  # (10, 5)
    da_prev = cell.step_back({"Waa": Waa}, dz, (da_next.T,), None, buffers, np.empty((10, 5)))
    gradients = {"Waa": np.empty((5, 5))}
    cell.recurrent_gradients(gradients, np.ascontiguousarray(a_prev.T), dz, buffers)
    assert (dz @ Wax)[2, 1] == pytest.approx(-0.4605641030588796, abs=1e-15)
    assert da_prev[3, 2] == pytest.approx(0.08429686538067718, abs=1e-15)
    assert (dz.T @ x.T)[3, 1] == pytest.approx(0.3930818739219304, abs=1e-15)
    assert gradients["Waa"].T[1, 2] == pytest.approx(-0.2848395578696067, abs=1e-15)
    assert dz.sum(axis=0)[4] == pytest.approx(0.80517166, abs=5.1e-9)


@pytest.mark.parametrize("cell", ALL_CELLS.values(), ids=ALL_CELLS)
def test_every_cell_has_input_weights_and_a_bias(cell: type[Cell]) -> None:
    """`Wax` has a row for each input and a column for each pre-activation, and so has `ba`."""
    for inputs in (1, 7):
        shapes = cell(5).shapes(inputs)
        assert shapes["Wax"] == (inputs, *shapes["ba"])
        assert shapes["ba"][0] % 5 == 0


@pytest.mark.parametrize("cell", ALL_CELLS.values(), ids=ALL_CELLS)
def test_every_cell_starts_from_zeros(cell: type[Cell]) -> None:
    """The blank state is arrays of zeros, (N, H), in the dtype of the network."""
    for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
        for array in cell(5).blank(3, dtype):
            assert array.shape == (3, 5)
            assert array.dtype == dtype
            assert not array.any()


@pytest.mark.parametrize("cell", ALL_CELLS.values(), ids=ALL_CELLS)
def test_every_cell_draws_its_weights_from_the_generator(cell: type[Cell]) -> None:
    """One seed gives one set of weights. The inputs have the given deviation; none is infinite."""

    def initial(seed: int, scale: float) -> Parameters:
        p = Parameters(cell(40).shapes(50), np.float64)
        p.vector[...] = np.nan
        cell(40).initialise(p, np.random.default_rng(seed), scale)
        return p

    one = initial(1, 2.0)
    assert np.isfinite(one.vector).all()
    np.testing.assert_array_equal(one.vector, initial(1, 2.0).vector)
    assert not np.array_equal(one.vector, initial(2, 2.0).vector)
    assert one["Wax"].std() == pytest.approx(2, rel=0.1)
    assert initial(1, 0.1)["Wax"].std() == pytest.approx(0.1, rel=0.1)


def test_initial_recurrent_weights_are_orthogonal() -> None:
    """In the Elman cell, Waa is 0.7 times an orthogonal matrix, and biases are 0."""
    p = Parameters(ElmanCell(30).shapes(4), np.float64)
    ElmanCell(30).initialise(p, np.random.default_rng(1), 1.0)
    np.testing.assert_allclose(p["Waa"] @ p["Waa"].T, 0.49 * np.eye(30), atol=1e-12)
    assert not p["ba"].any()
