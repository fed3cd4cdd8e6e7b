"""Extreme but legal options: no NaN, no endless run, no traceback."""

import json
from pathlib import Path

import numpy as np
import pytest

from dinogen import load
from dinogen.cli import BUNDLED
from dinogen.models import Network
from tests.conftest import CORPORA
from tests.torture.commands import run

EDDA = CORPORA / "edda.txt"

TRAININGS = [
    *("--learning-rate 10", "--learning-rate 100 --holdout 0", "--learning-rate 1e-6"),
    *("--learning-rate 100 --clip 1000000 --momentum 0.999", "--clip 1e-6", "--momentum 0"),
    *("--hidden 1 --order 1", "--hidden 0 --order 16", "--hidden 1 --order 0"),
    *("--batch-size 65536", "--batch-size 1", "--epochs 1", "--steps 1", "--patience 1"),
    *("--dropout 0.9", "--holdout 0.9", "--holdout 0.9 --hidden 0", "--case keep --order 1"),
    *("--seed 18446744073709551615", "--keep-duplicates", "--recipe classic --steps 1"),
]


@pytest.mark.parametrize("options", TRAININGS)
def test_trainings(options: str, tmp_path: Path) -> None:
    """After any training, the checkpoint can be sampled and resumed."""
    path = str(tmp_path / "model.npz")
    given = options.split()
    given += (
        [] if {"--epochs", "--steps"} & {*given} or "--hidden 0" in options else ["--steps", "60"]
    )
    small = ["--hidden", "8"] if not {"--hidden", "--recipe"} & {*given} else []
    assert run("train", str(EDDA), "-o", path, *given, *small, may_write=True).verdict("") == "done"
    model = load(path)
    checkpoint = model.checkpoint
    for member in checkpoint.mixture.members.values():
        if isinstance(member, Network):
            assert np.isfinite(member.parameters.vector).all()
    assert len(model.sample(20, allow_known=True, allow_repeats=True)) == 20
    if checkpoint.held_out:
        assert checkpoint.held_out.nats_per_symbol < 2 * np.log(len(checkpoint.vocabulary))
    again = ("train", str(EDDA), "-o", path, "--resume", "--steps", "70")
    assert run(*again, may_write=True).verdict("") == "done"
    assert load(path).checkpoint.training.steps in (0, *range(61, 71)) or "patience" in options


@pytest.mark.parametrize(
    "names", ["a\nb\n", "a\nab\n", "ab\nab\nba\n" * 9, "\n".join("abcdefgh"), "É\n" + "é" * 60]
)
@pytest.mark.parametrize("options", [[], ["--holdout", "0.5"], ["--case", "keep"]], ids=str)
def test_tiny_lists(names: str, options: list[str], tmp_path: Path) -> None:
    """A list of a few names can be trained on, with any reading option."""
    path = str(tmp_path / "model.npz")
    args = ("train", "-", "-o", path, "--seed", "1", "--hidden", "8", *options)
    assert run(*args, stdin=names.encode(), may_write=True).verdict("") == "done"
    assert load(path).sample(5, allow_known=True, allow_repeats=True)


SAMPLINGS = [
    *("--temperature 1e-6", "--temperature 1e6", "--top-k 1", "--top-p 1e-6", "--top-k 2097152"),
    *("--temperature 1e-6 --prefix raptor", "--temperature 1e6 --suffix raptor --max-length 10"),
    *("--max-length 1", "--min-length 30 --max-length 30 --prefix x"),
    *("--skip 1000000000000000", "--skip 1000000000000000 --prefix a", f"--prefix {'a' * 30}"),
]


@pytest.mark.parametrize("options", SAMPLINGS)
def test_samplings(options: str) -> None:
    """With any sampling option, names are not empty and their nats are finite."""
    # At such temperatures, a known name may be the only one.
    allowed = ("--allow-repeats", "--allow-known")
    args = ("sample", str(BUNDLED), "--seed", "1", "--json", "--n", "3", *allowed)
    ended = run(*args, *options.split())
    assert ended.verdict("") == "done"
    records = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(records) == 3
    for record in records:
        assert 0 < record["nats"] < float("inf")
        assert record["name"]


@pytest.mark.parametrize(
    "options",
    [
        "--min-length 9 --max-length 8",
        "--prefix ab --max-length 1",
        "--pattern ''",
        "--pattern [!a-z]",
    ],
)
def test_impossible_constraints(options: str) -> None:
    """Constraints that no name can satisfy are a usage error, not a long search."""
    ended = run("sample", str(BUNDLED), *options.replace("''", " ").split(" ", 1))
    assert ended.status == 2
