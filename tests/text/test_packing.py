"""Packing, against a twin that lays names out by loops."""

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dinogen.text.names import Names
from dinogen.text.packing import pack

# Some of the names to pack, in any order, as often as one likes.
cases = st.lists(st.lists(st.integers(1, 5), max_size=6), min_size=1, max_size=8).flatmap(
    lambda names: st.tuples(
        st.just(names), st.lists(st.integers(0, len(names) - 1), min_size=1, max_size=10)
    )
)


def arrays(names: list[list[int]]) -> Names:
    """Lay names out end to end, each closed by a 0."""
    return Names.split(np.array([i for name in names for i in [*name, 0]], dtype=np.uint8))


@settings(deadline=None, max_examples=80)
@given(cases)
def test_agrees_with_a_literal_twin(case: tuple[list[list[int]], list[int]]) -> None:
    """Step by step, longest name first, each running name reads a symbol and then the next."""
    names, rows = case
    packed = pack(arrays(names), np.array(rows))
    order = sorted(rows, key=lambda row: -len(names[row]))
    inputs, targets, sizes = [], [], []
    for step in range(len(names[order[0]]) + 1):
        running = [names[row] for row in order if step <= len(names[row])]
        inputs += [[0, *name][step] for name in running]
        targets += [[*name, 0][step] for name in running]
        sizes.append(len(running))
    assert packed.inputs.tolist() == inputs
    assert packed.targets.tolist() == targets
    assert packed.sizes == sizes
    assert packed.rows.tolist() == order


@settings(deadline=None, max_examples=80)
@given(cases)
def test_every_pair_of_every_name_occurs_once(case: tuple[list[list[int]], list[int]]) -> None:
    """What is packed is each name's pairs of symbol and next symbol, each at its own step."""
    names, rows = case
    packed = pack(arrays(names), np.array(rows))
    expected = Counter(
        (row, step, symbol, following)
        for row in rows
        for step, (symbol, following) in enumerate(
            zip([0, *names[row]], [*names[row], 0], strict=True)
        )
    )
    steps = [(step, place) for step, size in enumerate(packed.sizes) for place in range(size)]
    found = Counter(
        (int(packed.rows[place]), step, symbol, following)
        for (step, place), symbol, following in zip(
            steps, packed.inputs.tolist(), packed.targets.tolist(), strict=True
        )
    )
    assert found == expected
    assert packed.sizes[0] == len(rows)
    assert all(now >= later for now, later in pairwise(packed.sizes))
    assert not packed.inputs[: len(rows)].any()
