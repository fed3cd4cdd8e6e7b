"""The summary of a checkpoint: width, colours, symbols and facts."""

import re
from dataclasses import replace
from pathlib import Path
from unicodedata import lookup, name as name_of

import numpy as np
import pytest
from rich.cells import cell_len

from dinogen import Checkpoint, DefaultRun, read_corpus
from dinogen.checkpoint import HistoryRow
from dinogen.cli.views import checkpoint_view
from dinogen.data import CaseRule, WordShape
from dinogen.models import CELLS, Network
from dinogen.training import ClassicRun, Settings
from tests.cli.views import drawing

SAMPLES = ["Annda", "[red]Bo"]

MANY = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))

CORPORA = {
    "latin": "Anna\nBerta-Maria\nCarla O'Hara\nDora\nEmil\nFritz\nGerda\nHans\nIda\nJana\n",
    "wide": "東京\n大阪府\n京都市\n名古屋\n한국어\n",
    "markup": "[bold]x[/bold]\n[red]\n[/]\n:smile:\na\\[b]\n[link=x]\n",
    "marks": "नमस्ते\nदिल्ली\nमुंबई\nเชียงใหม่\n",
    "many": "\n".join(MANY[start : start + 10] for start in range(0, 300, 10)),
}


def trained(
    folder: Path, text: str, recipe: str = "default", cell: str = "rnn", layers: int = 1
) -> Checkpoint:
    """Train a checkpoint for a few steps."""
    (folder / "names.txt").write_text(text, encoding="utf-8")
    run: ClassicRun | DefaultRun
    if recipe == "classic":
        run = ClassicRun(read_corpus([folder / "names.txt"], keep_duplicates=True), 20)
    else:
        corpus = read_corpus([folder / "names.txt"])
        settings = Settings(1, hidden_size=4, steps=40, cell=cell, layers=layers, holdout=0.2)
        run = DefaultRun(corpus, settings)
    for _ in run.train():
        pass
    return run.checkpoint()


def drawn(checkpoint: Checkpoint, width: int, *, colour: bool = False, path: str = "x.npz") -> str:
    """Draw the summary on a terminal of a given width."""
    return drawing.drawn(
        checkpoint_view(checkpoint, Path(path), SAMPLES, width), width, colour=colour
    )


def plain(text: str) -> str:
    """Remove the escape sequences for colours."""
    return re.sub("\x1b\\[[0-9;]*m", "", text)


def widest(text: str) -> int:
    """Return the columns of the widest line."""
    return max(cell_len(line) for line in plain(text).splitlines())


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("name", CORPORA)
def test_no_line_is_too_wide(name: str, colour: bool, tmp_path: Path) -> None:
    """No line is wider than the terminal, in any script; colours change nothing else."""
    checkpoint = trained(tmp_path, CORPORA[name])
    for width in (60, 80, 120):
        text = drawn(checkpoint, width, colour=colour, path="a/rather/long/path/" * 10 + "x.npz")
        assert widest(text) <= width
        assert ("\x1b" in text) == colour
    assert plain(drawn(checkpoint, 80, colour=True)) == drawn(checkpoint, 80)


def readable(symbol: str) -> str:
    """The letter that is drawn for a conjoining letter; other symbols stay."""
    kind, _, sound = name_of(symbol, "").rpartition(" ")
    kinds = {"HANGUL CHOSEONG": "", "HANGUL JUNGSEONG": "", "HANGUL JONGSEONG": "-"}
    return kinds[kind] + lookup(f"HANGUL LETTER {sound}") if kind in kinds else symbol


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", CORPORA)
def test_symbols_are_unchanged(name: str, width: int, tmp_path: Path) -> None:
    """All symbols are shown in order: brackets, backslashes, marks and wide symbols too."""
    checkpoint = trained(tmp_path, CORPORA[name])
    symbols = checkpoint.vocabulary.symbols
    text = drawn(checkpoint, width)
    listed = text.partition(f"{len(symbols)}: ")[2].partition("\ncase ")[0]
    shown = ["␣" if symbol == " " else readable(symbol) for symbol in symbols]
    assert "".join(listed.split()) == "".join(shown)


@pytest.mark.parametrize("cell", CELLS)
def test_arrays_and_gates(cell: str, tmp_path: Path) -> None:
    """Each array has its shape and its size, the sizes add up, and the gates are named in order."""
    checkpoint = trained(tmp_path, CORPORA["latin"], cell=cell, layers=2)
    network = checkpoint.mixture.members["network"]
    assert isinstance(network, Network)
    text = drawn(checkpoint, 80)
    title = {"rnn": "vanilla RNN", "gru": "GRU", "lstm": "LSTM"}[cell]
    size = f"{len(network.parameters.vector):,} parameters"
    assert f"{title}, 2 layers of 4 hidden units, {size}" in text
    rows = [line.split() for line in text.partition("\narray ")[2].splitlines()[1:]]
    for row, (name, array) in zip(rows, network.parameters.items(), strict=False):
        shape = " x ".join(map(str, array.shape)).split()
        assert row[:-1] == [name, *shape, f"{array.size:,}"]
        assert float(row[-1]) == pytest.approx(np.linalg.norm(array), abs=0.006)
    parts = re.findall(r"^parts of Wax, Waa and ba: (.*?) *$", text, re.MULTILINE)
    assert (
        parts
        == {
            "rnn": [],
            "gru": ["reset gate, update gate, candidate"],
            "lstm": ["output gate, forget gate, update gate, candidate"],
        }[cell]
    )
    ba = network.parameters["ba"]
    # At first, only the gate that keeps the cell state of an LSTM has a bias other than 0.
    network.initialise(np.random.default_rng(1))
    for names in parts:
        named = zip(names.split(", "), ba, strict=True)
        kept = {"gru": [], "lstm": ["forget gate"]}[cell]
        assert [name for name, bias in named if bias.any()] == kept


def test_path_and_samples_are_unchanged(tmp_path: Path) -> None:
    """A path and samples that look like markup are shown unchanged."""
    lines = drawn(trained(tmp_path, CORPORA["latin"]), 80, path="[red]x[/red].npz").splitlines()
    assert lines[0] == "[red]x[/red].npz"
    assert any("Annda, [red]Bo" in line for line in lines)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_chart_fills_the_width(width: int, tmp_path: Path) -> None:
    """The chart starts with the second loss, has the full width, and no broken line."""
    lines = drawn(trained(tmp_path, CORPORA["latin"]), width).splitlines()
    start = next(
        i for i, line in enumerate(lines) if line.startswith("network loss in nats per symbol")
    )
    chart = lines[start + 1 : start + 13]
    assert {cell_len(line) for line in chart} == {width}
    assert chart[-1].split() == ["20", "40", "steps"]


def test_one_loss_gives_no_chart(tmp_path: Path) -> None:
    """With one loss or none, no chart is drawn."""
    checkpoint = trained(tmp_path, CORPORA["latin"])
    for history in (checkpoint.history[:1], []):
        text = drawn(replace(checkpoint, history=history), 80)
        assert "40 steps" in text
        assert "│" not in text


def test_facts_of_a_default_run(tmp_path: Path) -> None:
    """The summary has the model, the list, the training, the held-out loss and the case."""
    checkpoint = trained(tmp_path, CORPORA["latin"] + "anna\n")
    assert checkpoint.held_out is not None
    text = " ".join(drawn(checkpoint, 120).split())
    for fact in (
        "x.npz",
        "vanilla RNN, 4 hidden units",
        "10 names of 3 to 12 symbols",
        "default, seed 1",
        "40 steps in ",
        f"{checkpoint.held_out.nats_per_symbol:.3f} nats per symbol, on 2 names",
        "case capitals at the start and after ␣ ' -",
        "samples Annda, [red]Bo",
        "· training, ● held out",
    ):
        assert fact in text
    assert "interrupted" not in text


@pytest.mark.parametrize(
    ("case", "shown"),
    [
        (CaseRule.unchanged(), "kept"),
        (CaseRule(True), "no capitals are restored"),
        (CaseRule(True, frozenset("\n -")), "capitals at the start and after ␣ -"),
        (CaseRule(True, frozenset("-")), "capitals after -"),
        (
            CaseRule(
                True,
                frozenset("\n"),
                (
                    WordShape("mc", "XxXx"),
                    WordShape("van\n", "x"),
                    WordShape("de\n", "x"),
                    WordShape("mackey\n", ""),
                    WordShape("hm", "X"),
                    WordShape("uss\n", "X"),
                    WordShape("hnoms\n", "XXxX"),
                    WordShape("st\n \n", "X"),  # in one place only
                ),
            ),
            "capitals at the start; small: van, de; large: HM…, USS; inside: McX…, HNoMS",
        ),
        (
            CaseRule(True, frozenset(), tuple(WordShape(f"{s}aa\n", "Xx") for s in "abcdefgh")),
            "capital: Aaa, Baa, Caa, Daa, Eaa and 3 more",
        ),
        (
            CaseRule(True, frozenset("\n"), (WordShape("", "X"),)),
            "capitals at the start; large: all others",
        ),
    ],
    ids=range(7),
)
def test_case_rules(case: CaseRule, shown: str, tmp_path: Path) -> None:
    """The usual places of capitals are named, and the most frequent words of other shapes."""
    checkpoint = replace(trained(tmp_path, CORPORA["latin"]), case=case)
    text = " ".join(drawn(checkpoint, 120).split())
    assert re.search(f"case {re.escape(shown)} (by default|samples) ", text)


def test_facts_of_a_classic_run(tmp_path: Path) -> None:
    """A classic run has a smoothed loss and no held-out loss."""
    checkpoint = trained(tmp_path, CORPORA["latin"], "classic")
    rows = [HistoryRow(n, {"smoothed_loss": loss}) for n, loss in [(1, 23.0), (9, 8.0)]]
    text = drawn(replace(checkpoint, history=rows), 80)
    assert "classic, seed 1" in text
    assert "network loss in nats per name: ● smoothed" in text
    assert "held out" not in text
    assert "●" in text


def test_unfinished_run_says_so(tmp_path: Path) -> None:
    """An interrupted training is shown as one."""
    checkpoint = trained(tmp_path, CORPORA["latin"])
    stopped = replace(checkpoint, training=checkpoint.training._replace(interrupted=True))
    assert "40 steps" in drawn(stopped, 80)
    assert "interrupted before the end" in drawn(stopped, 80)


def test_huge_losses(tmp_path: Path) -> None:
    """With huge losses, which a file may have, no line is too wide."""
    checkpoint = trained(tmp_path, CORPORA["latin"])
    rows = [HistoryRow(row.step, {**row.losses, "train": 1e300}) for row in checkpoint.history]
    for width in (60, 80, 120):
        assert widest(drawn(replace(checkpoint, history=rows), width)) <= width
