"""Checkpoints of a network, of n-grams, and of both: saved, loaded, and distrusted."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dinogen.checkpoint.contents import Checkpoint
from dinogen.checkpoint.reading import load
from dinogen.checkpoint.writing import save
from dinogen.errors import CheckpointError
from dinogen.generation.scoring import score
from dinogen.models import ngram
from dinogen.text.corpus import Corpus, read_corpus
from dinogen.training.loop import DefaultRun
from dinogen.training.settings import Settings
from tests.checkpoint.crafting import (
    Members,
    array,
    changed,
    meta,
    npy,
    put_together,
    refusal,
    same,
    take_apart,
    with_meta,
)
from tests.conftest import CORPORA


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """The names of the Edda."""
    return read_corpus([CORPORA / "edda.txt"])


def trained(corpus: Corpus, hidden_size: int, order: int | None) -> Checkpoint:
    """A finished run of a few steps."""
    settings = Settings(seed=5, hidden_size=hidden_size, steps=20, order=order)
    run = DefaultRun(corpus, settings)
    for _ in run.train():
        pass
    return run.checkpoint()


@pytest.mark.parametrize(("hidden_size", "order"), [(8, 0), (0, None), (0, 1), (8, None), (8, 3)])
def test_all_parts_come_back(
    corpus: Corpus, tmp_path: Path, hidden_size: int, order: int | None
) -> None:
    """Whatever a model is made of, it loads as it was, and finds names as likely as before."""
    checkpoint = trained(corpus, hidden_size, order)
    assert bool(checkpoint.network) == bool(hidden_size)
    assert bool(checkpoint.ngram) == (order != 0)
    save(checkpoint, tmp_path / "model.npz")
    loaded = load(tmp_path / "model.npz")
    assert same(checkpoint, loaded)
    np.testing.assert_array_equal(
        score(loaded.model, corpus.names), score(checkpoint.model, corpus.names)
    )


def test_a_finished_run_is_small(corpus: Corpus, tmp_path: Path) -> None:
    """Done, a checkpoint holds each weight once: nothing that only a stopped run needs."""
    checkpoint = trained(corpus, 64, order=0)
    save(checkpoint, tmp_path / "model.npz")
    assert checkpoint.network
    weights = checkpoint.network.parameters.vector.nbytes
    assert weights < (tmp_path / "model.npz").stat().st_size < weights + 8 * 296 + 6_000


def test_neither_network_nor_n_grams(corpus: Corpus, tmp_path: Path) -> None:
    """A file that holds no model at all is refused."""
    save(trained(corpus, 0, 3), tmp_path / "model.npz")
    members = take_apart(tmp_path / "model.npz")
    other = with_meta(members, meta(members) | {"ngram": None})
    assert "holds no model" in refusal(put_together(tmp_path / "other.npz", other))


@pytest.fixture(scope="module")
def members(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Members:
    """The files in a checkpoint of n-grams alone."""
    path = tmp_path_factory.mktemp("ngrams") / "model.npz"
    save(trained(corpus, 0, 4), path)
    return take_apart(path)


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("children", lambda a: np.r_[a[0] + 1, a[1:]], "no tree"),
        ("children", lambda a: np.zeros_like(a), "no tree"),
        ("children", lambda a: np.roll(a, 1), "no tree"),
        ("children", lambda a: np.sort(a), "no tree"),
        ("symbols", lambda a: np.r_[a[:-1], np.uint8(200)], "no tree"),
        ("symbols", lambda a: a[::-1].copy(), "no tree"),
        ("counts", lambda a: np.r_[a[:-1], np.uint32(0)], "no tree"),
        ("counts", lambda a: a.astype(np.int64), "not uint32"),
        ("symbols", lambda a: a[:-1], "is not uint8"),
        ("discounts", lambda a: a * 0, "out of bounds"),
        ("discounts", lambda a: a + 3, "out of bounds"),
        ("discounts", lambda a: a[:-1], "is not float64"),
    ],
)
def test_n_grams_that_are_none(
    members: Members,
    tmp_path: Path,
    name: str,
    change: Callable[[np.ndarray], np.ndarray],
    problem: str,
) -> None:
    """An array that is no part of a tree of counts is refused, and told what is wrong with it."""
    member = f"ngram.{name}.npy"
    other = members | {member: npy(change(array(members[member])))}
    assert problem in refusal(put_together(tmp_path / "model.npz", other))


@pytest.mark.parametrize(
    ("field", "value"),
    [("order", 3), ("order", 0), ("order", 10**9), ("contexts", 5), ("grams", 7)],
)
def test_n_grams_other_than_described(
    members: Members, tmp_path: Path, field: str, value: int
) -> None:
    """What the description says of the n-grams must be what there is."""
    other = with_meta(members, changed(meta(members), ("ngram", field), value))
    assert "damaged" in refusal(put_together(tmp_path / "model.npz", other))


def test_tables_too_large_to_unfold(
    members: Members, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small file cannot stand for tables larger than any that are ever made."""
    path = put_together(tmp_path / "model.npz", members)
    monkeypatch.setattr("dinogen.checkpoint.reading.LARGEST_TABLE", 1_000)
    with pytest.raises(CheckpointError, match="too many"):
        load(path)
    assert ngram.LARGEST_TABLE > 1_000


@pytest.mark.parametrize("weight", [-0.1, 1.1, None, "1"])
def test_a_weight_that_is_none(members: Members, tmp_path: Path, weight: object) -> None:
    """The weight of the network in the mixture is a number from 0 to 1."""
    other = with_meta(members, changed(meta(members), ("weights", "network"), weight))
    assert "network is" in refusal(put_together(tmp_path / "model.npz", other))
