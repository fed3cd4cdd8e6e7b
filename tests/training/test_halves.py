"""Halves: the same gradients as those of the whole batch, on any number of cores."""

import os
import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.data import Batch, Names, Texts, Windows, pack
from dinogen.models import Backpropagated, LayerMasks, Network
from dinogen.training import Halves
from tests.networks import names_of, random_network

State = tuple[tuple[NDArray[np.floating], ...], ...]

NAMES = names_of([1, 2, 3], [4], [2, 2, 2, 2, 1, 3], [3, 1], [1, 1, 4, 2])

LISTS = [NAMES, names_of([1] * 7, *[[2, 3]] * 5), names_of([1, 2], [3, 4], [2], [1])]
"""An odd number of names; one name that outlives all others; two that end together."""


def batch_and_masks(model: Network, names: Names = NAMES) -> tuple[Batch, list[LayerMasks]]:
    """Pack all names, and draw masks with zeros and two other numbers."""
    random = np.random.default_rng(5)
    shape = (len(names), model.config.hidden_size)
    masks = [
        LayerMasks(random.choice([0.0, 0.8, 2.0], shape), random.choice([0.0, 0.8, 2.0], shape))
        for _ in range(model.config.layers)
    ]
    return pack(names, np.arange(len(names))), masks


def windows_of(streams: int) -> Windows:
    """Cut a random text into windows of six symbols."""
    symbols = np.random.default_rng(2).integers(5, size=91).astype(np.uint8)
    return Windows(Texts(symbols, np.array([0, 91])), streams, 6, seed=1)


def flat(state: State) -> list[NDArray[np.floating]]:
    """Copy the arrays of all layers."""
    return [array.copy() for layer in state for array in layer]


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("masked", [False, True], ids=["no dropout", "dropout"])
@pytest.mark.parametrize("names", LISTS, ids=len)
def test_all_results_are_those_of_the_whole_batch(cell: str, masked: bool, names: Names) -> None:
    """They agree with one pass over all names, the longest of which run alone at the end."""
    model = random_network(5, 4, seed=7, scale=0.7, layers=2, cell=cell)
    batch, drawn = batch_and_masks(model, names)
    masks = drawn if masked else None
    whole = model.loss_and_gradients(batch, masks=masks)
    expected = [whole.gradients.vector.copy(), *flat(whole.dstate), *flat(whole.state)]
    found = Halves(model).loss_and_gradients(batch, masks=masks)
    assert found.loss == pytest.approx(whole.loss, rel=1e-12)
    parts = [found.gradients.vector, *flat(found.dstate), *flat(found.state)]
    for part, other in zip(parts, expected, strict=True):
        np.testing.assert_allclose(part, other, rtol=1e-10, atol=1e-12)


def test_soft_targets_are_halved_too() -> None:
    """With soft targets, loss and gradients agree with one pass over all names."""
    model = random_network(5, 4, seed=7, scale=0.7, layers=2, cell="lstm")
    _, masks = batch_and_masks(model)
    targets = np.random.default_rng(3).dirichlet(np.ones(5), len(NAMES.symbols))
    batch = pack(NAMES, np.arange(len(NAMES)), targets)
    whole = model.loss_and_gradients(batch, masks=masks)
    expected = whole.gradients.vector.copy()
    loss, gradients, *_ = Halves(model).loss_and_gradients(batch, masks=masks)
    assert loss == pytest.approx(whole.loss, rel=1e-12)
    np.testing.assert_allclose(gradients.vector, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("streams", [1, 4, 5])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_states_are_carried_in_halves(cell: str, streams: int) -> None:
    """Over windows of running text, all results are those of the whole batch, for any streams."""
    model = random_network(5, 4, seed=7, scale=0.7, layers=2, cell=cell)
    masks = [
        LayerMasks(*(mask[:streams] for mask in layer if mask is not None))
        for layer in batch_and_masks(model)[1]
    ]
    halves, windows = Halves(model), windows_of(streams)
    state = expected_state = None
    for step in range(3):
        whole = model.loss_and_gradients(windows[step], expected_state, masks)
        expected = [whole.gradients.vector.copy(), *flat(whole.dstate), *flat(whole.state)]
        expected_state = whole.state
        found = halves.loss_and_gradients(windows[step], state, masks)
        state = found.state
        assert found.loss == pytest.approx(whole.loss, rel=1e-12)
        parts = [found.gradients.vector, *flat(found.dstate), *flat(found.state)]
        for part, other in zip(parts, expected, strict=True):
            np.testing.assert_allclose(part, other, rtol=1e-10, atol=1e-12)


def test_a_batch_of_one_name() -> None:
    """One name has no second half."""
    model = random_network(5, 4, seed=7)
    names = names_of([3, 1])
    batch, _ = batch_and_masks(model, names)
    expected = model.loss_and_gradients(batch).gradients.vector.copy()
    gradients = Halves(model).loss_and_gradients(batch).gradients
    np.testing.assert_array_equal(gradients.vector, expected)


def test_the_parameters_may_change() -> None:
    """Both halves see the parameters of the network at each call."""
    model = random_network(5, 4, seed=7)
    batch, _ = batch_and_masks(model)
    halves = Halves(model)
    halves.loss_and_gradients(batch)
    model.parameters.vector *= 0.5
    loss = halves.loss_and_gradients(batch).loss
    assert loss == pytest.approx(model.loss_and_gradients(batch).loss, rel=1e-12)


def test_one_core_gives_the_same_digits_as_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a second core both halves run in one thread, and no digit differs."""
    model = random_network(5, 16, seed=7, dtype=np.float32, layers=2, cell="lstm")
    batch, masks = batch_and_masks(model)
    windows = windows_of(5)
    threads: set[int] = set()
    compute = Network.loss_and_gradients

    def recorded(*args: Any, **named: Any) -> Backpropagated:
        threads.add(threading.get_ident())
        return compute(*args, **named)

    monkeypatch.setattr(Network, "loss_and_gradients", recorded)
    results = []
    for cores in (1, 2):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        threads.clear()
        halves = Halves(model)
        found = [halves.loss_and_gradients(batch, masks=masks).gradients.vector.copy()]
        assert len(threads) == cores
        state = None
        for step in range(3):
            carried = halves.loss_and_gradients(windows[step], state)
            state = carried.state
            found += [carried.gradients.vector.copy(), *flat(state)]
        results.append(found)
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_only_large_networks_and_batches_are_halved() -> None:
    """An LSTM of 256 units is halved for 64 names; the default networks are not."""
    for cell, hidden, batch_size, pay in (
        ("lstm", 256, 64, True),
        ("gru", 256, 64, True),
        ("lstm", 256, 16, False),
        ("lstm", 128, 64, False),
        ("rnn", 256, 64, False),
        ("rnn", 256, 32, False),
    ):
        model = random_network(5, hidden, seed=1, dtype=np.float32, cell=cell)
        assert Halves.pay(model, batch_size) is pay
