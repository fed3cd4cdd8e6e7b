"""Windows: running text in parallel streams, compared with a ring that is read symbol by symbol."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.data import Batch, Texts, Windows

# N, T, S: some streams and windows fit exactly, some leave symbols out, some are too large.
SIZES = [(1, 1, 2), (1, 5, 23), (3, 4, 24), (4, 3, 50), (5, 7, 36), (7, 50, 60), (9, 3, 5)]

sizes = pytest.mark.parametrize(("streams", "window", "size"), SIZES)


def texts_of(*lengths: int) -> Texts:
    """Build texts in which every symbol occurs once, so that a symbol says where it is."""
    return Texts(np.arange(sum(lengths), dtype=np.uint16), np.cumsum([0, *lengths]))


def by_stream(batch: Batch) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """(N, T) the inputs and the targets of a batch."""
    N, T = len(batch.rows), len(batch.batch_sizes)
    assert batch.batch_sizes == [N] * T
    return batch.inputs.reshape(T, N).T, batch.targets.reshape(T, N).T


def epochs_of(windows: Windows, number: int) -> list[list[Batch]]:
    """Return the batches of the first epochs."""
    n = windows.per_epoch
    return [[windows[epoch * n + i] for i in range(n)] for epoch in range(number)]


def first_of(batches: list[Batch]) -> int:
    """Return the place of the first target of an epoch."""
    return int(batches[0].targets[0])


@sizes
def test_an_epoch_is_the_ring_in_streams(streams: int, window: int, size: int) -> None:
    """A literal loop walks each stream symbol by symbol, from the place where the ring is cut."""
    windows = Windows(texts_of(size), streams, window, seed=3)
    streams = min(streams, size)
    length = size // streams
    window = min(window, length)
    assert (windows.streams, windows.per_epoch) == (streams, length // window)
    for batches in epochs_of(windows, 4):
        cut = first_of(batches)
        for number, batch in enumerate(batches):
            inputs, targets = by_stream(batch)
            assert targets.shape == (streams, window)
            for stream in range(streams):
                for t in range(window):
                    place = cut + stream * length + number * window + t
                    assert targets[stream, t] == place % size
                    assert inputs[stream, t] == (place - 1) % size


@sizes
def test_every_symbol_is_a_target_at_most_once_in_an_epoch(
    streams: int, window: int, size: int
) -> None:
    """Fewer than one window of each stream, and than one symbol for each stream, are left out."""
    windows = Windows(texts_of(size), streams, window, seed=4)
    for batches in epochs_of(windows, 3):
        targets = np.concatenate([batch.targets for batch in batches])
        assert len(np.unique(targets)) == len(targets)
        assert size - len(targets) < windows.streams * min(window, size) + windows.streams


@pytest.mark.parametrize("lengths", [(40,), (13, 1, 2, 24), (1,) * 40])
def test_a_text_follows_the_one_before(lengths: tuple[int, ...]) -> None:
    """The texts are read as one ring: the first follows the last."""
    joined, alone = texts_of(*lengths), texts_of(40)
    for step in range(12):
        one, other = (Windows(texts, 3, 4, seed=6)[step] for texts in (joined, alone))
        np.testing.assert_array_equal(one.inputs, other.inputs)
        np.testing.assert_array_equal(one.targets, other.targets)


def test_the_end_of_the_ring_is_followed_by_its_beginning() -> None:
    """In some epoch, a stream crosses the end of the last text, within a window and between two."""
    windows = Windows(texts_of(20, 13), 2, 4, seed=1)
    within = between = 0
    for batches in epochs_of(windows, 40):
        for batch in batches:
            inputs, targets = by_stream(batch)
            for stream, t in zip(*np.nonzero(targets == 0), strict=True):
                assert inputs[stream, t] == 32
                within, between = within + (t > 0), between + (t == 0)
    assert within > 0
    assert between > 0


def test_batches_continue_except_for_the_first_of_an_epoch() -> None:
    """A batch continues if its inputs come right after the targets of the batch before."""
    windows = Windows(texts_of(60), 4, 3, seed=2)
    assert windows.per_epoch == 5
    for batches in epochs_of(windows, 3):
        assert [batch.continues for batch in batches] == [False, True, True, True, True]
        for before, after in pairwise(batches):
            np.testing.assert_array_equal(by_stream(before)[1][:, -1], by_stream(after)[0][:, 0])


def test_every_epoch_is_cut_elsewhere() -> None:
    """The cuts differ, are spread over the ring, and leave out other symbols."""
    windows = Windows(texts_of(1_000), 4, 30, seed=7)
    epochs = epochs_of(windows, 60)
    cuts = [first_of(batches) for batches in epochs]
    assert len(set(cuts)) > 50
    assert min(cuts) < 200
    assert max(cuts) >= 800
    seen = np.unique(np.concatenate([batch.targets for batches in epochs for batch in batches]))
    assert len(seen) == 1_000


def test_the_seed_and_the_step_determine_a_batch() -> None:
    """Steps can be read in any order; another seed cuts elsewhere."""
    texts = texts_of(100)
    windows, again = Windows(texts, 3, 5, seed=1), Windows(texts, 3, 5, seed=1)
    expected = [windows[step] for step in range(30)]
    for step in [29, 3, 17, 0, 6, 5]:
        np.testing.assert_array_equal(again[step].targets, expected[step].targets)
        np.testing.assert_array_equal(again[step].inputs, expected[step].inputs)
        assert again[step].continues == expected[step].continues
    other = Windows(texts, 3, 5, seed=2)
    assert [first_of(epoch) for epoch in epochs_of(other, 5)] != [
        first_of(epoch) for epoch in epochs_of(windows, 5)
    ]


def test_half_of_a_batch_continues_too() -> None:
    """Every other stream of a batch is the batch of these streams."""
    windows = Windows(texts_of(70), 5, 3, seed=1)
    for step in range(windows.per_epoch + 1):
        inputs, targets = by_stream(windows[step])
        for first in (0, 1):
            half = windows[step].every_other(first)
            assert half.continues == windows[step].continues
            np.testing.assert_array_equal(by_stream(half)[0], inputs[first::2])
            np.testing.assert_array_equal(by_stream(half)[1], targets[first::2])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_the_symbols_keep_their_type(dtype: type[np.unsignedinteger]) -> None:
    """Batches are as compact as the texts."""
    texts = Texts(np.arange(20).astype(dtype), np.array([0, 20]))
    batch = Windows(texts, 2, 4, seed=1)[0]
    assert batch.inputs.dtype == batch.targets.dtype == dtype
