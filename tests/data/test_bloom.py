"""Bloom filters: they contain what was put in, and few others."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from dinogen.data import BloomFilter

digests = st.lists(st.integers(0, 2**64 - 1), max_size=60, unique=True)


def as_array(numbers: list[int]) -> NDArray[np.uint64]:
    """Return digests as an array."""
    return np.array(sorted(numbers), dtype=np.uint64)


def literal_bits(numbers: list[int], size: int, hashes: int) -> set[int]:
    """Return the indices of the bits that are set, with the integers of Python."""
    return {
        (number % 2**32 + i * (number >> 32 | 1)) % size
        for number in numbers
        for i in range(hashes)
    }


@settings(deadline=None, max_examples=80)
@given(digests)
def test_it_contains_all_that_was_put_in(numbers: list[int]) -> None:
    """No digest of the set is missing, at any size."""
    assert BloomFilter.of(as_array(numbers)).contains(as_array(numbers)).all()


@settings(deadline=None, max_examples=80)
@given(digests)
def test_the_bits_agree_with_a_literal_twin(numbers: list[int]) -> None:
    """The set bits are those of plain integers, for some number of hashes."""
    bits = BloomFilter.of(as_array(numbers)).bits
    assert bits.dtype == np.uint8
    size = 8 * len(bits)
    assert size & (size - 1) == 0
    assert size >= 8 * len(numbers)
    found = {place for place in range(size) if bits[place // 8] >> (place % 8) & 1}
    assert found in [literal_bits(numbers, size, hashes) for hashes in range(1, 20)]


@pytest.mark.parametrize("count", [100, 4_096, 4_097, 30_000])
def test_few_others_are_found_by_mistake(count: int) -> None:
    """Of 100,000 other digests, at most 3 % pass; the filter has about a byte per digest."""
    random = np.random.default_rng(1)
    drawn = random.integers(0, 2**64, count, dtype=np.uint64)
    bloom = BloomFilter.of(np.sort(drawn))
    assert count <= len(bloom.bits) <= 2 * count
    others = random.integers(0, 2**64, 100_000, dtype=np.uint64)
    assert bloom.contains(others).mean() < 0.03
    assert bloom.contains(drawn).all()


def test_an_empty_set_contains_nothing() -> None:
    """It has one byte, without a bit; no digest gives an empty mask."""
    bloom = BloomFilter.of(as_array([]))
    assert bloom.bits.tolist() == [0]
    assert not bloom.contains(as_array([0, 1, 2**63])).any()
    assert bloom.contains(as_array([])).shape == (0,)


def test_the_bits_are_all_that_is_needed() -> None:
    """A filter that is made from the bits of another one contains the same."""
    numbers = as_array([*range(1, 200)])
    bloom = BloomFilter.of(numbers)
    again = BloomFilter(bloom.bits.copy())
    others = np.arange(10_000, dtype=np.uint64)
    np.testing.assert_array_equal(again.contains(others), bloom.contains(others))
