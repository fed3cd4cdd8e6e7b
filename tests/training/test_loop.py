"""The default recipe: what it learns, keeps, repeats and resumes."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.checkpoint.contents import Checkpoint
from dinogen.errors import CheckpointError, SettingError, TrainingError
from dinogen.generation.scoring import score
from dinogen.models import likelihood
from dinogen.models.rnn import RNN, Backpropagated
from dinogen.text.corpus import Corpus, hold_out, read_corpus
from dinogen.training import loop
from dinogen.training.classic import ClassicRun
from dinogen.training.loop import DefaultRun, initialise
from dinogen.training.settings import Settings
from tests.conftest import CORPORA

SETTINGS = Settings(seed=5, hidden_size=16, steps=300, patience=1_000, order=0)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """The names of the Edda."""
    return read_corpus([CORPORA / "edda.txt"])


def train(run: DefaultRun, until: int | None = None) -> Checkpoint:
    """Train to the end, or until a step, and take down the result."""
    for progress in run.train():
        if progress.step == until:
            break
    return run.checkpoint()


def network_of(checkpoint: Checkpoint) -> RNN:
    """Give the network of a checkpoint that has one."""
    assert checkpoint.network
    return checkpoint.network


def same(one: Checkpoint, other: Checkpoint) -> bool:
    """Whether two checkpoints agree, array for array, in everything but the clock."""
    clock = {"seconds": 0.0}
    descriptions = [
        c.description() | {"training": c.description()["training"] | clock} for c in (one, other)
    ]
    arrays = [
        {**{f"model.{n}": a for n, a in network_of(c).parameters.items()}, **c.resume.arrays}
        for c in (one, other)
    ]
    return (
        descriptions[0] == descriptions[1]
        and one.resume.counters == other.resume.counters
        and arrays[0].keys() == arrays[1].keys()
        and all(np.array_equal(arrays[0][name], arrays[1][name]) for name in arrays[0])
    )


def test_the_held_out_loss_is_that_of_the_scorer(corpus: Corpus) -> None:
    """The loss told is the mean over the held-out symbols of what scoring says of those names."""
    checkpoint = train(DefaultRun(corpus, SETTINGS))
    _, held_out = hold_out(corpus, SETTINGS.holdout, SETTINGS.seed)
    assert checkpoint.held_out is not None
    assert checkpoint.held_out.names == len(held_out) == 29
    mean = score(checkpoint.model, held_out).sum() / len(held_out.symbols)
    assert checkpoint.held_out.nats_per_symbol == pytest.approx(mean, rel=1e-5)


def test_the_best_parameters_are_kept(corpus: Corpus) -> None:
    """Trained far too long, the model is the one of the least held-out loss in the history."""
    checkpoint = train(DefaultRun(corpus, replace(SETTINGS, steps=800)))
    losses = [row["heldout"] for row in checkpoint.history if "heldout" in row]
    assert checkpoint.held_out is not None
    assert checkpoint.held_out.nats_per_symbol == min(loss for loss in losses if loss is not None)
    assert losses[-1] is not None
    assert checkpoint.held_out.nats_per_symbol < losses[-1]


def test_it_learns_more_than_the_frequencies_of_symbols(corpus: Corpus) -> None:
    """Held-out names surprise it less than the symbols' own frequencies would."""
    checkpoint = train(DefaultRun(corpus, replace(SETTINGS, hidden_size=32)))
    learned, held_out = hold_out(corpus, SETTINGS.holdout, SETTINGS.seed)
    counts = np.bincount(learned.symbols, minlength=len(corpus.vocabulary)) + 1
    unigram = -np.log(counts / counts.sum())[held_out.symbols].mean()
    assert checkpoint.held_out is not None
    assert checkpoint.held_out.nats_per_symbol < unigram - 0.3


def test_training_stops_when_it_no_longer_gets_better(corpus: Corpus) -> None:
    """With a patience of 3 it stops at the third evaluation after its best one."""
    run = DefaultRun(corpus, replace(SETTINGS, steps=5_000, patience=3))
    checkpoint = train(run)
    assert run.finished
    assert run.step < 5_000
    assert not checkpoint.training.interrupted
    losses = [row["heldout"] for row in checkpoint.history if "heldout" in row]
    best = losses.index(min(loss for loss in losses if loss is not None))
    assert len(losses) - 1 - best == 3


def test_twice_the_same_training_gives_the_same(corpus: Corpus) -> None:
    """Same corpus and settings: every array is equal; another seed: not."""
    first = train(DefaultRun(corpus, SETTINGS))
    assert same(first, train(DefaultRun(corpus, SETTINGS)))
    assert not same(first, train(DefaultRun(corpus, replace(SETTINGS, seed=6))))


@pytest.mark.parametrize("stop", [1, 100, 137, 299])
@pytest.mark.parametrize("holdout", [0.0, 0.1])
def test_stopped_and_resumed_is_never_stopped(corpus: Corpus, stop: int, holdout: float) -> None:
    """Wherever a run is left, also between two evaluations, resuming ends in the same arrays."""
    settings = replace(SETTINGS, holdout=holdout)
    left = train(DefaultRun(corpus, settings), until=stop)
    assert left.training.interrupted
    assert same(train(DefaultRun.resume(corpus, left)), train(DefaultRun(corpus, settings)))


def test_a_finished_run_can_be_given_more_steps(corpus: Corpus) -> None:
    """With more steps a finished run goes on from its best; without, nothing is left to do."""
    done = train(DefaultRun(corpus, SETTINGS))
    assert not done.resume.arrays
    assert same(train(DefaultRun.resume(corpus, done)), done)
    further = DefaultRun.resume(corpus, done, steps=350)
    np.testing.assert_array_equal(
        further.model.parameters.vector, network_of(done).parameters.vector
    )
    more = train(further)
    assert more.training.steps == 350
    assert more.history[: len(done.history)] == done.history
    assert DefaultRun.resume(corpus, done, epochs=50).steps == 50 * 9


def test_a_run_that_lost_patience_stays_finished(corpus: Corpus) -> None:
    """Resumed as it was it has nothing left to do; with more patience it goes on."""
    run = DefaultRun(corpus, replace(SETTINGS, steps=5_000, patience=3))
    done = train(run)
    assert DefaultRun.resume(corpus, done).finished
    assert not DefaultRun.resume(corpus, done, patience=50).finished


def test_a_run_that_lost_patience_goes_on_if_it_is_given_time(corpus: Corpus) -> None:
    """Whoever asks for more steps gets more, and patience anew."""
    done = train(DefaultRun(corpus, replace(SETTINGS, steps=5_000, patience=3)))
    further = DefaultRun.resume(corpus, done, steps=6_000)
    assert not further.finished
    assert train(further).training.steps > done.training.steps


def test_fewer_steps_than_are_done_are_refused(corpus: Corpus) -> None:
    """A plan that lies in the past would end a run that was only stopped."""
    stopped = train(DefaultRun(corpus, SETTINGS), until=40)
    with pytest.raises(SettingError, match="40 steps are done, more than 9 in all"):
        DefaultRun.resume(corpus, stopped, epochs=1)
    assert DefaultRun.resume(corpus, stopped, steps=40).finished


@pytest.mark.parametrize("order", [None, 4])
def test_n_grams_change_nothing_for_the_network(corpus: Corpus, order: int | None) -> None:
    """Beside n-grams a network learns what it learns alone; the mixture is better than both."""
    alone = train(DefaultRun(corpus, SETTINGS))
    mixed = train(DefaultRun(corpus, replace(SETTINGS, order=order)))
    np.testing.assert_array_equal(
        network_of(alone).parameters.vector, network_of(mixed).parameters.vector
    )
    assert alone.history == mixed.history
    assert alone.held_out
    assert mixed.held_out
    assert alone.ngram is None
    assert mixed.ngram
    assert order in (None, mixed.ngram.order)
    assert mixed.held_out.network == alone.held_out.nats_per_symbol
    assert mixed.held_out.ngram
    assert mixed.held_out.nats_per_symbol < min(mixed.held_out.network, mixed.held_out.ngram)


def test_without_a_network_there_is_nothing_to_wait_for(corpus: Corpus) -> None:
    """With a hidden size of 0 a run is finished before its first step, and has its n-grams."""
    run = DefaultRun(corpus, replace(SETTINGS, hidden_size=0, order=None))
    assert run.finished
    assert list(run.train()) == []
    checkpoint = run.checkpoint()
    assert checkpoint.network is None
    assert checkpoint.model is checkpoint.ngram
    assert not checkpoint.training.interrupted
    assert checkpoint.held_out
    assert checkpoint.held_out.nats_per_symbol == checkpoint.held_out.ngram
    assert DefaultRun.resume(corpus, checkpoint).finished


def test_without_held_out_names_the_last_parameters_are_kept(corpus: Corpus) -> None:
    """`holdout` 0 learns from every name, and tells no held-out loss."""
    run = DefaultRun(corpus, replace(SETTINGS, holdout=0.0))
    checkpoint = train(run)
    assert checkpoint.held_out is None
    np.testing.assert_array_equal(
        network_of(checkpoint).parameters.vector, run.model.parameters.vector
    )
    assert [row["heldout"] for row in checkpoint.history if "heldout" in row] == [None] * 16


def test_resuming_refuses_another_corpus_or_recipe(corpus: Corpus, tmp_path: Path) -> None:
    """Another list, or a checkpoint of the classic recipe, is not gone on with."""
    left = train(DefaultRun(corpus, SETTINGS), until=10)
    path = tmp_path / "other.txt"
    path.write_text("Anna\nBerta\nCarla\n")
    with pytest.raises(CheckpointError, match="another list"):
        DefaultRun.resume(read_corpus([path]), left)
    classic = ClassicRun(read_corpus([CORPORA / "edda.txt"], keep_duplicates=True), steps=2)
    with pytest.raises(CheckpointError, match="--recipe classic"):
        DefaultRun.resume(corpus, classic.checkpoint())


def test_resuming_refuses_settings_that_do_not_fit_the_network(corpus: Corpus) -> None:
    """A checkpoint whose settings were tampered with is told so, not trained on."""
    left = train(DefaultRun(corpus, SETTINGS), until=10)
    for name, value, error in (
        ("hidden_size", 17, CheckpointError),
        ("patience", -1, SettingError),
    ):
        training = left.training._replace(settings={**left.training.settings, name: value})
        with pytest.raises(error):
            DefaultRun.resume(corpus, replace(left, training=training))


@pytest.mark.parametrize("holdout", [0.0, 0.1])
def test_a_loss_that_explodes_is_caught(corpus: Corpus, holdout: float) -> None:
    """At an absurd rate the run says so, lowers it until it learns, and ends in a usable model."""
    run = DefaultRun(corpus, replace(SETTINGS, learning_rate=100.0, holdout=holdout, steps=600))
    rates = [progress.lowered for progress in run.train() if progress.lowered]
    assert rates
    assert rates == [100 / 2 ** (i + 1) for i in range(len(rates))]
    checkpoint = run.checkpoint()
    nats = score(checkpoint.model, corpus.names).sum() / len(corpus.names.symbols)
    assert nats < np.log(len(corpus.vocabulary))
    assert all(row["train"] < np.log(28) + 1 for row in checkpoint.history if "train" in row)


def test_a_loss_that_is_no_number_is_caught(corpus: Corpus) -> None:
    """Weights that overflow in the middle of a run give way to the best so far, at once."""
    run = DefaultRun(corpus, SETTINGS)
    lowered = []
    with np.errstate(all="ignore"):
        for progress in run.train():
            if progress.step == 105:
                run.model.parameters["Wya"][...] = np.inf
            lowered += [progress.step] if progress.lowered else []
    assert lowered == [106]
    assert run.step == 300
    assert np.isfinite(network_of(run.checkpoint()).parameters.vector).all()


def test_a_gradient_that_is_no_number_is_not_followed(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every moment, also between an explosion and the next step, a run could be saved."""
    run = DefaultRun(corpus, SETTINGS)
    learn = run.model.loss_and_gradients

    def breaking(*args: Any) -> Backpropagated:
        result = learn(*args)
        result.gradients.vector *= math.inf if run.step == 100 else 1.0
        return result

    monkeypatch.setattr(run.model, "loss_and_gradients", breaking)
    lowered = []
    for progress in run.train():
        lowered += [progress.step] if progress.lowered else []
        assert all(np.isfinite(array).all() for array in run.checkpoint().resume.arrays.values())
    assert lowered == [101]


def test_a_held_out_loss_that_is_no_number_is_caught(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights that break with the last update before an evaluation leave no trace of it."""
    run = DefaultRun(corpus, SETTINGS)
    likelihoods = likelihood.likelihoods

    def breaking(*args: Any) -> NDArray[np.float64]:
        return likelihoods(*args) * (math.nan if run.step == 100 else 1.0)

    monkeypatch.setattr(loop, "likelihoods", breaking)
    lowered = [progress.step for progress in run.train() if progress.lowered]
    assert lowered == [100]
    assert 100 not in [row["step"] for row in run.checkpoint().history]


def test_a_run_that_can_only_explode_ends(corpus: Corpus) -> None:
    """Where even the best parameters are no numbers, the run gives up with a message."""
    run = DefaultRun(corpus, SETTINGS)

    def spoil() -> None:
        for _ in run.train():
            run.model.parameters.vector[...] = np.nan

    with pytest.raises(TrainingError, match="explodes"), np.errstate(all="ignore"):
        spoil()


def test_the_first_network_knows_nothing(corpus: Corpus) -> None:
    """Before training every symbol is about as likely as any other: log V nats per symbol."""
    model = initialise(DefaultRun(corpus, SETTINGS).model.config, seed=1)
    nats = score(model, corpus.names).sum() / len(corpus.names.symbols)
    assert nats == pytest.approx(np.log(len(corpus.vocabulary)), abs=0.1)
