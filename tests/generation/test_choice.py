"""Choosing the next symbol: what the options leave, and which symbol a number draws."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dinogen.generation.choice import choose, shape
from dinogen.generation.options import Options
from dinogen.models.language_model import LEAST
from tests.bending import TooClose, bend

Weights = NDArray[np.floating[Any]]

numbers = st.integers(0, 60)


@st.composite
def tables(draw: st.DrawFn) -> list[list[int]]:
    """Rows of whole numbers, in each of them one above 0: their sums are exact in any order."""
    symbols = draw(st.integers(1, 7))
    rows = st.lists(numbers, min_size=symbols, max_size=symbols).filter(any)
    return draw(st.lists(rows, min_size=1, max_size=5))


options_that_bend = st.builds(
    Options,
    max_length=st.just(5),
    temperature=st.just(1.0) | st.sampled_from([0.25, 0.5, 0.8, 1.7, 4.0]),
    top_k=st.none() | st.integers(1, 8),
    # Halves of halves, so that a share of a whole number is exact, too.
    top_p=st.none() | st.integers(1, 64).map(lambda part: part / 64),
)


def shares(weights: Weights) -> NDArray[np.float64]:
    """(V, N) weights as shares of their columns."""
    wide = weights.astype(np.float64)
    divided: NDArray[np.float64] = wide / wide.sum(axis=0)
    return divided


@settings(max_examples=150, deadline=None)
@given(rows=tables(), options=options_that_bend, dtype=st.sampled_from([np.float32, np.float64]))
def test_agrees_with_a_plain_twin(
    rows: list[list[int]], options: Options, dtype: type[np.floating]
) -> None:
    """Each row is bent as the loops do it: temperature, then `top_k`, then `top_p`; ties stay."""
    exact = options.temperature == 1
    try:
        wanted = [bend(row, options, 0.0 if exact else 1e-5) for row in rows]
    except TooClose:
        reject()
    found = shares(shape(np.array(rows, dtype=dtype), options))
    assert found.shape == (len(rows[0]), len(rows))
    assert ((found > 0) == (np.transpose(wanted) > 0)).all()
    np.testing.assert_allclose(
        found, np.transpose(wanted), rtol=1e-5 if dtype is np.float32 else 1e-12
    )


@settings(max_examples=60, deadline=None)
@given(rows=tables(), more=st.integers(0, 3))
def test_all_there_is_stays_as_it_is(rows: list[list[int]], more: int) -> None:
    """A `top_p` of 1 and a `top_k` of all symbols or more change nothing, to the last bit."""
    p = np.array(rows, dtype=np.float32) / np.float32(61)
    for options in (
        Options(5),
        Options(5, top_p=1.0),
        Options(5, top_k=len(rows[0]) + more),
        Options(5, top_k=len(rows[0]) + more, top_p=1.0),
    ):
        np.testing.assert_array_equal(shape(p.copy(), options), p.T)


@pytest.mark.parametrize("temperature", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize("top_k", [None, 1, 3])
@pytest.mark.parametrize("top_p", [None, 1e-6, 0.5])
def test_extremes_stay_numbers(temperature: float, top_k: int | None, top_p: float | None) -> None:
    """From the coldest to the hottest, weights are finite, and something is left in each column."""
    random = np.random.default_rng(1)
    p = (10.0 ** random.uniform(-35, 0, (200, 9))).astype(np.float32)
    p[::2] = np.maximum(p[::2] / p[::2].sum(axis=1, keepdims=True), np.float32(LEAST))
    p[::5, :4] = 0  # what must not be
    weights = shape(p.copy(), Options(5, temperature, top_k, top_p))
    assert np.isfinite(weights).all()
    assert (weights >= 0).all()
    assert (weights.max(axis=0) > 0).all()
    # The likeliest symbol is never lost, and what must not be never found.
    assert (weights[p.argmax(axis=1), np.arange(200)] == weights.max(axis=0)).all()
    assert (weights[p.T == 0] == 0).all()


def test_the_coldest_and_the_hottest_are_what_they_should_be() -> None:
    """At 1e-6 the likeliest symbol alone is left; at 1e6 all that may be are alike."""
    p = np.array([[0.5, 0.4, 0.1, 0], [1e-35, 2e-35, 0, 0]], dtype=np.float32)
    cold = shares(shape(p.copy(), Options(5, temperature=1e-6)))
    np.testing.assert_array_equal(cold.T, [[1, 0, 0, 0], [0, 1, 0, 0]])
    hot = shares(shape(p.copy(), Options(5, temperature=1e6)))
    np.testing.assert_allclose(hot.T, [[1 / 3, 1 / 3, 1 / 3, 0], [0.5, 0.5, 0, 0]], rtol=1e-4)


def test_equals_are_kept_together() -> None:
    """Where the last one kept has equals, they are kept, too: the order of symbols decides nothing.

    Of 4, 2, 2, 1 the two likeliest are three symbols; and so is what makes up 60 percent.
    """
    p = np.array([[2, 4, 1, 2]], dtype=np.float32)
    for options in (Options(5, top_k=2), Options(5, top_p=0.6)):
        np.testing.assert_array_equal(shape(p.copy(), options), [[2], [4], [0], [2]])


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [(0.25, [4]), (0.5, [4]), (0.5625, [4, 2]), (0.75, [4, 2]), (0.875, [4, 2, 1])],
)
def test_a_share_that_is_just_reached_is_enough(top_p: float, kept: list[int]) -> None:
    """Symbols are kept until they make up the share, and no more of them once they do."""
    weights = shape(np.array([[0, 2, 0.75, 4, 1, 0.25]], dtype=np.float32), Options(5, top_p=top_p))
    assert sorted(weights[weights > 0].tolist(), reverse=True) == kept


def walk_up(weights: list[int], uniform: float) -> int:
    """Add up weights until they are more than a share of them all: that symbol is drawn."""
    passed = 0
    for symbol, weight in enumerate(weights):
        passed += weight
        if passed > uniform * sum(weights):
            return symbol
    raise AssertionError("a share of less than one is never more than all")


@settings(max_examples=120, deadline=None)
@given(
    rows=tables(),
    parts=st.lists(st.integers(0, 255), min_size=5, max_size=5),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_a_symbol_is_chosen_by_walking_up(
    rows: list[list[int]], parts: list[int], dtype: type[np.floating]
) -> None:
    """In each column the first symbol is chosen whose cumulated weight passes the target."""
    # 256ths of whole numbers are exact in both types.
    uniform = np.array(parts[: len(rows)], dtype=dtype) / 256
    weights = np.ascontiguousarray(np.array(rows, dtype=dtype).T)
    wanted = [walk_up(row, part / 256) for row, part in zip(rows, parts, strict=False)]
    assert choose(weights, uniform).tolist() == wanted


@pytest.mark.parametrize("symbols", [2, 255, 256, 257, 65_537])
def test_any_number_of_symbols_can_be_told_apart(symbols: int) -> None:
    """The first, the last and one in between are chosen out of few symbols and out of many."""
    wanted = [0, symbols // 2, symbols - 1]
    weights = np.ones((symbols, 3), dtype=np.float64)
    uniform = (np.array(wanted) + 0.5) / symbols
    assert choose(weights, uniform).tolist() == wanted


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_must_not_be_is_never_chosen(dtype: type[np.floating]) -> None:
    """Neither 0 nor the last number below 1 chooses a symbol of weight 0, in front or at the end.

    The weights are of all sizes, so that their sums are rounded.
    """
    random = np.random.default_rng(3)
    weights = (10.0 ** random.uniform(-30, 0, (8, 2_000))).astype(dtype)
    weights[0] = weights[4] = weights[7] = 0
    for number in (0.0, float(np.nextafter(dtype(1), dtype(0)))):
        uniform = np.full(2_000, number, dtype=dtype)
        assert (uniform < 1).all()
        chosen = choose(weights.copy(), uniform)
        assert (weights[chosen, np.arange(2_000)] > 0).all()
