"""The trainer: validation, early stopping, roll-back, and its state."""

import math
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.checkpoint import ResumeState
from dinogen.data import Names, hold_out, read_corpus
from dinogen.errors import CheckpointError, TrainingError
from dinogen.models import (
    Backpropagated,
    LanguageModel,
    Network,
    NetworkConfig,
    next_probabilities,
    score,
)
from dinogen.rng import Purpose, random_stream
from dinogen.training import Progress, Settings, Trainer
from tests.conftest import CORPORA

CORPUS = read_corpus([CORPORA / "edda.txt"])
V = len(CORPUS.vocabulary)
SETTINGS = Settings(seed=5, hidden_size=16, steps=300, patience=1_000)


def initial_network(settings: Settings) -> Network:
    """Draw the initial network of some settings."""
    network = Network(NetworkConfig(V, settings.hidden_size, settings.cell, settings.layers))
    network.initialise(random_stream(settings.seed, Purpose.INITIALISE))
    return network


def make_trainer(settings: Settings = SETTINGS, *, held_out: bool = True) -> Trainer:
    """Set up a trainer on the names of the Edda; without held-out names it validates on 50."""
    training, validation = hold_out(CORPUS, 0.1, settings.seed)
    if not held_out:
        training, validation = CORPUS.names, CORPUS.names.subsample(50)
    trainer = Trainer(initial_network(settings), validation, settings, held_out=held_out)
    trainer.learn_from(training)
    return trainer


def train(trainer: Trainer, until: int | None = None) -> list[Progress]:
    """Train to the end, or until a step."""
    reported = []
    while not trainer.finished and trainer.step != until:
        reported.append(trainer.update())
    return reported


def loss_of(model: LanguageModel, names: Names) -> float:
    """Return the mean nats per symbol of some names."""
    return float(score(model, names).sum()) / len(names.symbols)


def held_out_losses(trainer: Trainer) -> list[float]:
    """Return the held-out losses of the history."""
    losses = [row.losses["heldout"] for row in trainer.history]
    return [loss for loss in losses if loss is not None]


# Validation.


def test_evaluations_come_at_the_first_step_the_last_step_and_in_between() -> None:
    """Steps 1, 20, 40 ... and the last one are evaluated, and reported with their row."""
    trainer = make_trainer(replace(SETTINGS, steps=70))
    reported = train(trainer)
    assert [progress.step for progress in reported] == [*range(1, 71)]
    rows = [progress.row for progress in reported if progress.row]
    assert rows == trainer.history
    assert [row.step for row in rows] == [1, 20, 40, 60, 70]
    assert all(progress.row for progress in reported if progress.step in (1, 20, 40, 60, 70))
    assert len(held_out_losses(trainer)) == 5


def test_the_losses_are_means_since_the_last_evaluation() -> None:
    """The training loss is the mean per symbol over the batches since the last row."""
    trainer = make_trainer()
    reported = train(trainer, until=40)
    # Batches differ in size, so the mean of their means is only near the mean over all symbols.
    mean = np.mean([progress.loss for progress in reported[20:40]])
    assert trainer.history[-1].losses["train"] == pytest.approx(mean, rel=0.02)
    _, validation = hold_out(CORPUS, 0.1, SETTINGS.seed)
    loss = loss_of(trainer.network, validation)
    assert trainer.history[-1].losses["heldout"] == pytest.approx(loss, rel=1e-5)


def test_the_best_parameters_are_kept() -> None:
    """After far too many steps, the best network has the lowest held-out loss of the history."""
    trainer = make_trainer(replace(SETTINGS, steps=800))
    train(trainer)
    losses = held_out_losses(trainer)
    assert min(losses) < losses[-1]
    _, validation = hold_out(CORPUS, 0.1, SETTINGS.seed)
    assert loss_of(trainer.best_network, validation) == pytest.approx(min(losses), rel=1e-5)
    assert loss_of(trainer.network, validation) == pytest.approx(losses[-1], rel=1e-5)


def test_before_training_the_best_network_is_the_initial_one() -> None:
    """It predicts about the uniform distribution: log V nats per symbol."""
    trainer = make_trainer()
    best = trainer.best_network
    np.testing.assert_array_equal(
        best.parameters.vector, initial_network(SETTINGS).parameters.vector
    )
    assert best is not trainer.network
    assert loss_of(best, CORPUS.names) == pytest.approx(np.log(V), abs=0.1)
    assert not trainer.history


def test_training_stops_when_the_held_out_loss_stops_improving() -> None:
    """With a patience of 3, it stops at the third evaluation after the best one."""
    trainer = make_trainer(replace(SETTINGS, steps=5_000, patience=3))
    train(trainer)
    assert trainer.finished
    assert trainer.step < 5_000
    losses = held_out_losses(trainer)
    assert len(losses) - 1 - losses.index(min(losses)) == 3


def test_without_held_out_names_training_does_not_stop_early() -> None:
    """The names of the training list decide which parameters are best, and patience has no use."""
    trainer = make_trainer(replace(SETTINGS, steps=2_000, patience=1), held_out=False)
    train(trainer)
    assert trainer.step == 2_000
    assert [row.losses["heldout"] for row in trainer.history] == [None] * len(trainer.history)


# What it learns from.


def test_without_names_there_is_nothing_to_learn() -> None:
    """A trainer says whether it has names, and does not update without."""
    _, validation = hold_out(CORPUS, 0.1, SETTINGS.seed)
    trainer = Trainer(initial_network(SETTINGS), validation, SETTINGS, held_out=True)
    assert not trainer.is_ready
    with pytest.raises(RuntimeError, match="nothing to learn from"):
        trainer.update()
    assert make_trainer().is_ready


@pytest.mark.parametrize("hidden", [16, 256], ids=["whole", "halves"])
def test_soft_targets_that_are_one_hot_teach_what_names_teach(hidden: int) -> None:
    """The same names with one-hot soft targets give the same parameters up to rounding."""
    settings = replace(SETTINGS, steps=3, hidden_size=hidden, cell="lstm", batch_size=64)
    training, _ = hold_out(CORPUS, 0.1, settings.seed)
    hard, soft = make_trainer(settings), make_trainer(settings)
    soft.learn_from(training, np.eye(V, dtype=np.float32)[training.symbols])
    for one, other in zip(train(hard), train(soft), strict=True):
        assert other.loss == pytest.approx(one.loss, rel=1e-4)
    np.testing.assert_allclose(
        soft.network.parameters.vector, hard.network.parameters.vector, rtol=1e-3, atol=1e-5
    )


def test_soft_targets_are_learned() -> None:
    """A network comes close to the probabilities that it is taught, not to those of the names."""
    training, _ = hold_out(CORPUS, 0.1, SETTINGS.seed)
    q = np.full((len(training.symbols), V), 0.5 / (V - 3), dtype=np.float32)
    # Whatever the name is, the next symbol is one of three.
    q[:, [0, 3, 7]] = [0.25, 0.125, 0.125]
    trainer = make_trainer(replace(SETTINGS, steps=200))
    trainer.learn_from(training, q)
    first, *_, last = (progress.loss for progress in train(trainer))
    entropy = -(q[0] * np.log(q[0])).sum()
    assert first > entropy + 0.2
    assert last == pytest.approx(entropy, abs=0.02)
    for place in (0, 100, 1_000):
        prefix = training.symbols[:place][-3:]
        p = next_probabilities(trainer.network, prefix[prefix > 0])
        np.testing.assert_allclose(p, q[0], atol=0.05)


# Roll-back.


@pytest.mark.parametrize("held_out", [False, True])
def test_an_exploding_loss_halves_the_rate(held_out: bool) -> None:
    """At an absurd rate, the rate is halved until the network learns."""
    trainer = make_trainer(replace(SETTINGS, learning_rate=100.0, steps=600), held_out=held_out)
    rates = [progress.lowered_rate for progress in train(trainer) if progress.lowered_rate]
    assert rates
    assert rates == [100 / 2 ** (i + 1) for i in range(len(rates))]
    assert loss_of(trainer.best_network, CORPUS.names) < np.log(V)
    losses = [row.losses["train"] for row in trainer.history]
    assert all(loss is not None and loss < np.log(V) + 1 for loss in losses)


def test_an_infinite_loss_is_rolled_back_at_once() -> None:
    """Parameters that overflow are replaced by the best ones so far, without momentum."""
    trainer = make_trainer()
    lowered = []
    with np.errstate(all="ignore"):
        while not trainer.finished:
            if trainer.step == 105:
                trainer.network.parameters["Wya"][...] = np.inf
            progress = trainer.update()
            lowered += [progress.step] if progress.lowered_rate else []
            if progress.step == 106:
                np.testing.assert_array_equal(
                    trainer.network.parameters.vector, trainer.best_network.parameters.vector
                )
                state = trainer.resume_state().arrays
                assert not any(state[name].any() for name in state if "velocity" in name)
    assert lowered == [106]
    assert trainer.step == 300
    assert np.isfinite(trainer.best_network.parameters.vector).all()


def test_an_infinite_gradient_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The state is finite after each step, so that it can be saved at any time."""
    trainer = make_trainer()
    loss_and_gradients = trainer.network.loss_and_gradients

    def break_at_100(*args: Any, **options: Any) -> Backpropagated:
        result = loss_and_gradients(*args, **options)
        result.gradients.vector *= math.inf if trainer.step == 100 else 1.0
        return result

    monkeypatch.setattr(trainer.network, "loss_and_gradients", break_at_100)
    lowered = []
    while not trainer.finished:
        progress = trainer.update()
        lowered += [progress.step] if progress.lowered_rate else []
        assert all(np.isfinite(array).all() for array in trainer.resume_state().arrays.values())
    assert lowered == [101]


def test_an_undefined_validation_loss_is_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the last update before an evaluation breaks the network, no row is added."""
    trainer = make_trainer()
    home = sys.modules[Trainer.__module__]
    likelihoods = vars(home)["likelihoods"]

    def break_at_100(*args: Any) -> NDArray[np.float64]:
        p: NDArray[np.float64] = likelihoods(*args)
        return p * (math.nan if trainer.step == 100 else 1.0)

    monkeypatch.setattr(home, "likelihoods", break_at_100)
    lowered = [progress.step for progress in train(trainer) if progress.lowered_rate]
    assert lowered == [100]
    assert 100 not in [row.step for row in trainer.history]


def test_a_run_that_only_explodes_ends_with_an_error() -> None:
    """If the loss explodes at every rate, training gives up."""
    trainer = make_trainer()

    def explode() -> None:
        while not trainer.finished:
            trainer.network.parameters.vector[...] = np.nan
            trainer.update()

    with pytest.raises(TrainingError, match="explodes"), np.errstate(all="ignore"):
        explode()


# The state.


@pytest.mark.parametrize("stop", [0, 1, 33, 40])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("rate", [0.3, 100.0])
def test_a_restored_trainer_continues_in_the_same_way(rate: float, layers: int, stop: int) -> None:
    """Stopped after any step and restored, it has the same parameters, history and progress.

    At an absurd rate, the first step is worse than the initial network, and the loss explodes.
    """
    settings = replace(SETTINGS, steps=60, layers=layers, dropout=0.3, learning_rate=rate)
    whole = make_trainer(settings)
    expected = train(whole)
    stopped = make_trainer(settings)
    train(stopped, until=stop)
    restored = make_trainer(settings)
    restored.network.parameters.vector[...] = 7.0
    restored.restore(
        stopped.best_network,
        stopped.resume_state(),
        stopped.step,
        [*stopped.history],
        keep_stale=True,
    )
    assert train(restored) == expected[stop:]
    assert restored.history == whole.history
    for one, other in (
        (restored.network.parameters, whole.network.parameters),
        (restored.best_network.parameters, whole.best_network.parameters),
    ):
        np.testing.assert_array_equal(one.vector, other.vector)


def test_a_snapshot_of_the_state_does_not_change() -> None:
    """Later updates change neither the state that was returned nor the best network."""
    trainer = make_trainer()
    train(trainer, until=30)
    state, best = trainer.resume_state(), trainer.best_network
    arrays = {name: array.copy() for name, array in state.arrays.items()}
    vector = best.parameters.vector.copy()
    assert {name.split(".")[0] for name in arrays} == {"parameters", "velocity"}
    train(trainer, until=60)
    for name, array in state.arrays.items():
        np.testing.assert_array_equal(array, arrays[name])
    np.testing.assert_array_equal(best.parameters.vector, vector)


def test_a_finished_trainer_has_no_arrays_to_resume_from() -> None:
    """Its learning rate has fallen to 0, so it resumes from the best parameters."""
    trainer = make_trainer(replace(SETTINGS, steps=30))
    assert trainer.resume_state().arrays
    train(trainer)
    assert not trainer.resume_state().arrays


def break_state(state: ResumeState, change: str) -> ResumeState:
    """Damage a state in one way."""
    arrays, numbers = dict(state.arrays), dict(state.numbers)
    match change:
        case "a missing array":
            del arrays["velocity.Waa"]
        case "an array too many":
            arrays["velocity.layer2.Waa"] = arrays["velocity.Waa"]
        case "another shape":
            arrays["velocity.Waa"] = arrays["velocity.Waa"][:, :-1]
        case "a negative counter":
            numbers["stale"] = -1
        case "a fraction":
            numbers["rollbacks"] = 0.5
        case _:
            del numbers[change]
    return ResumeState(arrays, numbers)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("a missing array", "optimizer state"),
        ("an array too many", "optimizer state"),
        ("another shape", "optimizer state"),
        ("a negative counter", "counters"),
        ("a fraction", "counters"),
        ("stale", "counters"),
        ("rollbacks", "counters"),
        ("loss", "counters"),
        ("symbols", "counters"),
    ],
)
def test_a_damaged_state_is_refused(change: str, message: str) -> None:
    """Arrays of another network, and counters that are missing or invalid."""
    trainer = make_trainer()
    train(trainer, until=30)
    state = break_state(trainer.resume_state(), change)
    with pytest.raises(CheckpointError, match=f"{message}.*train anew"):
        make_trainer().restore(trainer.best_network, state, 30, trainer.history, keep_stale=True)
