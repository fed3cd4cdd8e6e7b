"""The name lists of the project: clean, and with the counts of their README."""

import re
import unicodedata
from pathlib import Path

import pytest

from dinogen.checkpoint import load_checkpoint
from dinogen.cli import BUNDLED
from dinogen.data import read_corpus
from tests.conftest import CORPORA

LISTS = sorted(CORPORA.glob("*.txt"))
README = (CORPORA / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_a_list_is_clean_and_counted(path: Path) -> None:
    """A list is valid, has no duplicates, and its README row has the right count."""
    corpus = read_corpus([path])
    data = path.read_bytes()
    assert corpus.stats.duplicates == 0
    assert data.endswith(b"\n")
    assert b"\r" not in data
    assert corpus.stats.lines == data.count(b"\n")
    row = re.search(rf"^\| `{path.name}` \| ([\d,]+) \|", README, re.MULTILINE)
    assert row is not None
    assert int(row[1].replace(",", "")) == corpus.stats.names


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
