"""Running text: every character counts, and what is read does not depend on how it arrives."""

import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import unicodedata
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dinogen.data import (
    MAX_HELD_OUT_SYMBOLS,
    MAX_WORD_LENGTH,
    STDIN,
    WORD,
    CaseRule,
    TextCorpus,
    Vocabulary,
    hold_out_text,
    read_corpus,
    read_texts,
)
from dinogen.errors import CorpusError, SettingError
from tests.conftest import CORPORA
from tests.data.test_sources import Trickle, outcome

HAIKU = "An old silent pond...\nA frog jumps into the pond,\nsplash! Silence again.\n"

PARTS = [
    *("Romeo", "Zoë", "e\u0301", "각", "\u1100\u1161", "李", "❤\ufe0f", "می\u200cخ"),
    *(" ", "  ", "\t", "\xa0", "\u3000", ":", "\n", "\n\n"),
    *("\r", "\r\n", "\n\r", "\x85", "\u2028", "\u2029", "\f", "\v"),
]

texts = st.lists(st.sampled_from(PARTS), max_size=30).map("".join)


def written(corpus: TextCorpus) -> list[str]:
    """Write each text, symbol by symbol: a newline for the end of a line."""
    symbols = ("\n", *corpus.vocabulary.symbols)
    text = [symbols[index] for index in corpus.texts.symbols]
    starts = corpus.texts.starts.tolist()
    join = corpus.vocabulary.unit.join
    return [unicodedata.normalize("NFC", join(text[start:end])) for start, end in pairwise(starts)]


def literal(text: str) -> str:
    """Unify the ends of lines, compose, and end the last line."""
    lines = re.split("\r\n|[\n\r\v\f\x85\u2028\u2029]", unicodedata.normalize("NFC", text))
    return "\n".join(lines) + "\n" * (lines[-1] != "")


def save(folder: Path, text: str | bytes, name: str = "text") -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(path: Path, unit: str = "character") -> str:
    """Return what is said about a text, without its path. It is one line that can be printed."""
    with pytest.raises(CorpusError) as caught:
        read_texts([path], unit=unit)
    message = str(caught.value)
    assert message.isprintable()
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


def run(command: str) -> str:
    """Run the command that a message proposes, and return what it prints."""
    if not shutil.which(command.split()[0]):
        pytest.skip(f"there is no {command.split()[0]} here")
    return subprocess.run(
        ["sh", "-c", command], capture_output=True, check=True, timeout=60
    ).stdout.decode()


# What is read.


@settings(deadline=None, max_examples=150)
@given(texts, st.randoms())
def test_agrees_with_a_literal_twin(text: str, random: Random) -> None:
    """For any chunk borders, all is kept but the kinds of line ends and the normal form."""
    data = ("\ufeffab" + text).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(Trickle(data, random), "ascii"))
        corpus = read_texts([STDIN])
    expected = literal("ab" + text)
    assert written(corpus) == [expected]
    assert corpus.vocabulary.write_text(corpus.texts.symbols) == expected
    assert corpus.stats.sha256 == hashlib.sha256(expected.encode()).hexdigest()
    assert corpus.stats.lines == expected.count("\n")
    letters = sum(len(unicodedata.normalize("NFD", s)) if s == "각" else 1 for s in expected)
    letters += expected.count("가")
    assert corpus.stats.symbols == len(corpus.texts.symbols) == letters


@settings(deadline=None, max_examples=100)
@given(texts)
def test_words_agree_with_a_literal_twin(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """Lines stay lines, blank ones too, and of the white space between words one space is left."""
    path = save(tmp_path_factory.mktemp("texts"), f"a b {text}")
    corpus = read_texts([path], unit="word")
    lines = [line.split() for line in literal(f"a b {text}").split("\n")[:-1]]
    indices = {word: i for i, word in enumerate(sorted({w for line in lines for w in line}), 1)}
    expected = [i for line in lines for i in [*(indices[word] for word in line), 0]]
    assert corpus.texts.symbols.tolist() == expected
    whole = "".join(" ".join(line) + "\n" for line in lines)
    assert corpus.vocabulary.write_text(corpus.texts.symbols) == whole
    assert corpus.stats.sha256 == hashlib.sha256(whole.encode()).hexdigest()
    assert corpus.stats.lines == len(lines)


def test_a_page_with_everything(tmp_path: Path) -> None:
    """Tabs, blank lines, double spaces and capitals stay; pages and CR LF end lines."""
    path = save(tmp_path, "I\r\n\r\n\tAct  one \x0cII\rEnd".encode("utf-16"))
    corpus = read_texts([path])
    assert written(corpus) == ["I\n\n\tAct  one \nII\nEnd\n"]
    assert corpus.vocabulary.symbols[:2] == ("\t", " ")
    assert corpus.case == CaseRule.unchanged()
    assert corpus.warnings == ()
    assert corpus.stats.content == "text"
    assert corpus.stats.texts == 1


def test_a_haiku_is_enough_and_a_line_too(tmp_path: Path) -> None:
    """A short text is read; so is a line without a newline, and one longer than any part."""
    assert written(read_texts([save(tmp_path, HAIKU)])) == [HAIKU]
    assert written(read_texts([save(tmp_path, "Oh no")])) == ["Oh no\n"]
    long = "Frère Jacques, " * 60_000
    for text in (long, f"a\n{long}\n\nb\n"):
        corpus = read_texts([save(tmp_path, text)])
        assert written(corpus) == [text + "\n" * (text == long)]
    assert read_texts([save(tmp_path, long)], unit="word").stats.symbols == 120_001


def test_each_source_is_a_text(tmp_path: Path) -> None:
    """Each begins anew, with its own byte order mark. Blank files do not count."""
    sources = [
        save(tmp_path, text, f"{i}.txt")
        for i, text in enumerate(["\ufeffab\nc", "", " \n\n", "ca\n\n", "각\n"])
    ]
    corpus = read_texts(sources)
    assert written(corpus) == ["ab\nc\n", "ca\n\n", "각\n"]
    assert corpus.texts.starts.tolist() == [0, 5, 9, 13]
    assert corpus.stats == (3, 5, 13, hashlib.sha256("ab\nc\nca\n\n각\n".encode()).hexdigest())


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE html>\n<html><body>Anna</body></html>\n",
        "name,count\nAnna,3\nBerta,4\n",
        "name\tcount\nAnna\t3\n",
        '["Anna",\n "Berta"]\n',
        "# Title\n\n* one\n* two\n",
        "def f(x):\n\treturn x  # twice\n",
        "Anna, Berta, Cara, Dora",
        "&amp;\n",
    ],
    ids=["HTML", "CSV", "tabs", "JSON", "Markdown", "code", "a line", "entities"],
)
def test_all_text_is_text(text: str, tmp_path: Path) -> None:
    """What is no list of names is learned as it is."""
    corpus = read_texts([save(tmp_path, text)])
    assert written(corpus) == [literal(text)]
    assert corpus.warnings == ()


def test_an_encoding_can_be_given(tmp_path: Path) -> None:
    """The same options and messages as for a list."""
    path = save(tmp_path, "Zoë fährt.\nJosé naît à Málaga.\n".encode("cp1252"))
    assert refusal(path).startswith(", line 1: byte 0xeb is not valid UTF-8; if it should read")
    assert "add --encoding cp1252" in refusal(path)
    text = read_texts([path], encoding="cp1252")
    assert written(text) == ["Zoë fährt.\nJosé naît à Málaga.\n"]


# What is refused.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": contains no text; give a file with running text"),
        (" \n\t\n\f", ": contains no text"),
        ("aaa\na\n", ": only one symbol, 'a', again and again"),
        (b"%PDF-1.7\n", ": a PDF document; copy its text into a text file"),
        (b"PK\x03\x04" + b"word/", ": a text document; save it as plain text in UTF-8"),
        (b"PK\x03\x04" + b"xl/", ": a spreadsheet; export it as CSV"),
        (b"PK\x03\x04mimetypeapplication/epub+zip", ": an e-book; save it as plain text in UTF-8"),
        (b"\x89PNG\r\n", ": an image; give a text file"),
        ("Anna\n".encode("utf-16-le"), ": this is UTF-16 without a byte order mark; read it with"),
        ("a\f\fb\n\nc\x07\n", ", line 3: U+0007 (unnamed) is invisible and cannot be part of a"),
        ("ab\n\x1cab\x1c\n", ", line 2: U+001C (unnamed) is invisible and cannot be part of a t"),
        ("ab\nAn\u200dna\n", ", line 2: U+200D (zero width joiner) is invisible and joins nothing"),
        ("ab\nc" + "\u0301\u0323" * 150_000, ", line 2: 300,000 marks in a row, but a letter has"),
    ],
)
def test_what_is_no_text_is_refused(text: str | bytes, message: str, tmp_path: Path) -> None:
    """The message says what it is, and speaks of texts and not of names."""
    said = refusal(save(tmp_path, text))
    assert said.startswith(message)
    assert "name" not in said.replace("unnamed", "")
    assert "column" not in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\n\ufefftwo\n", "one\ntwo\n"),
        ("hy\xadphen\u200b  \n\n x\n", "hyphen  \n\n x\n"),
        ("\x1b[1mbold\x1b[0m and \x1b[38;5;9mred\x1b[m\n", "bold and red\n"),
        ("می\u200cخواهم\x1b[1m\nعلی\u200fرضا\n", "می\u200cخواهم\nعلیرضا\n"),
        ("N\bNA\bAM\bME\bE\n\n   _\bx y\n", "NAME\n\n   x y\n"),
        ("a" + "\u0301" * 300 + "b\n", "a" + "\u0301" * 30 + "b\n"),
        ("a\tb\x00c\n", "a\tbc\n"),
    ],
    ids=[
        "a mark within",
        "soft hyphens",
        "colours",
        "colours beside joiners",
        "a manual",
        "marks",
        "null",
    ],
)
def test_a_command_repairs_the_text(text: str, expected: str, tmp_path: Path) -> None:
    """What a refusal proposes makes a text that is read."""
    printed = run(refusal(save(tmp_path, text, "my 'best' text")).partition(" with: ")[2])
    assert printed == expected
    assert written(read_texts([save(tmp_path, printed)])) == [literal(expected)]


def test_all_lines_with_invisible_symbols_are_counted(tmp_path: Path) -> None:
    """Also those in later parts; form feeds do not change the numbers of lines."""
    lines = [f"line\f{i}" + "\xad" * (i % 1_000 == 7) for i in range(60_000)]
    said = refusal(save(tmp_path, "\n".join(lines)))
    assert said.startswith(", line 8: U+00AD (soft hyphen) is invisible")
    assert "; 60 lines have such symbols; " in said


def test_long_words_are_refused(tmp_path: Path) -> None:
    """The message has the line. Lines have any number of words."""
    longest = "a" * MAX_WORD_LENGTH
    good = f"{'b ' * 10_000}\n\n{longest} c\n"
    assert read_texts([save(tmp_path, good)], unit="word").stats.symbols == 10_005
    said = refusal(save(tmp_path, f"{good}c a{longest}\n"), "word")
    assert said.startswith(", line 4: a word of 256 characters, but a word has at most 255")
    assert refusal(save(tmp_path, "a a\n\na"), "word").startswith(": only one word, 'a', again")
    with pytest.raises(SettingError, match="unit must be character or word, not 'line'"):
        read_texts([STDIN], unit="line")


def test_too_many_words_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vocabulary must fit into a checkpoint."""
    module = sys.modules[read_texts.__module__]
    path = save(tmp_path, "aa bb cc\n")
    monkeypatch.setattr(module, "MAX_VOCABULARY_SIZE", 9)
    assert len(read_texts([path], unit="word").vocabulary) == 4
    monkeypatch.setattr(module, "MAX_VOCABULARY_SIZE", 8)
    assert refusal(path, "word").startswith(": 3 different words, too many to learn; give a text")


def test_an_endless_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source without an end is read up to a limit, with and without lines."""

    class Endless(io.BytesIO):
        piece = b""

        def read1(self, size: int | None = -1) -> bytes:
            return self.piece

    # Sources are read in the module of the names of sources.
    module = sys.modules["dinogen.data"].source_name.__module__
    monkeypatch.setattr(sys.modules[module], "MAX_TEXT", 1_000_000)
    for piece in (b"\0" * 50_000, b"yes\n" * 10_000):
        monkeypatch.setattr(Endless, "piece", piece)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Endless(), "ascii"))
        with pytest.raises(CorpusError, match="standard input: more than 1,000,000 symbols"):
            read_texts([STDIN])


# The held-out part.


def test_the_last_part_of_each_text_is_held_out(tmp_path: Path) -> None:
    """Nothing is lost, and the parts lie in order."""
    sources = [save(tmp_path, text, f"{len(text)}") for text in ("abc" * 33, "a" * 9, "cab" * 9)]
    corpus = read_texts(sources)
    training, held_out = hold_out_text(corpus, 0.1)
    assert training.lengths.tolist() == [90, 9, 26]
    assert held_out.lengths.tolist() == [10, 1, 2]
    pieces = [
        part.symbols[part.starts[i] : part.starts[i + 1]]
        for i in range(3)
        for part in (training, held_out)
    ]
    assert np.concatenate(pieces).tolist() == corpus.texts.symbols.tolist()


def test_not_too_much_is_held_out(tmp_path: Path) -> None:
    """A long text has a limit."""
    corpus = read_texts([save(tmp_path, "ab" * (5 * MAX_HELD_OUT_SYMBOLS + 1))])
    training, held_out = hold_out_text(corpus, 0.2)
    assert held_out.lengths.sum() == MAX_HELD_OUT_SYMBOLS
    assert training.lengths.sum() + held_out.lengths.sum() == corpus.stats.symbols


# The vocabulary of a text.


@settings(deadline=None, max_examples=100)
@given(texts, st.data())
def test_a_text_is_written_in_pieces(text: str, data: st.DataObject) -> None:
    """Words in pieces need the symbol before each to make the whole."""
    whole = literal("a b" + text)
    vocabulary = Vocabulary.of(whole, WORD)
    symbols = vocabulary.encode_text(whole)
    borders = sorted(data.draw(st.lists(st.integers(0, len(symbols)), max_size=5)))
    cuts = [0, *borders, len(symbols)]
    pieces = [
        vocabulary.write_text(symbols[start:end], int(symbols[start - 1]) if start else 0)
        for start, end in pairwise(cuts)
    ]
    expected = "\n".join(" ".join(line.split()) for line in whole.split("\n"))
    assert "".join(pieces) == expected == vocabulary.write_text(symbols)


@settings(deadline=None, max_examples=100)
@given(texts)
def test_a_prompt_is_the_beginning_of_a_text(text: str) -> None:
    """It has the symbols of the text, but its last line need not be finished."""
    whole = literal("a" + text)
    vocabulary = Vocabulary.of(whole)
    symbols = vocabulary.encode_text(whole).tolist()
    assert vocabulary.prompt(whole) == symbols
    assert vocabulary.prompt("a" + text) in (symbols, symbols[:-1])
    words = Vocabulary.of(whole, WORD)
    assert words.prompt(f"\t{whole}") == words.encode_text(whole).tolist()


def test_prompts() -> None:
    """Line ends of all kinds, spaces at the end, nothing; an unknown symbol is named."""
    vocabulary = Vocabulary.of("\tabc: 한\n")
    tab, space, colon, a = (vocabulary.symbols.index(symbol) + 1 for symbol in "\t :a")
    assert vocabulary.prompt("") == []
    assert vocabulary.prompt("a:\r\n\f\ta ") == [a, colon, 0, 0, tab, a, space]
    assert len(vocabulary.prompt("\u1112\u1161\u11ab")) == 3
    with pytest.raises(SettingError, match="'ad': unknown symbol 'd'; dinogen inspect lists"):
        vocabulary.prompt("c\nad\n")
    with pytest.raises(SettingError, match=r"'a{77}\.\.\.': unknown symbol '\\x1b'"):
        vocabulary.prompt("a" * 500 + "\x1b")
    words = Vocabulary.of("to be , or\n", WORD)
    assert [("\n", *words.symbols)[i] for i in words.prompt(" to  be\n\nor ")] == [
        *("to", "be", "\n", "\n", "or")
    ]
    with pytest.raises(SettingError, match="'to bee': unknown word 'bee'"):
        words.prompt("be\nto bee")


# Texts that are taken for lists.


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (HAIKU.replace("pond...", "pond, in the dark...") * 3, "of many words, as running text"),
        ("床前明月光，疑是地上霜。\n举头望明月，低头思故乡。\n" * 2, "of many words, as running"),
        ("A long line, " * 99, "one line with 99 commas; if it is a list"),
        ("A long line. " * 99 + "\nAnd so on.", "1,286 symbols, but a name has at most 255"),
        ("<html>\n", "a page in HTML or XML and not a list"),
    ],
    ids=["prose", "Chinese", "commas", "a long line", "a page"],
)
def test_a_list_that_looks_like_text(text: str, shown: str, tmp_path: Path) -> None:
    """The message has the command that learns it as text."""
    path = save(tmp_path, text)
    [message] = outcome_of_list(path)
    assert shown in message
    assert message.endswith(f"dinogen train --text {path}")


def outcome_of_list(path: Path) -> list[str]:
    """Return the warnings about a list, or why it is refused."""
    return outcome(lambda: "\n".join(read_corpus([path]).warnings)).splitlines()


def test_a_real_text(tmp_path: Path) -> None:
    """The sonnets are read as they are, and taken for text if they are given as a list."""
    path = CORPORA / "sonnets.txt"
    corpus = read_texts([path])
    assert written(corpus) == [path.read_text("utf-8")]
    assert corpus.stats.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    [message] = outcome_of_list(path)
    assert message.endswith(f"dinogen train --text {path}")


def test_lines_of_too_many_words(tmp_path: Path) -> None:
    """The command has the unit, too. What --encoding says is said again."""
    path = save(tmp_path, "ab cd\n" + "la " * 5_000 + "\n")
    with pytest.raises(CorpusError) as caught:
        read_corpus([path], unit="word", encoding="ascii")
    assert str(caught.value) == (
        f"{path}, line 2: 5,000 words, but a name has at most 4,096; put one name on each line, "
        f"or learn running text: dinogen train --text {path} --encoding ascii --unit word"
    )


@pytest.mark.parametrize(
    "text",
    [
        "The Lord of the Rings: The Two Towers\nHarry Potter and the Order of the Phoenix\n" * 3,
        "C G Am F C G\nDm G C C F G\nAm F C G\n" * 3,
        json.dumps(["Where is it, and what is it?"] * 3),
        "12 Rue de la Paix, 75002 Paris\n7 Rue du Bac, 75007 Paris\n" * 3,
    ],
    ids=["titles", "chords", "JSON", "addresses"],
)
def test_long_names_are_no_text(text: str, tmp_path: Path) -> None:
    """Many words alone do not make a text."""
    assert not [w for w in outcome_of_list(save(tmp_path, text)) if "--text" in w]
