"""Cleaning: from untrusted text to clean names."""

import re
import unicodedata
from collections.abc import Iterator
from typing import NoReturn

from dinogen.data.units import CHARACTER, MAX_WORD_LENGTH, MAX_WORDS, WORD, Unit
from dinogen.data.visibility import StrayError, keeps_joiners, refuse_stray
from dinogen.errors import CorpusError

MAX_NAME_LENGTH = 255
"""The maximum number of symbols in a name. It also stops files without line ends."""

MAX_DECOMPOSED_LENGTH = 4 * MAX_NAME_LENGTH
"""The maximum length of a line before NFC, which merges up to four symbols into one. Longer lines
are refused before NFC, whose time is quadratic in the length of a run of marks."""

# White space around a name, or a blank line.
_STRAY_SPACE = re.compile(r"[^\S\n]\n|\n\s")


def clean(text: str, source: str, first_line: int = 1, unit: Unit = CHARACTER) -> str:
    """Clean the text of a list.

    Args:
        text: whole lines, each ended by a newline; the last one need not be.
        source: the name of the list in messages: a path, or ``standard input``.
        first_line: the line number of the first line, for a later part of a list.
        unit: what a symbol is. Between words, one space is left of any white space.

    Returns:
        The names in the order of the list, each followed by a newline. They are in normal form C,
        stripped of white space, without blank lines. Empty if there are none.

    Raises:
        CorpusError: for an invisible symbol, a line with more than `MAX_NAME_LENGTH` symbols or
            `MAX_WORDS` words, or a word of more than `MAX_WORD_LENGTH` characters; the message
            names the source and the line.
    """
    if unit is WORD:
        text = "\n".join(" ".join(line.split()) for line in text.split("\n"))
    names = text if text.endswith("\n") else text + "\n"
    if names[0].isspace() or _STRAY_SPACE.search(names):
        names = "".join(f"{name}\n" for name in map(str.strip, names.split("\n")) if name)
    if _is_too_long(names, unit, MAX_DECOMPOSED_LENGTH // MAX_NAME_LENGTH):
        _refuse_length(text, source, first_line, unit)
    # The whole text is normalised at once: a newline never composes with the symbol after it.
    names = unicodedata.normalize("NFC", names)
    refuse_stray(text, names, source, first_line)
    if _is_too_long(names, unit):
        _refuse_length(text, source, first_line, unit)
    return names


def clean_parts(texts: Iterator[str], source: str, unit: Unit = CHARACTER) -> Iterator[str]:
    """Clean a list that is read in parts.

    Args:
        texts: parts of whole lines, in which each line ends with a newline.
        source: the name of the list in messages.
        unit: what a symbol is.

    Raises:
        CorpusError: see `clean`. For invisible symbols, the rest of the list is read, too, so that
            the message can count them.
    """
    line, has_joiners = 1, False
    for text in texts:
        try:
            names = clean(text, source, line, unit)
        except StrayError as error:
            raise error.including(texts, has_joiners) from None
        yield names
        line += text.count("\n")
        has_joiners |= keeps_joiners(names)


def _is_too_long(names: str, unit: Unit, factor: int = 1) -> bool:
    """Tell whether a name or a word is longer than the maximum, times a factor."""
    if unit is CHARACTER:
        return _has_longer_line(names, factor * MAX_NAME_LENGTH)
    return re.search(rf"[^ \n]{{{factor * MAX_WORD_LENGTH + 1}}}", names) is not None or (
        _has_longer_line(names, 2 * MAX_WORDS - 1)
        and any(name.count(" ") >= MAX_WORDS for name in names.split("\n"))
    )


def _has_longer_line(names: str, max_length: int) -> bool:
    """Tell whether a line has more symbols than a maximum."""
    return re.search(rf"^[^\n]{{{max_length + 1}}}", names, re.MULTILINE) is not None


def _refuse_length(text: str, source: str, first_line: int, unit: Unit) -> NoReturn:
    """Raise the error for the first line of a text that is too long."""
    for number, line in enumerate(text.split("\n"), start=first_line):
        if unit is WORD:
            _refuse_words(line.split(" "), f"{source}, line {number}")
            continue
        name = line.strip()
        if len(name) <= MAX_DECOMPOSED_LENGTH:
            name = unicodedata.normalize("NFC", name)
        if len(name) > MAX_NAME_LENGTH:
            raise CorpusError(
                f"{source}, line {number}: {len(name):,} symbols, but a name has at most "
                f"{MAX_NAME_LENGTH}; put one name on each line"
            )
    raise AssertionError("no line is too long")


def _refuse_words(words: list[str], place: str) -> None:
    """Raise the error for a line of too many words, or with a word that is too long."""
    if len(words) > MAX_WORDS:
        raise CorpusError(
            f"{place}: {len(words):,} words, but a name has at most {MAX_WORDS:,}; "
            "put one name on each line"
        )
    for word in words:
        length = len(word)
        if length <= MAX_DECOMPOSED_LENGTH:
            length = len(unicodedata.normalize("NFC", word))
        if length > MAX_WORD_LENGTH:
            raise CorpusError(
                f"{place}: a word of {length:,} characters, but a word has at most "
                f"{MAX_WORD_LENGTH}; put white space between words"
            )
