"""What a name must look like, as one automaton over the symbols of a model."""

import unicodedata
from functools import reduce
from typing import NamedTuple

from dinogen.errors import SettingError
from dinogen.generation.automata import Automaton, explore, intersect, trim
from dinogen.generation.options import BOUNDS
from dinogen.text.case import CaseRule
from dinogen.text.cleaning import LONGEST_LINE
from dinogen.text.vocabulary import Vocabulary


class Constraints(NamedTuple):
    """What is asked of a name; each may be left out.

    Attributes:
        prefix: how it begins.
        suffix: how it ends.
        contains: what occurs in it, anywhere.
        min_length: the fewest symbols it has.
        max_length: the most.
        pattern: what the whole of it looks like, in the shell's signs: ``?`` is any symbol, ``*``
            any run of them, ``[a-e]`` one of those, ``[!a-e]`` one of the others.
    """

    prefix: str | None = None
    suffix: str | None = None
    contains: tuple[str, ...] = ()
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None


ANYTHING = Constraints()


def compile_constraints(
    asked: Constraints, vocabulary: Vocabulary, case: CaseRule
) -> Automaton | None:
    """Build the automaton that accepts the names asked for; None where nothing is asked.

    Texts are folded as the names were that the model learned from.

    Raises:
        SettingError: for a symbol that the model never saw, and where no name can be all that is
            asked; the message names what was asked.
    """
    reader = _Reader(vocabulary, case)
    parts: dict[str, Automaton] = {}
    if asked.prefix:
        parts[f"prefix {asked.prefix!r}"] = reader.prefix(asked.prefix)
    if asked.suffix:
        parts[f"suffix {asked.suffix!r}"] = reader.suffix(asked.suffix)
    for text in filter(None, asked.contains):
        parts[f"contains {text!r}"] = reader.contains(text)
    if asked.pattern is not None:
        parts[f"pattern {asked.pattern!r}"] = reader.pattern(asked.pattern)
    if asked.min_length is not None:
        parts[f"min length {asked.min_length}"] = reader.at_least(asked.min_length)
    if asked.max_length is not None:
        parts[f"max length {asked.max_length}"] = reader.at_most(asked.max_length)
    if not parts:
        return None
    whole = trim(reduce(intersect, parts.values(), reader.tidy()))
    if whole.is_empty:
        what = " and ".join(parts)
        raise SettingError(f"{what}: no name can be like that; ask for less")
    return whole


class _Reader:
    """Turns each kind of demand into an automaton."""

    def __init__(self, vocabulary: Vocabulary, case: CaseRule) -> None:
        self._vocabulary = vocabulary
        self._case = case
        self._symbols = range(1, len(vocabulary))

    def tidy(self) -> Automaton:
        """Accept what is not empty, and has white space only between other symbols."""
        spaces = set(self._vocabulary.spaces)

        def follow(after_symbol: bool) -> list[bool | None]:
            return [None] + [
                (False if after_symbol else None) if symbol in spaces else True
                for symbol in self._symbols
            ]

        return explore(False, follow, lambda after_symbol: after_symbol)

    def prefix(self, text: str) -> Automaton:
        """Accept what begins with a text."""
        # Read before another letter, since some are small otherwise at the end of a word: "ς".
        wanted = self._encode("prefix", self._read(f"{text}x")[:-1])

        def follow(place: int) -> list[int | None]:
            if place == len(wanted):
                return [None, *(place for _ in self._symbols)]
            return [None, *(place + 1 if s == wanted[place] else None for s in self._symbols)]

        return explore(0, follow, lambda place: place == len(wanted))

    def suffix(self, text: str) -> Automaton:
        """Accept what ends with a text."""
        # Read behind another letter: alone, the same symbol may be the whole of a word.
        return self._found("suffix", self._read(f"x{text}")[1:], for_good=False)

    def contains(self, text: str) -> Automaton:
        """Accept what has a text in it."""
        return self._found("contains", text, for_good=True)

    def at_least(self, length: int) -> Automaton:
        """Accept what has so many symbols, or more."""

        def follow(written: int) -> list[int | None]:
            return [None, *(min(written + 1, length) for _ in self._symbols)]

        return explore(0, follow, lambda written: written == length)

    def at_most(self, length: int) -> Automaton:
        """Accept what has so many symbols, or fewer."""

        def follow(written: int) -> list[int | None]:
            return [None, *(written + 1 if written < length else None for _ in self._symbols)]

        return explore(0, follow, lambda written: True)

    def pattern(self, text: str) -> Automaton:
        """Accept what looks, as a whole, like a pattern: states are sets of places in it."""
        items = self._items(text)
        runs = [item is None for item in items]

        def close(places: set[int]) -> frozenset[int]:
            # A run may also be of no symbol at all.
            for place in range(len(items)):
                if place in places and runs[place]:
                    places.add(place + 1)
            return frozenset(places)

        def follow(places: frozenset[int]) -> list[frozenset[int] | None]:
            rows: list[frozenset[int] | None] = [None]
            for symbol in self._symbols:
                reached = set()
                for place in places:
                    if place == len(items):
                        continue
                    item = items[place]
                    if item is None:
                        reached.add(place)
                    elif symbol in item:
                        reached.add(place + 1)
                rows.append(close(reached) if reached else None)
            return rows

        return explore(close({0}), follow, lambda places: len(items) in places)

    def _found(self, option: str, text: str, *, for_good: bool) -> Automaton:
        """Look for a text as Knuth, Morris and Pratt (1977): states are how much of it is there."""
        wanted = self._encode(option, text)
        # Where a symbol is not the one wanted, it leads where it would have led from as much as is
        # there of a later beginning.
        row: list[int | None] = [None, *(0 for _ in self._symbols)]
        rows: list[list[int | None]] = []
        for matched, symbol in enumerate(wanted):
            later = row[symbol]
            rows.append([*row[:symbol], matched + 1, *row[symbol + 1 :]])
            row = rows[later or 0]
        rows.append([None, *(len(wanted) for _ in self._symbols)] if for_good else row)
        return explore(0, rows.__getitem__, lambda matched: matched == len(wanted))

    def _encode(self, option: str, text: str) -> list[int]:
        """Fold a text and turn it into indices."""
        _check_length(option, text, int(BOUNDS["max_length"][1]))
        try:
            return self._vocabulary.indices_of(self._read(text))
        except SettingError as error:
            raise SettingError(f"{option} {error}") from None

    def _read(self, text: str) -> str:
        """Compose and fold a text as names are."""
        return self._case.apply(unicodedata.normalize("NFC", text))

    def _items(self, text: str) -> list[frozenset[int] | None]:
        """Take a pattern apart: sets of symbols, and None for a run of any."""
        _check_length("pattern", text, LONGEST_LINE)
        folded = self._read(text)
        items: list[frozenset[int] | None] = []
        place = 0
        while place < len(folded):
            sign = folded[place]
            closing = folded.find("]", place + 2 + folded.startswith(("!", "^"), place + 1))
            if sign == "*":
                items += [None] if items[-1:] != [None] else []
            elif sign == "?":
                items.append(frozenset(self._symbols))
            elif sign == "[" and closing > 0:
                items.append(self._choice(text, folded[place + 1 : closing]))
                place = closing
            else:
                items.append(frozenset(self._encode(f"pattern {text!r}:", sign)))
            place += 1
        return items

    def _choice(self, pattern: str, inside: str) -> frozenset[int]:
        """Read what stands between brackets: symbols, and ranges of them."""
        others = inside.startswith(("!", "^"))
        rest = inside[others:]
        chosen = set()
        while rest:
            first, last = rest[0], rest[0]
            if len(rest) > 2 and rest[1] == "-":
                last, rest = rest[2], rest[2:]
            rest = rest[1:]
            chosen |= {
                index
                for index, symbol in enumerate(self._vocabulary.symbols, start=1)
                if first <= symbol <= last
            }
        if others:
            chosen = set(self._symbols) - chosen
        if not chosen:
            raise SettingError(f"pattern {pattern!r}: the model has no symbol of [{inside}]")
        return frozenset(chosen)


def _check_length(option: str, text: str, most: int) -> None:
    if len(text) > most:
        raise SettingError(f"{option}: {len(text):,} symbols, where {most:,} are the most")
