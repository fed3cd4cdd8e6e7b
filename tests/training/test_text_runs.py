"""The default recipe on running text: its model, its snapshots, and resuming."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from dinogen import Model
from dinogen.checkpoint import Checkpoint
from dinogen.data import Corpus, TextCorpus, hold_out_text, read_corpus, read_texts
from dinogen.errors import CheckpointError, SettingError
from dinogen.models import Network, NGram, count, likelihoods, mean_nats
from dinogen.training import DefaultRun, Settings
from tests.conftest import CORPORA
from tests.training.runs import network_of, parts_of, same, through_a_file, train

TEXT = (CORPORA / "edda.txt").read_text("utf-8")[:1_100]
with TemporaryDirectory() as folder:
    Path(folder, "text.txt").write_text(TEXT, "utf-8")
    CORPUS = read_texts([Path(folder, "text.txt")])
SETTINGS = Settings(
    seed=5, hidden_size=8, steps=30, batch_size=5, window=15, learning_rate=0.5, order=0
)
STACK = replace(
    SETTINGS, hidden_size=6, cell="lstm", layers=2, dropout=0.25, order=3, learning_rate=2.0
)
ALL = replace(SETTINGS, holdout=0.0, dropout=0.25, order=3)
PER_EPOCH = len(hold_out_text(CORPUS, 0.1)[0].symbols) // 5 // 15
PER_EPOCH_OF_ALL = len(CORPUS.texts.symbols) // 5 // 15


@cache
def trained(settings: Settings) -> Checkpoint:
    """Train to the end, once for each settings."""
    return train(DefaultRun(CORPUS, settings))


def corpus_of(folder: Path, *texts: str, **options: Any) -> TextCorpus:
    """Read texts that are written to files."""
    paths = [folder / f"{number}.txt" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, "utf-8")
    return read_texts(paths, **options)


# The model.


def test_the_held_out_loss_is_that_of_the_end_of_each_text() -> None:
    """It is the mean over the last tenth, by network, n-grams and mixture."""
    checkpoint = trained(STACK)
    training, held_out = hold_out_text(CORPUS, 0.1)
    loss = checkpoint.held_out
    assert loss is not None
    assert loss.size == len(held_out.symbols)
    V = len(CORPUS.vocabulary)
    network = network_of(checkpoint)
    counted = NGram.from_counts(count(training, V, 3), V)
    p = {
        "network": likelihoods(network, held_out),
        "ngram": likelihoods(counted, held_out),
    }
    weights = checkpoint.mixture.weights
    mixed = sum(weights[name] * p[name] for name in p)
    assert loss.nats_per_symbol == pytest.approx(mean_nats(np.asarray(mixed)), rel=1e-5)
    for name, own in p.items():
        assert loss.members[name] == pytest.approx(mean_nats(own), rel=1e-5)
    counts = np.bincount(training.symbols, minlength=V) + 1
    frequencies = -np.log(counts / counts.sum())[held_out.symbols].mean()
    assert loss.frequencies == pytest.approx(frequencies, rel=1e-6)
    assert loss.nats_per_symbol < frequencies


def test_n_grams_are_counted_on_the_whole_text() -> None:
    """Those of the model know the held-out end, too."""
    ngram = trained(STACK).mixture.members["ngram"]
    V = len(CORPUS.vocabulary)
    expected = NGram.from_counts(count(CORPUS.texts, V, 3), V)
    assert isinstance(ngram, NGram)
    for array, other in zip(ngram.tree, expected.tree, strict=True):
        np.testing.assert_array_equal(array, other)


def test_without_a_held_out_part_there_is_no_held_out_loss() -> None:
    """The network learns the whole text, validates with half of it, and does not stop early."""
    checkpoint = trained(replace(ALL, patience=1))
    assert checkpoint.held_out is None
    assert checkpoint.training.steps == ALL.steps
    assert {row.losses["heldout"] for row in checkpoint.history} == {None}
    run = DefaultRun(CORPUS, ALL)
    assert run.trainer
    losses = [progress.row for progress in run.train() if progress.row]
    assert losses
    _, end = CORPUS.texts.split(0.5, 10**9)
    best = mean_nats(likelihoods(run.trainer.best_network, end))
    assert run.trainer.best_loss == pytest.approx(best, rel=1e-6)


def test_a_text_model_has_no_names() -> None:
    """It has no known names and no pairs, keeps case, and writes text."""
    checkpoint = trained(SETTINGS)
    assert checkpoint.corpus == CORPUS.stats
    assert len(checkpoint.known) == len(checkpoint.pairs) == 0
    assert not checkpoint.case.folds
    assert Model(checkpoint).writes_text
    with pytest.raises(CheckpointError, match="running text, and not names"):
        _ = checkpoint.names
    (text,) = Model(checkpoint).sample(1, seed=1, length=300)
    assert {*text} <= {*CORPUS.vocabulary.symbols, "\n"}


def test_a_preview_is_a_line() -> None:
    """It is the beginning of a text of the network at the current step, always the same."""
    run = DefaultRun(CORPUS, SETTINGS)
    first = run.preview()
    assert first == run.preview()
    assert "\n" not in first
    assert len(first.replace(" / ", "\n")) == 60
    train(run)
    assert run.preview() != first
    assert run.sample_names(3) == []
    assert DefaultRun(CORPUS, replace(SETTINGS, hidden_size=0, order=2)).preview() == ""


def test_the_same_text_settings_and_seed_give_the_same_checkpoint(tmp_path: Path) -> None:
    """Array for array, wherever the text comes from; another seed gives another network."""
    again = corpus_of(tmp_path, TEXT.replace("\n", "\r\n"))
    assert same(train(DefaultRun(again, STACK)), trained(STACK))
    one, other = (DefaultRun(CORPUS, replace(SETTINGS, seed=seed)) for seed in (5, 6))
    vectors = [network_of(run.checkpoint()).parameters.vector for run in (one, other)]
    assert (vectors[0] != vectors[1]).any()


def test_snapshots_and_previews_change_nothing() -> None:
    """A run of which both are taken along the way ends as one that is left alone."""
    run = DefaultRun(CORPUS, SETTINGS)
    for progress in run.train():
        if progress.step % 7 == 0:
            assert run.checkpoint().training.steps == progress.step
            assert run.preview()
    assert same(run.checkpoint(), trained(SETTINGS))


def test_running_text_has_no_origin() -> None:
    """It is learned from scratch, whatever the base could do for names."""
    with pytest.raises(SettingError, match="learned from scratch; leave --from out"):
        DefaultRun.start(CORPUS, seed=1, origin="base", steps=1)
    for start in ("tuned", "taught"):
        with pytest.raises(SettingError, match=f"start {start} does not fit the origin none"):
            DefaultRun(CORPUS, replace(SETTINGS, start=start))
    run = DefaultRun.start(CORPUS, seed=1, origin="none", steps=1)
    assert run.origin is None
    assert run.settings == Settings.for_corpus(CORPUS.stats, seed=1, steps=1)


# Resuming.


@pytest.mark.parametrize(
    ("settings", "stop"),
    [
        *((SETTINGS, stop) for stop in (1, PER_EPOCH - 1, PER_EPOCH, PER_EPOCH + 7)),
        *((STACK, stop) for stop in (PER_EPOCH, PER_EPOCH + 7)),
        *((ALL, stop) for stop in (PER_EPOCH_OF_ALL, PER_EPOCH + 7)),
    ],
)
def test_stopped_and_resumed_equals_never_stopped(
    settings: Settings, stop: int, tmp_path: Path
) -> None:
    """Through a file, within an epoch and at its border, with and without a held-out part."""
    stopped = train(DefaultRun(CORPUS, settings), (None, stop))
    assert stopped.training.interrupted
    loaded = through_a_file(stopped, tmp_path)
    assert same(loaded, stopped)
    run = DefaultRun.resume(CORPUS, loaded)
    assert run.step == stop
    assert same(run.checkpoint(), stopped)
    assert same(train(run), trained(settings))


def test_stopped_twice_in_several_texts_of_words(tmp_path: Path) -> None:
    """Several files, one of them shorter than a window, and a blank one; symbols are words."""
    lines = (CORPORA / "sonnets.txt").read_text("utf-8").splitlines(keepends=True)
    texts = ("".join(lines[:60]), "one\n", " \n", "".join(lines[60:150]).rstrip("\n"))
    corpus = corpus_of(tmp_path, *texts, unit="word")
    assert corpus.stats.texts == 3
    settings = replace(STACK, layers=1, batch_size=7, window=9, steps=24, order=None)
    whole = train(DefaultRun(corpus, settings))
    part = train(DefaultRun(corpus, settings), (None, 7))
    part = train(DefaultRun.resume(corpus, through_a_file(part, tmp_path)), (None, 19))
    assert same(train(DefaultRun.resume(corpus, through_a_file(part, tmp_path))), whole)


def test_n_grams_alone_resume_as_they_are(tmp_path: Path) -> None:
    """Without a network there is nothing left to do, in characters and in words."""
    settings = replace(SETTINGS, hidden_size=0, order=None)
    for unit in ("character", "word"):
        corpus = corpus_of(tmp_path, TEXT, unit=unit)
        checkpoint = train(DefaultRun(corpus, settings))
        assert [*checkpoint.mixture.members] == ["ngram"]
        assert checkpoint.held_out
        run = DefaultRun.resume(corpus, through_a_file(checkpoint, tmp_path))
        assert run.finished
        assert same(train(run), checkpoint)


def test_a_finished_run_can_be_given_more_steps(tmp_path: Path) -> None:
    """It goes on from its best parameters, in the middle of an epoch, with blank states."""
    loaded = through_a_file(trained(SETTINGS), tmp_path)
    assert not loaded.resume.arrays
    assert SETTINGS.steps % PER_EPOCH
    run = DefaultRun.resume(CORPUS, loaded, steps=SETTINGS.steps + 20)
    more = train(run)
    assert more.training.steps == SETTINGS.steps + 20
    assert [*more.history][: len(loaded.history)] == [*loaded.history]
    assert same(more, train(DefaultRun.resume(CORPUS, loaded, steps=SETTINGS.steps + 20)))


def test_only_the_same_text_can_resume(tmp_path: Path) -> None:
    """Another text is refused, and so are its words, and its lines as names."""
    stopped = train(DefaultRun(CORPUS, SETTINGS), (None, 3))
    half = TEXT.index("\n", len(TEXT) // 2) + 1
    others: list[Corpus | TextCorpus] = [
        corpus_of(tmp_path, TEXT.replace("a", "o", 1)),
        corpus_of(tmp_path, TEXT[half:] + TEXT[:half]),
        corpus_of(tmp_path, TEXT[:half], TEXT[half:]),
        corpus_of(tmp_path, TEXT, unit="word"),
        read_corpus([CORPORA / "edda.txt"]),
        read_corpus([CORPORA / "edda.txt"], fold_case=False),
    ]
    for other in others:
        with pytest.raises(CheckpointError, match="another list or text"):
            DefaultRun.resume(other, stopped)
    names = DefaultRun(read_corpus([CORPORA / "edda.txt"]), Settings(1, 4, 10)).checkpoint()
    with pytest.raises(CheckpointError, match=r"\(296 names then, 1,\d+ symbols now\)"):
        DefaultRun.resume(CORPUS, names)


def test_the_window_is_that_of_the_checkpoint() -> None:
    """A run that is resumed has the settings with which it began."""
    stopped = train(DefaultRun(CORPUS, SETTINGS), (None, 3))
    assert stopped.training.settings["window"] == 15
    run = DefaultRun.resume(CORPUS, stopped)
    assert run.settings == SETTINGS
    header, _ = parts_of(stopped)
    assert header["resume"]["arrays"]["layer1.state0"]["shape"] == [5, 8]


def test_damaged_settings_are_refused() -> None:
    """A window that is out of bounds, or another number of streams than there are states."""
    stopped = train(DefaultRun(CORPUS, SETTINGS), (None, 3))
    for name, value in (("window", 0), ("window", "30"), ("window", 1.5), ("batch_size", 6)):
        settings = {**stopped.training.settings, name: value}
        damaged = replace(stopped, training=stopped.training._replace(settings=settings))
        with pytest.raises(CheckpointError, match="train anew"):
            DefaultRun.resume(CORPUS, damaged)


def test_halves_resume_too(tmp_path: Path) -> None:
    """A network that is computed in two halves carries the states of both."""
    text = (CORPORA / "sonnets.txt").read_text("utf-8")[:1_500]
    corpus = corpus_of(tmp_path, text)
    settings = Settings(
        seed=1, hidden_size=256, steps=3, cell="lstm", batch_size=40, window=5, order=0, dropout=0.1
    )
    whole = train(DefaultRun(corpus, settings))
    stopped = train(DefaultRun(corpus, settings), (None, 2))
    assert isinstance(stopped.mixture.members["network"], Network)
    assert same(train(DefaultRun.resume(corpus, stopped)), whole)
