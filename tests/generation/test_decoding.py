"""Decoding: the sampling options, reweighting, and drawing a symbol."""

from itertools import pairwise
from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings, strategies as st
from numpy.typing import NDArray

from dinogen.data import END, KnownList, KnownNames, Names, digest
from dinogen.errors import SettingError
from dinogen.generation import (
    Candidates,
    Decoding,
    NameRules,
    Options,
    draw_block,
    draw_symbols,
    entropy,
    reweight,
)
from dinogen.models import MIN_PROBABILITY
from tests.networks import random_network
from tests.reweighting import TooClose, reweight_row

Weights = NDArray[np.floating[Any]]

numbers = st.integers(0, 60)


@st.composite
def tables(draw: st.DrawFn) -> list[list[int]]:
    """Rows of integers, at least one above 0 in each. Their sums are exact in any order."""
    symbols = draw(st.integers(1, 7))
    rows = st.lists(numbers, min_size=symbols, max_size=symbols).filter(any)
    return draw(st.lists(rows, min_size=1, max_size=5))


decodings = st.builds(
    Decoding,
    temperature=st.just(1.0) | st.sampled_from([0.25, 0.5, 0.8, 1.7, 4.0]),
    top_k=st.none() | st.integers(1, 8),
    # Binary fractions, so that a share of an integer is exact too.
    top_p=st.none() | st.integers(1, 64).map(lambda part: part / 64),
    min_p=st.none() | st.integers(1, 64).map(lambda part: part / 64),
)


def shares(weights: Weights) -> NDArray[np.float64]:
    """(V, N) weights, normalised to a sum of 1 per column."""
    wide = weights.astype(np.float64)
    divided: NDArray[np.float64] = wide / wide.sum(axis=0)
    return divided


@settings(max_examples=150, deadline=None)
@given(rows=tables(), decoding=decodings, dtype=st.sampled_from([np.float32, np.float64]))
def test_reweight_agrees_with_plain_python(
    rows: list[list[int]], decoding: Decoding, dtype: type[np.floating]
) -> None:
    """Temperature, then top-k, top-p and min-p; symbols tied with the last one kept are kept."""
    exact = decoding.temperature == 1
    try:
        wanted = [reweight_row(row, decoding, 0.0 if exact else 1e-5) for row in rows]
    except TooClose:
        reject()
    found = shares(reweight(np.array(rows, dtype=dtype), decoding))
    assert found.shape == (len(rows[0]), len(rows))
    assert ((found > 0) == (np.transpose(wanted) > 0)).all()
    np.testing.assert_allclose(
        found, np.transpose(wanted), rtol=1e-5 if dtype is np.float32 else 1e-12
    )


@settings(max_examples=60, deadline=None)
@given(rows=tables(), more=st.integers(0, 3))
def test_decodings_that_keep_all_symbols_change_nothing(rows: list[list[int]], more: int) -> None:
    """A top-p of 1, a top-k of at least V and the smallest min-p leave every bit unchanged."""
    p = np.array(rows, dtype=np.float32) / np.float32(61)
    for decoding in (
        Decoding(),
        Decoding(top_p=1.0),
        Decoding(top_k=len(rows[0]) + more),
        Decoding(top_k=len(rows[0]) + more, top_p=1.0),
        Decoding(min_p=1e-6),
    ):
        np.testing.assert_array_equal(reweight(p.copy(), decoding), p.T)


@pytest.mark.parametrize("temperature", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize("top_k", [None, 1, 3])
@pytest.mark.parametrize("top_p", [None, 1e-6, 0.5])
@pytest.mark.parametrize("min_p", [None, 1e-6, 1.0])
def test_extreme_decodings_give_finite_weights(
    temperature: float, top_k: int | None, top_p: float | None, min_p: float | None
) -> None:
    """At every temperature, weights are finite and each column has one above 0."""
    random = np.random.default_rng(1)
    p = (10.0 ** random.uniform(-35, 0, (200, 9))).astype(np.float32)
    p[::2] = np.maximum(p[::2] / p[::2].sum(axis=1, keepdims=True), np.float32(MIN_PROBABILITY))
    p[::5, :4] = 0  # forbidden symbols
    weights = reweight(p.copy(), Decoding(temperature, top_k, top_p, min_p))
    assert np.isfinite(weights).all()
    assert (weights >= 0).all()
    assert (weights.max(axis=0) > 0).all()
    # The likeliest symbol keeps the largest weight, and forbidden symbols keep weight 0.
    assert (weights[p.argmax(axis=1), np.arange(200)] == weights.max(axis=0)).all()
    assert (weights[p.T == 0] == 0).all()


def test_temperature_limits() -> None:
    """At 1e-6 only the likeliest symbol is left. At 1e6 all allowed symbols are equally likely."""
    p = np.array([[0.5, 0.4, 0.1, 0], [1e-35, 2e-35, 0, 0]], dtype=np.float32)
    cold = shares(reweight(p.copy(), Decoding(temperature=1e-6)))
    np.testing.assert_array_equal(cold.T, [[1, 0, 0, 0], [0, 1, 0, 0]])
    hot = shares(reweight(p.copy(), Decoding(temperature=1e6)))
    np.testing.assert_allclose(hot.T, [[1 / 3, 1 / 3, 1 / 3, 0], [0.5, 0.5, 0, 0]], rtol=1e-4)


def test_ties_are_kept() -> None:
    """Symbols as likely as the last one kept are kept too, whatever their order.

    Of 4, 2, 2, 1, a top-k of 2 keeps three symbols, and so do a top-p of 0.6 and a min-p of 0.5.
    """
    p = np.array([[2, 4, 1, 2]], dtype=np.float32)
    for decoding in (Decoding(top_k=2), Decoding(top_p=0.6), Decoding(min_p=0.5)):
        np.testing.assert_array_equal(reweight(p.copy(), decoding), [[2], [4], [0], [2]])


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [(0.25, [4]), (0.5, [4]), (0.5625, [4, 2]), (0.75, [4, 2]), (0.875, [4, 2, 1])],
)
def test_top_p_keeps_no_more_than_the_share(top_p: float, kept: list[int]) -> None:
    """Symbols are kept until their sum reaches the share, and no further."""
    weights = reweight(
        np.array([[0, 2, 0.75, 4, 1, 0.25]], dtype=np.float32), Decoding(top_p=top_p)
    )
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


def test_without_truncation_keeps_the_temperature() -> None:
    """Only temperature is kept; a decoding of a temperature alone does not truncate."""
    for decoding in (Decoding(0.5, top_k=3), Decoding(0.5, top_p=0.9), Decoding(0.5, min_p=0.1)):
        assert decoding.truncates
        assert decoding.without_truncation() == Decoding(0.5)
    assert not Decoding(0.5, keep=0.1).truncates
    assert Decoding(0.5, keep=0.1).without_truncation() == Decoding(0.5)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(), Decoding(min_p=0.1, keep=0.5)),
        (Options(prefix="a", min_length=3), Decoding(min_p=0.1, keep=0.5)),
        (Options(temperature=1), Decoding()),
        (Options(temperature=0.7), Decoding(0.7)),
        (Options(top_k=3), Decoding(top_k=3)),
        (Options(top_p=1.0), Decoding(top_p=1.0)),
        (Options(temperature=2, top_k=3, top_p=0.9), Decoding(2, 3, 0.9)),
    ],
    ids=str,
)
def test_one_option_replaces_the_whole_default(options: Options, expected: Decoding) -> None:
    """Any of temperature, top-k and top-p replaces the default decoding."""
    assert options.decoding(Decoding(min_p=0.1, keep=0.5)) == expected


@settings(max_examples=60, deadline=None)
@given(rows=tables())
def test_entropy_is_the_expected_surprise(rows: list[list[int]]) -> None:
    """It agrees with a plain sum; forbidden symbols of probability 0 add nothing."""
    p = np.array(rows) / np.sum(rows, axis=1, keepdims=True)
    expected = [-sum(float(q) * log(q) for q in row if q) for row in p]
    np.testing.assert_allclose(entropy(p), expected, atol=1e-12)


def names_of(*texts: str) -> Names:
    """Encode names of the letters a to i."""
    return Names.split(np.array([ord(c) - 96 for c in "`".join([*texts, ""])], dtype=np.uint32))


def test_the_best_candidates_have_the_lowest_excess() -> None:
    """A share of the complete candidates is kept, rounded up; known ones do not count."""
    names = names_of("a", "bb", "c", "dd", "e", "ff")
    candidates = Candidates(names, np.array([3.0, -1.0, np.inf, 2.0, 0.0, 2.0]))
    nothing = KnownNames()
    assert candidates.best(1.0, nothing).tolist() == [True, True, False, True, True, True]
    kept = [candidates.best(share, nothing).nonzero()[0].tolist() for share in (0.2, 0.4, 0.6, 0.7)]
    assert kept == [[1], [1, 4], [1, 3, 4], [1, 3, 4, 5]]
    known = KnownNames([KnownList(np.sort(digest(names_of("bb", "e"))), 10)])
    assert candidates.best(1.0, known).nonzero()[0].tolist() == [0, 3, 5]
    assert candidates.best(0.5, known).nonzero()[0].tolist() == [3, 5]
    assert not Candidates(names, np.full(6, np.inf)).best(0.5, nothing).any()


@pytest.mark.parametrize("decoding", [Decoding(keep=0.5), Decoding(0.7, min_p=0.2, keep=0.5)])
def test_excess_is_surprise_minus_entropy(decoding: Decoding) -> None:
    """It agrees with a loop over the symbols of each name, without temperature and truncation."""
    model, rules = random_network(4, 5, seed=3, dtype=np.float64), NameRules(6, min_length=2)
    names, excess = draw_block(model, np.random.default_rng(1), 200, decoding, rules)
    for i, (start, end) in enumerate(pairwise(names.starts.tolist())):
        expected = 0.0
        state, p = model.begin(1)
        for length, symbol in enumerate(names.symbols[start:end].tolist()):
            row = p[0].tolist()
            row[END] = row[END] if length >= 2 else 0.0
            expected -= log(row[symbol])
            expected += sum(q * log(q) for q in row if q) / sum(row)
            if symbol != END:
                state, p = model.advance(state, np.array([symbol]))
        if end - start - 1 == 6 and np.isinf(excess[i]):
            continue  # cut off
        assert excess[i] == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert np.isfinite(excess).sum() > 100


def test_excess_is_0_on_average() -> None:
    """For names of the model's own distribution, its mean is 0 within five standard errors."""
    model = random_network(4, 5, seed=3, dtype=np.float64)
    decoding = Decoding(keep=0.99)
    _, excess = draw_block(model, np.random.default_rng(2), 4_096, decoding, NameRules(200))
    assert np.isfinite(excess).all()
    assert abs(excess.mean()) < 5 * excess.std() / 64


def test_a_name_that_does_not_end_is_cut_off() -> None:
    """Its excess is infinite, for any share that is kept. All other names end by themselves."""
    model = random_network(3, 4, seed=11, dtype=np.float32)
    for keep in (1.0, 0.5):
        names, excess = draw_block(
            model, np.random.default_rng(1), 500, Decoding(keep=keep), NameRules(3)
        )
        lengths = names.lengths - 1
        assert lengths.max() == 3
        assert 0 < np.isinf(excess).sum() < (lengths == 3).sum()
        assert (lengths[np.isinf(excess)] == 3).all()
