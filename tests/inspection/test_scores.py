"""Scores of given names, and which of two models a name comes from."""

import math
from pathlib import Path

import numpy as np
import pytest

from dinogen.checkpoint import Checkpoint, load_checkpoint
from dinogen.cli import BUNDLED
from dinogen.data import END, read_corpus
from dinogen.inspection import probability_of_first, score_names
from dinogen.models import CELLS, next_probabilities, score
from dinogen.training import DefaultRun, Settings

NAMES = ["Tyrannosaurus", "REX", "Ünica", "a", "Qqq", "x y"]


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    """The bundled dinosaurs."""
    return load_checkpoint(BUNDLED)


@pytest.mark.parametrize("cell", CELLS)
def test_totals_are_those_of_single_steps(cell: str, tmp_path: Path) -> None:
    """Symbol by symbol, a stack of any cell gives a name the same probability."""
    (tmp_path / "list.txt").write_text("Anna\nBerta\nCora\n")
    corpus = read_corpus([tmp_path / "list.txt"])
    settings = Settings(1, hidden_size=4, steps=5, cell=cell, layers=2, holdout=0.0)
    run = DefaultRun(corpus, settings)
    list(run.train())
    checkpoint = run.checkpoint()
    names = ["Bert", "Corannat", "a"]
    for name, total in zip(names, score_names(checkpoint, names).totals, strict=True):
        nats, written = 0.0, list[int]()
        for symbol in [*checkpoint.vocabulary.indices_of(name.lower()), END]:
            nats -= math.log(next_probabilities(checkpoint.mixture, written)[symbol])
            written.append(symbol)
        assert total == pytest.approx(nats, rel=1e-5)


def test_totals_agree_with_score(checkpoint: Checkpoint) -> None:
    """The totals are those of `score`, in any case of the names; infinite for unknown symbols."""
    scores = score_names(checkpoint, NAMES)
    wanted = score(checkpoint.mixture, checkpoint.vocabulary.encode("tyrannosaurus\nrex\na\nqqq\n"))
    np.testing.assert_allclose([scores.totals[i] for i in (0, 1, 3, 4)], wanted, rtol=1e-6)
    assert [scores.totals[i] for i in (2, 5)] == [math.inf] * 2
    assert scores.folded == ["tyrannosaurus", "rex", "Ünica", "a", "qqq", "x y"]
    assert scores.known == [True, *[False] * 5]


def test_names_are_written_like_the_training_names(tmp_path: Path) -> None:
    """Apostrophes, spaces and capitals of the given names do not matter."""
    (tmp_path / "list.txt").write_text("Anne-Lou O’Hara\nCora\nBo\n", encoding="utf-8")
    corpus = read_corpus([tmp_path / "list.txt"])
    run = DefaultRun(corpus, Settings.for_corpus(corpus.stats, seed=1, steps=2, hidden_size=4))
    for _ in run.train():
        pass
    names = ["Anne-Lou O’Hara", "ANNE-LOU\u00a0O'HARA", "anne-lou\u202fo’hara"]
    scores = score_names(run.checkpoint(), names)
    assert scores.names == names
    assert [*scores.folded] == ["anne-lou o’hara"] * 3
    assert scores.known == [True] * 3
    assert len(set(scores.totals)) == 1


def test_each_name(checkpoint: Checkpoint) -> None:
    """The nats of the symbols add up to the total, and the first unknown symbol is named."""
    scores = score_names(checkpoint, NAMES)
    assert len(scores) == len(NAMES)
    for i, name in enumerate(NAMES):
        assert scores.length(i) == len(name) + 1
        assert scores.per_symbol(i) == pytest.approx(scores.totals[i] / scores.length(i))
        if scores.totals[i] == math.inf:
            assert scores.symbol_nats(i) == []
            assert scores.unknown_symbol(i) in ("Ü", " ")
        else:
            assert len(scores.symbol_nats(i)) == scores.length(i)
            assert sum(scores.symbol_nats(i)) == pytest.approx(scores.totals[i])
            assert scores.unknown_symbol(i) is None


def test_nothing_to_score(checkpoint: Checkpoint) -> None:
    """An empty list, and a list in which every name has an unknown symbol, can be scored."""
    assert len(score_names(checkpoint, [])) == 0
    scores = score_names(checkpoint, ["ß"])
    assert (scores.totals, scores.symbol_nats(0), scores.unknown_symbol(0)) == ([math.inf], [], "ß")


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [
        (3.0, 3.0, 0.5),
        (np.log(4), np.log(12), 0.75),  # probabilities 1/4 and 1/12
        (5.0, np.inf, 1.0),
        (np.inf, 5.0, 0.0),
        (2_000.0, 1.0, 0.0),
    ],
)
def test_probability_is_that_of_bayes(first: float, second: float, p: float) -> None:
    """With equal priors it is p / (p + q), also if one model cannot write the name."""
    assert probability_of_first(np.array([first]), np.array([second]))[0] == pytest.approx(p)


def test_probability_of_a_name_that_neither_model_can_write() -> None:
    """If both models give the name probability 0, the result is NaN."""
    assert np.isnan(probability_of_first(np.array([np.inf]), np.array([np.inf]))[0])
