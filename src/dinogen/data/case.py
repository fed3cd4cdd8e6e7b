"""Case rules: fold the case of names before training, restore capitals on output."""

import unicodedata
from typing import NamedTuple

import numpy as np

from dinogen.data.cleaning import MAX_NAME_LENGTH
from dinogen.data.sequences import END, Names
from dinogen.data.vocabulary import Vocabulary

MAX_FOLDED_LENGTH = 3 * MAX_NAME_LENGTH
"""The maximum length of a folded name. Some capitals fold to more than one symbol."""


class CaseRule(NamedTuple):
    """How the case of names is folded and which capitals are restored.

    Attributes:
        fold: whether names are lower-cased before training.
        capital_after: symbols after which a letter is capitalised; a newline stands for the start
            of a name. Empty if no capitals are restored.
    """

    fold: bool
    capital_after: frozenset[str]

    @classmethod
    def unchanged(cls) -> "CaseRule":
        """Build the rule that changes nothing."""
        return cls(fold=False, capital_after=frozenset())

    @classmethod
    def learn(cls, text: str) -> "CaseRule":
        """Find where capitals stand in a text with one name per line.

        Capitals are restored if most names start with one. They are restored at the start of a
        name, and after each non-letter that is followed by capitals more often than by small
        letters: after the hyphen of "Jean-Paul", not after the apostrophe of "Ta'izz".
        """
        vocabulary = Vocabulary.of(text)
        names = vocabulary.encode(text)
        symbols = ("\n", *vocabulary.symbols)
        is_capital = np.array([symbol != symbol.lower() for symbol in symbols])  # (V,)
        is_small = np.array([symbol != symbol.upper() for symbol in symbols]) & ~is_capital
        previous = np.roll(names.symbols, 1)  # (S,)
        capitals = np.bincount(previous[is_capital[names.symbols]], minlength=len(symbols))  # (V,)
        smalls = np.bincount(previous[is_small[names.symbols]], minlength=len(symbols))  # (V,)
        if 2 * capitals[END] <= len(names):
            return cls(fold=True, capital_after=frozenset())
        separators = {
            symbol
            for symbol, capital, small in zip(symbols, capitals, smalls, strict=True)
            if capital > small and not _is_letter(symbol)
        }
        return cls(fold=True, capital_after=frozenset(separators | {"\n"}))

    def fold_part(self, text: str, *, more_before: bool = False, more_after: bool = False) -> str:
        """Normalise a part of a name to NFC and fold its case.

        Args:
            text: the part.
            more_before: whether more of the name comes before it.
            more_after: whether more of the name comes after it.
        """
        # "Σ" folds to "ς" at the end of a word only, so letters stand in for the rest of the name:
        # "q", which composes with no mark.
        composed = unicodedata.normalize("NFC", text)
        folded = self.apply(f"{'q' * more_before}{composed}{'q' * more_after}")
        return folded[more_before : len(folded) - more_after]

    def apply(self, text: str) -> str:
        """Fold a text with one name per line, if the rule folds."""
        # Lower-casing can decompose a symbol, so the text is normalised again.
        return unicodedata.normalize("NFC", text.lower()) if self.fold else text


def spell(names: Names, vocabulary: Vocabulary, case: CaseRule) -> str:
    """Write names with the capitals of a case rule. A newline follows each name."""
    codes = vocabulary.decode(names)  # (S,)
    if case.capital_after and len(codes):
        previous = np.roll(codes, 1)  # (S,)
        at_start = np.isin(previous, [ord(symbol) for symbol in case.capital_after])  # (S,)
        small, inverse = np.unique(codes[at_start], return_inverse=True)
        capital = np.array([_capital(code) for code in small.tolist()], dtype="<u4")
        codes[at_start] = capital[inverse]
    return codes.astype("<u4", copy=False).tobytes().decode("utf-32-le")


def _is_letter(symbol: str) -> bool:
    """Tell whether a symbol is a letter or a mark on one."""
    return unicodedata.category(symbol)[0] in "LM"


def _capital(code: int) -> int:
    """Return the code point of the capital of a letter."""
    # A letter whose capital is two symbols ("ß" -> "Ss") stays small.
    title = chr(code).title()
    return ord(title) if len(title) == 1 else code
