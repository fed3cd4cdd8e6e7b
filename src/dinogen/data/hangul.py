"""Hangul: syllables are learned as letters (conjoining jamo), and composed on output.

A precomposed syllable is an initial consonant, a vowel, and often a final consonant. Normal form D
splits it and normal form C composes it (Unicode standard, section 3.12).
"""

from unicodedata import normalize

INITIALS = range(0x1100, 0x1113)
VOWELS = range(0x1161, 0x1176)
FINALS = range(0x11A8, 0x11C3)
"""The code points of the conjoining letters that syllables are composed of."""

MAX_LETTERS = 3
"""The maximum number of letters in a syllable."""

FIRST_SYLLABLE, LAST_SYLLABLE = "\uac00", "\ud7a3"
"""The first and the last precomposed syllable."""

_COMPATIBILITY = "".join(map(chr, range(0x3131, 0x3164)))
"""The letters that keyboards type and fonts draw alone, in the order of the alphabet."""

_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
"""The compatibility letter of each of `INITIALS`, `VOWELS` and `FINALS`."""

_ALONE = {
    chr(code): letter
    for codes, letters in ((INITIALS, _INITIALS), (VOWELS, _VOWELS), (FINALS, _FINALS))
    for code, letter in zip(codes, letters, strict=True)
}
"""The compatibility letter of each conjoining letter."""


def is_syllable(symbol: str) -> bool:
    """Tell whether a symbol is a precomposed syllable."""
    return FIRST_SYLLABLE <= symbol <= LAST_SYLLABLE


def is_letter(symbol: str) -> bool:
    """Tell whether a symbol is a letter that syllables are composed of."""
    return symbol in _ALONE


def is_initial(symbol: str) -> bool:
    """Tell whether a symbol is an initial consonant."""
    return ord(symbol) in INITIALS


def is_vowel(symbol: str) -> bool:
    """Tell whether a symbol is a vowel."""
    return ord(symbol) in VOWELS


def is_final(symbol: str) -> bool:
    """Tell whether a symbol is a final consonant."""
    return ord(symbol) in FINALS


def to_letters(text: str) -> str:
    """Split the syllables of a text into letters. `to_syllables` is the inverse, for NFC."""
    if text.isascii():
        return text
    return text.translate({ord(s): normalize("NFD", s) for s in set(text) if is_syllable(s)})


def to_syllables(text: str) -> str:
    """Compose the syllables of a text. All else becomes NFC, too."""
    return normalize("NFC", text)


def letter_forms(symbol: str) -> str:
    """Return the conjoining letters that a compatibility letter stands for; none for others."""
    if symbol not in _COMPATIBILITY:
        return ""
    return "".join(letter for letter, alone in _ALONE.items() if alone == symbol)


def show_letter(symbol: str) -> str:
    """Return a symbol in a form that can be read alone; a final consonant follows a hyphen.

    A conjoining letter becomes a compatibility letter. Any other symbol stays as it is.
    """
    alone = _ALONE.get(symbol, symbol)
    return f"-{alone}" if alone != symbol and is_final(symbol) else alone


def may_follow(before: str, after: str) -> bool:
    """Tell whether two neighbours can be part of complete syllables.

    Args:
        before: a symbol; a newline stands for the start of a name.
        after: the symbol after it; a newline stands for the end of the name.
    """
    if is_initial(before) or is_vowel(after):
        return is_initial(before) and is_vowel(after)
    return not is_final(after) or is_vowel(before)


def syllable_of(initial: str, vowel: str, final: str = "") -> str:
    """Compose a syllable of its letters."""
    return normalize("NFC", initial + vowel + final)
