"""``dinogen inspect``: which checkpoint is meant, what is in it, and what it makes of names."""

import hashlib
import json
import math
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dinogen import __version__
from dinogen.cli.checkpoints import BUNDLED
from tests.cli.conftest import TINY, Refused, read_arrays, side_by_side
from tests.conftest import CORPORA, Run, command, environment


def described(dinogen: Run, *args: str | Path, **options: Any) -> dict[str, Any]:
    """What ``inspect --json`` prints, read back."""
    result = dinogen("inspect", "--json", *args, **options)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    description: dict[str, Any] = json.loads(result.stdout)
    return description


def scored(dinogen: Run, checkpoint: Path, names: str) -> list[dict[str, Any]]:
    """What ``inspect --score - --json`` makes of names."""
    result = dinogen("inspect", checkpoint, "--score", "-", "--json", stdin=names)
    assert (result.returncode, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="session")
def edda_scores(edda_checkpoint: Path) -> list[dict[str, Any]]:
    """What ``inspect --score FILE --json`` makes of the list that was learned from."""
    done = subprocess.run(
        command("inspect", edda_checkpoint, "--score", CORPORA / "edda.txt", "--json"),
        env=environment(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == b""
    return [json.loads(line) for line in done.stdout.splitlines()]


# Which checkpoint.


def test_checkpoint_is_looked_for_in_order(
    dinogen: Run,
    tmp_path: Path,
    edda_checkpoint: Path,
    tiny_checkpoint: Path,
    classic_checkpoint: Path,
) -> None:
    """The one that is named comes first, then the environment's, then ./dinogen.npz, then ours."""
    bundled = dinogen("inspect", "--json")
    assert json.loads(bundled.stdout)["corpus"]["names"] > 1_000
    assert bundled.stderr.count("\n") == 1
    assert "dinosaurs" in bundled.stderr

    (tmp_path / "dinogen.npz").write_bytes(tiny_checkpoint.read_bytes())
    variable = {"DINOGEN_CHECKPOINT": str(edda_checkpoint)}
    cases: list[tuple[list[Path], dict[str, str]]] = [
        ([], {}),
        ([], variable),
        ([classic_checkpoint], variable),
    ]
    here, named, given = side_by_side(lambda case: described(dinogen, *case[0], env=case[1]), cases)
    assert here["corpus"]["names"] == len(TINY)
    assert (named["corpus"]["names"], named["recipe"]) == (296, "default")
    assert (given["corpus"]["names"], given["recipe"]) == (296, "classic")


def test_sample_looks_in_the_same_order(
    dinogen: Run, tmp_path: Path, tiny_checkpoint: Path, edda_checkpoint: Path
) -> None:
    """Names come from the same checkpoint that would be inspected, and ours is mentioned once."""
    bundled = dinogen("sample", "--n", "300", "--seed", "1")
    assert bundled.returncode == 0
    assert bundled.stderr.count("\n") == 1
    assert "dinosaurs" in bundled.stderr
    assert "saurus\n" in bundled.stdout

    (tmp_path / "dinogen.npz").write_bytes(tiny_checkpoint.read_bytes())
    variable = {"DINOGEN_CHECKPOINT": str(edda_checkpoint)}
    cases: list[tuple[list[Path], dict[str, str]]] = [
        ([], {}),
        ([], variable),
        ([edda_checkpoint], {}),
    ]
    here, named, given = side_by_side(
        lambda case: dinogen("sample", "--seed", "1", *case[0], env=case[1]), cases
    )
    assert (here.stderr, named.stderr, given.stderr) == ("", "", "")
    assert set(here.stdout.lower()) <= set("\n".join(TINY).lower())
    assert named.stdout == given.stdout


def test_named_checkpoint_must_exist(dinogen: Run, tmp_path: Path, tiny_checkpoint: Path) -> None:
    """A checkpoint that is named and missing is told of, not replaced by another one."""
    (tmp_path / "dinogen.npz").write_bytes(tiny_checkpoint.read_bytes())
    cases = [(["absent.npz"], {}), ([], {"DINOGEN_CHECKPOINT": "absent.npz"})]
    for result in side_by_side(lambda case: dinogen("sample", *case[0], env=case[1]), cases):
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.startswith("dinogen: absent.npz: ")
        assert result.stderr.count("\n") == 1


# What is in it.


def test_json_describes_a_default_run(dinogen: Run, edda_checkpoint: Path) -> None:
    """Every key of the contract is there, with the value that the list and the options give."""
    found = described(dinogen, edda_checkpoint)
    data = (CORPORA / "edda.txt").read_bytes()
    names = data.decode().splitlines()
    symbols = sorted(set("".join(names).lower()))
    V, H = len(symbols) + 1, 16
    assert (found["format"], found["version"], found["recipe"]) == (1, __version__, "default")
    assert found["model"] == {
        "cell": "rnn",
        "layers": 1,
        "hidden_size": H,
        "parameters": V * H + H * H + H + H * V + V,
    }
    assert 2 <= found["ngram"]["order"] <= 8
    assert V < found["ngram"]["contexts"] < found["ngram"]["grams"]
    assert all(0 < weight < 1 for weight in found["weights"].values())
    assert sum(found["weights"].values()) == pytest.approx(1)
    assert found["symbols"] == symbols
    assert found["corpus"] == {
        "lines": len(names),
        "names": len(names),
        "duplicates": 0,
        "longest": max(map(len, names)),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    training = found["training"]
    assert (training["seed"], training["steps"], training["interrupted"]) == (1, 100, False)
    assert 0 < training["seconds"] < 60
    assert found["heldout"]["names"] == len(names) // 10
    alone = found["heldout"]["network"], found["heldout"]["ngram"]
    assert 1 < found["heldout"]["nats_per_symbol"] < max(alone) < math.log(V)
    history = found["history"]
    assert [row["step"] for row in history] == [1, 20, 40, 60, 80, 100]
    assert all(set(row) == {"step", "train", "heldout"} for row in history)
    assert history[0]["train"] == pytest.approx(math.log(V), abs=0.5)
    assert min(row["heldout"] for row in history) == found["heldout"]["network"]


def test_json_describes_a_classic_run(dinogen: Run, classic_checkpoint: Path) -> None:
    """The history of a classic run is its printouts: a smoothed loss and names."""
    found = described(dinogen, classic_checkpoint)
    assert (found["recipe"], found["heldout"]) == ("classic", None)
    assert found["model"]["hidden_size"] == 50
    (row,) = found["history"]
    assert set(row) == {"step", "smoothed_loss", "samples"}
    assert row["step"] == 1
    assert row["smoothed_loss"] == pytest.approx(7 * math.log(len(found["symbols"]) + 1), abs=0.1)
    assert len(row["samples"]) == 7


def test_json_without_held_out_names(dinogen: Run, tiny_checkpoint: Path) -> None:
    """Where nothing was held out, there is no held-out loss: null, here and in the history."""
    found = described(dinogen, tiny_checkpoint)
    assert found["heldout"] is None
    assert {row["heldout"] for row in found["history"]} == {None}


def test_json_counts_duplicates(dinogen: Run) -> None:
    """Lines, distinct names and duplicates are counted after folding and before holding out."""
    corpus = "Anna\nanna\n\n Berta \nCarla\nBerta\n"
    dinogen("train", "-", "--steps", "20", "--hidden", "4", "--holdout", "0.4", stdin=corpus)
    found = described(dinogen)
    assert found["corpus"]["lines"] == 5
    assert found["corpus"]["names"] == 3
    assert found["corpus"]["duplicates"] == 2
    assert found["corpus"]["longest"] == 5
    assert (
        found["corpus"]["sha256"]
        == hashlib.sha256(b"Anna\nanna\nBerta\nCarla\nBerta\n").hexdigest()
    )
    assert found["heldout"]["names"] == 1


def test_people_see_the_numbers(dinogen: Run, edda_checkpoint: Path) -> None:
    """What is shown to people are the numbers that programs get, and a curve."""
    found = described(dinogen, edda_checkpoint)
    result = dinogen("inspect", edda_checkpoint, env={"COLUMNS": "80"})
    assert (result.returncode, result.stderr) == (0, "")
    assert "\x1b" not in result.stdout
    for text in (
        str(edda_checkpoint)[:40],
        "16 hidden units",
        f"{found['model']['parameters']:,} parameters",
        "296 names",
        f"the longest of {found['corpus']['longest']} symbols",
        "default, seed 1",
        "100 steps",
        f"{found['heldout']['nats_per_symbol']:.3f} nats per symbol, on 29 names",
        f"{len(found['symbols'])}: a ",
        "●",
    ):
        assert text in result.stdout


def test_terminal_of_any_width(dinogen: Run, edda_checkpoint: Path) -> None:
    """A terminal may be as narrow or as wide as it likes."""
    widths = (1, 10, 300)
    results = side_by_side(
        lambda width: dinogen("inspect", edda_checkpoint, env={"COLUMNS": str(width)}), widths
    )
    for width, result in zip(widths, results, strict=True):
        assert (result.returncode, result.stderr) == (0, "")
        assert max(map(len, result.stdout.splitlines())) <= width


# Looking inside.


def test_next_for_programs(dinogen: Run, edda_checkpoint: Path) -> None:
    """What may follow has a probability for every symbol and the end, the likeliest first."""
    result = dinogen("inspect", edda_checkpoint, "--next", "Fre", "--json")
    found = json.loads(result.stdout)
    assert found["prefix"] == "Fre"
    p = [each["p"] for each in found["next"]]
    assert p == sorted(p, reverse=True)
    assert sum(p) == pytest.approx(1, abs=1e-5)
    symbols = described(dinogen, edda_checkpoint)["symbols"]
    assert {each["symbol"] for each in found["next"]} == {None, *symbols}
    shown = dinogen("inspect", edda_checkpoint, "--next", "Fre").stdout.splitlines()
    assert shown[1].split()[0] == found["next"][0]["symbol"]


def test_symbols_for_programs(dinogen: Run, edda_checkpoint: Path) -> None:
    """Every symbol has its nearest others and a place on the map."""
    found = json.loads(dinogen("inspect", edda_checkpoint, "--symbols", "--json").stdout)
    symbols = described(dinogen, edda_checkpoint)["symbols"]
    assert list(found["nearest"]) == list(found["map"]) == symbols
    for symbol, others in found["nearest"].items():
        assert len(others) == 5
        assert symbol not in [other for other, _ in others]
        cosines = [cosine for _, cosine in others]
        assert cosines == sorted(cosines, reverse=True)


def test_sorted_scores(dinogen: Run, edda_checkpoint: Path) -> None:
    """The most fitting come first, by nats per symbol, and what cannot be written last."""
    names = "Svkrgt\nThor\nß\nFreyr\n"
    found = [
        json.loads(line)
        for line in dinogen(
            "inspect", edda_checkpoint, "--score", "-", "--sort", "--json", stdin=names
        ).stdout.splitlines()
    ]
    per_symbol = [each["nats"] / each["symbols"] for each in found[:-1]]
    assert per_symbol == sorted(per_symbol)
    assert found[-1]["name"] == "ß"
    shown = dinogen("inspect", edda_checkpoint, "--score", "-", "--sort", stdin=names).stdout
    assert [line.split()[2] for line in shown.splitlines()] == [each["name"] for each in found]


def test_two_models_beside_each_other(
    dinogen: Run, edda_checkpoint: Path, tiny_checkpoint: Path
) -> None:
    """Both are described; of each name it is told whose it is, by Bayes' rule."""
    compare = ("inspect", edda_checkpoint, "--compare", tiny_checkpoint)
    told = [json.loads(line) for line in dinogen(*compare, "--json").stdout.splitlines()]
    assert [each["corpus"]["names"] for each in told] == [296, 5]
    assert "296 names" in dinogen(*compare).stdout
    names = "Anna\nThor\nß\n"
    verdicts = [
        json.loads(line)
        for line in dinogen(*compare, "--score", "-", "--json", stdin=names).stdout.splitlines()
    ]
    anna, thor, strange = verdicts
    assert anna["first"] < 0.5 < thor["first"]
    one, other = anna["nats"]
    assert anna["first"] == pytest.approx(1 / (1 + math.exp(one - other)), abs=1e-3)
    assert thor["nats"][1] is None  # the five names have no h
    assert strange == {"name": "ß", "nats": [None, None], "first": None}
    result = dinogen(*compare, "--score", "-", stdin=names)
    assert (result.returncode, result.stderr, len(result.stdout.splitlines())) == (0, "", 3)


def test_pictures(dinogen: Run, edda_checkpoint: Path, tmp_path: Path) -> None:
    """Any view can be exported; the path is printed, and no picture is replaced unasked."""
    for suffix in ("svg", "html"):
        path = f"next.{suffix}"
        export = ("inspect", edda_checkpoint, "--next", "", "--export", path)
        result = dinogen(*export)
        assert (result.returncode, result.stdout, result.stderr) == (0, f"{path}\n", "")
        assert "begins" in (tmp_path / path).read_text(encoding="utf-8")
        (tmp_path / path).write_text("mine")
        again = dinogen(*export)
        assert (again.returncode, again.stdout) == (1, "")
        assert again.stderr == f"dinogen: {path}: exists already; --force replaces it\n"
        assert (tmp_path / path).read_text() == "mine"
        assert dinogen(*export, "--force").returncode == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--next", "a", "--symbols"), "--next and --symbols"),
        (("--score", "-", "--next", "a"), "--next and --score"),
        (("--compare", "x.npz", "--symbols"), "--symbols and --compare"),
        (("--sort",), "--sort is for --score"),
        (("--json", "--export", "a.svg"), "--json is text"),
        (("--export", "a.png"), "ends in .svg or .html"),
        (("--force",), "--force is for --export"),
        (("--next", "漢"), "never saw '漢'"),
    ],
)
def test_what_does_not_go_together(refused: Refused, options: tuple[str, ...], told: str) -> None:
    """Options that contradict each other are refused, and named."""
    assert told in refused("inspect", BUNDLED, *options, status=2)


# Scores.


def test_score_for_programs(edda_checkpoint: Path, edda_scores: list[dict[str, Any]]) -> None:
    """Each name of a list, held out or not, is known, in its place, and likely to some degree."""
    names = (CORPORA / "edda.txt").read_text(encoding="utf-8").splitlines()
    found = edda_scores
    assert [record["name"] for record in found] == names
    assert all(list(record) == ["name", "nats", "symbols", "known"] for record in found)
    assert all(record["known"] for record in found)
    assert [record["symbols"] for record in found] == [len(name) + 1 for name in names]
    total = sum(record["nats"] for record in found) / sum(record["symbols"] for record in found)
    # Most of the list was learned from, so it surprises no more than what was held out.
    held_out = read_arrays(edda_checkpoint)[1]["heldout"]["nats_per_symbol"]
    assert held_out / 2 < total < held_out + 0.1


def test_score_for_people(
    dinogen: Run, edda: Path, edda_checkpoint: Path, edda_scores: list[dict[str, Any]]
) -> None:
    """People get nats, nats per symbol and the name, from a pipe as from a file."""
    score = ("inspect", edda_checkpoint, "--score")
    first, second = side_by_side(
        lambda source: dinogen(*score, source, stdin=edda.read_bytes()), ("-", edda)
    )
    assert first.stdout == second.stdout
    assert (first.returncode, first.stderr) == (0, "")
    for line, record in zip(first.stdout.splitlines(), edda_scores, strict=True):
        total, per_symbol, name, known, *_ = line.split()
        assert (name, known) == (record["name"], "known")
        assert float(total) == record["nats"]
        assert float(per_symbol) == pytest.approx(record["nats"] / record["symbols"], abs=1e-3)


def test_score_of_what_the_model_cannot_write(
    dinogen: Run, edda_checkpoint: Path, edda_scores: list[dict[str, Any]]
) -> None:
    """A name with a symbol never seen has no nats and tells the symbol; the others are as ever."""
    first, last = edda_scores[0], edda_scores[-1]
    names = f"{first['name']}\nAlßr漢\n{last['name']}\n"
    found = scored(dinogen, edda_checkpoint, names)
    for record, alone in ((found[0], first), (found[2], last)):
        assert record == alone | {"nats": pytest.approx(alone["nats"], abs=1e-3)}
    assert found[1] == {
        "name": "Alßr漢",
        "nats": None,
        "symbols": 6,
        "known": False,
        "unknown": "ß",
    }
    shown = dinogen("inspect", edda_checkpoint, "--score", "-", stdin=names).stdout.splitlines()
    assert shown[1].split() == ["inf", "inf", "Alßr漢", "never", "saw", "ß"]
    assert [float(line.split()[0]) for line in shown] == [
        math.inf if record["nats"] is None else record["nats"] for record in found
    ]


def test_score_where_all_is_strange(dinogen: Run, edda_checkpoint: Path) -> None:
    """A list of which the model can write nothing is scored, and so is an empty list."""
    found = scored(dinogen, edda_checkpoint, "漢\n字\n")
    assert [(record["nats"], record["unknown"]) for record in found] == [(None, "漢"), (None, "字")]
    assert scored(dinogen, edda_checkpoint, "") == []


def test_score_knows_no_case(dinogen: Run, tiny_checkpoint: Path) -> None:
    """Where case was folded, it changes neither how likely a name is nor whether it is known."""
    small, large, other = scored(dinogen, tiny_checkpoint, "anna\nANNA\nannan\n")
    assert (small["nats"], small["known"]) == (large["nats"], True)
    assert (small["name"], large["name"]) == ("anna", "ANNA")
    assert (other["known"], other["nats"] > small["nats"]) == (False, True)


def test_score_keeps_repeats(dinogen: Run, tiny_checkpoint: Path) -> None:
    """A name that comes twice is scored twice, in the order of the list."""
    found = scored(dinogen, tiny_checkpoint, "Dora\n\nAnna\nDora\n")
    assert [record["name"] for record in found] == ["Dora", "Anna", "Dora"]
    assert found[0] == found[2]
