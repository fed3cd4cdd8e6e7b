"""Passages of running text: how they are read, and the scores of their lines."""

import io
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from dinogen.checkpoint import Checkpoint
from dinogen.data import END, STDIN, read_texts
from dinogen.inspection import (
    PASSAGE,
    Passage,
    Scores,
    TextTotal,
    join_scores,
    read_passages,
    score_names,
    score_passage,
)
from dinogen.training import DefaultRun, Settings
from tests.conftest import CORPORA

SONNETS = (CORPORA / "sonnets.txt").read_text(encoding="utf-8")
LEARNED = SONNETS[:3_000]
OTHER = SONNETS[5_000:5_600]


def trained(folder: Path, text: str, unit: str = "character", hidden: int = 8) -> Checkpoint:
    """Train a model of running text for a few steps."""
    (folder / "text.txt").write_text(text, encoding="utf-8")
    corpus = read_texts([folder / "text.txt"], unit=unit)
    settings = Settings.for_corpus(corpus.stats, seed=1, steps=3, hidden_size=hidden, order=3)
    run = DefaultRun(corpus, settings)
    list(run.train())
    return run.checkpoint()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A small network and n-grams."""
    return trained(tmp_path_factory.mktemp("text"), LEARNED)


def by_hand(checkpoint: Checkpoint, symbols: Sequence[str]) -> list[float]:
    """Return the nats of each symbol, read one after the other; unknown ones are skipped."""
    model, vocabulary = checkpoint.mixture, checkpoint.vocabulary
    state, p = model.begin(1)
    nats = []
    for symbol in symbols:
        if symbol not in vocabulary and symbol != "\n":
            nats.append(math.inf)
            continue
        index = END if symbol == "\n" else 1 + vocabulary.symbols.index(symbol)
        nats.append(-math.log(p[0, index]))
        state, p = model.advance(state, np.array([index]))
    return nats


def nats_of(scores: Scores) -> list[float]:
    """Return the nats of all symbols."""
    return [nats for i in range(len(scores)) for nats in scores.symbol_nats(i)]


# Reading.


class Trickle(io.BytesIO):
    """A stream in which few bytes arrive at a time."""

    def read1(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes, an odd number of them."""
        return super().read1(min(77_777, size or 0))


@pytest.mark.parametrize("longest", [70, PASSAGE + 1_000])
def test_passages_do_not_depend_on_how_a_text_arrives(
    longest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are whole lines and the whole text, each with what comes before it and its number."""
    lines = [f"{i} {'é' * (i % 70)}" for i in range(9_000)]
    lines[4_000] = "x" * longest
    text = "".join(f"{line}\n" for line in lines)
    path = tmp_path / "text.txt"
    path.write_bytes(text.replace("\n", "\r\n").encode())
    passages = [*read_passages(path)]
    assert "".join(passage.text for passage in passages) == text
    assert len(passages) >= 2
    place = 0
    for passage in passages:
        assert passage.text.endswith("\n")
        assert len(passage.text) <= PASSAGE or passage.text.count("\n") == 1
        assert text[:place].endswith(passage.before)
        assert len(passage.before) >= min(place, 128)
        assert passage.first == 1 + text[:place].count("\n")
        place += len(passage.text)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Trickle(path.read_bytes())))
    assert [*read_passages(STDIN)] == passages


def test_empty_text(tmp_path: Path) -> None:
    """It has no passages."""
    (tmp_path / "text.txt").write_text("")
    assert [*read_passages(tmp_path / "text.txt")] == []


# Scores.


def test_lines_are_scored_in_context(checkpoint: Checkpoint) -> None:
    """Each symbol has the nats that the model gives it after all symbols before it."""
    text = OTHER + "\n\n"
    scores = score_passage(checkpoint, Passage("", text, 1))
    wanted = by_hand(checkpoint, text)
    assert nats_of(scores) == pytest.approx(wanted, rel=1e-4)
    assert scores.names == text.split("\n")[:-1]
    assert scores.lengths == [len(line) + 1 for line in scores.names]
    assert sum(scores.totals) == pytest.approx(sum(wanted), rel=1e-5)
    assert scores.totals[-1] == scores.symbol_nats(len(scores) - 1)[0]
    assert scores.known is None
    alone = score_passage(checkpoint, Passage("", f"{scores.names[-3]}\n", 1))
    assert alone.totals[0] != pytest.approx(scores.totals[-3], rel=1e-3)


def test_words_are_scored_in_context(tmp_path: Path) -> None:
    """A word, too, is given those before it, in other lines as well."""
    checkpoint = trained(tmp_path, LEARNED, "word")
    words = "\n".join(" ".join(line.split()) for line in LEARNED.split("\n")).split("\n")[3:9]
    scores = score_passage(checkpoint, Passage("", "".join(f"{line}\n" for line in words), 1))
    wanted = by_hand(checkpoint, [s for line in words for s in (*line.split(), "\n")])
    assert nats_of(scores) == pytest.approx(wanted, rel=1e-4)
    assert scores.lengths == [len(line.split()) + 1 for line in words]


@pytest.mark.parametrize("unknown", ["ß", "漢", "\t"])
def test_unknown_symbols_are_skipped(checkpoint: Checkpoint, unknown: str) -> None:
    """A line with one has infinite nats and names it; the total is that of all other symbols."""
    text = f"When I do\n{unknown} count {unknown}the clock\n\nthat tells the time,\n"
    scores = score_passage(checkpoint, Passage("", text, 1))
    wanted = by_hand(checkpoint, text)
    assert nats_of(scores) == pytest.approx(wanted, rel=1e-4)
    assert [total < math.inf for total in scores.totals] == [True, False, True, True]
    assert [scores.unknown_symbol(i) for i in range(4)] == [None, unknown, None, None]
    total = TextTotal().plus(scores)
    assert (total.lines, total.unknown, total.symbols) == (4, 2, len(text) - 2)
    assert total.nats == pytest.approx(sum(n for n in wanted if n < math.inf), rel=1e-5)
    assert total.nats_per_symbol == pytest.approx(total.nats / total.symbols)


def test_unknown_symbols_only(checkpoint: Checkpoint) -> None:
    """The ends of the lines are left."""
    scores = score_passage(checkpoint, Passage("", "漢字\n字\n", 1))
    assert scores.totals == [math.inf] * 2
    total = TextTotal().plus(scores)
    assert (total.lines, total.unknown, total.symbols) == (2, 3, 2)
    assert total.nats == pytest.approx(sum(by_hand(checkpoint, "\n\n")), rel=1e-5)


def test_context_goes_on_over_passages(tmp_path: Path) -> None:
    """The first line of a passage is given the end of the passage before it."""
    checkpoint = trained(tmp_path, LEARNED, hidden=0)
    path = tmp_path / "long.txt"
    path.write_text((SONNETS * 4)[: PASSAGE + 5_000], encoding="utf-8")
    first, second = read_passages(path)
    scores = score_passage(checkpoint, second)
    line = second.text[: second.text.index("\n") + 1]
    # N-grams of order 3 know no more than the last two symbols.
    wanted = by_hand(checkpoint, first.text[-50:] + line)[50:]
    assert scores.symbol_nats(0) == pytest.approx(wanted, rel=1e-6)
    assert wanted[:2] != pytest.approx(by_hand(checkpoint, line)[:2], rel=1e-3)


def test_syllables_are_counted_as_a_reader_does(tmp_path: Path) -> None:
    """Each letter of Hangul has its nats, and a blank line is its end alone."""
    checkpoint = trained(tmp_path, "한국어 가나다라\n마바사 아자차카\n" * 10)
    scores = score_passage(checkpoint, Passage("", "한국 가\n\n나\n", 1))
    assert scores.lengths == [5, 1, 2]
    assert [len(scores.symbol_nats(i)) for i in range(3)] == [3 + 3 + 1 + 2 + 1, 1, 2 + 1]
    assert TextTotal().plus(scores).symbols == 8


def test_joined_scores(checkpoint: Checkpoint) -> None:
    """The parts of a text, one after the other, have the columns of all."""
    texts = ["When I\n\n", "do\nß\n", "count\n"]
    parts = [score_passage(checkpoint, Passage("", text, 7)) for text in texts]
    joined = join_scores(parts)
    assert joined.names == ["When I", "", "do", "ß", "count"]
    rows = [(part, i) for part in parts for i in range(len(part))]
    for i, (part, row) in enumerate(rows):
        assert joined.totals[i] == part.totals[row]
        assert joined.symbol_nats(i) == part.symbol_nats(row)
        assert joined.unknown_symbol(i) == part.unknown_symbol(row)
        assert joined.per_symbol(i) == part.per_symbol(row)
    assert (joined.first, joined.known) == (7, None)
    names = join_scores([score_names(checkpoint, names) for names in (["When", "ß"], [], ["do"])])
    assert (names.names, names.known) == (["When", "ß", "do"], [False] * 3)
    assert [len(names.symbol_nats(i)) for i in range(3)] == [5, 0, 3]
