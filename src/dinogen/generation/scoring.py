"""How well given names fit a model: -log p of each, in nats."""

import numpy as np
from numpy.typing import NDArray

from dinogen.models.language_model import LanguageModel
from dinogen.text.names import Names
from dinogen.text.packing import pack

_TOGETHER = 1_024


def score(model: LanguageModel, names: Names) -> NDArray[np.float64]:
    """(N,) the surprise at each name, its end included: -log p(name), in nats.

    Args:
        model: only its likelihoods are asked for.
        names: of symbols that the model knows.
    """
    nats = np.zeros(len(names))
    for first in range(0, len(names), _TOGETHER):
        packed = pack(names, np.arange(first, min(first + _TOGETHER, len(names))))
        state = model.start(packed.sizes[0])
        end = 0
        for n in packed.sizes:
            start, end = end, end + n
            state, p = model.advance(model.select(state, slice(n)), packed.inputs[start:end])
            nats[packed.rows[:n]] -= np.log(p[np.arange(n), packed.targets[start:end]])
    return nats
