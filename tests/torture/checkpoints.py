"""Broken checkpoints: each is refused in one line, or loads and can be used."""

import io
import json
import math
import random
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dinogen.checkpoint import save
from dinogen.data import read_corpus
from dinogen.training import ClassicRun, DefaultRun, Settings, load_origin
from tests.origins import write_fewer
from tests.torture.commands import report, run

NAMES = "Freya\nThor\nLoki-Odin\nÞórr\nBaldr\nTýr\nThor\nFrigg\nNjörd\nVár Sif\n"

Files = dict[str, bytes]
"""The content of each file in an archive, by name."""

JSONS: list[Any] = [
    None, True, -1, 0, 1, 10**30, 1e308, -0.5, "", "x", "\x1b[2J", "\u202e", [], [[]], {}, {"a": 1},
]  # fmt: skip
"""Values to put into the JSON text."""

HEADERS = [
    *((b"<f4", b"|O8"), (b"<f4", b"<f8"), (b"|u1", b"|O1"), (b"<u8", b"<i8"), (b"<u4", b"<f4")),
    *((b"False", b"True "), (b"(", b"(9"), (b"(", b"(-"), (b"(", b"(9999999999"), (b"{", b"[")),
    *((b"NUMPY\x01", b"NUMPY\x02"), (b"'shape'", b"'sha\x00e'")),
]
"""Parts of the header of an array, and their replacements."""

TEXTS = ("[" * 100_000, '{"a":' * 50_000, "9" * 10_000, "NaN", '"\\ud800"')
"""JSON texts that are not objects."""

NAMES_OF_MEMBERS = [
    *("resume", "meta", "known", "ngram", "network", "a.b", "network.layer2", "../x", "", "é"),
    *("\x1b[2J", "x" * 300, "names", "__class__"),
]
"""Names of members, most of which are refused."""

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
"""Symbols, most of which are refused; those of the last row are accepted."""

CLAIMS: dict[str, list[Any]] = {
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
"""Claims about an array in the directory of the archive."""

BOMB = 1 << 26
"""Bytes of an array that takes a thousandth of that in the file."""


def kinds(folder: Path) -> list[bytes]:
    """Train checkpoints of every kind.

    From scratch: stopped, finished, each member alone, both, classic. From another network: taught
    and stopped while the teacher learns, taught and stopped later, and tuned.
    """
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
    (folder / "origin.npz").write_bytes(whole[1])
    origin = load_origin(str(folder / "origin.npz"))
    for hidden, stage, step in [(3, "teacher", 2), (3, None, 3), (4, None, 3)]:
        chosen: dict[str, Any] = {
            "hidden_size": hidden,
            **origin.network_settings({"hidden_size": hidden}),
        }
        settings = Settings.for_corpus(corpus.stats, seed=1, steps=9, holdout=0.25, **chosen)
        run = DefaultRun(corpus, settings, origin)
        for progress in run.train():
            if (progress.preparation, progress.step) == (stage, step):
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
"""The commands that read a checkpoint."""


def torture(mutations: int, seed: int) -> dict[str, int]:
    """Break checkpoints, and use them.

    Returns:
        The number of files that were refused, that were used, and that caused anything else.
    """
    rng = random.Random(seed)  # noqa: S311
    counts: Counter[str] = Counter(refused=0, done=0, otherwise=0)
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        write_fewer(patch, 500)
        folder = Path(name)
        wholes = kinds(folder)
        for command, whole in zip(COMMANDS, cycle(wholes), strict=False):
            # An intact checkpoint is accepted. This also imports all modules.
            assert use(whole, command, folder) == "done", command
        for data in truncated(wholes, min(256, mutations // 50)):
            counts[use(data, rng.choice(COMMANDS), folder)] += 1
        while counts.total() < mutations:
            (mutate,) = rng.choices([*MUTATIONS], [*MUTATIONS.values()])
            data = mutate(rng.choice(wholes), rng)
            counts[verdict := use(data, rng.choice(COMMANDS), folder)] += 1
            if verdict == "done":
                # It must then work with other commands, too.
                for command in rng.sample(COMMANDS, 2):
                    counts["otherwise"] += use(data, command, folder) == "otherwise"
                counts["otherwise"] += resumed(data, folder) == "otherwise"
    return dict(counts)


def use(data: bytes, command: str, folder: Path) -> str:
    """Run a command on a file that may be a checkpoint."""
    path, other = folder / "broken.npz", folder / "whole.npz"
    path.write_bytes(data)
    name, *options = command.replace("OTHER", str(other)).split()
    sampling = ["--n", "3", "--seed", "1"] if name == "sample" else []
    ended = run(name, str(path), *sampling, *options, stdin=NAMES.encode())
    verdict = ended.verdict(str(path))
    if verdict == "otherwise":
        report(command, ended, data)
    return verdict


def resumed(data: bytes, folder: Path) -> str:
    """Resume from a file that may be a checkpoint. If it is refused, it must stay as it was.

    A resumed checkpoint must be readable again.
    """
    path = folder / "resumed.npz"
    path.write_bytes(data)
    args = ("train", str(folder / "names.txt"), "-o", str(path), "--resume", "--steps", "12", "-q")
    ended = run(*args, may_write=True)
    verdict = ended.verdict(str(path))
    if verdict == "refused" and path.read_bytes() != data:
        verdict = "otherwise"
    if verdict == "done":
        ended = run("inspect", str(path), "--json")
        verdict = ended.verdict(str(path))
        verdict = "otherwise" if verdict == "refused" else verdict
    if verdict == "otherwise":
        report("resume", ended, data)
    return verdict


def truncated(wholes: list[bytes], parts: int) -> Iterator[bytes]:
    """Yield each file, truncated to each of some parts of its length."""
    for whole in wholes:
        for part in range(parts):
            yield whole[: len(whole) * part // parts]


def flip(whole: bytes, rng: random.Random) -> bytes:
    """Flip a few bits anywhere."""
    data = bytearray(whole)
    for _ in range(rng.choice((1, 1, 2, 8))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def splice(whole: bytes, rng: random.Random) -> bytes:
    """Repeat, remove or move a range of bytes."""
    start, end = sorted(rng.randrange(len(whole)) for _ in range(2))
    return rng.choice(
        (whole[:start] + whole[end:], whole[:end] + whole[start:], whole[start:] + whole[:start])
    )


def arrays(whole: bytes, rng: random.Random) -> bytes:
    """Swap, remove, repeat, rename, lengthen or compress arrays."""
    parts = _take_apart(whole)
    name, other = rng.sample(list(parts), 2)
    method = zipfile.ZIP_STORED
    match rng.randrange(7):
        case 0:
            parts[name], parts[other] = parts[other], parts[name]
        case 1:
            del parts[name]
        case 2:
            parts["../" + name] = parts[name]
        case 3:
            parts[name] += b"\0" * rng.choice((1, 8, 4096))
        case 4:
            parts[name] = b""
        case 5:
            method = zipfile.ZIP_DEFLATED
        case 6:
            return _put_together(parts, method, twice=name)
    return _put_together(parts, method)


def header(whole: bytes, rng: random.Random) -> bytes:
    """Change the dtype or the shape in the header of an array."""
    parts = _take_apart(whole)
    name = rng.choice(list(parts))
    old, new = rng.choice(HEADERS)
    parts[name] = parts[name].replace(old, new, 1)
    return _put_together(parts)


def numbers(whole: bytes, rng: random.Random) -> bytes:
    """Put absurd numbers into an array of the right dtype and shape."""
    parts = _take_apart(whole)
    name = rng.choice([name for name in parts if name != "meta.npy"])
    array = np.load(io.BytesIO(parts[name]))
    floats = [np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-45, 0.0, 1e10]
    integers = [0, 1, 2, 127, 255, 2**31, 2**32 - 1]
    for _ in range(rng.choice((1, 3, array.size))):
        place = rng.randrange(max(1, array.size))
        with np.errstate(all="ignore"):
            value = rng.choice(floats if array.dtype.kind == "f" else integers)
            if array.size:
                array.flat[place] = np.asarray(value).astype(array.dtype)
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    parts[name] = file.getvalue()
    return _put_together(parts)


def header_text(whole: bytes, rng: random.Random) -> bytes:
    """Put absurd values into the JSON text, or break it."""
    parts = _take_apart(whole)
    text = np.load(io.BytesIO(parts["meta.npy"])).tobytes().decode()
    match rng.randrange(5):
        case 0:
            text = text.replace(rng.choice(text), rng.choice('{}[]",:0\x00'), 1)
        case 1:
            text = rng.choice(TEXTS)
        case _:
            meta = json.loads(text)
            for _ in range(rng.choice((1, 1, 3))):
                _change(meta, rng)
            text = json.dumps(meta, ensure_ascii=rng.random() < 0.5)
    return _with_text(parts, text)


def symbols(whole: bytes, rng: random.Random) -> bytes:
    """Put symbols that no name may have into the vocabulary and into texts."""
    parts = _take_apart(whole)
    meta = json.loads(np.load(io.BytesIO(parts["meta.npy"])).tobytes())
    symbol = rng.choice(SYMBOLS)
    match rng.randrange(5):
        case 0:
            symbols = meta["vocabulary"]["symbols"]
            symbols[rng.randrange(len(symbols))] = symbol
            symbols.sort()
        case 1:
            meta["case"]["capital_after"].append(symbol)
        case 2:
            meta[rng.choice(["version", "recipe"])] += symbol
        case 3:
            meta["training"]["settings"][symbol] = 1
        case 4:
            shape = rng.choice(["x", "X", "XxXx", "", "x" * 99_990, symbol])
            text = rng.choice([symbol, "\n", "a", "\n\n\n", "a" * 255]) + rng.choice(["", "\n"])
            meta["case"]["shapes"].append({"text": text, "shape": shape})
    return _with_text(parts, json.dumps(meta, ensure_ascii=rng.random() < 0.5))


def long_lists(whole: bytes, rng: random.Random) -> bytes:
    """Put long lists into the JSON text: short text can be large in memory."""
    parts = _take_apart(whole)
    text = np.load(io.BytesIO(parts["meta.npy"])).tobytes().decode()
    item = rng.choice(["[],", "{},", "0,", '"",', "1e9,", "null,", "[[[[]]]],"])
    items = item * rng.choice([10, 1_000, 200_000])
    place = rng.choice(
        ['"history": [', '"symbols": [', '"capital_after": [', '"shape": [', '"shapes": [']
    )
    return _with_text(parts, text.replace(place, place + items, 1))


def members(whole: bytes, rng: random.Random) -> bytes:
    """Rename, repeat, remove or resize the members of the mixture, with their arrays or without."""
    parts = _take_apart(whole)
    meta = json.loads(np.load(io.BytesIO(parts["meta.npy"])).tobytes())
    entries = meta["members"]
    name, other = rng.choice(list(entries)), rng.choice(NAMES_OF_MEMBERS)
    losses = (meta["held_out"] or {"members": {name: 1}})["members"]
    match rng.randrange(5):
        case 0:
            entries[other], losses[other] = entries.pop(name), losses.pop(name)
        case 1:
            entries[other], losses[other] = entries[name], losses[name]
        case 2:
            del entries[name]
        case 3:
            for i in range(rng.choice((2, 15, 16, 1_000))):
                entries[f"m{i}"], losses[f"m{i}"] = {**entries[name], "weight": 0}, 1
        case 4:
            values = [*JSONS, 2, 16, 4096, 10**9]
            entries[name][rng.choice([*entries[name]])] = rng.choice(values)
    own = {file: data for file, data in parts.items() if file.startswith(f"{name}.")}
    if name not in entries and rng.random() < 0.8:
        parts = {file: data for file, data in parts.items() if file not in own}
    for member in [member for member in entries if member in (other, "m0", "m1")]:
        if rng.random() < 0.8:
            parts |= {file.replace(name, member, 1): data for file, data in own.items()}
    return _with_text(parts, json.dumps(meta))


def resume_arrays(whole: bytes, rng: random.Random) -> bytes:
    """Change the resume state: other shapes, names and numbers, or many arrays."""
    parts = _take_apart(whole)
    meta = json.loads(np.load(io.BytesIO(parts["meta.npy"])).tobytes())
    state = meta["resume"]
    for i in range(rng.choice((1, 1, 3, 63, 128))):
        name = rng.choice(["a", "parameters.Wax", "velocity.by", "a_prev", "..", "\x1b", f"x{i}"])
        shape = rng.choice([[], [0], [1, 50], [4], [2, 3], [2**25, 0], [2**25] * 4])
        dtype = rng.choice(["float32", "float64"])
        state["arrays"][name] = {"dtype": dtype, "shape": shape}
        if math.prod(shape) < 1_000:
            file = io.BytesIO()
            np.save(file, np.zeros(shape, dtype), allow_pickle=False)
            parts[f"resume.{name}.npy"] = file.getvalue()
        state["numbers"][rng.choice([*state["numbers"], name])] = rng.choice(JSONS)
    return _with_text(parts, json.dumps(meta))


def claims(whole: bytes, rng: random.Random) -> bytes:
    """Make false claims in the directory of the archive, about one array or all."""
    file = io.BytesIO(whole)
    with zipfile.ZipFile(file, "a") as archive:
        archive._didModify = True  # type: ignore[attr-defined]  # writes the directory again
        infos = archive.filelist
        for info in infos if rng.random() < 0.2 else [rng.choice(infos)]:
            for name in rng.sample([*CLAIMS], rng.choice((1, 1, 2))):
                setattr(info, name, rng.choice(CLAIMS[name]))
    return file.getvalue()


def bombs(whole: bytes, rng: random.Random) -> bytes:
    """Replace an array by a compressed one that is small in the file and large in memory."""
    parts = _take_apart(whole)
    parts[rng.choice(list(parts))] = bytes(BOMB)
    return _put_together(parts, zipfile.ZIP_DEFLATED)


def _change(value: Any, rng: random.Random) -> None:
    """Change a value somewhere in a JSON object."""
    while True:
        places = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not places:
            return
        place = rng.choice(places)
        inner = value[place]
        if isinstance(inner, dict | list) and inner and rng.random() < 0.8:
            value = inner
            continue
        if isinstance(value, dict) and rng.random() < 0.1:
            del value[place]
        else:
            value[place] = deepcopy(rng.choice(JSONS))
        return


MUTATIONS: dict[Callable[[bytes, random.Random], bytes], float] = {
    **dict.fromkeys((flip, splice, arrays, header, symbols, claims, members, resume_arrays), 3),
    **dict.fromkeys((numbers, header_text), 6),
    long_lists: 0.5,
    bombs: 0.05,
}
"""The ways to break a file, and their relative frequencies."""


def _with_text(parts: Files, text: str) -> bytes:
    file = io.BytesIO()
    np.save(file, np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8))
    return _put_together(parts | {"meta.npy": file.getvalue()})


def _take_apart(whole: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _put_together(
    parts: Files, method: int = zipfile.ZIP_STORED, twice: str | None = None
) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    if twice is not None:
        # A directory with one name twice; zipfile would warn of it.
        data = file.getvalue()
        other = next(name for name in parts if name != twice)
        return data.replace(other.encode()[: len(twice)], twice.encode()[: len(other)])
    return file.getvalue()
