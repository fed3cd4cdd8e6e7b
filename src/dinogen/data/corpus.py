"""The corpus: names that were read, cleaned, folded and deduplicated, with statistics."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.data.case import CaseRule, merge_variants
from dinogen.data.sequences import Names, digest
from dinogen.data.sources import read_clean_text, source_name
from dinogen.data.vocabulary import Vocabulary
from dinogen.errors import CorpusError
from dinogen.rng import Purpose, random_stream

MAX_HELD_OUT = 1_000
"""The maximum number of held-out names. With more, the held-out loss is hardly more exact."""


class CorpusStats(NamedTuple):
    """Statistics of a corpus.

    Attributes:
        lines: lines that hold a name.
        names: names for training and hold-out: the distinct ones, or all if duplicates are kept.
        duplicates: lines that repeat an earlier name, after folding.
        shortest: number of symbols in the shortest name.
        longest: number of symbols in the longest name.
        sha256: SHA-256 of the cleaned list in UTF-8, one name per line. A file that is already
            clean has the same SHA-256.
    """

    lines: int
    names: int
    duplicates: int
    shortest: int
    longest: int
    sha256: str

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


@dataclass(frozen=True)
class Corpus:
    """Names for training.

    Attributes:
        names: the names in the order of the list.
        vocabulary: the vocabulary of the names.
        case: the case rule of the list.
        known: (D,) sorted digests of the distinct names.
        stats: the statistics.
    """

    names: Names
    vocabulary: Vocabulary
    case: CaseRule
    known: NDArray[np.uint64]
    stats: CorpusStats


def read_corpus(
    sources: Sequence[str | Path], *, fold_case: bool = True, keep_duplicates: bool = False
) -> Corpus:
    """Read one or more lists as one corpus.

    Args:
        sources: paths, or `dinogen.data.sources.STDIN` for standard input.
        fold_case: fold the names to small letters, and restore the capitals of the list on output.
        keep_duplicates: keep a name as often as it occurs.

    Raises:
        CorpusError: if a source cannot be read, if `clean` refuses its text, or if there are fewer
            than two distinct names.
    """
    label = " + ".join(source_name(source) for source in sources)
    text = "".join(names for source in sources for names in read_clean_text(source))
    if not text:
        raise CorpusError(f"{label}: contains no names; give a list with one name per line")
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    text = merge_variants(text)
    case, text = CaseRule.learn(text) if fold_case else (CaseRule.unchanged(), text)
    vocabulary = Vocabulary.of(text)
    names = vocabulary.encode(text)
    lines = len(names)
    known, first = np.unique(digest(names), return_index=True)  # (D,), (D,)
    if len(known) < 2:
        name = text.partition("\n")[0]
        raise CorpusError(f"{label}: only one distinct name, {name!r}; add at least one more")
    if not keep_duplicates and len(known) < lines:
        is_first = np.zeros(lines, dtype=np.bool_)
        is_first[first] = True
        names = names.filter(is_first)
    stats = CorpusStats(
        lines=lines,
        names=len(names),
        duplicates=lines - len(known),
        shortest=int(names.lengths.min()) - 1,
        longest=int(names.lengths.max()) - 1,
        sha256=sha256,
    )
    return Corpus(names, vocabulary, case, known, stats)


def hold_out(corpus: Corpus, share: float, seed: int) -> tuple[Names, Names]:
    """Split a corpus into training names and held-out names.

    The split does not depend on the order of the list. All copies of a held-out name are held out,
    so no held-out name is in the training names. `CorpusStats.held_out_count` gives the number of
    distinct held-out names.

    Args:
        corpus: the corpus.
        share: the share of the distinct names to hold out, from 0 to less than 1.
        seed: the random seed of the split.

    Returns:
        The training names and the held-out names.
    """
    index = np.searchsorted(corpus.known, digest(corpus.names))  # (N,)
    is_chosen = np.zeros(len(corpus.known), dtype=np.bool_)  # (D,)
    order = random_stream(seed, Purpose.HOLD_OUT).permutation(len(is_chosen))  # (D,)
    is_chosen[order[: corpus.stats.held_out_count(share)]] = True
    is_held_out = is_chosen[index]  # (N,)
    return corpus.names.filter(~is_held_out), corpus.names.filter(is_held_out)
