"""Lists of scripts with marks and joiners from end to end, through the commands."""

import json
import shutil
import subprocess
import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cli.conftest import Refused, train
from tests.conftest import Run, command, environment

ZWNJ, ZWJ = "\u200c", "\u200d"

PERSIAN = [
    f"{first}{ZWNJ}{second}"
    for first in ("گل", "شاه", "مه", "خوش", "نیک", "پاک", "دل", "سیه")
    for second in ("رخ", "نام", "بانو", "چهر", "دل", "آرا", "پور", "زاد")
]

HINDI = [
    f"{first}{second}"
    for first in ("रा", "मी", "सु", "श्\u200dया", "दे", "कि", "गो", "लक्ष्")
    for second in ("मा", "ना", "नील", "वेन्द्र", "शोर", "पाल", "मी", "रेश")
]

EMOJI = [
    "👩\u200d👩\u200d👧",
    "👩🏽\u200d⚖\ufe0f",
    "❤\ufe0f",
    "🏳\ufe0f\u200d🌈",
    "🙂",
    "👧",
    "👩",
    "❤\ufe0f\u200d🔥",
]

LISTS = {"Persian": PERSIAN, "Hindi": HINDI, "emoji": EMOJI}

QUICK = ("--seed", "1", "--steps", "100", "--hidden", "16", "--holdout", "0")


def is_bound(before: str, after: str) -> bool:
    """Tell whether two neighbours end with a mark or begin with a joiner."""
    return unicodedata.category(after)[0] == "M" or after in ZWNJ + ZWJ or before in ZWNJ + ZWJ


def bound_pairs(names: list[str]) -> set[tuple[str, str]]:
    """The neighbours in names that end with a mark or begin with a joiner."""
    return {pair for name in names for pair in pairwise(f"\n{name}\n") if is_bound(*pair)}


@pytest.mark.parametrize("script", LISTS)
def test_names_have_marks_only_where_the_list_has_them(
    dinogen: Run, tmp_path: Path, script: str
) -> None:
    """At any temperature; and the list of new names can be learned from."""
    names = LISTS[script]
    checkpoint = train(tmp_path, "\n".join(names).encode(), *QUICK)
    found = []
    for temperature in ("0.5", "1", "3"):
        options = ("--temperature", temperature, "--n", "40", "--seed", "1", "--allow-known")
        result = dinogen("sample", checkpoint, *options, "--allow-repeats")
        assert result.returncode == 0, result.stderr
        found += result.stdout.splitlines()
    assert len(found) == 120
    assert bound_pairs(found) <= bound_pairs(names)
    assert any(joiner in name for name in found for joiner in (ZWNJ, ZWJ))
    (tmp_path / "new.txt").write_text("\n".join(sorted(set(found))), "utf-8")
    result = dinogen("train", tmp_path / "new.txt", "-o", tmp_path / "new.npz", "-q", *QUICK)
    assert result.returncode == 0, result.stderr


def test_constraints_with_joiners(dinogen: Run, tmp_path: Path) -> None:
    """A prefix may contain a joiner, or end with one; one that begins with a mark is refused."""
    checkpoint = train(tmp_path, "\n".join(PERSIAN).encode(), *QUICK)
    for prefix in ("گل" + ZWNJ, "شاه" + ZWNJ + "ن"):
        options = ("--prefix", prefix, "--allow-known", "--allow-repeats", "--seed", "1")
        result = dinogen("sample", checkpoint, *options, "--json", "--n", "5")
        names = [json.loads(line)["name"] for line in result.stdout.splitlines()]
        assert len(names) == 5
        assert all(name.startswith(prefix) for name in names)


def test_a_prefix_that_begins_with_a_mark(refused: Refused, tmp_path: Path) -> None:
    """The message names the constraint and says why."""
    checkpoint = train(tmp_path, "\n".join(HINDI).encode(), *QUICK)
    for prefix in ("\u093e", "र\u200d"):
        message = refused("sample", checkpoint, "--prefix", prefix, status=2)
        assert message.startswith("dinogen: prefix ")
        assert "the training list never has such a mark" in message


@pytest.mark.skipif(not shutil.which("perl"), reason="there is no Perl here")
def test_the_command_in_the_refusal_makes_a_list(
    refused: Refused, dinogen: Run, tmp_path: Path
) -> None:
    """One line counts the lines; the command removes the symbols, and the list is learned."""
    names = [*PERSIAN, "سیما" + ZWNJ, "Anna\u200b", "\u200fعلی", "Be\xadla"]
    path = tmp_path / "my names.txt"
    path.write_text("\n".join(names), "utf-8")
    message = refused("train", path, status=1)
    assert f"{path}, line 65: U+200C (zero width non-joiner) is invisible" in message
    assert "4 lines have such symbols" in message
    shell = message.strip().partition(" with: ")[2]
    # What the command prints can be learned at once.
    pipe = f"{shell} | {' '.join(command('train', '-', '-q', '-o', 'new.npz', *QUICK))}"
    done = subprocess.run(
        ["sh", "-c", pipe], cwd=tmp_path, env=environment(), capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    result = dinogen("inspect", tmp_path / "new.npz", "--json")
    assert set(json.loads(result.stdout)["symbols"]) == {
        *"".join(PERSIAN),
        *"سیماعلیannabel",
    }
