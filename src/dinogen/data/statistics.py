"""The statistics of a corpus, of names or of text, which sampling needs without the corpus."""

from typing import NamedTuple

MAX_HELD_OUT = 1_000
"""The maximum number of held-out names. With more, the held-out loss is hardly more exact."""

MAX_HELD_OUT_SYMBOLS = 250_000
"""The maximum number of held-out symbols of running text, for the same reason."""


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
    def content(self) -> str:
        """What the corpus consists of."""
        return "names"

    def describe(self) -> str:
        """Return the size of the corpus for a message."""
        return f"{self.names:,} name{'s' * (self.names != 1)}"

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


class TextStats(NamedTuple):
    """Statistics of running text.

    Attributes:
        texts: texts that hold more than white space.
        lines: lines of all texts, blank ones included.
        symbols: symbols that a model reads, the ends of lines included. Each letter of a Hangul
            syllable is one.
        sha256: SHA-256 of the cleaned texts in UTF-8, one after the other, each ended by a newline.
            A file that is already clean has the same SHA-256.
    """

    texts: int
    lines: int
    symbols: int
    sha256: str

    @property
    def content(self) -> str:
        """What the corpus consists of."""
        return "text"

    def describe(self) -> str:
        """Return the size of the corpus for a message."""
        return f"{self.symbols:,} symbol{'s' * (self.symbols != 1)}"

    def held_out_count(self, share: float) -> int:
        """Return how many symbols to hold out: a share, at most `MAX_HELD_OUT_SYMBOLS`."""
        return min(MAX_HELD_OUT_SYMBOLS, int(share * self.symbols))
