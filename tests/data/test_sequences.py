"""Sequences: names as arrays are compared with names as Python lists."""

import math

import numpy as np
from hypothesis import given, settings, strategies as st

from dinogen.data import Names

lists = st.lists(st.lists(st.integers(1, 4), max_size=5), max_size=12)


def arrays(names: list[list[int]]) -> Names:
    """Build names from lists of indices."""
    flat = [index for name in names for index in [*name, 0]]
    return Names.split(np.array(flat, dtype=np.uint8))


def plain(names: Names) -> list[list[int]]:
    """Turn names back into lists of indices, without the ends."""
    pairs = zip(names.starts[:-1], names.starts[1:], strict=True)
    return [names.symbols[start : end - 1].tolist() for start, end in pairs]


@settings(deadline=None, max_examples=60)
@given(lists)
def test_splits_at_every_end(names: list[list[int]]) -> None:
    """Each end closes one name. The names and their lengths are as given."""
    split = arrays(names)
    assert plain(split) == names
    assert len(split) == len(names)
    assert split.lengths.tolist() == [len(name) + 1 for name in names]
    assert split.starts.dtype == np.int64


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_filters_by_a_mask(data: st.DataObject) -> None:
    """Filtering copies the chosen names in order, with the same type."""
    names = data.draw(lists)
    mask = data.draw(st.lists(st.booleans(), min_size=len(names), max_size=len(names)))
    whole = arrays(names)
    filtered = whole.filter(np.array(mask, dtype=np.bool_))
    assert plain(filtered) == [name for name, chosen in zip(names, mask, strict=True) if chosen]
    assert filtered.symbols.dtype == whole.symbols.dtype
    assert not np.shares_memory(filtered.symbols, whole.symbols)


@settings(deadline=None, max_examples=60)
@given(lists, st.integers(0, 5))
def test_finds_the_names_that_hold_a_symbol(names: list[list[int]], symbol: int) -> None:
    """The mask is true where the symbol, or the end, occurs in the name."""
    expected = [symbol in [*name, 0] for name in names]
    assert arrays(names).holds(symbol).tolist() == expected


@settings(deadline=None, max_examples=60)
@given(lists, st.integers(1, 20))
def test_a_subsample_is_evenly_spaced(names: list[list[int]], max_names: int) -> None:
    """A subsample starts with the first name, is evenly spaced, and is not too large."""
    some = plain(arrays(names).subsample(max_names))
    assert some == names[:: max(1, math.ceil(len(names) / max_names))]
    assert len(some) <= max_names
