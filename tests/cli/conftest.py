"""What the tests of the command line share: trained checkpoints, and what is in them."""

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


def train(folder: Path, corpus: bytes, *options: str) -> Path:
    """Train in a folder of its own, with the real command, and give the checkpoint's path."""
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
    """A small model of a real list, with names held out; not to be changed."""
    corpus = (CORPORA / "edda.txt").read_bytes()
    options = ("--seed", "1", "--steps", "100", "--hidden", "16")
    return train(tmp_path_factory.mktemp("edda"), corpus, *options)


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has nearly learned `TINY` by heart; not to be changed."""
    corpus = "\n".join(TINY).encode()
    options = ("--seed", "1", "--steps", "60", "--hidden", "16")
    return train(tmp_path_factory.mktemp("tiny"), corpus, *options)


@pytest.fixture(scope="session")
def classic_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of a real list, by the classic recipe; not to be changed."""
    corpus = (CORPORA / "edda.txt").read_bytes()
    options = ("--recipe", "classic", "--steps", "50")
    return train(tmp_path_factory.mktemp("classic"), corpus, *options)


@pytest.fixture
def refused(dinogen: Run, tmp_path: Path) -> Refused:
    """Run a command that must fail: one line on stderr, and nothing else happens at all."""

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
    """Call a function that mostly waits for a command, as often at a time as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, arguments))


def snapshot(folder: Path) -> dict[Path, bytes | None]:
    """All that is in a folder and below, with the bytes of each file."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def read_arrays(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """The arrays of a checkpoint, and its description read as JSON."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return arrays, json.loads(arrays.pop("meta").tobytes())


def write_arrays(path: Path, arrays: Arrays, meta: dict[str, Any]) -> None:
    """Write what `read_arrays` gave, changed or not, in the same form."""
    text = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
    members: dict[str, Any] = {"meta": text, **arrays}
    np.savez(path, **members)


def essence(path: Path) -> tuple[dict[str, tuple[str, tuple[int, ...], bytes]], dict[str, Any]]:
    """What two checkpoints of the same training have in common: all but the time it took."""
    arrays, meta = read_arrays(path)
    del meta["training"]["seconds"]
    return {name: (str(a.dtype), a.shape, a.tobytes()) for name, a in arrays.items()}, meta
