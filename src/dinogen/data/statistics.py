"""The statistics of a corpus, which sampling needs without the corpus."""

from typing import NamedTuple

MAX_HELD_OUT = 1_000
"""The maximum number of held-out names. With more, the held-out loss is hardly more exact."""


class CorpusStats(NamedTuple):
    """Statistics of a corpus.

    Attributes:
        lines: lines that hold a name.
        names: names for training and hold-out: the distinct ones, or all if duplicates are kept.
        duplicates: lines that repeat an earlier name, after folding.
        shortest: length of the shortest name: its symbols, but each Hangul syllable counts once.
        longest: length of the longest name.
        sha256: SHA-256 of the cleaned list in UTF-8, one name per line. A file that is already
            clean has the same SHA-256. Weights follow the list, as numbers in float64.
        weight: the sum of the weights; None if all names weigh the same.
    """

    lines: int
    names: int
    duplicates: int
    shortest: int
    longest: int
    sha256: str
    weight: float | None = None

    @property
    def distinct(self) -> int:
        """The number of distinct names."""
        return self.lines - self.duplicates

    @property
    def keeps_duplicates(self) -> bool:
        """Whether duplicates were kept."""
        return self.names > self.distinct

    def held_out_count(self, share: float) -> int:
        """Return how many distinct names to hold out: a share, at most `MAX_HELD_OUT`."""
        return min(MAX_HELD_OUT, int(share * self.distinct))
