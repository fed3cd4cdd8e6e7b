"""The learning curve."""

from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from dinogen.cli.views.plot import plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dinogen.checkpoint.contents import HistoryRow


def curve(history: "Sequence[HistoryRow]", width: int, rows: int) -> list[RenderableType]:
    """Draw the losses along the way; nothing where there are fewer than two."""
    smoothed = [(row["step"], row["smoothed_loss"]) for row in history if "smoothed_loss" in row]
    evaluated = [row for row in history if "train" in row]
    # The first loss is that of knowing nothing: drawn along, it would flatten all the rest.
    evaluated = evaluated[1:] or evaluated
    train = [(row["step"], row["train"]) for row in evaluated]
    held_out = [(row["step"], row["heldout"]) for row in evaluated if row["heldout"] is not None]
    if smoothed:
        title, series = "smoothed loss, nats per name", {"●": smoothed}
    else:
        title = "loss of the network, nats per symbol: · training" + (
            ", ● held out" if held_out else ""
        )
        series = {"·": train, "●": held_out}
    if max(map(len, series.values())) < 2:
        return []
    lines = [Text(line) for line in plot(series, width, rows, "steps")]
    for line in lines:
        line.highlight_regex("●", "green")
        line.highlight_regex("·", "yellow")
    return [Text(title, style="cyan"), *lines]
