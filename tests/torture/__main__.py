"""``python -m tests.torture``: do the harm, and count what came of it."""

import json
import resource

import click

from tests.torture import files, kills, lists

MEMORY = 1 << 30
"""Bytes that reading broken files may take, and not one more."""


@click.command()
@click.option("--kills", "runs", default=200, show_default=True, help="Runs to kill.")
@click.option("--files", "broken_files", default=20_000, show_default=True, help="Checkpoints.")
@click.option("--lists", "broken_lists", default=5_000, show_default=True, help="Lists to break.")
@click.option("--seed", default=1, show_default=True, help="Where all chance comes from.")
def main(runs: int, broken_files: int, broken_lists: int, seed: int) -> None:
    """Kill training runs, and break checkpoints and lists of names; one line of JSON for each."""
    bad = 0
    if runs:
        killed = kills.torture(runs, seed)
        click.echo(json.dumps({"kills": killed}))
        bad += killed["broken"] + (killed["most_strays"] > 1) + (not killed["resumed"])
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
