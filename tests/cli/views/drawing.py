"""Views as text."""

import io

from rich.console import Console, RenderableType


def drawn(view: RenderableType, width: int, *, colour: bool) -> str:
    """Draw a view on a terminal of a given width, and return the text."""
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
        highlight=False,
        _environ={},
    )
    with console.capture() as capture:
        console.print(view)
    return capture.get()
