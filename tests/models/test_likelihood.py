"""Likelihoods of symbols, against models asked one symbol of one name at a time."""

import numpy as np
import pytest

from dinogen.models import language_model
from dinogen.models.grams import count
from dinogen.models.language_model import (
    FEWEST_NAMES,
    MOST_NAMES,
    LanguageModel,
    names_at_a_time,
)
from dinogen.models.likelihood import likelihoods
from dinogen.models.mixture import Mixture
from dinogen.models.ngram import NGram
from tests.networks import names_of, random_network

NAMES = [[1, 2, 3], [4], [2, 2, 2, 2, 1, 3], [3, 1], [4], [1] * 30, []]
KINDS = ["network", "n-grams", "mixture"]


def model_of(kind: str, symbols: int) -> LanguageModel:
    """A network, n-grams, or both."""
    network = random_network(symbols, 6, seed=4)
    learned = names_of([1, 2, 1], [2, 2, 1, 1], [1], [2, 1, 2], [1, 1])
    ngram = NGram.of(count(learned, symbols, 3), symbols)
    models: dict[str, LanguageModel] = {
        "network": network,
        "n-grams": ngram,
        "mixture": Mixture(network, ngram, 0.6),
    }
    return models[kind]


def one_by_one(model: LanguageModel, name: list[int]) -> list[float]:
    """Ask for each symbol of one name."""
    state = model.start(1)
    found = []
    for symbol, target in zip([0, *name], [*name, 0], strict=True):
        state, p = model.advance(state, np.array([symbol]))
        found.append(float(p[0, target]))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_likelihoods_are_those_of_one_symbol_at_a_time(kind: str) -> None:
    """Each symbol, ends included, is as likely as when its name alone is read; in their order."""
    model = model_of(kind, 5)
    expected = [p for name in NAMES for p in one_by_one(model, name)]  # (S,)
    found = likelihoods(model, names_of(*NAMES))  # (S,)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_can_be_written_has_probability_one(kind: str) -> None:
    """Over two letters, all names of at most 7 symbols, and all that go on after 8, add up to 1."""
    model = model_of(kind, 3)
    names = [
        [1 + (code >> place) % 2 for place in range(length)]
        for length in range(9)
        for code in range(2**length)
    ]
    p = likelihoods(model, names_of(*names))  # (S,)
    total, end = 0.0, 0
    for name in names:
        start, end = end, end + len(name) + 1
        # Names of eight symbols stand for all that begins so: whether they end is left open.
        total += p[start : end if len(name) < 8 else end - 1].prod()
    assert total == pytest.approx(1, abs=1e-5)


MANY = NAMES * 430
LENGTHS = np.array([len(name) for name in MANY])  # (N,)
ORDERS = {
    "longest first": np.argsort(-LENGTHS, kind="stable"),
    "shortest first": np.argsort(LENGTHS, kind="stable"),
    "in no order": np.random.default_rng(6).permutation(len(MANY)),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", KINDS)
def test_likelihoods_of_many_names(kind: str, order: str) -> None:
    """Of 3,000 names, in whatever order of lengths, each has what it has alone."""
    model = model_of(kind, 5)
    alone = [one_by_one(model, name) for name in NAMES]
    expected = [p for i in ORDERS[order] for p in alone[i % len(NAMES)]]  # (S,)
    found = likelihoods(model, names_of(*(MANY[i] for i in ORDERS[order])))  # (S,)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_no_names_have_no_likelihoods() -> None:
    """An empty list is answered with an empty array."""
    assert likelihoods(model_of("mixture", 3), names_of()).shape == (0,)


@pytest.mark.parametrize("kind", KINDS)
def test_how_many_are_asked_about_at_a_time(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many symbols fewer names are taken at a time, and are as likely as before."""
    names = names_of(*NAMES * 20)
    model = model_of(kind, 5)
    expected = likelihoods(model, names)
    assert names_at_a_time(model) == MOST_NAMES
    monkeypatch.setattr(language_model, "_ROOM", 5 * 40)
    assert names_at_a_time(model) == 32
    np.testing.assert_allclose(likelihoods(model, names), expected, rtol=1e-6)
    monkeypatch.setattr(language_model, "_ROOM", 5)
    assert names_at_a_time(model) == FEWEST_NAMES
