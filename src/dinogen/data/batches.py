"""Minibatches: names packed into batches, newly drawn and ordered in every epoch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dinogen.data.sequences import Names
from dinogen.rng import Purpose, random_stream


@dataclass(frozen=True, eq=False)
class Batch:
    """N names, longest first, packed by time step: T steps with S symbols in total.

    Step t holds one symbol of each name that has not ended before t.

    Attributes:
        inputs: (S,) symbol read at each step: the end symbol, then the name.
        targets: (S,) symbol predicted at each step: the name, then the end symbol.
        batch_sizes: number of names in each of the T steps; never increases, starts with N.
        rows: (N,) index of each name in the list that was packed.
        soft_targets: (S, V) probability of each symbol at each step, to be learned instead of the
            targets; None to learn the targets.
        continues: whether each row goes on where it stopped in the batch before.
    """

    inputs: NDArray[np.integer]
    targets: NDArray[np.integer]
    batch_sizes: list[int]
    rows: NDArray[np.int64]
    soft_targets: NDArray[np.floating] | None = None
    continues: bool = False

    def every_other(self, first: int) -> "Batch":
        """Return the batch of every other name, from the first (0) or from the second one (1)."""
        sizes = np.array(self.batch_sizes)  # (T,)
        column = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # (S,)
        chosen = column % 2 == first  # (S,)
        own_sizes = (sizes + 1 - first) // 2  # (T,)
        return Batch(
            self.inputs[chosen],
            self.targets[chosen],
            own_sizes[own_sizes > 0].tolist(),
            self.rows[first::2],
            None if self.soft_targets is None else self.soft_targets[chosen],
            self.continues,
        )


def pack(
    names: Names, rows: NDArray[np.int64], soft_targets: NDArray[np.floating] | None = None
) -> Batch:
    """Pack some names into a batch.

    Args:
        names: all names, of S symbols.
        rows: (N,) indices of the names to pack, N >= 1.
        soft_targets: (S, V) probability of each symbol at the place of each symbol of the names.
    """
    lengths = names.starts[rows + 1] - names.starts[rows]  # (N,)
    order = np.argsort(-lengths, kind="stable")  # (N,)
    rows, lengths = rows[order], lengths[order]
    steps = np.arange(lengths[0])  # (T,)
    sizes = np.searchsorted(-lengths, -steps, side="left")  # (T,) number of names longer than t
    column = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # (S,)
    places = names.starts[rows][column] + np.repeat(steps, sizes)  # (S,)
    # The symbol before a name is the END of the previous name. For the first name, index -1 wraps
    # around to the last END.
    return Batch(
        names.symbols[places - 1],
        names.symbols[places],
        sizes.tolist(),
        rows,
        None if soft_targets is None else soft_targets[places],
    )


class Batches:
    """The minibatches of a training run, by step. The steps can be read in any order.

    An epoch has each name once. With weights, it has as many names, each as often as its weight
    says, up to rounding.

    Attributes:
        per_epoch: the number of batches per epoch; the last batch of an epoch may be smaller.
    """

    def __init__(
        self,
        names: Names,
        batch_size: int,
        seed: int,
        soft_targets: NDArray[np.floating] | None = None,
    ) -> None:
        self._names = names
        self._soft_targets = soft_targets
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = -1
        self._order = np.empty(0, dtype=np.int64)  # (N,)
        self.per_epoch = -(-len(names) // batch_size)

    def __getitem__(self, step: int) -> Batch:
        """Pack the batch of a step, counted from 0."""
        epoch, batch = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            random = random_stream(self._seed, Purpose.SHUFFLE, epoch)
            self._epoch, self._order = epoch, self._draw(random)
        first = batch * self._batch_size
        rows = self._order[first : first + self._batch_size]
        return pack(self._names, rows, self._soft_targets)

    def _draw(self, random: np.random.Generator) -> NDArray[np.int64]:
        """(N,) indices of the names of an epoch, in random order."""
        N, weights = len(self._names), self._names.weights
        order = random.permutation(N)  # (N,)
        return order if weights is None else resample(weights, random.random())[order]


def resample(weights: NDArray[np.float64], offset: float) -> NDArray[np.int64]:
    """(N,) rising indices of N things that are drawn in proportion to (N,) weights.

    Systematic resampling (Kitagawa 1996): N points, evenly spaced, are laid on a line on which each
    thing has a part as long as its weight. So one with the share s of the weight is drawn N s
    times, rounded down or up.

    Args:
        weights: 0 or more; not all 0.
        offset: where the first point is, from 0 to less than 1 of the space between two points.
    """
    N = len(weights)
    ends = np.cumsum(weights / weights.sum())  # (N,)
    # Rounding must not leave a point behind the last end.
    return np.minimum(np.searchsorted(ends, (np.arange(N) + offset) / N, side="right"), N - 1)
