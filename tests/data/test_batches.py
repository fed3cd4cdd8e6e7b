"""Batches: packing is compared with a slow version; an epoch has every name once."""

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given, settings, strategies as st

from dinogen.data import Batches, Names, pack

# A list of names and the rows to pack, in any order and with repetitions.
cases = st.lists(st.lists(st.integers(1, 5), max_size=6), min_size=1, max_size=8).flatmap(
    lambda names: st.tuples(
        st.just(names), st.lists(st.integers(0, len(names) - 1), min_size=1, max_size=10)
    )
)


def arrays(names: list[list[int]]) -> Names:
    """Build names from lists of indices."""
    return Names.split(np.array([i for name in names for i in [*name, 0]], dtype=np.uint8))


@settings(deadline=None, max_examples=80)
@given(cases)
def test_agrees_with_a_literal_twin(case: tuple[list[list[int]], list[int]]) -> None:
    """Inputs, targets, sizes and rows are those of a loop over the steps, longest name first."""
    names, rows = case
    batch = pack(arrays(names), np.array(rows))
    order = sorted(rows, key=lambda row: -len(names[row]))
    inputs, targets, sizes = [], [], []
    for step in range(len(names[order[0]]) + 1):
        running = [names[row] for row in order if step <= len(names[row])]
        inputs += [[0, *name][step] for name in running]
        targets += [[*name, 0][step] for name in running]
        sizes.append(len(running))
    assert batch.inputs.tolist() == inputs
    assert batch.targets.tolist() == targets
    assert batch.batch_sizes == sizes
    assert batch.rows.tolist() == order


@settings(deadline=None, max_examples=80)
@given(cases)
def test_every_pair_of_every_name_occurs_once(case: tuple[list[list[int]], list[int]]) -> None:
    """A batch holds each pair of a symbol and the next symbol once, at its step."""
    names, rows = case
    batch = pack(arrays(names), np.array(rows))
    expected = Counter(
        (row, step, symbol, following)
        for row in rows
        for step, (symbol, following) in enumerate(
            zip([0, *names[row]], [*names[row], 0], strict=True)
        )
    )
    steps = [(step, place) for step, size in enumerate(batch.batch_sizes) for place in range(size)]
    found = Counter(
        (int(batch.rows[place]), step, symbol, following)
        for (step, place), symbol, following in zip(
            steps, batch.inputs.tolist(), batch.targets.tolist(), strict=True
        )
    )
    assert found == expected
    assert batch.batch_sizes[0] == len(rows)
    assert all(now >= later for now, later in pairwise(batch.batch_sizes))
    assert not batch.inputs[: len(rows)].any()


# Minibatches.


@settings(max_examples=50, deadline=None)
@given(count=st.integers(1, 40), batch_size=st.integers(1, 50), epoch=st.integers(0, 3))
def test_an_epoch_has_every_name_once(count: int, batch_size: int, epoch: int) -> None:
    """For all sizes, the batches of an epoch hold each name exactly once."""
    batches = Batches(arrays([[i % 7 + 1] * (i % 4) for i in range(count)]), batch_size, seed=1)
    steps = range(epoch * batches.per_epoch, (epoch + 1) * batches.per_epoch)
    rows = np.concatenate([batches[step].rows for step in steps])
    assert sorted(rows.tolist()) == list(range(count))
    assert all(batches[step].batch_sizes[0] <= batch_size for step in steps)


def test_batches_can_be_read_in_any_order() -> None:
    """Batch 7 is the same after batches 0 to 6 and as the first one."""
    names = arrays([[i % 5 + 1] * (i % 6 + 1) for i in range(30)])
    in_order = Batches(names, 8, seed=3)
    after_others = [in_order[step] for step in range(8)][7]
    first = Batches(names, 8, seed=3)[7]
    np.testing.assert_array_equal(after_others.rows, first.rows)
    np.testing.assert_array_equal(after_others.inputs, first.inputs)


def test_epochs_and_seeds_have_their_own_orders() -> None:
    """Another epoch and another seed each give another order of the names."""
    names = arrays([[i % 5 + 1] for i in range(40)])
    one, other = Batches(names, 40, seed=1), Batches(names, 40, seed=2)
    orders = [one[0].rows.tolist(), one[1].rows.tolist(), other[0].rows.tolist()]
    assert orders[0] != orders[1] != orders[2] != orders[0]
