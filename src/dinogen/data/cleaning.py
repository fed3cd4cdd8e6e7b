"""Cleaning: from untrusted text to clean names, or to clean running text."""

import re
import unicodedata
from collections.abc import Iterator
from shlex import quote
from typing import NoReturn

from dinogen.data.letters import symbol_class
from dinogen.data.units import CHARACTER, MAX_WORD_LENGTH, MAX_WORDS, WORD, Unit
from dinogen.data.visibility import StrayError, keeps_joiners, refuse_stray
from dinogen.errors import CorpusError

MAX_NAME_LENGTH = 255
"""The maximum number of symbols in a name. It also stops files without line ends."""

MAX_DECOMPOSED_LENGTH = 4 * MAX_NAME_LENGTH
"""The maximum length of a line before NFC, which merges up to four symbols into one. Longer lines
are refused before NFC, whose time is quadratic in the length of a run of marks."""

MAX_MARKS = 255
"""The maximum number of marks on a letter of running text, for the same reason."""

_KEPT_MARKS = 30
"""The number of marks in a row that no letter needs (Unicode Annex 15, section 13)."""

# White space around a name, or a blank line.
_STRAY_SPACE = re.compile(r"[^\S\n]\n|\n\s")


class LongLineError(CorpusError):
    """A line has more symbols or words than a name has."""


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


def clean_text(text: str, source: str, first_line: int = 1, unit: Unit = CHARACTER) -> str:
    """Clean running text.

    Args:
        text: whole lines, each ended by a newline; the last one need not be.
        source: the name of the text in messages: a path, or ``standard input``.
        first_line: the line number of the first line, for a later part of a text.
        unit: what a symbol is. Between words, one space is left of any white space.

    Returns:
        The text in normal form C, each line followed by a newline. A vertical tab and a form feed
        end a line, too, as a page does. All other white space is kept, and so are blank lines.

    Raises:
        CorpusError: for an invisible symbol, as in a name, except the tab; for more than
            `MAX_MARKS` marks in a row; or for a word of more than `MAX_WORD_LENGTH` characters. The
            message names the source and the line.
    """
    _refuse_marks(text, source, first_line)
    lines = unicodedata.normalize("NFC", text)
    refuse_stray(text, lines, source, first_line, is_text=True)
    if unit is WORD:
        _refuse_long_words(lines, source, first_line)
    lines = lines.replace("\v", "\n").replace("\f", "\n")
    lines = lines if lines.endswith("\n") else lines + "\n"
    if unit is WORD:
        lines = "\n".join(" ".join(line.split()) for line in lines.split("\n"))
    return lines


def clean_parts(
    texts: Iterator[str], source: str, unit: Unit = CHARACTER, *, is_text: bool = False
) -> Iterator[str]:
    """Clean a list or a text that is read in parts.

    Args:
        texts: parts of whole lines, in which each line ends with a newline.
        source: the name of the list or text in messages.
        unit: what a symbol is.
        is_text: whether it is running text.

    Raises:
        CorpusError: see `clean` and `clean_text`. For invisible symbols, the rest is read, too, so
            that the message can count them.
    """
    line, has_joiners = 1, False
    clean_part = clean_text if is_text else clean
    for text in texts:
        try:
            names = clean_part(text, source, line, unit)
        except StrayError as error:
            raise error.including(texts, has_joiners) from None
        yield names
        line += text.count("\n")
        has_joiners |= keeps_joiners(names)


def _is_too_long(names: str, unit: Unit, factor: int = 1) -> bool:
    """Tell whether a name or a word is longer than the maximum, times a factor."""
    if unit is CHARACTER:
        return _has_longer_line(names, factor * MAX_NAME_LENGTH)
    return _longest_word(names) > factor * MAX_WORD_LENGTH or (
        _has_longer_line(names, 2 * MAX_WORDS - 1)
        and any(name.count(" ") >= MAX_WORDS for name in names.split("\n"))
    )


def _longest_word(text: str) -> int:
    """Return the length of the longest word. A search for long ones would take much longer."""
    return max(map(len, text.split()), default=0)


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
            raise LongLineError(
                f"{source}, line {number}: {len(name):,} symbols, but a name has at most "
                f"{MAX_NAME_LENGTH}; put one name on each line"
            )
    raise AssertionError("no line is too long")


def _refuse_words(words: list[str], place: str) -> None:
    """Raise the error for a line of too many words, or with a word that is too long."""
    if len(words) > MAX_WORDS:
        raise LongLineError(
            f"{place}: {len(words):,} words, but a name has at most {MAX_WORDS:,}; "
            "put one name on each line"
        )
    for word in words:
        length = len(word)
        if length <= MAX_DECOMPOSED_LENGTH:
            length = len(unicodedata.normalize("NFC", word))
        if length > MAX_WORD_LENGTH:
            _refuse_word(length, place)


def _refuse_word(length: int, place: str) -> NoReturn:
    """Raise the error for a word that is too long."""
    raise CorpusError(
        f"{place}: a word of {length:,} characters, but a word has at most {MAX_WORD_LENGTH}; "
        "put white space between words"
    )


def _refuse_long_words(lines: str, source: str, first_line: int) -> None:
    """Raise the error for the first word of a text that is too long, if there is one."""
    if _longest_word(lines) <= MAX_WORD_LENGTH:
        return
    if found := re.search(rf"\S{{{MAX_WORD_LENGTH + 1},}}", lines):
        line = first_line + lines.count("\n", 0, found.start())
        _refuse_word(len(found[0]), f"{source}, line {line}")


def _refuse_marks(text: str, source: str, first_line: int) -> None:
    """Raise the error for the first run of marks of a text that is too long, if there is one."""
    marks = set() if text.isascii() else {*filter(_is_reordered, set(text))}
    found = marks and re.search(f"{symbol_class(marks)}{{{MAX_MARKS + 1},}}", text)
    if found:
        line = first_line + text.count("\n", 0, found.start())
        path = "" if source == "standard input" else f" {quote(source)}"
        raise CorpusError(
            f"{source}, line {line}: {len(found[0]):,} marks in a row, but a letter has at most "
            f"{MAX_MARKS}; keep {_KEPT_MARKS} with: perl -CSD -pe "
            rf"'s/(\p{{M}}{{{_KEPT_MARKS}}})\p{{M}}+/$1/g'{path}"
        )


def _is_reordered(symbol: str) -> bool:
    """Tell whether a symbol begins with a mark that normalisation puts in order."""
    return unicodedata.combining(unicodedata.normalize("NFD", symbol)[0]) > 0
