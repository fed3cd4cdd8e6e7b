"""Two models mixed, against each of them asked alone; and the weight that suits them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dinogen.models.grams import count
from dinogen.models.language_model import LEAST, LanguageModel
from dinogen.models.mixture import EVEN, Mixture, fit_weight
from dinogen.models.ngram import NGram
from tests.networks import names_of, random_network

V = 5
ASKED = np.array([[0, 1, 2, 3, 4], [0, 4, 4, 1, 2], [0, 2, 3, 1, 1]])  # (N, T)

numbers = st.lists(
    st.tuples(st.floats(1e-30, 1), st.floats(1e-30, 1)), min_size=1, max_size=200
)  # what two models make of each symbol


def parts() -> tuple[LanguageModel, LanguageModel]:
    """A network and n-grams of the same symbols."""
    names = names_of([1, 2, 3], [1, 2, 4], [2, 3, 1], [4, 4], [3, 1, 2])
    return random_network(V, 6, seed=3, dtype=np.float32), NGram.of(count(names, V, 3), V)


def along(model: LanguageModel, symbols: NDArray[np.integer]) -> NDArray[np.floating]:
    """(T, N, V) what a model says after each of the T symbols of N names."""
    state = model.start(len(symbols))
    answers = []
    for column in symbols.T:
        state, p = model.advance(state, column)
        answers.append(p.copy())  # (N, V)
    return np.array(answers)


@pytest.mark.parametrize("weight", [0, 0.3, 0.5, 1])
def test_a_mixture_is_the_weighted_mean_of_its_parts(weight: float) -> None:
    """After each symbol of several names, p = w p_first + (1 - w) p_second, no less than LEAST."""
    first, second = parts()
    expected = weight * along(first, ASKED) + (1 - weight) * along(second, ASKED)  # (T, N, V)
    found = along(Mixture(first, second, weight), ASKED)  # (T, N, V)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(found.sum(axis=2), 1, rtol=1e-6)
    assert (found >= LEAST).all()


@pytest.mark.parametrize(("weight", "part"), [(1, 0), (0, 1)])
def test_all_the_weight_on_one_part_leaves_that_part(weight: float, part: int) -> None:
    """With weight 1 it is the first model, with weight 0 the second, to the last digit."""
    models = parts()
    first, second = (along(model, ASKED) for model in models)  # (T, N, V), (T, N, V)
    assert np.abs(first - second).max() > 0.1
    found = along(Mixture(*models, weight), ASKED)  # (T, N, V)
    np.testing.assert_array_equal(found, (first, second)[part])


def test_names_do_not_disturb_each_other() -> None:
    """A name among others is told the same as a name alone."""
    model = Mixture(*parts(), 0.4)
    alone = np.concatenate([along(model, ASKED[i : i + 1]) for i in range(len(ASKED))], axis=1)
    np.testing.assert_allclose(along(model, ASKED), alone, rtol=1e-5)


@pytest.mark.parametrize(
    "rows",
    [np.array([False, True, True]), np.array([1, 2]), np.array([2, 1]), slice(1, 3)],
    ids=["mask", "indices", "turned round", "slice"],
)
def test_selected_names_go_on_alone(rows: slice | NDArray[np.integer] | NDArray[np.bool_]) -> None:
    """Names picked out after two symbols go on as they would have, in both models."""
    model = Mixture(*parts(), 0.4)
    whole = along(model, ASKED)  # (T, N, V)
    state = model.start(len(ASKED))
    for column in ASKED.T[:2]:
        state, _ = model.advance(state, column)
    state = model.select(state, rows)
    for step in range(2, ASKED.shape[1]):
        state, p = model.advance(state, ASKED[rows, step])
        np.testing.assert_allclose(p, whole[step][rows], rtol=1e-5)


@settings(deadline=None, max_examples=60)
@given(numbers)
def test_the_weight_is_the_best_one(likely: list[tuple[float, float]]) -> None:
    """Of all weights on a fine grid none is better, and the best of them is the nearest.

    What the fit stops at is the maximum of

        f(w) = sum log(w p + (1 - w) q) + EVEN (log w + log(1 - w)):

    with the share s = w p / (w p + (1 - w) q) of each symbol, w (1 - w) f'(w) =
    sum ((1 - w) s - w (1 - s)) + EVEN (1 - w) - EVEN w = sum s - S w + EVEN - 2 EVEN w, which is 0
    where w = (sum s + EVEN) / (S + 2 EVEN). As f is a sum of logarithms of what is linear in w, it
    is concave, and has one maximum.
    """
    p, q = np.array(likely).T  # (S,), (S,)
    weight = fit_weight(p, q)

    def goodness(w: NDArray[np.floating]) -> NDArray[np.floating]:
        mixed = w * p[:, np.newaxis] + (1 - w) * q[:, np.newaxis]  # (S, G)
        total: NDArray[np.floating] = np.log(mixed).sum(axis=0)  # (G,)
        total += EVEN * (np.log(w) + np.log(1 - w))
        return total

    grid = np.linspace(0, 1, 1_001)[1:-1]  # (G,)
    good = goodness(grid)  # (G,)
    assert goodness(np.array([weight]))[0] >= good.max() - 1e-6
    assert weight == pytest.approx(grid[good.argmax()], abs=1.01e-3)


def test_without_evidence_both_weigh_the_same() -> None:
    """No symbols give 0.5, and so do two models that always agree."""
    assert fit_weight(np.empty(0), np.empty(0)) == 0.5
    agreed = np.full(100, 0.3)
    assert fit_weight(agreed, agreed) == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("symbols", [1, 100, 10_000])
def test_a_model_that_is_always_right_gets_what_evidence_allows(symbols: int) -> None:
    """All S symbols are the one model's share: its weight is (S + EVEN) / (S + 2 EVEN)."""
    right, wrong = np.ones(symbols), np.full(symbols, LEAST)
    most = (symbols + EVEN) / (symbols + 2 * EVEN)
    assert fit_weight(right, wrong) == pytest.approx(most, abs=1e-6)
    assert fit_weight(wrong, right) == pytest.approx(1 - most, abs=1e-6)
    assert symbols < 10_000 or most > 0.99
