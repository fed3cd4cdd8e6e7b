"""Digests: equal for equal names, different for different names."""

import sys
from itertools import product
from string import ascii_lowercase

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dinogen.data import Names, Vocabulary, contains, digest

words = st.lists(st.integers(1, 3), max_size=8)


def arrays(names: list[list[int]], dtype: type[np.unsignedinteger] = np.uint8) -> Names:
    """Build names from lists of indices."""
    return Names.split(np.array([i for name in names for i in [*name, 0]], dtype=dtype))


def mixed(value: int) -> int:
    """Return one output of SplitMix64, computed with Python integers."""
    value = (value + 0x9E3779B97F4A7C15) % 2**64
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ value >> 27) * 0x94D049BB133111EB % 2**64
    return value ^ value >> 31


def literal(name: list[int]) -> int:
    """Return the digest of one name, computed as a sum of powers."""
    terms = (
        mixed(index) * 0x9E3779B97F4A7C15**place for place, index in enumerate([*name, 0], start=1)
    )
    return mixed(sum(terms) % 2**64)


def test_the_mixer_is_the_published_one() -> None:
    """The twin mixes as SplitMix64 does: its first output for seed 0 is the published one."""
    assert mixed(0) == 0xE220A8397B1DCDAF


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.integers(1, 70_000), max_size=8), max_size=6))
def test_agrees_with_a_literal_twin(names: list[list[int]]) -> None:
    """Digests are stored in checkpoints, so their values must never change."""
    assert digest(arrays(names, np.uint32)).tolist() == [literal(name) for name in names]


@settings(deadline=None, max_examples=80)
@given(st.lists(words, max_size=30))
def test_equal_for_equal_names_only(names: list[list[int]]) -> None:
    """Two names have the same digest if and only if they are equal."""
    found = digest(arrays(names)).tolist()
    first = {name: place for place, name in reversed([*enumerate(map(tuple, names))])}
    assert [found.index(value) for value in found] == [first[tuple(name)] for name in names]


def test_all_short_words_differ() -> None:
    """The 18,279 words of up to three letters have different digests."""
    text = "".join(
        "".join(word) + "\n" for n in range(4) for word in product(ascii_lowercase, repeat=n)
    )
    assert len(np.unique(digest(Vocabulary.of(text).encode(text)))) == 1 + 26 + 26**2 + 26**3


@settings(deadline=None, max_examples=80)
@given(st.lists(words, max_size=12), st.permutations(range(12)), st.integers(1, 5))
def test_only_the_name_matters(names: list[list[int]], places: list[int], chunk: int) -> None:
    """A digest does not depend on position, neighbours, integer type or chunk size."""
    expected = digest(arrays(names)).tolist()
    order = [place for place in places if place < len(names)]
    shuffled = arrays([[4] * 30, *(names[place] for place in order)], np.uint32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[digest.__module__], "_CHUNK", chunk)
        assert digest(arrays(names, np.uint16)).tolist() == expected
        assert digest(shuffled)[1:].tolist() == [expected[place] for place in order]


@settings(deadline=None, max_examples=60)
@given(
    st.sets(st.integers(0, 9) | st.integers(2**64 - 5, 2**64 - 1)),
    st.lists(st.integers(0, 10) | st.integers(2**64 - 6, 2**64 - 1)),
)
def test_finds_the_known_digests(known: set[int], wanted: list[int]) -> None:
    """The mask is true exactly for the numbers in the sorted array."""
    found = contains(np.array(sorted(known), np.uint64), np.array(wanted, np.uint64))
    assert found.tolist() == [number in known for number in wanted]
