"""The vocabulary: symbols and their indices. Index 0 is the end of a name."""

from collections.abc import Sequence
from unicodedata import is_normalized

import numpy as np
from numpy.typing import NDArray

from dinogen.data.sequences import END, Names
from dinogen.errors import SettingError

_CHUNK = 1 << 20
"""The number of symbols that are encoded at a time."""

_FIRST_COMBINING_MARK = "\u0300"
"""A symbol below this one never composes with the symbol before it."""


class Vocabulary:
    """The symbols of a corpus in code point order, after the end of a name.

    A symbol is one Unicode code point. In a text the end of a name is a newline. A text with one
    name per line is therefore the sequence that a model learns.

    Attributes:
        symbols: all symbols except the end; ``symbols[i]`` has index ``i + 1``.
    """

    def __init__(self, symbols: Sequence[str]) -> None:
        self.symbols = tuple(symbols)
        self._codes = np.array([ord("\n"), *map(ord, self.symbols)], dtype=np.uint32)  # (V,)
        # Index by code point. The last slot stands for all larger code points.
        self._indices = np.full(int(self._codes.max()) + 2, self.unknown, dtype=self.dtype)
        self._indices[self._codes] = np.arange(len(self), dtype=self.dtype)

    @classmethod
    def of(cls, text: str) -> "Vocabulary":
        """Collect the symbols of a text with one name per line."""
        return cls(sorted(set(text) - {"\n"}))

    def __len__(self) -> int:
        """V: the number of symbols, the end included."""
        return len(self.symbols) + 1

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

    def encode(self, text: str) -> Names:
        """Encode a text of names, each followed by a newline."""
        indices = np.empty(len(text), dtype=self.dtype)  # (S,)
        # In chunks: UTF-32 takes four bytes per symbol, too many for the whole text.
        for start in range(0, len(text), _CHUNK):
            chunk = text[start : start + _CHUNK].encode("utf-32-le", "surrogatepass")
            codes = np.minimum(np.frombuffer(chunk, dtype="<u4"), len(self._indices) - 1)
            indices[start : start + _CHUNK] = self._indices[codes]
        return Names.split(indices)

    def indices_of(self, text: str) -> list[int]:
        """Encode one name, or a part of one, as a list of indices without the end.

        Raises:
            SettingError: for a symbol outside the vocabulary; the message names it.
        """
        indices: list[int] = self.encode(text + "\n").symbols[:-1].tolist()
        for symbol, index in zip(text, indices, strict=True):
            if index in (END, self.unknown):
                raise SettingError(
                    f"{text!r}: unknown symbol {symbol!r}; "
                    "dinogen inspect lists the symbols of the model"
                )
        return indices

    def decode(self, names: Names) -> NDArray[np.uint32]:
        """Decode names to (S,) code points. A newline follows each name."""
        return np.take(self._codes, names.symbols)

    def composed(self, names: Names) -> NDArray[np.bool_]:
        """(N,) mask of the names in NFC. Other names would change when a list of them is read."""
        if all(symbol < _FIRST_COMBINING_MARK for symbol in self.symbols):
            return np.ones(len(names), dtype=np.bool_)
        texts = self.decode(names).astype("<u4").tobytes().decode("utf-32-le").split("\n")[:-1]
        return np.array([is_normalized("NFC", text) for text in texts], dtype=np.bool_)
