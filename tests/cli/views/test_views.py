"""All views: width and colours; next symbols, scores, symbol maps and pictures."""

import re
from collections.abc import Callable
from itertools import pairwise
from math import inf, nan
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

from dinogen.checkpoint import Checkpoint, load_checkpoint
from dinogen.cli import BUNDLED
from dinogen.cli.views import (
    Screen,
    checkpoint_view,
    compared_score_lines,
    comparison_view,
    next_view,
    score_lines,
    similarity_view,
)
from dinogen.data import read_corpus
from dinogen.inspection import Scores, score_names
from dinogen.models import next_probabilities
from dinogen.training import DefaultRun, Settings
from tests.cli.views.drawing import drawn
from tests.conftest import CORPORA

NAMES = {
    "dinosaurs": ["Tyrannosaurus", "[red]", "Xqzvk", "rex"],
    "greek": ["Αθηνά", "Ζεύς", "[bold]", "漢字"],
    "wide": ["東京", "大阪府", "[/]", "京名"],
}
GATED = {"greek": "gru", "wide": "lstm"}
WIDE = "東京\n大阪府\n京都市\n名古屋\n[red]\n"


@pytest.fixture(scope="module", params=NAMES)
def named(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Checkpoint, list[str]]:
    """The bundled model, a GRU of Greek names, and an LSTM of wide symbols; names to score."""
    if request.param == "dinosaurs":
        return load_checkpoint(BUNDLED), NAMES["dinosaurs"]
    path = CORPORA / "greek-names.txt"
    if request.param == "wide":
        path = tmp_path_factory.mktemp("wide") / "wide.txt"
        path.write_text(WIDE, encoding="utf-8")
    settings = Settings(1, hidden_size=8, steps=60, cell=GATED[request.param], layers=2)
    run = DefaultRun(read_corpus([path]), settings)
    for _ in run.train():
        pass
    return run.checkpoint(), NAMES[request.param]


def likely(checkpoint: Checkpoint) -> list[tuple[str | None, float]]:
    """Return the probabilities of the first symbol, the most likely first."""
    p = next_probabilities(checkpoint.mixture, []).tolist()
    pairs = zip([None, *checkpoint.vocabulary.symbols], p, strict=True)
    return sorted(pairs, key=lambda pair: -pair[1])


def similarity_of(checkpoint: Checkpoint, width: int) -> RenderableType:
    """Draw symbols, each similar to the next one of the vocabulary."""
    symbols = checkpoint.vocabulary.symbols
    nearest = {s: [(other, 0.5)] for s, other in pairwise(symbols)}
    return similarity_view(nearest, {s: (i, i % 3) for i, s in enumerate(symbols)}, width)


def all_score_lines(scores: Scores) -> list[Text]:
    """Draw all names in their order."""
    return score_lines(scores, range(len(scores)))


VIEWS: dict[str, Callable[[Checkpoint, list[str], int], RenderableType]] = {
    "summary": lambda c, _, width: checkpoint_view(c, Path("a.npz"), ["Anna"], width),
    "next": lambda c, _, width: next_view("", likely(c), width),
    "scores": lambda c, names, _: Group(*all_score_lines(score_names(c, names))),
    "symbols": lambda c, _, width: similarity_of(c, width),
    "comparison": lambda c, _, __: comparison_view((c, c), (Path("a.npz"), Path("[b].npz"))),
    "compared scores": lambda _, names, __: Group(
        *compared_score_lines(names, [(1.0, 2.0)] * len(names), [0.73] * len(names))
    ),
}


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", VIEWS)
def test_views_keep_to_the_width(
    named: tuple[Checkpoint, list[str]], name: str, width: int
) -> None:
    """No line is too wide, and colours do not change the text."""
    view = VIEWS[name](*named, width)
    plain = drawn(view, width, colour=False)
    assert "\x1b" not in plain
    assert max(map(cell_len, plain.splitlines())) <= width
    coloured = drawn(view, width, colour=True)
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == plain


def test_name_that_neither_model_can_write() -> None:
    """A probability that is NaN is shown as a dash."""
    (line,) = compared_score_lines(["7"], [(inf, inf)], [nan])
    assert line.plain.split() == ["-", "inf", "inf", "7"]


def test_bars(named: tuple[Checkpoint, list[str]]) -> None:
    """Every symbol has its percentage and a bar in proportion, the most likely first."""
    checkpoint, _ = named
    found = likely(checkpoint)[:30]
    lines = drawn(next_view("", found, 80), 80, colour=False).splitlines()
    assert lines[0].strip() == "a name begins with"
    bars = []
    for line, (symbol, p) in zip(lines[1:], found, strict=True):
        shown, percent, *bar = line.split()
        assert shown == ("(end)" if symbol is None else symbol)
        assert float(percent.rstrip("%")) == pytest.approx(100 * p, abs=0.051)
        bars.append(bar[0].count("█"))
    assert bars == sorted(bars, reverse=True)
    np.testing.assert_allclose(bars, [64 * p / found[0][1] for _, p in found], atol=0.51)


def test_scored_names_are_unchanged(named: tuple[Checkpoint, list[str]]) -> None:
    """Brackets are not read as markup, wide symbols are aligned, and nats are the scores."""
    checkpoint, names = named
    scores = score_names(checkpoint, names)
    lines = drawn(Group(*all_score_lines(scores)), 80, colour=False).splitlines()
    starts = set()
    for line, name, total in zip(lines, names, scores.totals, strict=True):
        assert float(line.split()[0]) == pytest.approx(total, abs=1e-4)
        before, _, after = line.partition(name)
        starts.add(cell_len(before))
        assert after
    assert starts == {18}


@pytest.mark.parametrize("name", ["Tyranqsaurus", "xq", "T"])
def test_symbols_are_coloured_by_nats(name: str) -> None:
    """Likely symbols are green, unlikely ones red."""
    scores = score_names(load_checkpoint(BUNDLED), [name])
    (line,) = all_score_lines(scores)
    colours, colour = [], ""
    for escape, symbol in re.findall("\x1b\\[([0-9;]*)m|([^\x1b])", drawn(line, 80, colour=True)):
        colour = colour if symbol else escape.removeprefix("0")
        colours += [(colour, symbol)] * bool(symbol)
    start = next(i for i, (_, symbol) in enumerate(colours) if symbol == name[0])
    wanted = [
        "32" if nats <= 1 else "" if nats <= 2 else "33" if nats <= 3.5 else "1;31"
        for nats in scores.symbol_nats(0)[:-1]
    ]
    if name.startswith("Tyran"):
        assert {"32", "1;31"} <= {*wanted}
    found = colours[start : start + len(name)]
    assert [symbol for _, symbol in found] == [*name]
    assert [colour for colour, _ in found] == wanted


def test_every_symbol_is_on_the_map(named: tuple[Checkpoint, list[str]]) -> None:
    """Each symbol has a cell of its own on the map."""
    checkpoint, _ = named
    text = drawn(similarity_of(checkpoint, 80), 80, colour=False).partition("close together")[2]
    assert set(text.split()) == {s if s != " " else "␣" for s in checkpoint.vocabulary.symbols}


@pytest.mark.parametrize("suffix", [".svg", ".html"])
def test_pictures_hold_what_is_drawn(suffix: str) -> None:
    """A picture has the numbers of the view, and no links."""
    screen = Screen(recording=True)
    screen.draw(checkpoint_view(load_checkpoint(BUNDLED), Path("a.npz"), ["Rex"], screen.width))
    picture = screen.picture(suffix, "dinosaurs")
    assert "79,643" in picture
    assert "@font-face" not in picture
    assert not re.search(r"(src|href)=.https?:|url\(.?https?:", picture)
