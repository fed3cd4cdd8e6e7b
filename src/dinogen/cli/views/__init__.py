"""Views that `rich` draws, the charts in them, and the screen that shows or records them."""

from typing import TYPE_CHECKING

from dinogen.lazy import lazy_exports

if TYPE_CHECKING:
    from dinogen.cli.views.charts import (
        Point as Point,
        draw_losses as draw_losses,
        format_losses as format_losses,
        plot as plot,
    )
    from dinogen.cli.views.scores import (
        compared_score_lines as compared_score_lines,
        score_lines as score_lines,
        total_line as total_line,
    )
    from dinogen.cli.views.screen import Screen as Screen
    from dinogen.cli.views.summary import (
        checkpoint_view as checkpoint_view,
        comparison_view as comparison_view,
    )
    from dinogen.cli.views.symbols import next_view as next_view, similarity_view as similarity_view

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "charts": ["Point", "draw_losses", "format_losses", "plot"],
        "scores": ["compared_score_lines", "score_lines", "total_line"],
        "screen": ["Screen"],
        "summary": ["checkpoint_view", "comparison_view"],
        "symbols": ["next_view", "similarity_view"],
    },
)
