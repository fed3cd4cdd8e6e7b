"""A list of names, read, cleaned, folded, without duplicates, and ready to be learned from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dinogen.errors import CorpusError
from dinogen.streams import Purpose, stream
from dinogen.text.case import CaseRule
from dinogen.text.digests import digests
from dinogen.text.facts import CorpusFacts
from dinogen.text.names import Names
from dinogen.text.sources import read_names, source_name
from dinogen.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class Corpus:
    """Names to learn from, with what is needed to write such names again.

    Attributes:
        names: the names in the order of the list.
        vocabulary: their symbols.
        case: how their case was folded.
        known: (D,) sorted digests of the distinct names.
        facts: the numbers about the list.
    """

    names: Names
    vocabulary: Vocabulary
    case: CaseRule
    known: NDArray[np.uint64]
    facts: CorpusFacts


def read_corpus(
    sources: Sequence[str | Path], *, fold_case: bool = True, keep_duplicates: bool = False
) -> Corpus:
    """Read one or more lists as one.

    Args:
        sources: paths, or `dinogen.text.sources.STDIN` for standard input.
        fold_case: learn from lower-cased names, and give capitals back where most names have them.
        keep_duplicates: learn from a name as often as it occurs.

    Raises:
        CorpusError: for a source that cannot be read, for what `clean` refuses, for an empty list
            and for one of fewer than two distinct names.
    """
    label = " + ".join(source_name(source) for source in sources)
    text = "".join(names for source in sources for names in read_names(source))
    if not text:
        raise CorpusError(f"{label}: no names in it; give a list of one name a line")
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    case = CaseRule.learn(text) if fold_case else CaseRule.keep()
    text = case.apply(text)
    vocabulary = Vocabulary.of(text)
    names = vocabulary.encode(text)
    lines = len(names)
    known, first = np.unique(digests(names), return_index=True)  # (D,), (D,)
    if len(known) < 2:
        raise CorpusError(
            f"{label}: one distinct name, {text.partition(chr(10))[0]!r}; at least two are needed"
        )
    if not keep_duplicates and len(known) < lines:
        is_first = np.zeros(lines, dtype=np.bool_)
        is_first[first] = True
        names = names.keep(is_first)
    facts = CorpusFacts(
        lines=lines,
        names=len(names),
        duplicates=lines - len(known),
        longest=int(names.lengths.max()) - 1,
        sha256=sha256,
    )
    return Corpus(names, vocabulary, case, known, facts)


def hold_out(corpus: Corpus, share: float, seed: int) -> tuple[Names, Names]:
    """Set a share of the distinct names apart, as many as `CorpusFacts.held_out` says.

    Which names are chosen does not depend on the order of the list. All copies of a chosen name
    are set apart with it, so that nothing held out was ever learned from.

    Args:
        corpus: the names.
        share: from 0 to less than 1.
        seed: which names; see `stream`.

    Returns:
        The names to learn from, and those held out.
    """
    which = np.searchsorted(corpus.known, digests(corpus.names))  # (N,)
    chosen = np.zeros(len(corpus.known), dtype=np.bool_)  # (D,)
    order = stream(seed, Purpose.HOLD_OUT).permutation(len(chosen))  # (D,)
    chosen[order[: corpus.facts.held_out(share)]] = True
    held_out = chosen[which]  # (N,)
    return corpus.names.keep(~held_out), corpus.names.keep(held_out)
