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

from dinogen.checkpoint.contents import Checkpoint
from dinogen.checkpoint.reading import load
from dinogen.errors import CheckpointError
from dinogen.text.corpus import read_corpus
from dinogen.training.classic import ClassicRun
from dinogen.training.loop import DefaultRun
from dinogen.training.run import Run
from dinogen.training.settings import Settings

RECIPES = ("default", "classic")

NAMES = "Freya\nThor\nLoki-Odin\nÞórr\nBaldr\nTýr\nThor\nFrigg\nNjörd\n"

Members = dict[str, bytes]
"""The bytes of each file in an archive, by its name."""

Place = tuple[str | int, ...]
"""Where something stands in a JSON object: the names and numbers that lead to it."""


def begin(recipe: str, folder: Path) -> Run:
    """Set up a run of a few steps on a short list."""
    path = folder / "names.txt"
    path.write_bytes(NAMES.encode())
    if recipe == "classic":
        return ClassicRun(read_corpus([path], keep_duplicates=True), steps=3)
    settings = Settings(seed=5, hidden_size=4, steps=3, batch_size=2, holdout=0.25)
    return DefaultRun(read_corpus([path]), settings)


def resume(recipe: str, run: Run, checkpoint: Checkpoint) -> Run:
    """Go on with a checkpoint where a run stands."""
    if recipe == "classic":
        return ClassicRun.resume(run.corpus, checkpoint)
    return DefaultRun.resume(run.corpus, checkpoint)


def same(a: Checkpoint, b: Checkpoint) -> bool:
    """Tell whether two checkpoints say the same, to the last bit of every number."""

    def arrays(c: Checkpoint) -> list[tuple[str, str, tuple[int, ...], bytes]]:
        named = {"known": c.known, **(c.network.parameters if c.network else {})}
        named |= c.ngram.tree._asdict() | {"discounts": c.ngram.discounts} if c.ngram else {}
        named |= {f"resume.{name}": array for name, array in c.resume.arrays.items()}
        return [(n, v.dtype.str, v.shape, v.tobytes()) for n, v in sorted(named.items())]

    return (
        arrays(a) == arrays(b)
        and a.description() == b.description()
        and a.weight == b.weight
        and a.vocabulary.symbols == b.vocabulary.symbols
        and (a.recipe, a.case, a.corpus, a.held_out) == (b.recipe, b.case, b.corpus, b.held_out)
        and (a.training, a.history) == (b.training, b.history)
        and dict(a.resume.counters) == dict(b.resume.counters)
    )


def take_apart(path: Path) -> Members:
    """Read the files of an archive."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changed(description: Any, place: Place, value: object) -> Any:
    """Copy a JSON object with another value in one place."""
    copy = json.loads(json.dumps(description))
    inner = copy
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return copy


def put_together(path: Path, members: Members, **claims: dict[str, Any]) -> Path:
    """Write an archive, in whose directory some attributes of some files are what is claimed."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        for info in archive.filelist:
            for attribute, values in claims.items():
                if info.filename in values:
                    setattr(info, attribute, values[info.filename])
    return put(path, whole.getvalue())


def put(path: Path, data: bytes) -> Path:
    """Write a file, over what is there: some systems take their time to empty a file first."""
    path.touch()
    with path.open("r+b") as file:
        file.write(data)
        file.truncate()
    return path


def npy(array: NDArray[Any], **options: Any) -> bytes:
    """Write an array as the bytes of a ``.npy`` file."""
    file = io.BytesIO()
    np.lib.format.write_array(file, array, **options)
    return file.getvalue()


def with_header(header: str, numbers: bytes) -> bytes:
    """Write a ``.npy`` file of a header as it is given, and of numbers as they are given."""
    return (
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode("latin-1") + numbers
    )


def array(data: bytes) -> NDArray[Any]:
    """Read an array from the bytes of a ``.npy`` file; it may be written to."""
    found: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    return found


def meta(members: Members) -> dict[str, Any]:
    """Read the description of a checkpoint."""
    found: dict[str, Any] = json.loads(array(members["meta.npy"]).tobytes())
    return found


def with_text(members: Members, text: str) -> Members:
    """Change the description of a checkpoint, as a text."""
    return members | {"meta.npy": npy(np.frombuffer(text.encode(), dtype=np.uint8))}


def with_meta(members: Members, description: object) -> Members:
    """Change the description of a checkpoint, as an object."""
    return with_text(members, json.dumps(description))


def refusal(path: Path) -> str:
    """Give the message with which a checkpoint is refused: one line, which names it first."""
    with pytest.raises(CheckpointError) as caught:
        load(path)
    message = str(caught.value)
    assert message.isprintable()
    assert message.startswith(f"{path}: ")
    return message
