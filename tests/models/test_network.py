"""Networks: gradients, the loops over time, and the answers symbol by symbol."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.data import Batch, Names, Texts, Windows, pack
from dinogen.models import (
    CELLS,
    Backpropagated,
    LayerMasks,
    Network,
    NetworkConfig,
    likelihoods,
    next_probabilities,
)
from tests.literal import StackPass, stack_pass
from tests.networks import as_columns, assert_gradient, columns, names_of, random_network

State = tuple[tuple[NDArray[np.floating], ...], ...]

RAGGED = names_of([1, 2, 3], [4], [2, 2, 2, 2, 1, 3], [3, 1])
BATCHES = {
    "one symbol": names_of([1]),
    "one name": names_of([1, 3, 2, 2, 4]),
    "equal lengths": names_of([1, 2, 3], [4, 4, 1], [2, 3, 3]),
    "ragged": RAGGED,
    "a long name among short ones": names_of([1], [2], [3, 1, 4, 1, 2, 1, 3, 4, 2, 2, 1, 1], [4]),
}

GRADIENTS = [
    *((1, 3, "ragged", masked) for masked in ("none", "both")),
    *((2, 3, "ragged", masked) for masked in ("recurrent", "both")),
    *((3, 2, "ragged", masked) for masked in ("none", "output")),
    (2, 1, "ragged", "both"),
    (1, 1, "one symbol", "none"),
    (1, 3, "one symbol", "both"),
    (2, 2, "one name", "recurrent"),
    (2, 2, "equal lengths", "output"),
    (1, 2, "a long name among short ones", "both"),
]
"""The layers, the hidden units, the batch, and the masks that are there."""

EMBEDDING_SCALES = {"rnn": 2.0, "gru": 0.5, "lstm": 0.5}
"""The deviation of the initial Wax of the first layer."""

cells = pytest.mark.parametrize("cell", CELLS)
depths = pytest.mark.parametrize("layers", [1, 2, 3])
networks = pytest.mark.parametrize(
    ("cell", "layers"), [(cell, layers) for cell in CELLS for layers in (1, 2)]
)


def pack_all(names: Names) -> Batch:
    """Pack all names of a list."""
    return pack(names, np.arange(len(names)))


def random_state(model: Network, n: int, seed: int) -> State:
    """Draw a state of n names."""
    random = np.random.default_rng(seed)
    return tuple(
        tuple(random.standard_normal(array.shape) for array in layer) for layer in model.blank(n)
    )


def random_masks(
    model: Network, batch: Batch, seed: int, masked: str = "both"
) -> list[LayerMasks] | None:
    """Draw masks of each layer. They have zeros, as dropout has, and two other numbers."""
    random, shape = np.random.default_rng(seed), (batch.batch_sizes[0], model.config.hidden_size)
    if masked == "none":
        return None
    masks = random.choice([0.0, 0.8, 2.0], (model.config.layers, 2, *shape))
    return [
        LayerMasks(
            recurrent if masked in ("recurrent", "both") else None,
            output if masked in ("output", "both") else None,
        )
        for recurrent, output in masks
    ]


def literal_passes(
    model: Network, names: Names, rows: NDArray[np.int64], state: State
) -> list[StackPass]:
    """Go forward and back through each name with the literal loops."""
    cell, layers = model.config.cell, model.config.layers
    p = [as_columns(model, layer) for layer in range(1, layers + 1)]
    passes = []
    for place, row in enumerate(rows):
        targets = names.symbols[names.starts[row] : names.starts[row + 1]].tolist()
        initial = column_states(state, place)
        passes.append(stack_pass(cell, p, [0, *targets[:-1]], targets, initial))
    return passes


def column_states(state: State, row: int) -> list[tuple[NDArray[np.float64], ...]]:
    """Return the state of one row of each layer as columns, as the literal loops read it."""
    return [tuple(array[row, :, np.newaxis].astype(np.float64) for array in own) for own in state]


# Gradients.


@pytest.mark.parametrize(("layers", "hidden", "kind", "masked"), GRADIENTS)
@cells
def test_every_gradient_agrees_with_finite_differences(
    cell: str, layers: int, hidden: int, kind: str, masked: str
) -> None:
    """Each element of each gradient, and of the initial states, is the slope of the loss."""
    assert_gradients(pack_all(BATCHES[kind]), cell, layers, hidden, masked)


def assert_gradients(batch: Batch, cell: str, layers: int, hidden: int, masked: str) -> None:
    """Compare all gradients of a random network on a batch with the slopes of the loss."""
    model = random_network(5, hidden, seed=7, scale=0.7, layers=layers, cell=cell)
    state = random_state(model, batch.batch_sizes[0], seed=8)
    masks = random_masks(model, batch, seed=9, masked=masked)
    result = model.loss_and_gradients(batch, state, masks)
    gradients = result.gradients.copy()
    dstate = tuple(tuple(array.copy() for array in layer) for layer in result.dstate)

    def loss() -> float:
        return model.loss_and_gradients(batch, state, masks).loss

    assert list(gradients) == list(model.parameters)
    for name, array in model.parameters.items():
        assert_gradient(gradients[name], loss, array, name)
    assert len(dstate) == len(state) == layers
    for number, (own, arrays) in enumerate(zip(dstate, state, strict=True)):
        for gradient, array in zip(own, arrays, strict=True):
            assert_gradient(gradient, loss, array, f"initial state of layer {number}")


def softened(names: Names, vocab_size: int) -> NDArray[np.float64]:
    """Draw (S, V) soft targets of the symbols of some names."""
    random = np.random.default_rng(3)
    return random.dirichlet(np.full(vocab_size, 0.5), len(names.symbols))


@pytest.mark.parametrize(("layers", "masked"), [(1, "none"), (1, "both"), (2, "both")])
@cells
def test_every_gradient_of_soft_targets_agrees_with_finite_differences(
    cell: str, layers: int, masked: str
) -> None:
    """On a ragged batch, with a state and masks, each gradient is the slope of the loss."""
    batch = pack(RAGGED, np.arange(len(RAGGED)), softened(RAGGED, 5))
    assert_gradients(batch, cell, layers, 3, masked)


@networks
def test_the_loss_of_soft_targets_is_that_of_the_answers(cell: str, layers: int) -> None:
    """It is the sum of -q log p over all symbols at all places, asked one name at a time."""
    model = random_network(5, 6, seed=3, layers=layers, cell=cell)
    q = softened(RAGGED, 5)
    expected = 0.0
    for start, end in zip(RAGGED.starts[:-1], RAGGED.starts[1:], strict=True):
        name = RAGGED.symbols[start : end - 1].tolist()
        for place in range(len(name) + 1):
            expected -= q[start + place] @ np.log(next_probabilities(model, name[:place]))
    batch = pack(RAGGED, np.arange(len(RAGGED)), q)
    assert model.loss_and_gradients(batch).loss == pytest.approx(expected, rel=1e-12)


@networks
def test_soft_targets_that_are_one_hot_give_what_hard_targets_give(cell: str, layers: int) -> None:
    """The loss and every gradient are the same."""
    model = random_network(5, 6, seed=1, layers=layers, cell=cell)
    rows = np.arange(len(RAGGED))
    hard = model.loss_and_gradients(pack(RAGGED, rows))
    loss, vector = hard.loss, hard.gradients.vector.copy()
    soft = model.loss_and_gradients(pack(RAGGED, rows, np.eye(5)[RAGGED.symbols]))
    assert soft.loss == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(soft.gradients.vector, vector, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("only", ["recurrent", "output"])
@cells
def test_one_kind_of_mask_alone(cell: str, only: str) -> None:
    """A mask that is left out is a mask of ones."""
    batch = pack_all(RAGGED)
    model = random_network(5, 4, seed=7, scale=0.7, layers=2, cell=cell)
    missing = random_masks(model, batch, seed=9, masked=only)
    assert missing is not None
    ones = [
        LayerMasks(*(np.ones((4, 4)) if mask is None else mask for mask in layer))
        for layer in missing
    ]
    expected = model.loss_and_gradients(batch, masks=ones)
    loss, vector = expected.loss, expected.gradients.vector.copy()
    found = model.loss_and_gradients(batch, masks=missing)
    assert found.loss == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(found.gradients.vector, vector, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("masked", ["none", "both"])
@networks
def test_a_batch_gives_the_sum_of_its_names(cell: str, layers: int, masked: str) -> None:
    """Loss, gradients and initial gradients of a ragged batch are those of each name alone."""
    model = random_network(5, 6, seed=1, layers=layers, cell=cell)
    batch = pack_all(RAGGED)
    state = random_state(model, len(RAGGED), seed=2)
    masks = random_masks(model, batch, seed=3, masked=masked)
    whole = model.loss_and_gradients(batch, state, masks)
    loss, gradients = whole.loss, whole.gradients.copy()
    dstate = [[array.copy() for array in layer] for layer in whole.dstate]
    total, vector = 0.0, np.zeros_like(gradients.vector)
    for place, row in enumerate(batch.rows):
        alone = pack(RAGGED, np.array([row]))
        own = None
        if masks:
            own = [
                LayerMasks(*(None if mask is None else mask[place : place + 1] for mask in layer))
                for layer in masks
            ]
        part = model.loss_and_gradients(
            alone, tuple(tuple(a[place : place + 1] for a in layer) for layer in state), own
        )
        total += part.loss
        vector += part.gradients.vector
        for layer, expected in zip(dstate, part.dstate, strict=True):
            for array, one in zip(layer, expected, strict=True):
                np.testing.assert_allclose(array[place : place + 1], one, rtol=1e-9, atol=1e-13)
    assert loss == pytest.approx(total, rel=1e-12)
    np.testing.assert_allclose(gradients.vector, vector, rtol=1e-10, atol=1e-12)


def assert_layer(
    cell: str, layer: int, layers: int, fast: Backpropagated, slow: Sequence[StackPass]
) -> None:
    """Compare the gradients of a layer with the sums of those of the literal loops."""
    found = columns(cell, fast.gradients, layer + 1)
    if layer < layers - 1:
        del found["Wya"], found["by"]  # the last layer has them, too
    for name, gradient in found.items():
        total = np.sum([s.gradients[layer][name] for s in slow], axis=0)
        np.testing.assert_allclose(gradient, total, rtol=1e-10, atol=1e-12)


@networks
def test_a_batch_agrees_with_the_literal_loops(cell: str, layers: int) -> None:
    """Loss, gradients and initial gradients of a ragged batch are those of plain loops."""
    model = random_network(5, 6, seed=1, layers=layers, cell=cell)
    batch = pack_all(RAGGED)
    state = random_state(model, len(RAGGED), seed=2)
    fast = model.loss_and_gradients(batch, state)
    slow = literal_passes(model, RAGGED, batch.rows, state)
    assert fast.loss == pytest.approx(sum(s.loss for s in slow), rel=1e-12)
    for layer in range(layers):
        assert_layer(cell, layer, layers, fast, slow)
        for place, s in enumerate(slow):
            for array, column in zip(fast.dstate[layer], s.dinitial[layer], strict=True):
                np.testing.assert_allclose(array[place], column[:, 0], rtol=1e-10, atol=1e-12)


@networks
def test_a_batch_starts_from_a_blank_state(cell: str, layers: int) -> None:
    """Without a state, the loss is that of plain loops which start from zeros."""
    model = random_network(5, 6, seed=1, layers=layers, cell=cell)
    batch, blank = pack_all(RAGGED), model.blank(len(RAGGED))
    slow = sum(s.loss for s in literal_passes(model, RAGGED, batch.rows, blank))
    assert model.loss_and_gradients(batch).loss == pytest.approx(slow, rel=1e-12)


@networks
def test_a_state_is_carried_from_one_batch_to_the_next(cell: str, layers: int) -> None:
    """Names that are cut in two have the loss of the whole, if the state is carried over.

    The gradients are those of a truncated pass: their finite differences hold the carried state
    constant.
    """
    model = random_network(5, 2, seed=5, scale=0.7, layers=layers, cell=cell)
    whole = pack_all(BATCHES["equal lengths"])  # 3 names, 4 steps
    head, tail = (
        Batch(whole.inputs[part], whole.targets[part], [3, 3], whole.rows)
        for part in (slice(6), slice(6, 12))
    )
    before = random_state(model, 3, seed=6)
    total = model.loss_and_gradients(whole, before)
    loss = total.loss
    last = [[array.copy() for array in layer] for layer in total.state]
    first = model.loss_and_gradients(head, before)
    carried = tuple(tuple(array.copy() for array in layer) for layer in first.state)
    second = model.loss_and_gradients(tail, carried)
    assert first.loss + second.loss == pytest.approx(loss, rel=1e-12)
    for layer, expected in zip(second.state, last, strict=True):
        for array, same in zip(layer, expected, strict=True):
            np.testing.assert_allclose(array, same, rtol=1e-12)
    gradients = second.gradients.copy()
    for name, array in model.parameters.items():
        assert_gradient(
            gradients[name], lambda: model.loss_and_gradients(tail, carried).loss, array, name
        )


@networks
def test_windows_of_running_text_agree_with_the_literal_loops(cell: str, layers: int) -> None:
    """Each window has the loss and the gradients of plain loops that start from the carried state.

    All windows together have the loss of one pass over whole streams, ends of lines included.
    """
    model = random_network(5, 4, seed=5, scale=0.7, layers=layers, cell=cell)
    p = [as_columns(model, layer) for layer in range(1, layers + 1)]
    symbols = np.random.default_rng(1).integers(5, size=47).astype(np.uint8)
    windows = Windows(Texts(symbols, np.array([0, 20, 47])), 3, 5, seed=2)
    batches = [windows[step] for step in range(windows.per_epoch)]
    state, losses = model.blank(3), []
    for batch in batches:
        inputs, targets = (x.reshape(5, 3).T.tolist() for x in (batch.inputs, batch.targets))
        slow = [
            stack_pass(cell, p, inputs[row], targets[row], column_states(state, row))
            for row in range(3)
        ]
        fast = model.loss_and_gradients(batch, state)
        losses.append(fast.loss)
        assert fast.loss == pytest.approx(sum(s.loss for s in slow), rel=1e-12)
        for layer in range(layers):
            assert_layer(cell, layer, layers, fast, slow)
        state = fast.state
    assert len(losses) == 3
    inputs, targets = (
        np.concatenate([getattr(batch, name).reshape(5, 3) for batch in batches]).T.tolist()
        for name in ("inputs", "targets")
    )
    blank = column_states(model.blank(1), 0)
    whole = [stack_pass(cell, p, x, y, blank).loss for x, y in zip(inputs, targets, strict=True)]
    assert sum(losses) == pytest.approx(sum(whole), rel=1e-12)


@networks
def test_the_gradients_of_many_symbols(cell: str, layers: int) -> None:
    """Of 300 symbols, those that were read have the slope of the loss, and the others have none."""
    model = random_network(300, 2, seed=5, scale=0.7, layers=layers, cell=cell)
    symbols = np.array([299, 150, 0, 298, 150, 299, 150, 0], dtype=np.uint16)
    batch = Windows(Texts(symbols, np.array([0, 8])), 2, 4, seed=1)[0]
    state = random_state(model, 2, seed=6)
    gradients = model.loss_and_gradients(batch, state).gradients.copy()
    for read in (slice(0, 1), slice(150, 151), slice(298, 300)):
        assert_gradient(
            gradients["Wax"][..., read, :],
            lambda: model.loss_and_gradients(batch, state).loss,
            model.parameters["Wax"][..., read, :],
            "Wax",
        )
    others = np.setdiff1d(np.arange(300), symbols)
    assert not gradients["Wax"][..., others, :].any()


@networks
def test_a_second_pass_does_not_depend_on_the_first(cell: str, layers: int) -> None:
    """Memory is reused, so a larger batch before changes nothing, and neither does the state."""
    batch, larger = pack_all(RAGGED), pack_all(names_of(*[[1, 2, 3, 4] * 5] * 9))

    def gradients(model: Network, masked: str) -> NDArray[np.floating]:
        masks = random_masks(model, batch, seed=9, masked=masked)
        state = random_state(model, 4, seed=2)
        vector = model.loss_and_gradients(batch, state, masks).gradients.vector.copy()
        for layer, same in zip(state, random_state(model, 4, seed=2), strict=True):
            for array, unchanged in zip(layer, same, strict=True):
                np.testing.assert_array_equal(array, unchanged)
        return vector

    for masked in ("none", "both"):
        fresh, used = (random_network(5, 6, seed=1, layers=layers, cell=cell) for _ in range(2))
        used.loss_and_gradients(larger)
        np.testing.assert_array_equal(gradients(used, masked), gradients(fresh, masked))


# The language model.


@depths
@cells
def test_answers_symbol_by_symbol_are_those_of_the_whole_batch(cell: str, layers: int) -> None:
    """The likelihoods that `begin` and `advance` give have the loss of the forward pass."""
    model = random_network(5, 6, seed=3, layers=layers, cell=cell)
    p = likelihoods(model, RAGGED)
    loss = model.loss_and_gradients(pack_all(RAGGED)).loss
    assert -np.log(p).sum() == pytest.approx(loss, rel=1e-12)
    for row, (start, end) in enumerate(zip(RAGGED.starts[:-1], RAGGED.starts[1:], strict=True)):
        alone = model.loss_and_gradients(pack(RAGGED, np.array([row]))).loss
        assert -np.log(p[start:end]).sum() == pytest.approx(alone, rel=1e-12)


@networks
def test_answers_symbol_by_symbol_are_those_of_the_literal_loops(cell: str, layers: int) -> None:
    """`begin` and `advance` give the probabilities of the literal network."""
    model = random_network(4, 6, seed=3, layers=layers, cell=cell)
    name = [2, 1, 3, 3]
    state, p = model.begin(1)
    nats = -np.log(p[0, name[0]])
    for symbol, target in zip(name, [*name[1:], 0], strict=True):
        state, p = model.advance(state, np.array([symbol]))
        assert p.sum() == pytest.approx(1, rel=1e-12)
        nats -= np.log(p[0, target])
    (slow,) = literal_passes(model, names_of(name), np.array([0]), model.blank(1))
    assert nats == pytest.approx(slow.loss, rel=1e-12)


@networks
def test_selected_names_continue_alone(cell: str, layers: int) -> None:
    """Names that are selected by mask, indices or slice advance as they would have."""
    model = random_network(4, 6, seed=3, layers=layers, cell=cell)
    state, _ = model.advance(model.blank(3), np.array([1, 2, 3]))
    selected = [
        model.select(state, np.array([False, True, True])),
        model.select(state, np.array([1, 2])),
        model.select(state, slice(1, 3)),
    ]
    whole = model.advance(state, np.array([3, 2, 1]))[1][1:]
    for part in selected:
        np.testing.assert_allclose(model.advance(part, np.array([2, 1]))[1], whole, rtol=1e-12)


def test_a_name_begins_after_the_end_of_another() -> None:
    """`begin` reads the end symbol from a blank state."""
    model = random_network(4, 6, seed=3, layers=2)
    _, p = model.begin(2)
    _, expected = model.advance(model.blank(2), np.array([0, 0]))
    np.testing.assert_array_equal(p, expected)


# Sizes and initial parameters.


@pytest.mark.parametrize(("cell", "gates"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
@depths
def test_the_number_of_parameters_follows_from_the_configuration(
    cell: str, gates: int, layers: int
) -> None:
    """Each gate of a layer has a matrix for the inputs, a recurrent matrix and a bias."""
    V, H = 27, 64
    first, other, readout = V * H + H * H + H, H * H + H * H + H, H * V + V
    model = Network(NetworkConfig(V, H, cell, layers))
    expected = gates * (first + (layers - 1) * other) + readout
    assert len(model.parameters.vector) == model.config.parameter_count == expected
    assert model.parameters["Wax"].dtype == np.float32


def test_networks_for_26_letters() -> None:
    """With 64 hidden units they have so many parameters."""
    counts = {cell: NetworkConfig(27, 64, cell).parameter_count for cell in CELLS}
    assert counts == {"rnn": 7_643, "gru": 19_419, "lstm": 25_307}


@pytest.mark.parametrize(("cell", "gates"), [("rnn", ()), ("gru", (3,)), ("lstm", (4,))])
def test_the_arrays_of_a_stack(cell: str, gates: tuple[int, ...]) -> None:
    """The first layer reads V symbols; the others read H hidden units."""
    shapes = NetworkConfig(5, 3, cell, layers=3).shapes
    assert shapes == {
        "Wax": (*gates, 5, 3),
        "Waa": (*gates, 3, 3),
        "ba": (*gates, 3),
        "layer2.Wax": (*gates, 3, 3),
        "layer2.Waa": (*gates, 3, 3),
        "layer2.ba": (*gates, 3),
        "layer3.Wax": (*gates, 3, 3),
        "layer3.Waa": (*gates, 3, 3),
        "layer3.ba": (*gates, 3),
        "Wya": (3, 5),
        "by": (5,),
    }
    assert list(Network(NetworkConfig(5, 3, cell, 3)).parameters) == list(shapes)


@depths
@cells
def test_an_initial_network_predicts_about_the_uniform_distribution(cell: str, layers: int) -> None:
    """All parameters are drawn from the generator, and the loss is about log V nats per symbol."""
    model = Network(NetworkConfig(5, 32, cell, layers))
    model.parameters.vector[...] = np.nan
    model.initialise(np.random.default_rng(1))
    again = Network(model.config)
    again.initialise(np.random.default_rng(1))
    np.testing.assert_array_equal(model.parameters.vector, again.parameters.vector)
    names = names_of(*np.random.default_rng(2).integers(1, 5, (50, 6)).tolist())
    assert -np.log(likelihoods(model, names)).mean() == pytest.approx(np.log(5), abs=0.1)


@cells
def test_initial_deviations(cell: str) -> None:
    """Inputs that are symbols have the cell's own scale. Hidden states count as 1 / sqrt(H)."""
    model = Network(NetworkConfig(50, 64, cell, layers=3))
    model.initialise(np.random.default_rng(1))
    deviations = {name: float(array.std()) for name, array in model.parameters.items()}
    assert deviations["Wax"] == pytest.approx(EMBEDDING_SCALES[cell], rel=0.05)
    assert deviations["layer2.Wax"] == pytest.approx(64**-0.5, rel=0.05)
    assert deviations["layer3.Wax"] == pytest.approx(64**-0.5, rel=0.05)
    assert deviations["Wya"] == pytest.approx(0.3 * 64**-0.5, rel=0.05)
    assert deviations["by"] == 0


def test_two_networks_can_share_parameters() -> None:
    """A network that is given the parameters of another follows its changes."""
    one = random_network(5, 6, seed=1, layers=2, cell="lstm")
    other = Network(one.config, np.float64, one.parameters)
    batch = pack_all(RAGGED)
    for _ in range(2):
        gradients = one.loss_and_gradients(batch).gradients.vector
        np.testing.assert_array_equal(other.loss_and_gradients(batch).gradients.vector, gradients)
        one.parameters.vector *= 0.5
