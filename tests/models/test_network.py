"""Networks: gradients, the loops over time, and the answers symbol by symbol."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.data import Batch, Names, pack
from dinogen.models import CELLS, LayerMasks, Network, NetworkConfig, likelihoods
from tests.cells import ALL_CELLS
from tests.literal import forward_backward, stack_loss
from tests.networks import as_columns, assert_gradient, names_of, random_network

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
    (cell, layers, hidden, kind)
    for cell in ALL_CELLS
    for layers in (1, 2, 3)
    for hidden in (1, 3)
    for kind in BATCHES
    # Finite differences are slow, so the larger networks have one batch.
    if kind == "ragged" or (layers == 1 and cell in CELLS)
]

cells = pytest.mark.parametrize("cell", ALL_CELLS)
depths = pytest.mark.parametrize("layers", [1, 2, 3])


def pack_all(names: Names) -> Batch:
    """Pack all names of a list."""
    return pack(names, np.arange(len(names)))


def random_state(model: Network, n: int, seed: int) -> State:
    """Draw a state of n names."""
    random = np.random.default_rng(seed)
    return tuple(
        tuple(random.standard_normal(array.shape) for array in layer) for layer in model.blank(n)
    )


def random_masks(model: Network, batch: Batch, seed: int) -> list[LayerMasks]:
    """Draw masks of each layer. They have zeros, as dropout has, and two other numbers."""
    random, H = np.random.default_rng(seed), model.config.hidden_size
    return [
        LayerMasks(
            random.choice([0.0, 0.8, 2.0], (batch.batch_sizes[0], H)),
            random.choice([0.0, 0.8, 2.0], (len(batch.inputs), H)),
        )
        for _ in range(model.config.layers)
    ]


# Gradients.


@pytest.mark.parametrize(("cell", "layers", "hidden", "kind"), GRADIENTS)
@pytest.mark.parametrize("masked", [False, True], ids=["no dropout", "dropout"])
def test_every_gradient_agrees_with_finite_differences(
    cell: str, layers: int, masked: bool, hidden: int, kind: str
) -> None:
    """Each element of each gradient, and of the initial states, is the slope of the loss."""
    batch = pack_all(BATCHES[kind])
    model = random_network(5, hidden, seed=7, scale=0.7, layers=layers, cell=cell)
    state = random_state(model, batch.batch_sizes[0], seed=8)
    masks = random_masks(model, batch, seed=9) if masked else None
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


@pytest.mark.parametrize("only", ["recurrent", "output"])
@depths
@cells
def test_one_kind_of_mask_alone(cell: str, layers: int, only: str) -> None:
    """A mask that is left out is a mask of ones."""
    batch = pack_all(RAGGED)
    model = random_network(5, 4, seed=7, scale=0.7, layers=layers, cell=cell)
    masks = random_masks(model, batch, seed=9)
    missing = [
        LayerMasks(*(mask if field == only else None for field, mask in layer._asdict().items()))
        for layer in masks
    ]
    ones = [
        LayerMasks(
            *(
                mask if field == only else np.ones_like(mask)
                for field, mask in layer._asdict().items()
            )
        )
        for layer in masks
    ]
    expected = model.loss_and_gradients(batch, masks=ones)
    loss, vector = expected.loss, expected.gradients.vector.copy()
    found = model.loss_and_gradients(batch, masks=missing)
    assert found.loss == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(found.gradients.vector, vector, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("masked", [False, True], ids=["no dropout", "dropout"])
@depths
@cells
def test_a_batch_gives_the_sum_of_its_names(cell: str, layers: int, masked: bool) -> None:
    """Loss, gradients and initial gradients of a ragged batch are those of each name alone."""
    model = random_network(5, 6, seed=1, layers=layers, cell=cell)
    batch = pack_all(RAGGED)
    state = random_state(model, len(RAGGED), seed=2)
    masks = random_masks(model, batch, seed=3) if masked else None
    whole = model.loss_and_gradients(batch, state, masks)
    loss, gradients = whole.loss, whole.gradients.copy()
    dstate = [[array.copy() for array in layer] for layer in whole.dstate]
    total, vector = 0.0, np.zeros_like(gradients.vector)
    first = np.cumsum([0, *batch.batch_sizes[:-1]])  # (T,) of each step
    for place, row in enumerate(batch.rows):
        alone = pack(RAGGED, np.array([row]))
        own = None
        if masks:
            symbols = first[: len(alone.inputs)] + place  # (T,) this name's among all
            own = [
                LayerMasks(mask.recurrent[place : place + 1], mask.output[symbols])
                for mask in masks
                if mask.recurrent is not None and mask.output is not None
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


def test_a_batch_agrees_with_the_literal_loops() -> None:
    """Loss, gradients and initial gradients of a ragged batch are those of plain loops."""
    model = random_network(5, 6, seed=1)
    batch = pack_all(RAGGED)
    a0 = np.random.default_rng(2).standard_normal((4, 6))
    fast = model.loss_and_gradients(batch, ((a0,),))
    slow = []
    for place, row in enumerate(batch.rows):
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
    ((da0,),) = fast.dstate
    for place, s in enumerate(slow):
        np.testing.assert_allclose(da0[place], s.da0[:, 0], rtol=1e-10, atol=1e-12)


@depths
def test_the_loss_of_a_stack_agrees_with_the_literal_loops(layers: int) -> None:
    """The loss of a ragged batch, from a blank state, is that of plain loops over the layers."""
    model = random_network(5, 6, seed=1, layers=layers)
    p = [as_columns(model, layer) for layer in range(1, layers + 1)]
    slow = 0.0
    for start, end in zip(RAGGED.starts[:-1], RAGGED.starts[1:], strict=True):
        symbols = RAGGED.symbols[start:end].tolist()
        slow += stack_loss(p, [0, *symbols[:-1]], symbols)
    batch = pack_all(RAGGED)
    assert model.loss_and_gradients(batch).loss == pytest.approx(slow, rel=1e-12)
    blank = model.blank(len(RAGGED))
    assert model.loss_and_gradients(batch, blank).loss == pytest.approx(slow, rel=1e-12)


@depths
@cells
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


@depths
@cells
def test_a_second_pass_does_not_depend_on_the_first(cell: str, layers: int) -> None:
    """Memory is reused, so a larger batch before changes nothing, and neither does the state."""
    batch, larger = pack_all(RAGGED), pack_all(names_of(*[[1, 2, 3, 4] * 5] * 9))

    def gradients(model: Network, masked: bool) -> NDArray[np.floating]:
        masks = random_masks(model, batch, seed=9) if masked else None
        state = random_state(model, 4, seed=2)
        vector = model.loss_and_gradients(batch, state, masks).gradients.vector.copy()
        for layer, same in zip(state, random_state(model, 4, seed=2), strict=True):
            for array, unchanged in zip(layer, same, strict=True):
                np.testing.assert_array_equal(array, unchanged)
        return vector

    for masked in (False, True):
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


def test_answers_symbol_by_symbol_are_those_of_the_literal_loops() -> None:
    """`begin` and `advance` give the probabilities of the literal network."""
    model = random_network(4, 6, seed=3)
    name = [2, 1, 3, 3]
    state, p = model.begin(1)
    nats = -np.log(p[0, name[0]])
    for symbol, target in zip(name, [*name[1:], 0], strict=True):
        state, p = model.advance(state, np.array([symbol]))
        assert p.sum() == pytest.approx(1, rel=1e-12)
        nats -= np.log(p[0, target])
    literal = forward_backward(as_columns(model), [0, *name], [*name, 0], np.zeros((6, 1)))
    assert nats == pytest.approx(literal.loss, rel=1e-12)


@depths
@cells
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


def test_the_number_of_parameters_follows_from_the_configuration() -> None:
    """26 letters and 64 hidden units make 7,643 parameters: 27*64 + 64*64 + 64 + 64*27 + 27.

    Each further layer adds 2*64*64 + 64 = 8,256.
    """
    model = Network(NetworkConfig(27, 64))
    assert len(model.parameters.vector) == model.config.parameter_count == 7_643
    assert model.parameters["Wax"].dtype == np.float32
    assert NetworkConfig(27, 64, layers=3).parameter_count == 7_643 + 2 * 8_256


def test_the_arrays_of_a_stack() -> None:
    """The first layer reads V symbols; the others read H hidden units."""
    assert NetworkConfig(5, 3, layers=2).shapes == {
        "Wax": (5, 3),
        "Waa": (3, 3),
        "ba": (3,),
        "layer2.Wax": (3, 3),
        "layer2.Waa": (3, 3),
        "layer2.ba": (3,),
        "Wya": (3, 5),
        "by": (5,),
    }


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
