"""The command line: reads options, prints results; the only part that knows about screens."""

from typing import TYPE_CHECKING

from dinogen.lazy import lazy_exports

if TYPE_CHECKING:
    from dinogen.cli.main import group as group, run_command as run_command
    from dinogen.cli.options import BUNDLED as BUNDLED
    from dinogen.cli.progress import (
        SAVE_EVERY as SAVE_EVERY,
        SAVE_PAUSE as SAVE_PAUSE,
        Autosave as Autosave,
    )
    from dinogen.cli.terminal import (
        DONE as DONE,
        FAILED as FAILED,
        INTERRUPTED as INTERRUPTED,
        WRONG_USAGE as WRONG_USAGE,
        printable as printable,
        stop_on_signal as stop_on_signal,
    )

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "main": ["group", "run_command"],
        "options": ["BUNDLED"],
        "progress": ["Autosave", "SAVE_EVERY", "SAVE_PAUSE"],
        "terminal": [
            "DONE",
            "FAILED",
            "INTERRUPTED",
            "WRONG_USAGE",
            "printable",
            "stop_on_signal",
        ],
    },
)
