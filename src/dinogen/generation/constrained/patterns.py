"""Patterns: globs for whole names, compiled into an automaton over the classes of symbols.

An item of a pattern matches what a reader counts as one: a symbol, a Hangul syllable, a word.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import product
from unicodedata import normalize

from dinogen.data.hangul import (
    is_final,
    is_initial,
    is_letter,
    is_syllable,
    is_vowel,
    letter_forms,
    syllable_of,
    to_letters,
)
from dinogen.data.units import WORD
from dinogen.errors import SettingError
from dinogen.generation.constrained.alphabet import Alphabet, Classes, UnknownSymbolError
from dinogen.generation.constrained.automata import Automaton, build_automaton

MAX_ITEMS = 255
"""The maximum number of characters or words in a pattern."""

_RUN = -1
"""The item for ``*``."""

_DONE = 0
"""The node at the end of an item."""

State = frozenset[tuple[int, int]]
"""Pairs of the position of an item and a node in its graph."""


class PatternCompiler:
    """Compiles patterns. An item is a graph of classes; equal graphs are one node."""

    def __init__(self, alphabet: Alphabet) -> None:
        self._alphabet = alphabet
        self._nodes: list[dict[int, int]] = [{}]  # the next node for each class; first `_DONE`
        self._numbers: dict[frozenset[tuple[int, int]], int] = {}

    def compile(self, pattern: str) -> Automaton:
        """Accept names that match a pattern.

        Raises:
            SettingError: for a pattern that is too long, an open bracket and an unknown symbol.
        """
        items = [*self._parse(pattern)]

        def start(positions: Iterable[int]) -> State:
            found = set(positions)
            for position, item in enumerate(items):
                if position in found and item == _RUN:  # which may match nothing
                    found.add(position + 1)
            return frozenset(
                (position, items[position] if position < len(items) else _DONE)
                for position in found
            )

        def next_states(state: State) -> list[State | None]:
            runs = {position for position, node in state if node == _RUN}
            stay = start(runs)
            states: list[State | None] = [None, *[stay or None] * (len(self._alphabet) - 1)]
            found: dict[int, tuple[set[int], set[tuple[int, int]]]] = {}
            for position, node in state:
                for number, following in {} if node == _RUN else self._nodes[node].items():
                    ended, inside = found.setdefault(number, (set(), set()))
                    if following == _DONE:
                        ended.add(position + 1)
                    else:
                        inside.add((position, following))
            for number, (ended, inside) in found.items():
                states[number] = start(runs | ended) | inside
            return states

        return build_automaton(start({0}), next_states, lambda state: (len(items), _DONE) in state)

    # Items.

    def _node(self, sequences: Iterable[Classes]) -> int:
        """Return the node from which some sequences of classes lead to the end of an item."""
        rests: dict[int, list[Classes]] = {}
        for first, *rest in sequences:
            rests.setdefault(first, []).append(tuple(rest))
        edges = {first: self._node(rest) if rest[0] else _DONE for first, rest in rests.items()}
        number = self._numbers.setdefault(frozenset(edges.items()), len(self._nodes))
        if number == len(self._nodes):
            self._nodes.append(edges)
        return number

    @cached_property
    def _everything(self) -> list[tuple[Classes, str]]:
        """What an item may match: the classes of each symbol or syllable, and its text."""
        alphabet, vocabulary = self._alphabet, self._alphabet.vocabulary
        symbols = vocabulary.symbols
        texts = [*symbols]
        if vocabulary.continuing:
            initials, vowels, finals = (
                [symbol for symbol in symbols if test(symbol)]
                for test in (is_initial, is_vowel, is_final)
            )
            texts = [symbol for symbol in symbols if not is_letter(symbol)]
            texts += [syllable_of(*letters) for letters in product(initials, vowels, ["", *finals])]
        return [(alphabet.read(text)[0], text) for text in texts]

    def _parse(self, pattern: str) -> Iterator[int]:
        """Yield the node of each item of a pattern, or `_RUN`."""
        unit = self._alphabet.vocabulary.unit
        parts = pattern.split() if unit is WORD else normalize("NFC", pattern)
        if len(parts) > MAX_ITEMS:
            raise SettingError(
                f"pattern: {len(parts):,} {unit.noun}s, more than the maximum of {MAX_ITEMS}; "
                "use a shorter text"
            )
        if not parts:
            raise SettingError("pattern is empty; give one, for example 'a*'")
        position = 0
        while position < len(parts):
            part = parts[position]
            position += 1
            if part == "*":
                yield _RUN
            elif part == "?":
                yield self._any
            elif part.startswith("[") and (end := self._end_of_set(parts, position - 1)):
                inside = unit.join(parts[position - 1 : end]).removeprefix("[")[:-1]
                yield self._set(pattern, inside)
                position = end
            elif part.startswith("[") and not self._alphabet.number(part):
                raise SettingError(f"pattern {pattern!r}: [ is not closed; write ] after the set")
            else:
                try:
                    yield self._node(self._literal(part))
                except UnknownSymbolError as error:
                    raise SettingError(f"pattern {pattern!r}: {error}") from None

    @cached_property
    def _any(self) -> int:
        """The node of ``?``."""
        return self._node({classes for classes, _ in self._everything})

    def _end_of_set(self, parts: Sequence[str], start: int) -> int:
        """Return where the set ends that begins at a position; 0 if it does not end."""
        if self._alphabet.vocabulary.unit is WORD:
            ends = (i for i in range(start, len(parts)) if parts[i].endswith("]"))
            return next((i + 1 for i in ends if i > start or len(parts[i]) > len("[]")), 0)
        negated = parts[start + 1 : start + 2] in ("!", "^")
        return "".join(parts).find("]", start + 2 + negated) + 1

    def _set(self, pattern: str, inside: str) -> int:
        """Return the node of a set: words, or symbols and ranges of symbols."""
        negated = inside.startswith(("!", "^"))
        rest = inside[negated:]
        chosen: set[Classes] = set()
        noun = self._alphabet.vocabulary.unit.noun
        remedy = f"use {noun}s of the training list"
        if self._alphabet.vocabulary.unit is WORD:
            for word in rest.split():
                chosen |= self._same_as(word)
            rest = ""
        while rest:
            first, last = rest[0], rest[0]
            if len(rest) > 2 and rest[1] == "-":
                last, rest = rest[2], rest[2:]
                if self._alphabet.rank(first) > self._alphabet.rank(last):
                    remedy = f"write {last}-{first}, since {first}-{last} runs backward"
            rest = rest[1:]
            chosen |= self._between(first, last)
        if negated:
            chosen = {classes for classes, _ in self._everything} - chosen
        if not chosen:
            raise SettingError(
                f"pattern {pattern!r}: the model has no {noun} of [{inside}]; {remedy}"
            )
        return self._node(chosen)

    def _between(self, first: str, last: str) -> set[Classes]:
        """Return what matches the symbols from a first to a last one, in code point order."""
        if first == last and is_letter(first):
            return self._same_as(first)
        if letter_forms(first) and letter_forms(last):
            letters = map(chr, range(ord(first), ord(last) + 1))
            return {classes for letter in letters for classes in self._same_as(letter)}
        low, high = self._alphabet.rank(first), self._alphabet.rank(last)
        return {
            classes
            for classes, text in self._everything
            if low <= self._alphabet.rank(text) <= high
        }

    def _literal(self, part: str) -> set[Classes]:
        """Return what matches a symbol of a pattern, outside of sets.

        Raises:
            UnknownSymbolError: if nothing does.
        """
        found = self._same_as(part)
        if not found:
            self._alphabet.read(part)  # names the letter of a syllable that is unknown
            raise UnknownSymbolError(self._alphabet.vocabulary.unknown_symbol(part))
        return found

    def _same_as(self, part: str) -> set[Classes]:
        """Return what matches a symbol: itself, or for a Hangul letter the syllables with it.

        A consonant stands for the syllables that begin with it. With a vowel or a pair of
        consonants no syllable begins; it stands for the syllables that have it.
        """
        forms = letter_forms(part) or (part if is_letter(part) else "")
        if not forms or not self._alphabet.vocabulary.continuing:
            return {
                classes
                for readings in self._alphabet.possible([part]).values()
                for classes in readings
            }
        initials = "".join(filter(is_initial, forms))
        found = {
            classes
            for classes, text in self._everything
            if is_syllable(text)
            and set(to_letters(text)[: 1 if initials else None]) & set(initials or forms)
        }
        number = None if is_letter(part) else self._alphabet.number(part)
        return found | ({(number,)} if number else set())
