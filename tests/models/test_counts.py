"""Counts of n-grams, compared with dictionaries."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dinogen.data import END, Sequences, Texts, read_corpus
from dinogen.models import Level, count, whole_counts
from tests.conftest import CORPORA
from tests.networks import names_of

Gram = tuple[int, ...]

lists = st.lists(st.lists(st.integers(1, 3), max_size=5), min_size=1, max_size=10)
some_texts = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=20), min_size=1, max_size=3)


def texts_of(*texts: list[int]) -> Texts:
    """Build texts from lists of indices."""
    starts = np.cumsum([0, *map(len, texts)])
    return Texts(np.array([i for text in texts for i in text], dtype=np.uint8), starts)


def in_dictionaries(
    sequences: Sequence[Sequence[int]], order: int
) -> tuple[Counter[Gram], Counter[Gram]]:
    """Count each n-gram, and its continuations, occurrence by occurrence."""
    occurrences: Counter[Gram] = Counter()
    begun: Counter[Gram] = Counter()
    before: dict[Gram, set[int]] = defaultdict(set)
    for sequence in sequences:
        written = (END, *sequence)
        for last in range(1, len(written)):
            for first in range(max(0, last - order + 1), last + 1):
                gram = written[first : last + 1]
                occurrences[gram] += 1
                if first:
                    before[gram].add(written[first - 1])
                else:
                    begun[gram] += 1
    occurrences[END,] = max(1, occurrences[END,])
    continuations = Counter({gram: len(before[gram]) + begun[gram] for gram in occurrences})
    continuations[END,] = max(1, continuations[END,])
    return occurrences, continuations


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


def check(sequences: Sequences, symbols: int, order: int) -> None:
    """Compare all levels with the dictionaries."""
    levels = count(sequences, symbols, order)
    occurrences, expected = in_dictionaries(lists_of(sequences), order)
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
            assert continuations == expected[gram], gram


def lists_of(sequences: Sequences) -> list[list[int]]:
    """Return each sequence as a list."""
    pairs = pairwise(sequences.starts.tolist())
    return [sequences.symbols[first:last].tolist() for first, last in pairs]


@settings(deadline=None, max_examples=100)
@given(lists, st.integers(1, 8))
def test_every_n_gram_is_counted(names: list[list[int]], order: int) -> None:
    """Each n-gram that occurs is listed once, with its occurrences and its continuations.

    The n-grams can only be spelled out if each leads to its context of the next level.
    """
    check(names_of(*names), 4, order)


def test_the_n_grams_of_a_real_list_are_counted() -> None:
    """The same holds for the names of the Edda."""
    corpus = read_corpus([CORPORA / "edda.txt"])
    check(corpus.names, len(corpus.vocabulary), 6)


@settings(deadline=None, max_examples=100)
@given(some_texts, st.integers(1, 8))
def test_the_n_grams_of_texts_go_on_behind_lines(texts: list[list[int]], order: int) -> None:
    """The end of a line is a symbol like all others. Only what begins a text has nothing before it.

    A text may end anywhere, and have no end of a line at all, which then counts once.
    """
    check(texts_of(*texts), 4, order)


@pytest.mark.parametrize("symbols", [5, 255, 256, 70_000, 0x110000])
@pytest.mark.parametrize("order", [1, 2, 7, 16])
def test_any_vocabulary_can_be_counted(symbols: int, order: int) -> None:
    """Many n-grams of large vocabularies do not fit in a sort key: the counts are the same.

    The text repeats two parts, so that long n-grams occur several times.
    """
    random = np.random.default_rng(1)
    parts = [random.choice([0, 1, symbols - 2, symbols - 1], 30) for _ in range(2)]
    text = np.concatenate([parts[i] for i in random.integers(0, 2, 6)])
    sequences = Texts(text.astype(np.min_scalar_type(symbols - 1)), np.array([0, 70, len(text)]))
    check(sequences, symbols, order)


@settings(deadline=None, max_examples=50)
@given(
    st.one_of(
        lists.map(lambda names: names_of(*names)), some_texts.map(lambda texts: texts_of(*texts))
    ),
    st.integers(1, 8),
)
def test_n_grams_are_in_order(sequences: Sequences, order: int) -> None:
    """Contexts are numbered in the order of the n-grams that lead to them; then symbols rise."""
    for level in count(sequences, 4, order):
        places = list(zip(level.context.tolist(), level.symbol.tolist(), strict=True))
        assert all(one < next_one for one, next_one in pairwise(places))
        leading = [following for following in level.following.tolist() if following >= 0]
        assert leading == list(range(len(leading)))


@settings(deadline=None, max_examples=50)
@given(lists, st.integers(2, 8))
def test_the_end_of_a_name_leads_nowhere(names: list[list[int]], order: int) -> None:
    """N-grams that end a name are not contexts; all others are.

    The end alone is a context, of a first symbol. There is no level after the last one.
    """
    first, *longer = count(names_of(*names), 4, order)
    *between, last = longer
    assert (first.following >= 0).all()
    for level in between:
        assert ((level.following >= 0) == (level.symbol != END)).all()
    assert (last.following == -1).all()


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


def test_a_text_by_hand() -> None:
    """The counts of the text "ab", end of line, "ab", with the end of a line before it.

    The last b is the end of the text, but the first one is followed by the end of a line.
    """
    one, two, three = count(texts_of([1, 2, 0, 1, 2]), 3, 3)
    # End, a, b. The end stands before both a, of which one begins the text.
    assert one.symbol.tolist() == [0, 1, 2]
    assert one.occurrences.tolist() == [1, 2, 2]
    assert one.continuations.tolist() == [1, 1, 1]
    # End a, ab, b end. Only one "end a" has a symbol before it, and the other one begins the text.
    assert two.context.tolist() == [0, 1, 2]
    assert two.symbol.tolist() == [1, 2, 0]
    assert two.occurrences.tolist() == [2, 2, 1]
    assert two.continuations.tolist() == [2, 1, 1]
    assert two.following.tolist() == [0, 1, 2]
    # End ab, ab end, b end a.
    assert three.context.tolist() == [0, 1, 2]
    assert three.symbol.tolist() == [2, 0, 1]
    assert three.occurrences.tolist() == [2, 1, 1]


def test_the_last_symbols_of_a_text_lead_nowhere() -> None:
    """What occurs at the end of a text alone is not a context; what also occurs before it is."""
    one, two, _ = count(texts_of([1, 2, 1, 3]), 4, 3)
    assert one.symbol.tolist() == [0, 1, 2, 3]
    assert one.following.tolist() == [0, 1, 2, -1]
    # End a, ab, ac, ba.
    assert two.following.tolist() == [0, 1, -1, 2]


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
