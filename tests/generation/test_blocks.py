"""Blocks: names that share the work for common prefixes, compared with names drawn one by one."""

import math
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from dinogen.data import END, Vocabulary
from dinogen.generation import (
    Candidates,
    Decoding,
    NameRules,
    Options,
    PrefixTree,
    branch,
    draw_block,
    draw_symbols,
)
from dinogen.models import LanguageModel, Mixture, NGram, count
from tests.chance import chi_square
from tests.enumeration import FREE, LONGEST, RULES, conditional, is_likely, mild, texts
from tests.networks import random_network
from tests.reweighting import TooClose, reweight_row


def names_of(candidates: Candidates) -> list[tuple[int, ...]]:
    """Return names as tuples of symbols, the end included."""
    names = candidates.names
    return [tuple(names.symbols[start:end].tolist()) for start, end in pairwise(names.starts)]


# Prefixes.


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(st.lists(st.integers(1, 6), max_size=6), min_size=1, max_size=20),
)
def test_a_tree_writes_down_what_was_added(names: list[list[int]]) -> None:
    """Names are added symbol by symbol, several at a time, and in any order of lengths."""
    tree = PrefixTree(7)
    nodes = np.zeros(len(names), dtype=np.int32)
    written = [[*name, END] for name in names]
    for place in range(7):
        left = [i for i, name in enumerate(written) if len(name) > place]
        nodes[left] = tree.add(nodes[left], np.array([written[i][place] for i in left], dtype=int))
    copy = tree.copy()
    copy.add(nodes[:1], np.array([END]))
    found = tree.names(nodes)
    assert names_of(Candidates(found, np.zeros(0))) == [tuple(name) for name in written]
    assert len(tree) == 1 + sum(map(len, written))
    assert len(copy) == len(tree) + 1


@settings(max_examples=60, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), min_size=1, max_size=40),
)
def test_branches_are_the_distinct_pairs(pairs: list[tuple[int, int]]) -> None:
    """They are in ascending order, and each name has its own."""
    rows, symbols = np.array(pairs).T
    parents, found, branch_of = branch(rows, symbols, (5, 7))
    distinct = sorted(set(pairs))
    assert [*zip(parents.tolist(), found.tolist(), strict=True)] == distinct
    assert [distinct[i] for i in branch_of] == pairs


@pytest.mark.parametrize("n", [5, 40_000])
@pytest.mark.parametrize("symbols", [2, 3, 8, 9, 300])
@pytest.mark.parametrize("columns", [1, 70])
def test_names_of_one_column_are_drawn_like_columns_of_their_own(
    columns: int, symbols: int, n: int
) -> None:
    """Few names are compared with all weights, and many are searched; the symbols are the same."""
    random = np.random.default_rng(columns + symbols)
    weights = random.random((symbols, columns), dtype=np.float32) ** 8
    weights[0] = weights[-1] = 0
    weights[1] = 0 if symbols > 2 else 1
    weights[:, -1] = 0 if columns > 1 else weights[:, -1]
    column = random.integers(0, columns, n)
    uniform = random.random(n, dtype=np.float32)
    cumulative = np.array([weights[: v + 1].astype(float).sum(axis=0) for v in range(symbols)])
    found = draw_symbols(weights.copy(), uniform, column)
    alone = draw_symbols(weights[:, column].copy(), uniform)
    assert (found == alone).mean() > 0.999  # rounding depends on the order of the sums
    is_empty = cumulative[-1][column] == 0
    assert (found[is_empty] == symbols).all()
    assert (weights[found[~is_empty], column[~is_empty]] > 0).all()


# Blocks.


def draw_one_by_one(
    model: LanguageModel, seed: int, size: int, decoding: Decoding, rules: NameRules
) -> Iterator[tuple[tuple[int, ...], float]]:
    """Draw each name of a block alone, with a state of its own; yields its excess, too."""
    random = np.random.default_rng(seed)
    uniform = [random.random(size, dtype=np.float32) for _ in range(rules.max_length + 1)]
    for i in range(size):
        written: list[int] = []
        excess = 0.0
        state, p = model.begin(1)
        while not written or written[-1] != END:
            row = p[0].astype(float).tolist()
            if len(written) < rules.min_length:
                row[END] = 0.0
            weights = reweight_row(row, decoding, 1e-6)
            target, symbol = float(uniform[len(written)][i]) * sum(weights), 0
            while sum(weights[: symbol + 1]) <= target:
                symbol += 1
            excess += sum(q * math.log(q) for q in row if q) / sum(row) - math.log(row[symbol])
            if symbol != END and len(written) == rules.max_length:
                symbol, excess = END, math.inf
            written.append(symbol)
            if symbol != END:
                state, p = model.advance(state, np.array([symbol]))
        yield tuple(written), excess


def mixture() -> Mixture:
    """A mixture of an LSTM of two layers and n-grams, over four symbols."""
    network = random_network(4, 5, seed=3, dtype=np.float32, cell="lstm", layers=2)
    names = Vocabulary.of("abc").encode("abc\nab\ncab\nbca\nccb\n")
    return Mixture({"network": network, "ngram": NGram.from_counts(count(names, 4, 3), 4)})


@pytest.mark.parametrize(
    "decoding",
    [
        Decoding(keep=0.5),
        Decoding(temperature=0.7, keep=0.9),
        Decoding(top_k=2, keep=0.5),
        Decoding(min_p=0.3, keep=0.5),
        Decoding(top_p=0.6, keep=0.5),
    ],
    ids=str,
)
def test_names_are_those_that_are_drawn_one_by_one(decoding: Decoding) -> None:
    """Sharing the work for common prefixes changes no name and no excess."""
    rules = NameRules(7, min_length=2)
    for model in (mild(), mixture(), mixture().members["ngram"]):
        found = draw_block(model, np.random.default_rng(5), 150, decoding, rules)
        try:
            expected = [*draw_one_by_one(model, 5, 150, decoding, rules)]
        except TooClose:
            continue
        assert names_of(found) == [name for name, _ in expected]
        np.testing.assert_allclose(found.excess, [excess for _, excess in expected], atol=1e-4)
        assert len(set(names_of(found))) < 150  # some prefixes are common


@pytest.fixture(params=[1, 2, 7])
def few_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Split a block as soon as it has more prefixes than that."""
    monkeypatch.setattr(sys.modules[draw_block.__module__], "MAX_ROWS", request.param)
    return int(request.param)


@pytest.mark.parametrize("options", [Options(), Options(temperature=0.7, top_k=2)], ids=str)
def test_a_block_of_many_parts_has_the_distribution_of_the_model(
    options: Options, few_rows: int
) -> None:
    """The frequencies of 30,000 names pass a chi-square test of independent names."""
    rules = NameRules(60)
    decoding = options.decoding(FREE)
    found = texts(
        draw_block(mild(), np.random.default_rng(few_rows), 30_000, decoding, rules).names
    )
    short = [name for name in found if len(name) <= LONGEST]
    assert len(short) > 0.995 * len(found) == 0.995 * 30_000
    statistic, freedom = chi_square(short, conditional(mild(), options))
    assert freedom >= 10
    assert is_likely(statistic, freedom)
    # Their order has no meaning: both halves have the distribution.
    for half in (short[: len(short) // 2], short[len(short) // 2 :]):
        assert is_likely(*chi_square(half, conditional(mild(), options)))


def test_the_excess_of_a_block_of_many_parts(few_rows: int) -> None:
    """Equal names have equal excess, whichever part they come from."""
    decoding = Decoding(keep=0.5)
    whole = draw_block(mild(), np.random.default_rng(few_rows), 4_000, decoding, NameRules(6))
    alone = draw_block(mild(), np.random.default_rng(50), 4_000, decoding, NameRules(6))
    excess = dict(zip(names_of(alone), alone.excess, strict=True))
    common = [
        (found, excess[name])
        for name, found in zip(names_of(whole), whole.excess, strict=True)
        if name in excess and len(name) < 7  # a longer one may be cut off
    ]
    assert len(common) > 2_000
    found, expected = zip(*common, strict=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    most = Counter(names_of(whole)).most_common(1)[0][1]
    assert most > 100


def test_a_block_is_the_same_each_time(few_rows: int) -> None:
    """The parts are a function of the random stream."""
    one, other = (
        draw_block(mixture(), np.random.default_rng(few_rows), 500, Decoding(keep=0.5), RULES)
        for _ in range(2)
    )
    assert names_of(one) == names_of(other)
    np.testing.assert_array_equal(one.excess, other.excess)


def test_a_stuck_prefix_ends_its_names() -> None:
    """Names that no symbol may follow are cut off there, with an infinite excess."""

    class Stuck:
        """Symbol 1 or 2, and after 2 nothing."""

        vocab_size = 3

        def begin(self, n: int) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
            return self.advance(np.zeros(n, dtype=np.intp), np.ones(n, dtype=np.intp))

        def blank(self, n: int) -> NDArray[np.intp]:
            return np.zeros(n, dtype=np.intp)

        def advance(
            self, state: NDArray[np.intp], symbols: NDArray[np.integer]
        ) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
            p = np.where(symbols[:, np.newaxis] == 2, 0, [[0.2, 0.4, 0.4]])
            return state, p.astype(np.float32)

        def select(self, state: NDArray[np.intp], rows: object) -> NDArray[np.intp]:
            return state

    found = draw_block(Stuck(), np.random.default_rng(1), 300, Decoding(keep=0.5), NameRules(60))
    for name, excess in zip(names_of(found), found.excess, strict=True):
        assert (excess == math.inf) == (2 in name)
        assert 2 not in name[:-2]
    assert 100 < np.isinf(found.excess).sum() < 300
