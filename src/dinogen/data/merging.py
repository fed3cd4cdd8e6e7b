"""Merging: the symbols, capitals and pairs of several lists become those of one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.data.case import CaseRule
from dinogen.data.letters import script_of, scripts_with_case, small_of
from dinogen.data.sequences import END
from dinogen.data.shapes import WordShape
from dinogen.data.vocabulary import Vocabulary


class Translation(NamedTuple):
    """How the symbols of a list are written in a merged vocabulary, and read back.

    Attributes:
        written: (V,) the merged index of each symbol of the list.
        read: (U,) the list's index of each merged symbol; V for those that the list does not have.
        renamed: the symbols of the list that are written as another one, and that one.
    """

    written: NDArray[np.uint32]
    read: NDArray[np.uint32]
    renamed: Mapping[str, str]


def merge_vocabularies(
    vocabularies: Sequence[Vocabulary], case: CaseRule
) -> tuple[Vocabulary, list[Translation]]:
    """Collect the symbols of several vocabularies of the same unit.

    Apostrophes of two forms become one, and so do spaces. If the lists fold case, the capitals of a
    list without small letters become small, if another list has small ones in that script.

    Args:
        vocabularies: the vocabularies; at least one.
        case: the case rule of one of the lists. It says which symbols are the same, and whether the
            lists fold case: all of them or none.

    Returns:
        The merged vocabulary, and the translation of each vocabulary.
    """
    every = frozenset[str]().union(*(vocabulary.symbols for vocabulary in vocabularies))
    chosen = [_choose(vocabulary, every, case) for vocabulary in vocabularies]
    symbols = sorted(frozenset[str]().union(*chosen))
    merged = Vocabulary(symbols, vocabularies[0].unit)
    index = {symbol: i for i, symbol in enumerate(symbols, start=1)}
    translations = []
    for vocabulary, names in zip(vocabularies, chosen, strict=True):
        own = {name: i for i, name in enumerate(names, start=1)}
        same = {case.key(name): i for name, i in reversed(own.items())}
        read = [own.get(s) or same.get(case.key(s), vocabulary.unknown) for s in symbols]
        written = [index[name] for name in names]
        pairs = zip(vocabulary.symbols, names, strict=True)
        translations.append(
            Translation(
                np.array([END, *written], dtype=np.uint32),
                np.array([END, *read], dtype=np.uint32),
                {symbol: name for symbol, name in pairs if symbol != name},
            )
        )
    return merged, translations


def _choose(vocabulary: Vocabulary, every: frozenset[str], case: CaseRule) -> Sequence[str]:
    """Return the merged symbol of each symbol of a vocabulary, all of them different.

    Args:
        vocabulary: the vocabulary.
        every: the symbols of all vocabularies.
        case: a case rule.
    """
    # The scripts that only other lists write with small letters.
    scripts = scripts_with_case(every) - scripts_with_case(vocabulary.symbols)
    chosen = []
    for symbol in vocabulary.symbols:
        small, plain = small_of(symbol), CaseRule.unchanged().key(symbol)
        if case.folds and small and script_of(symbol) in scripts:
            chosen.append(small)
        elif plain in every and plain not in vocabulary:
            chosen.append(plain)
        else:
            chosen.append(symbol)
    return chosen if len(set(chosen)) == len(chosen) else vocabulary.symbols


def merge_cases(
    cases: Sequence[CaseRule], weights: Sequence[float], translations: Sequence[Translation]
) -> CaseRule:
    """Collect the capitals of several lists that all fold case, or none of them.

    A word that the lists write in different ways is written as in those of the greatest weight.

    Args:
        cases: the case rule of each list; at least one.
        weights: the weight of each list.
        translations: the translation of the symbols of each list.
    """
    capital_after: set[str] = set()
    found: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for case, weight, (*_, renamed) in zip(cases, weights, translations, strict=True):
        capital_after |= {renamed.get(symbol, symbol) for symbol in case.capital_after}
        table = {ord(symbol): name for symbol, name in renamed.items() if len(symbol) == 1}
        for text, shape in case.shapes:
            found[text.translate(table)][shape] += weight
    shapes = tuple(
        WordShape(text, max(shapes, key=lambda shape: (shapes[shape], shape)))
        for text, shapes in sorted(found.items())
    )
    return CaseRule(cases[0].folds, frozenset(capital_after), shapes)


def merge_pairs(
    pairs: Sequence[NDArray[np.unsignedinteger]], translations: Sequence[Translation]
) -> NDArray[np.uint32]:
    """Collect the pairs of neighbours of several lists, see `dinogen.data.marks.learn_pairs`.

    Args:
        pairs: (P, 2) pairs of each list; at least one array.
        translations: the translation of the symbols of each list.

    Returns:
        (P, 2) pairs of merged indices, sorted.
    """
    merged = [
        translation.written[each] for each, translation in zip(pairs, translations, strict=True)
    ]
    return np.unique(np.concatenate(merged), axis=0)
