"""Units: what a symbol is. A name is a sequence of characters, or of words."""

from collections.abc import Iterable, Sequence
from typing import Protocol
from unicodedata import normalize

from dinogen.data.hangul import show_letter, to_letters, to_syllables

MAX_WORDS = 4_096
"""The maximum number of words in a name."""

MAX_WORD_LENGTH = 255
"""The maximum number of characters in a word."""


class Unit(Protocol):
    """How the text of a name is split into symbols, and joined again."""

    @property
    def name(self) -> str:
        """The name of the unit: in checkpoints, and for ``--unit``."""
        ...

    @property
    def noun(self) -> str:
        """What a symbol is called in messages."""
        ...

    def split(self, text: str) -> Sequence[str]:
        """Split a name, or a part of one, into symbols."""
        ...

    def join(self, symbols: Iterable[str]) -> str:
        """Join symbols into a name, or a part of one."""
        ...

    def tail(self, symbols: Sequence[str], length: int) -> str:
        """Return the last symbols of an unfinished name in a form that can be read."""
        ...

    def length(self, text: str) -> int:
        """Return the length of a name, or a part of one, for a reader."""
        ...

    def show(self, symbol: str) -> str:
        """Return a symbol in a form that can be read alone."""
        ...


class Characters:
    """A symbol is a code point. A Hangul syllable is two or three of them, its letters."""

    name = "character"
    noun = "symbol"

    def split(self, text: str) -> str:
        """See `Unit.split`."""
        return to_letters(normalize("NFC", text))

    def join(self, symbols: Iterable[str]) -> str:
        """See `Unit.join`."""
        return to_syllables("".join(symbols))

    def tail(self, symbols: Sequence[str], length: int) -> str:
        """See `Unit.tail`."""
        return "".join(map(show_letter, self.join(symbols)[-length:]))

    def length(self, text: str) -> int:
        """See `Unit.length`."""
        return len(normalize("NFC", text))

    def show(self, symbol: str) -> str:
        """See `Unit.show`."""
        return show_letter(symbol)


class Words:
    """A symbol is a word between white space: a phoneme, a syllable, a note, a chord."""

    name = "word"
    noun = "word"

    def split(self, text: str) -> list[str]:
        """See `Unit.split`."""
        return normalize("NFC", text).split()

    def join(self, symbols: Iterable[str]) -> str:
        """See `Unit.join`."""
        return " ".join(symbols)

    def tail(self, symbols: Sequence[str], length: int) -> str:
        """See `Unit.tail`."""
        return self.join(symbols[-length:])

    def length(self, text: str) -> int:
        """See `Unit.length`."""
        return len(text.split())

    def show(self, symbol: str) -> str:
        """See `Unit.show`."""
        return symbol


CHARACTER: Unit = Characters()
WORD: Unit = Words()

UNITS = {unit.name: unit for unit in (CHARACTER, WORD)}
"""The units by name."""
