"""Names, shuffled anew for every epoch and cut into packed batches."""

import numpy as np

from dinogen.streams import Purpose, stream
from dinogen.text.names import Names
from dinogen.text.packing import Packed, pack


class Batches:
    """The minibatches of a training run, by step: any step's batch can be had at any time.

    Attributes:
        per_epoch: batches in one pass over the names; the last one of a pass may be smaller.
    """

    def __init__(self, names: Names, batch_size: int, seed: int) -> None:
        self._names = names
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = -1
        self._order = np.empty(0, dtype=np.int64)  # (N,)
        self.per_epoch = -(-len(names) // batch_size)

    def __getitem__(self, step: int) -> Packed:
        """Pack the batch of a step, counted from 0."""
        epoch, batch = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            random = stream(self._seed, Purpose.SHUFFLE, epoch)
            self._epoch, self._order = epoch, random.permutation(len(self._names))
        first = batch * self._batch_size
        return pack(self._names, self._order[first : first + self._batch_size])
