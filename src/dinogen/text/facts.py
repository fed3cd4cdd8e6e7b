"""What is worth knowing of a list of names once the list itself is gone."""

from typing import NamedTuple

MOST_HELD_OUT = 1_000
"""However long the list: this many held-out names tell the loss well enough."""


class CorpusFacts(NamedTuple):
    """The numbers about a list.

    Attributes:
        lines: lines that hold a name.
        names: names learned from, or held out: the distinct ones, or all where duplicates are kept.
        duplicates: lines that repeat an earlier name, after folding.
        longest: symbols in the longest name.
        sha256: of the cleaned list as UTF-8, a name a line; for a clean file, that of the file.
    """

    lines: int
    names: int
    duplicates: int
    longest: int
    sha256: str

    def held_out(self, share: float) -> int:
        """Count the distinct names to hold out: a share of them, at most `MOST_HELD_OUT`."""
        return min(MOST_HELD_OUT, int(share * (self.lines - self.duplicates)))

    @property
    def keeps_duplicates(self) -> bool:
        """Whether a name was learned from as often as it occurs."""
        return self.names > self.lines - self.duplicates
