"""Novelty: compared with a plain Python set, and how it remembers names."""

from collections.abc import Callable
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from dinogen.data import Names, digest
from dinogen.generation import Novelty
from tests.networks import names_of

Name = tuple[int, ...]

words = st.lists(st.integers(1, 2), max_size=3).map(tuple)
chunks_of_words = st.lists(st.lists(words, max_size=12), max_size=8)


def names_from(words: list[Name]) -> Names:
    """Build names from tuples."""
    return names_of(*map(list, words))


@settings(max_examples=120, deadline=None)
@given(excluded=st.sets(words, max_size=6), chunks=chunks_of_words, repeats=st.booleans())
def test_agrees_with_a_set(excluded: set[Name], chunks: list[list[Name]], repeats: bool) -> None:
    """A name is new at its first occurrence, or always with repeats, unless it is excluded."""
    novelty = Novelty(digest(names_from([*excluded, *excluded])), allow_repeats=repeats)
    seen: set[Name] = set()
    for chunk in chunks:
        wanted = []
        for word in chunk:
            wanted.append(word not in excluded and (repeats or word not in seen))
            seen.add(word)
        assert novelty.find_new(names_from(chunk)).tolist() == wanted


@settings(max_examples=100, deadline=None)
@given(
    excluded=st.sets(words, max_size=6),
    chunks=chunks_of_words,
    data=st.data(),
)
def test_order_changes_nothing(
    excluded: set[Name], chunks: list[list[Name]], data: st.DataObject
) -> None:
    """In any order and division, each name that is not excluded is new exactly once."""
    known = digest(names_from(sorted(excluded)))
    words = [word for chunk in chunks for word in chunk]
    shuffled = data.draw(st.permutations(words))
    whole = Novelty(known, allow_repeats=False)
    divided = Novelty(known[::-1], allow_repeats=False)
    at_once = names_from(shuffled).filter(whole.find_new(names_from(shuffled)))
    piecewise = [names_from(chunk).filter(divided.find_new(names_from(chunk))) for chunk in chunks]
    found = [digest(at_once).tolist(), [d for names in piecewise for d in digest(names).tolist()]]
    assert sorted(found[0]) == sorted(found[1])
    assert len(found[0]) == len(set(words) - excluded)


@settings(max_examples=120, deadline=None)
@given(
    excluded=st.sets(words, max_size=4),
    refused=st.lists(st.sets(words, max_size=8), max_size=3),
    chunks=chunks_of_words,
    repeats=st.booleans(),
)
def test_a_new_name_passes_all_filters(
    excluded: set[Name], refused: list[set[Name]], chunks: list[list[Name]], repeats: bool
) -> None:
    """A name that a filter refuses is not new and not remembered. The other filters never see it.

    They do not see a name that is excluded or remembered either.
    """
    asked: list[list[Name]] = [[] for _ in refused]

    def asking(number: int) -> Callable[[Names], NDArray[np.bool_]]:
        def passes(names: Names) -> NDArray[np.bool_]:
            found = words_of(names)
            asked[number] += found
            return np.array([word not in refused[number] for word in found], dtype=np.bool_)

        return passes

    filters = [asking(number) for number in range(len(refused))]
    novelty = Novelty(digest(names_from([*excluded])), allow_repeats=repeats, filters=filters)
    new = [
        word
        for chunk in chunks
        for word in words_of(names_from(chunk).filter(novelty.find_new(names_from(chunk))))
    ]
    every = [word for chunk in chunks for word in chunk]
    expected = [word for word in every if not any(word in some for some in [excluded, *refused])]
    assert new == (expected if repeats else list(dict.fromkeys(expected)))
    remembered = [value for array in novelty._seen for value in array.tolist()]
    assert len(remembered) == (0 if repeats else len(new))
    if not repeats:
        assert all(found.count(word) == 1 for found in asked for word in new)
    unseen: set[Name] = excluded.union()
    for found, some in zip(asked, refused, strict=True):
        assert not unseen & set(found)
        unseen |= some


def words_of(names: Names) -> list[Name]:
    """Convert names to tuples."""
    ends = names.starts[1:] - 1
    pairs = zip(names.starts[:-1].tolist(), ends.tolist(), strict=True)
    return [tuple(names.symbols[start:end].tolist()) for start, end in pairs]


def random_chunks(sizes: list[int], seed: int) -> list[Names]:
    """Chunks of random names with many repeats."""
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
def test_remembered_names_are_sorted_and_distinct(sizes: list[int], seed: int) -> None:
    """Each new name is remembered once, in sorted arrays, each at most half as long as the last."""
    novelty = Novelty(np.empty(0, dtype=np.uint64), allow_repeats=False)
    new: list[int] = []
    for names in random_chunks(sizes, seed):
        new += digest(names.filter(novelty.find_new(names))).tolist()
        arrays = novelty._seen
        assert all((array[:-1] < array[1:]).all() for array in arrays)
        assert all(not np.intersect1d(one, other).size for one, other in combinations(arrays, 2))
        assert all(len(one) >= 2 * len(other) for one, other in pairwise(arrays))
        assert sorted(value for array in arrays for value in array.tolist()) == sorted(new)


def test_repeats_need_no_memory() -> None:
    """If repeats are allowed, no name is remembered."""
    novelty = Novelty(np.empty(0, dtype=np.uint64), allow_repeats=True)
    for names in random_chunks([300] * 20, seed=1):
        assert novelty.find_new(names).all()
    assert novelty._seen == []


@pytest.mark.parametrize("excluded", [[], [[1, 1]]])
def test_known_names_are_not_remembered_again(excluded: list[list[int]]) -> None:
    """Repeated calls without a new name do not add arrays."""
    novelty = Novelty(digest(names_of(*excluded)), allow_repeats=False)
    for _ in range(100):
        novelty.find_new(names_of([1, 1], [1, 1]))
    assert sum(map(len, novelty._seen)) == 1 - len(excluded)
    assert len(novelty._seen) <= 1
