"""The trainer on running text: compared with a literal loop, and its state."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.checkpoint import ResumeState
from dinogen.data import Batch, Texts, Windows, read_texts
from dinogen.errors import CheckpointError
from dinogen.models import Network, NetworkConfig
from dinogen.rng import Purpose, random_stream
from dinogen.training import Settings, Trainer
from tests.conftest import CORPORA
from tests.networks import answers

CORPUS = read_texts([CORPORA / "edda.txt"])
TRAINING, HELD_OUT = Texts(CORPUS.texts.symbols[:1_000], np.array([0, 1_000])).split(0.1, 1_000)
V = len(CORPUS.vocabulary)
SETTINGS = Settings(
    seed=5, hidden_size=8, steps=80, batch_size=5, window=12, learning_rate=0.5, patience=1_000
)
PER_EPOCH = len(TRAINING.symbols) // 5 // 12
STACK = replace(SETTINGS, cell="lstm", layers=2, dropout=0.3, learning_rate=2.0)

Arrays = list[NDArray[np.floating]]


def make_trainer(settings: Settings = SETTINGS) -> Trainer:
    """Set up a trainer that holds out the end of the text."""
    network = Network(NetworkConfig(V, settings.hidden_size, settings.cell, settings.layers))
    network.initialise(random_stream(settings.seed, Purpose.INITIALISE))
    trainer = Trainer(network, HELD_OUT, settings, held_out=True)
    trainer.learn_from(TRAINING)
    return trainer


def literal_updates(network: Network, settings: Settings) -> Iterator[tuple[float, Arrays]]:
    """Learn the text with a loop that is written out, in float64, without dropout.

    Yields:
        The mean loss of each window, and the states of all streams after it.
    """
    N, T = settings.batch_size, settings.window or 0
    symbols, S = TRAINING.symbols, len(TRAINING.symbols)
    length = S // N
    model = Network(network.config, np.float64)
    model.parameters.fill(network.parameters)
    w, velocity = model.parameters.vector, np.zeros_like(model.parameters.vector)
    for step in range(settings.steps):
        epoch, number = divmod(step, length // T)
        cut = int(random_stream(settings.seed, Purpose.SHUFFLE, epoch).integers(S))
        if number == 0:
            states: list[Any] = [None] * N
        loss, gradient = 0.0, np.zeros_like(w)
        for stream in range(N):
            targets = np.array(
                [(cut + stream * length + number * T + t) % S for t in range(T)]
            )  # (T,)
            batch = Batch(symbols[targets - 1], symbols[targets], [1] * T, np.arange(1))
            done = model.loss_and_gradients(batch, states[stream])
            states[stream] = done.state
            loss += done.loss / (N * T)
            gradient += done.gradients.vector / (N * T)
        gradient *= min(1.0, settings.clip / np.sqrt((gradient**2).sum()))
        velocity = settings.momentum * velocity + gradient
        warm_up = min(1.0, (step + 1) / (0.05 * settings.steps))
        w -= settings.learning_rate * warm_up * (1 - step / settings.steps) * velocity
        layers = zip(*states, strict=True)
        joined = [np.concatenate(array) for layer in layers for array in zip(*layer, strict=True)]
        network.parameters.fill(model.parameters)
        yield loss, joined


def states_of(trainer: Trainer) -> Arrays:
    """Return the carried states that would be saved."""
    arrays = trainer.resume_state().arrays
    return [array for name, array in arrays.items() if "state" in name]


def run(trainer: Trainer, until: int) -> list[float]:
    """Train until a step; returns the loss of each step."""
    losses = []
    while trainer.step < until:
        losses.append(trainer.update().loss)
    return losses


@pytest.mark.parametrize(("cell", "layers"), [("rnn", 1), ("gru", 2), ("lstm", 1)])
def test_updates_are_those_of_a_literal_loop(cell: str, layers: int) -> None:
    """Losses, states and parameters agree over two borders of epochs, up to rounding."""
    settings = replace(SETTINGS, cell=cell, layers=layers)
    trainer = make_trainer(settings)
    slow = make_trainer(settings).network
    steps = 2 * PER_EPOCH + 3
    assert 10 < PER_EPOCH < 20
    for loss, states in islice(literal_updates(slow, settings), steps):
        assert trainer.update().loss == pytest.approx(loss, rel=1e-4)
        for found, expected in zip(states_of(trainer), states, strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-3)
    np.testing.assert_allclose(
        trainer.network.parameters.vector, slow.parameters.vector, rtol=1e-3, atol=1e-3
    )


def test_the_held_out_loss_is_that_of_reading_the_end_of_the_text() -> None:
    """It is the mean over the held-out symbols, which are read one by one."""
    trainer = make_trainer()
    run(trainer, 20)
    symbols = HELD_OUT.symbols.astype(np.int64)
    p = answers(trainer.network, symbols[np.newaxis])[:-1, 0]  # (S, V)
    nats = -np.log(p[np.arange(len(symbols)), symbols]).mean()
    assert trainer.history[-1].losses["heldout"] == pytest.approx(nats, rel=1e-5)
    assert [row.step for row in trainer.history] == [1, 20]


def test_it_learns() -> None:
    """After some epochs the held-out loss is below that of the frequencies of symbols."""
    trainer = make_trainer(replace(SETTINGS, steps=20 * PER_EPOCH))
    run(trainer, 20 * PER_EPOCH)
    counts = np.bincount(TRAINING.symbols, minlength=V) + 1
    frequencies = -np.log(counts / counts.sum())[HELD_OUT.symbols].mean()
    assert trainer.best_loss < frequencies - 0.1


def test_the_carried_state_matters() -> None:
    """With the state of the window before, the next loss is another than from a blank state."""
    trainer = make_trainer()
    run(trainer, 5)
    batch, state = Windows(TRAINING, 5, 12, SETTINGS.seed)[5], trainer.resume_state().arrays
    network = trainer.network
    carried = network.loss_and_gradients(batch, ((state["layer1.state0"],),)).loss
    blank = network.loss_and_gradients(batch).loss
    assert run(trainer, 6) == [pytest.approx(carried / len(batch.targets), rel=1e-6)]
    assert blank != pytest.approx(carried, rel=1e-4)


@pytest.mark.parametrize("settings", [SETTINGS, STACK], ids=["rnn", "stack"])
def test_a_rollback_clears_the_carried_state(settings: Settings) -> None:
    """After an explosion, the next window begins with a blank state, and training goes on."""
    trainer = make_trainer(settings)
    run(trainer, PER_EPOCH + 3)
    assert all(state.any() for state in states_of(trainer))
    trainer.network.parameters["Wya"][...] = np.inf
    assert trainer.update().lowered_rate == settings.learning_rate / 2
    assert trainer.step % PER_EPOCH != 0
    assert all(not state.any() for state in states_of(trainer))
    if not settings.dropout:
        batch = Windows(TRAINING, 5, 12, settings.seed)[PER_EPOCH + 4]
        blank = trainer.network.loss_and_gradients(batch).loss / len(batch.targets)
        assert run(trainer, PER_EPOCH + 5) == [pytest.approx(blank, rel=1e-6)]
    assert np.isfinite(run(trainer, 30)).all()


# Its state.


@cache
def never_stopped(settings: Settings) -> tuple[Trainer, list[float]]:
    """Train for two epochs and a bit, once for each settings; returns the losses, too."""
    trainer = make_trainer(settings)
    return trainer, run(trainer, 2 * PER_EPOCH + 3)


def test_the_state_has_one_row_for_each_stream() -> None:
    """Every layer of an LSTM has hidden states and cells. Before the first step they are blank."""
    trainer = make_trainer(STACK)
    names = {f"layer{layer}.state{i}" for layer in (1, 2) for i in (0, 1)}
    for steps in (0, 1):
        run(trainer, steps)
        arrays = trainer.resume_state().arrays
        found = {name: array.shape for name, array in arrays.items() if "state" in name}
        assert found == dict.fromkeys(names, (5, 8))
        assert all(arrays[name].any() == bool(steps) for name in names)


def test_a_saved_state_does_not_change() -> None:
    """It is a copy: later updates do not write to it."""
    trainer = make_trainer(STACK)
    run(trainer, 3)
    saved = trainer.resume_state().arrays
    copies = {name: array.copy() for name, array in saved.items()}
    run(trainer, 6)
    for name, array in saved.items():
        np.testing.assert_array_equal(array, copies[name], err_msg=name)


@pytest.mark.parametrize("settings", [SETTINGS, STACK], ids=["rnn", "stack"])
@pytest.mark.parametrize("stop", [0, 1, PER_EPOCH - 1, PER_EPOCH, PER_EPOCH + 9])
def test_a_restored_trainer_goes_on_where_the_other_stopped(settings: Settings, stop: int) -> None:
    """At the border of an epoch and within, all later losses and arrays are the same to the bit."""
    whole, losses = never_stopped(settings)
    part = make_trainer(settings)
    assert run(part, stop) == losses[:stop]
    resumed = make_trainer(settings)
    resumed.restore(
        part.best_network, part.resume_state(), part.step, [*part.history], keep_stale=True
    )
    assert run(resumed, len(losses)) == losses[stop:]
    one, other = resumed.resume_state(), whole.resume_state()
    assert one.numbers == other.numbers
    assert one.arrays.keys() == other.arrays.keys()
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name], err_msg=name)
    assert resumed.history == whole.history


def test_a_state_that_does_not_fit_is_refused() -> None:
    """The states must be there, for as many streams, layers and units."""
    trainer = make_trainer(STACK)
    run(trainer, 2)
    arrays, numbers = trainer.resume_state()
    name = "layer2.state1"
    rest = {key: array for key, array in arrays.items() if key != name}
    wrong = [
        rest,
        {**rest, "layer3.state0": arrays[name]},
        {**arrays, "layer3.state0": arrays[name]},
    ]
    wrong += [{**arrays, name: arrays[name][part]} for part in (slice(2), np.s_[:, :5], 0, [0] * 6)]
    for others in wrong:
        with pytest.raises(CheckpointError, match="does not fit its network; train anew"):
            make_trainer(STACK).restore(
                trainer.best_network, ResumeState(others, numbers), 2, [], keep_stale=True
            )
