"""What is drawn of a checkpoint: within the width, in colour or not, every symbol as it is."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from dinogen import Checkpoint, ClassicRun, DefaultRun, Settings, read_corpus
from dinogen.checkpoint.contents import ClassicRow
from dinogen.cli.views.summary import checkpoint_view
from tests.cli.views import drawing

MANY = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))

CORPORA = {
    "latin": "Anna\nBerta-Maria\nCarla O'Hara\nDora\nEmil\nFritz\nGerda\nHans\nIda\nJana\n",
    "wide": "東京\n大阪府\n京都市\n名古屋\n한국어\n",
    "markup": "[bold]x[/bold]\n[red]\n[/]\n:smile:\na\\[b]\n[link=x]\n",
    "marks": "नमस्ते\nदिल्ली\nमुंबई\nเชียงใหม่\n",
    "many": "\n".join(MANY[start : start + 10] for start in range(0, 300, 10)),
}


def trained(folder: Path, text: str, recipe: str = "default") -> Checkpoint:
    """A checkpoint of a short training, straight from the library."""
    (folder / "names.txt").write_text(text, encoding="utf-8")
    run: ClassicRun | DefaultRun
    if recipe == "classic":
        run = ClassicRun(read_corpus([folder / "names.txt"], keep_duplicates=True), 20)
    else:
        corpus = read_corpus([folder / "names.txt"])
        settings = Settings.for_corpus(corpus.facts, seed=1, steps=40, hidden_size=4, holdout=0.2)
        run = DefaultRun(corpus, settings)
    for _ in run.train():
        pass
    return run.checkpoint()


def drawn(checkpoint: Checkpoint, width: int, *, colour: bool = False, path: str = "x.npz") -> str:
    """What a terminal of a width is sent."""
    return drawing.drawn(checkpoint_view(checkpoint, Path(path), width), width, colour=colour)


def plain(text: str) -> str:
    """A text without what changes colours."""
    return re.sub("\x1b\\[[0-9;]*m", "", text)


def widest(text: str) -> int:
    """The columns of the widest line."""
    return max(cell_len(line) for line in plain(text).splitlines())


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("name", CORPORA)
def test_no_line_is_too_wide(name: str, colour: bool, tmp_path: Path) -> None:
    """No line is wider than the terminal, whatever the script, and colours change nothing else."""
    checkpoint = trained(tmp_path, CORPORA[name])
    for width in (60, 80, 120):
        text = drawn(checkpoint, width, colour=colour, path="a/rather/long/path/" * 10 + "x.npz")
        assert widest(text) <= width
        assert ("\x1b" in text) == colour
    assert plain(drawn(checkpoint, 80, colour=True)) == drawn(checkpoint, 80)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", CORPORA)
def test_symbols_are_printed_as_they_are(name: str, width: int, tmp_path: Path) -> None:
    """Every symbol is there, in order: brackets, backslashes, marks and wide ones, too."""
    checkpoint = trained(tmp_path, CORPORA[name])
    symbols = checkpoint.vocabulary.symbols
    text = drawn(checkpoint, width)
    listed = text.partition(f"{len(symbols)}: ")[2].partition("\ncase ")[0]
    shown = ["␣" if symbol == " " else symbol for symbol in symbols]
    assert "".join(listed.split()) == "".join(shown)


def test_path_is_printed_as_it_is(tmp_path: Path) -> None:
    """The path is shown as it is, even where it looks like markup."""
    lines = drawn(trained(tmp_path, CORPORA["latin"]), 80, path="[red]x[/red].npz").splitlines()
    assert lines[0] == "[red]x[/red].npz"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_chart_fills_the_width(width: int, tmp_path: Path) -> None:
    """The learning curve, from the second loss on, is as wide as it may be, and no line broken."""
    lines = drawn(trained(tmp_path, CORPORA["latin"]), width).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("loss of the network"))
    chart = lines[start + 1 : start + 13]
    assert {cell_len(line) for line in chart} == {width}
    assert chart[-1].split() == ["20", "40", "steps"]


def test_one_loss_is_no_curve(tmp_path: Path) -> None:
    """Where there is but one loss, or none, nothing is drawn."""
    checkpoint = trained(tmp_path, CORPORA["latin"])
    for history in (checkpoint.history[:1], []):
        text = drawn(replace(checkpoint, history=history), 80)
        assert "40 steps" in text
        assert "│" not in text


def test_facts_of_a_default_run(tmp_path: Path) -> None:
    """The view tells the model, the list, the training, the held-out loss and the case."""
    checkpoint = trained(tmp_path, CORPORA["latin"] + "anna\n")
    assert checkpoint.held_out is not None
    text = " ".join(drawn(checkpoint, 120).split())
    for fact in (
        "x.npz",
        "vanilla RNN, 4 hidden units",
        "10 names, the longest of 12 symbols",
        "default, seed 1",
        "40 steps in ",
        f"{checkpoint.held_out.nats_per_symbol:.3f} nats per symbol, on 2 names",
        "names begin with a capital, and so do words after ␣ ' -",
        "· training, ● held out",
    ):
        assert fact in text
    assert "stopped" not in text


def test_facts_of_a_classic_run(tmp_path: Path) -> None:
    """A classic run shows its smoothed loss, and nothing about names held out."""
    checkpoint = trained(tmp_path, CORPORA["latin"], "classic")
    rows = [ClassicRow(step=n, smoothed_loss=loss, samples=[]) for n, loss in [(1, 23.0), (9, 8.0)]]
    text = drawn(replace(checkpoint, history=[*rows]), 80)
    assert "classic, seed 1" in text
    assert "smoothed loss, nats per name" in text
    assert "held out" not in text
    assert "●" in text


def test_unfinished_run_says_so(tmp_path: Path) -> None:
    """A training that was stopped is shown as one."""
    checkpoint = trained(tmp_path, CORPORA["latin"])
    stopped = replace(checkpoint, training=checkpoint.training._replace(interrupted=True))
    assert "40 steps" in drawn(stopped, 80)
    assert "stopped before its end" in drawn(stopped, 80)


def test_wild_numbers_are_drawn(tmp_path: Path) -> None:
    """Losses from a file of unknown origin may be huge, and still no line is too wide."""
    checkpoint = trained(tmp_path, CORPORA["latin"])
    wild = [{**row, "train": 1e300} for row in checkpoint.history]
    for width in (60, 80, 120):
        assert widest(drawn(replace(checkpoint, history=wild), width)) <= width  # type: ignore[arg-type]
