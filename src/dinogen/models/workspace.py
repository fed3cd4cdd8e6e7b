"""Room for intermediate results, kept from one batch to the next."""

from math import prod

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Workspace:
    """Arrays by name, whose memory is used again: fresh memory costs more than small products."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._dtype = dtype
        self._rooms: dict[str, NDArray[np.floating]] = {}

    def array(self, name: str, *shape: int) -> NDArray[np.floating]:
        """Give an array of a shape, with whatever is in it; the last one of that name is lost."""
        size = prod(shape)
        room = self._rooms.get(name)
        if room is None or len(room) < size:
            # A quarter more than needed, so that slowly growing batches do not ask each time.
            room = self._rooms[name] = np.empty(size + size // 4, dtype=self._dtype)
        return room[:size].reshape(shape)
