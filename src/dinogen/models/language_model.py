"""The protocol between models and everything that samples or scores with them."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Symbols = NDArray[np.integer]
Rows = slice | NDArray[np.integer] | NDArray[np.bool_]

State = Any
"""The state of N unfinished sequences. Its content is private to the model that made it."""

MIN_PROBABILITY = 1e-35
"""The floor of every probability. In float32, much smaller numbers become 0."""


class LanguageModel(Protocol):
    """Gives the probability of each next symbol after the symbols read so far.

    One of the V symbols is the end of a name. `begin` includes whatever marks the start of a name,
    so callers need not know it.
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
        """Return the state of n sequences without any context, not even the start of a name."""
        ...

    def advance(self, state: State, symbols: Symbols) -> tuple[State, Array]:
        """Read one more symbol of each sequence.

        Args:
            state: the state of N sequences. Do not use it again.
            symbols: (N,) the last symbol of each.

        Returns:
            The new state, and (N, V) probabilities of the next symbol. No probability is 0, and
            each row sums to 1. The caller may overwrite them.
        """
        ...

    def select(self, state: State, rows: Rows) -> State:
        """Return the state of some of the sequences, in the order of ``rows``."""
        ...


MAX_BLOCK = 4_096
"""The maximum number of names in a block, which are sampled or scored together."""

MIN_BLOCK = 16
"""The minimum number of names in a block, for vocabularies of any size."""

_MAX_BLOCK_NUMBERS = 1 << 21
"""The maximum number of probabilities in a block of more than `MIN_BLOCK` names."""


def max_block_size(vocab_size: int, largest: int = MAX_BLOCK) -> int:
    """Return the maximum size of a block, so that its (N, V) probabilities fit in 16 MiB.

    Args:
        vocab_size: V.
        largest: the maximum for a small vocabulary, a power of two.

    Returns:
        A power of two from `MIN_BLOCK` to the largest one; with `MAX_BLOCK`, that is used for up to
        512 symbols.
    """
    fitting = 1 << ((_MAX_BLOCK_NUMBERS // vocab_size).bit_length() - 1)
    return max(MIN_BLOCK, min(largest, fitting))
