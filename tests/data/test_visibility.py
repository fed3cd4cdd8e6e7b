"""Visibility: joiners stay where they join something, and a command removes what cannot be seen."""

import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest

from dinogen.data import JOINERS, has_stray, is_visible, joins, read_clean_text
from dinogen.errors import CorpusError

ZWNJ, ZWJ, VS16 = "\u200c", "\u200d", "\ufe0f"

KEPT = {
    "Persian": "می\u200cخواهم",
    "Persian, after a mark": "نَ\u200cما",
    "Urdu": "خوش\u200cبخت",
    "Syriac": "ܫܡ\u200cܥ",
    "Nepali": "प्\u200dयाकुरेल",
    "Hindi": "श्\u200cयाम",
    "Bengali, before the virama": "র\u200d্যাব",
    "Sinhala": "ශ්\u200dරී",
    "Malayalam, at the end": "അവന്\u200d",
    "Kannada": "ರಾಜ್\u200cಕುಮಾರ್",
    "Tamil": "க்\u200cஷ",
    "Khmer": "ស៊\u200cី",
    "Mongolian": "ᠨᠠ\u180eᠠ\u180bᠰ",
    "a heart": "❤\ufe0f",
    "a heart as text": "I❤\ufe0eNY",
    "a family": "👩\u200d👩\u200d👧",
    "a rainbow flag": "🏳\ufe0f\u200d🌈",
    "a judge with a skin tone": "👩🏽\u200d⚖\ufe0f",
    "a shaking head": "🙂\u200d↔\ufe0f",
    "a key": "#\ufe0f⃣",
    "an exclamation": "‼\ufe0f",
    "the copyright sign": "©\ufe0f",
}

REFUSED = {
    "between Latin letters": "An\u200cna",
    "between Cyrillic letters": "Ан\u200dна",
    "at the beginning": "\u200cعلی",
    "at the end": "علی\u200c",
    "before a space": "علی\u200c رضا",
    "two joiners": "می\u200c\u200cخواهم",
    "between digits": "۱\u200c۲",
    "between a letter and a digit": "علی\u200c۲",
    "a selector on a letter": "ع\ufe0f",
    "a selector at the beginning": "\ufe0f❤",
    "two selectors": "❤\ufe0f\ufe0f",
    "a joiner at the end of an emoji": "👩\u200d",
    "a joiner between an emoji and a letter": "👩\u200dA",
    "a selector of Mongolian on another letter": "a\u180b",
    "an ideographic selector": "葛\U000e0100",
    "a bidirectional mark in Persian": "علی\u200fرضا",
    "an override in Persian": "می\u202eخواهم",
    "a space without width in Persian": "می\u200bخواهم",
}


@pytest.mark.parametrize("name", KEPT.values(), ids=KEPT.keys())
def test_a_joiner_that_joins_is_kept(name: str, tmp_path: Path) -> None:
    """Names of scripts with joiners and emoji sequences are read as they are."""
    path = tmp_path / "names.txt"
    path.write_text(f"Anna\n{name}\n", "utf-8")
    assert not has_stray(name)
    assert "".join(read_clean_text(path)) == f"Anna\n{unicodedata.normalize('NFC', name)}\n"


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED.keys())
def test_a_joiner_that_joins_nothing_is_refused(name: str, tmp_path: Path) -> None:
    """The message has the line and the symbol."""
    path = tmp_path / "names.txt"
    path.write_text(f"Anna\n{name}\n", "utf-8")
    assert has_stray(name)
    with pytest.raises(CorpusError, match=r", line 2: U\+[0-9A-F]+ \(.* is invisible and "):
        "".join(read_clean_text(path))


def test_joiners_are_invisible() -> None:
    """A joiner alone is no name, and no joiner is a control character or a bidirectional mark."""
    for joiner in JOINERS:
        assert not is_visible(joiner)
        assert not joins("\n", joiner, "\n")
        assert unicodedata.category(joiner) in ("Cf", "Mn")
        assert unicodedata.bidirectional(joiner) in ("BN", "NSM")


def test_letters_of_other_scripts_have_no_joiners() -> None:
    """Below the Arabic block, U+200C and U+200D are kept beside two signs only."""
    kept = [code for code in range(0x600) if joins(chr(code), ZWJ, chr(code))]
    assert kept == [0xA9, 0xAE]
    assert not any(joins(chr(code), ZWNJ, chr(code)) for code in range(0x600))


def refusal(path: Path) -> str:
    """Return the message that refuses a list, without the path and the line."""
    with pytest.raises(CorpusError) as caught:
        "".join(read_clean_text(path))
    message = str(caught.value)
    assert message.isprintable()
    assert message.startswith(f"{path}, line ")
    return message


def test_all_lines_of_a_long_list_are_counted(tmp_path: Path) -> None:
    """Lines in later chunks count, and a line with two such symbols counts once."""
    names = [f"Anna\u200b{i}\u200b" if i % 1_000 == 7 else f"Anna{i}" for i in range(100_000)]
    path = tmp_path / "names.txt"
    path.write_text("\n".join(names), "utf-8")
    message = refusal(path)
    assert f"{path}, line 8: U+200B (zero width space) is invisible" in message
    assert "; 100 lines have such symbols; " in message


def test_later_joiners_are_kept_by_the_command(tmp_path: Path) -> None:
    """A command for a list with joiners keeps them, even if they are far from the stray symbol."""
    names = ["می\u200cخواهم", *(f"Anna{i}" for i in range(100_000)), "می\u200c"]
    path = tmp_path / "names.txt"
    path.write_text("\n".join(names), "utf-8")
    assert repaired(path) == "\n".join(names)[:-1]


def repaired(path: Path) -> str:
    """Run the command of a refusal in a shell, and return what it prints."""
    if not shutil.which("perl") or not shutil.which("sh"):
        pytest.skip("there is no Perl or no shell here")
    command = refusal(path).partition(" with: ")[2]
    assert command.startswith("perl ")
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=True)
    return done.stdout.decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("An\u200cna\nBe\u200dla\n\ufeffCora\n", "Anna\nBela\nCora\n"),
        ("An\u200bna\n", "Anna\n"),
        ("An\xadna\nBe\u2066la\u2069\n", "Anna\nBela\n"),
        ("می\u200cخواهم\nعلی\u200c\nعلی\u200c رضا\n", "می\u200cخواهم\nعلی\nعلی رضا\n"),
        ("می\u200c\u200cخواهم\nمی\u200cخواهم\n", "میخواهم\nمی\u200cخواهم\n"),
        ("അവന്\u200d\nലണ്ടൻ\u200c\n", "അവന്\u200d\nലണ്ടൻ\n"),
        ("ಅಡಕ್\u200c\u200c\nರಾಜ್\u200cಕುಮಾರ್\n", "ಅಡಕ್\u200c\nರಾಜ್\u200cಕುಮಾರ್\n"),
        (
            "❤\ufe0f\na\ufe0f\n#\ufe0f⃣\n👩\u200d👧\n👩\u200d\n",
            "❤\ufe0f\na\n#\ufe0f⃣\n👩\u200d👧\n👩\n",
        ),
        ("می\u200cخواهم\nمی\u200c「خواهم\n", "می\u200cخواهم\nمی「خواهم\n"),
        ("".join(f"{chr(c)}x\n" for c in range(0xE000, 0xE200, 7)) + "❤\n", "x\n" * 74 + "❤\n"),
        ("a\U000e0100\U000e0101\U000e0102\nb\n", "a\nb\n"),
        ("می\u200cخواهم\nعلی\u200fرضا\n", "می\u200cخواهم\nعلیرضا\n"),
    ],
    ids=[
        "joiners in Latin names",
        "a space without width",
        "a soft hyphen and isolates",
        "Persian with stray joiners",
        "doubled joiners",
        "a Malayalam joiner at the end",
        "a doubled joiner at the end",
        "emoji",
        "other punctuation",
        "many symbols",
        "neighbours in a range",
        "a bidirectional mark beside joiners",
    ],
)
def test_the_command_repairs_the_list(text: str, expected: str, tmp_path: Path) -> None:
    """The command in the message removes what is refused and keeps the rest."""
    path = tmp_path / "my 'best' names.txt"
    path.write_text(text, "utf-8")
    printed = repaired(path)
    assert printed == expected
    path.write_text(printed, "utf-8")
    assert "".join(read_clean_text(path)) == unicodedata.normalize("NFC", expected)


def test_tabs_are_columns(tmp_path: Path) -> None:
    """The columns of a table are not joined."""
    path = tmp_path / "names.txt"
    path.write_text("Anna\t3\nBela\t4\n", "utf-8")
    assert refusal(path).endswith(
        f"2 lines have such symbols; keep the first column with: cut -f1 {path}"
    )
