"""The screen draws views on stdout or into a picture; also the format of symbols and counts."""

import re
from collections.abc import Iterable
from io import StringIO
from pathlib import Path

import click
from rich.console import Console, RenderableType
from rich.text import Text

from dinogen.data.hangul import show_letter
from dinogen.data.visibility import JOINERS

END_LABEL, LINE_END_LABEL = "(end)", "(line end)"
"""The labels of the end of a name, and of a line of running text."""


_TAB = "⇥"
_WHITE_SPACE = {"\n": LINE_END_LABEL, "\t": _TAB}
"""How white space of running text is drawn, except spaces."""


def show_line(line: str) -> str:
    """Return a name or a line of running text as it is drawn: a tab becomes one column wide."""
    return line.replace("\t", _TAB)


def show_symbol(symbol: str) -> str:
    """Return a symbol as it is drawn: white space and letters of syllables become readable."""
    if symbol in JOINERS:
        return f"U+{ord(symbol):04X}"
    if symbol in _WHITE_SPACE:
        return _WHITE_SPACE[symbol]
    return "␣" if symbol.isspace() else show_letter(symbol)


MAX_WIDTH = 80
"""The maximum width of a view, in columns. Longer lines are hard to read."""

FORMATS = (".svg", ".html")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Raise the error again, so that `dinogen.cli.main` handles it."""
        raise


class Screen:
    """Draws views, one below the other, on stdout or into a picture."""

    def __init__(self, *, recording: bool = False) -> None:
        """Open a screen.

        Args:
            recording: draw into a picture of `MAX_WIDTH` columns, and nothing on stdout.
        """
        if recording:
            self._console: Console = Console(
                record=True,
                width=MAX_WIDTH,
                file=StringIO(),
                force_terminal=True,
                color_system="truecolor",
                highlight=False,
            )
        else:
            self._console = _Console(highlight=False)

    @property
    def width(self) -> int:
        """The maximum width of a view on this screen, in columns."""
        return min(self._console.width, MAX_WIDTH)

    def draw(self, view: RenderableType) -> None:
        """Draw a view."""
        self._console.print(view, soft_wrap=False)

    def draw_lines(self, lines: Iterable[Text]) -> None:
        """Draw lines that are never wrapped."""
        if self._console.color_system is None:
            # Much faster than rich, for many lines.
            self._console.file.write("".join(f"{line.plain}\n" for line in lines))
        else:
            for line in lines:
                self.draw(line)

    def picture(self, suffix: str, title: str) -> str:
        """Return the recorded views, as HTML for the suffix ``.html``, else as SVG."""
        if suffix == ".html":
            return self._console.export_html(inline_styles=True)
        svg = self._console.export_svg(title=title, unique_id="dinogen")
        # Web fonts are removed, so that a viewer fetches nothing. Any fixed-width font is fine.
        svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
        # Some viewers join a row of no-break spaces into one.
        return svg.replace("<text ", '<text xml:space="preserve" ')


def check_picture(path: str, *, force: bool) -> None:
    """Check that a picture can be written, before any work is done.

    Raises:
        click.ClickException: for another format, and for a file that exists, without force.
    """
    target = Path(path)
    if target.suffix.lower() not in FORMATS:
        raise click.UsageError(f"--export {path}: name a file that ends in .svg or .html.")
    if target.exists() and not force:
        raise click.ClickException(f"{path}: already exists; replace it with --force")


def grid_cell(value: float, low: float, high: float, cells: int, *, if_equal: int = 0) -> int:
    """Return the cell, counted from 0, of a value between low and high.

    Args:
        value: the value.
        low: the value of the first cell.
        high: the value of the last cell.
        cells: the number of cells.
        if_equal: the cell if low and high are equal.
    """
    return round((value - low) / (high - low) * (cells - 1)) if high > low else if_equal
