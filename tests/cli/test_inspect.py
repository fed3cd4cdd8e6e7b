"""``dinogen inspect``: the choice of the checkpoint, its views, and scores of names."""

import hashlib
import json
import math
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dinogen import __version__
from dinogen.cli import BUNDLED
from tests.cli.conftest import TINY, Refused, each_cell, read_arrays, side_by_side
from tests.conftest import CORPORA, Run, command, environment


def describe(dinogen: Run, *args: str | Path, **options: Any) -> dict[str, Any]:
    """Run ``inspect --json`` and parse what it prints."""
    result = dinogen("inspect", "--json", *args, **options)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    description: dict[str, Any] = json.loads(result.stdout)
    return description


def score(dinogen: Run, checkpoint: Path, names: str) -> list[dict[str, Any]]:
    """Run ``inspect --score - --json`` and parse what it prints."""
    result = dinogen("inspect", checkpoint, "--score", "-", "--json", stdin=names)
    assert (result.returncode, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="session")
def edda_scores(edda_checkpoint: Path) -> list[dict[str, Any]]:
    """The scores of the training list, from ``inspect --score FILE --json``."""
    done = subprocess.run(
        command("inspect", edda_checkpoint, "--score", CORPORA / "edda.txt", "--json"),
        env=environment(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == b""
    return [json.loads(line) for line in done.stdout.splitlines()]


# The choice of the checkpoint.


def test_checkpoints_in_order_of_priority(
    dinogen: Run,
    tmp_path: Path,
    edda_checkpoint: Path,
    tiny_checkpoint: Path,
    classic_checkpoint: Path,
) -> None:
    """First the argument, then $DINOGEN_CHECKPOINT, then ./dinogen.npz, then the bundled one."""
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
    here, named, given = side_by_side(lambda case: describe(dinogen, *case[0], env=case[1]), cases)
    assert here["corpus"]["names"] == len(TINY)
    assert (named["corpus"]["names"], named["recipe"]) == (296, "default")
    assert (given["corpus"]["names"], given["recipe"]) == (296, "classic")


def test_sample_has_the_same_order(
    dinogen: Run, tmp_path: Path, tiny_checkpoint: Path, edda_checkpoint: Path
) -> None:
    """``sample`` chooses the checkpoint in the same way, and says when it is the bundled one."""
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
    """A missing checkpoint is an error; no other one is used instead."""
    (tmp_path / "dinogen.npz").write_bytes(tiny_checkpoint.read_bytes())
    cases = [(["absent.npz"], {}), ([], {"DINOGEN_CHECKPOINT": "absent.npz"})]
    for result in side_by_side(lambda case: dinogen("sample", *case[0], env=case[1]), cases):
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.startswith("dinogen: absent.npz: ")
        assert result.stderr.count("\n") == 1


# JSON and the summary.


def test_json_describes_a_default_run(dinogen: Run, edda_checkpoint: Path) -> None:
    """Every field has the value that follows from the list and the options."""
    found = describe(dinogen, edda_checkpoint)
    data = (CORPORA / "edda.txt").read_bytes()
    names = data.decode().splitlines()
    symbols = sorted(set("".join(names).lower()))
    V, H = len(symbols) + 1, 16
    assert (found["format"], found["version"], found["recipe"]) == (5, __version__, "default")
    assert found["model"] == {
        "cell": "rnn",
        "layers": 1,
        "hidden_size": H,
        "parameters": V * H + H * H + H + H * V + V,
        "arrays": {
            "Wax": {"shape": [V, H], "parameters": V * H},
            "Waa": {"shape": [H, H], "parameters": H * H},
            "ba": {"shape": [H], "parameters": H},
            "Wya": {"shape": [H, V], "parameters": H * V},
            "by": {"shape": [V], "parameters": V},
        },
        "members": {
            "network": {
                "kind": "network",
                "weight": found["weights"]["network"],
                "cell": "rnn",
                "layers": 1,
                "hidden_size": H,
                "dtype": "float32",
                "parameters": found["model"]["parameters"],
            },
            "ngram": {"kind": "ngram", "weight": found["weights"]["ngram"], **found["ngram"]},
        },
    }
    assert 2 <= found["ngram"]["order"] <= 8
    assert V < found["ngram"]["contexts"] < found["ngram"]["grams"]
    assert all(0 < weight < 1 for weight in found["weights"].values())
    assert sum(found["weights"].values()) == pytest.approx(1)
    assert found["symbols"] == symbols
    assert found["corpus"] == {
        "content": "names",
        "lines": len(names),
        "names": len(names),
        "duplicates": 0,
        "shortest": min(map(len, names)),
        "longest": max(map(len, names)),
        "sha256": hashlib.sha256(data).hexdigest(),
        "weight": None,
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


@pytest.mark.parametrize(("cell", "gates"), [("gru", 3), ("lstm", 4)])
def test_json_describes_gated_layers(
    dinogen: Run, cell_checkpoints: dict[str, Path], cell: str, gates: int
) -> None:
    """Each array of each layer has its shape and size; each member has its kind and weight."""
    found = describe(dinogen, cell_checkpoints[cell])
    model = found["model"]
    V, H = len(found["symbols"]) + 1, 8
    shapes = {
        "Wax": [gates, V, H],
        "Waa": [gates, H, H],
        "ba": [gates, H],
        "layer2.Wax": [gates, H, H],
        "layer2.Waa": [gates, H, H],
        "layer2.ba": [gates, H],
        "Wya": [H, V],
        "by": [V],
    }
    assert (model["cell"], model["layers"], model["hidden_size"]) == (cell, 2, H)
    assert {name: array["shape"] for name, array in model["arrays"].items()} == shapes
    sizes = {name: array["parameters"] for name, array in model["arrays"].items()}
    assert sizes == {name: math.prod(shape) for name, shape in shapes.items()}
    network, ngram = model["members"]["network"], model["members"]["ngram"]
    assert network["parameters"] == model["parameters"] == sum(sizes.values())
    assert (network["kind"], ngram["kind"], ngram["order"]) == ("network", "ngram", 3)
    assert network["weight"] + ngram["weight"] == pytest.approx(1)
    shown = dinogen("inspect", cell_checkpoints[cell]).stdout
    assert (
        f"{cell.upper()}, 2 layers of 8 hidden units, {model['parameters']:,} parameters" in shown
    )


def test_json_describes_a_classic_run(dinogen: Run, classic_checkpoint: Path) -> None:
    """The history of a classic run has the smoothed loss and names."""
    found = describe(dinogen, classic_checkpoint)
    assert (found["recipe"], found["heldout"]) == ("classic", None)
    assert found["model"]["hidden_size"] == 50
    (row,) = found["history"]
    assert set(row) == {"step", "smoothed_loss", "samples"}
    assert row["step"] == 1
    assert row["smoothed_loss"] == pytest.approx(7 * math.log(len(found["symbols"]) + 1), abs=0.1)
    assert len(row["samples"]) == 7


def test_json_without_held_out_names(dinogen: Run, tiny_checkpoint: Path) -> None:
    """Without held-out names, the held-out loss is null, and null in the history."""
    found = describe(dinogen, tiny_checkpoint)
    assert found["heldout"] is None
    assert {row["heldout"] for row in found["history"]} == {None}


def test_json_counts_duplicates(dinogen: Run) -> None:
    """Lines, names and duplicates are counted after folding and before names are held out."""
    corpus = "Anna\nanna\n\n Berta \nCarla\nBerta\n"
    dinogen("train", "-", "--steps", "20", "--hidden", "4", "--holdout", "0.4", stdin=corpus)
    found = describe(dinogen)
    assert found["corpus"]["lines"] == 5
    assert found["corpus"]["names"] == 3
    assert found["corpus"]["duplicates"] == 2
    assert found["corpus"]["longest"] == 5
    assert (
        found["corpus"]["sha256"]
        == hashlib.sha256(b"Anna\nanna\nBerta\nCarla\nBerta\n").hexdigest()
    )
    assert found["heldout"]["names"] == 1


def test_summary_shows_the_numbers(dinogen: Run, edda_checkpoint: Path) -> None:
    """The summary shows the numbers of the JSON, and a curve."""
    found = describe(dinogen, edda_checkpoint)
    result = dinogen("inspect", edda_checkpoint, env={"COLUMNS": "80"})
    assert (result.returncode, result.stderr) == (0, "")
    assert "\x1b" not in result.stdout
    for text in (
        str(edda_checkpoint)[:40],
        "16 hidden units",
        f"{found['model']['parameters']:,} parameters",
        f"296 names of {found['corpus']['shortest']} to {found['corpus']['longest']} symbols",
        "default, seed 1",
        "100 steps",
        f"{found['heldout']['nats_per_symbol']:.3f} nats per symbol, on 29 names",
        f"{len(found['symbols'])}: a ",
        "●",
    ):
        assert text in result.stdout


def test_terminal_of_any_width(dinogen: Run, edda_checkpoint: Path) -> None:
    """The summary fits a terminal of any width."""
    widths = (1, 10, 300)
    results = side_by_side(
        lambda width: dinogen("inspect", edda_checkpoint, env={"COLUMNS": str(width)}), widths
    )
    for width, result in zip(widths, results, strict=True):
        assert (result.returncode, result.stderr) == (0, "")
        assert max(map(len, result.stdout.splitlines())) <= width


# Other views.


@each_cell
def test_next_as_json(dinogen: Run, cell_checkpoints: dict[str, Path], cell: str) -> None:
    """``--next`` gives the probability of each symbol and of the end, the most likely first."""
    checkpoint = cell_checkpoints[cell]
    result = dinogen("inspect", checkpoint, "--next", "Fre", "--json")
    found = json.loads(result.stdout)
    assert found["prefix"] == "Fre"
    p = [each["p"] for each in found["next"]]
    assert p == sorted(p, reverse=True)
    assert sum(p) == pytest.approx(1, abs=1e-5)
    symbols = read_arrays(checkpoint)[1]["vocabulary"]["symbols"]
    assert {each["symbol"] for each in found["next"]} == {None, *symbols}
    shown = dinogen("inspect", checkpoint, "--next", "Fre").stdout.splitlines()
    assert shown[1].split()[0] == found["next"][0]["symbol"]


@each_cell
def test_symbols_as_json(dinogen: Run, cell_checkpoints: dict[str, Path], cell: str) -> None:
    """Every symbol has its most similar symbols and a position on the map."""
    checkpoint = cell_checkpoints[cell]
    found = json.loads(dinogen("inspect", checkpoint, "--symbols", "--json").stdout)
    symbols = read_arrays(checkpoint)[1]["vocabulary"]["symbols"]
    assert list(found["nearest"]) == list(found["map"]) == symbols
    for symbol, others in found["nearest"].items():
        assert len(others) == 5
        assert symbol not in [other for other, _ in others]
        cosines = [cosine for _, cosine in others]
        assert cosines == sorted(cosines, reverse=True)


def test_sorted_scores(dinogen: Run, edda_checkpoint: Path) -> None:
    """The most likely names come first, by nats per symbol; unknown symbols come last."""
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


def test_comparison(dinogen: Run, edda_checkpoint: Path, tiny_checkpoint: Path) -> None:
    """Both checkpoints are described; names get a probability, by Bayes' rule."""
    compare = ("inspect", edda_checkpoint, "--compare", tiny_checkpoint)
    described = [json.loads(line) for line in dinogen(*compare, "--json").stdout.splitlines()]
    assert [each["corpus"]["names"] for each in described] == [296, 5]
    assert "296 names" in dinogen(*compare).stdout
    names = "Anna\nThor\nß\n"
    anna, thor, strange = [
        json.loads(line)
        for line in dinogen(*compare, "--score", "-", "--json", stdin=names).stdout.splitlines()
    ]
    assert anna["first"] < 0.5 < thor["first"]
    one, other = anna["nats"]
    assert anna["first"] == pytest.approx(1 / (1 + math.exp(one - other)), abs=1e-3)
    assert thor["nats"][1] is None  # the five names have no h
    assert strange == {"name": "ß", "nats": [None, None], "first": None}
    result = dinogen(*compare, "--score", "-", stdin=names)
    assert (result.returncode, result.stderr, len(result.stdout.splitlines())) == (0, "", 3)


def test_pictures(dinogen: Run, edda_checkpoint: Path, tmp_path: Path) -> None:
    """A view can be exported; its path is printed, and a file is replaced only with --force."""
    for suffix in ("svg", "html"):
        path = f"next.{suffix}"
        export = ("inspect", edda_checkpoint, "--next", "", "--export", path)
        result = dinogen(*export)
        assert (result.returncode, result.stdout, result.stderr) == (0, f"{path}\n", "")
        assert "begins" in (tmp_path / path).read_text(encoding="utf-8")
        (tmp_path / path).write_text("mine")
        again = dinogen(*export)
        assert (again.returncode, again.stdout) == (1, "")
        assert again.stderr == f"dinogen: {path}: already exists; replace it with --force\n"
        assert (tmp_path / path).read_text() == "mine"
        assert dinogen(*export, "--force").returncode == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--next", "a", "--symbols"), "--next and --symbols"),
        (("--score", "-", "--next", "a"), "--next and --score"),
        (("--compare", "x.npz", "--symbols"), "--symbols and --compare"),
        (("--sort",), "--sort needs --score"),
        (("--json", "--export", "a.svg"), "--json writes text"),
        (("--export", "a.png"), "ends in .svg or .html"),
        (("--force",), "--force needs --export"),
        (("--next", "漢"), "unknown symbol '漢'"),
    ],
)
def test_contradictory_options(refused: Refused, options: tuple[str, ...], message: str) -> None:
    """Options that contradict each other are refused by name."""
    assert message in refused("inspect", BUNDLED, *options, status=2)


# Scores.


def test_scores_as_json(edda_checkpoint: Path, edda_scores: list[dict[str, Any]]) -> None:
    """Each name of the training list, held out or not, is known and has a score, in its order."""
    names = (CORPORA / "edda.txt").read_text(encoding="utf-8").splitlines()
    found = edda_scores
    assert [record["name"] for record in found] == names
    assert all(list(record) == ["name", "nats", "symbols", "known"] for record in found)
    assert all(record["known"] for record in found)
    assert [record["symbols"] for record in found] == [len(name) + 1 for name in names]
    total = sum(record["nats"] for record in found) / sum(record["symbols"] for record in found)
    # Most of the names are training names, so they are more likely than the held-out ones.
    held_out = read_arrays(edda_checkpoint)[1]["held_out"]["nats_per_symbol"]
    assert held_out / 2 < total < held_out + 0.1


def test_scores_as_text(
    dinogen: Run, edda: Path, edda_checkpoint: Path, edda_scores: list[dict[str, Any]]
) -> None:
    """A line has nats, nats per symbol and the name, for a pipe and for a file."""
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


def test_score_of_an_unknown_symbol(
    dinogen: Run, edda_checkpoint: Path, edda_scores: list[dict[str, Any]]
) -> None:
    """A name with an unknown symbol has no nats, but the symbol; other names are unaffected."""
    first, last = edda_scores[0], edda_scores[-1]
    names = f"{first['name']}\nAlßr漢\n{last['name']}\n"
    found = score(dinogen, edda_checkpoint, names)
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
    assert shown[1].split() == ["inf", "inf", "Alßr漢", "unknown", "symbol", "ß"]
    assert [float(line.split()[0]) for line in shown] == [
        math.inf if record["nats"] is None else record["nats"] for record in found
    ]


def test_scores_of_unknown_symbols_only(dinogen: Run, edda_checkpoint: Path) -> None:
    """A list in which every name has an unknown symbol is scored, and so is an empty list."""
    found = score(dinogen, edda_checkpoint, "漢\n字\n")
    assert [(record["nats"], record["unknown"]) for record in found] == [(None, "漢"), (None, "字")]
    assert score(dinogen, edda_checkpoint, "") == []


def test_score_ignores_case(dinogen: Run, tiny_checkpoint: Path) -> None:
    """If the case is folded, it changes neither the score nor whether a name is known."""
    small, large, other = score(dinogen, tiny_checkpoint, "anna\nANNA\nannan\n")
    assert (small["nats"], small["known"]) == (large["nats"], True)
    assert (small["name"], large["name"]) == ("anna", "ANNA")
    assert (other["known"], other["nats"] > small["nats"]) == (False, True)


def test_score_keeps_repeats(dinogen: Run, tiny_checkpoint: Path) -> None:
    """A name that occurs twice is scored twice, in the order of the list."""
    found = score(dinogen, tiny_checkpoint, "Dora\n\nAnna\nDora\n")
    assert [record["name"] for record in found] == ["Dora", "Anna", "Dora"]
    assert found[0] == found[2]
