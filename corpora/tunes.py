"""Convert tunes in ABC notation to lines of words: a tune is a line, a note or bar line a word.

A line begins with the metre and the key. Each note has its length in units, and each bar its bar
line. A backquote joins a note to the note before it, in one beat. Only the plain melody is kept:
grace notes, ornaments, slurs and chord symbols are dropped, and dotted pairs are written as two
lengths. A tune that has no such form is left out: one with chords, ties, alternative endings, other
tuplets than triplets, changes of metre or key, or a bar that is too short or too long.

The notation is described in the ABC standard 2.1 (abcnotation.com/wiki/abc:standard:v2.1).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

METRES = {"C|": "2/2", "C": "4/4", "2/4": "2/4", "3/4": "3/4", "6/8": "6/8", "9/8": "9/8"}
"""The metres that are kept, as the files write them and as the lines do."""

BEATS = {"2/2": 4, "4/4": 4, "2/4": 4, "3/4": 2, "6/8": 3, "9/8": 3}
"""The number of units in a beat, whose notes have one beam. In 4/4 it is half a bar."""

JOINED = "`"
"""Stands before a word of the same beat as the word before it. ABC ignores it."""

MIN_BARS = 8
"""The minimum number of bars in a tune."""

MIN_TUNES = 3
"""A tune with a word that fewer tunes have is dropped, because the word could not be learned."""

_FIELD = re.compile(r"([A-Za-z]):\s*(.*)")
_KEY = re.compile("([A-G])([#b]?) *(m|min|maj|mix|dor|phr|lyd)?", re.IGNORECASE)

_DROPPED = re.compile(
    r"""\{[^}]*\}              # grace notes
      | "[^"]*" | ![^!\n]*!    # chord symbols, ornaments
      | [.~HTSu]               # ornaments
      | \((?!\d) | \)          # slurs
      | \\$                    # a line that goes on
    """,
    re.VERBOSE | re.MULTILINE,
)
_WORD = re.compile(
    r"""(?P<triplet>\(3(?![:\d]))
      | (?P<pitch>[_=^]?[A-Ga-gxz][,']*)(?P<top>\d*)(?P<slashes>/*)(?P<bottom>\d*)(?P<tie>-?)
      | (?P<dots><+|>+)
      | (?P<bar>:*\|[|\]]?:*|::)
    """,
    re.VERBOSE,
)


class UnwritableError(Exception):
    """A tune has no form as a line."""


@dataclass
class Note:
    """A note or a rest, with its length in units; in a triplet, the length that is written."""

    pitch: str
    length: Fraction
    triplet: bool = False

    @property
    def duration(self) -> Fraction:
        """How long the note sounds, in units."""
        return self.length * Fraction(2, 3) if self.triplet else self.length


Bar = list[Note]


@dataclass
class Section:
    """A part of a tune, and whether it is played twice."""

    bars: list[Bar] = field(default_factory=list)
    is_repeated: bool = False


def read_tunes(files: Iterable[str]) -> Iterator[str]:
    """Yield the lines of the tunes of ABC files.

    Of several tunes with the same number the first one is kept.
    """
    lines: dict[str, str] = {}
    for file in files:
        for tune in re.split("^(?=X:)", file, flags=re.MULTILINE)[1:]:
            try:
                number, line = read_tune(tune)
            except UnwritableError:
                continue
            lines.setdefault(number, line)
    return drop_rare(dict.fromkeys(lines.values()))


def drop_rare(lines: Iterable[str]) -> Iterator[str]:
    """Drop lines with words that occur in fewer than `MIN_TUNES` lines, until there are none."""
    kept = list(lines)
    while True:
        count = Counter(word for line in kept for word in set(line.split()))
        common = [line for line in kept if all(count[word] >= MIN_TUNES for word in line.split())]
        if len(common) == len(kept):
            return iter(kept)
        kept = common


def read_tune(tune: str) -> tuple[str, str]:
    """Return the number of a tune, and its line.

    Raises:
        UnwritableError: if it has no form as a line.
    """
    fields: dict[str, str] = {}
    music = []
    for line in tune.splitlines():
        line = line.partition("%")[0].rstrip()
        match = _FIELD.match(line)
        if not match:
            music.append(line)
        elif match[1] not in "KLM":
            fields.setdefault(match[1], match[2])
        elif "K" in fields:
            raise UnwritableError("metre, key or unit changes")
        else:
            fields[match[1]] = match[2]
    metre = METRES.get(fields.get("M", ""))
    key = _KEY.fullmatch(fields.get("K", ""))
    if not (metre and key):
        raise UnwritableError("other metre or key")
    top, bottom = map(int, metre.split("/"))
    # The unit where none is given: a sixteenth in bars shorter than 3/4, else an eighth.
    unit = Fraction(1, 16 if top / bottom < 3 / 4 else 8)
    scale = Fraction(fields["L"]) / unit if "L" in fields else Fraction(1)
    full = Fraction(top, bottom) / unit
    sections = read_sections("\n".join(music), scale)
    check(sections, full)
    mode = (key[3] or "").lower().removeprefix("maj")
    tonic = key[1].upper() + key[2]
    mode = "m" if mode == "min" else mode
    words = write(sections, full, BEATS[metre])
    return fields["X"].strip(), " ".join([f"M:{metre}", f"K:{tonic}{mode}", *words])


def read_sections(music: str, scale: Fraction) -> list[Section]:
    """Read the sections of a melody.

    Args:
        music: ABC notation.
        scale: how many units its own unit is.

    Raises:
        UnwritableError: if there is something else than notes, triplets and bar lines.
    """
    music = re.sub(r"\s", "", _DROPPED.sub("", music))
    sections, section, bar = [], Section(), Bar()
    place, triplet, factor, dots = 0, 0, Fraction(1), ""
    while place < len(music):
        word = _WORD.match(music, place)
        if word is None:
            raise UnwritableError(f"not a note or bar line: {music[place:][:10]}")
        place = word.end()
        if (triplet or dots) and not word["pitch"]:
            raise UnwritableError("unfinished triplet or dotted pair")
        if word["triplet"]:
            triplet = 3
        elif word["dots"]:
            if not bar or bar[-1].triplet:
                raise UnwritableError("dots without a note")
            dots = word["dots"]
            short = Fraction(1, 2 ** len(dots))
            first, factor = (2 - short, short) if dots[0] == ">" else (short, 2 - short)
            bar[-1].length *= first
        elif word["bar"]:
            if bar:
                section.bars.append(bar)
                bar = Bar()
            ends, starts = word["bar"].startswith(":"), word["bar"].endswith(":")
            if section.bars and (ends or starts or word["bar"] != "|"):
                section.is_repeated = ends
                sections.append(section)
                section = Section()
        else:
            if dots and triplet:
                raise UnwritableError("dotted triplet")
            if word["tie"] and music[place:].lstrip("|").startswith(word["pitch"]):
                raise UnwritableError("tie")
            length = Fraction(
                int(word["top"] or 1), int(word["bottom"] or 2 ** len(word["slashes"]))
            )
            bar.append(Note(word["pitch"], length * scale * factor, triplet > 0))
            triplet, factor, dots = max(0, triplet - 1), Fraction(1), ""
    if bar:
        section.bars.append(bar)
    return [*sections, section] if section.bars else sections


def check(sections: list[Section], full: Fraction) -> None:
    """Check the lengths of the bars.

    The first bar of a section may be short, if the bar that is played before it is as much shorter.

    Raises:
        UnwritableError: if a bar is too short or too long.
    """
    bars = [bar for section in sections for bar in section.bars]
    if len(bars) < MIN_BARS:
        raise UnwritableError("too short")
    ends: list[Fraction] = []  # the bars after which the section is played
    for section in sections:
        lengths = [sum((note.duration for note in bar), Fraction()) for bar in section.bars]
        first, last = lengths[0], lengths[-1]
        if len(lengths) < 2 or max(lengths) > full or any(n != full for n in lengths[1:-1]):
            raise UnwritableError("a bar that is not full")
        ends += [last] if section.is_repeated else []
        if any(end % full + first % full not in (0, full) for end in ends):
            raise UnwritableError("a bar that is not full at the end of a section")
        ends = [last]


def write(sections: list[Section], full: Fraction, beat: int) -> Iterator[str]:
    """Yield the words of the sections of a tune.

    Args:
        sections: the sections.
        full: the length of a bar.
        beat: the length of a beat.
    """
    for section in sections:
        for number, bar in enumerate(section.bars):
            if number:
                yield "|"
            # A short first bar is an upbeat: the end of a bar.
            upbeat = full - sum(note.duration for note in bar)
            yield from write_bar(bar, Fraction() if number else upbeat, beat)
        # The start of a repeat is not marked, so that an end needs no start far before it.
        yield ":|" if section.is_repeated else "||"


def write_bar(bar: Bar, place: Fraction, beat: int) -> Iterator[str]:
    """Yield the words of a bar that begins at a place, in units."""
    in_triplet = 0
    for number, note in enumerate(bar):
        joined = JOINED if number and place % beat else ""
        if note.triplet and not in_triplet:
            yield f"{joined}(3"
            in_triplet, joined = 3, JOINED
        in_triplet = max(0, in_triplet - 1)
        yield joined + note.pitch + write_length(note.length)
        place += note.duration


def write_length(length: Fraction) -> str:
    """Write a length as ABC does: nothing for 1, and /2 for 1/2."""
    top = "" if length.numerator == 1 else str(length.numerator)
    return top if length.denominator == 1 else f"{top}/{length.denominator}"
