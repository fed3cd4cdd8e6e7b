"""Novelty: against a set of names in plain Python, and how it remembers."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dinogen.generation.novelty import Novelty
from dinogen.text.digests import digests
from dinogen.text.names import Names
from tests.networks import names_of

Name = tuple[int, ...]

words = st.lists(st.integers(1, 2), max_size=3).map(tuple)
chunks_of_words = st.lists(st.lists(words, max_size=12), max_size=8)


def names_from(words: list[Name]) -> Names:
    """Build names from tuples."""
    return names_of(*map(list, words))


@settings(max_examples=120, deadline=None)
@given(taken=st.sets(words, max_size=6), chunks=chunks_of_words, repeats=st.booleans())
def test_agrees_with_a_set(taken: set[Name], chunks: list[list[Name]], repeats: bool) -> None:
    """Taken names never pass; others pass once, at their first place, or always with repeats."""
    novelty = Novelty(digests(names_from([*taken, *taken])), repeats=repeats)
    passed: set[Name] = set()
    for chunk in chunks:
        wanted = []
        for word in chunk:
            wanted.append(word not in taken and (repeats or word not in passed))
            passed.add(word)
        assert novelty.passes(names_from(chunk)).tolist() == wanted


@settings(max_examples=100, deadline=None)
@given(
    taken=st.sets(words, max_size=6),
    chunks=chunks_of_words,
    data=st.data(),
)
def test_order_decides_nothing(
    taken: set[Name], chunks: list[list[Name]], data: st.DataObject
) -> None:
    """However names are ordered and divided, each that is not taken passes exactly once."""
    known = digests(names_from(sorted(taken)))
    words = [word for chunk in chunks for word in chunk]
    shuffled = data.draw(st.permutations(words))
    whole = Novelty(known, repeats=False)
    divided = Novelty(known[::-1], repeats=False)
    at_once = names_from(shuffled).keep(whole.passes(names_from(shuffled)))
    piecewise = [names_from(chunk).keep(divided.passes(names_from(chunk))) for chunk in chunks]
    found = [digests(at_once).tolist(), [d for names in piecewise for d in digests(names).tolist()]]
    assert sorted(found[0]) == sorted(found[1])
    assert len(found[0]) == len(set(words) - taken)


def lists_of_numbers(sizes: list[int], seed: int) -> list[Names]:
    """Chunks of random names, few enough that many come again."""
    random = np.random.default_rng(seed)
    return [
        names_of(*random.integers(1, 9, (size, 4)).tolist()) if size else names_of()
        for size in sizes
    ]


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.lists(st.sampled_from([0, 1, 2, 16, 40, 300]), max_size=40),
    seed=st.integers(0, 2**32),
)
def test_what_is_remembered_is_little_and_in_order(sizes: list[int], seed: int) -> None:
    """Each name that passed is remembered once, in sorted runs that shrink by half at least."""
    novelty = Novelty(np.empty(0, dtype=np.uint64), repeats=False)
    passed: list[int] = []
    for names in lists_of_numbers(sizes, seed):
        passed += digests(names.keep(novelty.passes(names))).tolist()
        runs = novelty._runs
        assert all((run[:-1] < run[1:]).all() for run in runs)
        assert all(not np.intersect1d(one, other).size for one, other in combinations(runs, 2))
        assert all(len(one) >= 2 * len(other) for one, other in pairwise(runs))
        assert sorted(digest for run in runs for digest in run.tolist()) == sorted(passed)


def test_repeats_need_no_memory() -> None:
    """Where names may pass again, none of them is remembered."""
    novelty = Novelty(np.empty(0, dtype=np.uint64), repeats=True)
    for names in lists_of_numbers([300] * 20, seed=1):
        assert novelty.passes(names).all()
    assert novelty._runs == []


@pytest.mark.parametrize("taken", [[], [[1, 1]]])
def test_what_does_not_pass_leaves_nothing_behind(taken: list[list[int]]) -> None:
    """However often nothing new comes, there are not more runs to be searched for it."""
    novelty = Novelty(digests(names_of(*taken)), repeats=False)
    for _ in range(100):
        novelty.passes(names_of([1, 1], [1, 1]))
    assert sum(map(len, novelty._runs)) == 1 - len(taken)
    assert len(novelty._runs) <= 1
