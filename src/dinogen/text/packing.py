"""Names side by side: time-major, longest first, so that no padding is ever multiplied."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dinogen.text.names import Names


@dataclass(frozen=True)
class Packed:
    """N names as T steps: step t holds the names that are still running, S symbols in all.

    Attributes:
        inputs: (S,) what is read at each step: the end symbol first, then the name.
        targets: (S,) what follows it: the name, then the end symbol.
        sizes: the T numbers of names still running, never rising; ``sizes[0]`` is N.
        rows: (N,) which of the packed names stands in which place, longest first.
    """

    inputs: NDArray[np.unsignedinteger]
    targets: NDArray[np.unsignedinteger]
    sizes: list[int]
    rows: NDArray[np.int64]


def pack(names: Names, rows: NDArray[np.int64]) -> Packed:
    """Pack the names at the indices ``rows`` (N,), at least one, in an order of its own."""
    lengths = names.starts[rows + 1] - names.starts[rows]  # (N,)
    order = np.argsort(-lengths, kind="stable")  # (N,)
    rows, lengths = rows[order], lengths[order]
    steps = np.arange(lengths[0])  # (T,)
    sizes = np.searchsorted(-lengths, -steps, side="left")  # (T,) names longer than t
    place = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # (S,)
    targets = names.starts[rows][place] + np.repeat(steps, sizes)  # (S,)
    # A name follows the end of the one before it; before the first, index -1 is the last end.
    return Packed(names.symbols[targets - 1], names.symbols[targets], sizes.tolist(), rows)
