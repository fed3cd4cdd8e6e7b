"""``python -m tests.bench``: measure, and print a table or one JSON object."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from dinogen.data import read_corpus
from tests.bench import cells, growth, plausibility, quality, sampling, teaching, text, training

CORPORA = Path(__file__).parents[2] / "corpora"
TEXTS = (CORPORA / "sonnets.txt",)
WORDS = (CORPORA / "phonemes.txt", CORPORA / "tunes.txt")
"""Running text, and lists of words: no lists of names."""

NAMES = tuple(path for path in sorted(CORPORA.glob("*.txt")) if path not in (*TEXTS, *WORDS))
PARTS = (
    "training",
    "classic",
    "sampling",
    "constraints",
    "startup",
    "growth",
    "quality",
    "cells",
    "teaching",
    "plausibility",
    "text",
    "writing",
)
NETWORKS = [("rnn", 1, hidden, 32) for hidden in (64, 128, 256)] + [
    (cell, layers, hidden, batch_size)
    for cell in ("gru", "lstm")
    for layers in (1, 2)
    for hidden in (128, 256)
    for batch_size in (32, 64)
]
"""Cell, layers, hidden units and batch size of the networks whose training is timed."""

SAMPLING = ("limit", "makemore")
"""The baselines of sampling."""


@click.command()
@click.argument("lists", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Measure this part only.")
@click.option("--splits", default=3, show_default=True, help="The number of splits of each list.")
@click.option("--curve", is_flag=True, help="Measure plausibility for more decodings.")
def main(
    lists: tuple[Path, ...], as_json: bool, only: tuple[str, ...], splits: int, curve: bool
) -> None:
    """Measure the speed of dinogen, and its quality on LISTS, by default those of corpora/.

    The parts "text" and "writing" take running text instead of lists.
    """
    figures: dict[str, Any] = {}
    parts = only or PARTS
    dinosaurs = read_corpus([CORPORA / "dinosaurs.txt"], keep_duplicates=True)
    if "training" in parts:
        figures["training"] = [training.measure(dinosaurs, *network) for network in NETWORKS]
    if "classic" in parts:
        figures["classic"] = training.measure_classic(dinosaurs)
    if "sampling" in parts:
        figures["sampling"] = sampling.measure(dinosaurs)
    if "constraints" in parts:
        figures["constraints"] = sampling.measure_constraints()
    if "startup" in parts:
        figures["startup"] = sampling.measure_startup()
    if "growth" in parts:
        figures["growth"] = growth.measure()
    if "quality" in parts:
        paths = lists or NAMES
        figures["quality"] = {path.stem: quality.measure(path, splits) for path in paths}
    if "cells" in parts:
        paths = lists or tuple(CORPORA / f"{name}.txt" for name in cells.LISTS)
        figures["cells"] = {path.stem: cells.measure(path, splits) for path in paths}
    if "teaching" in parts:
        paths = lists or NAMES
        figures["teaching"] = {path.stem: teaching.measure(path, splits) for path in paths}
    if "plausibility" in parts:
        paths = lists or tuple(CORPORA / f"{name}.txt" for name in plausibility.LISTS)
        decodings = {**plausibility.TABLE, **(plausibility.CURVE if curve else {})}
        figures["plausibility"] = {
            path.stem: plausibility.measure(path, splits, decodings) for path in paths
        }
    if "text" in parts:
        figures["text"] = {path.stem: text.measure(path) for path in lists or TEXTS}
    if "writing" in parts:
        with TemporaryDirectory() as folder:
            figures["writing"] = {
                path.stem: text.measure_writing(path, Path(folder)) for path in lists or TEXTS
            }
    if as_json:
        click.echo(json.dumps(figures))
    else:
        Console().print(draw(figures))
        if "plausibility" in parts:
            Console().print(draw_plausibility(figures["plausibility"]))


def draw_plausibility(figures: dict[str, dict[str, list[plausibility.Figures]]]) -> Table:
    """Build the table of plausibility and variety."""
    columns = ("list", "names learned", "drawn by", "gap", "odd", "real", "variety", "too short")
    table = Table(*columns, "too long", title="plausibility and variety")
    for name, ways in figures.items():
        for way, rows in ways.items():
            for row in rows:
                shares = [f"{100 * row[what]:.1f} %" for what in ("odd", "real")]
                shares += [f"{row['variety']:.2f}"]
                shares += [f"{100 * row[what]:.1f} %" for what in ("shorter", "longer")]
                table.add_row(name, f"{row['names']:,}", way, f"{row['gap']:+.2f}", *shares)
    return table


def draw(figures: dict[str, Any]) -> Table:
    """Build one table of all figures."""
    table = Table("what", "dinogen", "baseline", "ratio", title="dinogen benchmark")
    for row in figures.get("training", []):
        for baseline in ("literal", "pytorch", "pytorch, padded", "limit"):
            if baseline in row:
                table.add_row(
                    f"an update, {row['network']}",
                    f"{row['dinogen']:,.0f} µs",
                    f"{baseline}: {row[baseline]:,.0f} µs",
                    _ratio(baseline, row["dinogen"], row[baseline]),
                )
    if row := figures.get("classic"):
        table.add_row(
            "classic recipe, an iteration",
            f"{row['dinogen']:,.0f} µs",
            f"literal: {row['literal']:,.0f} µs",
            _ratio("literal", row["dinogen"], row["literal"]),
        )
    for model, row in figures.get("sampling", {}).items():
        for what in ("new", "all", "inside"):
            for baseline in SAMPLING:
                if baseline in row:
                    table.add_row(
                        f"{sampling.NAMES:,} names, {model}, {what}",
                        f"{row[what]:,.0f} a second",
                        f"{baseline}: {row[baseline]:,.0f} a second",
                        f"{row[what] / row[baseline]:.2f} times as fast",
                    )
    for when, row in figures.get("constraints", {}).items():
        for constraint in sampling.CONSTRAINTS:
            table.add_row(
                f"seven names, {constraint}, {when}",
                f"{row[constraint] * 1e3:.0f} ms",
                f"without constraints: {row['none'] * 1e3:.0f} ms",
                _ratio("limit", row[constraint], row["none"]),
            )
    if row := figures.get("startup"):
        table.add_row(
            "start-up, seven names",
            f"{row['sample'] * 1e3:.0f} ms",
            f"import numpy: {row['numpy'] * 1e3:.0f} ms",
            _ratio("limit", row["sample"], row["numpy"]),
        )
    for row in figures.get("growth", []):
        table.add_row(
            f"{row['names']:,} names, {row['bytes'] / 1e6:.1f} MB",
            f"read {row['read_s']:.2f} s, an epoch {row['epoch_s']:.1f} s",
            f"peak {row['peak_mib']:.0f} MiB, {row['peak_before_mib']:.0f} before",
            f"{row['epoch_s'] / row['names'] * 1e6:.1f} µs a name",
        )
    for name, row in figures.get("quality", {}).items():
        table.add_row(
            f"{name}, {row['names']:,.0f} names, nats per symbol",
            f"{row['dinogen']:.3f} in {row['seconds']:.1f} s",
            f"network alone: {row['network']:.3f}; n-grams alone: {row['ngram']:.3f}; "
            f"best Kneser-Ney: {row['kneser_ney']:.3f}; classic: {row['classic']:.3f}",
            f"{row['to_kneser_ney']:+.3f} ± {row['to_kneser_ney_spread']:.3f} to Kneser-Ney, "
            f"{row['to_network']:+.3f} ± {row['to_network_spread']:.3f} to the network",
        )
        table.add_row(
            f"{name}, of {quality.DRAWN:,} names: training / test / distinct",
            _novelty(row, "dinogen"),
            "; ".join(f"{part}: {_novelty(row, part)}" for part in ("network", "ngram", "classic")),
            "",
        )
    for name, networks in figures.get("cells", {}).items():
        for network, row in networks.items():
            table.add_row(
                f"{name}, {network}, nats per symbol",
                f"{row['mixture']:.3f} in {row['seconds']:.1f} s",
                f"network alone: {row['network']:.3f}",
                f"{row['to_kneser_ney']:+.3f} ± {row['spread']:.3f} to Kneser-Ney, "
                f"{row['to_rnn']:+.3f} to the vanilla RNN",
            )
    for name, rows in figures.get("teaching", {}).items():
        for row in rows:
            table.add_row(
                f"{name}, {row['names']:,} names, nats per symbol",
                f"{row['default']:.3f} in {row['seconds']:.1f} s",
                f"from scratch: {row['scratch']:.3f} in {row['scratch_seconds']:.1f} s; "
                f"best Kneser-Ney: {row['kneser_ney']:.3f}",
                f"{row['default'] - row['scratch']:+.3f} to scratch; of the printed names, "
                f"{100 * row['real']:.1f} % are names of the base",
            )
    for name, models in figures.get("text", {}).items():
        for model, row in models.items():
            soon = f", {row['soon']:.3f} after {text.SOON:.0f} s" if "soon" in row else ""
            alone = [
                f"{part} alone: {row[part]:.3f}" for part in ("network", "ngram") if part in row
            ]
            table.add_row(
                f"{name}, running text, {model}, nats per symbol",
                f"{row['nats']:.3f} in {row['seconds']:.1f} s{soon}",
                "; ".join(alone),
                f"{text.WRITTEN:,} symbols written in {row['writing']:.2f} s",
            )
    for name, ways in figures.get("writing", {}).items():
        for way, row in ways.items():
            table.add_row(
                f"{name}, written by {way}: gap",
                f"{row['gap']:+.3f} nats per symbol",
                f"words of the judge's text {row['words']:.3f}, real text {row['real words']:.3f}",
                f"distinct 12-grams {row['distinct']:.3f}, real text {row['real distinct']:.3f}",
            )
    return table


def _novelty(row: dict[str, float], model: str) -> str:
    return " / ".join(f"{row[f'{model}_{what}']:.0f}" for what in ("known", "found", "distinct"))


def _ratio(baseline: str, ours: float, theirs: float | None) -> str:
    if theirs is None:
        return ""
    if baseline == "limit":
        return f"{ours / theirs:.2f} times as long"
    return f"{theirs / ours:.2f} times faster"


if __name__ == "__main__":
    main()
