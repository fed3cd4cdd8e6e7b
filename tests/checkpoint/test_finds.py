"""What adversaries found once: checkpoints in good form, made to do harm, one after the other."""

import json
import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.checkpoint.archive import LARGEST_FILE
from dinogen.checkpoint.writing import save
from dinogen.text.corpus import read_corpus
from dinogen.training.classic import ClassicRun
from dinogen.training.loop import DefaultRun
from dinogen.training.settings import Settings
from tests.checkpoint.crafting import (
    NAMES,
    Members,
    meta,
    npy,
    put,
    put_together,
    take_apart,
    with_meta,
)
from tests.torture.commands import Ended, run

LETTERS = [chr(code) for code in range(97, 123)]

Arrays = dict[str, NDArray[Any]]


class Lab(NamedTuple):
    """A folder with a list and real checkpoints of every kind, taken apart."""

    folder: Path
    network: Members
    ngrams: Members
    mixture: Members
    classic: Members

    @property
    def list(self) -> str:
        """The path of the list."""
        return str(self.folder / "names.txt")

    def put(self, members: Members) -> str:
        """Write a checkpoint."""
        return str(put_together(self.folder / "evil.npz", members))

    def resume(self, members: Members) -> Ended:
        """Go on with a checkpoint for a few steps."""
        path = self.put(members)
        args = ("train", self.list, "-o", path, "--resume", "--steps", "70", "-q")
        return run(*args, may_write=True)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Train a checkpoint of every kind, each stopped on its way."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "names.txt").write_bytes(NAMES.encode())

    def trained(hidden: int, order: int) -> Members:
        settings = Settings(seed=5, hidden_size=hidden, order=order, steps=60, holdout=0.25)
        return stopped(DefaultRun(read_corpus([folder / "names.txt"]), settings), folder)

    corpus = read_corpus([folder / "names.txt"], keep_duplicates=True)
    classic = stopped(ClassicRun(corpus, steps=60), folder)
    return Lab(folder, trained(4, 0), trained(0, 3), trained(4, 3), classic)


def stopped(run: DefaultRun | ClassicRun, folder: Path) -> Members:
    """Train for three steps, and take the checkpoint apart."""
    for progress in run.train():
        if progress.step == 3:
            break
    save(run.checkpoint(), folder / "whole.npz")
    return take_apart(folder / "whole.npz")


def described(members: Members, change: Callable[[dict[str, Any]], object]) -> Members:
    """Change the description of a checkpoint."""
    description = meta(members)
    change(description)
    return with_meta(members, description)


def shapes(symbols: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """The shapes of a network."""
    V, H = symbols, hidden
    return {"Wax": (V, H), "Waa": (H, H), "ba": (H,), "Wya": (H, V), "by": (V,)}


def network(
    lab: Lab, symbols: Sequence[str], hidden: int, longest: int = 20, **weights: NDArray[Any]
) -> Members:
    """A finished network of zeros, but for some of its weights."""

    def change(description: dict[str, Any]) -> None:
        description["symbols"] = list(symbols)
        description["model"]["hidden_size"] = hidden
        description["corpus"]["longest"] = longest
        description["case"] = {"fold": False, "capital_after": []}
        description["training"]["interrupted"] = False

    members = described(lab.network, change)
    for name in [name for name in members if name.startswith("resume.")]:
        del members[name]
    for name, shape in shapes(len(symbols) + 1, hidden).items():
        weight = weights.get(name, np.zeros(shape))
        members[f"model.{name}.npy"] = npy(weight.astype(np.float32))
    return members


def refused(ended: Ended, path: str) -> str:
    """Make sure that it was the file that was refused, in one line that is not too long."""
    assert ended.verdict(path) == "refused", ended
    assert len(ended.stderr) < 1_000
    return ended.stderr


@pytest.mark.parametrize("symbols", [[" "], ["\xa0", "\u3000"]])
def test_nothing_but_white_space(lab: Lab, symbols: list[str]) -> None:
    """Symbols of which no name can be made."""
    path = lab.put(network(lab, symbols, 4))
    assert "white space" in refused(run("sample", path), path)


@pytest.mark.parametrize("loss", [1e308, -1e308, 1e31])
@pytest.mark.parametrize("kind", ["mixture", "classic"])
def test_losses_that_no_curve_can_show(lab: Lab, loss: float, kind: str) -> None:
    """Numbers whose difference is more than any number."""
    name = "smoothed_loss" if kind == "classic" else "train"
    rows: list[dict[str, Any]] = [
        {"step": step, name: value, "heldout": None, "samples": []}
        for step, value in enumerate((1.0, loss, -loss), start=1)
    ]
    path = lab.put(described(getattr(lab, kind), lambda d: d.update(history=rows)))
    refused(run("inspect", path), path)


@pytest.mark.parametrize(("symbols", "hidden"), [(22, 4), (22, 1), (6, 50)])
def test_a_classic_network_of_another_size(lab: Lab, symbols: int, hidden: int) -> None:
    """Nothing is spread over what it does not fit, nor gone on with."""

    def change(description: dict[str, Any]) -> None:
        description["model"]["hidden_size"] = hidden
        description["symbols"] = description["symbols"][: symbols - 1]

    members = described(lab.classic, change)
    size = len(meta(members)["symbols"]) + 1
    for name, shape in shapes(size, hidden).items():
        members[f"model.{name}.npy"] = npy(np.zeros(shape))
    members["resume.a_prev.npy"] = npy(np.zeros((1, hidden)))
    refused(lab.resume(members), str(lab.folder / "evil.npz"))


def test_classic_weights_that_overflow(lab: Lab) -> None:
    """Weights that are numbers, and sums of them that are none: the loss explodes, in one line."""
    random, V = np.random.default_rng(1), len(meta(lab.classic)["symbols"]) + 1
    weights = {name: random.choice([-1e30, 1e30], s) for name, s in shapes(V, 50).items()}
    ended = lab.resume(lab.classic | {f"model.{n}.npy": npy(w) for n, w in weights.items()})
    assert ended.verdict("") in ("done", "refused"), ended


def test_a_classic_loss_that_explodes(lab: Lab, tmp_path: Path) -> None:
    """Where it does in training, too, it ends in one line, and the checkpoint is as it was."""
    (tmp_path / "long.txt").write_text("Tyrannosaurus Rex\nBrontosaurus Rex\n" * 3)
    corpus = read_corpus([tmp_path / "long.txt"], keep_duplicates=True)
    members = stopped(ClassicRun(corpus, steps=60), tmp_path)
    random, V = np.random.default_rng(1), len(corpus.vocabulary)
    for name in ("Waa", "Wya"):
        weights = random.choice([-1e30, 1e30], shapes(V, 50)[name])
        members[f"model.{name}.npy"] = npy(weights)
    path = put_together(tmp_path / "evil.npz", members)
    before = path.read_bytes()
    args = ("train", str(tmp_path / "long.txt"), "-o", str(path), "--resume", "-q")
    ended = run(*args, may_write=True)
    assert ended.verdict("") in ("done", "refused"), ended
    assert ended.status == 0 or path.read_bytes() == before


def test_no_network_and_the_settings_of_a_giant(lab: Lab) -> None:
    """A small file does not start a training of 4,096 hidden units."""
    giant = {"hidden_size": 4096, "steps": 10**9}
    members = described(lab.ngrams, lambda d: d["training"]["settings"].update(giant))
    refused(lab.resume(members), str(lab.folder / "evil.npz"))


def test_other_symbols_than_those_of_the_list(lab: Lab) -> None:
    """Weights that mean other symbols are not gone on with."""

    def change(description: dict[str, Any]) -> None:
        description["symbols"] = [chr(0x3B1 + i) for i in range(len(description["symbols"]))]

    refused(lab.resume(described(lab.mixture, change)), str(lab.folder / "evil.npz"))


def test_names_that_never_end(lab: Lab) -> None:
    """A model that never ends a name, and writes always the same one, is given up in time."""
    never = np.zeros(27)
    never[0], never[1] = -1e30, 1e30
    for longest in (20, 765):
        path = lab.put(network(lab, LETTERS, 1, longest, by=never))
        ended = run("sample", path, "--n", "3", "--seed", "1")
        assert ended.verdict(path) == "done"
        assert "candidates" in ended.stderr
    path = lab.put(network(lab, LETTERS, 1, 766, by=never))
    refused(run("sample", path), path)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(recipe="r" * 1_000_000),
        lambda d: d["model"].update(cell="c" * 1_000_000),
        lambda d: d["training"]["settings"].update({"s" * 1_000_000: 1}),
        lambda d: d.update(history=[{"step": 1, "train": 1, "heldout": 1}] * 100_000),
        lambda d: d.update(history=[{"step": s, "train": 1, "heldout": 1} for s in (2, 1)]),
    ],
    ids=["recipe", "cell", "setting", "history", "order"],
)
def test_texts_and_lists_without_end(lab: Lab, change: Callable[[dict[str, Any]], object]) -> None:
    """What no checkpoint says is not said again on the terminal, at any length."""
    path = lab.put(described(lab.mixture, change))
    refused(run("inspect", path), path)


def test_an_array_with_a_name_that_cannot_be_seen(lab: Lab) -> None:
    """Names in the archive are not to be shown."""
    for name in ("\u3164\u2800\ufe0f\u034f.npy", "x" * 60_000 + ".npy"):
        path = lab.put(lab.mixture | {name: b""})
        refused(run("inspect", path), path)


def with_directory(whole: bytes, entries: bytes, count: int, zip64: bool) -> bytes:
    """Give an archive another directory."""
    end = whole.rfind(b"PK\5\6")
    start = struct.unpack("<L", whole[end + 16 : end + 20])[0]
    data, size = whole[:start] + entries, len(entries)
    if not zip64:
        return data + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, size, start, 0)
    data += struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
    data += struct.pack("<4sLQL", b"PK\6\7", 0, start + size, 1)
    all_ones = (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    return data + struct.pack("<4s2H2H2LH", b"PK\5\6", 0, 0, *all_ones, 0)


@pytest.mark.parametrize("zip64", [False, True])
def test_a_directory_of_very_many_arrays(lab: Lab, zip64: bool) -> None:
    """What an archive lists is counted before it is read."""
    whole = Path(lab.put(lab.mixture)).read_bytes()
    entry = b"PK\1\2" + bytes(42)
    path = put(lab.folder / "evil.npz", with_directory(whole, entry * 60_000, 60_000, zip64))
    refused(run("inspect", str(path)), str(path))


def test_a_file_that_is_mostly_a_hole(lab: Lab) -> None:
    """A file may be far larger than what it takes on the disk; that much is not read."""
    path = lab.folder / "evil.npz"
    with path.open("wb") as file:
        file.write(b"PK\3\4")
        os.truncate(file.fileno(), LARGEST_FILE + 1)
    assert "far larger" in refused(run("inspect", str(path)), str(path))


def test_more_symbols_than_any_script_has(lab: Lab) -> None:
    """Memory follows from how much is worked out at a time, not from how many names there are."""
    symbols = [chr(code) for code in range(0x20000, 0x20000 + 20_000)]
    path = lab.put(network(lab, symbols, 1))
    names = "\n".join(symbols[i] * 3 for i in range(500)).encode()
    for view in (["--score", "-", "--json"], ["--next", symbols[0]]):
        assert run("inspect", path, *view, stdin=names).verdict(path) == "done"
    ended = run("inspect", path, "--symbols")
    assert ended.status == 1
    assert "20,000 symbols" in ended.stderr
    big = described(lab.network, lambda d: d["model"].update(hidden_size=4096))
    big = described(big, lambda d: d.update(symbols=symbols))
    path = lab.put(big)
    assert "network is far too large" in refused(run("inspect", path), path)


def test_json_says_where_a_checkpoint_lies(lab: Lab) -> None:
    """Paths are told to programs as they are, and in ASCII."""
    path = lab.folder / "N\x9b31m\u202e.npz"
    put_together(path, lab.mixture)
    ended = run("inspect", str(path), "--compare", str(path), "--json")
    assert ended.stdout.isascii()
    assert [json.loads(line)["checkpoint"] for line in ended.stdout.splitlines()] == [str(path)] * 2
