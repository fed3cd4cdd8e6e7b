"""The one question that generation and scoring ask of a model."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

State = Any
"""What a model remembers of N unfinished names. Only the model that made it looks inside."""

LEAST = 1e-35
"""Where models cut off what is unlikely: not far below, float32 would make it 0."""

Rows = slice | NDArray[np.integer] | NDArray[np.bool_]


class LanguageModel(Protocol):
    """Given what is written so far, how likely is each next symbol, the end included?

    A name begins by advancing over the end symbol, index 0: one name starts where another ends.
    """

    def start(self, n: int) -> State:
        """Remember nothing yet, for n names."""
        ...

    def advance(
        self, state: State, symbols: NDArray[np.integer]
    ) -> tuple[State, NDArray[np.floating]]:
        """Read one more symbol of each name.

        Args:
            state: of N names; not to be used again afterwards.
            symbols: (N,) the symbol last written in each.

        Returns:
            The new state, and (N, V) probabilities of what comes next: none is 0, each row sums to
            1, and they are the caller's to overwrite.
        """
        ...

    def select(self, state: State, rows: Rows) -> State:
        """Keep some of the names, in the order of ``rows`` (a slice, indices or a mask)."""
        ...
