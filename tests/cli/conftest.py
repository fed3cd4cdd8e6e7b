"""Shared by the tests of the command line: trained checkpoints and their content."""

import json
import os
import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import CORPORA, Run, command, environment

Refused = Callable[..., str]
T = TypeVar("T")
R = TypeVar("R")
Arrays = dict[str, NDArray[np.generic]]

TINY = ["Anna", "Berta", "Carla", "Dora", "Emil"]

each_cell = pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])


def train(folder: Path, corpus: bytes, *options: str) -> Path:
    """Train with the command in a folder, and return the path of the checkpoint."""
    (folder / "names.txt").write_bytes(corpus)
    subprocess.run(
        command("train", "names.txt", "-q", *options),
        cwd=folder,
        env=environment(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    return folder / "dinogen.npz"


@pytest.fixture(scope="session")
def edda_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of a real list, with held-out names. Read only."""
    corpus = (CORPORA / "edda.txt").read_bytes()
    options = ("--seed", "1", "--steps", "100", "--hidden", "16")
    return train(tmp_path_factory.mktemp("edda"), corpus, *options)


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that overfits `TINY`. Read only."""
    corpus = "\n".join(TINY).encode()
    options = ("--seed", "1", "--steps", "60", "--hidden", "16")
    return train(tmp_path_factory.mktemp("tiny"), corpus, *options)


@pytest.fixture(scope="session")
def cell_checkpoints(
    edda_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """A small model of a real list for each cell; those with gates have two layers. Read only."""
    corpus = (CORPORA / "edda.txt").read_bytes()
    options = ("--seed", "1", "--steps", "40", "--hidden", "8", "--layers", "2", "--order", "3")

    def trained(cell: str) -> Path:
        return train(tmp_path_factory.mktemp(cell), corpus, *options, "--cell", cell)

    gru, lstm = side_by_side(trained, ("gru", "lstm"))
    return {"rnn": edda_checkpoint, "gru": gru, "lstm": lstm}


@pytest.fixture(scope="session")
def classic_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of a real list, trained with the classic recipe. Read only."""
    corpus = (CORPORA / "edda.txt").read_bytes()
    options = ("--recipe", "classic", "--steps", "50")
    return train(tmp_path_factory.mktemp("classic"), corpus, *options)


@pytest.fixture
def refused(dinogen: Run, tmp_path: Path) -> Refused:
    """Run a command that must fail: it prints one line on stderr and changes no file."""

    def run(*args: str | Path, status: int, **options: Any) -> str:
        before = snapshot(tmp_path)
        result = dinogen(*args, **options)
        assert (result.returncode, result.stdout) == (status, ""), result.stderr
        assert result.stderr.startswith("dinogen: ")
        assert result.stderr.index("\n") == len(result.stderr) - 1, result.stderr
        assert snapshot(tmp_path) == before
        return result.stderr

    return run


def side_by_side(function: Callable[[T], R], arguments: Iterable[T]) -> list[R]:
    """Call a function in parallel; it should wait for a subprocess most of the time."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, arguments))


def snapshot(folder: Path) -> dict[Path, bytes | None]:
    """Return everything in a folder and below, with the bytes of each file."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def read_arrays(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Read the arrays of a checkpoint and its JSON text."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return arrays, json.loads(arrays.pop("meta").tobytes())


def write_arrays(path: Path, arrays: Arrays, meta: dict[str, Any]) -> None:
    """Write arrays and a JSON text as `read_arrays` returns them."""
    text = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
    members: dict[str, Any] = {"meta": text, **arrays}
    np.savez(path, **members)


def content(path: Path) -> tuple[dict[str, tuple[str, tuple[int, ...], bytes]], dict[str, Any]]:
    """Return everything in a checkpoint that a repeated training gives again: all but the time."""
    arrays, meta = read_arrays(path)
    del meta["training"]["seconds"]
    return {name: (str(a.dtype), a.shape, a.tobytes()) for name, a in arrays.items()}, meta
