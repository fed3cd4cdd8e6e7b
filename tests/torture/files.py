"""Checkpoints broken in every way: each is refused in one line, or loads and then behaves."""

import io
import json
import random
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dinogen.checkpoint.contents import Checkpoint
from dinogen.checkpoint.reading import load
from dinogen.checkpoint.writing import save
from dinogen.errors import CheckpointError
from dinogen.generation.scoring import score
from dinogen.text.corpus import read_corpus
from dinogen.training.classic import ClassicRun
from dinogen.training.loop import DefaultRun
from dinogen.training.settings import Settings

NAMES = "Freya\nThor\nLoki-Odin\nÞórr\nBaldr\nTýr\nThor\nFrigg\nNjörd\nVár Sif\n"

Members = dict[str, bytes]

JSONS: list[Any] = [
    None, True, -1, 0, 1, 10**30, 1e308, -0.5, "", "x", "\x1b[2J", "\u202e", [], [[]], {}, {"a": 1},
]  # fmt: skip


HEADERS = [
    *((b"<f4", b"|O8"), (b"<f4", b"<f8"), (b"|u1", b"|O1"), (b"<u8", b"<i8"), (b"<u4", b"<f4")),
    *((b"False", b"True "), (b"(", b"(9"), (b"(", b"(-"), (b"(", b"(9999999999"), (b"{", b"[")),
    *((b"NUMPY\x01", b"NUMPY\x02"), (b"'shape'", b"'sha\x00e'")),
]
"""What stands in the header of an array, and what is put in its place."""

TEXTS = ("[" * 100_000, '{"a":' * 50_000, "9" * 10_000, "NaN", '"\\ud800"')
"""Descriptions that are none."""


def kinds(folder: Path) -> list[bytes]:
    """A real checkpoint of every kind: stopped and done, of each part and of both, classic."""
    path = folder / "names.txt"
    path.write_text(NAMES, encoding="utf-8")
    corpus = read_corpus([path])
    whole: list[bytes] = []
    for hidden, order, steps in [(4, None, 3), (4, None, 9), (0, 4, 9), (5, 0, 9), (None, None, 2)]:
        run: ClassicRun | DefaultRun
        if hidden is None:
            run = ClassicRun(read_corpus([path], keep_duplicates=True), steps=steps)
        else:
            settings = Settings(seed=1, hidden_size=hidden, steps=9, holdout=0.25, order=order)
            run = DefaultRun(corpus, settings)
        for progress in run.train():
            if progress.step == steps:
                break
        save(run.checkpoint(), folder / "whole.npz")
        whole.append((folder / "whole.npz").read_bytes())
    return whole


def torture(mutations: int, seed: int) -> dict[str, int]:
    """Break checkpoints and read them.

    Returns:
        How many were refused and how many loaded, and how many did anything else.
    """
    chance = random.Random(seed)  # noqa: S311
    seen: Counter[str] = Counter(refused=0, loaded=0, otherwise=0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wholes = kinds(folder)
        path = folder / "broken.npz"
        for data in truncated(wholes):
            path.write_bytes(data)
            seen[outcome(path)] += 1
        while seen.total() < mutations:
            mutate = chance.choice(MUTATIONS)
            path.write_bytes(mutate(chance.choice(wholes), chance))
            seen[outcome(path)] += 1
    return dict(seen)


def outcome(path: Path) -> str:
    """Read a file, and if it is a checkpoint use it in every way."""
    try:
        checkpoint = load(path)
    except CheckpointError as error:
        return "refused" if "\n" not in str(error) and str(error).isprintable() else "otherwise"
    except Exception:
        return "otherwise"
    try:
        use(checkpoint)
    except Exception:
        return "otherwise"
    return "loaded"


def use(checkpoint: Checkpoint) -> None:
    """Describe it, draw names and score some: all of it must be text and numbers."""
    json.dumps(checkpoint.description(), allow_nan=False)
    namer = checkpoint.namer
    for some in namer.draw(4, 1, allow_known=True, allow_repeats=True):
        names = namer.spell(some.names)
        if not all(name and name.isprintable() for name in names):
            raise ValueError(names)
        if not np.isfinite(score(checkpoint.model, some.names)).all():
            raise ValueError("no number")


def truncated(wholes: list[bytes]) -> Iterator[bytes]:
    """Each file, cut at every 256th of its length."""
    for whole in wholes:
        for part in range(256):
            yield whole[: len(whole) * part // 256]


def flip(whole: bytes, chance: random.Random) -> bytes:
    """Change a few bits anywhere."""
    data = bytearray(whole)
    for _ in range(chance.choice((1, 1, 2, 8))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def splice(whole: bytes, chance: random.Random) -> bytes:
    """Double, drop or move a stretch of bytes."""
    start, end = sorted(chance.randrange(len(whole)) for _ in range(2))
    return chance.choice(
        (whole[:start] + whole[end:], whole[:end] + whole[start:], whole[start:] + whole[:start])
    )


def members(whole: bytes, chance: random.Random) -> bytes:
    """Swap, drop, double, rename, lengthen or compress the arrays."""
    parts = _take_apart(whole)
    name, other = chance.sample(list(parts), 2)
    method = zipfile.ZIP_STORED
    match chance.randrange(7):
        case 0:
            parts[name], parts[other] = parts[other], parts[name]
        case 1:
            del parts[name]
        case 2:
            parts["../" + name] = parts[name]
        case 3:
            parts[name] += b"\0" * chance.choice((1, 8, 4096))
        case 4:
            parts[name] = b""
        case 5:
            method = zipfile.ZIP_DEFLATED
        case 6:
            return _put_together(parts, method, twice=name)
    return _put_together(parts, method)


def header(whole: bytes, chance: random.Random) -> bytes:
    """Say another type or shape in an array's header."""
    parts = _take_apart(whole)
    name = chance.choice(list(parts))
    was, now = chance.choice(HEADERS)
    parts[name] = parts[name].replace(was, now, 1)
    return _put_together(parts)


def numbers(whole: bytes, chance: random.Random) -> bytes:
    """Put absurd numbers into an array, its form unchanged."""
    parts = _take_apart(whole)
    name = chance.choice([name for name in parts if name != "meta.npy"])
    array = np.load(io.BytesIO(parts[name]))
    floats = [np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-45, 0.0, 1e10]
    wholes = [0, 1, 2, 127, 255, 2**31, 2**32 - 1]
    for _ in range(chance.choice((1, 3, array.size))):
        place = chance.randrange(max(1, array.size))
        with np.errstate(all="ignore"):
            value = chance.choice(floats if array.dtype.kind == "f" else wholes)
            if array.size:
                array.flat[place] = np.asarray(value).astype(array.dtype)
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    parts[name] = file.getvalue()
    return _put_together(parts)


def description(whole: bytes, chance: random.Random) -> bytes:
    """Put absurd values into the JSON, or break it."""
    parts = _take_apart(whole)
    text = np.load(io.BytesIO(parts["meta.npy"])).tobytes().decode()
    match chance.randrange(5):
        case 0:
            text = text.replace(chance.choice(text), chance.choice('{}[]",:0\x00'), 1)
        case 1:
            text = chance.choice(
                ("[" * 100_000, '{"a":' * 50_000, "9" * 10_000, "NaN", '"\\ud800"')
            )
        case _:
            meta = json.loads(text)
            for _ in range(chance.choice((1, 1, 3))):
                _change(meta, chance)
            text = json.dumps(meta, ensure_ascii=chance.random() < 0.5)
    file = io.BytesIO()
    np.save(file, np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8))
    parts["meta.npy"] = file.getvalue()
    return _put_together(parts)


def _change(value: Any, chance: random.Random) -> None:
    """Change a value somewhere in a JSON object."""
    while True:
        places = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not places:
            return
        place = chance.choice(places)
        inner = value[place]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.8:
            value = inner
            continue
        if isinstance(value, dict) and chance.random() < 0.1:
            del value[place]
        else:
            value[place] = chance.choice(JSONS)
        return


MUTATIONS: list[Callable[[bytes, random.Random], bytes]] = [
    flip, splice, members, header, numbers, numbers, description, description,
]  # fmt: skip


def _take_apart(whole: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _put_together(
    parts: Members, method: int = zipfile.ZIP_STORED, twice: str | None = None
) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    if twice is not None:
        # A directory that names one array twice, which zipfile would warn of.
        data = file.getvalue()
        other = next(name for name in parts if name != twice)
        return data.replace(other.encode()[: len(twice)], twice.encode()[: len(other)])
    return file.getvalue()
