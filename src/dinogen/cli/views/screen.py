"""Where views are drawn: on stdout, or into a picture."""

import re
from collections.abc import Iterable
from io import StringIO
from pathlib import Path

import click
from rich.console import Console, RenderableType
from rich.text import Text

WIDEST = 80
"""Columns beyond which a view gets no wider: long lines are hard to read."""

FORMATS = (".svg", ".html")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command what to do when the reader has gone."""
        raise


class Screen:
    """Draws views, one below the other, and may keep them as a picture."""

    def __init__(self, *, recording: bool = False) -> None:
        """Open stdout, or, to record, nothing but a picture of `WIDEST` columns."""
        if recording:
            self._console: Console = Console(
                record=True,
                width=WIDEST,
                file=StringIO(),
                force_terminal=True,
                color_system="truecolor",
                highlight=False,
            )
        else:
            self._console = _Console(highlight=False)

    @property
    def width(self) -> int:
        """Columns that a view may take."""
        return min(self._console.width, WIDEST)

    def draw(self, view: RenderableType) -> None:
        """Draw a view, no line of it broken where it does not break itself."""
        self._console.print(view, soft_wrap=False)

    def draw_lines(self, lines: Iterable[Text]) -> None:
        """Draw lines that are never broken; at once where they have no colours."""
        if self._console.color_system is None:
            self._console.file.write("".join(f"{line.plain}\n" for line in lines))
        else:
            for line in lines:
                self.draw(line)

    def picture(self, suffix: str, title: str) -> str:
        """Give what was recorded as a picture or a page."""
        if suffix == ".html":
            return self._console.export_html(inline_styles=True)
        svg = self._console.export_svg(title=title, unique_id="dinogen")
        # Without the fonts that would be fetched from elsewhere: any fixed-width one will do.
        svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
        # Not every viewer takes a row of hard spaces for what it is.
        return svg.replace("<text ", '<text xml:space="preserve" ')


def check_picture(path: str, *, force: bool) -> None:
    """Make sure that a picture can be written, before any work is done.

    Raises:
        click.ClickException: if it cannot.
    """
    target = Path(path)
    if target.suffix.lower() not in FORMATS:
        raise click.UsageError(f"--export {path}: name a file that ends in .svg or .html.")
    if target.exists() and not force:
        raise click.ClickException(f"{path}: exists already; --force replaces it")
