"""``dinogen inspect`` with models of running text."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from dinogen.cli import BUNDLED
from tests.cli.conftest import Refused, side_by_side, train
from tests.conftest import CORPORA, Run

TEXT = (CORPORA / "sonnets.txt").read_text(encoding="utf-8")[:8_000].replace(";", "\t")
OTHER = "The clock\n\nthat tells,\nthe time ß\nwhen I\n"


@pytest.fixture(scope="session")
def text_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of running text, with tabs. Read only."""
    options = ("--text", "--seed", "1", "--steps", "30", "--batch-size", "8", "--hidden", "8")
    return train(tmp_path_factory.mktemp("text"), TEXT.encode(), *options)


@pytest.fixture(scope="session")
def word_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of the words of running text, without a network. Read only."""
    options = ("--unit", "word", "--seed", "1", "--hidden", "0", "--order", "2", "--holdout", "0.4")
    return train(tmp_path_factory.mktemp("words"), TEXT.encode(), "--text", *options)


def records(dinogen: Run, *args: str | Path, stdin: str = "") -> list[dict[str, Any]]:
    """Run ``inspect --json`` and parse what it prints."""
    result = dinogen("inspect", "--json", *args, stdin=stdin)
    assert (result.returncode, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_summary_shows_the_numbers(dinogen: Run, text_checkpoint: Path) -> None:
    """The summary shows the text, the loss in nats and bits, the window and a sample."""
    (found,) = records(dinogen, text_checkpoint)
    size = len(TEXT) + (not TEXT.endswith("\n"))
    lines = TEXT.count("\n") + (not TEXT.endswith("\n"))
    assert found["corpus"]["content"] == "text"
    nats = found["heldout"]["nats_per_symbol"]
    result = dinogen("inspect", text_checkpoint, env={"COLUMNS": "80"})
    assert (result.returncode, result.stderr) == (0, "")
    text = " ".join(result.stdout.split())
    for fact in (
        f"running text 1 text, {lines:,} lines, {size:,} symbols recipe",
        "training 30 steps of 8 x 64 symbols in",
        f"{nats:.3f} nats or {nats / math.log(2):.3f} bits per symbol, on 800 symbols, the end",
        f"symbols {len(set(TEXT)) - 1}: ⇥ ␣ ! ",
        "● held out",
    ):
        assert fact in text
    assert not re.search("^(case|samples|training list) ", result.stdout, re.MULTILINE)
    sample = result.stdout.partition("\nsample ")[2].partition("\nnetwork loss ")[0]
    written = dinogen("sample", text_checkpoint, "--seed", "0", "--length", "240", "-q").stdout
    shown = "".join(sample.split())
    assert len(shown) > 20
    assert "".join(written.replace("\t", "⇥").split()).startswith(shown)


def test_summary_of_words(dinogen: Run, word_checkpoint: Path) -> None:
    """The loss is that of a word, and the ends of lines count among the symbols."""
    (found,) = records(dinogen, word_checkpoint)
    size = len(TEXT.split()) + TEXT.count("\n") + (not TEXT.endswith("\n"))
    text = " ".join(dinogen("inspect", word_checkpoint).stdout.split())
    assert f"{size:,} symbols (words and ends of lines)" in text
    assert f"{found['heldout']['nats_per_symbol']:.3f} nats or " in text
    assert "bits per word, on" in text
    assert "training 0 steps in" in text


def test_next(dinogen: Run, text_checkpoint: Path) -> None:
    """The end of a line is a symbol, and a prompt may have several lines."""
    prompts = ("", "I", "I\n", "the\n\n")
    *answers, lines = side_by_side(
        lambda args: records(dinogen, text_checkpoint, *args, stdin="I\n\n"),
        [*(("--next", prompt) for prompt in prompts), ("--score", "-")],
    )
    found = {
        each["prefix"]: {pair["symbol"]: pair["p"] for pair in each["next"]} for (each,) in answers
    }
    for prompt in prompts:
        assert {*found[prompt]} == {*TEXT}
        assert sum(found[prompt].values()) == pytest.approx(1, abs=1e-5)
    # Behind a line end, capitals are likelier than within a word.
    assert found["the\n\n"]["T"] > found["I"]["T"]
    assert [line["nats"] for line in lines] == [
        pytest.approx(-math.log(found[""]["I"] * found["I"]["\n"]), abs=1e-3),
        pytest.approx(-math.log(found["I\n"]["\n"]), abs=1e-3),
    ]


def test_next_on_the_screen(dinogen: Run, text_checkpoint: Path, word_checkpoint: Path) -> None:
    """The end of a line and a tab are named, and a prompt of words is in words."""
    first = dinogen("inspect", text_checkpoint, "--next", "").stdout.splitlines()
    assert first[0].strip() == "a line begins with"
    prompt = "When I do count the clock that tells the time,"
    shown = dinogen("inspect", text_checkpoint, "--next", prompt).stdout
    assert shown.startswith(f"after {prompt!r} comes")
    assert "\n(line end) " in shown
    assert "⇥" in dinogen("inspect", text_checkpoint, "--symbols").stdout
    (found,) = records(dinogen, word_checkpoint, "--next", "the  clock\nthat")
    assert {pair["symbol"] for pair in found["next"]} == {"\n", *TEXT.split()}


def test_scores(dinogen: Run, text_checkpoint: Path) -> None:
    """Each line has its number; an unknown symbol leaves its line without nats."""
    found = records(dinogen, text_checkpoint, "--score", "-", stdin=OTHER)
    lines = OTHER.split("\n")[:-1]
    assert [record["line"] for record in found] == [1, 2, 3, 4, 5]
    assert [record["text"] for record in found] == lines
    assert [record["symbols"] for record in found] == [len(line) + 1 for line in lines]
    assert [record.get("unknown") for record in found] == [None, None, None, "ß", None]
    assert [record["nats"] is None for record in found] == [False, False, False, True, False]
    assert list(found[0]) == ["line", "text", "nats", "symbols"]
    result = dinogen("inspect", text_checkpoint, "--score", "-", stdin=OTHER)
    assert (result.returncode, result.stderr) == (0, "")
    *shown, total = result.stdout.splitlines()
    for line, record in zip(shown, found, strict=True):
        nats, per_symbol, *rest = line.split()
        assert float(nats) == (math.inf if record["nats"] is None else record["nats"])
        if record["nats"] is not None:
            assert float(per_symbol) == pytest.approx(record["nats"] / record["symbols"], abs=1e-3)
        assert " ".join(rest).startswith(record["text"])
    assert "(line end)" in shown[1]
    assert shown[3].endswith("unknown symbol ß")
    match = re.fullmatch(
        r"5 lines: ([\d.]+) nats, ([\d.]+) nats or ([\d.]+) bits per symbol, without 1 unknown "
        "symbol",
        total,
    )
    assert match
    all_nats, mean, bits = map(float, match.groups())
    assert mean == pytest.approx(all_nats / (len(OTHER) - 1), abs=2e-3)
    assert bits == pytest.approx(mean / math.log(2), abs=2e-3)
    assert all_nats > sum(record["nats"] or 0 for record in found)


def test_sorted_scores(dinogen: Run, text_checkpoint: Path) -> None:
    """The most likely lines come first, with their numbers; the scores are the same."""
    found = records(dinogen, text_checkpoint, "--score", "-", stdin=OTHER)
    ordered = records(dinogen, text_checkpoint, "--score", "-", "--sort", stdin=OTHER)
    per_symbol = [(record["nats"] or math.inf) / record["symbols"] for record in ordered]
    assert per_symbol == sorted(per_symbol)
    assert sorted(ordered, key=lambda record: record["line"]) == found


def test_comparison(dinogen: Run, text_checkpoint: Path, word_checkpoint: Path) -> None:
    """Two models of running text have a probability for each line, by Bayes' rule."""
    compare = (text_checkpoint, "--compare", word_checkpoint)
    assert [each["unit"] for each in records(dinogen, *compare)] == ["character", "word"]
    shown = dinogen("inspect", *compare).stdout
    assert re.search(r"^trained on +[\d,]+ symbols +[\d,]+ symbols", shown, re.MULTILINE)
    text = "the clock\n\nzzz\n"
    found = records(dinogen, *compare, "--score", "-", stdin=text)
    assert [(record["line"], record["text"]) for record in found] == [
        (1, "the clock"),
        (2, ""),
        (3, "zzz"),
    ]
    ours = records(dinogen, text_checkpoint, "--score", "-", stdin=text)
    theirs = records(dinogen, word_checkpoint, "--score", "-", stdin=text)
    for record, one, other in zip(found, ours, theirs, strict=True):
        assert record["nats"] == [one["nats"], other["nats"]]
    one, other = found[0]["nats"]
    assert found[0]["first"] == pytest.approx(1 / (1 + math.exp(one - other)), abs=1e-3)
    assert (found[2]["nats"][1], found[2]["first"]) == (None, 1.0)
    result = dinogen("inspect", *compare, "--score", "-", stdin=text)
    assert (result.returncode, result.stderr, len(result.stdout.splitlines())) == (0, "", 3)


def test_comparison_with_a_model_of_names(
    dinogen: Run, refused: Refused, text_checkpoint: Path
) -> None:
    """The table shows both; the scores of names and of text cannot be compared."""
    shown = dinogen("inspect", text_checkpoint, "--compare", BUNDLED).stdout
    assert re.search(r"^trained on +[\d,]+ symbols +[\d,]+ names", shown, re.MULTILINE)
    assert re.search(r"^held out +800 symbols +\d+ names", shown, re.MULTILINE)
    for pair in ((text_checkpoint, BUNDLED), (BUNDLED, text_checkpoint)):
        message = refused("inspect", pair[0], "--compare", pair[1], "--score", "-", status=1)
        assert f"{text_checkpoint} has learned running text, and {BUNDLED} names" in message


def test_refusals(refused: Refused, text_checkpoint: Path, tmp_path: Path) -> None:
    """An unknown symbol of a prompt is named, and what is not text is refused."""
    message = refused("inspect", text_checkpoint, "--next", "When\nß", status=2)
    assert "unknown symbol 'ß'" in message
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    assert "picture.txt" in refused("inspect", text_checkpoint, "--score", "picture.txt", status=1)
