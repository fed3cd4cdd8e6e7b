"""Names as arrays, against the same names as Python lists."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dinogen.text.names import Names

lists = st.lists(st.lists(st.integers(1, 4), max_size=5), max_size=12)


def arrays(names: list[list[int]]) -> Names:
    """Lay names out end to end, each closed by a 0."""
    flat = [index for name in names for index in [*name, 0]]
    return Names.split(np.array(flat, dtype=np.uint8))


def plain(names: Names) -> list[list[int]]:
    """Read names back, one at a time, without their ends."""
    pairs = zip(names.starts[:-1], names.starts[1:], strict=True)
    return [names.symbols[start : end - 1].tolist() for start, end in pairs]


@settings(deadline=None, max_examples=60)
@given(lists)
def test_splits_at_every_end(names: list[list[int]]) -> None:
    """There are as many names as ends, each of its length, and nothing is lost."""
    split = arrays(names)
    assert plain(split) == names
    assert len(split) == len(names)
    assert split.lengths.tolist() == [len(name) + 1 for name in names]
    assert split.starts.dtype == np.int64


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_keeps_what_a_mask_chooses(data: st.DataObject) -> None:
    """The chosen names stay, whole and in their order, in an array of their own and same type."""
    names = data.draw(lists)
    mask = data.draw(st.lists(st.booleans(), min_size=len(names), max_size=len(names)))
    whole = arrays(names)
    kept = whole.keep(np.array(mask, dtype=np.bool_))
    assert plain(kept) == [name for name, chosen in zip(names, mask, strict=True) if chosen]
    assert kept.symbols.dtype == whole.symbols.dtype
    assert not np.shares_memory(kept.symbols, whole.symbols)


@settings(deadline=None, max_examples=60)
@given(lists, st.integers(0, 5))
def test_tells_which_names_hold_a_symbol(names: list[list[int]], symbol: int) -> None:
    """The mask is true for the names that the symbol, or the end, occurs in."""
    expected = [symbol in [*name, 0] for name in names]
    assert arrays(names).holds(symbol).tolist() == expected


@settings(deadline=None, max_examples=60)
@given(lists, st.integers(1, 20))
def test_some_names_are_spread_over_all(names: list[list[int]], most: int) -> None:
    """At most so many are copied, the first among them, at even distances."""
    some = plain(arrays(names).spread(most))
    assert some == names[:: max(1, math.ceil(len(names) / most))]
    assert len(some) <= most
