"""The corpora of the project: clean, with the counts of their README, and what it says they are."""

import re
import runpy
import unicodedata
from fractions import Fraction
from functools import cache
from itertools import accumulate
from pathlib import Path

import pytest

from dinogen.checkpoint import load_checkpoint
from dinogen.cli import BUNDLED
from dinogen.data import read_corpus, read_texts
from tests.conftest import CORPORA

OTHERS = [CORPORA / f"{name}.txt" for name in ("phonemes", "sonnets", "tunes")]
LISTS = [path for path in sorted(CORPORA.glob("*.txt")) if path not in OTHERS]
README = (CORPORA / "README.md").read_text(encoding="utf-8")

TUNES = runpy.run_path(str(CORPORA / "tunes.py"))

ARPABET = {
    *("AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH"),
    *("IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH"),
    *("UW", "V", "W", "Y", "Z", "ZH"),
}


def count_in_readme(path: Path) -> int:
    """Return the count of a corpus in its README row."""
    row = re.search(rf"^\| `{path.name}` \| ([\d,]+) \|", README, re.MULTILINE)
    assert row is not None
    return int(row[1].replace(",", ""))


def lines_of(name: str) -> list[str]:
    """Return the lines of a corpus."""
    return (CORPORA / f"{name}.txt").read_text(encoding="utf-8").split("\n")[:-1]


# Names.


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_a_list_is_clean_and_counted(path: Path) -> None:
    """A list is valid, has no duplicates, and its README row has the right count."""
    corpus = read_corpus([path])
    data = path.read_bytes()
    assert corpus.stats.duplicates == 0
    assert data.endswith(b"\n")
    assert b"\r" not in data
    assert corpus.stats.lines == data.count(b"\n")
    assert count_in_readme(path) == corpus.stats.names


def test_the_lists_differ_in_kind_and_size() -> None:
    """The lists include dinosaurs, people, places, Greek script, and a small list."""
    count = {path.stem: read_corpus([path]).stats.names for path in LISTS}
    assert count["dinosaurs"] >= 1_300
    assert count["given-names"] >= 5_000
    assert {"surnames", "places-uk"} <= count.keys()
    assert 100 <= count["edda"] <= 300
    greek = (CORPORA / "greek-names.txt").read_text(encoding="utf-8")
    assert count["greek-names"] >= 300
    assert all("GREEK" in unicodedata.name(c) for c in set(greek) - {"\n"})


def test_the_bundled_checkpoint_is_trained_on_the_dinosaurs() -> None:
    """The bundled checkpoint was trained on the present list."""
    checkpoint = load_checkpoint(BUNDLED)
    assert checkpoint.corpus == read_corpus([CORPORA / "dinosaurs.txt"]).stats
    assert not checkpoint.training.interrupted


# Text.


def test_the_sonnets_are_154_poems() -> None:
    """A sonnet has 14 lines but for two, and its last two lines are indented."""
    path = CORPORA / "sonnets.txt"
    text = path.read_text(encoding="utf-8")
    assert count_in_readme(path) == read_texts([path]).stats.lines == text.count("\n")
    assert text.isascii()
    assert not re.search(r" \n|\d|[,;:.!?]{2}|\n\n\n", text)
    sonnets = [sonnet.split("\n") for sonnet in text.removesuffix("\n").split("\n\n")]
    assert len(sonnets) == 154
    # Sonnet 99 has a line more, and sonnet 126 is six couplets.
    assert {n: len(s) for n, s in enumerate(sonnets, 1) if len(s) != 14} == {99: 15, 126: 12}
    for sonnet in sonnets:
        indents = [len(line) - len(line.lstrip()) for line in sonnet]
        assert indents == [0] * (len(sonnet) - 2) + [2, 2]


# Words.


@pytest.mark.parametrize("name", ["phonemes", "tunes"])
def test_a_list_of_words_is_clean_and_counted(name: str) -> None:
    """Its lines are distinct, with one space between two words."""
    path = CORPORA / f"{name}.txt"
    lines = lines_of(name)
    corpus = read_corpus([path], unit="word")
    assert count_in_readme(path) == corpus.stats.names == len(lines) == len(set(lines))
    assert all(line == " ".join(line.split()) for line in lines)


def test_the_phonemes_are_those_of_arpabet() -> None:
    """All 39 phonemes occur, and nothing else. The lines are sorted."""
    lines = lines_of("phonemes")
    assert {word for line in lines for word in line.split()} == ARPABET
    assert lines == sorted(lines)


@cache
def beats_of(bar: str) -> list[Fraction]:
    """Return the lengths of the beats of a bar in units, worked out word by word."""
    beats, in_triplet = [Fraction()], 0
    for word in bar.split():
        if beats[-1] and not word.startswith("`"):
            beats.append(Fraction())
        if word.removeprefix("`") == "(3":
            in_triplet = 3
            continue
        note = re.fullmatch(r"`?[\^=_]?(?:[A-Ga-g][,']?|z)(\d*)(?:/(\d))?", word)
        assert note is not None, word
        length = Fraction(int(note[1] or 1), int(note[2] or 1))
        beats[-1] += length * Fraction(2, 3) if in_triplet else length
        in_triplet = max(0, in_triplet - 1)
    assert not in_triplet
    return beats


def test_every_bar_of_the_tunes_is_full() -> None:
    """A tune is a metre, a key and sections of full bars. A word without ` begins a beat.

    The first and the last bar of a section may be short. If it is repeated, they are one bar.
    """
    metres = {"2/2": (8, 4), "4/4": (8, 4), "2/4": (8, 4), "3/4": (6, 2), "6/8": (6, 3)}
    for line in lines_of("tunes"):
        match = re.fullmatch(r"M:(\S+) K:[A-G][#b]?(?:m|mix|dor|phr|lyd)? (.*)", line)
        assert match is not None, line
        full, beat = {**metres, "9/8": (9, 3)}[match[1]]
        sections = re.findall(r"(.+?) (:\||\|\|)(?: |$)", match[2])
        assert " ".join(f"{bars} {end}" for bars, end in sections) == match[2]
        for bars, end in sections:
            first, *inner, last = map(beats_of, bars.split(" | "))
            assert all(sum(beats) == full for beats in inner)
            assert 0 < sum(first) <= full
            assert 0 < sum(last) <= full
            if end == ":|":
                assert sum(first) + sum(last) in (full, 2 * full)
            for beats in [*inner, last]:
                assert all(place % beat == 0 for place in [*accumulate(beats)][:-1]), bars


# The conversion of tunes.

HEADER = "X:7\nT:Test\nM:{metre}\nL:1/8\nK:{key}\n"


def convert(music: str, metre: str = "2/4", key: str = "G") -> str:
    """Convert a tune in eighths, behind which four bars of rests are added."""
    rests = "\n" + {"2/4": "z4|", "6/8": "z6|"}[metre] * 4
    number, line = TUNES["read_tune"](HEADER.format(metre=metre, key=key) + music + rests)
    assert number == "7"
    assert isinstance(line, str)
    return line


def test_notes_and_bars_become_words() -> None:
    """The unit of 2/4 is a sixteenth, so an eighth has the length 2."""
    line = convert('{g}"G"A2 (B^c/2)d/ | .e>f ~g<=a | (3Bcd z c\'/2B,// z// |]\nA4 |')
    assert line == (
        "M:2/4 K:G A4 B2 `^c `d | e3 `f g `=a3 | (3 `B2 `c2 `d2 z2 `c' `B,/2 `z/2 || "
        "A8 | z8 | z8 | z8 | z8 ||"
    )


def test_sections_are_marked() -> None:
    """The start of a repeat is dropped. A double bar line alone ends a section, too."""
    line = convert("d|e2f2|g2f2|e3:|:d|e4|g3:|d|", key="ADor")
    assert line == (
        "M:2/4 K:Ador d2 | e4 f4 | g4 f4 | e6 :| d2 | e8 | g6 :| d2 | z8 | z8 | z8 | z8 ||"
    )
    assert convert("A4|B4||c4|d4::e4|f4:|") == (
        "M:2/4 K:G A8 | B8 || c8 | d8 :| e8 | f8 :| z8 | z8 | z8 | z8 ||"
    )


def test_a_triplet_lasts_as_long_as_two_of_its_notes() -> None:
    """In 6/8 the unit is an eighth."""
    line = convert("(3A2G2F2 B2|(3cdef3 z|A6|B6|", "6/8")
    assert line == (
        "M:6/8 K:G (3 `A2 `G2 `F2 `B2 | (3 `c `d `e `f3 `z | A6 | B6 | z6 | z6 | z6 | z6 ||"
    )


@pytest.mark.parametrize(
    "music",
    {
        "a bar is too short": "A4|B3|A4|",
        "a bar is too long": "A4|B3c2|A4|",
        "a repeat without its upbeat": "d|e4|f4:|",
        "a chord": "[Ac]4|A4|A4|",
        "a tie": "A4-|A4|A4|",
        "an alternative ending": "|:A4|1B4:|2c4|",
        "a quintuplet": "(5ABcde z2|A4|A4|",
        "an unfinished triplet": "A2(3Bc|A4|A4|",
        "a change of key": "A4|\nK:D\nA4|A4|",
        "a change of metre": "A4|[M:3/4]A4|A4|",
    }.values(),
)
def test_other_tunes_are_left_out(music: str) -> None:
    """A tune that has no form as a line is refused."""
    with pytest.raises(TUNES["UnwritableError"]):
        convert(music)


def test_numbers_melodies_and_words_are_not_singular() -> None:
    """The first tune with a number and with a melody is kept, if all its words are in three."""
    music = {
        "1": "AABBBBBB",
        "2": "ABBBBBBB",
        "3": "BBBAAAAA",
        "4": "AABBBBBB",  # the melody of 1
        "5": "cAAABBBB",  # no other tune has a c
        "6": "BBBBBBBB",
    }
    tunes = {
        number: HEADER.format(metre="2/4", key="G").replace("7", number) + "4|".join([*bars, ""])
        for number, bars in music.items()
    }
    again = tunes["6"].replace("X:6", "X:2")
    lines = TUNES["read_tunes"](["\n".join(tunes.values()), again])
    expected = [" | ".join(f"{bar}8" for bar in music[number]) for number in "1236"]
    assert [*lines] == [f"M:2/4 K:G {bars} ||" for bars in expected]
