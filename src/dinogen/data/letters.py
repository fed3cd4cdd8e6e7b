"""Letters: which symbols are letters, and which small letter belongs to which capital."""

import re
import unicodedata
from collections.abc import Iterable

APOSTROPHES = "'\u2019"
"""The apostrophes that mean the same; the plain one is first."""

SPACES = " \u00a0\u202f"
"""The spaces that mean the same; the plain one is first."""


def is_letter(symbol: str) -> bool:
    """Tell whether a symbol is part of a word: a letter, or a mark on one."""
    return unicodedata.category(symbol)[0] in "LM"


def is_cased(symbol: str) -> bool:
    """Tell whether a symbol is a letter of a script with capitals, such as "a", "A" or "ß"."""
    return unicodedata.category(symbol)[0] == "L" and not symbol.lower() == symbol == symbol.upper()


def capital_of(symbol: str) -> str | None:
    """Return the capital of a small letter.

    Returns:
        The capital (of a digraph, the title case); None for other symbols, and for letters that
        cannot be restored from it: "ß" and "ŉ", whose capital is two symbols, and "ı", because the
        small letter of "I" is "i".
    """
    capital = symbol.title()
    if len(capital) != 1 or capital == symbol or not is_cased(symbol):
        return None
    # The final sigma is the only second form of a small letter that can be told by its place.
    return capital if capital.lower() == symbol or symbol == "ς" else None


def small_of(symbol: str) -> str | None:
    """Return the small letter of a capital; None for symbols that are not the capital of one."""
    small = symbol.lower()
    return small if len(small) == 1 and capital_of(small) == symbol else None


def script_of(symbol: str) -> str:
    """Return the script of a letter: the first word of its name in the Unicode standard."""
    return unicodedata.name(symbol, "").partition(" ")[0]


def scripts_with_case(symbols: Iterable[str]) -> set[str]:
    """Return the scripts of the small letters among symbols whose capitals can be restored."""
    return {script_of(symbol) for symbol in symbols if capital_of(symbol)}


def symbol_class(symbols: Iterable[str]) -> str:
    """Write a regular expression that matches any of these symbols."""
    escaped = "".join(map(re.escape, sorted(symbols)))
    return f"[{escaped}]" if escaped else "(?!)"
