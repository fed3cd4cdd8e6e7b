"""Checkpoints broken in every way: each is refused in one line, or loads and then behaves."""

import io
import json
import random
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from dinogen.checkpoint.writing import save
from dinogen.text.corpus import read_corpus
from dinogen.training.classic import ClassicRun
from dinogen.training.loop import DefaultRun
from dinogen.training.settings import Settings
from tests.torture.commands import report, run

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


SYMBOLS = [
    *(
        "\0",
        "\x1b",
        "\x7f",
        "\x85",
        "\x9b",
        "\xad",
        "\n",
        "\r",
        "\u2028",
        "\u200b",
        "\u202e",
        "\u2066",
    ),
    *(
        "\ud800",
        "\ue000",
        "\uffff",
        "\U000e0001",
        "\ufe0f",
        "\u3164",
        "\u2800",
        "",
        "ab",
        "e\u0301",
    ),
    *(
        " ",
        "\u3000",
        "\xa0",
        "\u0301",
        "\u0e33",
        "각",
        "中",
        "א",
        "\U0001f469",
        "[",
        "\\",
        '"',
        "A",
        "ß",
    ),
]
"""Symbols, most of which no vocabulary may have; the last row are such as it may."""

LIES: dict[str, list[Any]] = {
    "file_size": [0, 1, 10**6, 2**31, 2**32, 2**40],
    "compress_size": [0, 1, 10**6, 2**31, 2**32, 2**40],
    "header_offset": [0, 1, 64, 10**6, 2**32 - 1, 2**40],
    "CRC": [0, 1],
    "flag_bits": [1, 8, 0x20, 0x40, 0x800, 0x2000],
    "compress_type": [1, 8, 12, 14, 93, 99],
    "create_version": [0, 255],
    "extract_version": [0, 63, 255],
    "filename": [
        "meta.npy",
        "/etc/passwd",
        "../x.npy",
        "a" * 60_000,
        "\x1b[2J.npy",
        "x.npy/",
        "\ud7ff",
    ],
    "extra": [b"\1\0", b"\1\0\xff\xff", b"\1\0\x18\0" + b"\xff" * 24],
    "comment": [b"x" * 60_000],
    "external_attr": [0xFFFFFFFF, 0o120777 << 16],
}
"""What is said of an array in the archive's directory."""

BOMB = 1 << 26
"""Bytes of an array that is a thousandth of that in the file."""


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


ANY = "--allow-known --allow-repeats"
COMMANDS = (
    *(f"sample {ANY}", f"sample {ANY} --json --temperature 0.5", f"sample {ANY} --prefix f"),
    *(f"sample {ANY} --suffix r --top-k 3 --max-length 9", "sample"),
    *("inspect", "inspect --json", "inspect --next fr", "inspect --symbols"),
    *("inspect --score -", "inspect --score - --json", "inspect --score - --sort"),
    *("inspect --compare OTHER", "inspect --compare OTHER --score -"),
)
"""What is done with a file that may be a checkpoint."""


def torture(mutations: int, seed: int) -> dict[str, int]:
    """Break checkpoints, and use them.

    Returns:
        How many were refused and with how many the command was done, and how often it did anything
        else.
    """
    chance = random.Random(seed)  # noqa: S311
    seen: Counter[str] = Counter(refused=0, done=0, otherwise=0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wholes = kinds(folder)
        for command, whole in zip(COMMANDS, cycle(wholes), strict=False):
            # Unbroken ones are no reason to refuse anything; and now everything is imported.
            assert use(whole, command, folder) == "done", command
        # Cut at every 256th of their length, where there is time for that.
        for data in truncated(wholes, min(256, mutations // 50)):
            seen[use(data, chance.choice(COMMANDS), folder)] += 1
        while seen.total() < mutations:
            (mutate,) = chance.choices([*MUTATIONS], [*MUTATIONS.values()])
            data = mutate(chance.choice(wholes), chance)
            seen[verdict := use(data, chance.choice(COMMANDS), folder)] += 1
            if verdict == "done":
                # Behaving in one way is not enough, then.
                for command in chance.sample(COMMANDS, 2):
                    seen["otherwise"] += use(data, command, folder) == "otherwise"
                seen["otherwise"] += resumed(data, folder) == "otherwise"
    return dict(seen)


def use(data: bytes, command: str, folder: Path) -> str:
    """Do something with what may be a checkpoint."""
    path, other = folder / "broken.npz", folder / "whole.npz"
    path.write_bytes(data)
    name, *options = command.replace("OTHER", str(other)).split()
    counted = ["--n", "3", "--seed", "1"] if name == "sample" else []
    ended = run(name, str(path), *counted, *options, stdin=NAMES.encode())
    verdict = ended.verdict(str(path))
    if verdict == "otherwise":
        report(command, ended, data)
    return verdict


def resumed(data: bytes, folder: Path) -> str:
    """Go on with what may be a checkpoint: it is gone on with, or still there as it was."""
    path = folder / "resumed.npz"
    path.write_bytes(data)
    args = ("train", str(folder / "names.txt"), "-o", str(path), "--resume", "--steps", "12", "-q")
    ended = run(*args, may_write=True)
    verdict = ended.verdict(str(path))
    if verdict == "refused" and path.read_bytes() != data:
        verdict = "otherwise"
    if verdict == "otherwise":
        report("resume", ended, data)
    return verdict


def truncated(wholes: list[bytes], parts: int) -> Iterator[bytes]:
    """Each file, cut at every so manieth part of its length."""
    for whole in wholes:
        for part in range(parts):
            yield whole[: len(whole) * part // parts]


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
            text = chance.choice(TEXTS)
        case _:
            meta = json.loads(text)
            for _ in range(chance.choice((1, 1, 3))):
                _change(meta, chance)
            text = json.dumps(meta, ensure_ascii=chance.random() < 0.5)
    return _describe(parts, text)


def symbols(whole: bytes, chance: random.Random) -> bytes:
    """Put into the vocabulary, and beside it, what no name may hold, in good order."""
    parts = _take_apart(whole)
    meta = json.loads(np.load(io.BytesIO(parts["meta.npy"])).tobytes())
    wanted = chance.choice(SYMBOLS)
    match chance.randrange(4):
        case 0:
            meta["symbols"][chance.randrange(len(meta["symbols"]))] = wanted
            meta["symbols"].sort()
        case 1:
            meta["case"]["capital_after"].append(wanted)
        case 2:
            meta[chance.choice(["version", "recipe"])] += wanted
        case 3:
            meta["training"]["settings"][wanted] = 1
    return _describe(parts, json.dumps(meta, ensure_ascii=chance.random() < 0.5))


def masses(whole: bytes, chance: random.Random) -> bytes:
    """Put very much into the JSON: what is short in a file may be large in memory."""
    parts = _take_apart(whole)
    text = np.load(io.BytesIO(parts["meta.npy"])).tobytes().decode()
    what = chance.choice(["[],", "{},", "0,", '"",', "1e9,", "null,", "[[[[]]]],"])
    many = what * chance.choice([10, 1_000, 200_000])
    place = chance.choice(['"history": [', '"symbols": [', '"capital_after": ['])
    return _describe(parts, text.replace(place, place + many, 1))


def lies(whole: bytes, chance: random.Random) -> bytes:
    """Say in the archive's directory what is not so, of one array or of all."""
    file = io.BytesIO(whole)
    with zipfile.ZipFile(file, "a") as archive:
        archive._didModify = True  # type: ignore[attr-defined]  # writes the directory anew
        infos = archive.filelist
        for info in infos if chance.random() < 0.2 else [chance.choice(infos)]:
            for name in chance.sample([*LIES], chance.choice((1, 1, 2))):
                setattr(info, name, chance.choice(LIES[name]))
    return file.getvalue()


def bombs(whole: bytes, chance: random.Random) -> bytes:
    """Put in the place of an array one that is small in the file and large outside of it."""
    parts = _take_apart(whole)
    parts[chance.choice(list(parts))] = bytes(BOMB)
    return _put_together(parts, zipfile.ZIP_DEFLATED)


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


MUTATIONS: dict[Callable[[bytes, random.Random], bytes], float] = {
    **dict.fromkeys((flip, splice, members, header, symbols, lies), 3),
    **dict.fromkeys((numbers, description), 6),
    masses: 0.5,
    bombs: 0.05,
}
"""How to break a file, and how often."""


def _describe(parts: Members, text: str) -> bytes:
    file = io.BytesIO()
    np.save(file, np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8))
    return _put_together(parts | {"meta.npy": file.getvalue()})


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
