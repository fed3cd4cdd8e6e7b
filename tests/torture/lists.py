"""Lists broken in every way: each is refused in one line, or read and then used."""

import random
import tempfile
from collections import Counter
from pathlib import Path

from dinogen.cli.checkpoints import BUNDLED
from tests.conftest import CORPORA
from tests.torture.commands import report, run

SMALL = "--seed 1 --hidden 2 --steps 1 --force -q -o"

COMMANDS = (
    *(f"train LIST {SMALL}", f"train LIST {SMALL} --case keep --order 3 --keep-duplicates"),
    *(f"train LIST LIST {SMALL}", "train LIST --recipe classic --steps 1 --force -q -o"),
    *(f"inspect {BUNDLED} --score LIST", f"inspect {BUNDLED} --score LIST --json"),
    *(f"inspect {BUNDLED} --score LIST --sort", f"inspect {BUNDLED} --compare OWN --score LIST"),
    f"sample {BUNDLED} --seed 1 --n 3 --exclude LIST",
)
"""What is done with what may be a list; what trains ends with -o, to name a checkpoint."""

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
    """Break lists, and learn from them, hear them and keep clear of them.

    Returns:
        How many were refused and with how many the command was done, and how often it did anything
        else.
    """
    chance = random.Random(seed)  # noqa: S311
    seen: Counter[str] = Counter(refused=0, done=0, otherwise=0)
    wholes = [path.read_bytes()[:600] for path in CORPORA.glob("*.txt")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for command in COMMANDS:
            # Unbroken ones are no reason to refuse anything; and now everything is imported.
            assert use(b"Anna\nBerta\n", command, folder, piped=False) == "done", command
        for _ in range(mutations):
            data = broken(chance.choice(wholes), chance)
            seen[use(data, chance.choice(COMMANDS), folder, piped=chance.random() < 0.3)] += 1
    return dict(seen)


def broken(whole: bytes, chance: random.Random) -> bytes:
    """Put anything anywhere into a list, and change bits of it."""
    data = bytearray(whole)
    for _ in range(chance.choice((1, 1, 2, 5))):
        place = chance.randrange(len(data))
        if chance.random() < 0.3:
            data[place] ^= 1 << chance.randrange(8)
        else:
            data[place:place] = chance.choice(PIECES)
    return bytes(data)


def use(data: bytes, command: str, folder: Path, *, piped: bool) -> str:
    """Do something with what may be a list; what is learned from it can be used."""
    path, own = folder / "list.txt", folder / "own.npz"
    path.write_bytes(data)
    # A pipe can be read but once.
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
