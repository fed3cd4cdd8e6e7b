"""Checkpoints in valid form that were made to do harm: what reviewers found, one by one."""

import json
import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.checkpoint import MAX_FILE, save
from dinogen.data import read_corpus
from dinogen.training import ClassicRun, DefaultRun, Settings
from tests.checkpoint.crafting import (
    NAMES,
    Files,
    header_of,
    npy,
    overwrite,
    put_together,
    take_apart,
    with_header,
)
from tests.torture.commands import Ended, run

LETTERS = [chr(code) for code in range(97, 123)]

Header = dict[str, Any]


class Lab(NamedTuple):
    """A directory with a list, and the files of real checkpoints of every kind."""

    folder: Path
    network: Files
    ngrams: Files
    mixture: Files
    classic: Files

    @property
    def list(self) -> str:
        """The path of the list."""
        return str(self.folder / "names.txt")

    def put(self, files: Files) -> str:
        """Write a checkpoint; returns its path."""
        return str(put_together(self.folder / "evil.npz", files))

    def resume(self, files: Files) -> Ended:
        """Resume from a checkpoint, for a few steps."""
        path = self.put(files)
        args = ("train", self.list, "-o", path, "--resume", "--steps", "70", "-q")
        return run(*args, may_write=True)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Train a checkpoint of every kind, each stopped early."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "names.txt").write_bytes(NAMES.encode())

    def trained(hidden: int, order: int) -> Files:
        settings = Settings(seed=5, hidden_size=hidden, order=order, steps=60, holdout=0.25)
        return stopped(DefaultRun(read_corpus([folder / "names.txt"]), settings), folder)

    corpus = read_corpus([folder / "names.txt"], keep_duplicates=True)
    classic = stopped(ClassicRun(corpus, steps=60), folder)
    return Lab(folder, trained(4, 0), trained(0, 3), trained(4, 3), classic)


def stopped(run: DefaultRun | ClassicRun, folder: Path) -> Files:
    """Train for three steps, and take the checkpoint apart."""
    for progress in run.train():
        if progress.step == 3:
            break
    save(run.checkpoint(), folder / "whole.npz")
    return take_apart(folder / "whole.npz")


def edited(files: Files, change: Callable[[Header], object]) -> Files:
    """Change the header of a checkpoint."""
    header = header_of(files)
    change(header)
    return with_header(files, header)


def shapes(symbols: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a network's arrays."""
    V, H = symbols, hidden
    return {"Wax": (V, H), "Waa": (H, H), "ba": (H,), "Wya": (H, V), "by": (V,)}


def network(
    lab: Lab, symbols: Sequence[str], hidden: int, longest: int = 20, **weights: NDArray[Any]
) -> Files:
    """Build a finished network of zeros, except for some weights."""

    def change(header: Header) -> None:
        header["vocabulary"]["symbols"] = list(symbols)
        header["members"]["network"]["hidden_size"] = hidden
        header["corpus"]["longest"] = longest
        header["case"] = {"fold": False, "capital_after": [], "shapes": []}
        header["training"]["interrupted"] = False
        header["resume"]["arrays"] = {}

    files = edited(lab.network, change)
    for name in [name for name in files if name.startswith("resume.")]:
        del files[name]
    for name, shape in shapes(len(symbols) + 1, hidden).items():
        weight = weights.get(name, np.zeros(shape))
        files[f"network.{name}.npy"] = npy(weight.astype(np.float32))
    return files


def refused(ended: Ended, path: str) -> str:
    """Check that the file was refused in one short line; returns the line."""
    assert ended.verdict(path) == "refused", ended
    assert len(ended.stderr) < 1_000
    return ended.stderr


@pytest.mark.parametrize("symbols", [[" "], ["\xa0", "\u3000"]])
def test_nothing_but_white_space(lab: Lab, symbols: list[str]) -> None:
    """No name can be made of these symbols."""
    path = lab.put(network(lab, symbols, 4))
    assert "white space" in refused(run("sample", path), path)


@pytest.mark.parametrize("loss", [1e308, -1e308, 1e31])
@pytest.mark.parametrize("kind", ["mixture", "classic"])
def test_losses_that_no_chart_can_show(lab: Lab, loss: float, kind: str) -> None:
    """The difference of these numbers is not finite."""
    name = "smoothed_loss" if kind == "classic" else "train"
    rows: list[dict[str, Any]] = [
        {"step": step, name: value, "heldout": None, "samples": []}
        for step, value in enumerate((1.0, loss, -loss), start=1)
    ]
    path = lab.put(edited(getattr(lab, kind), lambda header: header.update(history=rows)))
    refused(run("inspect", path), path)


@pytest.mark.parametrize(("symbols", "hidden"), [(22, 4), (22, 1), (6, 50)])
def test_a_classic_network_of_another_size(lab: Lab, symbols: int, hidden: int) -> None:
    """Arrays are not broadcast to a network that they do not fit, and it is not resumed."""

    def change(header: Header) -> None:
        header["members"]["network"]["hidden_size"] = hidden
        header["vocabulary"]["symbols"] = header["vocabulary"]["symbols"][: symbols - 1]
        header["resume"]["arrays"]["a_prev"]["shape"] = [1, hidden]

    files = edited(lab.classic, change)
    size = len(header_of(files)["vocabulary"]["symbols"]) + 1
    for name, shape in shapes(size, hidden).items():
        files[f"network.{name}.npy"] = npy(np.zeros(shape))
    files["resume.a_prev.npy"] = npy(np.zeros((1, hidden)))
    assert "train anew" in refused(lab.resume(files), str(lab.folder / "evil.npz"))


def test_classic_weights_that_overflow(lab: Lab) -> None:
    """The weights are finite, but sums of them are not: the loss explodes, in one line."""
    random, V = np.random.default_rng(1), len(header_of(lab.classic)["vocabulary"]["symbols"]) + 1
    weights = {name: random.choice([-1e30, 1e30], s) for name, s in shapes(V, 50).items()}
    ended = lab.resume(lab.classic | {f"network.{n}.npy": npy(w) for n, w in weights.items()})
    assert ended.verdict("") in ("done", "refused"), ended


def test_a_classic_loss_that_explodes(lab: Lab, tmp_path: Path) -> None:
    """If it explodes in training, the run ends in one line, and the checkpoint stays as it was."""
    (tmp_path / "long.txt").write_text("Tyrannosaurus Rex\nBrontosaurus Rex\n" * 3)
    corpus = read_corpus([tmp_path / "long.txt"], keep_duplicates=True)
    files = stopped(ClassicRun(corpus, steps=60), tmp_path)
    random, V = np.random.default_rng(1), len(corpus.vocabulary)
    for name in ("Waa", "Wya"):
        weights = random.choice([-1e30, 1e30], shapes(V, 50)[name])
        files[f"network.{name}.npy"] = npy(weights)
    path = put_together(tmp_path / "evil.npz", files)
    before = path.read_bytes()
    args = ("train", str(tmp_path / "long.txt"), "-o", str(path), "--resume", "-q")
    ended = run(*args, may_write=True)
    assert ended.verdict("") in ("done", "refused"), ended
    assert ended.status == 0 or path.read_bytes() == before


def test_no_network_and_the_settings_of_a_large_one(lab: Lab) -> None:
    """A small file does not start a training of 4,096 hidden units."""
    large = {"hidden_size": 4096, "steps": 10**9}
    files = edited(lab.ngrams, lambda header: header["training"]["settings"].update(large))
    refused(lab.resume(files), str(lab.folder / "evil.npz"))


def test_other_symbols_than_those_of_the_list(lab: Lab) -> None:
    """A run is not resumed if its weights belong to other symbols."""

    def change(header: Header) -> None:
        vocabulary = header["vocabulary"]
        vocabulary["symbols"] = [chr(0x3B1 + i) for i in range(len(vocabulary["symbols"]))]

    refused(lab.resume(edited(lab.mixture, change)), str(lab.folder / "evil.npz"))


def test_names_that_never_end(lab: Lab) -> None:
    """Sampling stops if a model never ends a name and always writes the same one."""
    never = np.zeros(27)
    never[0], never[1] = -1e30, 1e30
    for longest in (20, 255):
        path = lab.put(network(lab, LETTERS, 1, longest, by=never))
        ended = run("sample", path, "--n", "3", "--seed", "1")
        assert ended.verdict(path) == "done"
        assert "candidates" in ended.stderr
    path = lab.put(network(lab, LETTERS, 1, 256, by=never))
    refused(run("sample", path), path)


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h.update(recipe="r" * 1_000_000),
        lambda h: h.update(version="v" * 1_000_000),
        lambda h: h["members"]["network"].update(cell="c" * 1_000_000),
        lambda h: h["members"].update({"m" * 1_000_000: h["members"].pop("network")}),
        lambda h: h["training"]["settings"].update({"s" * 1_000_000: 1}),
        lambda h: h["resume"]["arrays"].update(
            {"a" * 1_000_000: {"dtype": "float32", "shape": []}}
        ),
        lambda h: h.update(history=[{"step": 1, "train": 1, "heldout": 1}] * 100_000),
        lambda h: h.update(history=[{"step": s, "train": 1, "heldout": 1} for s in (2, 1)]),
    ],
    ids=["recipe", "version", "cell", "member", "setting", "number", "history", "order"],
)
def test_endless_texts_and_lists(lab: Lab, change: Callable[[Header], object]) -> None:
    """They are refused, and are not repeated on the terminal."""
    path = lab.put(edited(lab.mixture, change))
    refused(run("inspect", path), path)


def test_an_array_with_an_invisible_name(lab: Lab) -> None:
    """Names in the archive are not printed."""
    for name in ("\u3164\u2800\ufe0f\u034f.npy", "x" * 60_000 + ".npy"):
        path = lab.put(lab.mixture | {name: b""})
        refused(run("inspect", path), path)


def views(path: str) -> list[Ended]:
    """Show a checkpoint in every way."""
    return [
        *(run("inspect", path, *view) for view in ([], ["--json"], ["--next", "f"], ["--symbols"])),
        run("inspect", path, "--compare", path),
        run("sample", path, "--n", "3", "--seed", "1", "--allow-known", "--allow-repeats"),
    ]


@pytest.mark.parametrize("losses", [{}, {"other": 1.0}, {"train": None}, {"smoothed_loss": None}])
@pytest.mark.parametrize("kind", ["mixture", "classic"])
def test_losses_of_another_recipe(lab: Lab, losses: dict[str, float | None], kind: str) -> None:
    """The names of losses are free, so that no view may rely on them."""
    rows = [{"step": step, **losses} for step in (1, 2, 3)]
    path = lab.put(edited(getattr(lab, kind), lambda header: header.update(history=rows)))
    assert [ended.verdict(path) for ended in views(path)] == ["done"] * 6


def test_members_of_other_names(lab: Lab) -> None:
    """The names of members are free, so that no view may rely on them."""

    def renamed(names: dict[str, str]) -> str:
        def change(header: Header) -> None:
            for where in (header, header["held_out"]):
                where["members"] = {names[name]: m for name, m in where["members"].items()}

        def rename(file: str) -> str:
            first, _, rest = file.partition(".")
            return f"{names.get(first, first)}.{rest}"

        return lab.put({rename(file): data for file, data in edited(lab.mixture, change).items()})

    for names in (
        {"network": "ngram", "ngram": "network"},
        {"network": "a", "ngram": "b"},
        {"network": "names", "ngram": "frequencies"},
        {"network": "network", "ngram": "other"},
    ):
        path = renamed(names)
        assert [ended.verdict(path) for ended in views(path)] == ["done"] * 6
        args = ("train", lab.list, "-o", path, "--resume", "--steps", "70", "-q")
        ended = run(*args, may_write=True)
        assert ended.verdict(path) == ("done" if names["network"] == "network" else "refused")


def test_a_resumed_checkpoint_can_be_read(lab: Lab) -> None:
    """A resumed run does not write what the reader refuses, whatever was in the file."""
    numbers = {"stale": 10**30, "rollbacks": 10**30, "loss": 1e30, "symbols": 10**30}

    def change(header: Header) -> None:
        header["resume"]["numbers"] = numbers
        header["history"] = [{"step": 3, "other": 1.0}]

    ended = lab.resume(edited(lab.mixture, change))
    path = str(lab.folder / "evil.npz")
    assert ended.verdict(path) in ("done", "refused"), ended
    assert run("inspect", path, "--json").verdict(path) == "done"


def with_directory(whole: bytes, entries: bytes, count: int, zip64: bool) -> bytes:
    """Replace the directory of an archive."""
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
    """The entries of an archive are counted before they are read."""
    whole = Path(lab.put(lab.mixture)).read_bytes()
    entry = b"PK\1\2" + bytes(42)
    path = overwrite(lab.folder / "evil.npz", with_directory(whole, entry * 60_000, 60_000, zip64))
    refused(run("inspect", str(path)), str(path))


def test_a_file_that_is_mostly_a_hole(lab: Lab) -> None:
    """A sparse file may be far larger than the space that it takes on the disk."""
    path = lab.folder / "evil.npz"
    with path.open("wb") as file:
        file.write(b"PK\3\4")
        os.truncate(file.fileno(), MAX_FILE + 1)
    assert "far larger" in refused(run("inspect", str(path)), str(path))


def test_more_symbols_than_any_script_has(lab: Lab) -> None:
    """Memory depends on the size of a block, not on the number of names."""
    symbols = [chr(code) for code in range(0x20000, 0x20000 + 20_000)]
    path = lab.put(network(lab, symbols, 1))
    names = "\n".join(symbols[i] * 3 for i in range(500)).encode()
    for view in (["--score", "-", "--json"], ["--next", symbols[0]]):
        assert run("inspect", path, *view, stdin=names).verdict(path) == "done"
    ended = run("inspect", path, "--symbols")
    assert ended.status == 1
    assert "20,000 symbols" in ended.stderr
    large = edited(lab.network, lambda h: h["members"]["network"].update(hidden_size=4096))
    large = edited(large, lambda header: header["vocabulary"].update(symbols=symbols))
    path = lab.put(large)
    assert "member network is too large" in refused(run("inspect", path), path)


def test_json_names_the_checkpoint(lab: Lab) -> None:
    """JSON holds the exact path, in ASCII."""
    path = lab.folder / "N\x9b31m\u202e.npz"
    put_together(path, lab.mixture)
    ended = run("inspect", str(path), "--compare", str(path), "--json")
    assert ended.stdout.isascii()
    assert [json.loads(line)["checkpoint"] for line in ended.stdout.splitlines()] == [str(path)] * 2
