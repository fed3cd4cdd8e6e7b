"""How likely a model finds the symbols of given names."""

import numpy as np
from numpy.typing import NDArray

from dinogen.models.language_model import LanguageModel, names_at_a_time
from dinogen.text.names import Names
from dinogen.text.packing import pack


def likelihoods(model: LanguageModel, names: Names) -> NDArray[np.float64]:
    """(S,) how likely each symbol of each name is, the end included, after those before it.

    Args:
        model: only its answers are asked for.
        names: of symbols that the model knows.
    """
    p = np.empty(len(names.symbols))  # (S,)
    together = names_at_a_time(model)
    for first in range(0, len(names), together):
        packed = pack(names, np.arange(first, min(first + together, len(names))))
        place = names.starts[packed.rows]  # (N,) where each name's next symbol stands
        state = model.start(packed.sizes[0])
        end = 0
        for step, n in enumerate(packed.sizes):
            start, end = end, end + n
            state, likely = model.advance(model.select(state, slice(n)), packed.inputs[start:end])
            p[place[:n] + step] = likely[np.arange(n), packed.targets[start:end]]
    return p
