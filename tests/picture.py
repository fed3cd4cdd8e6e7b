"""Draw the README's picture from what the command itself prints: ``make pretrained``."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from dinogen.cli.checkpoints import BUNDLED

PICTURE = Path(__file__).parent / "pictures" / "dinogen.svg"
COLUMNS = 80
COMMANDS = (("sample", "--n", "7", "--seed", "5"), ("inspect",))


def output(command: tuple[str, ...]) -> str:
    """Run dinogen beside the bundled checkpoint, in colour, and give what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "dinogen.npz").symlink_to(BUNDLED)
        colours = {"FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
        done = subprocess.run(
            [sys.executable, "-m", "dinogen", *command],
            cwd=folder,
            env=os.environ | colours,
            check=True,
            capture_output=True,
            text=True,
        )
    return done.stdout


def main() -> None:
    """Write the picture."""
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    for command in COMMANDS:
        console.print(Text(f"$ dinogen {' '.join(command)}", style="bold green"))
        console.print(Text.from_ansi(output(command).rstrip()))
        console.print()
    svg = console.export_svg(title="dinogen", unique_id="dinogen")
    # Without the fonts that would be fetched from elsewhere: any fixed-width one will do.
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    # Not every viewer takes a row of hard spaces for what it is.
    svg = svg.replace("<text ", '<text xml:space="preserve" ')
    PICTURE.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
