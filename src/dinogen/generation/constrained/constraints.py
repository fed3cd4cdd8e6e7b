"""Constraints on names, compiled into one automaton over the symbols of a model."""

from collections.abc import Iterable, Sequence
from functools import cached_property, reduce
from unicodedata import normalize

import numpy as np

from dinogen.data.case import CaseRule
from dinogen.data.cleaning import MAX_NAME_LENGTH
from dinogen.data.search import TextSearch
from dinogen.data.sequences import END, Names
from dinogen.data.vocabulary import Vocabulary
from dinogen.errors import SettingError
from dinogen.generation.constrained.automata import (
    Automaton,
    absorb,
    build_automaton,
    build_search,
    build_trie,
    forbid,
    intersect,
    trim,
)
from dinogen.generation.options import BOUNDS, Options
from dinogen.generation.rules import rules_automaton
from dinogen.generation.stream import NameFilter

_CONSTRAINTS = (
    "prefix",
    "suffix",
    "contains",
    "not_contains",
    "pattern",
    "min_length",
    "max_length",
)
"""The options that are compiled into the automaton."""


def compile_constraints(
    options: Options, vocabulary: Vocabulary, case: CaseRule
) -> Automaton | None:
    """Build the automaton that accepts the names that satisfy the constraints.

    Args:
        options: the sampling options. Those of `_CONSTRAINTS` are used.
        vocabulary: the symbols of the model.
        case: the case rule of the training names. It says which symbols are the same.

    Returns:
        The automaton; None without constraints.

    Raises:
        SettingError: for an unknown symbol, and if no name can satisfy the constraints. The
            message names the constraints.
    """
    if all(getattr(options, name) in (None, ()) for name in _CONSTRAINTS):
        return None
    compiler = _Compiler(vocabulary, case)
    prefixes, suffixes = _written(options.prefix), _written(options.suffix)
    forbidden = compiler.possible(options.not_contains)
    parts: dict[str, Automaton] = {}
    if prefixes:
        parts[_describe("prefix", prefixes)] = compiler.prefix(prefixes)
    if suffixes:
        parts[_describe("suffix", suffixes)] = compiler.suffix(suffixes)
    for text in _written(options.contains):
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
    whole = trim(intersect(rules_automaton(vocabulary), whole))
    if whole.is_empty:
        constraints = " and ".join(parts)
        raise SettingError(f"{constraints}: no name can satisfy this; relax the constraints")
    return whole


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
    classes = _SymbolClasses(vocabulary, case)
    found = [symbol for text in classes.possible(texts).values() for symbol in (*text, END)]
    if not found:
        return None
    search = TextSearch(Names.split(np.array(found, dtype=np.uint32)))
    return lambda names: ~search.find(Names(classes.numbers[names.symbols], names.starts))


def _written(texts: Iterable[str]) -> list[str]:
    """Return the texts that are not empty."""
    return [text for text in texts if text]


def _describe(option: str, texts: Iterable[str]) -> str:
    """Describe a constraint, for messages."""
    return f"{option} {' or '.join(map(repr, texts))}"


class _SymbolClasses:
    """The classes of the symbols that are the same for constraints, numbered after `END`.

    Attributes:
        numbers: (V,) the class of each symbol; of the end, `END`.
    """

    def __init__(self, vocabulary: Vocabulary, case: CaseRule) -> None:
        self._case = case
        self._number: dict[str, int] = {}  # of each key
        keys = [case.key(symbol) for symbol in vocabulary.symbols]
        found = [self._number.setdefault(key, len(self._number) + 1) for key in keys]
        self.numbers = np.array([END, *found], dtype=np.uint32)  # (V,)
        self._vocabulary = vocabulary

    def __len__(self) -> int:
        """The number of classes, the end included."""
        return len(self._number) + 1

    def number(self, symbol: str) -> int | None:
        """Return the class of a symbol; None if the vocabulary has none of the class."""
        return self._number.get(self._case.key(symbol))

    def possible(self, texts: Iterable[str]) -> dict[str, list[int]]:
        """Encode the texts that a name can contain: not empty, without an unknown symbol."""
        composed = {text: normalize("NFC", text) for text in texts}
        numbers = {symbol: self.number(symbol) for symbol in set("".join(composed.values()))}
        encoded = {
            text: [number for symbol in found if (number := numbers[symbol])]
            for text, found in composed.items()
        }
        return {
            text: found for text, found in encoded.items() if 0 < len(found) == len(composed[text])
        }

    def between(self, first: str, last: str) -> set[int]:
        """Return the classes of the symbols from a first to a last one, in code point order."""
        low, high = self._rank(first), self._rank(last)
        return {number for rank, number in self._ranks if low <= rank <= high}

    @cached_property
    def _ranks(self) -> list[tuple[str, int]]:
        """Each symbol of the vocabulary, as `_rank` returns it, and its class."""
        ranks = map(self._rank, self._vocabulary.symbols)
        return [*zip(ranks, self.numbers[1:].tolist(), strict=True)]

    def _rank(self, symbol: str) -> str:
        """Return a symbol that stands for a symbol in the order of code points."""
        # Keys of more than one symbol, as of "ß", have no place in the order.
        key = self._case.key(symbol)
        return key if len(key) == 1 else symbol.lower() if len(symbol.lower()) == 1 else symbol


class _Compiler:
    """Builds the automaton of a single constraint, over the classes of symbols."""

    def __init__(self, vocabulary: Vocabulary, case: CaseRule) -> None:
        self._classes = _SymbolClasses(vocabulary, case)
        self._symbols = range(1, len(self._classes))  # all classes but that of the end

    def expand(self, automaton: Automaton) -> Automaton:
        """Convert an automaton over classes to one over symbols."""
        return Automaton(automaton.transitions[:, self._classes.numbers], automaton.accepts)

    def prefix(self, texts: Sequence[str]) -> Automaton:
        """Accept names that begin with one of some texts."""
        return absorb(build_trie(self._encode("prefix", texts), len(self._classes)))

    def suffix(self, texts: Sequence[str]) -> Automaton:
        """Accept names that end with one of some texts."""
        return build_search(self._encode("suffix", texts), len(self._classes))

    def contains(self, text: str) -> Automaton:
        """Accept names that contain a text."""
        return absorb(build_search(self._encode("contains", [text]), len(self._classes)))

    def possible(self, texts: Iterable[str]) -> dict[str, list[int]]:
        """Encode the texts that a name can contain."""
        longest = int(BOUNDS["max_length"][1])
        return self._classes.possible(text for text in texts if len(text) <= longest)

    def not_contains(self, texts: dict[str, list[int]]) -> Automaton:
        """Accept names that contain none of some texts, which `possible` encodes."""
        return forbid(build_search(texts.values(), len(self._classes)))

    def min_length(self, length: int) -> Automaton:
        """Accept names of at least ``length`` symbols."""

        def next_states(written: int) -> list[int | None]:
            return [None, *(min(written + 1, length) for _ in self._symbols)]

        return build_automaton(0, next_states, lambda written: written == length)

    def max_length(self, length: int) -> Automaton:
        """Accept names of at most ``length`` symbols."""

        def next_states(written: int) -> list[int | None]:
            return [None, *(written + 1 if written < length else None for _ in self._symbols)]

        return build_automaton(0, next_states, lambda written: True)

    def pattern(self, text: str) -> Automaton:
        """Accept names that match a glob. A state is a set of positions in the glob."""
        items = self._parse(text)

        def skip_runs(positions: set[int]) -> frozenset[int]:
            # None stands for "*", which may match no symbol.
            for position, item in enumerate(items):
                if position in positions and item is None:
                    positions.add(position + 1)
            return frozenset(positions)

        def next_states(positions: frozenset[int]) -> list[frozenset[int] | None]:
            states: list[frozenset[int] | None] = [None]
            for symbol in self._symbols:
                reached = set()
                for position in positions:
                    if position == len(items):
                        continue
                    item = items[position]
                    if item is None:
                        reached.add(position)
                    elif symbol in item:
                        reached.add(position + 1)
                states.append(skip_runs(reached) if reached else None)
            return states

        return build_automaton(
            skip_runs({0}), next_states, lambda positions: len(items) in positions
        )

    def _encode(self, option: str, texts: Iterable[str]) -> list[list[int]]:
        """Convert texts to classes."""
        encoded = []
        for text in texts:
            _check_length(option, text, int(BOUNDS["max_length"][1]))
            composed = normalize("NFC", text)
            encoded.append([self._number(f"{option} {text!r}", symbol) for symbol in composed])
        return encoded

    def _parse(self, pattern: str) -> list[frozenset[int] | None]:
        """Parse a glob into items: a set of classes, or None for ``*``."""
        _check_length("pattern", pattern, MAX_NAME_LENGTH)
        text = normalize("NFC", pattern)
        items: list[frozenset[int] | None] = []
        position = 0
        while position < len(text):
            sign = text[position]
            negated = text.startswith(("!", "^"), position + 1)
            closing = text.find("]", position + 2 + negated)
            if sign == "*":
                items += [None] if items[-1:] != [None] else []
            elif sign == "?":
                items.append(frozenset(self._symbols))
            elif sign == "[" and closing > 0:
                items.append(self._parse_set(pattern, text[position + 1 : closing]))
                position = closing
            elif sign == "[" and not self._classes.number(sign):
                raise SettingError(f"pattern {pattern!r}: [ is not closed; write ] after the set")
            else:
                items.append(frozenset([self._number(f"pattern {pattern!r}", sign)]))
            position += 1
        return items

    def _parse_set(self, pattern: str, inside: str) -> frozenset[int]:
        """Parse the text between brackets: symbols and ranges of symbols."""
        negated = inside.startswith(("!", "^"))
        rest = inside[negated:]
        chosen = set()
        while rest:
            first, last = rest[0], rest[0]
            if len(rest) > 2 and rest[1] == "-":
                last, rest = rest[2], rest[2:]
            rest = rest[1:]
            chosen |= self._classes.between(first, last)
        if negated:
            chosen = set(self._symbols) - chosen
        if not chosen:
            raise SettingError(
                f"pattern {pattern!r}: the model has no symbol of [{inside}]; "
                "use symbols of the training list"
            )
        return frozenset(chosen)

    def _number(self, constraint: str, symbol: str) -> int:
        """Return the class of a symbol of a constraint."""
        number = self._classes.number(symbol)
        if number is None:
            raise SettingError(
                f"{constraint}: unknown symbol {symbol!r}; "
                "dinogen inspect lists the symbols of the model"
            )
        return number


def _check_length(option: str, text: str, longest: int) -> None:
    """Refuse the text of an option if it is longer than a maximum."""
    if len(text) > longest:
        raise SettingError(
            f"{option}: {len(text):,} symbols, more than the maximum of {longest:,}; "
            "use a shorter text"
        )
