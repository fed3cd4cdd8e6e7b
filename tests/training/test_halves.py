"""Halves: the same gradients as those of the whole batch, on any number of cores."""

import os
import threading
from typing import Any

import numpy as np
import pytest

from dinogen.data import Batch, Names, pack
from dinogen.models import Backpropagated, LayerMasks, Network
from dinogen.training import Halves
from tests.networks import names_of, random_network

NAMES = names_of([1, 2, 3], [4], [2, 2, 2, 2, 1, 3], [3, 1], [1, 1, 4, 2])


def batch_and_masks(model: Network, names: Names = NAMES) -> tuple[Batch, list[LayerMasks]]:
    """Pack all names, and draw masks with zeros and two other numbers."""
    random = np.random.default_rng(5)
    shape = (len(names), model.config.hidden_size)
    masks = [
        LayerMasks(random.choice([0.0, 0.8, 2.0], shape), random.choice([0.0, 0.8, 2.0], shape))
        for _ in range(model.config.layers)
    ]
    return pack(names, np.arange(len(names))), masks


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("masked", [False, True], ids=["no dropout", "dropout"])
def test_the_gradients_are_those_of_the_whole_batch(cell: str, masked: bool) -> None:
    """Loss and gradients of an odd number of names agree with one pass over all of them."""
    model = random_network(5, 4, seed=7, scale=0.7, layers=2, cell=cell)
    batch, drawn = batch_and_masks(model)
    masks = drawn if masked else None
    whole = model.loss_and_gradients(batch, masks=masks)
    expected = whole.gradients.vector.copy()
    loss, gradients = Halves(model).loss_and_gradients(batch, masks)
    assert loss == pytest.approx(whole.loss, rel=1e-12)
    np.testing.assert_allclose(gradients.vector, expected, rtol=1e-10, atol=1e-12)


def test_soft_targets_are_halved_too() -> None:
    """With soft targets, loss and gradients agree with one pass over all names."""
    model = random_network(5, 4, seed=7, scale=0.7, layers=2, cell="lstm")
    _, masks = batch_and_masks(model)
    targets = np.random.default_rng(3).dirichlet(np.ones(5), len(NAMES.symbols))
    batch = pack(NAMES, np.arange(len(NAMES)), targets)
    whole = model.loss_and_gradients(batch, masks=masks)
    expected = whole.gradients.vector.copy()
    loss, gradients = Halves(model).loss_and_gradients(batch, masks)
    assert loss == pytest.approx(whole.loss, rel=1e-12)
    np.testing.assert_allclose(gradients.vector, expected, rtol=1e-10, atol=1e-12)


def test_a_batch_of_one_name() -> None:
    """One name has no second half."""
    model = random_network(5, 4, seed=7)
    names = names_of([3, 1])
    batch, _ = batch_and_masks(model, names)
    expected = model.loss_and_gradients(batch).gradients.vector.copy()
    _, gradients = Halves(model).loss_and_gradients(batch, None)
    np.testing.assert_array_equal(gradients.vector, expected)


def test_the_parameters_may_change() -> None:
    """Both halves see the parameters of the network at each call."""
    model = random_network(5, 4, seed=7)
    batch, _ = batch_and_masks(model)
    halves = Halves(model)
    halves.loss_and_gradients(batch, None)
    model.parameters.vector *= 0.5
    loss, _ = halves.loss_and_gradients(batch, None)
    assert loss == pytest.approx(model.loss_and_gradients(batch).loss, rel=1e-12)


def test_one_core_gives_the_same_digits_as_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a second core both halves run in one thread, and no digit differs."""
    model = random_network(5, 16, seed=7, dtype=np.float32, layers=2, cell="lstm")
    batch, masks = batch_and_masks(model)
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
        _, gradients = Halves(model).loss_and_gradients(batch, masks)
        assert len(threads) == cores
        results.append(gradients.vector.copy())
    np.testing.assert_array_equal(results[0], results[1])


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
