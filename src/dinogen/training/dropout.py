"""Dropout: the masks of a batch, drawn from a stream of its own for every step."""

import numpy as np
from numpy.typing import NDArray

from dinogen.models.rnn import NO_MASKS, Masks
from dinogen.models.workspace import Workspace
from dinogen.streams import Purpose, stream


class Dropout:
    """Draws masks that drop a share of the hidden units and scale up the others.

    The share is a number of 256ths, so that one random byte decides over one unit.
    """

    def __init__(self, recurrent: float, readout: float, seed: int) -> None:
        self._recurrent = recurrent
        self._readout = readout
        self._seed = seed
        self._workspace = Workspace(np.float32)

    def masks(self, step: int, names: int, symbols: int, hidden_size: int) -> Masks:
        """Draw the masks of a step, for N names of S symbols in all. They last until the next."""
        if not (self._recurrent or self._readout):
            return NO_MASKS
        random = stream(self._seed, Purpose.DROPOUT, step)
        return Masks(
            self._mask("recurrent", random, self._recurrent, names, hidden_size),
            self._mask("readout", random, self._readout, symbols, hidden_size),
        )

    def _mask(
        self, name: str, random: np.random.Generator, share: float, rows: int, columns: int
    ) -> NDArray[np.floating] | None:
        dropped = round(share * 256)
        if not dropped:
            return None
        raw = random.bit_generator.random_raw(-(-rows * columns // 8))  # 8 bytes each
        drawn = raw.view(np.uint8)[: rows * columns].reshape(rows, columns)
        mask = self._workspace.array(name, rows, columns)
        np.greater_equal(drawn, dropped, out=mask)
        mask *= 256 / (256 - dropped)
        return mask
