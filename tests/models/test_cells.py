"""Cells: the published numbers of the course's RNN, and what holds for every cell."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.models import CELLS, ElmanCell, Parameters, Workspace
from tests.literal import draw

Array = NDArray[np.floating]

GATES: dict[str, tuple[int, ...]] = {"rnn": (), "gru": (3,), "lstm": (4,)}
"""The first axis of the arrays of a cell: its gates, if it has any."""

RECURRENT_SCALES = {"rnn": 0.7, "gru": 1.0, "lstm": 1.0}
"""The initial Waa of each gate is so many times an orthogonal matrix."""

BIASES = {"rnn": [0.0], "gru": [0.0, 0.0, 0.0], "lstm": [0.0, 1.0, 0.0, 0.0]}
"""The initial bias of each gate: reset, update, candidate; output, forget, update, candidate."""

cells = pytest.mark.parametrize("cell", CELLS)


def initial(cell: str, seed: int, input_scale: float = 1.0) -> Parameters:
    """Draw the initial arrays of a layer of 40 hidden units and 50 inputs."""
    p = Parameters(CELLS[cell](40).shapes(50), np.float64)
    p.vector[...] = np.nan
    CELLS[cell](40).initialise(p, np.random.default_rng(seed), input_scale)
    return p


def test_one_step_forward_gives_the_published_numbers() -> None:
    """One step over a batch of 10 agrees with "rnn_cell_forward" to the printed digits."""
    x, a_prev, Waa, Wax, Wya, ba, by = draw(
        1, (3, 10), (5, 10), (5, 5), (5, 3), (2, 5), (5, 1), (2, 1)
    )
    cell_pass = ElmanCell(5).start({"Waa": Waa.T}, 10, 10, Workspace(np.float64))
    cell_pass.z[...] = x.T @ Wax.T + ba.T  # (10, 5)
    (a,) = cell_pass.step(slice(10), a_prev.T, (a_prev.T,))  # (10, 5)
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
    cell_pass = ElmanCell(5).start({"Waa": Waa.T}, 10, 10, Workspace(np.float64))
    cell_pass.z[...] = x.T @ Wax.T + ba.T  # (10, 5)
    cell_pass.step(slice(10), a_prev.T, (a_prev.T,))
    cell_pass.turn_back()
    cell_pass.differentiate(slice(10))
    da_prev = cell_pass.step_back(slice(10), [da_next.T], None)
    gradients = {"Waa": np.empty((5, 5))}
    cell_pass.recurrent_gradients(gradients, np.ascontiguousarray(a_prev.T))
    dz = cell_pass.z  # (10, 5)
    assert (dz @ Wax)[2, 1] == pytest.approx(-0.4605641030588796, abs=1e-15)
    assert da_prev[3, 2] == pytest.approx(0.08429686538067718, abs=1e-15)
    assert (dz.T @ x.T)[3, 1] == pytest.approx(0.3930818739219304, abs=1e-15)
    assert gradients["Waa"].T[1, 2] == pytest.approx(-0.2848395578696067, abs=1e-15)
    assert dz.sum(axis=0)[4] == pytest.approx(0.80517166, abs=5.1e-9)


# What holds for every cell.


@cells
def test_every_cell_has_input_weights_recurrent_weights_and_a_bias(cell: str) -> None:
    """With gates, each array has one part for each of them."""
    for inputs in (1, 7):
        assert CELLS[cell](5).shapes(inputs) == {
            "Wax": (*GATES[cell], inputs, 5),
            "Waa": (*GATES[cell], 5, 5),
            "ba": (*GATES[cell], 5),
        }


@cells
def test_every_cell_starts_from_zeros(cell: str) -> None:
    """The blank state is arrays of zeros, (N, H), in the dtype of the network."""
    for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
        state = CELLS[cell](5).blank(3, dtype)
        assert len(state) == (2 if cell == "lstm" else 1)
        for array in state:
            assert array.shape == (3, 5)
            assert array.dtype == dtype
            assert not array.any()


@cells
def test_every_cell_draws_its_weights_from_the_generator(cell: str) -> None:
    """One seed gives one set of weights. The inputs have the given deviation; none is infinite."""
    one = initial(cell, 1, 2.0)
    assert np.isfinite(one.vector).all()
    np.testing.assert_array_equal(one.vector, initial(cell, 1, 2.0).vector)
    assert not np.array_equal(one.vector, initial(cell, 2, 2.0).vector)
    for scale in (2, 0.1):
        # (G, inputs, H), with one gate for the vanilla RNN.
        for weights in initial(cell, 1, scale)["Wax"].reshape(-1, 50, 40):
            assert weights.std() == pytest.approx(scale, rel=0.1)


@cells
def test_initial_recurrent_weights_are_orthogonal(cell: str) -> None:
    """Of each gate, Waa is a multiple of an orthogonal matrix. No two gates have the same."""
    gates = initial(cell, 1)["Waa"].reshape(-1, 40, 40)
    for Waa in gates:
        expected = RECURRENT_SCALES[cell] ** 2 * np.eye(40)
        np.testing.assert_allclose(Waa @ Waa.T, expected, atol=1e-12)
    assert len(np.unique(gates[:, 0, 0])) == len(gates)


@cells
def test_initial_biases(cell: str) -> None:
    """Biases are 0, except those of the LSTM's forget gate and of the GRU's update gate."""
    for ba, bias in zip(initial(cell, 1)["ba"].reshape(-1, 40), BIASES[cell], strict=True):
        assert set(ba.tolist()) == {bias}


@cells
def test_the_backward_pass_does_not_need_all_steps_at_once(cell: str) -> None:
    """Steps may be differentiated together or one by one, with the same bits."""

    def gradients(parts: list[slice]) -> list[Array]:
        random = np.random.default_rng(4)
        p = initial(cell, 1)
        cell_pass = CELLS[cell](40).start(p, 6, 2, Workspace(np.float64))
        cell_pass.z[...] = random.standard_normal(cell_pass.z.shape)
        state = CELLS[cell](40).blank(2, np.dtype(np.float64))
        steps = [slice(0, 2), slice(2, 4), slice(4, 6)]
        for rows in steps:
            state = cell_pass.step(rows, state[0].copy(), state)
        cell_pass.turn_back()
        for part in parts:
            cell_pass.differentiate(part)
        dstate: list[Array] = [np.ones((2, 40)) for _ in state]
        for rows in reversed(steps):
            dstate[0] = cell_pass.step_back(rows, dstate, None).copy()
        return [cell_pass.z.copy(), *dstate]

    at_once = gradients([slice(0, 6)])
    for array, same in zip(
        gradients([slice(5, 6), slice(1, 5), slice(0, 1)]), at_once, strict=True
    ):
        np.testing.assert_array_equal(array, same)
