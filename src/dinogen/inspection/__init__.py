"""Inspection: scores of given names, and similar symbols, as numbers."""

from typing import TYPE_CHECKING

from dinogen.lazy import lazy_exports

if TYPE_CHECKING:
    from dinogen.inspection.scores import (
        Scores as Scores,
        probability_of_first as probability_of_first,
        score_names as score_names,
    )
    from dinogen.inspection.similarity import (
        MAX_SYMBOLS as MAX_SYMBOLS,
        cosines as cosines,
        embed as embed,
        flat_map as flat_map,
    )

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "scores": ["Scores", "probability_of_first", "score_names"],
        "similarity": ["MAX_SYMBOLS", "cosines", "embed", "flat_map"],
    },
)
