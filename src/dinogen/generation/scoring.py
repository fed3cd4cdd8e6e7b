"""How well given names fit a model: -log p of each, in nats."""

import numpy as np
from numpy.typing import NDArray

from dinogen.models.language_model import LanguageModel
from dinogen.models.likelihood import likelihoods
from dinogen.text.names import Names


def score(model: LanguageModel, names: Names) -> NDArray[np.float64]:
    """(N,) the surprise at each name, its end included: -log p(name), in nats.

    Args:
        model: only its likelihoods are asked for.
        names: of symbols that the model knows.
    """
    nats: NDArray[np.float64] = -np.log(likelihoods(model, names))  # (S,)
    return np.add.reduceat(nats, names.starts[:-1]) if len(names) else nats
