"""The pairs of neighbours with marks: they are stored, untrusted, and obeyed."""

from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dinogen.checkpoint import Checkpoint, load_checkpoint, save
from dinogen.data import MAX_PAIRS, read_corpus
from dinogen.errors import RanOutError, SettingError
from dinogen.model import Model
from dinogen.training import DefaultRun, Settings
from tests.checkpoint.crafting import (
    Files,
    changed,
    header_of,
    put_together,
    refusal,
    same,
    take_apart,
    with_header,
)

NAMES = "किरण\nश्\u200dयाम\nमीना\nराम\nसीता\nगीता\n"


@pytest.fixture(scope="module")
def hindi(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A checkpoint of names with marks and a joiner."""
    path = tmp_path_factory.mktemp("pairs") / "names.txt"
    path.write_text(NAMES, "utf-8")
    settings = Settings(seed=5, hidden_size=4, order=2, steps=3, batch_size=2, holdout=0)
    run = DefaultRun(read_corpus([path]), settings)
    next(run.train())
    return run.checkpoint()


@pytest.fixture
def files(hindi: Checkpoint, tmp_path: Path) -> Files:
    """The files in its archive."""
    save(hindi, tmp_path / "model.npz")
    return take_apart(tmp_path / "model.npz")


def neighbours(names: str) -> set[str]:
    """The neighbours in names that end with a mark or begin with a joiner, by a plain loop."""
    marks = "\u093e\u093f\u0940\u094d\u200d"
    framed = "\n" + names
    pairs = map("".join, pairwise(framed))
    return {pair for pair in pairs if pair[1] in marks or pair[0] == "\u200d"}


def test_the_pairs_come_back(hindi: Checkpoint, tmp_path: Path) -> None:
    """A checkpoint has the pairs of its list, sorted, and writes the same names after reading."""
    symbols = ("\n", *hindi.vocabulary.symbols)
    assert {symbols[a] + symbols[b] for a, b in hindi.pairs.tolist()} == neighbours(NAMES)
    assert hindi.pairs.tolist() == sorted(hindi.pairs.tolist())
    save(hindi, tmp_path / "model.npz")
    loaded = load_checkpoint(tmp_path / "model.npz")
    assert same(hindi, loaded)
    assert loaded.pairs.dtype == hindi.pairs.dtype
    drawn = Model(loaded).sample(20, seed=1, temperature=3.0)
    assert drawn == Model(hindi).sample(20, seed=1, temperature=3.0)
    assert all(neighbours(f"{name}\n") <= neighbours(NAMES) for name in drawn)


@pytest.mark.parametrize(
    "pairs",
    [
        [1, 2, 3],
        [2, 1, 1, 2],
        [1, 2, 1, 2],
        [0, 99],
        [-1, 1],
        [1.5, 2],
        ["a", "b"],
        [True, True],
        {},
        None,
        [[0, 1]],
        [0] * (2 * MAX_PAIRS + 2),
    ],
    ids=[
        "an odd number",
        "not in order",
        "a pair twice",
        "an unknown symbol",
        "a negative index",
        "fractions",
        "texts",
        "truth values",
        "an object",
        "nothing",
        "lists",
        "too many",
    ],
)
def test_other_pairs_are_refused(files: Files, tmp_path: Path, pairs: object) -> None:
    """Pairs are indices of symbols, in order, and not too many."""
    header = changed(header_of(files), ("pairs",), pairs)
    assert "pairs" in refusal(put_together(tmp_path / "model.npz", with_header(files, header)))


def with_pairs(files: Files, path: Path, pairs: list[tuple[int, int]]) -> Model:
    """Load a checkpoint with other pairs."""
    numbers: list[Any] = [number for pair in sorted(pairs) for number in pair]
    return Model(
        load_checkpoint(
            put_together(path, with_header(files, changed(header_of(files), ("pairs",), numbers)))
        )
    )


def test_pairs_that_lead_nowhere(hindi: Checkpoint, files: Files, tmp_path: Path) -> None:
    """If nothing may follow a joiner, no name has one."""
    joiner = hindi.vocabulary.indices_of("\u200d")[0]
    pairs = [(a, b) for a, b in hindi.pairs.tolist() if a != joiner] + [(joiner, joiner)]
    model = with_pairs(files, tmp_path / "model.npz", pairs)
    names = model.sample(50, seed=1, temperature=2.0)
    assert len(names) == 50
    assert not any("\u200d" in name for name in names)
    with pytest.raises(SettingError, match="such a mark"):
        model.sample(1, contains=("\u200d",))


def test_all_pairs(hindi: Checkpoint, files: Files, tmp_path: Path) -> None:
    """With all pairs, even of letters and of the end, names are still not empty."""
    indices = range(len(hindi.vocabulary))
    model = with_pairs(files, tmp_path / "model.npz", [*product(indices, indices)])
    names = model.sample(50, seed=1, temperature=2.0)
    assert len(set(names)) == 50
    assert all(names)


def test_pairs_without_a_beginning(files: Files, tmp_path: Path) -> None:
    """If every symbol is a mark that begins no name, drawing ends with a message."""
    header = header_of(files)
    size = len(header["vocabulary"]["symbols"])
    header["vocabulary"]["symbols"] = [chr(0x0300 + i) for i in range(size)]
    header["case"]["capital_after"], header["case"]["shapes"] = [], []
    header["pairs"] = [n for a, b in product(range(1, size + 1), repeat=2) for n in (a, b)]
    model = Model(load_checkpoint(put_together(tmp_path / "model.npz", with_header(files, header))))
    with pytest.raises(RanOutError):
        model.sample(1)
    assert np.array_equal(model.checkpoint.pairs[:, 0].max(), size)
