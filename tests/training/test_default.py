"""The default recipe: its model, its snapshots, and resuming."""

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dinogen import Model
from dinogen.checkpoint import Checkpoint, load_checkpoint, save
from dinogen.data import contains, digest, hold_out, read_corpus
from dinogen.errors import CheckpointError, SettingError
from dinogen.models import Network, NGram, score
from dinogen.training import ClassicRun, DefaultRun, Selection, Settings
from tests.conftest import CORPORA
from tests.training.runs import network_of, parts_of, same

CORPUS = read_corpus([CORPORA / "edda.txt"])
SETTINGS = Settings(seed=5, hidden_size=16, steps=300, patience=1_000, order=0)
STACK = replace(SETTINGS, hidden_size=8, layers=2, steps=100, dropout=0.3)
MIXED = replace(SETTINGS, hidden_size=8, steps=50, order=None)


def train(run: DefaultRun, until: int | None = None) -> Checkpoint:
    """Train to the end, or until a step, and return a snapshot."""
    if until != 0:
        for progress in run.train():
            if progress.step == until:
                break
    return run.checkpoint()


@cache
def trained(settings: Settings) -> Checkpoint:
    """Train to the end, once for each settings."""
    return train(DefaultRun(CORPUS, settings))


def ngram_of(checkpoint: Checkpoint) -> NGram:
    """Return the n-grams of a checkpoint that has some."""
    ngram = checkpoint.mixture.members["ngram"]
    assert isinstance(ngram, NGram)
    return ngram


def best_loss(checkpoint: Checkpoint) -> float:
    """Return the held-out loss of a checkpoint that has one."""
    assert checkpoint.held_out
    return checkpoint.held_out.nats_per_symbol


# The model.


def test_the_held_out_loss_is_that_of_scoring() -> None:
    """The held-out loss is the mean over the held-out symbols of the scores of those names."""
    checkpoint = trained(SETTINGS)
    _, held_out = hold_out(CORPUS, SETTINGS.holdout, SETTINGS.seed)
    assert checkpoint.held_out is not None
    assert checkpoint.held_out.size == len(held_out) == 29
    mean = score(checkpoint.mixture, held_out).sum() / len(held_out.symbols)
    assert best_loss(checkpoint) == pytest.approx(mean, rel=1e-5)


def test_the_best_parameters_are_kept() -> None:
    """After far too many steps, the model has the lowest held-out loss of the history."""
    checkpoint = trained(replace(SETTINGS, steps=800))
    losses = [row.losses["heldout"] for row in checkpoint.history]
    assert best_loss(checkpoint) == min(loss for loss in losses if loss is not None)
    assert losses[-1] is not None
    assert best_loss(checkpoint) < losses[-1]


def test_it_learns_more_than_the_frequencies_of_symbols() -> None:
    """The held-out loss is far below that of the frequencies of the symbols."""
    checkpoint = trained(replace(SETTINGS, hidden_size=32))
    training, held_out = hold_out(CORPUS, SETTINGS.holdout, SETTINGS.seed)
    counts = np.bincount(training.symbols, minlength=len(CORPUS.vocabulary)) + 1
    unigram = -np.log(counts / counts.sum())[held_out.symbols].mean()
    assert checkpoint.held_out is not None
    assert checkpoint.held_out.frequencies == pytest.approx(unigram, rel=1e-6)
    assert best_loss(checkpoint) < unigram - 0.3


def test_a_stack_learns_too() -> None:
    """Two layers have their own arrays, and learn more than the frequencies of symbols."""
    checkpoint = trained(STACK)
    assert network_of(checkpoint).config.layers == 2
    assert "layer2.Waa" in network_of(checkpoint).parameters
    assert checkpoint.held_out
    assert best_loss(checkpoint) < checkpoint.held_out.frequencies


def test_training_stops_when_the_held_out_loss_stops_improving() -> None:
    """With a patience of 3, it stops at the third evaluation after the best one."""
    run = DefaultRun(CORPUS, replace(SETTINGS, steps=5_000, patience=3))
    checkpoint = train(run)
    assert run.finished
    assert run.step < 5_000
    assert not checkpoint.training.interrupted
    losses = [row.losses["heldout"] for row in checkpoint.history]
    best = losses.index(min(loss for loss in losses if loss is not None))
    assert len(losses) - 1 - best == 3


@pytest.mark.parametrize("order", [None, 4])
def test_n_grams_do_not_change_the_network(order: int | None) -> None:
    """With n-grams a network learns the same as alone, and the mixture is better than both."""
    alone = trained(SETTINGS)
    mixed = trained(replace(SETTINGS, order=order))
    np.testing.assert_array_equal(
        network_of(alone).parameters.vector, network_of(mixed).parameters.vector
    )
    assert alone.history == mixed.history
    assert list(alone.mixture.members) == ["network"]
    assert list(mixed.mixture.members) == ["network", "ngram"]
    assert alone.mixture.weights == {"network": 1}
    assert sum(mixed.mixture.weights.values()) == pytest.approx(1, abs=1e-12)
    assert order in (None, ngram_of(mixed).order)
    assert mixed.held_out
    assert mixed.held_out.members["network"] == best_loss(alone)
    assert best_loss(mixed) < min(mixed.held_out.members.values())


def test_without_a_network_nothing_is_trained() -> None:
    """With hidden size 0 a run is finished before its first step, and has n-grams."""
    run = DefaultRun(CORPUS, replace(SETTINGS, hidden_size=0, order=None))
    assert run.trainer is None
    assert run.finished
    assert (run.step, run.steps) == (0, 0)
    assert list(run.train()) == []
    checkpoint = run.checkpoint()
    assert list(checkpoint.mixture.members) == ["ngram"]
    assert checkpoint.mixture.weights == {"ngram": 1}
    assert not checkpoint.training.interrupted
    assert checkpoint.held_out
    assert checkpoint.held_out.members == {"ngram": best_loss(checkpoint)}
    assert run.sample_names(3) == []
    resumed = DefaultRun.resume(CORPUS, checkpoint)
    assert resumed.finished
    assert same(resumed.checkpoint(), checkpoint)


def test_without_held_out_names_there_is_no_held_out_loss() -> None:
    """`holdout` 0 trains on every name. The training loss decides which parameters are best."""
    run = DefaultRun(CORPUS, replace(SETTINGS, holdout=0.0))
    checkpoint = train(run)
    assert checkpoint.held_out is None
    assert run.trainer
    np.testing.assert_array_equal(
        network_of(checkpoint).parameters.vector, run.trainer.network.parameters.vector
    )
    assert [row.losses["heldout"] for row in checkpoint.history] == [None] * 16


def test_training_twice_gives_the_same() -> None:
    """The same corpus and settings give equal arrays; another seed does not."""
    assert same(trained(SETTINGS), train(DefaultRun(CORPUS, SETTINGS)))
    assert not same(trained(SETTINGS), train(DefaultRun(CORPUS, replace(SETTINGS, seed=6))))


def test_a_network_that_is_too_large_is_refused() -> None:
    """The message has the hidden size and both numbers of parameters."""
    with pytest.raises(SettingError, match=r"hidden size 4,096 make .* parameters"):
        DefaultRun(CORPUS, replace(SETTINGS, hidden_size=4_096, layers=2))


@pytest.mark.parametrize("holdout", [0.0, 0.1])
def test_an_exploding_loss_ends_in_a_usable_model(holdout: float) -> None:
    """At an absurd rate, the rate is halved until the network learns."""
    settings = replace(SETTINGS, learning_rate=100.0, holdout=holdout, steps=600)
    run = DefaultRun(CORPUS, settings)
    rates = [progress.lowered_rate for progress in run.train() if progress.lowered_rate]
    assert rates
    assert rates == [100 / 2 ** (i + 1) for i in range(len(rates))]
    checkpoint = run.checkpoint()
    nats = score(checkpoint.mixture, CORPUS.names).sum() / len(CORPUS.names.symbols)
    assert nats < np.log(len(CORPUS.vocabulary))
    losses = [row.losses["train"] for row in checkpoint.history]
    assert all(loss is not None and loss < np.log(28) + 1 for loss in losses)


# Snapshots.


def counted(monkeypatch: pytest.MonkeyPatch, name: str) -> list[tuple[Any, ...]]:
    """Record the calls of a function that selection uses."""
    home = sys.modules[Selection.__module__]
    function = vars(home)[name]
    calls: list[tuple[Any, ...]] = []

    def record(*args: Any) -> Any:
        calls.append(args)
        return function(*args)

    monkeypatch.setattr(home, name, record)
    return calls


def test_a_snapshot_does_not_count_n_grams_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """N-grams are counted twice: on the training names and on all names, before the first step.

    A snapshot scores the held-out names with the network alone.
    """
    counts, scores = (counted(monkeypatch, name) for name in ("count", "likelihoods"))
    run = DefaultRun(CORPUS, MIXED)
    assert not counts
    for progress in run.train():
        assert len(counts) == 2
        if progress.step % 10 == 1:
            before = len(scores)
            checkpoint = run.checkpoint()
            assert [type(model) for model, _ in scores[before:]] == [Network]
            assert ngram_of(checkpoint).order in range(2, 9)
    run.checkpoint()
    assert len(counts) == 2


def test_snapshots_do_not_change_the_result() -> None:
    """A run with snapshots at every tenth step ends like one without."""
    run = DefaultRun(CORPUS, MIXED)
    snapshots = [run.checkpoint() for progress in run.train() if progress.step % 10 == 0]
    parts = [parts_of(snapshot) for snapshot in snapshots]
    assert same(run.checkpoint(), trained(MIXED))
    assert [snapshot.training.steps for snapshot in snapshots] == [10, 20, 30, 40, 50]
    for snapshot, (header, _) in zip(snapshots, parts, strict=True):
        assert parts_of(snapshot)[0] == header
        assert same(snapshot, train(DefaultRun(CORPUS, MIXED), until=snapshot.training.steps))


@pytest.mark.parametrize("settings", [SETTINGS, STACK, MIXED], ids=["network", "stack", "mixture"])
def test_a_run_that_is_killed_before_its_first_evaluation_can_be_sampled(
    settings: Settings, tmp_path: Path
) -> None:
    """A snapshot before the first step has the initial network, and n-grams if there are any."""
    checkpoint = DefaultRun(CORPUS, settings).checkpoint()
    assert checkpoint.training.interrupted
    assert checkpoint.training.steps == 0
    assert not checkpoint.history
    path = tmp_path / "dinogen.npz"
    save(checkpoint, path)
    loaded = load_checkpoint(path)
    assert same(loaded, checkpoint)
    assert len(set(Model(loaded).sample(5, seed=1))) == 5
    assert same(train(DefaultRun.resume(CORPUS, loaded)), trained(settings))


# Samples.


@pytest.mark.parametrize("settings", [SETTINGS, STACK], ids=["one layer", "two layers"])
def test_samples_come_from_the_network_at_this_step(settings: Settings) -> None:
    """They are the same until the next step, and later ones are closer to the training names."""
    run = DefaultRun(CORPUS, settings)
    before = run.sample_names(40)
    assert len(before) == 40
    assert run.sample_names(40) == before
    assert len(run.sample_names(5)) == 5
    longest = CORPUS.stats.longest
    assert all(0 < len(name) <= longest and name == name.strip() for name in before)
    for progress in run.train():
        if progress.step == 50:
            middle = run.sample_names(40)
            assert run.sample_names(40) == middle
    after = run.sample_names(40)
    assert before != middle != after
    assert run.trainer
    other = DefaultRun(CORPUS, replace(settings, seed=6))
    assert other.trainer
    other.trainer.network.parameters.fill(run.trainer.network.parameters)
    assert other.sample_names(40) == after, "the seed of the names is not that of the run"
    names = CORPUS.vocabulary.encode("".join(f"{name.lower()}\n" for name in after))
    assert not contains(CORPUS.known, digest(names)).all()
    assert all(name[0].isupper() for name in after)


# Resuming.


@pytest.mark.parametrize("stop", [0, 1, 100, 137, 299])
@pytest.mark.parametrize("holdout", [0.0, 0.1])
def test_stopped_and_resumed_equals_never_stopped(stop: int, holdout: float) -> None:
    """A run that is stopped anywhere, also between two evaluations, ends in the same arrays."""
    settings = replace(SETTINGS, holdout=holdout)
    stopped = train(DefaultRun(CORPUS, settings), until=stop)
    assert stopped.training.interrupted
    assert same(train(DefaultRun.resume(CORPUS, stopped)), trained(settings))


@pytest.mark.parametrize("stop", [1, 37, 99])
@pytest.mark.parametrize("settings", [STACK, replace(STACK, order=None)], ids=["stack", "mixture"])
def test_a_stopped_stack_equals_one_that_never_stopped(settings: Settings, stop: int) -> None:
    """The same holds for two layers with dropout, through a file, and with n-grams."""
    stopped = train(DefaultRun(CORPUS, settings), until=stop)
    names = {name for name in stopped.resume.arrays if name.startswith("velocity.layer2.")}
    assert names == {"velocity.layer2.Wax", "velocity.layer2.Waa", "velocity.layer2.ba"}
    assert same(train(DefaultRun.resume(CORPUS, stopped)), trained(settings))


def test_a_finished_run_can_be_given_more_steps() -> None:
    """With more steps a finished run continues from its best parameters."""
    done = trained(SETTINGS)
    assert not done.resume.arrays
    assert same(train(DefaultRun.resume(CORPUS, done)), done)
    further = DefaultRun.resume(CORPUS, done, steps=350)
    assert further.trainer
    np.testing.assert_array_equal(
        further.trainer.network.parameters.vector, network_of(done).parameters.vector
    )
    more = train(further)
    assert more.training.steps == 350
    assert list(more.history[: len(done.history)]) == list(done.history)
    assert DefaultRun.resume(CORPUS, done, epochs=50).steps == 50 * 9


def test_a_run_that_ran_out_of_patience_stays_finished() -> None:
    """Resumed with the same settings it has nothing left to do; with more patience it has."""
    done = trained(replace(SETTINGS, steps=5_000, patience=3))
    assert DefaultRun.resume(CORPUS, done).finished
    assert not DefaultRun.resume(CORPUS, done, patience=50).finished


def test_more_steps_renew_the_patience() -> None:
    """A run that ran out of patience continues if it is given more steps."""
    done = trained(replace(SETTINGS, steps=5_000, patience=3))
    further = DefaultRun.resume(CORPUS, done, steps=6_000)
    assert not further.finished
    assert train(further).training.steps > done.training.steps


def test_fewer_steps_than_are_done_are_refused() -> None:
    """A plan of 1 epoch, 9 steps, is refused after 40 steps."""
    stopped = train(DefaultRun(CORPUS, SETTINGS), until=40)
    with pytest.raises(SettingError, match="40 steps are done, more than 9 in total"):
        DefaultRun.resume(CORPUS, stopped, epochs=1)
    assert DefaultRun.resume(CORPUS, stopped, steps=40).finished


def test_another_corpus_or_recipe_is_refused(tmp_path: Path) -> None:
    """Training cannot resume on another list, or from a checkpoint of the classic recipe."""
    stopped = train(DefaultRun(CORPUS, SETTINGS), until=10)
    path = tmp_path / "other.txt"
    path.write_text("Anna\nBerta\nCarla\n")
    with pytest.raises(CheckpointError, match="another list"):
        DefaultRun.resume(read_corpus([path]), stopped)
    classic = ClassicRun(read_corpus([CORPORA / "edda.txt"], keep_duplicates=True), steps=2)
    with pytest.raises(CheckpointError, match="--recipe classic"):
        DefaultRun.resume(CORPUS, classic.checkpoint())


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("hidden_size", 17, CheckpointError),
        ("hidden_size", 0, CheckpointError),
        ("layers", 2, CheckpointError),
        ("cell", "transformer", CheckpointError),
        ("patience", -1, CheckpointError),
    ],
)
def test_settings_that_do_not_fit_the_network_are_refused(
    name: str, value: str | int, error: type[Exception]
) -> None:
    """A checkpoint with changed settings is not trained on."""
    stopped = train(DefaultRun(CORPUS, replace(SETTINGS, order=3)), until=10)
    settings = {**stopped.training.settings, name: value}
    training = stopped.training._replace(settings=settings)
    with pytest.raises(error):
        DefaultRun.resume(CORPUS, replace(stopped, training=training))
