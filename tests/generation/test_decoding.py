"""Decoding: the sampling options, reweighting, and drawing a symbol."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings, strategies as st
from numpy.typing import NDArray

from dinogen.errors import SettingError
from dinogen.generation import Options, draw_symbols, reweight
from dinogen.models import MIN_PROBABILITY
from tests.reweighting import TooClose, reweight_row

Weights = NDArray[np.floating[Any]]

numbers = st.integers(0, 60)


@st.composite
def tables(draw: st.DrawFn) -> list[list[int]]:
    """Rows of integers, at least one above 0 in each. Their sums are exact in any order."""
    symbols = draw(st.integers(1, 7))
    rows = st.lists(numbers, min_size=symbols, max_size=symbols).filter(any)
    return draw(st.lists(rows, min_size=1, max_size=5))


reweighting_options = st.builds(
    Options,
    temperature=st.just(1.0) | st.sampled_from([0.25, 0.5, 0.8, 1.7, 4.0]),
    top_k=st.none() | st.integers(1, 8),
    # Binary fractions, so that a share of an integer is exact too.
    top_p=st.none() | st.integers(1, 64).map(lambda part: part / 64),
)


def shares(weights: Weights) -> NDArray[np.float64]:
    """(V, N) weights, normalised to a sum of 1 per column."""
    wide = weights.astype(np.float64)
    divided: NDArray[np.float64] = wide / wide.sum(axis=0)
    return divided


@settings(max_examples=150, deadline=None)
@given(rows=tables(), options=reweighting_options, dtype=st.sampled_from([np.float32, np.float64]))
def test_reweight_agrees_with_plain_python(
    rows: list[list[int]], options: Options, dtype: type[np.floating]
) -> None:
    """Temperature, then top-k, then top-p; symbols tied with the last one kept are kept."""
    exact = options.temperature == 1
    try:
        wanted = [reweight_row(row, options, 0.0 if exact else 1e-5) for row in rows]
    except TooClose:
        reject()
    found = shares(reweight(np.array(rows, dtype=dtype), options))
    assert found.shape == (len(rows[0]), len(rows))
    assert ((found > 0) == (np.transpose(wanted) > 0)).all()
    np.testing.assert_allclose(
        found, np.transpose(wanted), rtol=1e-5 if dtype is np.float32 else 1e-12
    )


@settings(max_examples=60, deadline=None)
@given(rows=tables(), more=st.integers(0, 3))
def test_options_that_keep_all_symbols_change_nothing(rows: list[list[int]], more: int) -> None:
    """A top-p of 1 and a top-k of at least V leave every bit unchanged."""
    p = np.array(rows, dtype=np.float32) / np.float32(61)
    for options in (
        Options(),
        Options(top_p=1.0),
        Options(top_k=len(rows[0]) + more),
        Options(top_k=len(rows[0]) + more, top_p=1.0),
    ):
        np.testing.assert_array_equal(reweight(p.copy(), options), p.T)


@pytest.mark.parametrize("temperature", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize("top_k", [None, 1, 3])
@pytest.mark.parametrize("top_p", [None, 1e-6, 0.5])
def test_extreme_options_give_finite_weights(
    temperature: float, top_k: int | None, top_p: float | None
) -> None:
    """At every temperature, weights are finite and each column has one above 0."""
    random = np.random.default_rng(1)
    p = (10.0 ** random.uniform(-35, 0, (200, 9))).astype(np.float32)
    p[::2] = np.maximum(p[::2] / p[::2].sum(axis=1, keepdims=True), np.float32(MIN_PROBABILITY))
    p[::5, :4] = 0  # forbidden symbols
    weights = reweight(p.copy(), Options(temperature=temperature, top_k=top_k, top_p=top_p))
    assert np.isfinite(weights).all()
    assert (weights >= 0).all()
    assert (weights.max(axis=0) > 0).all()
    # The likeliest symbol keeps the largest weight, and forbidden symbols keep weight 0.
    assert (weights[p.argmax(axis=1), np.arange(200)] == weights.max(axis=0)).all()
    assert (weights[p.T == 0] == 0).all()


def test_temperature_limits() -> None:
    """At 1e-6 only the likeliest symbol is left. At 1e6 all allowed symbols are equally likely."""
    p = np.array([[0.5, 0.4, 0.1, 0], [1e-35, 2e-35, 0, 0]], dtype=np.float32)
    cold = shares(reweight(p.copy(), Options(temperature=1e-6)))
    np.testing.assert_array_equal(cold.T, [[1, 0, 0, 0], [0, 1, 0, 0]])
    hot = shares(reweight(p.copy(), Options(temperature=1e6)))
    np.testing.assert_allclose(hot.T, [[1 / 3, 1 / 3, 1 / 3, 0], [0.5, 0.5, 0, 0]], rtol=1e-4)


def test_ties_are_kept() -> None:
    """Symbols as likely as the last one kept are kept too, whatever their order.

    Of 4, 2, 2, 1, a top-k of 2 keeps three symbols, and so does a top-p of 0.6.
    """
    p = np.array([[2, 4, 1, 2]], dtype=np.float32)
    for options in (Options(top_k=2), Options(top_p=0.6)):
        np.testing.assert_array_equal(reweight(p.copy(), options), [[2], [4], [0], [2]])


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [(0.25, [4]), (0.5, [4]), (0.5625, [4, 2]), (0.75, [4, 2]), (0.875, [4, 2, 1])],
)
def test_top_p_keeps_no_more_than_the_share(top_p: float, kept: list[int]) -> None:
    """Symbols are kept until their sum reaches the share, and no further."""
    weights = reweight(np.array([[0, 2, 0.75, 4, 1, 0.25]], dtype=np.float32), Options(top_p=top_p))
    assert sorted(weights[weights > 0].tolist(), reverse=True) == kept


def draw_plainly(weights: list[int], uniform: float) -> int:
    """Return the first symbol whose cumulative weight exceeds a share of the sum."""
    cumulative = 0
    for symbol, weight in enumerate(weights):
        cumulative += weight
        if cumulative > uniform * sum(weights):
            return symbol
    raise AssertionError("the cumulative weight never exceeded the share")


@settings(max_examples=120, deadline=None)
@given(
    rows=tables(),
    parts=st.lists(st.integers(0, 255), min_size=5, max_size=5),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_drawing_is_inversion_of_the_cumulative_weights(
    rows: list[list[int]], parts: list[int], dtype: type[np.floating]
) -> None:
    """In each column, the symbol is the first one whose cumulative weight exceeds the target."""
    # Multiples of 1 / 256 are exact in both dtypes.
    uniform = np.array(parts[: len(rows)], dtype=dtype) / 256
    weights = np.ascontiguousarray(np.array(rows, dtype=dtype).T)
    wanted = [draw_plainly(row, part / 256) for row, part in zip(rows, parts, strict=False)]
    assert draw_symbols(weights, uniform).tolist() == wanted


@pytest.mark.parametrize("symbols", [2, 255, 256, 257, 65_537])
def test_drawing_from_small_and_large_vocabularies(symbols: int) -> None:
    """The first, a middle and the last symbol can be drawn for any V."""
    wanted = [0, symbols // 2, symbols - 1]
    weights = np.ones((symbols, 3), dtype=np.float64)
    uniform = (np.array(wanted) + 0.5) / symbols
    assert draw_symbols(weights, uniform).tolist() == wanted


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_symbol_of_weight_0_is_never_drawn(dtype: type[np.floating]) -> None:
    """This holds for the smallest and the largest uniform number, with symbol 0 first or last.

    The weights differ by many orders of magnitude, so their sums are rounded.
    """
    random = np.random.default_rng(3)
    weights = (10.0 ** random.uniform(-30, 0, (8, 2_000))).astype(dtype)
    weights[0] = weights[4] = weights[7] = 0
    for number in (0.0, float(np.nextafter(dtype(1), dtype(0)))):
        uniform = np.full(2_000, number, dtype=dtype)
        assert (uniform < 1).all()
        chosen = draw_symbols(weights.copy(), uniform)
        assert (weights[chosen, np.arange(2_000)] > 0).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0.0),
        ("temperature", float("nan")),
        ("top_k", 0),
        ("top_p", 0.0),
        ("top_p", 1.1),
        ("min_length", -1),
        ("min_length", 10_001),
        ("max_length", -1),
        ("max_length", 0),
        ("max_length", 10_001),
    ],
)
def test_numbers_out_of_range_are_refused(name: str, value: float) -> None:
    """The message begins with the name of the option."""
    invalid: Any = {name: value}
    with pytest.raises(SettingError, match=f"^{name.replace('_', ' ')} "):
        Options(**invalid)


def test_texts_are_tuples() -> None:
    """`contains` and `exclude` accept any sequence, and a single `str` is one text."""
    lists = Options(contains=["an", "no"], exclude=["anna"])
    assert lists == Options(contains=("an", "no"), exclude=("anna",))
    assert hash(lists) == hash(Options(contains=("an", "no"), exclude="anna"))
    assert Options(contains="an").contains == ("an",)


def test_without_truncation_keeps_all_other_options() -> None:
    """Only top-k and top-p are removed."""
    options = Options(temperature=0.5, top_k=3, top_p=0.9, prefix="a", max_length=7)
    assert options.truncates
    assert options.without_truncation() == Options(temperature=0.5, prefix="a", max_length=7)
    assert not options.without_truncation().truncates
