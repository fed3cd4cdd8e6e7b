"""What a model expects next."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from dinogen.models.language_model import LanguageModel
from dinogen.text.names import END


def expect(model: LanguageModel, written: Iterable[int]) -> NDArray[np.floating]:
    """(V,) how likely each symbol is to come after what is written of a name; END is its end.

    Args:
        model: only its answers are asked for.
        written: the indices of the symbols so far, from the first one on.
    """
    state, p = model.advance(model.start(1), np.array([END]))  # (1, V)
    for symbol in written:
        state, p = model.advance(state, np.array([symbol]))  # (1, V)
    first: NDArray[np.floating] = p[0]
    return first
