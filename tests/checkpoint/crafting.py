"""Checkpoints to test with: trained in a moment, taken apart, changed, and put together again."""

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.checkpoint import Checkpoint, load_checkpoint
from dinogen.data import Corpus, read_corpus
from dinogen.errors import CheckpointError
from dinogen.models import Network, NGram
from dinogen.training import ClassicRun, DefaultRun, Run, Settings

RECIPES = ("default", "classic")

NAMES = "Freya\nThor\nLoki-Odin\nÞórr\nBaldr\nTýr\nThor\nFrigg\nNjörd\n"

Files = dict[str, bytes]
"""The content of each file in an archive, by name."""

Place = tuple[str | int, ...]
"""The names and indices that lead to a value in a JSON object."""


SETTINGS = Settings(
    seed=5, hidden_size=3, steps=3, cell="lstm", layers=2, batch_size=2, holdout=0.25
)


def begin(recipe: str, folder: Path, settings: Settings = SETTINGS) -> Run:
    """Set up a run of three steps on a short list.

    The default recipe trains a stack of gated layers, the classic one a single vanilla RNN.
    """
    path = folder / "names.txt"
    path.write_bytes(NAMES.encode())
    if recipe == "classic":
        return ClassicRun(read_corpus([path], keep_duplicates=True), steps=3)
    return DefaultRun(read_corpus([path]), settings)


def resume(recipe: str, run: Run, checkpoint: Checkpoint) -> Run:
    """Resume from a checkpoint, on the corpus of a run."""
    if recipe == "classic":
        assert isinstance(run.corpus, Corpus)
        return ClassicRun.resume(run.corpus, checkpoint)
    return DefaultRun.resume(run.corpus, checkpoint)


def network_of(checkpoint: Checkpoint) -> Network:
    """Return the network of a checkpoint."""
    network = checkpoint.mixture.members["network"]
    assert isinstance(network, Network)
    return network


def same(a: Checkpoint, b: Checkpoint) -> bool:
    """Return whether two checkpoints are equal, to the last bit of every number."""
    return _arrays(a) == _arrays(b) and _values(a) == _values(b)


def _arrays(checkpoint: Checkpoint) -> list[tuple[str, str, tuple[int, ...], bytes]]:
    named: dict[str, NDArray[Any]] = {"known": checkpoint.known, "pairs": checkpoint.pairs}
    for name, member in checkpoint.mixture.members.items():
        if isinstance(member, Network):
            named |= {f"{name}.{key}": array for key, array in member.parameters.items()}
        else:
            assert isinstance(member, NGram)
            named |= {f"{name}.{key}": array for key, array in member.tree._asdict().items()}
            named[f"{name}.discounts"] = member.discounts
    named |= {f"resume.{name}": array for name, array in checkpoint.resume.arrays.items()}
    return [(name, a.dtype.str, a.shape, a.tobytes()) for name, a in sorted(named.items())]


def _values(checkpoint: Checkpoint) -> list[object]:
    members = checkpoint.mixture.members.items()
    return [
        [(name, member.config) for name, member in members if isinstance(member, Network)],
        [(name, member.order) for name, member in members if isinstance(member, NGram)],
        checkpoint.mixture.weights,
        checkpoint.vocabulary.symbols,
        (checkpoint.version, checkpoint.recipe, checkpoint.case, checkpoint.corpus),
        (checkpoint.training, checkpoint.held_out),
        [(row.step, dict(row.losses), [*row.samples]) for row in checkpoint.history],
        dict(checkpoint.resume.numbers),
    ]


def take_apart(path: Path) -> Files:
    """Read the files of an archive."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def put_together(path: Path, files: Files, **claims: dict[str, Any]) -> Path:
    """Write an archive.

    Args:
        path: where to write it.
        files: its files.
        claims: attributes of entries in its directory, by the name of the file.
    """
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        for info in archive.filelist:
            for attribute, values in claims.items():
                if info.filename in values:
                    setattr(info, attribute, values[info.filename])
    return overwrite(path, whole.getvalue())


def overwrite(path: Path, data: bytes) -> Path:
    """Write a file over an existing one. Some systems take long to truncate a file first."""
    path.touch()
    with path.open("r+b") as file:
        file.write(data)
        file.truncate()
    return path


def npy(array: NDArray[Any], **options: Any) -> bytes:
    """Return the ``.npy`` file of an array."""
    file = io.BytesIO()
    np.lib.format.write_array(file, array, **options)
    return file.getvalue()


def raw_npy(header: str, numbers: bytes) -> bytes:
    """Return a ``.npy`` file with a given header and given bytes."""
    return (
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode("latin-1") + numbers
    )


def array_of(data: bytes) -> NDArray[Any]:
    """Read a ``.npy`` file, as an array that can be changed."""
    found: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    return found


def header_of(files: Files) -> dict[str, Any]:
    """Read the JSON object of a checkpoint."""
    found: dict[str, Any] = json.loads(array_of(files["meta.npy"]).tobytes())
    return found


def with_text(files: Files, text: str) -> Files:
    """Replace the JSON text of a checkpoint."""
    return files | {"meta.npy": npy(np.frombuffer(text.encode(), dtype=np.uint8))}


def with_header(files: Files, header: object) -> Files:
    """Replace the JSON object of a checkpoint."""
    return with_text(files, json.dumps(header))


def changed(header: Any, place: Place, value: object) -> Any:
    """Copy a JSON object, with another value in one place."""
    copy = json.loads(json.dumps(header))
    inner = copy
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return copy


def refusal(path: Path) -> str:
    """Return the message that refuses a checkpoint: one line that begins with its path."""
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert message.isprintable()
    assert message.startswith(f"{path}: ")
    assert len(message) < len(str(path)) + 1_000
    return message
