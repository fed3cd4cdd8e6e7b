"""Broken lists: each is refused in one line, or read and then used."""

import random
import tempfile
from collections import Counter
from pathlib import Path

from dinogen.cli import BUNDLED
from tests.conftest import CORPORA
from tests.torture.commands import report, run

SMALL = "--seed 1 --hidden 2 --steps 1 --force -q -o"

COMMANDS = (
    *(f"train LIST {SMALL}", f"train LIST {SMALL} --case keep --order 3 --keep-duplicates"),
    *(f"train LIST LIST {SMALL}", "train LIST --recipe classic --steps 1 --force -q -o"),
    *(f"train LIST --column 1 {SMALL}", f"train LIST --encoding cp1251 {SMALL}"),
    *(f"inspect {BUNDLED} --score LIST", f"inspect {BUNDLED} --score LIST --json"),
    *(f"inspect {BUNDLED} --score LIST --sort", f"inspect {BUNDLED} --compare OWN --score LIST"),
    f"sample {BUNDLED} --seed 1 --n 3 --exclude LIST",
)
"""The commands that read a list; those that train end with -o, which takes a checkpoint."""

NOT_UTF8 = [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"]
UTF8 = [
    *(
        "\0",
        "\x1b[2J",
        "\x07",
        "\t",
        "\r",
        "\r\n",
        "\n\r",
        "\x0b",
        "\x0c",
        "\x85",
        "\u2028",
        "\n\n\n",
    ),
    *(
        "\ufeff",
        "\u202e",
        "\u200b",
        "\u200d",
        "\ufe0f",
        "\xad",
        "\U000e0001",
        " ",
        "\xa0",
        "\u3000",
    ),
    *("שלום", "مرحبا", "e\u0301\u0323", "\U0001f469\u200d\U0001f680", "\U0001f3f3", "ﬁ", "İ", "ß"),
    *("각", "\u1100\u1161", "[red]", "[/]", "A" * 300, "PK\x03\x04"),
]
PIECES = [*NOT_UTF8, *(text.encode() for text in UTF8)]


def torture(mutations: int, seed: int) -> dict[str, int]:
    """Break lists, and train on them, score them and exclude them.

    Returns:
        The number of lists that were refused, that were used, and that caused anything else.
    """
    rng = random.Random(seed)  # noqa: S311
    counts: Counter[str] = Counter(refused=0, done=0, otherwise=0)
    wholes = [path.read_bytes()[:600] for path in CORPORA.glob("*.txt")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for command in COMMANDS:
            # An intact list is accepted. This also imports all modules.
            assert use(b"Anna\nBerta\n", command, folder, piped=False) == "done", command
        for _ in range(mutations):
            data = broken(rng.choice(wholes), rng)
            counts[use(data, rng.choice(COMMANDS), folder, piped=rng.random() < 0.3)] += 1
    return dict(counts)


def broken(whole: bytes, rng: random.Random) -> bytes:
    """Insert pieces into a list, and flip bits of it."""
    data = bytearray(whole)
    for _ in range(rng.choice((1, 1, 2, 5))):
        place = rng.randrange(len(data))
        if rng.random() < 0.3:
            data[place] ^= 1 << rng.randrange(8)
        else:
            data[place:place] = rng.choice(PIECES)
    return bytes(data)


def use(data: bytes, command: str, folder: Path, *, piped: bool) -> str:
    """Run a command on a list. A model that was trained on it is then used."""
    path, own = folder / "list.txt", folder / "own.npz"
    path.write_bytes(data)
    # A pipe can be read only once.
    piped = piped and command.count("LIST") == 1
    source = "-" if piped else str(path)
    trains = command.startswith("train")
    args = command.replace("LIST", source).replace("OWN", str(own)).split()
    ended = run(*args, *([str(own)] if trains else []), stdin=data, may_write=trains)
    verdict = ended.verdict("standard input" if piped else source)
    if verdict == "done" and trains:
        ended = run("sample", str(own), "--n", "3", "--allow-known", "--allow-repeats")
        verdict = ended.verdict(str(own))
    if verdict == "otherwise":
        report(command, ended, data)
    return verdict
