"""Windows: running text in parallel streams, cut into pieces of equal length for training."""

import numpy as np
from numpy.typing import NDArray

from dinogen.data.batches import Batch
from dinogen.data.sequences import Texts
from dinogen.rng import Purpose, random_stream


class Windows:
    """The batches of a training run on running text, by step. The steps can be read in any order.

    In every epoch, the texts are read as one ring, and the ring is cut into N streams of equal
    length at a random place. A batch is the next window of T symbols of all streams. So each batch
    continues where the one before stopped, except for the first one of an epoch, and a network
    carries its states over (Mikolov et al. 2010; Williams and Peng 1990). The last symbols of a
    stream that do not fill a window are left out; in another epoch, they are others.

    Attributes:
        streams: N, the number of streams.
        per_epoch: the number of batches per epoch.
    """

    def __init__(self, texts: Texts, streams: int, window: int, seed: int) -> None:
        """Set up the windows.

        Args:
            texts: the training texts, of S symbols.
            streams: N, the number of streams. If the texts have fewer than N T symbols, the
                windows are shorter.
            window: T, the number of symbols of each stream in a batch.
            seed: the random seed of the cuts.
        """
        self._symbols = texts.symbols
        self.streams = min(streams, len(texts.symbols))
        self._length = len(texts.symbols) // self.streams  # of a stream
        self._window = min(window, self._length)
        self._seed = seed
        self.per_epoch = self._length // self._window

    def __getitem__(self, step: int) -> Batch:
        """Cut the batch of a step, counted from 0."""
        epoch, number = divmod(step, self.per_epoch)
        S, N, T = len(self._symbols), self.streams, self._window
        first = int(random_stream(self._seed, Purpose.SHUFFLE, epoch).integers(S))
        streams = np.arange(N)
        starts = first + number * T + streams * self._length  # (N,)
        places = (starts + np.arange(T)[:, np.newaxis]).reshape(-1)  # (T N,)
        return Batch(
            self._read(places - 1),
            self._read(places),
            [N] * T,
            streams,
            continues=number > 0,
        )

    def _read(self, places: NDArray[np.int64]) -> NDArray[np.unsignedinteger]:
        """Read the symbols at some places of the ring."""
        return self._symbols.take(places, mode="wrap")
