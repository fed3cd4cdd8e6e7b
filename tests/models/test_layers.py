"""Layers: the published numbers of the course, finite differences, softmax and cross-entropy."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.models import (
    Cell,
    ElmanCell,
    LayerMasks,
    Parameters,
    Projection,
    Recurrent,
    Workspace,
    cross_entropy,
    softmax,
)
from tests.cells import ALL_CELLS
from tests.literal import draw
from tests.networks import assert_gradient

Array = NDArray[np.floating]

NO_MASKS = LayerMasks(None, None)


def steps_of(x: Array) -> Array:
    """Turn an (F, N, T) array of the course into packed (T * N, F) rows, step after step."""
    return np.concatenate([x[:, :, t].T for t in range(x.shape[2])])


def test_the_sequence_forward_gives_the_published_numbers() -> None:
    """Four steps agree with "rnn_forward" to the printed digits."""
    x, a0, Waa, Wax, Wya, ba, by = draw(
        1, (3, 10, 4), (5, 10), (5, 5), (5, 3), (2, 5), (5, 1), (2, 1)
    )
    p = {"Wax": Wax.T, "Waa": Waa.T, "ba": ba[:, 0]}
    layer = Recurrent(ElmanCell(5), Projection())
    a, (last,), _ = layer.forward(
        p, steps_of(x), [10] * 4, (a0.T,), NO_MASKS, Workspace(np.float64)
    )  # (40, 5)
    y = softmax((a @ Wya.T + by.T).T).T  # (40, 2)
    published_a = [-0.99999375, 0.77911235, -0.99861469, -0.99833267]
    published_y = [0.79560373, 0.86224861, 0.11118257, 0.81515947]
    np.testing.assert_allclose(a[1::10, 4], published_a, rtol=0, atol=5.1e-9)
    np.testing.assert_allclose(y[3::10, 1], published_y, rtol=0, atol=5.1e-9)
    np.testing.assert_array_equal(last, a[-10:])


def test_the_sequence_backward_gives_the_published_numbers() -> None:
    """The gradients of four steps agree with "rnn_backward" to the printed digits."""
    x, a0, Wax, Waa, _, ba, _, da = draw(
        1, (3, 10, 4), (5, 10), (5, 3), (5, 5), (2, 5), (5, 1), (2, 1), (5, 10, 4)
    )
    p = {"Wax": Wax.T, "Waa": Waa.T, "ba": ba[:, 0]}
    layer = Recurrent(ElmanCell(5), Projection())
    *_, backward = layer.forward(p, steps_of(x), [10] * 4, (a0.T,), NO_MASKS, Workspace(np.float64))
    gradients = Parameters(ElmanCell(5).shapes(3), np.float64)
    dx, (da0,) = backward(steps_of(da), gradients)  # (40, 3), (10, 5)
    assert dx is not None
    published_dx = [-2.07101689, -0.59255627, 0.02466855, 0.01483317]
    np.testing.assert_allclose(dx[2::10, 1], published_dx, rtol=0, atol=5.1e-9)
    assert da0[3, 2] == pytest.approx(-0.31494237512664996, abs=1e-14)
    assert gradients["Wax"].T[3, 1] == pytest.approx(11.264104496527777, abs=1e-13)
    assert gradients["Waa"].T[1, 2] == pytest.approx(2.303333126579893, abs=1e-13)
    assert gradients["ba"][4] == pytest.approx(-0.74747722, abs=5.1e-9)


@pytest.mark.parametrize("batch_sizes", [[1], [1] * 5, [3, 3, 3], [4, 4, 3, 1, 1], [5, 2]], ids=str)
@pytest.mark.parametrize("masked", ["none", "recurrent", "output", "both"])
@pytest.mark.parametrize("cell", ALL_CELLS.values(), ids=ALL_CELLS)
def test_every_gradient_agrees_with_finite_differences(
    cell: type[Cell], masked: str, batch_sizes: Sequence[int]
) -> None:
    """The gradients on the parameters, the inputs and all arrays of the initial state.

    The loss is a random linear function of the outputs.
    """
    F, H, N, S = 4, 3, batch_sizes[0], sum(batch_sizes)
    random = np.random.default_rng(8)
    layer = Recurrent(cell(H), Projection())
    p = Parameters(layer.cell.shapes(F), np.float64)
    p.vector[...] = 0.7 * random.standard_normal(len(p.vector))
    x = random.standard_normal((S, F))
    initial = tuple(
        random.standard_normal(array.shape) for array in layer.cell.blank(N, np.dtype(np.float64))
    )
    # Dropout has zeros and one other number. More numbers show a mask that is applied elsewhere.
    recurrent, output = (random.choice([0.0, 0.8, 2.0], (n, H)) for n in (N, S))
    masks = LayerMasks(
        recurrent if masked in ("recurrent", "both") else None,
        output if masked in ("output", "both") else None,
    )
    slopes = random.standard_normal((S, H))
    workspace = Workspace(np.float64)

    def loss() -> float:
        outputs, *_ = layer.forward(p, x, batch_sizes, initial, masks, workspace)
        return float((outputs * slopes).sum())

    *_, backward = layer.forward(p, x, batch_sizes, initial, masks, workspace)
    gradients = Parameters(p.shapes, np.float64)
    dx, dinitial = backward(slopes.copy(), gradients)
    assert dx is not None
    dx, dinitial = dx.copy(), tuple(array.copy() for array in dinitial)
    for name, array in p.items():
        assert_gradient(gradients[name], loss, array, name)
    assert_gradient(dx, loss, x, "inputs")
    assert len(dinitial) == len(initial)
    for number, array in enumerate(initial):
        assert_gradient(dinitial[number], loss, array, f"initial state, array {number}")


@pytest.mark.parametrize("cell", ALL_CELLS.values(), ids=ALL_CELLS)
def test_steps_give_the_outputs_of_the_whole_batch(cell: type[Cell]) -> None:
    """`step`, called for each time step of a ragged batch, gives what `forward` gives."""
    batch_sizes, F, H = [4, 4, 3, 1, 1], 6, 5
    random = np.random.default_rng(3)
    layer = Recurrent(cell(H), Projection())
    p = Parameters(layer.cell.shapes(F), np.float64)
    p.vector[...] = random.standard_normal(len(p.vector))
    x = random.standard_normal((sum(batch_sizes), F))
    initial = tuple(
        random.standard_normal(array.shape) for array in layer.cell.blank(4, np.dtype(np.float64))
    )
    whole, after, _ = layer.forward(
        p, x, batch_sizes, initial, NO_MASKS, Workspace(np.float64)
    )  # (S, H)
    state: tuple[Array, ...] = initial
    end = 0
    for n in batch_sizes:
        start, end = end, end + n
        state = layer.step(p, x[start:end], tuple(array[:n] for array in state))
        np.testing.assert_allclose(state[0], whole[start:end], rtol=1e-12)
    for array, same in zip(after, state, strict=True):
        np.testing.assert_allclose(array, same, rtol=1e-12)


# The readout.


def test_large_logits_do_not_overflow() -> None:
    """A softmax of logits up to 10,000 is finite, and no probability is 0."""
    p = softmax(np.array([[1e4, 1.0], [0.0, 0.0], [-1e4, 0.0]], dtype=np.float32))  # (3, 2)
    assert p[0, 0] == 1
    assert (p > 0).all()
    assert (p[1:, 0] < 1e-30).all()
    np.testing.assert_allclose(p[:, 1], np.array([np.e, 1, 1]) / (np.e + 2), rtol=1e-6)


def test_the_gradient_of_the_cross_entropy_is_softmax_minus_one_hot() -> None:
    """For logits (0, log 2, log 5) and target 1, the loss is log 4 and the gradient is known."""
    logits = np.log(np.array([[1.0], [2.0], [5.0]]))
    assert cross_entropy(logits, np.array([1])) == pytest.approx(np.log(4), rel=1e-12)
    np.testing.assert_allclose(logits, [[1 / 8], [2 / 8 - 1], [5 / 8]], rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64])
def test_the_cross_entropy_of_many_targets(dtype: type[np.integer]) -> None:
    """For 300 columns of 200 symbols, loss and gradient are those of a loop over the columns."""
    random = np.random.default_rng(4)
    logits = random.standard_normal((200, 300))
    targets = random.integers(0, 200, 300).astype(dtype)
    expected, loss = logits.copy(), 0.0
    for column, target in enumerate(targets.tolist()):
        p = np.exp(logits[:, column]) / np.exp(logits[:, column]).sum()
        loss -= np.log(p[target])
        expected[:, column] = p
        expected[target, column] -= 1
    assert cross_entropy(logits, targets) == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(logits, expected, rtol=1e-10, atol=1e-15)
