"""Visibility: which symbols a name or a text may contain, and where it may contain a joiner."""

import re
import shlex
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from dinogen.data.letters import script_of, symbol_class
from dinogen.errors import CorpusError

# Control, format, surrogate, private-use, unassigned, line and paragraph separator.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Invisible letters, marks and symbols: Default_Ignorable_Code_Point, the braille blank, the Khitan
# filler and the null notehead.
_INVISIBLE = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, 0x16FE4, 0x1D159}
    | set(range(0x180B, 0x1810))
    | set(range(0xFE00, 0xFE10))
    | set(range(0xE0100, 0xE01F0))
)

# Control characters have no name in `unicodedata`.
_CONTROL_NAMES = {"\t": "tab", "\0": "null", "\b": "backspace", "\x1b": "escape"}

TEXT_CONTROLS = frozenset("\t\v\f")
"""The control characters that a text may contain. VT and FF end its lines."""

_ESCAPE_SEQUENCE = r"\x{1b}\[[0-?]*[ -\x{2f}]*[@-~]"
"""What a terminal obeys (ECMA-48, section 5.4), such as a change of colour. It is for Perl."""

NON_JOINER, JOINER = "\u200c", "\u200d"
EMOJI_SELECTORS = "\ufe0e\ufe0f"
MONGOLIAN_SELECTORS = "\u180b\u180c\u180d\u180e\u180f"
JOINERS = frozenset(NON_JOINER + JOINER + EMOJI_SELECTORS + MONGOLIAN_SELECTORS)
"""The invisible symbols that change how their neighbours look. Where they do, names keep them."""

VIRAMA = 9
"""The combining class of the signs that take a consonant's vowel away, and join it to the next."""

# The scripts that join letters without a virama, by the first words of the names of their letters.
_CURSIVE = frozenset({"ARABIC", "SYRIAC", "MANDAIC", "NKO", "MONGOLIAN", "PHAGS-PA", "ADLAM"})
# The emoji that are punctuation or letters by their categories, and the keys.
_EMOJI_TEXT = frozenset("#*0123456789\u203c\u2049\u2139\u3030\u303d")
# Every code point here is a picture, or reserved for one of a later version of Unicode.
_PICTURES = range(0x1F000, 0x1FB00)

_MAX_CLASS = 120
"""The length from which a class of symbols in a command is written by its category."""

_NEVER_JOINED = 0x600
"""The scripts with joiners have no code points below this one."""


class StrayError(CorpusError):
    """Symbols that cannot be seen are where no name or text has them.

    Attributes:
        source: the name of the list or text.
        place: the first line and the first symbol in it.
        lines: how many lines have such symbols.
        stray: how often each pair of such a symbol and a neighbour that it does not fit occurs.
        keeps_joiners: whether the list has joiners that a name keeps.
        is_text: whether it is running text.
    """

    def __init__(
        self,
        source: str,
        place: tuple[int, str],
        lines: int,
        stray: Counter[tuple[str, str]],
        keeps_joiners: bool,
        *,
        is_text: bool = False,
    ) -> None:
        self.source = source
        self.place = place
        self.lines = lines
        self.stray = stray
        self.keeps_joiners = keeps_joiners
        self.is_text = is_text
        super().__init__(self._message())

    def including(self, texts: Iterable[str], keeps_joiners: bool) -> "StrayError":
        """Count the other parts of the list or text, too.

        Args:
            texts: the parts after the one of this error, as far as they can be read.
            keeps_joiners: whether parts before it have joiners that a name keeps.
        """
        lines, stray, keeps = self.lines, self.stray.copy(), keeps_joiners or self.keeps_joiners
        try:
            for text in texts:
                found = _find_stray_lines(text, is_text=self.is_text)
                lines += len(found.lines)
                stray += found.stray
                keeps |= found.keeps_joiners
        except CorpusError:
            pass  # the lines up to there were counted
        return StrayError(self.source, self.place, lines, stray, keeps, is_text=self.is_text)

    def _message(self) -> str:
        """Return the message."""
        line, symbol = self.place
        name = _CONTROL_NAMES.get(symbol) or unicodedata.name(symbol, "unnamed").lower()
        # TAB stands between columns, which must not be joined.
        if symbol == "\t":
            remedy = "keep the first column with: cut -f1"
        elif self.is_text and "\b" in {stray for stray, _ in self.stray}:
            # Manuals strike bold letters twice. Without BS, they would be there twice.
            remedy = "remove what is struck over with: col -bx"
            remedy += " <" if self.source != "standard input" else ""
        else:
            remedy = f"remove {'them' if self.lines > 1 else 'it'} with: perl -CSD -pe"
            remedy += f" 's/{_removed(self.stray, self.keeps_joiners)}//g'"
        if self.source != "standard input":
            remedy += f" {shlex.quote(self.source)}"
        count = f"{self.lines:,} lines have" if self.lines > 1 else "1 line has"
        whole = "text" if self.is_text else "name"
        problem = "joins nothing there" if symbol in JOINERS else f"cannot be part of a {whole}"
        return (
            f"{self.source}, line {line}: U+{ord(symbol):04X} ({name}) is invisible and {problem}; "
            f"{count} such symbols; {remedy}"
        )


def is_visible(symbol: str) -> bool:
    """Tell whether a symbol may be anywhere in a name: visible symbols and spaces may.

    Control characters are refused because a terminal obeys them. Invisible symbols are refused too:
    format characters (bidirectional marks, soft hyphens) and fillers. `JOINERS` may be in a name
    where they join something, see `joins`.
    """
    code = ord(symbol)
    if unicodedata.category(symbol) in _REFUSED_CATEGORIES:
        return code in _PICTURES
    return code not in _INVISIBLE


def is_printable(symbol: str) -> bool:
    """Tell whether a symbol is visible, or a joiner, which only changes how its neighbours look."""
    return is_visible(symbol) or symbol in JOINERS


def joins(before: str, joiner: str, after: str) -> bool:
    """Tell whether a joiner may stand between two symbols.

    The rule is that of domain names (RFC 5892, appendix A), with the emoji sequences (UTS 51).
    Joiners stand after a virama, and between letters of a script that has viramas or joins its
    letters. Between emoji stands U+200D. A selector stands after what it changes.

    Args:
        before: the symbol before it; a newline at the beginning of a name.
        joiner: one of `JOINERS`.
        after: the symbol after it; a newline at the end of a name.
    """
    return not _misfit(before, joiner, after)


def refuse_stray(
    text: str, names: str, source: str, first_line: int, *, is_text: bool = False
) -> None:
    """Refuse a list or a text with symbols that cannot be seen and join nothing.

    Args:
        text: the lines.
        names: the same, cleaned: in NFC. Names are stripped, and a newline follows each.
        source: the name of the list or text in messages.
        first_line: the number of the first line.
        is_text: whether it is running text, which may contain `TEXT_CONTROLS`.

    Raises:
        StrayError: if there are such symbols.
    """
    hidden = _hidden(names, is_text=is_text)
    if not hidden or (hidden <= JOINERS and not _find_stray(names, hidden).stray):
        return
    found = _find_stray_lines(text, is_text=is_text)
    number, symbol = found.lines[0]
    place = (number + first_line, symbol)
    raise StrayError(
        source, place, len(found.lines), found.stray, found.keeps_joiners, is_text=is_text
    )


def keeps_joiners(names: str) -> bool:
    """Tell whether clean names contain a joiner."""
    return any(joiner in names for joiner in JOINERS)


def has_stray(name: str) -> bool:
    """Tell whether a list with this name would be refused for its invisible symbols."""
    return bool(_find_stray(name, _hidden(name)).stray)


class _Found(NamedTuple):
    """What was found in a text.

    Attributes:
        lines: the index of each line with a stray symbol, and the first of them in it.
        stray: how often each pair of a stray symbol and a neighbour that it does not fit occurs.
        keeps_joiners: whether the text has joiners that a name keeps.
    """

    lines: list[tuple[int, str]]
    stray: Counter[tuple[str, str]]
    keeps_joiners: bool


def _hidden(text: str, *, is_text: bool = False) -> set[str]:
    """Return the invisible symbols in a list, or in running text."""
    kept = TEXT_CONTROLS if is_text else frozenset[str]()
    return {symbol for symbol in set(text) - kept if symbol != "\n" and not is_visible(symbol)}


def _find_stray_lines(text: str, *, is_text: bool) -> _Found:
    """Find the lines with stray symbols in the lines of a list, or of running text."""
    lines, stray, keeps = [], Counter[tuple[str, str]](), False
    # Normalising keeps invisible symbols, so a line without one need not be looked at.
    hidden = _hidden(unicodedata.normalize("NFC", text), is_text=is_text)
    if hidden:
        pattern = re.compile(symbol_class(hidden))
        for number, line in enumerate(text.split("\n")):
            if pattern.search(line):
                name = unicodedata.normalize("NFC", line if is_text else line.strip())
                found = _find_stray(name, hidden)
                lines += [(number, symbol) for _, symbol in found.lines[:1]]
                stray += found.stray
                keeps |= found.keeps_joiners
    return _Found(lines, stray, keeps)


def _find_stray(names: str, hidden: set[str]) -> _Found:
    """Find the stray ones among the hidden symbols of clean names. All names count as one line."""
    lines, stray, keeps = [], Counter[tuple[str, str]](), False
    for match in re.finditer(symbol_class(hidden), names):
        before = names[match.start() - 1 : match.start()] or "\n"
        misfit = _misfit(before, match[0], names[match.end() : match.end() + 1] or "\n")
        if misfit:
            lines.append((0, match[0]))
            stray[match[0], misfit] += 1
        else:
            keeps = True
    return _Found(lines, stray, keeps)


@lru_cache(maxsize=1 << 14)
def _misfit(before: str, symbol: str, after: str) -> str:
    """Return the neighbour that an invisible symbol does not fit; none if it joins something."""
    if symbol in MONGOLIAN_SELECTORS:
        return "" if script_of(before) == "MONGOLIAN" else before
    if symbol in EMOJI_SELECTORS:
        return "" if _is_emoji(before) or before in _EMOJI_TEXT else before
    if symbol in (NON_JOINER, JOINER):
        if unicodedata.combining(before) == VIRAMA:
            return ""
        if symbol == JOINER and (_is_emoji(before) or before in EMOJI_SELECTORS):
            return "" if _is_emoji(after) else after
        if _is_joined(before):
            return "" if _is_joined(after) else after
    return before


def _is_joined(symbol: str) -> bool:
    """Tell whether a symbol is a letter, or a mark on one, of a script with joiners."""
    return unicodedata.category(symbol)[0] in "LM" and (
        unicodedata.bidirectional(symbol) == "AL" or script_of(symbol) in _joined_scripts()
    )


def _is_emoji(symbol: str) -> bool:
    """Tell whether a symbol is a picture, an arrow or a skin tone."""
    if ord(symbol) in _PICTURES or symbol in "\xa9\xae":
        return True
    return symbol > "\u2000" and unicodedata.category(symbol) in ("So", "Sm")


@lru_cache(maxsize=1)
def _joined_scripts() -> frozenset[str]:
    """Return the scripts with joiners: those with a virama, and the cursive ones."""
    symbols = map(chr, range(_NEVER_JOINED, 0x20000))
    viramas = (symbol for symbol in symbols if unicodedata.combining(symbol) == VIRAMA)
    return _CURSIVE | {*map(script_of, viramas)}


def _removed(stray: Iterable[tuple[str, str]], keeps_joiners: bool) -> str:
    """Write a regular expression of Perl for stray symbols and no others."""
    symbols = {symbol for symbol, _ in stray}
    parts = [_ESCAPE_SEQUENCE] if "\x1b" in symbols else []
    if not keeps_joiners:
        return "|".join([*parts, _perl_class(symbols)])
    parts += [_perl_class(symbols - JOINERS)] if symbols - JOINERS else []
    # The neighbours below are never joined; a joiner may also stand beside another one.
    misfits = {
        other for symbol, other in stray if symbol in JOINERS and ord(other) >= _NEVER_JOINED
    }
    fits = rf"[^\0-\x{{{_NEVER_JOINED - 1:x}}}{_perl_codes(misfits)}]"
    if symbols & {NON_JOINER, JOINER}:
        joiners = _perl_class(symbols & {NON_JOINER, JOINER})
        parts += [rf"(?<!{fits}){joiners}", rf"(?<!\p{{ccc=9}}){joiners}(?!{fits})"]
    if selectors := symbols & JOINERS - {NON_JOINER, JOINER}:
        parts.append(rf"(?<![#*0-9\xa9\xae]|{fits}){_perl_class(selectors)}")
    return "|".join(parts)


def _perl_class(symbols: set[str]) -> str:
    """Write a regular expression of Perl for any of some symbols."""
    codes = _perl_codes(symbols)
    if len(codes) > _MAX_CLASS and not symbols & JOINERS:
        # All that is invisible by its category, except what may be in a name.
        named = {symbol for symbol in symbols if unicodedata.category(symbol)[0] != "C"}
        kept = r"\n\x{200c}\x{200d}\x{180e}"
        others = rf"(?![\x{{1f000}}-\x{{1faff}}])[^\P{{C}}{kept}]"
        return f"{others}|[{_perl_codes(named)}]" if named else others
    return codes if len(symbols) == 1 else f"[{codes}]"


def _perl_codes(symbols: Iterable[str]) -> str:
    """Write symbols for a class of Perl, neighbours as ranges."""
    ranges: list[list[int]] = []
    for code in sorted(map(ord, symbols)):
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(
        rf"\x{{{first:x}}}" + (rf"-\x{{{last:x}}}" if last > first else "")
        for first, last in ranges
    )
