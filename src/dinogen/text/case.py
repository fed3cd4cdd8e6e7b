"""Case, folded for learning and given back on output."""

import unicodedata
from typing import NamedTuple

import numpy as np

from dinogen.text.cleaning import LONGEST_LINE
from dinogen.text.names import END, Names
from dinogen.text.vocabulary import Vocabulary

LONGEST_FOLDED = 3 * LONGEST_LINE
"""The most symbols of a name once it is folded: some capitals are more than one small letter."""


class CaseRule(NamedTuple):
    """How the case of a list is folded away, and what of it is given back.

    Attributes:
        fold: whether names are lower-cased before anything is learned from them.
        capital_after: the symbols that a capital follows, a newline among them standing for the
            beginning of a name. Empty where nothing is to be given back.
    """

    fold: bool
    capital_after: frozenset[str]

    @classmethod
    def keep(cls) -> "CaseRule":
        """Build the rule that leaves a text as it is."""
        return cls(fold=False, capital_after=frozenset())

    @classmethod
    def learn(cls, text: str) -> "CaseRule":
        """Read off a text of one name a line where its capitals stand.

        If most names begin with a capital, names will; and so will the words in them, after each
        symbol that is no letter and that more capitals than small letters follow: the hyphen of
        "Jean-Paul", not the apostrophe of "Ta'izz".
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
        between = {
            symbol
            for symbol, capital, small in zip(symbols, capitals, smalls, strict=True)
            if capital > small and not _is_letter(symbol)
        }
        return cls(fold=True, capital_after=frozenset(between | {"\n"}))

    def apply(self, text: str) -> str:
        """Fold a text of one name a line, where the rule is to fold."""
        # Lower-casing may part a composed character, so the normal form is made anew.
        return unicodedata.normalize("NFC", text.lower()) if self.fold else text


def spell(names: Names, vocabulary: Vocabulary, case: CaseRule) -> str:
    """Write out names, each followed by a newline, with the capitals that the rule gives back."""
    codes = vocabulary.decode(names)  # (S,)
    if case.capital_after and len(codes):
        previous = np.roll(codes, 1)  # (S,)
        at_start = np.isin(previous, [ord(symbol) for symbol in case.capital_after])  # (S,)
        small, which = np.unique(codes[at_start], return_inverse=True)
        codes[at_start] = np.array([_capital(code) for code in small.tolist()], dtype="<u4")[which]
    return codes.astype("<u4", copy=False).tobytes().decode("utf-32-le")


def _is_letter(symbol: str) -> bool:
    return unicodedata.category(symbol)[0] in "LM"


def _capital(code: int) -> int:
    # Where a capital takes two symbols ("ß" -> "Ss") the small letter stays.
    title = chr(code).title()
    return ord(title) if len(title) == 1 else code
