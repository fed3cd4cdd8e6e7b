"""The corpus: names that were read, cleaned, folded and deduplicated, with statistics."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dinogen.data.case import CaseRule, merge_variants
from dinogen.data.given import GivenNames
from dinogen.data.hangul import to_letters
from dinogen.data.lists import read_list
from dinogen.data.marks import learn_pairs
from dinogen.data.sequences import Names, digest
from dinogen.data.sources import source_name
from dinogen.data.statistics import CorpusStats
from dinogen.data.tables import Columns
from dinogen.data.units import CHARACTER, UNITS, WORD
from dinogen.data.vocabulary import MAX_VOCABULARY_SIZE, Vocabulary
from dinogen.errors import CorpusError, SettingError
from dinogen.rng import Purpose, random_stream


@dataclass(frozen=True)
class Corpus:
    """Names for training.

    Attributes:
        names: the names in the order of the list.
        vocabulary: the vocabulary of the names.
        case: the case rule of the list.
        known: (D,) sorted digests of the distinct names.
        stats: the statistics.
        warnings: what in the list does not look like names, one line each.
    """

    names: Names
    vocabulary: Vocabulary
    case: CaseRule
    known: NDArray[np.uint64]
    stats: CorpusStats
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Corpus: {self.stats.describe()}, {self.vocabulary.describe()}>"

    @cached_property
    def pairs(self) -> NDArray[np.uint32]:
        """(P, 2) pairs of neighbours with marks, see `learn_pairs`."""
        return learn_pairs(self.names, self.vocabulary)


def read_corpus(
    sources: Sequence[str | Path | GivenNames],
    *,
    fold_case: bool = True,
    keep_duplicates: bool = False,
    unit: str = CHARACTER.name,
    encoding: str | None = None,
    column: str | int | None = None,
    weights: str | int | None = None,
) -> Corpus:
    """Read one or more lists as one corpus.

    Args:
        sources: paths, or `dinogen.data.sources.STDIN` for standard input; or names in memory,
            which have no encoding and no columns.
        fold_case: fold the names to small letters, and restore the capitals of the list on output.
        keep_duplicates: keep a name as often as it occurs.
        unit: what a symbol is: "character" or "word". Words are not folded.
        encoding: the encoding of the sources; None for UTF-8, or what the byte order mark says.
        column: the column of names, if the sources are tables: its name in the first row, or its
            position, counted from 1.
        weights: the column of weights, such as counts, likewise. A name is kept once, and the
            weights of its rows add up. A row of weight 0 is left out.

    Raises:
        CorpusError: if a source cannot be read, if `clean` refuses its text, or if there are fewer
            than two distinct names.
        SettingError: for an unknown unit.
    """
    if unit not in UNITS:
        raise SettingError(f"unit must be {' or '.join(UNITS)}, not {unit!r}")
    symbols = UNITS[unit]
    label = " + ".join(
        str(source) if isinstance(source, GivenNames) else source_name(source) for source in sources
    )
    if weights is not None and column is None:
        raise CorpusError(f"{label}: a column of weights needs a column of names")
    columns = None if column is None else Columns(column, weights)
    lists = [
        source.read(symbols)
        if isinstance(source, GivenNames)
        else read_list(source, encoding=encoding, columns=columns, unit=symbols)
        for source in sources
    ]
    text = "".join(each.text for each in lists)
    if not text:
        raise CorpusError(f"{label}: contains no names; give a list with one name per line")
    line_weights: NDArray[np.float64] | None = None  # (L,)
    if weights is not None:
        line_weights = np.array([weight for each in lists for weight in each.weights or ()])
    plain = text
    text = to_letters(merge_variants(text)) if symbols is CHARACTER else merge_variants(text)
    folds = fold_case and symbols is CHARACTER
    case, text = CaseRule.learn(text) if folds else (CaseRule.unchanged(), text)
    vocabulary = Vocabulary.of(text, symbols)
    if symbols is WORD and vocabulary.size > MAX_VOCABULARY_SIZE:
        raise CorpusError(
            f"{label}: {len(vocabulary) - 1:,} different words, too many to learn; give a list of "
            "fewer words, or learn its characters without --unit word"
        )
    names = vocabulary.encode(text)
    lines = len(names)
    known, first, index = np.unique(
        digest(names), return_index=True, return_inverse=True
    )  # (D,), (D,), (L,)
    if len(known) < 2:
        name = text.partition("\n")[0]
        raise CorpusError(f"{label}: only one distinct name, {name!r}; add at least one more")
    weight = None
    if line_weights is not None:
        totals = np.bincount(index, line_weights).astype(np.float64)  # (D,)
        names.weights = totals[index]  # (L,)
        weight = float(totals.sum())
        keep_duplicates = False
    if not keep_duplicates and len(known) < lines:
        is_first = np.zeros(lines, dtype=np.bool_)
        is_first[first] = True
        names = names.filter(is_first)
    # Equal weights say nothing.
    if names.weights is not None and names.weights.min() == names.weights.max():
        names.weights = line_weights = weight = None
    lengths = vocabulary.lengths(names)  # (N,)
    stats = CorpusStats(
        lines=lines,
        names=len(names),
        duplicates=lines - len(known),
        shortest=int(lengths.min()),
        longest=int(lengths.max()),
        sha256=_sha256(plain, line_weights),
        weight=weight,
    )
    warnings = tuple(warning for each in lists for warning in each.warnings)
    return Corpus(names, vocabulary, case, known, stats, warnings)


def _sha256(text: str, weights: NDArray[np.float64] | None) -> str:
    """Return the SHA-256 of a clean list, followed by its weights, if any."""
    result = hashlib.sha256(text.encode())
    if weights is not None:
        result.update(weights.astype("<f8").tobytes())
    return result.hexdigest()


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
