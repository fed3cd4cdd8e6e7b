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


MOST_NAMES = 4_096
FEWEST_NAMES = 16
_ROOM = 1 << 21


def names_at_a_time(model: LanguageModel) -> int:
    """Count the names to ask a model about side by side: what it answers takes 16 MiB at the most.

    Returns:
        A power of two from `FEWEST_NAMES` to `MOST_NAMES`, which it is up to 512 symbols.
    """
    _, p = model.advance(model.start(1), np.zeros(1, dtype=np.intp))  # (1, V)
    fitting: int = 1 << ((_ROOM // p.shape[1]).bit_length() - 1)
    return max(FEWEST_NAMES, min(MOST_NAMES, fitting))
