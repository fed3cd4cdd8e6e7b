"""``python -m tests.torture``: do the harm, and count what came of it."""

import json
import resource

import click

from tests.torture import endurance, everywhere, files, kills, lists

MEMORY = 1 << 30
"""Bytes that reading broken files may take, and not one more."""


@click.command()
@click.option("--kills", "runs", default=200, show_default=True, help="Runs to kill.")
@click.option("--minutes", default=10.0, show_default=True, help="How long each long run runs.")
@click.option("--places/--no-places", default=True, help="Run the tests in other places, too.")
@click.option("--files", "broken_files", default=20_000, show_default=True, help="Checkpoints.")
@click.option("--lists", "broken_lists", default=5_000, show_default=True, help="Lists to break.")
@click.option("--seed", default=1, show_default=True, help="Where all chance comes from.")
def main(
    runs: int, minutes: float, places: bool, broken_files: int, broken_lists: int, seed: int
) -> None:
    """Kill runs, let some run long, break checkpoints and lists of names; a line of JSON each."""
    bad = 0
    if runs:
        seen = kills.torture(runs, seed)
        lost = kills.lost_seconds(after=35)
        click.echo(json.dumps({"kills": seen, "lost_seconds": lost}))
        bad += seen["broken"] + seen["older"] + (seen["most_strays"] > 1) + (not seen["resumed"])
    if minutes:
        for name in endurance.RUNS:
            memory = endurance.torture(name, 60 * minutes)
            click.echo(json.dumps({name: memory}))
            bad += memory["last"] > 1.05 * memory["first"]
    for name in everywhere.PLACES if places else ():
        told = everywhere.torture(everywhere.PLACES[name])
        click.echo(json.dumps({name: told}))
        bad += "failed" in told or "error" in told
    # From here on: what is set cannot be taken back.
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for name, torture, mutations in (
        ("files", files.torture, broken_files),
        ("lists", lists.torture, broken_lists),
    ):
        if mutations:
            seen = torture(mutations, seed)
            click.echo(json.dumps({name: seen}))
            bad += seen["otherwise"]
    if bad:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
