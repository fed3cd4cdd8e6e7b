"""Counts of n-grams, compared with dictionaries."""

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
from hypothesis import given, settings, strategies as st

from dinogen.data import END, read_corpus
from dinogen.models import Level, count, whole_counts
from tests.conftest import CORPORA
from tests.data.test_sequences import plain
from tests.networks import names_of

Gram = tuple[int, ...]

lists = st.lists(st.lists(st.integers(1, 3), max_size=5), min_size=1, max_size=10)


def in_dictionaries(
    names: list[list[int]], order: int
) -> tuple[Counter[Gram], dict[Gram, set[int]]]:
    """Count each n-gram, and collect the symbols before it, occurrence by occurrence."""
    occurrences: Counter[Gram] = Counter()
    before: dict[Gram, set[int]] = defaultdict(set)
    for name in names:
        written = (END, *name, END)
        for last in range(1, len(written)):
            for first in range(max(0, last - order + 1), last + 1):
                gram = written[first : last + 1]
                occurrences[gram] += 1
                if first:
                    before[gram].add(written[first - 1])
    return occurrences, before


def spelled(levels: list[Level]) -> list[list[Gram]]:
    """Return the n-grams of each level as tuples; `Level.following` names the contexts."""
    contexts: dict[int, Gram] = {0: ()}
    grams = []
    for level in levels:
        assert set(level.context.tolist()) == set(contexts), "every context has a symbol"
        grams.append(
            [
                (*contexts[context], symbol)
                for context, symbol in zip(
                    level.context.tolist(), level.symbol.tolist(), strict=True
                )
            ]
        )
        contexts = {
            following: gram
            for gram, following in zip(grams[-1], level.following.tolist(), strict=True)
            if following >= 0
        }
        assert sorted(contexts) == list(range(len(contexts)))
    return grams


def check(names: list[list[int]], symbols: int, order: int) -> None:
    """Compare all levels with the dictionaries."""
    levels = count(names_of(*names), symbols, order)
    occurrences, before = in_dictionaries(names, order)
    assert len(levels) == max(map(len, occurrences))
    grams = spelled(levels)
    found = [gram for level in grams for gram in level]
    assert len(found) == len(set(found))
    assert {
        gram: number
        for level, spelling in zip(levels, grams, strict=True)
        for gram, number in zip(spelling, level.occurrences.tolist(), strict=True)
    } == occurrences
    # The continuations of the longest n-grams are not counted.
    for level, spelling in list(zip(levels, grams, strict=True))[:-1]:
        for gram, continuations in zip(spelling, level.continuations.tolist(), strict=True):
            expected = len(before[gram]) if before[gram] else occurrences[gram]
            assert continuations == expected, gram


@settings(deadline=None, max_examples=100)
@given(lists, st.integers(1, 8))
def test_every_n_gram_is_counted(names: list[list[int]], order: int) -> None:
    """Each n-gram that occurs is listed once, with its occurrences and its continuations.

    The n-grams can only be spelled out if each leads to its context of the next level.
    """
    check(names, 4, order)


def test_the_n_grams_of_a_real_list_are_counted() -> None:
    """The same holds for the names of the Edda."""
    corpus = read_corpus([CORPORA / "edda.txt"])
    check(plain(corpus.names), len(corpus.vocabulary), 6)


@settings(deadline=None, max_examples=50)
@given(lists, st.integers(1, 8))
def test_n_grams_are_in_order(names: list[list[int]], order: int) -> None:
    """Contexts are numbered in the order of the n-grams that lead to them; then symbols rise."""
    for level in count(names_of(*names), 4, order):
        places = list(zip(level.context.tolist(), level.symbol.tolist(), strict=True))
        assert all(one < next_one for one, next_one in pairwise(places))
        leading = [following for following in level.following.tolist() if following >= 0]
        assert leading == list(range(len(leading)))


@settings(deadline=None, max_examples=50)
@given(lists, st.integers(2, 8))
def test_the_end_of_a_name_leads_nowhere(names: list[list[int]], order: int) -> None:
    """N-grams that end a name are not contexts; all others are.

    The end alone is a context, of a first symbol. The longest n-grams are numbered as contexts of a
    level that does not exist.
    """
    levels = count(names_of(*names), 4, order)
    first, *longer = levels
    assert (first.following >= 0).all()
    for level in longer:
        assert ((level.following >= 0) == (level.symbol != END)).all()


def test_a_count_by_hand() -> None:
    """The counts of "ab", "ac" and "ab" are those that one counts by hand."""
    one, two, three = count(names_of([1, 2], [1, 3], [1, 2]), 4, 3)
    # End, a, b, c: a follows the start only, the end follows b and c.
    assert one.symbol.tolist() == [0, 1, 2, 3]
    assert one.occurrences.tolist() == [3, 3, 2, 1]
    assert one.continuations.tolist() == [2, 1, 1, 1]
    assert one.following.tolist() == [0, 1, 2, 3]
    # Start a, ab, ac, b end, c end: the first begins names, so its occurrences count.
    assert two.context.tolist() == [0, 1, 1, 2, 3]
    assert two.symbol.tolist() == [1, 2, 3, 0, 0]
    assert two.occurrences.tolist() == [3, 2, 1, 2, 1]
    assert two.continuations.tolist() == [3, 1, 1, 1, 1]
    assert two.following.tolist() == [0, 1, 2, -1, -1]
    # Start ab, start ac, ab end, ac end.
    assert three.context.tolist() == [0, 0, 1, 2]
    assert three.symbol.tolist() == [2, 3, 0, 0]
    assert three.occurrences.tolist() == [2, 1, 2, 1]


# Weights.


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(st.lists(st.integers(1, 3), max_size=5), st.integers(1, 6)),
        min_size=1,
        max_size=10,
    ),
    st.integers(1, 8),
)
def test_a_count_is_a_repetition(names: list[tuple[list[int], int]], order: int) -> None:
    """Names that count several times give the counts of a list that repeats them."""
    counted = count(
        names_of(*(name for name, _ in names)), 4, order, np.array([times for _, times in names])
    )
    repeated = count(names_of(*(name for name, times in names for _ in range(times))), 4, order)
    for one, other in zip(counted, repeated, strict=True):
        for array, expected in zip(one, other, strict=True):
            np.testing.assert_array_equal(array, expected)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=50))
def test_counts_have_a_mean_of_about_one(weights: list[float]) -> None:
    """Counts are the weights over their mean, rounded up."""
    counts = whole_counts(np.array(weights))
    assert counts is not None
    mean = sum(weights) / len(weights)
    for number, weight in zip(counts.tolist(), weights, strict=True):
        assert max(1, weight / mean - 1e-6) <= number < weight / mean + 1
    assert 1 <= counts.mean() < 2 + 1e-6


def test_equal_weights_count_once() -> None:
    """Rounding does not turn a weight of the mean into 2."""
    for weight in (0.1, 1 / 3, 7.0, 1e9):
        counts = whole_counts(np.full(1_000, weight))
        assert counts is not None
        assert set(counts.tolist()) == {1}
    assert whole_counts(None) is None
