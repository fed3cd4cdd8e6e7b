"""Lists broken in every way: each is refused in one line, or read and then used."""

import random
import tempfile
from collections import Counter
from pathlib import Path

from dinogen.checkpoint.reading import load
from dinogen.cli.checkpoints import BUNDLED
from dinogen.errors import CorpusError
from dinogen.inspection.hearing import hear
from dinogen.text.cleaning import clean, is_visible
from dinogen.text.corpus import read_corpus
from dinogen.training.loop import DefaultRun
from dinogen.training.settings import Settings
from tests.conftest import CORPORA

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
    """Break lists, read them, learn a step from them, and hear them.

    Returns:
        How many were refused and how many read, and how many did anything else.
    """
    chance = random.Random(seed)  # noqa: S311
    seen: Counter[str] = Counter(refused=0, read=0, otherwise=0)
    wholes = [path.read_bytes()[:600] for path in CORPORA.glob("*.txt")]
    checkpoint = load(BUNDLED)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "list.txt")
        for _ in range(mutations):
            data = bytearray(chance.choice(wholes))
            for _ in range(chance.choice((1, 1, 2, 5))):
                place = chance.randrange(len(data))
                if chance.random() < 0.3:
                    data[place] ^= 1 << chance.randrange(8)
                else:
                    data[place:place] = chance.choice(PIECES)
            path.write_bytes(data)
            try:
                corpus = read_corpus([path], fold_case=chance.random() < 0.7)
                settings = Settings(seed=1, hidden_size=2, steps=1, order=3)
                run = DefaultRun(corpus, settings)
                next(run.train())
                names = run.checkpoint().sample(3, allow_known=True, allow_repeats=True)
                text = clean(bytes(data), "list")
                heard = hear(checkpoint, text.split("\n")[:-1])
                good = all(map(is_visible, "".join([*names, *text.split("\n"), *heard.read])))
                seen["read" if good else "otherwise"] += 1
            except CorpusError as error:
                seen["refused" if str(error).isprintable() else "otherwise"] += 1
            except Exception:  # a find: whoever runs this looks at it
                seen["otherwise"] += 1
    return dict(seen)
