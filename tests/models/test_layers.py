"""Layers: the published numbers of the course, finite differences, softmax and cross-entropy."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.models import (
    CELLS,
    ElmanCell,
    Embedding,
    LayerMasks,
    Parameters,
    Projection,
    Recurrent,
    Workspace,
    cross_entropy,
    soft_cross_entropy,
    softmax,
)
from tests import literal
from tests.literal import draw
from tests.networks import assert_gradient, columns, packed

Array = NDArray[np.floating]

FLOAT64 = np.dtype(np.float64)

NO_MASKS = LayerMasks(None, None)

RAGGED = [4, 4, 3, 1, 1]

PASSES = [
    ([1], "none"),
    ([1] * 5, "both"),
    ([3, 3, 3], "none"),
    ([5, 2], "both"),
    *((RAGGED, masked) for masked in ("none", "recurrent", "output", "both")),
]
"""Batch sizes and the masks that are there."""

cells = pytest.mark.parametrize("cell", CELLS)


def layer_of(
    cell: str,
    inputs: int,
    hidden: int,
    *,
    scale: float = 1.0,
    dtype: type[np.floating] = np.float64,
) -> tuple[Recurrent, Parameters]:
    """Build a layer above another, and draw its arrays from a normal distribution."""
    layer = Recurrent(CELLS[cell](hidden), Projection())
    p = Parameters(layer.cell.shapes(inputs), dtype)
    p.vector[...] = scale * np.random.default_rng(8).standard_normal(len(p.vector))
    return layer, p


def random_masks(masked: str, names: int, hidden: int) -> LayerMasks:
    """Draw masks. Dropout has zeros and one other number. More show a mask applied elsewhere."""
    recurrent, output = np.random.default_rng(9).choice([0.0, 0.8, 2.0], (2, names, hidden))
    return LayerMasks(
        recurrent if masked in ("recurrent", "both") else None,
        output if masked in ("output", "both") else None,
    )


def random_state(
    layer: Recurrent, names: int, dtype: np.dtype[np.floating] = FLOAT64
) -> tuple[Array, ...]:
    """Draw a state of N names."""
    random = np.random.default_rng(10)
    return tuple(
        random.standard_normal(array.shape).astype(dtype)
        for array in layer.cell.blank(names, dtype)
    )


def steps_in(batch_sizes: Sequence[int]) -> list[slice]:
    """Return the rows of each step."""
    return [
        slice(end - n, end) for n, end in zip(batch_sizes, accumulate(batch_sizes), strict=True)
    ]


def test_the_sequence_forward_gives_the_published_numbers() -> None:
    """Four steps agree with "rnn_forward" to the printed digits."""
    x, a0, Waa, Wax, Wya, ba, by = draw(
        1, (3, 10, 4), (5, 10), (5, 5), (5, 3), (2, 5), (5, 1), (2, 1)
    )
    p = {"Wax": Wax.T, "Waa": Waa.T, "ba": ba[:, 0]}
    layer = Recurrent(ElmanCell(5), Projection())
    a, (last,), _ = layer.forward(
        p, packed(x), [10] * 4, (a0.T,), NO_MASKS, Workspace(np.float64)
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
    *_, backward = layer.forward(p, packed(x), [10] * 4, (a0.T,), NO_MASKS, Workspace(np.float64))
    gradients = Parameters(ElmanCell(5).shapes(3), np.float64)
    dx, (da0,) = backward(packed(da), gradients)  # (40, 3), (10, 5)
    assert dx is not None
    published_dx = [-2.07101689, -0.59255627, 0.02466855, 0.01483317]
    np.testing.assert_allclose(dx[2::10, 1], published_dx, rtol=0, atol=5.1e-9)
    assert da0[3, 2] == pytest.approx(-0.31494237512664996, abs=1e-14)
    assert gradients["Wax"].T[3, 1] == pytest.approx(11.264104496527777, abs=1e-13)
    assert gradients["Waa"].T[1, 2] == pytest.approx(2.303333126579893, abs=1e-13)
    assert gradients["ba"][4] == pytest.approx(-0.74747722, abs=5.1e-9)


def turned(rows: Array) -> NDArray[np.float64]:
    """Turn (N, H) rows into (H, N) columns, for the slow versions in `literal`."""
    return rows.T.astype(np.float64)


@pytest.mark.parametrize(("batch_sizes", "masked"), PASSES, ids=str)
@cells
def test_every_gradient_agrees_with_finite_differences(
    cell: str, batch_sizes: Sequence[int], masked: str
) -> None:
    """The gradients on the parameters, the inputs and all arrays of the initial state.

    The loss is a random linear function of the outputs.
    """
    F, H, N, S = 4, 3, batch_sizes[0], sum(batch_sizes)
    layer, p = layer_of(cell, F, H, scale=0.7)
    random = np.random.default_rng(7)
    x, slopes = random.standard_normal((S, F)), random.standard_normal((S, H))
    initial, masks = random_state(layer, N), random_masks(masked, N, H)
    workspace = Workspace(np.float64)

    def loss() -> float:
        outputs, *_ = layer.forward(p, x, batch_sizes, initial, masks, workspace)
        return float((outputs * slopes).sum())

    *_, backward = layer.forward(p, x, batch_sizes, initial, masks, workspace)
    gradients = Parameters(p.shapes, np.float64)
    gradients.vector[...] = np.nan  # They are overwritten.
    dx, dinitial = backward(slopes.copy(), gradients)
    assert dx is not None
    dx, dinitial = dx.copy(), tuple(array.copy() for array in dinitial)
    for name, array in p.items():
        assert_gradient(gradients[name], loss, array, name)
    assert_gradient(dx, loss, x, "inputs")
    assert len(dinitial) == len(initial)
    for number, array in enumerate(initial):
        assert_gradient(dinitial[number], loss, array, f"initial state, array {number}")


LONG = {
    "many steps": ({24: 20, 17: 24, 8: 20}, 160, 128),
    "long steps": ({3: 100, 2: 20}, 8, 400),
}
"""The number of names of each length, F inputs, H hidden units.

These layers have so many hidden states that they are differentiated in several chunks. Of the
first, some chunks start within a step, and products are in blocks. Of the second, steps are longer
than a chunk.
"""


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("many steps", np.float64), ("many steps", np.float32), ("long steps", np.float64)],
)
@cells
def test_a_long_batch_agrees_with_the_literal_loops(
    cell: str, kind: str, dtype: type[np.floating]
) -> None:
    """Outputs, gradients and last states of a batch with masks are those of plain loops."""
    counts, F, H = LONG[kind]
    lengths = [length for length, number in counts.items() for _ in range(number)]
    N, S = len(lengths), sum(lengths)
    batch_sizes = [sum(length > t for length in lengths) for t in range(lengths[0])]
    layer, p = layer_of(cell, F, H, scale=H**-0.5, dtype=dtype)
    random = np.random.default_rng(7)
    x, da = (random.standard_normal((S, size)).astype(dtype) for size in (F, H))
    initial = random_state(layer, N, np.dtype(dtype))
    # In powers of two, both sides round a masked number in the same way.
    recurrent, output = random.choice([0, 0.5, 2], (2, N, H)).astype(dtype)
    outputs, after, backward = layer.forward(
        p, x, batch_sizes, initial, LayerMasks(recurrent, output), Workspace(dtype)
    )
    outputs, after = outputs.copy(), tuple(array.copy() for array in after)
    gradients = Parameters(p.shapes, dtype)
    dx, dinitial = backward(da.copy(), gradients)
    assert dx is not None
    p_slow = columns(cell, p)
    slow = {name: np.zeros_like(array) for name, array in p_slow.items()}

    def assert_close(found: Array, expected: Array) -> None:
        tolerance = 1e-10 if dtype == np.float64 else 1e-4
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())

    # The names of one length are the columns of one literal pass.
    for length in counts:
        names = slice(lengths.index(length), lengths.index(length) + counts[length])
        steps = [
            slice(rows.start + names.start, rows.start + names.stop)
            for rows in steps_in(batch_sizes)[:length]
        ]
        start = tuple(turned(array[names]) for array in initial)
        states, steps_back = literal.forward(
            cell, p_slow, [turned(x[rows]) for rows in steps], start, turned(recurrent[names])
        )
        slow_gradients, dxs, dstart = literal.backward(
            p_slow, steps_back, [turned(da[rows] * output[names]) for rows in steps], start
        )
        for rows, (a, *_), own in zip(steps, states, dxs, strict=True):
            assert_close(outputs[rows], a.T * output[names])
            assert_close(dx[rows], own.T)
        for array, expected in zip(dinitial, dstart, strict=True):
            assert_close(array[names], expected.T)
        for name, gradient in slow_gradients.items():
            slow[name] += gradient
        if length == lengths[0]:
            for array, expected in zip(after, states[-1], strict=True):
                assert_close(array, expected.T)
    fast = columns(cell, gradients)
    assert fast.keys() == slow.keys()
    for name, gradient in slow.items():
        assert_close(fast[name], gradient)


@cells
def test_steps_give_the_outputs_of_the_whole_batch(cell: str) -> None:
    """`step`, called for each time step of a ragged batch, gives what `forward` gives."""
    F, H = 6, 5
    layer, p = layer_of(cell, F, H)
    x = np.random.default_rng(3).standard_normal((sum(RAGGED), F))
    state = random_state(layer, RAGGED[0])
    whole, after, _ = layer.forward(p, x, RAGGED, state, NO_MASKS, Workspace(np.float64))  # (S, H)
    for n, rows in zip(RAGGED, steps_in(RAGGED), strict=True):
        state = layer.step(p, x[rows], tuple(array[:n] for array in state))
        np.testing.assert_allclose(state[0], whole[rows], rtol=1e-12)
    for array, same in zip(after, state, strict=True):
        np.testing.assert_allclose(array, same, rtol=1e-12)


@pytest.mark.parametrize("masked", ["none", "both"])
@cells
def test_a_state_is_carried_from_one_batch_to_the_next(cell: str, masked: str) -> None:
    """A batch that starts with the last state of another goes on, step by step, as one batch.

    Names that end in the first batch are not in the second. The masks stay.
    """
    F, H, head, tail = 4, 3, [5, 5, 4, 3], [3, 2, 2]
    layer, p = layer_of(cell, F, H)
    x = np.random.default_rng(3).standard_normal((sum(head + tail), F))
    initial, masks, workspace = random_state(layer, 5), random_masks(masked, 5, H), Workspace(float)
    outputs, last, _ = layer.forward(p, x, head + tail, initial, masks, workspace)
    whole, end = outputs.copy(), [array.copy() for array in last]
    outputs, carried, _ = layer.forward(p, x[: sum(head)], head, initial, masks, workspace)
    np.testing.assert_allclose(outputs, whole[: sum(head)], rtol=1e-12)
    carried = tuple(array.copy() for array in carried)
    still = LayerMasks(*(None if mask is None else mask[:3] for mask in masks))
    outputs, last, _ = layer.forward(p, x[sum(head) :], tail, carried, still, workspace)
    np.testing.assert_allclose(outputs, whole[sum(head) :], rtol=1e-12)
    for array, same in zip(last, end, strict=True):
        np.testing.assert_allclose(array, same, rtol=1e-12)


# The embedding.


@pytest.mark.parametrize("size", [2, 128, 129, 300])
@pytest.mark.parametrize("gates", [(), (4,)], ids=["rnn", "lstm"])
@pytest.mark.parametrize("places", [1, 7, 400])
def test_an_embedding_is_a_product_with_one_hot_vectors(
    places: int, gates: tuple[int, ...], size: int
) -> None:
    """For any number of symbols, in both directions; symbols repeat, and some are never read."""
    random, embedding, workspace = np.random.default_rng(3), Embedding(), Workspace(np.float64)
    p = {
        "Wax": random.standard_normal((*gates, size, 3)),
        "ba": random.standard_normal((*gates, 3)),
    }
    gradients = {"Wax": np.full((*gates, size, 3), np.nan)}
    # The second pass uses the memory of the first.
    for number in (places, places // 2 + 1):
        symbols = random.integers(size, size=number).astype(np.uint16)
        symbols[symbols == size // 2] = 0
        one_hot = np.eye(size)[symbols]  # (S, V)
        z = np.empty((*gates, number, 3))
        embedding.forward(p, symbols, z)
        expected = one_hot @ p["Wax"] + p["ba"][..., np.newaxis, :]
        np.testing.assert_allclose(z, expected, rtol=1e-12)
        dz = random.standard_normal(z.shape)
        kept = dz.copy()
        embedding.backward(p, gradients, symbols, dz, workspace)
        np.testing.assert_allclose(gradients["Wax"], one_hot.T @ kept, rtol=1e-12, atol=1e-12)


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


def test_the_gradient_of_soft_targets_is_softmax_minus_targets() -> None:
    """For logits (0, log 2, log 5), p is (1, 2, 5) / 8. The loss is the sum of -q log p."""
    logits = np.log(np.array([[1.0], [2.0], [5.0]]))
    q = np.array([[0.5, 0.25, 0.25]])
    expected = -(0.5 * np.log(1 / 8) + 0.25 * np.log(2 / 8) + 0.25 * np.log(5 / 8))
    assert soft_cross_entropy(logits, q) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(logits, [[1 / 8 - 0.5], [2 / 8 - 0.25], [5 / 8 - 0.25]], rtol=1e-12)


def test_soft_targets_of_many_columns() -> None:
    """For 300 columns of 200 symbols, loss and gradient are those of a loop over the columns."""
    random = np.random.default_rng(4)
    logits, q = random.standard_normal((200, 300)), random.dirichlet(np.full(200, 0.1), 300)
    expected, loss = np.empty_like(logits), 0.0
    for column, targets in enumerate(q):
        p = np.exp(logits[:, column]) / np.exp(logits[:, column]).sum()
        loss -= targets @ np.log(p)
        expected[:, column] = p - targets
    assert soft_cross_entropy(logits, q) == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(logits, expected, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_soft_targets_that_are_one_hot_are_hard_targets(dtype: type[np.floating]) -> None:
    """Loss and gradient are those of the plain cross-entropy."""
    random = np.random.default_rng(4)
    logits, targets = random.standard_normal((20, 30)).astype(dtype), random.integers(0, 20, 30)
    hard, soft = logits.copy(), logits.copy()
    loss = cross_entropy(hard, targets)
    assert soft_cross_entropy(soft, np.eye(20, dtype=dtype)[targets]) == pytest.approx(loss, 1e-6)
    np.testing.assert_allclose(soft, hard, rtol=1e-6, atol=1e-7)


def test_large_logits_with_soft_targets_do_not_overflow() -> None:
    """A symbol whose logit is 10,000 lower costs 10,000 nats."""
    logits = np.array([[1e4], [0.0]], dtype=np.float32)
    q = np.array([[0.25, 0.75]], dtype=np.float32)
    assert soft_cross_entropy(logits, q) == pytest.approx(7_500)
    np.testing.assert_allclose(logits, [[0.75], [-0.75]])
