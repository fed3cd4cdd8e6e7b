"""Mixtures: compared with their members, and the weights with a slow fit."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from dinogen.models import (
    MIN_PROBABILITY,
    PRIOR_COUNT,
    LanguageModel,
    Mixture,
    NGram,
    count,
    fit_weights,
    mix,
)
from tests.networks import answers, names_of, random_network

V = 5
READ = np.array([[1, 2, 3, 4], [4, 4, 1, 2], [2, 3, 1, 1]])  # (N, T)
NAMES = ("network", "trigrams", "bigrams")
WEIGHTS = [(1.0,), (0.0, 1.0), (0.3, 0.7), (0.5, 0.5), (1.0, 0.0), (0.2, 0.5, 0.3), (0.0, 0.4, 0.6)]

weightings = pytest.mark.parametrize("weights", WEIGHTS, ids=str)


def likelihoods_of(members: int) -> st.SearchStrategy[list[tuple[float, ...]]]:
    """Draw the probabilities that K models give to each of up to 200 symbols."""
    symbol = st.tuples(*[st.floats(1e-30, 1)] * members)
    return st.lists(symbol, min_size=1, max_size=200)


def make_members(n: int) -> dict[str, LanguageModel]:
    """Build a network, trigrams and bigrams of the same symbols, or the first n of them."""
    names = names_of([1, 2, 3], [1, 2, 4], [2, 3, 1], [4, 4], [3, 1, 2])
    models: list[LanguageModel] = [
        random_network(V, 6, seed=3, dtype=np.float32, layers=2),
        *(NGram.from_counts(count(names, V, order), V) for order in (3, 2)),
    ]
    return dict(zip(NAMES[:n], models, strict=False))


def make_mixture(weights: Sequence[float]) -> Mixture:
    """Build a mixture of as many members as there are weights."""
    members = make_members(len(weights))
    return Mixture(members, dict(zip(members, weights, strict=True)))


@weightings
def test_a_mixture_is_the_weighted_sum_of_its_members(weights: tuple[float, ...]) -> None:
    """At each step p = sum_k w_k p_k. No probability is below MIN_PROBABILITY."""
    members = make_members(len(weights)).values()
    expected = np.zeros((5, 3, V))  # (T + 1, N, V)
    for weight, member in zip(weights, members, strict=True):
        expected += weight * answers(member, READ)
    found = answers(make_mixture(weights), READ)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(found.sum(axis=2), 1, rtol=1e-6)
    assert (found >= MIN_PROBABILITY).all()


@pytest.mark.parametrize("members", [1, 2, 3])
def test_all_the_weight_on_one_member_leaves_that_member(members: int) -> None:
    """With weight 1 a member gives its own probabilities, to the last digit."""
    alone = [answers(model, READ) for model in make_members(members).values()]
    for chosen, expected in enumerate(alone):
        weights = [float(member == chosen) for member in range(members)]
        np.testing.assert_array_equal(answers(make_mixture(weights), READ), expected)
        for other in alone[:chosen]:
            assert np.abs(expected - other).max() > 0.1


@weightings
def test_names_do_not_depend_on_each_other(weights: tuple[float, ...]) -> None:
    """A name among others gets the same answers as a name alone."""
    model = make_mixture(weights)
    alone = np.concatenate([answers(model, READ[i : i + 1]) for i in range(len(READ))], axis=1)
    np.testing.assert_allclose(answers(model, READ), alone, rtol=1e-5)


@pytest.mark.parametrize(
    "rows",
    [np.array([False, True, True]), np.array([1, 2]), np.array([2, 1]), slice(1, 3)],
    ids=["mask", "indices", "reversed", "slice"],
)
@weightings
def test_selected_names_continue_alone(
    weights: tuple[float, ...], rows: slice | NDArray[np.integer] | NDArray[np.bool_]
) -> None:
    """Names that are selected after two symbols advance as they would have, in every member."""
    model = make_mixture(weights)
    whole = answers(model, READ)  # (T + 1, N, V)
    state, _ = model.begin(len(READ))
    for column in READ.T[:2]:
        state, _ = model.advance(state, column)
    state = model.select(state, rows)
    for step in range(2, READ.shape[1]):
        state, p = model.advance(state, READ[rows, step])
        np.testing.assert_allclose(p, whole[step + 1][rows], rtol=1e-5)


@weightings
def test_a_blank_state_is_blank_in_every_member(weights: tuple[float, ...]) -> None:
    """From a blank state, too, the answers are the weighted sum."""
    model, symbols = make_mixture(weights), np.array([1, 4])
    _, found = model.advance(model.blank(2), symbols)
    expected = np.zeros((2, V))
    for weight, member in zip(weights, make_members(len(weights)).values(), strict=True):
        expected += weight * member.advance(member.blank(2), symbols)[1]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert model.vocab_size == V


# Members and weights.


def test_members_keep_their_order() -> None:
    """Members and weights are in the order of the members, whatever the order of the weights."""
    members = make_members(3)
    model = Mixture(members, {"bigrams": 0.2, "network": 0.7, "trigrams": 0.1})
    assert list(model.members) == list(model.weights) == list(NAMES)
    assert model.weights == {"network": 0.7, "trigrams": 0.1, "bigrams": 0.2}
    assert all(model.members[name] is member for name, member in members.items())
    backward = dict(reversed(members.items()))
    assert list(Mixture(backward).members) == list(reversed(NAMES))


@pytest.mark.parametrize("members", [1, 2, 3])
def test_weights_are_equal_if_they_are_left_out(members: int) -> None:
    """Each of K members has the weight 1 / K."""
    model = Mixture(make_members(members))
    assert model.weights == dict.fromkeys(NAMES[:members], 1 / members)


@pytest.mark.parametrize(
    "weights",
    [
        {},
        {"network": 1.0},
        {"network": 0.5, "bigrams": 0.5},
        {"network": 0.5, "trigrams": 0.3, "bigrams": 0.2},
        {"network": 0.5, "trigrams": 0.4},
        {"network": 0.5, "trigrams": 0.6},
        {"network": 1.5, "trigrams": -0.5},
        {"network": -0.5, "trigrams": 1.5},
        {"network": 0.0, "trigrams": 0.0},
        {"network": math.nan, "trigrams": 0.5},
        {"network": 0.5, "trigrams": math.nan},
        {"network": math.inf, "trigrams": 0.5},
    ],
    ids=str,
)
def test_weights_that_are_not_shares_of_the_members_are_refused(weights: dict[str, float]) -> None:
    """Weights of other names, and weights that are negative, infinite or do not sum to 1."""
    with pytest.raises(ValueError, match="mixture"):
        Mixture(make_members(2), weights)


@pytest.mark.parametrize("weights", [None, {}, {"network": 1.0}], ids=str)
def test_a_mixture_without_members_is_refused(weights: dict[str, float] | None) -> None:
    """There is nothing to mix."""
    with pytest.raises(ValueError, match="members"):
        Mixture({}, weights)


# Fitted weights.


def penalised(
    likelihoods: NDArray[np.floating], weights: NDArray[np.floating]
) -> NDArray[np.floating]:
    """(G,) what the fit maximises, for (K, S) likelihoods and (K, G) weights.

        f(w) = sum_s log(sum_k w_k p_k(s)) + PRIOR_COUNT sum_k log w_k

    With the posterior share s_k = w_k p_k / sum_j w_j p_j of each symbol, the Lagrange condition
    for weights that sum to 1 is w_k = (sum s_k + PRIOR_COUNT) / (S + K PRIOR_COUNT). Each logarithm
    is of a linear function of w, so f is concave and has one maximum.
    """
    total: NDArray[np.floating] = np.log(likelihoods.T @ weights).sum(axis=0)  # (G,)
    total += PRIOR_COUNT * np.log(weights).sum(axis=0)
    return total


def fit_slowly(likelihoods: Sequence[Sequence[float]]) -> list[float]:
    """Expectation maximisation in plain loops, for (S, K) likelihoods."""
    K = len(likelihoods[0])
    weights = [1 / K] * K
    for _ in range(100_000):
        counts = [PRIOR_COUNT] * K
        for row in likelihoods:
            mixed = sum(w * p for w, p in zip(weights, row, strict=True))
            for k in range(K):
                counts[k] += weights[k] * row[k] / mixed
        before, weights = weights, [c / sum(counts) for c in counts]
        if max(abs(a - b) for a, b in zip(before, weights, strict=True)) < 1e-10:
            break
    return weights


def assert_stationary(likelihoods: NDArray[np.floating], weights: Sequence[float]) -> None:
    """Check that (K,) weights are a fixed point for (K, S) likelihoods."""
    K, S = likelihoods.shape
    assert len(weights) == K
    assert sum(weights) == pytest.approx(1, abs=1e-12)
    shares = np.array(weights)[:, np.newaxis] * likelihoods  # (K, S)
    shares /= shares.sum(axis=0)
    fixed = (shares.sum(axis=1) + PRIOR_COUNT) / (S + K * PRIOR_COUNT)  # (K,)
    np.testing.assert_allclose(weights, fixed, atol=3e-6)


@settings(deadline=None, max_examples=60)
@given(likelihoods_of(2))
def test_two_weights_are_the_best(rows: list[tuple[float, float]]) -> None:
    """No weight on a fine grid is better, and the best of the grid is the nearest."""
    likelihoods = np.array(rows).T  # (2, S)
    weights = fit_weights([*likelihoods])
    assert_stationary(likelihoods, weights)
    first = np.linspace(0, 1, 1_001)[1:-1]  # (G,)
    good = penalised(likelihoods, np.array([first, 1 - first]))  # (G,)
    assert penalised(likelihoods, np.array(weights)[:, np.newaxis])[0] >= good.max() - 1e-6
    assert weights[0] == pytest.approx(first[good.argmax()], abs=1.01e-3)


@settings(deadline=None, max_examples=40)
@given(likelihoods_of(3))
def test_three_weights_are_the_best(rows: list[tuple[float, float, float]]) -> None:
    """They are a fixed point, and no point of a grid over the triangle is better."""
    likelihoods = np.array(rows).T  # (3, S)
    weights = fit_weights([*likelihoods])
    assert_stationary(likelihoods, weights)
    grid = np.array([(i, j, 60 - i - j) for i in range(1, 59) for j in range(1, 60 - i)]).T / 60
    good = penalised(likelihoods, grid)  # (G,)
    assert penalised(likelihoods, np.array(weights)[:, np.newaxis])[0] >= good.max() - 1e-6
    np.testing.assert_allclose(weights, grid[:, good.argmax()], atol=2 / 60)


@pytest.mark.parametrize("members", [1, 2, 3, 5])
@pytest.mark.parametrize("symbols", [1, 7, 60])
def test_weights_are_those_of_a_slow_fit(symbols: int, members: int) -> None:
    """For random likelihoods of different levels, plain loops find the same weights."""
    random = np.random.default_rng(symbols)
    rows = random.random((symbols, members)) ** np.arange(1, members + 1)  # (S, K)
    weights = fit_weights([*rows.T])
    np.testing.assert_allclose(weights, fit_slowly(rows.tolist()), atol=2e-5)
    assert all(type(weight) is float for weight in weights)


def test_one_member_has_all_the_weight() -> None:
    """There is nothing to fit, with symbols or without."""
    assert fit_weights([np.array([0.2, 1e-30])]) == [1.0]
    assert fit_weights([np.empty(0)]) == [1.0]


@pytest.mark.parametrize("members", [2, 3, 4])
def test_without_evidence_the_weights_are_equal(members: int) -> None:
    """No symbols give equal weights, and so do models that always agree."""
    equal = [1 / members] * members
    assert fit_weights([np.empty(0)] * members) == pytest.approx(equal, abs=1e-12)
    assert fit_weights([np.full(100, 0.3)] * members) == pytest.approx(equal, abs=1e-6)


@pytest.mark.parametrize("members", [2, 3])
@pytest.mark.parametrize("symbols", [1, 100, 10_000])
def test_a_model_that_is_always_right_gets_the_most(symbols: int, members: int) -> None:
    """All S symbols are its share: its weight is (S + PRIOR_COUNT) / (S + K PRIOR_COUNT)."""
    right, wrong = np.ones(symbols), np.full(symbols, MIN_PROBABILITY)
    most = (symbols + PRIOR_COUNT) / (symbols + members * PRIOR_COUNT)
    least = PRIOR_COUNT / (symbols + members * PRIOR_COUNT)
    for best in range(members):
        likelihoods = [wrong] * members
        likelihoods[best] = right
        expected = [most if member == best else least for member in range(members)]
        assert fit_weights(likelihoods) == pytest.approx(expected, abs=1e-6)
    assert symbols < 10_000 or most > 0.99


def test_mixed_likelihoods() -> None:
    """`mix` is the weighted sum, symbol by symbol; the likelihoods are not changed."""
    p = [np.array([0.5, 0.1]), np.array([0.1, 0.3]), np.array([1.0, 0.0])]
    np.testing.assert_allclose(mix([0.2, 0.5, 0.3], p), [0.45, 0.17], rtol=1e-12)
    np.testing.assert_array_equal(mix([1.0], p[:1]), [0.5, 0.1])
    assert p[0].tolist() == [0.5, 0.1]
