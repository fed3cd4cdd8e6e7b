"""Symbols and their indices. Index 0 is the end of a name."""

from collections.abc import Sequence
from unicodedata import is_normalized

import numpy as np
from numpy.typing import NDArray

from dinogen.errors import SettingError
from dinogen.text.names import END, Names

_CHUNK = 1 << 20

_FIRST_MARK = "\u0300"
"""Nothing before it ever composes with a symbol before that."""


class Vocabulary:
    """The symbols of a corpus, in code point order, behind the end of a name.

    A symbol is one Unicode code point. On the outside the end of a name is a newline: a text of
    one name a line is already the sequence that a model learns.

    Attributes:
        symbols: all but the end; symbol ``symbols[i]`` has index ``i + 1``.
    """

    def __init__(self, symbols: Sequence[str]) -> None:
        self.symbols = tuple(symbols)
        self._codes = np.array([ord("\n"), *map(ord, self.symbols)], dtype=np.uint32)  # (V,)
        # Code point -> index; one slot more at the end, for all code points beyond the table.
        self._indices = np.full(int(self._codes.max()) + 2, self.unknown, dtype=self.dtype)
        self._indices[self._codes] = np.arange(len(self), dtype=self.dtype)

    @classmethod
    def of(cls, text: str) -> "Vocabulary":
        """Collect the symbols of a text of one name a line."""
        return cls(sorted(set(text) - {"\n"}))

    def __len__(self) -> int:
        """V: the symbols and the end."""
        return len(self.symbols) + 1

    @property
    def spaces(self) -> tuple[int, ...]:
        """The indices of white space."""
        return tuple(i for i, symbol in enumerate(self.symbols, start=1) if symbol.isspace())

    @property
    def unknown(self) -> int:
        """What `encode` makes of a symbol outside the vocabulary: an index that no model has."""
        return len(self)

    @property
    def dtype(self) -> type[np.unsignedinteger]:
        """The smallest type that holds every index, `unknown` included."""
        if self.unknown <= np.iinfo(np.uint8).max:
            return np.uint8
        return np.uint16 if self.unknown <= np.iinfo(np.uint16).max else np.uint32

    def indices_of(self, text: str) -> list[int]:
        """Turn the text of one name, or of a part of one, into indices.

        Raises:
            SettingError: for a symbol that was never seen, which it names.
        """
        indices: list[int] = self.encode(text + "\n").symbols[:-1].tolist()
        for symbol, index in zip(text, indices, strict=True):
            if index in (END, self.unknown):
                raise SettingError(f"{text!r}: the model never saw {symbol!r}")
        return indices

    def encode(self, text: str) -> Names:
        """Turn a text of names, each followed by a newline, into names of indices."""
        indices = np.empty(len(text), dtype=self.dtype)  # (S,)
        # In chunks, so that four bytes a symbol are never needed for the whole text.
        for start in range(0, len(text), _CHUNK):
            chunk = text[start : start + _CHUNK].encode("utf-32-le", "surrogatepass")
            codes = np.minimum(np.frombuffer(chunk, dtype="<u4"), len(self._indices) - 1)
            indices[start : start + _CHUNK] = self._indices[codes]
        return Names.split(indices)

    def composed(self, names: Names) -> NDArray[np.bool_]:
        """(N,) mask of the names in normal form C: those that are read back as they are written."""
        if all(symbol < _FIRST_MARK for symbol in self.symbols):
            return np.ones(len(names), dtype=np.bool_)
        texts = self.decode(names).astype("<u4").tobytes().decode("utf-32-le").split("\n")[:-1]
        return np.array([is_normalized("NFC", text) for text in texts], dtype=np.bool_)

    def decode(self, names: Names) -> NDArray[np.uint32]:
        """(S,) code points of the names, each followed by a newline."""
        return np.take(self._codes, names.symbols)
