"""The network: its gradients, its loops over time, and its answers symbol by symbol."""

import numpy as np
import pytest

from dinogen.models.rnn import (
    NO_MASKS,
    RNN,
    Masks,
    RNNConfig,
    cross_entropy,
    run,
    run_backward,
    softmax,
)
from dinogen.models.workspace import Workspace
from dinogen.text.names import Names
from dinogen.text.packing import Packed, pack
from tests.literal import forward_backward
from tests.models.test_cells import draw
from tests.networks import as_columns, names_of, random_network

RAGGED = names_of([1, 2, 3], [4], [2, 2, 2, 2, 1, 3], [3, 1])
BATCHES = {
    "one symbol": names_of([1]),
    "one name": names_of([1, 3, 2, 2, 4]),
    "equal lengths": names_of([1, 2, 3], [4, 4, 1], [2, 3, 3]),
    "ragged": RAGGED,
    "a long name among short ones": names_of([1], [2], [3, 1, 4, 1, 2, 1, 3, 4, 2, 2, 1, 1], [4]),
}


def pack_all(names: Names) -> Packed:
    """Pack all names of a list."""
    return pack(names, np.arange(len(names)))


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("hidden", [1, 5])
@pytest.mark.parametrize("dropped", [False, True], ids=["whole", "dropout"])
def test_every_gradient_agrees_with_finite_differences(
    batch: str, hidden: int, dropped: bool
) -> None:
    """Each element of each gradient, that of a0 included, is the slope of the loss, to 1e-6."""
    packed = pack_all(BATCHES[batch])
    model = random_network(5, hidden, seed=7, scale=0.7)
    random = np.random.default_rng(8)
    a0 = random.standard_normal((packed.sizes[0], hidden))
    masks = NO_MASKS
    if dropped:
        # Zeros as dropout has them, and other numbers, so that each place in a mask tells.
        masks = Masks(
            *(random.choice([0.0, 0.8, 2.0], (n, hidden)) for n in (len(a0), len(packed.inputs)))
        )
    result = model.loss_and_gradients(packed.inputs, packed.targets, packed.sizes, a0, masks)
    gradients, da0 = result.gradients.copy(), result.da0.copy()

    def loss() -> float:
        return model.loss_and_gradients(packed.inputs, packed.targets, packed.sizes, a0, masks).loss

    def slopes(array: np.ndarray) -> np.ndarray:
        slope = np.empty_like(array)
        for i in np.ndindex(array.shape):
            middle, step = array[i], 1e-5
            array[i] = middle + step
            above = loss()
            array[i] = middle - step
            slope[i] = (above - loss()) / (2 * step)
            array[i] = middle
        return slope

    for name, array in model.parameters.items():
        measured = slopes(array)
        scale = np.abs(measured).max()
        np.testing.assert_allclose(
            gradients[name], measured, rtol=1e-6, atol=1e-6 * scale + 1e-9, err_msg=name
        )
    measured = slopes(a0)
    np.testing.assert_allclose(da0, measured, rtol=1e-6, atol=1e-6 * np.abs(measured).max() + 1e-9)


def test_a_packed_batch_gives_the_sum_of_its_names() -> None:
    """Loss, gradients and hidden states of a ragged batch are those of the literal loops."""
    model = random_network(5, 6, seed=1)
    packed = pack_all(RAGGED)
    a0 = np.random.default_rng(2).standard_normal((4, 6))
    fast = model.loss_and_gradients(packed.inputs, packed.targets, packed.sizes, a0)
    # The literal loops know inputs as symbols, the end among them.
    slow = []
    for place, row in enumerate(packed.rows):
        symbols = RAGGED.symbols[RAGGED.starts[row] : RAGGED.starts[row + 1]].tolist()
        inputs = [0, *symbols[:-1]]
        slow.append(forward_backward(as_columns(model), inputs, symbols, a0[place][:, np.newaxis]))
    assert fast.loss == pytest.approx(sum(s.loss for s in slow), rel=1e-12)
    for name, key in {"Wax": "Wax", "Waa": "Waa", "Wya": "Wya", "ba": "b", "by": "by"}.items():
        total = sum(s.gradients[key] for s in slow)
        assert isinstance(total, np.ndarray)
        np.testing.assert_allclose(
            np.squeeze(fast.gradients[name].T), np.squeeze(total), rtol=1e-10, atol=1e-12
        )
    for place, s in enumerate(slow):
        np.testing.assert_allclose(fast.da0[place], s.da0[:, 0], rtol=1e-10, atol=1e-12)


def test_the_time_loop_forward_gives_the_published_numbers() -> None:
    """Four steps agree with "rnn_forward" to the digits printed there."""
    x, a0, Waa, Wax, Wya, ba, by = draw(
        1, (3, 10, 4), (5, 10), (5, 5), (5, 3), (2, 5), (5, 1), (2, 1)
    )
    z = np.concatenate([x[:, :, t].T @ Wax.T + ba.T for t in range(4)])  # (40, 5)
    a, _ = run(z, [10] * 4, a0.T, Waa.T, Workspace(np.float64))  # (40, 5)
    y = softmax((a @ Wya.T + by.T).T).T  # (40, 2)
    published_a = [-0.99999375, 0.77911235, -0.99861469, -0.99833267]
    published_y = [0.79560373, 0.86224861, 0.11118257, 0.81515947]
    np.testing.assert_allclose(a[1::10, 4], published_a, rtol=0, atol=5.1e-9)
    np.testing.assert_allclose(y[3::10, 1], published_y, rtol=0, atol=5.1e-9)


def test_the_time_loop_backward_gives_the_published_numbers() -> None:
    """Going back through four steps agrees with "rnn_backward" to the digits printed there."""
    x, a0, Wax, Waa, _, ba, _, da = draw(
        1, (3, 10, 4), (5, 10), (5, 3), (5, 5), (2, 5), (5, 1), (2, 1), (5, 10, 4)
    )
    steps = np.concatenate([x[:, :, t].T for t in range(4)])  # (40, 3)
    workspace = Workspace(np.float64)
    a, a_prev = run(steps @ Wax.T + ba.T, [10] * 4, a0.T, Waa.T, workspace)  # (40, 5)
    outside = np.concatenate([da[:, :, t].T for t in range(4)])  # (40, 5)
    dz, da0 = run_backward(outside, a, [10] * 4, Waa.T, workspace)
    published_dx = [-2.07101689, -0.59255627, 0.02466855, 0.01483317]
    np.testing.assert_allclose((dz @ Wax)[2::10, 1], published_dx, rtol=0, atol=5.1e-9)
    assert da0[3, 2] == pytest.approx(-0.31494237512664996, abs=1e-14)
    assert (dz.T @ steps)[3, 1] == pytest.approx(11.264104496527777, abs=1e-13)
    assert (dz.T @ a_prev)[1, 2] == pytest.approx(2.303333126579893, abs=1e-13)
    assert dz.sum(axis=0)[4] == pytest.approx(-0.74747722, abs=5.1e-9)


def test_answers_symbol_by_symbol_are_those_of_the_literal_loops() -> None:
    """`advance` gives, after each symbol, the probabilities of the literal network."""
    model = random_network(4, 6, seed=3)
    name = [2, 1, 3, 3]
    state = model.start(1)
    nats = 0.0
    for symbol, target in zip([0, *name], [*name, 0], strict=True):
        state, p = model.advance(state, np.array([symbol]))
        assert p.sum() == pytest.approx(1, rel=1e-12)
        nats -= np.log(p[0, target])
    literal = forward_backward(as_columns(model), [0, *name], [*name, 0], np.zeros((6, 1)))
    assert nats == pytest.approx(literal.loss, rel=1e-12)


def test_selected_states_go_on_alone() -> None:
    """Names picked out of a state, by mask, index or slice, advance as they would have."""
    model = random_network(4, 6, seed=3)
    state, _ = model.advance(model.start(3), np.array([1, 2, 3]))
    kept = [
        model.select(state, np.array([False, True, True])),
        model.select(state, np.array([1, 2])),
        model.select(state, slice(1, 3)),
    ]
    whole = model.advance(state, np.array([3, 2, 1]))[1][1:]
    for part in kept:
        np.testing.assert_allclose(model.advance(part, np.array([2, 1]))[1], whole, rtol=1e-12)


def test_large_logits_do_not_overflow() -> None:
    """A softmax stays finite where a plain exponential would not, and leaves nothing at 0."""
    p = softmax(np.array([[1e4, 1.0], [0.0, 0.0], [-1e4, 0.0]], dtype=np.float32))  # (3, 2)
    assert p[0, 0] == 1
    assert (p > 0).all()
    assert (p[1:, 0] < 1e-30).all()
    np.testing.assert_allclose(p[:, 1], np.array([np.e, 1, 1]) / (np.e + 2), rtol=1e-6)


def test_the_gradient_of_the_cross_entropy_is_softmax_less_one_hot() -> None:
    """For logits (0, log 2, log 5) and target 1 the loss is log 4 and the gradient known."""
    logits = np.log(np.array([[1.0], [2.0], [5.0]]))
    assert cross_entropy(logits, np.array([1])) == pytest.approx(np.log(4), rel=1e-12)
    np.testing.assert_allclose(logits, [[1 / 8], [2 / 8 - 1], [5 / 8]], rtol=1e-12)


def test_the_size_of_a_network_follows_from_its_configuration() -> None:
    """26 letters and 64 hidden units make 7,643 parameters: 27*64 + 64*64 + 64 + 64*27 + 27."""
    model = RNN(RNNConfig(27, 64))
    assert len(model.parameters.vector) == 7_643
    assert model.parameters["Wax"].dtype == np.float32
