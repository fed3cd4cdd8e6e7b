"""``dinogen sample`` with several checkpoints, which are blended."""

import json
from pathlib import Path

import pytest

from dinogen import blend, load
from dinogen.cli import BUNDLED
from tests.cli.conftest import TINY, Refused, side_by_side, train
from tests.conftest import CORPORA, Run


@pytest.fixture(scope="session")
def finland_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of a list whose letters are not those of `edda_checkpoint`. Read only."""
    corpus = (CORPORA / "places-finland.txt").read_bytes()
    options = ("--seed", "1", "--steps", "20", "--hidden", "8")
    return train(tmp_path_factory.mktemp("finland"), corpus, *options)


@pytest.fixture(scope="session")
def words_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of words. Read only."""
    options = ("--seed", "1", "--steps", "20", "--hidden", "8", "--unit", "word")
    return train(tmp_path_factory.mktemp("words"), "k æ t\nk æ p\nt æ p\n".encode(), *options)


@pytest.fixture(scope="session")
def kept_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model that keeps case. Read only."""
    options = ("--seed", "1", "--steps", "20", "--hidden", "8", "--case", "keep")
    return train(tmp_path_factory.mktemp("kept"), "\n".join(TINY).encode(), *options)


def test_the_command_writes_what_the_library_does(
    dinogen: Run, edda_checkpoint: Path, finland_checkpoint: Path
) -> None:
    """Names, options and weights are the same; no weights are equal ones."""
    paths = (edda_checkpoint, finland_checkpoint)
    models = [load(path) for path in paths]
    sample = ("sample", *paths, "--n", "30", "--seed", "4")
    mixed, equal, constrained = side_by_side(
        lambda more: dinogen(*sample, *more),
        ([], ["--mix", "50,50"], ["--mix", "0.7,0.3", "--prefix", "ä", "--min-distance", "2"]),
    )
    assert mixed.stdout.splitlines() == blend(models).sample(30, 4)
    assert equal.stdout == mixed.stdout
    expected = blend(models, [7, 3]).sample(30, 4, prefix="ä", min_distance=2)
    assert constrained.stdout.splitlines() == expected
    for result in (mixed, equal, constrained):
        assert (result.returncode, result.stderr) == (0, "")


def test_number_changes_no_name(
    dinogen: Run, edda_checkpoint: Path, finland_checkpoint: Path
) -> None:
    """The first names are the same for every ``--n``, and ``--skip`` begins later."""
    sample = ("sample", edda_checkpoint, finland_checkpoint, "--mix", "1,2", "--seed", "1", "-n")
    many, few, later = side_by_side(
        lambda more: dinogen(*sample, *more), (["600"], ["17"], ["20", "--skip", "40", "--json"])
    )
    names = many.stdout.splitlines()
    assert len(set(names)) == 600
    assert few.stdout.splitlines() == names[:17]
    records = [json.loads(line) for line in later.stdout.splitlines()]
    assert records[0]["index"] >= 40
    assert {record["name"] for record in records} <= set(names)


def test_the_fields_of_the_json(
    dinogen: Run, edda_checkpoint: Path, finland_checkpoint: Path
) -> None:
    """They are those of one checkpoint. A name of either list is known."""
    options = ("--allow-known", "--temperature", "0.7", "--n", "300", "--seed", "1", "--json")
    result = dinogen("sample", edda_checkpoint, finland_checkpoint, *options)
    records = [json.loads(line) for line in result.stdout.splitlines()]
    lists = [
        {*(CORPORA / f"{name}.txt").read_text(encoding="utf-8").lower().splitlines()}
        for name in ("edda", "places-finland")
    ]
    found = [0, 0]
    for record in records:
        assert [*record] == ["name", "nats", "symbols", "known", "index", "seed"]
        name = record["name"].lower()
        assert record["symbols"] == len(name) + 1
        assert 0 < record["nats"] < 100
        assert record["known"] == any(name in names for names in lists)
        found = [count + (name in names) for count, names in zip(found, lists, strict=True)]
    assert min(found) > 0


def test_a_checkpoint_may_be_named_twice(dinogen: Run, edda_checkpoint: Path) -> None:
    """It then writes the names that it writes alone, for equal weights."""
    options = ("--n", "50", "--seed", "1")
    alone, twice = side_by_side(
        lambda paths: dinogen("sample", *paths, *options),
        ([edda_checkpoint], [edda_checkpoint] * 2),
    )
    assert (twice.returncode, twice.stdout, twice.stderr) == (0, alone.stdout, "")


def test_only_the_seed_is_printed(
    dinogen: Run, edda_checkpoint: Path, finland_checkpoint: Path
) -> None:
    """Nothing is said about the bundled model, and nothing at all with ``--quiet``."""
    paths = (edda_checkpoint, finland_checkpoint)
    environment = {"DINOGEN_CHECKPOINT": "missing.npz"}
    result = dinogen("sample", *paths, env=environment)
    seed = result.stderr.split()[1]
    assert result.stderr == f"seed {seed} (to repeat this: --seed {seed})\n"
    again = dinogen("sample", *paths, "--seed", seed, "--quiet", env=environment)
    assert (again.stdout, again.stderr) == (result.stdout, "")


@pytest.mark.parametrize(
    ("mix", "message"),
    [
        ("1", "--mix needs 2 weights, one for each checkpoint, not 1"),
        ("1,2,3", "--mix needs 2 weights, one for each checkpoint, not 3"),
        ("0,7,0,3", "'--mix': weight must be from 0.000001 to 1,000,000, not 0.0"),
        ("1,0", "'--mix': weight must be from 0.000001 to 1,000,000, not 0.0"),
        ("1,-2", "'--mix': weight must be from 0.000001 to 1,000,000, not -2.0"),
        ("nan,1", "'--mix': weight must be from 0.000001 to 1,000,000, not nan"),
        ("1,inf", "'--mix': weight must be from 0.000001 to 1,000,000, not inf"),
        ("", "'--mix': '' is not a list of numbers such as 0.7,0.3"),
        ("1,", "'--mix': '1,' is not a list of numbers such as 0.7,0.3"),
        ("0.7;0.3", "'--mix': '0.7;0.3' is not a list of numbers such as 0.7,0.3"),
        ("70%,30%", "'--mix': '70%,30%' is not a list of numbers such as 0.7,0.3"),
    ],
)
def test_wrong_weights(refused: Refused, mix: str, message: str) -> None:
    """They are refused before a checkpoint is read."""
    assert message in refused("sample", "missing.npz", "missing.npz", "--mix", mix, status=2)


@pytest.mark.parametrize("paths", [(), (BUNDLED,)], ids=["none", "one"])
def test_weights_without_a_blend(refused: Refused, paths: tuple[Path, ...]) -> None:
    """The message says why: there is nothing to blend."""
    message = refused("sample", *paths, "--mix", "1", status=2)
    assert "--mix needs at least two checkpoints to blend; name them all" in message


def test_the_file_that_fails_is_named(
    refused: Refused, tmp_path: Path, edda_checkpoint: Path
) -> None:
    """A missing file, and one that is not a checkpoint."""
    (tmp_path / "list.txt").write_text("Anna\nBerta\n")
    for name in ("missing.npz", "list.txt"):
        for paths in ((edda_checkpoint, name), (name, edda_checkpoint)):
            assert refused("sample", *paths, status=1).startswith(f"dinogen: {name}: ")


def test_models_that_cannot_be_blended(
    refused: Refused, edda_checkpoint: Path, words_checkpoint: Path, kept_checkpoint: Path
) -> None:
    """Characters and words; folded case and case that is kept. Both files are named."""
    for path, reason in (
        (words_checkpoint, "one writes characters and the other words"),
        (kept_checkpoint, "only one keeps the case of its list"),
    ):
        message = refused("sample", edda_checkpoint, path, status=1)
        assert message.startswith(f"dinogen: {path} and {edda_checkpoint}: {reason}; blend models ")


def test_words_are_blended(dinogen: Run, words_checkpoint: Path) -> None:
    """Lengths count words, and the JSON has them."""
    options = ("--json", "--n", "5", "--seed", "1", "--temperature", "1", "--allow-repeats")
    result = dinogen("sample", words_checkpoint, words_checkpoint, *options)
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(records) == 5
    for record in records:
        assert " ".join(record["words"]) == record["name"]
        assert record["symbols"] == len(record["words"]) + 1
