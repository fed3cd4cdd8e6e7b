"""The lists that come with the project: clean, counted, and of known origin."""

import re
import unicodedata
from pathlib import Path

import pytest

from dinogen.text.corpus import read_corpus
from tests.conftest import CORPORA

LISTS = sorted(CORPORA.glob("*.txt"))
README = (CORPORA / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_a_list_is_clean_and_counted(path: Path) -> None:
    """It reads without complaint and without duplicates, and its README row has its count."""
    corpus = read_corpus([path])
    data = path.read_bytes()
    assert corpus.facts.duplicates == 0
    assert data.endswith(b"\n")
    assert b"\r" not in data
    assert corpus.facts.lines == data.count(b"\n")
    row = re.search(rf"^\| `{path.name}` \| ([\d,]+) \|", README, re.MULTILINE)
    assert row is not None
    assert int(row[1].replace(",", "")) == corpus.facts.names


def test_the_lists_differ_in_kind_and_size() -> None:
    """Dinosaurs, people, places, a script other than Latin, and a writer's small list."""
    count = {path.stem: read_corpus([path]).facts.names for path in LISTS}
    assert count["dinosaurs"] >= 1_300
    assert count["given-names"] >= 5_000
    assert {"surnames", "places-uk"} <= count.keys()
    assert 100 <= count["edda"] <= 300
    greek = (CORPORA / "greek-names.txt").read_text(encoding="utf-8")
    assert count["greek-names"] >= 300
    assert all("GREEK" in unicodedata.name(c) for c in set(greek) - {"\n"})


def test_the_bundled_checkpoint_learned_the_dinosaurs() -> None:
    """The checkpoint in the package was trained on the list as it stands."""
    from dinogen.checkpoint.reading import load
    from dinogen.cli.checkpoints import BUNDLED

    checkpoint = load(BUNDLED)
    assert checkpoint.corpus == read_corpus([CORPORA / "dinosaurs.txt"]).facts
    assert not checkpoint.training.interrupted
