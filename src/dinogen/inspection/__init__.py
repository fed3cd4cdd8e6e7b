"""Inspection: scores of given names or text, and similar symbols, as numbers."""

from typing import TYPE_CHECKING

from dinogen.lazy import lazy_exports

if TYPE_CHECKING:
    from dinogen.inspection.passages import (
        PASSAGE as PASSAGE,
        Passage as Passage,
        TextTotal as TextTotal,
        read_passages as read_passages,
        score_passage as score_passage,
        score_text as score_text,
    )
    from dinogen.inspection.scores import (
        Score as Score,
        Scores as Scores,
        join_scores as join_scores,
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
        "passages": [
            "PASSAGE",
            "Passage",
            "TextTotal",
            "read_passages",
            "score_passage",
            "score_text",
        ],
        "scores": ["Score", "Scores", "join_scores", "probability_of_first", "score_names"],
        "similarity": ["MAX_SYMBOLS", "cosines", "embed", "flat_map"],
    },
)
