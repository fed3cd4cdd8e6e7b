"""Constraints on names, compiled into one automaton over the symbols of a model."""

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from dinogen.data.case import CaseRule
from dinogen.data.search import TextSearch
from dinogen.data.sequences import END, Names
from dinogen.data.vocabulary import Vocabulary
from dinogen.errors import SettingError
from dinogen.generation.constrained.alphabet import Alphabet, Classes, UnknownSymbolError
from dinogen.generation.constrained.automata import (
    DEAD,
    MAX_TRANSITIONS,
    START,
    TOO_COMPLEX,
    Automaton,
    absorb,
    build_search,
    build_trie,
    forbid,
    intersect,
    trim,
)
from dinogen.generation.constrained.neighbours import accept_some, successors_automaton
from dinogen.generation.constrained.patterns import PatternCompiler
from dinogen.generation.options import BOUNDS, CONSTRAINTS, Options
from dinogen.generation.stream import NameFilter
from dinogen.generation.successors import Successors


def compile_constraints(
    options: Options,
    vocabulary: Vocabulary,
    case: CaseRule,
    successors: Successors | None = None,
) -> Automaton | None:
    """Build the automaton that accepts the names that satisfy the constraints.

    Args:
        options: the sampling options. Those of `CONSTRAINTS` are used.
        vocabulary: the symbols of the model.
        case: the case rule of the training names. It says which symbols are the same.
        successors: which symbol may follow which; None if marks may follow all symbols. The
            automaton does not have the rule for marks, which would need many states, but some name
            satisfies both.

    Returns:
        The automaton; None without constraints.

    Raises:
        SettingError: for an unknown symbol, and if no name can satisfy the constraints. The
            message names the constraints.
    """
    if all(getattr(options, name) in (None, ()) for name in CONSTRAINTS):
        return None
    compiler = _Compiler(vocabulary, case)
    prefixes, suffixes = compiler.written(options.prefix), compiler.written(options.suffix)
    forbidden = compiler.possible(options.not_contains)
    parts: dict[str, Automaton] = {}
    if prefixes:
        parts[_describe("prefix", prefixes)] = compiler.prefix(prefixes)
    if suffixes:
        parts[_describe("suffix", suffixes)] = compiler.suffix(suffixes)
    for text in compiler.written(options.contains):
        parts[_describe("contains", [text])] = compiler.contains(text)
    if forbidden:
        parts[_describe("not contains", list(forbidden))] = compiler.not_contains(forbidden)
    if options.pattern is not None:
        parts[_describe("pattern", [options.pattern])] = compiler.pattern(options.pattern)
    if options.min_length is not None and options.min_length > 1:  # no name is empty
        parts[f"min length {options.min_length}"] = compiler.min_length(options.min_length)
    if options.max_length is not None:
        parts[f"max length {options.max_length}"] = compiler.max_length(options.max_length)
    if not parts:
        return None
    whole = compiler.expand(reduce(intersect, parts.values()))
    whole = trim(intersect(successors_automaton(Successors.of(vocabulary)), whole))
    constraints = " and ".join(parts)
    if whole.is_empty:
        raise SettingError(f"{constraints}: no name can satisfy this; relax the constraints")
    if successors and not accept_some(successors, whole):
        raise SettingError(
            f"{constraints}: no name can satisfy this, because the training list never has such a "
            "mark after such a symbol; relax the constraints"
        )
    return whole


def compile_prefix(options: Options, vocabulary: Vocabulary, case: CaseRule) -> Automaton | None:
    """Build the automaton that accepts the names with the prefix, if there is no other constraint.

    Args:
        options: the sampling options, which `compile_constraints` has accepted.
        vocabulary: the symbols of the model.
        case: the case rule of the training names. It says which symbols are the same.

    Returns:
        The automaton; None if the prefix is not the only constraint.
    """
    if any(getattr(options, name) not in (None, ()) for name in CONSTRAINTS if name != "prefix"):
        return None
    compiler = _Compiler(vocabulary, case)
    prefixes = compiler.written(options.prefix)
    return compiler.expand(compiler.prefix(prefixes)) if prefixes else None


def compile_avoided(
    texts: Iterable[str], vocabulary: Vocabulary, case: CaseRule
) -> NameFilter | None:
    """Build the filter of the names that contain none of many texts.

    An automaton of them would be too large. A filter gives the same distribution.

    Args:
        texts: the texts. One with an unknown symbol occurs in no name.
        vocabulary: the symbols of the model.
        case: the case rule of the training names. It says which symbols are the same.

    Returns:
        The filter; None if no name can contain one of the texts.
    """
    alphabet = Alphabet(vocabulary, case)
    readings = alphabet.possible(texts).values()
    found = [number for each in readings for classes in each for number in (*classes, END)]
    if not found:
        return None
    search = TextSearch(Names.split(np.array(found, dtype=np.uint32)))
    return lambda names: ~search.find(alphabet.classify(names))


def _describe(option: str, texts: Iterable[str]) -> str:
    """Describe a constraint, for messages."""
    return f"{option} {' or '.join(map(repr, texts))}"


class _Compiler:
    """Builds the automaton of a single constraint, over the classes of symbols."""

    def __init__(self, vocabulary: Vocabulary, case: CaseRule) -> None:
        self._alphabet = Alphabet(vocabulary, case)
        self._width = len(self._alphabet)

    def written(self, texts: Iterable[str]) -> list[str]:
        """Return the texts that are not empty."""
        return [text for text in texts if self._alphabet.vocabulary.unit.split(text)]

    def expand(self, automaton: Automaton) -> Automaton:
        """Convert an automaton over classes to one over symbols."""
        return self._alphabet.expand(automaton)

    def prefix(self, texts: Sequence[str]) -> Automaton:
        """Accept names that begin with one of some texts."""
        return absorb(build_trie(self._read("prefix", texts), self._width))

    def suffix(self, texts: Sequence[str]) -> Automaton:
        """Accept names that end with one of some texts."""
        return build_search(self._read("suffix", texts), self._width)

    def contains(self, text: str) -> Automaton:
        """Accept names that contain a text."""
        return absorb(build_search(self._read("contains", [text]), self._width))

    def possible(self, texts: Iterable[str]) -> dict[str, list[Classes]]:
        """Read the texts that a name can contain."""
        longest, unit = int(BOUNDS["max_length"][1]), self._alphabet.vocabulary.unit
        return self._alphabet.possible(text for text in texts if unit.length(text) <= longest)

    def not_contains(self, texts: dict[str, list[Classes]]) -> Automaton:
        """Accept names that contain none of some texts, which `possible` reads."""
        readings = (classes for each in texts.values() for classes in each)
        return forbid(build_search(readings, self._width))

    def min_length(self, length: int) -> Automaton:
        """Accept names of at least ``length`` symbols."""
        accepts = np.arange(length + 2) == START + length  # (Q,)
        return Automaton(self._count(length, START + length), accepts)

    def max_length(self, length: int) -> Automaton:
        """Accept names of at most ``length`` symbols."""
        accepts = np.arange(length + 2) != DEAD  # (Q,)
        return Automaton(self._count(length, DEAD), accepts)

    def _count(self, length: int, beyond: int) -> NDArray[np.int32]:
        """(Q, C) transitions that count up to a length. Then follows the state ``beyond``."""
        if (length + 2) * self._width > MAX_TRANSITIONS:
            raise SettingError(TOO_COMPLEX)
        counts = ~np.isin(np.arange(self._width), self._alphabet.continuing)  # (C,)
        after = np.arange(length + 1)[:, np.newaxis] + counts  # (Q - 1, C)
        after = np.where(after > length, beyond, START + after)
        after[:, END] = DEAD
        return np.concatenate([np.full((1, self._width), DEAD), after]).astype(np.int32)

    def pattern(self, text: str) -> Automaton:
        """Accept names that match a pattern from start to end."""
        return PatternCompiler(self._alphabet).compile(text)

    def _read(self, option: str, texts: Iterable[str]) -> Iterator[Classes]:
        """Yield the sequences of classes that texts stand for."""
        longest, unit = int(BOUNDS["max_length"][1]), self._alphabet.vocabulary.unit
        for text in texts:
            if (length := unit.length(text)) > longest:
                raise SettingError(
                    f"{option}: {length:,} {unit.noun}s, more than the maximum of {longest:,}; "
                    "use a shorter text"
                )
            try:
                yield from self._alphabet.read(text)
            except UnknownSymbolError as error:
                raise SettingError(f"{option} {text!r}: {error}") from None
