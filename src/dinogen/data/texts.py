"""Running text: texts that were read and cleaned, with statistics. Every character counts."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from dinogen.data.case import CaseRule
from dinogen.data.cleaning import clean_parts
from dinogen.data.sequences import END, Texts
from dinogen.data.sources import read_text, source_name, split_lines
from dinogen.data.statistics import MAX_HELD_OUT_SYMBOLS, TextStats
from dinogen.data.units import CHARACTER, UNITS, WORD, Unit
from dinogen.data.vocabulary import MAX_VOCABULARY_SIZE, Vocabulary
from dinogen.errors import CorpusError, SettingError


@dataclass(frozen=True)
class TextCorpus:
    """Running text for training.

    Attributes:
        texts: the texts, one for each source that is not blank. Each ends with `END`.
        vocabulary: the vocabulary of the texts.
        stats: the statistics.
        warnings: what is odd about the texts, one line each.
    """

    texts: Texts
    vocabulary: Vocabulary
    stats: TextStats
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<TextCorpus: {self.stats.describe()}, {self.vocabulary.describe()}>"

    @property
    def case(self) -> CaseRule:
        """The case rule: running text is learned with its capitals."""
        return CaseRule.unchanged()


def read_texts(
    sources: Sequence[str | Path],
    *,
    unit: str = CHARACTER.name,
    encoding: str | None = None,
) -> TextCorpus:
    """Read one or more running texts as one corpus.

    A newline becomes `END`, whatever ends the lines of the source. So does a form feed or a
    vertical tab. Nothing else changes but the normal form, see `clean_text`: tabs, blank lines and
    spaces at the ends of lines are learned. A text whose last line is unfinished gets a newline.
    Blank sources are left out.

    Args:
        sources: paths, or `dinogen.data.sources.STDIN` for standard input; each is one text.
        unit: what a symbol is: "character" or "word". Words lie between white space; of that,
            only the ends of lines are learned.
        encoding: the encoding of the sources; None for UTF-8, or what the byte order mark says.

    Raises:
        CorpusError: if a source cannot be read or is not text, if `clean_text` refuses its text, or
            if there are fewer than two different symbols.
        SettingError: for an unknown unit.
    """
    if unit not in UNITS:
        raise SettingError(f"unit must be {' or '.join(UNITS)}, not {unit!r}")
    symbols = UNITS[unit]
    label = " + ".join(source_name(source) for source in sources)
    # The parts are joined as symbols, which take less memory than characters.
    texts = [[*_read_parts(source, symbols, encoding)] for source in sources]
    texts = [parts for parts in texts if not all(map(str.isspace, parts))]
    if not texts:
        raise CorpusError(f"{label}: contains no text; give a file with running text")
    vocabulary = _collect(texts, symbols, label)
    encoded = [[vocabulary.encode_text(part) for part in parts] for parts in texts]
    lengths = [sum(map(len, arrays)) for arrays in encoded]
    joined = np.concatenate([*chain(*encoded)])  # (S,)
    sha256 = hashlib.sha256()
    for part in chain(*texts):
        sha256.update(part.encode())
    stats = TextStats(
        texts=len(texts),
        lines=int(np.count_nonzero(joined == END)),
        symbols=len(joined),
        sha256=sha256.hexdigest(),
    )
    return TextCorpus(Texts(joined, np.cumsum([0, *lengths])), vocabulary, stats)


def hold_out_text(corpus: TextCorpus, share: float) -> tuple[Texts, Texts]:
    """Split a corpus into training texts and held-out texts: the last part of each text.

    Args:
        corpus: the corpus.
        share: the share of each text to hold out, from 0 to less than 1. At most
            `MAX_HELD_OUT_SYMBOLS` are held out.

    Returns:
        The training texts and the held-out texts.
    """
    return corpus.texts.split(share, MAX_HELD_OUT_SYMBOLS)


def _read_parts(source: str | Path, unit: Unit, encoding: str | None) -> Iterator[str]:
    """Read the clean parts of a text."""
    chunks = read_text(source, encoding, option="--encoding", is_text=True)
    parts = split_lines(chunks, source, is_text=True)
    return clean_parts(parts, source_name(source), unit, is_text=True)


def _collect(texts: Sequence[Sequence[str]], unit: Unit, label: str) -> Vocabulary:
    """Collect the vocabulary of texts in parts, and refuse one that is too small or too large."""
    found: set[str] = set()
    for parts in texts:
        for part in parts:
            found.update(part.split() if unit is WORD else part)
    vocabulary = Vocabulary.of(unit.join(found) + "\n", unit)
    if len(vocabulary.symbols) < 2:
        raise CorpusError(
            f"{label}: only one {unit.noun}, {vocabulary.symbols[0]!r}, again and again; give a "
            "text with more"
        )
    if unit is WORD and vocabulary.size > MAX_VOCABULARY_SIZE:
        raise CorpusError(
            f"{label}: {len(vocabulary.symbols):,} different words, too many to learn; give a text "
            "of fewer words, or learn its characters without --unit word"
        )
    return vocabulary
