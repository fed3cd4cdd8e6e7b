"""Weights: training on names that weigh differently, compared with plain loops."""

from dataclasses import replace
from math import log
from pathlib import Path

import numpy as np
import pytest

from dinogen.checkpoint import Checkpoint, load_checkpoint, save
from dinogen.data import Corpus, Names, hold_out, read_corpus, spell
from dinogen.errors import CheckpointError
from dinogen.models import (
    NGram,
    count,
    fit_weights,
    likelihoods,
    mean_nats,
    score,
    whole_counts,
)
from dinogen.training import DefaultRun, Settings
from tests.conftest import CORPORA
from tests.training.runs import network_of, same
from tests.training.test_default import best_loss, ngram_of

SETTINGS = Settings(seed=5, hidden_size=16, steps=120, holdout=0.2)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """The names of the Edda. Each weighs 3 times as much as the one 50 lines below it."""
    names = (CORPORA / "edda.txt").read_text("utf-8").split()
    rows = "".join(f"{name},{3 ** (-i / 50)}\n" for i, name in enumerate(names))
    path = tmp_path_factory.mktemp("lists") / "edda.csv"
    path.write_text("name,weight\n" + rows, encoding="utf-8")
    return read_corpus([path], column="name", weights="weight")


def finish(run: DefaultRun, until: int | None = None) -> Checkpoint:
    """Train to the end, or until a step."""
    for progress in run.train():
        if progress.step == until:
            break
    return run.checkpoint()


def slow_loss(nats: list[float], names: Names) -> float:
    """Return the weighted mean of the nats of names, in nats per symbol, by a plain loop."""
    assert names.weights is not None
    total = symbols = 0.0
    for each, weight, length in zip(
        nats, names.weights.tolist(), names.lengths.tolist(), strict=True
    ):
        total += weight * each
        symbols += weight * length
    return total / symbols


def test_held_out_names_carry_their_weights(corpus: Corpus) -> None:
    """The split is that of the list; both parts have the weights of their names."""
    training, held_out = hold_out(corpus, 0.2, seed=1)
    assert corpus.names.weights is not None
    every = dict(
        zip(
            spell(corpus.names, corpus.vocabulary, corpus.case).split("\n"),
            corpus.names.weights.tolist(),
            strict=False,
        )
    )
    for part in (training, held_out):
        names = spell(part, corpus.vocabulary, corpus.case).split("\n")[:-1]
        assert part.weights is not None
        assert part.weights.tolist() == [every[name] for name in names]


def test_all_losses_are_weighted_means(corpus: Corpus) -> None:
    """The losses of the mixture, of its members and of the frequencies agree with plain loops."""
    checkpoint = finish(DefaultRun(corpus, SETTINGS))
    training, held_out = hold_out(corpus, SETTINGS.holdout, SETTINGS.seed)
    assert checkpoint.held_out is not None
    network, V = network_of(checkpoint), len(corpus.vocabulary)
    loss = slow_loss(score(network, held_out).tolist(), held_out)
    assert checkpoint.held_out.members["network"] == pytest.approx(loss, rel=1e-6)
    assert min(row.losses["heldout"] or 9 for row in checkpoint.history) == pytest.approx(loss)

    order = ngram_of(checkpoint).order
    ngram = NGram.from_counts(count(training, V, order, whole_counts(training.weights)), V)
    loss = slow_loss(score(ngram, held_out).tolist(), held_out)
    assert checkpoint.held_out.members["ngram"] == pytest.approx(loss, rel=1e-6)

    share = checkpoint.mixture.weights["network"]
    pairs = zip(likelihoods(network, held_out), likelihoods(ngram, held_out), strict=True)
    nats = [-log(share * p + (1 - share) * q) for p, q in pairs]
    names = np.add.reduceat(nats, held_out.starts[:-1]).tolist()
    assert best_loss(checkpoint) == pytest.approx(slow_loss(names, held_out), rel=1e-6)
    # Without weights it would be another one.
    assert abs(best_loss(checkpoint) - sum(names) / len(nats)) > 1e-3


def test_mixture_weights_are_those_of_repeated_symbols() -> None:
    """A symbol that counts three times has the effect of three symbols, in any unit."""
    random = np.random.default_rng(1)
    members = [random.uniform(0.01, 1, 60), random.uniform(0.01, 1, 60) ** 2]
    times = random.integers(1, 5, 60)
    counts = times.astype(np.float64)
    repeated = [np.repeat(p, times) for p in members]
    # With many symbols, the prior, which counts in symbols, hardly matters.
    expected = fit_weights([np.tile(p, 200) for p in repeated])
    counted = fit_weights([np.tile(p, 200) for p in members], 7.0 * np.tile(counts, 200))
    assert counted == pytest.approx(expected, abs=3e-3)
    assert counted != pytest.approx(fit_weights([np.tile(p, 200) for p in members]), abs=3e-3)
    assert mean_nats(members[0], 2.0 * counts) == pytest.approx(mean_nats(repeated[0]))


def test_the_n_grams_count_weights(corpus: Corpus) -> None:
    """The n-grams of a checkpoint are counted on all names, by their weights."""
    checkpoint = finish(DefaultRun(corpus, replace(SETTINGS, hidden_size=0)))
    V, ngram = len(corpus.vocabulary), ngram_of(checkpoint)
    levels = count(corpus.names, V, ngram.order, whole_counts(corpus.names.weights))
    expected = NGram.from_counts(levels, V)
    for array, other in zip(ngram.tree, expected.tree, strict=True):
        np.testing.assert_array_equal(array, other)


def test_heavy_names_are_learned_better(corpus: Corpus) -> None:
    """Of the training names, the heavy ones become likelier than without weights."""
    plain = read_corpus([CORPORA / "edda.txt"])
    settings = replace(SETTINGS, steps=400, holdout=0.0, order=0)
    gain = score(network_of(finish(DefaultRun(plain, settings))), plain.names) - score(
        network_of(finish(DefaultRun(corpus, settings))), corpus.names
    )
    assert gain[:50].mean() > 1
    assert gain[-50:].mean() < 0


def test_equal_weights_give_the_same_checkpoint(tmp_path: Path) -> None:
    """A table in which all weigh the same is the list, array for array."""
    names = (CORPORA / "edda.txt").read_text("utf-8").split()
    path = tmp_path / "edda.csv"
    path.write_text("name,n\n" + "".join(f"{name},7\n" for name in names), encoding="utf-8")
    equal = read_corpus([path], column="name", weights="n")
    plain = read_corpus([CORPORA / "edda.txt"])
    assert same(finish(DefaultRun(equal, SETTINGS)), finish(DefaultRun(plain, SETTINGS)))


@pytest.mark.parametrize("holdout", [0.0, 0.2])
def test_stopped_and_resumed_equals_never_stopped(
    holdout: float, corpus: Corpus, tmp_path: Path
) -> None:
    """Weighted batches are the same after a stop, also by way of a file."""
    settings = replace(SETTINGS, holdout=holdout)
    save(finish(DefaultRun(corpus, settings), until=37), tmp_path / "stopped.npz")
    stopped = load_checkpoint(tmp_path / "stopped.npz")
    assert stopped.names.weight == pytest.approx(sum(3 ** (-i / 50) for i in range(296)))
    resumed = finish(DefaultRun.resume(corpus, stopped))
    assert same(resumed, finish(DefaultRun(corpus, settings)))


def test_other_weights_cannot_resume(corpus: Corpus) -> None:
    """A run resumes with the same names and the same weights."""
    stopped = finish(DefaultRun(corpus, SETTINGS), until=20)
    with pytest.raises(
        CheckpointError, match="another list or text, or with other reading options"
    ):
        DefaultRun.resume(read_corpus([CORPORA / "edda.txt"]), stopped)
