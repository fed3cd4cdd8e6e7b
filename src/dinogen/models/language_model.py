"""The protocol between models and everything that samples or scores with them."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Symbols = NDArray[np.integer]
Rows = slice | NDArray[np.integer] | NDArray[np.bool_]

State = Any
"""The state of N unfinished sequences. Only the model that made it looks inside."""

MIN_PROBABILITY = 1e-35
"""The floor of every probability. In float32, much smaller numbers become 0."""


class LanguageModel(Protocol):
    """Gives the probability of each next symbol after the symbols read so far.

    One of the V symbols is the end of a name. A model knows how a name begins; its users do not.
    """

    @property
    def vocab_size(self) -> int:
        """V, the end of a name included."""
        ...

    def begin(self, n: int) -> tuple[State, Array]:
        """Start n names.

        Returns:
            The state, and (n, V) probabilities of the first symbol; see `advance`.
        """
        ...

    def blank(self, n: int) -> State:
        """Return the state of n sequences of which nothing is known, not even where they begin."""
        ...

    def advance(self, state: State, symbols: Symbols) -> tuple[State, Array]:
        """Read one more symbol of each sequence.

        Args:
            state: of N sequences; it must not be used again afterwards.
            symbols: (N,) the last symbol of each.

        Returns:
            The new state, and (N, V) probabilities of the next symbol. None is 0, each row sums to
            1, and the caller may overwrite them.
        """
        ...

    def select(self, state: State, rows: Rows) -> State:
        """Return the state of some of the sequences, in the order of ``rows``."""
        ...


MAX_BLOCK = 4_096
MIN_BLOCK = 16
_MAX_BLOCK_NUMBERS = 1 << 21


def max_block_size(vocab_size: int) -> int:
    """Return how many names to process side by side, so that (N, V) probabilities fit 16 MiB.

    Returns:
        A power of two from `MIN_BLOCK` to `MAX_BLOCK`; `MAX_BLOCK` for up to 512 symbols.
    """
    fitting = 1 << ((_MAX_BLOCK_NUMBERS // vocab_size).bit_length() - 1)
    return max(MIN_BLOCK, min(MAX_BLOCK, fitting))
