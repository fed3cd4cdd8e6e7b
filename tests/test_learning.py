"""Learning in one call: sources in memory and in files, settings, and the progress."""

import json
import re
from inspect import signature
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest

from dinogen import (
    CorpusError,
    DefaultRun,
    Model,
    Progress,
    SettingError,
    TrainingSettings,
    read_corpus,
    read_texts,
    train,
)
from dinogen.data import UNITS
from dinogen.training import CHOICES, Settings
from tests.conftest import CORPORA, Run

EDDA = CORPORA / "edda.txt"
NAMES = EDDA.read_text("utf-8").splitlines()
QUICK: dict[str, Any] = {"origin": "none", "hidden_size": 8, "steps": 20}
NGRAMS: dict[str, Any] = {"hidden_size": 0, "order": 3}


def same(one: Model, other: Model) -> bool:
    """Whether two models have the same numbers, and write the same names."""
    first, second = one.checkpoint, other.checkpoint
    return (
        first.corpus == second.corpus
        and first.mixture.weights == second.mixture.weights
        and first.training.settings == second.training.settings
        and one.sample(20, 1) == other.sample(20, 1)
    )


# Sources.


def test_names_in_memory_are_learned_like_those_of_a_file(tmp_path: Path) -> None:
    """A path, a file, names and a corpus give the same model, which can be saved."""
    model = train(NAMES, seed=1, **QUICK)
    corpus = read_corpus([EDDA])
    for source in (str(EDDA), EDDA, [EDDA], (name for name in NAMES), corpus):
        assert same(train(source, seed=1, **QUICK), model)
    assert model.checkpoint.corpus == corpus.stats
    model.save(tmp_path / "edda.npz")
    assert model.score("Odin")[0].symbols == 5


def test_names_and_files_are_joined_in_their_order(tmp_path: Path) -> None:
    """In a list, a text is a name, and a path is a file."""
    (tmp_path / "a.txt").write_text("Cora\nDora\n", "utf-8")
    joined = train(["Anna", "Berta", tmp_path / "a.txt", "Emil"], seed=1, **NGRAMS)
    plain = train(["Anna", "Berta", "Cora", "Dora", "Emil"], seed=1, **NGRAMS)
    assert same(joined, plain)
    assert joined.checkpoint.names.names == 5


def test_names_are_cleaned_like_lines() -> None:
    """White space, empty names and duplicates are dropped; capitals are learned."""
    names = [" Anna\n", "Anna", "", "  ", "O\u2019Hara", "e\u0301va", "Åsa"]
    checkpoint = train(names, seed=1, **NGRAMS).checkpoint
    assert checkpoint.names.names == 4
    assert checkpoint.names.duplicates == 1
    assert {"é", "å", "\u2019"} <= {*checkpoint.vocabulary.symbols}
    assert train(names, seed=1, keep_duplicates=True, **NGRAMS).checkpoint.names.names == 5
    kept = train(names, seed=1, case="keep", **NGRAMS).checkpoint
    assert {"A", "a"} <= {*kept.vocabulary.symbols}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (["Anna", "", "a\0b"], "name 3: U+0000 (null) is invisible and cannot be part of a name"),
        (["Anna", "x" * 256], "name 2: 256 symbols, but a name has at most 255"),
        (["Anna\nBerta\nCora"], "name 1: 'Anna\\nBerta\\nCora' has several lines; give each name"),
        (["Anna", EDDA, "a\x1b[2J"], "name 3: U+001B (escape)"),
        (["Anna", "anna"], "the given list: only one distinct name, 'anna'; add at least one more"),
        ([], "the source has no names"),
        (["", " "], "the given list: contains no names"),
        ("away.txt", "away.txt: no such file"),
        ([Path("away.txt"), "Anna"], "away.txt: no such file"),
    ],
)
def test_what_cannot_be_learned_is_named(source: Any, message: str) -> None:
    """The message has the number of the name, or the file; no command mends names in memory."""
    with pytest.raises(CorpusError, match=f"^(.*: )?{re.escape(message)}") as caught:
        train(source, seed=1)
    assert "perl" not in str(caught.value)


def test_a_table_is_read_by_its_columns(tmp_path: Path) -> None:
    """Columns are named by heading or place; what does not look like names is a warning."""
    path = tmp_path / "people.csv"
    path.write_text("year;name;count\n1880;Anna;9\n1880;Berta;1\n1881;Anna;5\n", "utf-8")
    model = train(path, seed=1, column="name", weights=3, **NGRAMS)
    assert (model.checkpoint.names.names, model.checkpoint.names.weight) == (2, 15)
    with pytest.warns(UserWarning, match="4 of 4 lines look like a table"):
        train(path, seed=1, **NGRAMS)


def test_files_that_are_taken_for_names_are_a_warning(tmp_path: Path) -> None:
    """A path that is a text in a list is a name, which is hardly what was meant."""
    paths = [str(tmp_path / name) for name in ("a.txt", "b.txt")]
    for path in paths:
        Path(path).write_text("Cora\nDora\n", "utf-8")
    with pytest.warns(UserWarning, match=r"a\.txt' is a name, because it is a text in a list"):
        train(paths, seed=1, **NGRAMS)
    train([*paths, "Emil", "x" * 255, "/" * 255], seed=1, **NGRAMS)


def test_running_text_is_learned(tmp_path: Path) -> None:
    """From files, or from a corpus that has been read."""
    path = tmp_path / "text.txt"
    path.write_text("When I do count the clock\nthat tells the time\n" * 20, "utf-8")
    model = train(path, seed=1, text=True, steps=2, hidden_size=8)
    assert model.writes_text
    assert same_text(model, train([path], seed=1, text=True, steps=2, hidden_size=8))
    assert same_text(model, train(read_texts([path]), seed=1, window=64, steps=2, hidden_size=8))
    words = train(path, seed=1, text=True, unit="word", **NGRAMS)
    assert "clock" in words.checkpoint.vocabulary.symbols


def same_text(one: Model, other: Model) -> bool:
    """Whether two models write the same text."""
    return one.sample(1, 1, length=200) == other.sample(1, 1, length=200)


# Settings.


def test_a_call_does_what_the_command_does(dinogen: Run, tmp_path: Path) -> None:
    """The same settings and seed give the model that `train` writes."""
    options = ("--seed", "1", "--hidden", "8", "--steps", "20", "--cell", "gru", "--order", "2")
    dinogen("train", EDDA, "-o", tmp_path / "model.npz", *options)
    described = json.loads(dinogen("inspect", tmp_path / "model.npz", "--json").stdout)
    model = train(EDDA, seed=1, cell="gru", order=2, **QUICK)
    assert model.checkpoint.held_out is not None
    loss = described["heldout"]["nats_per_symbol"]
    assert model.checkpoint.held_out.nats_per_symbol == pytest.approx(loss, abs=1e-4)
    shown = dinogen("sample", tmp_path / "model.npz", "--seed", "1", "--n", "20").stdout
    assert model.sample(20, 1) == shown.splitlines()


def test_without_a_seed_trainings_differ() -> None:
    """The seed is recorded, and gives the same model again."""
    one, other = (train(NAMES, **QUICK) for _ in range(2))
    seed = one.checkpoint.training.seed
    assert seed != other.checkpoint.training.seed
    assert same(train(NAMES, seed=seed, **QUICK), one)
    assert train(NAMES, seed="a text", **NGRAMS).checkpoint.training.seed > 2**32


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epoch": 3}, "epoch is not a setting of training; did you mean epochs?"),
        ({"hidden": 3}, "hidden is not a setting of training; did you mean hidden_size?"),
        ({"start": "tuned"}, "start is not a setting of training"),
        ({"cell": "transformer"}, "cell must be 'rnn' or 'gru' or 'lstm', not 'transformer'"),
        ({"unit": "line"}, "unit must be 'character' or 'word', not 'line'"),
        ({"case": True}, "case must be 'fold' or 'keep', not True"),
        ({"layers": 9}, "layers must be from 1 to 8, not 9"),
        ({"layers": "2"}, "layers must be a whole number, not '2'"),
        ({"epochs": 2.5}, "epochs must be a whole number, not 2.5"),
        ({"epochs": 0}, "epochs must be from 1 to"),
        ({"dropout": float("nan")}, "dropout must be from 0 to 0.9, not nan"),
        ({"learning_rate": "fast"}, "learning rate must be a number, not 'fast'"),
        ({"origin": 3}, "origin must be a text or a path, not 3"),
        ({"column": 1.5}, "column must be a text or a whole number, not 1.5"),
        ({"keep_duplicates": "no"}, "keep duplicates must be True or False, not 'no'"),
        ({"steps": 3, "epochs": 3}, "steps and epochs both set the training time"),
        ({"window": 8}, "window is for running text; leave it out"),
        ({"hidden_size": 0, "order": 0}, "hidden size 0 removes the network and order 0 the n-gr"),
        ({"unit": "word", "case": "fold"}, "unit word learns words as they are"),
        ({"text": True, "case": "keep"}, "case is for names, and running text is learned"),
        ({"text": True, "origin": "base"}, "running text is learned from scratch; leave origin"),
        ({"seed": 1.5}, "seed must be a whole number or a text, not 1.5"),
        ({"progress": 3}, "progress must be a function, not 3"),
    ],
)
def test_wrong_settings_are_named_at_once(settings: dict[str, Any], message: str) -> None:
    """They are refused before the source is read: this one does not exist."""
    with pytest.raises(SettingError, match=f"^{re.escape(message)}"):
        train("away.txt", **settings)


@pytest.mark.parametrize(
    ("source", "settings", "message"),
    [
        (["Anna", "Berta"], {"column": 1}, "column is for files, and the source has names in mem"),
        ([EDDA, "Berta"], {"encoding": "cp1252"}, "encoding is for files, and the source has"),
        (read_corpus([EDDA]), {"unit": "word"}, "unit says how a source is read, and this one is"),
        (
            ["Anna"],
            {"text": True},
            "item 1 must be a Path, because running text is read from files",
        ),
        (["Anna", 3], {}, "item 2 must be a name or a Path, not 3"),
    ],
)
def test_settings_that_do_not_fit_the_source(
    source: Any, settings: dict[str, Any], message: str
) -> None:
    """The message says why."""
    with pytest.raises(SettingError, match=re.escape(message)):
        train(source, seed=1, **settings)


def test_a_type_checker_refuses_wrong_settings() -> None:
    """The comments are errors of their own if it does not."""
    with pytest.raises(SettingError):
        train(NAMES, epoch=3)  # type: ignore[call-arg]
    with pytest.raises(SettingError):
        train(NAMES, cell="transformer")  # type: ignore[arg-type]
    with pytest.raises(SettingError):
        train(NAMES, layers="2")  # type: ignore[arg-type]


def test_numbers_of_numpy_are_settings() -> None:
    """They are recorded as plain numbers, so the model can be saved."""
    numbers: dict[str, Any] = {
        "seed": np.int64(1),
        "layers": np.int8(2),
        "dropout": np.float64(0.25),
    }
    settings = train(NAMES, **QUICK, **numbers).checkpoint.training.settings
    assert (settings["layers"], settings["dropout"]) == (2, 0.25)
    assert type(settings["layers"]) is int


def test_settings_without_a_value_are_left_out() -> None:
    """None is the default of each, so a caller may pass on what it was not given."""
    nothing: dict[str, Any] = dict.fromkeys(get_type_hints(TrainingSettings))
    nothing |= {"text": False, "keep_duplicates": False}
    assert same(train(NAMES, seed=1, **nothing | QUICK), train(NAMES, seed=1, **QUICK))


def test_keyword_arguments_are_those_of_reading_and_training() -> None:
    """Names and types are those of `Settings`, `DefaultRun.start` and `read_corpus`."""
    keywords = get_type_hints(TrainingSettings)
    training = get_type_hints(Settings) | {"epochs": int, "origin": str}
    assert {"epochs", "origin"} <= {*signature(DefaultRun.start).parameters}
    reading = {*signature(read_corpus).parameters} - {"sources", "fold_case"} | {"case", "text"}
    assert {*keywords} == {*training} - {"seed", "start"} | reading
    for name in {*training} - {"seed", "start", "origin", "cell"}:
        assert plain(keywords[name]) == plain(training[name])
    assert values(keywords["cell"]) == CHOICES["cell"]
    assert values(keywords["unit"]) == tuple(UNITS)


def plain(hint: Any) -> set[Any]:
    """Return the types of a hint, without None."""
    return {*(get_args(hint) or (hint,))} - {type(None)}


def values(hint: Any) -> tuple[str, ...]:
    """Return the values of the literal of a hint."""
    (literal,) = (each for each in get_args(hint) if get_origin(each) is Literal)
    return get_args(literal)


# Progress.


def test_progress_is_told_after_each_update() -> None:
    """A caller sees each step, and the losses of the evaluations."""
    seen: list[Progress] = []
    train(NAMES, seed=1, progress=seen.append, **QUICK)
    assert [each.step for each in seen] == [*range(1, 21)]
    assert seen[0].row is not None
    assert {*seen[0].row.losses} == {"train", "heldout"}


def test_an_error_of_the_caller_ends_the_training() -> None:
    """It reaches the caller as it is."""
    steps: list[int] = []

    def stop(progress: Progress) -> None:
        steps.append(progress.step)
        if progress.step == 3:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        train(NAMES, seed=1, progress=stop, **QUICK)
    assert steps == [1, 2, 3]
