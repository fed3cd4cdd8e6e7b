"""Minibatches: every name once an epoch, in an order that the seed alone decides."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dinogen.training.batching import Batches
from tests.networks import names_of


@settings(max_examples=50, deadline=None)
@given(count=st.integers(1, 40), batch_size=st.integers(1, 50), epoch=st.integers(0, 3))
def test_an_epoch_holds_every_name_once(count: int, batch_size: int, epoch: int) -> None:
    """Whatever the sizes, the batches of an epoch hold each name exactly once."""
    batches = Batches(names_of(*([i % 7 + 1] * (i % 4) for i in range(count))), batch_size, seed=1)
    steps = range(epoch * batches.per_epoch, (epoch + 1) * batches.per_epoch)
    rows = np.concatenate([batches[step].rows for step in steps])
    assert sorted(rows.tolist()) == list(range(count))
    assert all(batches[step].sizes[0] <= batch_size for step in steps)


def test_any_batch_can_be_had_at_any_time() -> None:
    """Batch 7 is the same whether it was come to in order or asked for first."""
    names = names_of(*([i % 5 + 1] * (i % 6 + 1) for i in range(30)))
    in_order = Batches(names, 8, seed=3)
    walked = [in_order[step] for step in range(8)][7]
    jumped = Batches(names, 8, seed=3)[7]
    np.testing.assert_array_equal(walked.rows, jumped.rows)
    np.testing.assert_array_equal(walked.inputs, jumped.inputs)


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    """Another epoch, or another seed, brings the names in another order."""
    names = names_of(*([i % 5 + 1] for i in range(40)))
    one, other = Batches(names, 40, seed=1), Batches(names, 40, seed=2)
    orders = [one[0].rows.tolist(), one[1].rows.tolist(), other[0].rows.tolist()]
    assert orders[0] != orders[1] != orders[2] != orders[0]
