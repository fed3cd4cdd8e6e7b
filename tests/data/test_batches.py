"""Batches: packing is compared with a slow version; an epoch has every name once."""

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from dinogen.data import Batches, Names, pack, resample
from tests.chance import chi_square

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


def numbered(names: list[list[int]]) -> NDArray[np.float64]:
    """(S, 3) soft targets that tell which name and symbol they belong to."""
    places = [(i, place) for i, name in enumerate(names) for place in range(len(name) + 1)]
    return np.array([[i, place, i + place] for i, place in places], dtype=np.float64)


@settings(deadline=None, max_examples=60)
@given(cases)
def test_soft_targets_go_with_their_symbols(case: tuple[list[list[int]], list[int]]) -> None:
    """Each row is that of the name and the place of the target beside it."""
    names, rows = case
    batch = pack(arrays(names), np.array(rows), numbered(names))
    assert batch.soft_targets is not None
    expected = [
        [row, step, row + step]
        for step, size in enumerate(batch.batch_sizes)
        for row in batch.rows[:size].tolist()
    ]
    assert batch.soft_targets.tolist() == expected
    assert pack(arrays(names), np.array(rows)).soft_targets is None


@settings(deadline=None, max_examples=80)
@given(cases, st.sampled_from([0, 1]), st.booleans())
def test_every_other_name_is_a_batch(
    case: tuple[list[list[int]], list[int]], first: int, soft: bool
) -> None:
    """Every other name of a batch, from the longest or the second one, is packed as if alone."""
    names, rows = case
    targets = numbered(names) if soft else None
    batch = pack(arrays(names), np.array(rows), targets)
    chosen = batch.rows[first::2]
    if not len(chosen):
        return
    half, expected = batch.every_other(first), pack(arrays(names), chosen, targets)
    assert half.batch_sizes == expected.batch_sizes
    for one, other in (
        (half.inputs, expected.inputs),
        (half.targets, expected.targets),
        (half.rows, expected.rows),
    ):
        np.testing.assert_array_equal(one, other)
    if half.soft_targets is None or expected.soft_targets is None:
        assert half.soft_targets is expected.soft_targets is None
    else:
        np.testing.assert_array_equal(half.soft_targets, expected.soft_targets)


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


def test_batches_have_the_soft_targets_of_their_names() -> None:
    """In every batch of two epochs, the soft targets are those of its own names and symbols."""
    names = [[i % 5 + 1] * (i % 6) for i in range(30)]
    batches = Batches(arrays(names), 8, seed=3, soft_targets=numbered(names))
    for step in range(2 * batches.per_epoch):
        batch = batches[step]
        assert batch.soft_targets is not None
        expected = pack(arrays(names), batch.rows, numbered(names)).soft_targets
        np.testing.assert_array_equal(batch.soft_targets, expected)


# Weights.

weights_of_names = st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=50).map(np.array)


@settings(deadline=None, max_examples=100)
@given(weights_of_names, st.floats(0, 1, exclude_max=True))
def test_a_name_is_drawn_as_often_as_its_weight_says(
    weights: NDArray[np.float64], offset: float
) -> None:
    """Of N draws, a name with the share s of the weight gets N s, rounded down or up."""
    N = len(weights)
    rows = resample(weights, offset)
    assert len(rows) == N
    assert (np.diff(rows) >= 0).all()
    exact = N * weights / weights.sum()
    times = np.bincount(rows, minlength=N)
    assert (times >= np.floor(exact - 1e-6)).all()
    assert (times <= np.ceil(exact + 1e-6)).all()


@settings(deadline=None, max_examples=50)
@given(weights_of_names, st.floats(0, 1, exclude_max=True))
def test_resampling_agrees_with_a_literal_twin(weights: NDArray[np.float64], offset: float) -> None:
    """The points are laid on the line one by one."""
    N, total = len(weights), float(weights.sum())
    rows = resample(weights, offset)
    ends = np.cumsum(weights) / total * N
    for i, row in enumerate(rows.tolist()):
        # Where rounding decides, either neighbour is right.
        assert i + offset <= ends[row] + 1e-6
        assert row == 0 or i + offset >= ends[row - 1] - 1e-6


def test_the_names_of_many_epochs_follow_the_weights() -> None:
    """Over many epochs the frequencies are those of the weights, also of rare names."""
    names = arrays([[i % 5 + 1] for i in range(40)])
    names.weights = np.array([1000.0, *(0.1 + i / 10 for i in range(39))])
    batches = Batches(names, 16, seed=1)
    assert batches.per_epoch == 3
    rows = [row for step in range(3 * 3_000) for row in batches[step].rows.tolist()]
    assert len(rows) == 40 * 3_000
    shares = names.weights / names.weights.sum()
    statistic, freedom = chi_square(rows, dict(enumerate(shares.tolist())))
    # Systematic resampling varies less than independent draws.
    assert statistic < freedom


def test_equal_weights_draw_each_name_once() -> None:
    """An epoch has every name, in the order that it has without weights."""
    names = arrays([[i % 5 + 1] for i in range(30)])
    without = [Batches(names, 8, seed=3)[step].rows.tolist() for step in range(8)]
    names.weights = np.full(30, 0.1)
    assert [Batches(names, 8, seed=3)[step].rows.tolist() for step in range(8)] == without


def test_weighted_batches_can_be_read_in_any_order() -> None:
    """A step does not depend on the steps before it."""
    names = arrays([[i % 5 + 1] for i in range(30)])
    names.weights = np.arange(1.0, 31.0)
    in_order = Batches(names, 8, seed=3)
    after_others = [in_order[step] for step in range(8)][7]
    np.testing.assert_array_equal(after_others.rows, Batches(names, 8, seed=3)[7].rows)
