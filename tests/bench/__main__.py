"""``python -m tests.bench``: measure, and draw one table, or print one JSON object."""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from dinogen.text.corpus import read_corpus
from tests.bench import growth, quality, sampling, training

CORPORA = Path(__file__).parents[2] / "corpora"
PARTS = ("training", "classic", "sampling", "startup", "growth", "quality")
HIDDEN_SIZES = (64, 128, 256)


@click.command()
@click.argument("lists", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object in place of the table.")
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Measure just this part.")
@click.option("--splits", default=3, show_default=True, help="Splits for quality.")
def main(lists: tuple[Path, ...], as_json: bool, only: tuple[str, ...], splits: int) -> None:
    """Measure speed, and quality on LISTS, or on all of corpora/."""
    figures: dict[str, Any] = {}
    parts = only or PARTS
    dinosaurs = read_corpus([CORPORA / "dinosaurs.txt"], keep_duplicates=True)
    if "training" in parts:
        figures["training"] = {
            str(size): training.measure(dinosaurs, size) for size in HIDDEN_SIZES
        }
    if "classic" in parts:
        figures["classic"] = training.measure_classic(dinosaurs)
    if "sampling" in parts:
        figures["sampling"] = sampling.measure(dinosaurs)
    if "startup" in parts:
        figures["startup"] = sampling.measure_startup()
    if "growth" in parts:
        figures["growth"] = growth.measure()
    if "quality" in parts:
        paths = lists or tuple(sorted(CORPORA.glob("*.txt")))
        figures["quality"] = {path.stem: quality.measure(path, splits) for path in paths}
    if as_json:
        click.echo(json.dumps(figures))
    else:
        Console().print(draw(figures))


def draw(figures: dict[str, Any]) -> Table:
    """Draw all figures as one table."""
    table = Table("what", "dinogen", "beside", "ratio", title="dinogen, measured")
    for size, row in figures.get("training", {}).items():
        ours = row["dinogen"]
        for rival in ("literal", "pytorch", "limit"):
            told = f"{row[rival]:,.0f} µs" if rival in row else "not installed"
            table.add_row(
                f"an update, hidden {size}, batch 32",
                f"{ours:,.0f} µs",
                f"{rival}: {told}",
                _ratio(rival, ours, row.get(rival)),
            )
    if row := figures.get("classic"):
        table.add_row(
            "classic recipe, an iteration",
            f"{row['dinogen']:,.0f} µs",
            f"literal: {row['literal']:,.0f} µs",
            _ratio("literal", row["dinogen"], row["literal"]),
        )
    if row := figures.get("sampling"):
        for what, rival in (("new", "command"), ("command", "inside"), ("inside", "limit")):
            table.add_row(
                f"{sampling.NAMES:,} names, hidden 64, {what}",
                f"{sampling.NAMES / row[what]:,.0f} a second",
                f"{rival}: {sampling.NAMES / row[rival]:,.0f} a second",
                _ratio("limit", row[what], row[rival]),
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
            f"{name}, of {quality.DRAWN:,} names: learned from / real / distinct",
            _novelty(row, "dinogen"),
            "; ".join(f"{part}: {_novelty(row, part)}" for part in ("network", "ngram", "classic")),
            "",
        )
    return table


def _novelty(row: dict[str, float], who: str) -> str:
    return " / ".join(f"{row[f'{who}_{what}']:.0f}" for what in ("known", "found", "distinct"))


def _ratio(rival: str, ours: float, theirs: float | None) -> str:
    if theirs is None:
        return ""
    if rival == "limit":
        return f"{ours / theirs:.2f} times as long"
    return f"{theirs / ours:.2f} times faster"


if __name__ == "__main__":
    main()
