"""The vocabulary: symbols and their indices. Index 0 is the end of a name, or of a line of text."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from unicodedata import is_normalized

import numpy as np
from numpy.typing import NDArray

from dinogen.data.hangul import (
    is_final,
    is_initial,
    is_letter,
    is_vowel,
    letter_forms,
    to_letters,
    to_syllables,
)
from dinogen.data.sequences import END, Names
from dinogen.data.units import CHARACTER, WORD, Unit
from dinogen.errors import SettingError

MAX_VOCABULARY_SIZE = 1 << 20
"""The maximum size of a vocabulary of words: their characters, and one more for each word."""

_CHUNK = 1 << 20
"""The number of characters that are encoded at a time."""

_SHOWN = 80
"""The maximum number of characters that a message shows of what was looked up."""

_LINE_END = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
"""What ends a line of a prompt besides a newline, as in a text."""

_FIRST_COMBINING_MARK = "\u0300"
"""A symbol below this one never composes with the symbol before it."""


class Vocabulary:
    """The symbols of a corpus in code point order, after the end of a name.

    A symbol is a character or a word, as the unit says. The end of a name is written as a newline.
    A text with one name per line is therefore the sequence that a model learns, and so is running
    text, in which the end of a line takes the place of the end of a name.

    Attributes:
        symbols: all symbols except the end; ``symbols[i]`` has index ``i + 1``.
        unit: what a symbol is.
    """

    def __init__(self, symbols: Sequence[str], unit: Unit = CHARACTER) -> None:
        self.symbols = tuple(symbols)
        self.unit = unit
        if unit is CHARACTER:
            self._codes = np.array([ord("\n"), *map(ord, self.symbols)], dtype=np.uint32)  # (V,)
            # Index by code point. The last slot stands for all larger code points.
            self._indices = np.full(int(self._codes.max()) + 2, self.unknown, dtype=self.dtype)
            self._indices[self._codes] = np.arange(len(self), dtype=self.dtype)

    @classmethod
    def of(cls, text: str, unit: Unit = CHARACTER) -> "Vocabulary":
        """Collect the symbols of a text with one name per line, or of running text."""
        if unit is CHARACTER:
            return cls(sorted(set(to_letters("".join(set(text)))) - {"\n"}))
        found: set[str] = set()
        for words in _words_of(text):
            found.update(words)
        return cls(sorted(found - {"\n"}), unit)

    def __len__(self) -> int:
        """V: the number of symbols, the end included."""
        return len(self.symbols) + 1

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._index

    @property
    def noun(self) -> str:
        """What a symbol is called where it is not what a reader counts."""
        return "letter" if self.continuing else self.unit.noun

    def describe(self) -> str:
        """Return the number of symbols for a message."""
        number = len(self.symbols)
        return f"{number:,} different {self.unit.noun}{'s' * (number != 1)}"

    @property
    def size(self) -> int:
        """The size of the symbols as text: their characters, and one more for each symbol."""
        return sum(map(len, self.symbols)) + len(self.symbols)

    @property
    def spaces(self) -> tuple[int, ...]:
        """The indices of the white-space symbols."""
        return tuple(i for i, symbol in enumerate(self.symbols, start=1) if symbol.isspace())

    @property
    def unknown(self) -> int:
        """V: the index that `encode` gives to symbols outside the vocabulary. No model uses it."""
        return len(self)

    @property
    def dtype(self) -> type[np.unsignedinteger]:
        """The smallest type that holds every index, `unknown` included."""
        if self.unknown <= np.iinfo(np.uint8).max:
            return np.uint8
        return np.uint16 if self.unknown <= np.iinfo(np.uint16).max else np.uint32

    # Letters of syllables.

    @cached_property
    def initials(self) -> NDArray[np.bool_]:
        """(V,) mask of the initial consonants of Hangul syllables."""
        return self._mask(is_initial)

    @cached_property
    def vowels(self) -> NDArray[np.bool_]:
        """(V,) mask of the vowels of Hangul syllables."""
        return self._mask(is_vowel)

    @cached_property
    def finals(self) -> NDArray[np.bool_]:
        """(V,) mask of the final consonants of Hangul syllables."""
        return self._mask(is_final)

    @cached_property
    def continuing(self) -> tuple[int, ...]:
        """The indices of the symbols that belong to the syllable that an earlier symbol began.

        They do not count in the length of a name: a reader counts syllables.
        """
        return tuple(np.flatnonzero(self.vowels | self.finals).tolist())

    def _mask(self, is_one: Callable[[str], bool]) -> NDArray[np.bool_]:
        """(V,) mask of the characters for which a function is true; of no word, and not the end."""
        if self.unit is WORD:
            return np.zeros(len(self), dtype=np.bool_)
        return np.array([False, *map(is_one, self.symbols)])

    def lengths(self, names: Names) -> NDArray[np.int64]:
        """(N,) the length of each name for a reader, at least 1; its end does not count."""
        if not self.continuing or not len(names):
            return names.lengths - 1
        counted = ~np.isin(names.symbols, self.continuing)  # (S,)
        lengths = np.add.reduceat(counted, names.starts[:-1], dtype=np.int64)  # (N,)
        result: NDArray[np.int64] = np.maximum(lengths - 1, 1)
        return result

    # Encoding and decoding.

    def encode(self, text: str) -> Names:
        """Encode a text of names, each followed by a newline."""
        return Names.split(self.encode_text(text))

    def encode_text(self, text: str) -> NDArray[np.unsignedinteger]:
        """Encode running text as (S,) symbols; see `write_text`.

        Args:
            text: lines, each followed by a newline, which becomes `END`.
        """
        if self.unit is WORD:
            return self._encode_words(text)
        if self.continuing:
            text = to_letters(text)
        indices = np.empty(len(text), dtype=self.dtype)  # (S,)
        # In chunks: UTF-32 takes four bytes per symbol, too many for the whole text.
        for start in range(0, len(text), _CHUNK):
            chunk = text[start : start + _CHUNK].encode("utf-32-le", "surrogatepass")
            codes = np.minimum(np.frombuffer(chunk, dtype="<u4"), len(self._indices) - 1)
            indices[start : start + _CHUNK] = self._indices[codes]
        return indices

    def split(self, text: str) -> Sequence[Sequence[str]]:
        """Split a text of names, each followed by a newline, into their symbols."""
        if self.unit is CHARACTER:
            return (to_letters(text) if self.continuing else text).split("\n")[:-1]
        return [self.unit.split(name) for name in text.split("\n")[:-1]]

    def _encode_words(self, text: str) -> NDArray[np.unsignedinteger]:
        """Encode lines of words as (S,) symbols."""
        index, unknown = self._index_in_text, self.unknown
        parts = [
            np.array([index.get(word, unknown) for word in words], dtype=self.dtype)
            for words in _words_of(text)
        ]
        return np.concatenate([np.empty(0, dtype=self.dtype), *parts])

    def indices_of(self, symbols: Sequence[str]) -> list[int]:
        """Look up symbols. The result has no end.

        A compatibility letter that is unknown stands for the conjoining letter of its form that
        comes first in a syllable.

        Raises:
            SettingError: for a symbol outside the vocabulary; the message names it.
        """
        indices = []
        for symbol in symbols:
            known = (s for s in (symbol, *letter_forms(symbol)) if s in self)
            found = next(known, None)
            if found is None:
                text = self.unit.join(symbols)
                if len(text) > _SHOWN:
                    text = text[: _SHOWN - 3] + "..."
                raise SettingError(f"{text!r}: {self.unknown_symbol(symbol)}")
            indices.append(self._index[found])
        return indices

    def prompt(self, text: str) -> list[int]:
        """Look up the symbols of the beginning of a running text. The last line may be unfinished.

        Args:
            text: lines, ended as in a file. White space counts, unless a symbol is a word.

        Raises:
            SettingError: for a symbol outside the vocabulary; the message names it.
        """
        first, *others = _LINE_END.sub("\n", text).split("\n")
        indices = self.indices_of(self.unit.split(first))
        for line in others:
            indices += [END, *self.indices_of(self.unit.split(line))]
        return indices

    def unknown_symbol(self, symbol: str) -> str:
        """Return the message about a symbol that no name of the model has."""
        noun = self.unit.noun
        shown = self.unit.show(symbol)
        command = "dinogen inspect" if self.unit is CHARACTER else "dinogen inspect --json"
        return f"unknown {noun} {shown!r}; {command} lists the {noun}s of the model"

    @cached_property
    def _index(self) -> dict[str, int]:
        """The index of each symbol."""
        return {symbol: index for index, symbol in enumerate(self.symbols, start=1)}

    @cached_property
    def _index_in_text(self) -> dict[str, int]:
        """The index of each word, and of a newline."""
        return {"\n": END} | self._index

    @cached_property
    def _words(self) -> NDArray[np.object_]:
        """(V,) the words, after a newline."""
        return np.array(["\n", *self.symbols], dtype=object)

    def decode(self, names: Names) -> NDArray[np.uint32]:
        """Decode names of characters to (S,) code points. A newline follows each name."""
        return np.take(self._codes, names.symbols)

    def write(self, codes: NDArray[np.uint32]) -> str:
        """Write (S,) code points as text, with the letters of each syllable composed."""
        text = codes.astype("<u4", copy=False).tobytes().decode("utf-32-le")
        return to_syllables(text) if self.continuing else text

    def text(self, names: Names) -> str:
        """Decode names to a text. A newline follows each name."""
        if self.unit is CHARACTER:
            return self.write(self.decode(names))
        return " ".join([*self._words[names.symbols].tolist(), ""]).replace(" \n ", "\n")

    def write_text(self, symbols: NDArray[np.integer], after: int = END) -> str:
        """Decode (S,) symbols of running text. An `END` is written as a newline.

        Args:
            symbols: the symbols, which need not end a line.
            after: the symbol before them, which is not written. Between two words of a line is a
                space, so this tells whether one comes first.
        """
        if self.unit is CHARACTER:
            return self.write(np.take(self._codes, symbols))
        words = self._words
        text = " ".join([words[after], *words[symbols].tolist()])
        return text.replace(" \n", "\n").replace("\n ", "\n").removeprefix(words[after])

    def composed(self, names: Names) -> NDArray[np.bool_]:
        """(N,) mask of the names in NFC. Other names would change when a list of them is read."""
        if self.unit is WORD or all(
            symbol < _FIRST_COMBINING_MARK or is_letter(symbol) for symbol in self.symbols
        ):
            return np.ones(len(names), dtype=np.bool_)
        texts = self.decode(names).astype("<u4").tobytes().decode("utf-32-le").split("\n")[:-1]
        return np.array([_is_composed(text) for text in texts], dtype=np.bool_)


def _is_composed(text: str) -> bool:
    """Tell whether a text with split syllables is in NFC apart from them."""
    return is_normalized("NFC", text) or to_letters(to_syllables(text)) == text


def _words_of(text: str) -> Iterator[list[str]]:
    """Yield the words of a text of names in chunks, with a newline after each name."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + _CHUNK) + 1 or len(text)
        names = text[start:end].split("\n")[:-1]
        yield [word for name in names for word in (*name.split(), "\n")]
        start = end
