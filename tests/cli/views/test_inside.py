"""The views into a model: what they say, within the width, with colours and without."""

import re
from collections.abc import Callable
from itertools import pairwise
from math import inf, nan
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Group, RenderableType

from dinogen.checkpoint.contents import Checkpoint
from dinogen.checkpoint.reading import load
from dinogen.cli.checkpoints import BUNDLED
from dinogen.cli.views.comparison import comparison_view, verdict_lines
from dinogen.cli.views.likeness import likeness_view
from dinogen.cli.views.next_symbols import next_view
from dinogen.cli.views.scores import score_lines
from dinogen.cli.views.screen import Screen
from dinogen.cli.views.summary import checkpoint_view
from dinogen.inspection.expectation import expect
from dinogen.inspection.hearing import hear
from dinogen.text.corpus import read_corpus
from dinogen.training.loop import DefaultRun
from dinogen.training.settings import Settings
from tests.cli.views.drawing import drawn
from tests.conftest import CORPORA

NAMES = {
    "dinosaurs": ["Tyrannosaurus", "[red]", "Xqzvk", "rex"],
    "greek": ["Αθηνά", "Ζεύς", "[bold]", "漢字"],
    "wide": ["東京", "大阪府", "[/]", "京名"],
}
WIDE = "東京\n大阪府\n京都市\n名古屋\n[red]\n"


@pytest.fixture(scope="module", params=NAMES)
def named(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Checkpoint, list[str]]:
    """The bundled model, one of a non-Latin list, one of wide symbols; and names to hear."""
    if request.param == "dinosaurs":
        return load(BUNDLED), NAMES["dinosaurs"]
    path = CORPORA / "greek-names.txt"
    if request.param == "wide":
        path = tmp_path_factory.mktemp("wide") / "wide.txt"
        path.write_text(WIDE, encoding="utf-8")
    run = DefaultRun(read_corpus([path]), Settings(seed=1, hidden_size=8, steps=60))
    for _ in run.train():
        pass
    return run.checkpoint(), NAMES[request.param]


def likely(checkpoint: Checkpoint) -> list[tuple[str | None, float]]:
    """How names begin, the likeliest first."""
    p = expect(checkpoint.model, []).tolist()
    pairs = zip([None, *checkpoint.vocabulary.symbols], p, strict=True)
    return sorted(pairs, key=lambda pair: -pair[1])


def alike(checkpoint: Checkpoint, width: int) -> RenderableType:
    """Each symbol beside the next one of the vocabulary, and on a line."""
    symbols = checkpoint.vocabulary.symbols
    nearest = {s: [(other, 0.5)] for s, other in pairwise(symbols)}
    return likeness_view(nearest, {s: (i, i % 3) for i, s in enumerate(symbols)}, width)


VIEWS: dict[str, Callable[[Checkpoint, list[str], int], RenderableType]] = {
    "summary": lambda c, _, width: checkpoint_view(c, Path("a.npz"), width),
    "next": lambda c, _, width: next_view("", likely(c), width),
    "scores": lambda c, names, _: Group(*score_lines(hear(c, names).each())),
    "symbols": lambda c, _, width: alike(c, width),
    "comparison": lambda c, _, __: comparison_view((c, c), (Path("a.npz"), Path("[b].npz"))),
    "verdicts": lambda _, names, __: Group(
        *verdict_lines(names, [(1.0, 2.0)] * len(names), [0.73] * len(names))
    ),
}


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", VIEWS)
def test_views_keep_to_the_width(
    named: tuple[Checkpoint, list[str]], name: str, width: int
) -> None:
    """No line is too wide, and colours change nothing but colours."""
    view = VIEWS[name](*named, width)
    plain = drawn(view, width, colour=False)
    assert "\x1b" not in plain
    assert max(map(cell_len, plain.splitlines())) <= width
    coloured = drawn(view, width, colour=True)
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == plain


def test_nothing_is_said_of_a_name_that_neither_can_write() -> None:
    """There is a dash where a share would be no number."""
    (line,) = verdict_lines(["7"], [(inf, inf)], [nan])
    assert line.plain.split() == ["-", "inf", "inf", "7"]


def test_bars_are_in_order_and_as_long_as_likely(named: tuple[Checkpoint, list[str]]) -> None:
    """Every symbol has its percentage, the likeliest first, and a bar in proportion."""
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


def test_names_are_drawn_as_they_are(named: tuple[Checkpoint, list[str]]) -> None:
    """Brackets are no markup, wide symbols are aligned, numbers are the scorer's."""
    checkpoint, names = named
    hearing = hear(checkpoint, names)
    lines = drawn(Group(*score_lines(hearing.each())), 80, colour=False).splitlines()
    starts = set()
    for line, name, total in zip(lines, names, hearing.totals, strict=True):
        assert float(line.split()[0]) == pytest.approx(total, abs=1e-4)
        before, _, after = line.partition(name)
        starts.add(cell_len(before))
        assert after
    assert starts == {18}


def test_surprise_is_coloured() -> None:
    """What was likely is green, what was not is red."""
    hearing = hear(load(BUNDLED), ["Tyranqsaurus"])
    (line,) = score_lines(hearing.each())
    text = drawn(line, 80, colour=True)
    nats = hearing.each()[0].nats
    assert nats
    assert max(nats) == nats[5] > 3.5  # a name in dinosaurs, the q is not
    assert "\x1b[1;31mq\x1b[0m" in text
    assert "\x1b[32m" in text


def test_every_symbol_is_on_the_map(named: tuple[Checkpoint, list[str]]) -> None:
    """Each symbol has a place of its own on the map, as long as there is room."""
    checkpoint, _ = named
    text = drawn(alike(checkpoint, 80), 80, colour=False).partition("a flat map of them")[2]
    assert set(text.split()) == {s if s != " " else "␣" for s in checkpoint.vocabulary.symbols}


@pytest.mark.parametrize("suffix", [".svg", ".html"])
def test_pictures_hold_what_is_drawn(suffix: str) -> None:
    """A recorded view is in the picture, which fetches nothing from anywhere."""
    screen = Screen(recording=True)
    screen.draw(checkpoint_view(load(BUNDLED), Path("a.npz"), screen.width))
    picture = screen.picture(suffix, "dinosaurs")
    assert "79,643" in picture
    assert "@font-face" not in picture
    assert not re.search(r"(src|href)=.https?:|url\(.?https?:", picture)
