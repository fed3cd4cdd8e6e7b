"""Which checkpoint is meant where none is named."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dinogen.cli.telling import tell

if TYPE_CHECKING:
    from dinogen.checkpoint.contents import Checkpoint

DEFAULT_OUTPUT = "dinogen.npz"
VARIABLE = "DINOGEN_CHECKPOINT"
BUNDLED = Path(__file__).parents[1] / "pretrained" / "dinosaurs.npz"


def load_named(path: str | None) -> "tuple[Checkpoint, Path]":
    """Load the checkpoint named, else ``$DINOGEN_CHECKPOINT``, else ``./dinogen.npz``, else ours.

    Returns:
        The checkpoint, and where it lies.
    """
    from dinogen.checkpoint.reading import load

    named = path or os.environ.get(VARIABLE)
    if named:
        chosen = Path(named)
    elif Path(DEFAULT_OUTPUT).exists():
        chosen = Path(DEFAULT_OUTPUT)
    else:
        tell("using the dinosaurs that come with dinogen (no ./dinogen.npz here)")
        chosen = BUNDLED
    return load(chosen), chosen
