"""``python -m tests.torture``: run the stress tests and count the results."""

import json
import resource

import click

from tests.torture import checkpoints, endurance, environments, kills, lists

MEMORY = 1 << 30
"""Bytes of address space that reading broken files may use."""


@click.command()
@click.option("--kills", "runs", default=200, show_default=True, help="Runs to kill.")
@click.option("--minutes", default=10.0, show_default=True, help="Duration of each long run.")
@click.option(
    "--environments/--no-environments",
    "other",
    default=True,
    help="Run the tests in other environments.",
)
@click.option(
    "--checkpoints", "broken_checkpoints", default=20_000, show_default=True, help="Mutations."
)
@click.option("--lists", "broken_lists", default=5_000, show_default=True, help="Mutations.")
@click.option("--seed", default=1, show_default=True, help="Random seed.")
def main(
    runs: int, minutes: float, other: bool, broken_checkpoints: int, broken_lists: int, seed: int
) -> None:
    """Kill runs, run long, and break checkpoints and lists. Prints a line of JSON for each part."""
    bad = 0
    if runs:
        counts = kills.torture(runs, seed)
        lost = kills.lost_seconds(after=35)
        click.echo(json.dumps({"kills": counts, "lost_seconds": lost}))
        bad += counts["broken"] + counts["older"]
        bad += (counts["max_strays"] > 1) + (not counts["resumed"]) + (not counts["newer"])
    if minutes:
        for name in endurance.RUNS:
            memory = endurance.torture(name, 60 * minutes)
            click.echo(json.dumps({name: memory}))
            bad += memory["last"] > 1.05 * memory["first"]
    for name in environments.ENVIRONMENTS if other else ():
        results = environments.torture(environments.ENVIRONMENTS[name])
        click.echo(json.dumps({name: results}))
        bad += "failed" in results or "error" in results
    # Last, because this limit cannot be removed again.
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for name, torture, mutations in (
        ("checkpoints", checkpoints.torture, broken_checkpoints),
        ("lists", lists.torture, broken_lists),
    ):
        if mutations:
            counts = torture(mutations, seed)
            click.echo(json.dumps({name: counts}))
            bad += counts["otherwise"]
    if bad:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
