"""Measure dinogen side by side with what it is compared to: ``make bench``.

Every figure is the median over several rounds; in each round the rivals run one after the other, so
that a machine that slows down slows both.
"""

import os

# As the command does: before NumPy is loaded, and for all rivals alike.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import json
from collections.abc import Callable, Sequence
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

import click
from rich.console import Console
from rich.table import Table

from dinogen.text.corpus import Corpus, read_corpus
from dinogen.training.classic import PRINT_EVERY, ClassicRun
from tests import literal

CORPORA = Path(__file__).parents[1] / "corpora"
ROUNDS = 7
CLASSIC_STEPS = 200


def side_by_side(rivals: Sequence[Callable[[], object]], rounds: int = ROUNDS) -> list[float]:
    """Run rivals in turn, round after round; gives each one's median seconds."""
    seconds: list[list[float]] = [[] for _ in rivals]
    for _ in range(rounds):
        for times, rival in zip(seconds, rivals, strict=True):
            began = perf_counter()
            rival()
            times.append(perf_counter() - began)
    return [median(times) for times in seconds]


def classic(corpus: Corpus) -> dict[str, float]:
    """Time the classic recipe against the plain loops, one name an iteration."""
    starts, symbols = corpus.names.starts.tolist(), corpus.names.symbols.tolist()
    names = [symbols[i : j - 1] for i, j in pairwise(starts)]

    # Names are sampled at the first iteration, and then not within the ones that are timed.
    ours = ClassicRun(corpus, steps=PRINT_EVERY).train()
    next(ours)

    def fast() -> None:
        for _ in islice(ours, CLASSIC_STEPS):
            pass

    def plain() -> None:
        p = literal.start_course(len(corpus.vocabulary))
        for _ in literal.train_course(p, names, CLASSIC_STEPS):
            pass

    fast_time, plain_time = (t / CLASSIC_STEPS for t in side_by_side([fast, plain]))
    return {
        "dinogen_us": fast_time * 1e6,
        "literal_us": plain_time * 1e6,
        "times_faster": plain_time / fast_time,
    }


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object in place of the table.")
def main(as_json: bool) -> None:
    """Measure speed, side by side in one run."""
    figures = {
        "classic": classic(read_corpus([CORPORA / "dinosaurs.txt"], keep_duplicates=True)),
    }
    if as_json:
        click.echo(json.dumps(figures))
        return
    table = Table("what", "dinogen", "compared with", "times faster", title="Speed, medians")
    row = figures["classic"]
    table.add_row(
        "classic recipe, one iteration",
        f"{row['dinogen_us']:.0f} µs",
        f"literal loops: {row['literal_us']:.0f} µs",
        f"{row['times_faster']:.2f}",
    )
    Console().print(table)


if __name__ == "__main__":
    main()
