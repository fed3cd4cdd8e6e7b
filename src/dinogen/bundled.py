"""The trained model that comes with dinogen."""

from pathlib import Path

BUNDLED = Path(__file__).parent / "pretrained" / "dinosaurs.npz"
"""Its checkpoint: names of dinosaurs."""
