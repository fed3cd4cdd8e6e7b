"""Settings: the defaults that follow from the corpus, and the bounds."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dinogen.data import (
    CorpusStats,
    TextCorpus,
    Texts,
    TextStats,
    Vocabulary,
    Windows,
    hold_out_text,
)
from dinogen.errors import SettingError
from dinogen.models import CELLS
from dinogen.training import BOUNDS, CHOICES, STARTS, WRITTEN, Settings

DINOSAURS = CorpusStats(lines=1_536, names=1_524, duplicates=12, shortest=3, longest=26, sha256="")
PLAIN = Settings(seed=1, hidden_size=8, steps=10)
CHOSEN = Settings(
    seed=2**64 - 1,
    hidden_size=8,
    steps=10,
    cell="rnn",
    layers=3,
    batch_size=7,
    window=5,
    learning_rate=0.5,
    momentum=0.0,
    clip=1,
    dropout=0.25,
    holdout=0.2,
    patience=3,
    order=0,
)


def changed(name: str, value: Any) -> Settings:
    """Change one of plain settings."""
    return replace(PLAIN, **{name: value})


# Defaults.


def test_the_defaults_for_the_dinosaurs() -> None:
    """1,524 names, 152 held out: 43 batches an epoch, 640 / 1524^0.35 = 49 epochs, 256 units."""
    settings = Settings.for_corpus(DINOSAURS, seed=1)
    assert settings.steps == 49 * 43
    assert settings.hidden_size == 256
    assert settings.dropout == pytest.approx(24 / 1524**0.6, abs=1e-3)
    assert (settings.cell, settings.layers) == ("rnn", 1)


def test_the_defaults_for_a_short_and_a_long_list() -> None:
    """10 names get 143 epochs, 128 hidden units and a dropout of 0.5; 10,000 names get 256."""
    short = CorpusStats(lines=10, names=10, duplicates=0, shortest=5, longest=5, sha256="")
    settings = Settings.for_corpus(short, seed=1)
    assert (settings.steps, settings.hidden_size, settings.dropout) == (143, 128, 0.5)
    assert settings.holdout == 0
    for names, holdout, epochs in ((199, 0.0, 320 / 199**0.35), (200, 0.1, 640 / 200**0.35)):
        settings = Settings.for_corpus(short._replace(lines=names, names=names), seed=1)
        batches = -(-(names - round(holdout * names)) // 32)
        assert (settings.holdout, settings.steps) == (holdout, round(epochs) * batches)
    long = short._replace(lines=10_000, names=10_000)
    settings = Settings.for_corpus(long, seed=1)
    assert (settings.hidden_size, settings.batch_size) == (256, 64)


@pytest.mark.parametrize(
    ("cell", "layers", "hidden", "rate", "factor"),
    [("rnn", 2, 128, 0.3, 24), ("gru", 1, 256, 0.7, 48), ("lstm", 2, 128, 2.0, 48)],
)
def test_the_defaults_of_each_network(
    cell: str, layers: int, hidden: int, rate: float, factor: int
) -> None:
    """Cells with gates learn faster and with twice the dropout. Stacks have 128 units a layer."""
    stats = DINOSAURS._replace(lines=5_000, names=5_000)
    settings = Settings.for_corpus(stats, seed=1, cell=cell, layers=layers)
    assert (settings.hidden_size, settings.learning_rate) == (hidden, rate)
    assert settings.dropout == pytest.approx(factor / 5_000**0.6, abs=1e-3)
    assert settings.steps == Settings.for_corpus(stats, seed=1).steps
    # All of them can be overridden.
    given: dict[str, Any] = {"hidden_size": 7, "learning_rate": 0.1, "dropout": 0.0}
    chosen = Settings.for_corpus(stats, seed=1, cell=cell, layers=layers, **given).to_json()
    assert given.items() <= chosen.items()


def test_given_settings_are_kept() -> None:
    """None means the default. Epochs are counted in batches of the training names."""
    settings = Settings.for_corpus(
        DINOSAURS,
        seed=9,
        epochs=3,
        batch_size=100,
        hidden_size=5,
        cell="rnn",
        layers=2,
        holdout=0.5,
        momentum=None,
        dropout=0.2,
    )
    assert settings == Settings(
        seed=9,
        hidden_size=5,
        steps=3 * 8,
        layers=2,
        batch_size=100,
        holdout=0.5,
        momentum=0.9,
        dropout=0.2,
    )
    assert Settings.for_corpus(DINOSAURS, seed=9, steps=7).steps == 7


def test_steps_and_epochs_exclude_each_other() -> None:
    """Both together are refused."""
    with pytest.raises(SettingError, match="one of them"):
        Settings.for_corpus(DINOSAURS, seed=1, steps=5, epochs=5)


# Running text.

TEXT = TextStats(texts=1, lines=2_000, symbols=90_000, sha256="")


def test_the_defaults_for_running_text() -> None:
    """There is a window, and learning starts from scratch. Names have no window."""
    settings = Settings.for_corpus(TEXT, seed=1)
    assert settings.window
    assert settings.start == "scratch"
    assert settings.holdout == Settings.holdout
    assert Settings.from_json(json.loads(json.dumps(settings.to_json()))) == settings
    names = Settings.for_corpus(DINOSAURS, seed=1)
    assert names.window is None
    assert "window" not in names.to_json()
    with pytest.raises(SettingError, match="window is for running text; leave it out"):
        Settings.for_corpus(DINOSAURS, seed=1, window=16)
    for cell in CELLS:
        assert Settings.for_corpus(TEXT, seed=1, cell=cell).cell == cell


@pytest.mark.parametrize(
    ("symbols", "epochs", "rnn_dropout", "lstm_dropout"),
    [(2_000, 492, 0.4, 0.4), (90_000, 73, 0.267, 0.202), (1_000_000, 22, 0.08, 0.111)],
)
def test_the_rules_for_running_text(
    symbols: int, epochs: int, rnn_dropout: float, lstm_dropout: float
) -> None:
    """The longer the text, the fewer epochs and the less dropout; a stack has 128 units a layer."""
    stats = TEXT._replace(symbols=symbols)
    rnn = Settings.for_corpus(stats, seed=1, holdout=0.1)
    lstm = Settings.for_corpus(stats, seed=1, holdout=0.1, cell="lstm", layers=2)
    assert (rnn.hidden_size, lstm.hidden_size) == (384, 128)
    assert (rnn.dropout, lstm.dropout) == (rnn_dropout, lstm_dropout)
    assert rnn.steps == lstm.steps == epochs * max(1, int(0.9 * symbols) // (32 * 64))


@pytest.mark.parametrize(("symbols", "holdout"), [(4_999, 0.0), (5_000, 0.1)])
def test_short_text_is_not_held_out(symbols: int, holdout: float) -> None:
    """At least 500 symbols are held out, or none; what is given is kept."""
    stats = TEXT._replace(symbols=symbols)
    assert Settings.for_corpus(stats, seed=1).holdout == holdout
    assert Settings.for_corpus(stats, seed=1, holdout=0.01).holdout == 0.01


def test_given_settings_of_running_text_are_kept() -> None:
    """Zero is a value, and None means the default."""
    given: dict[str, Any] = {
        "hidden_size": 5,
        "layers": 2,
        "cell": "lstm",
        "batch_size": 3,
        "window": 7,
        "learning_rate": 0.25,
        "dropout": 0.0,
        "holdout": 0.0,
    }
    settings = Settings.for_corpus(TEXT, seed=1, steps=9, momentum=None, **given)
    assert given.items() <= settings.to_json().items()
    assert (settings.steps, settings.momentum) == (9, Settings.momentum)
    with pytest.raises(SettingError, match="one of them"):
        Settings.for_corpus(TEXT, seed=1, steps=5, epochs=5)
    with pytest.raises(SettingError, match="window must be from 1 to"):
        Settings.for_corpus(TEXT, seed=1, window=0)


@pytest.mark.parametrize(
    ("symbols", "streams", "window", "holdout"),
    [
        (1_000, 3, 7, 0.1),
        (1_000, 3, 7, 0.0),
        (640, 64, 10, 0.0),
        (100, 64, 64, 0.1),
        (5, 9, 2, 0.0),
    ],
)
def test_epochs_of_running_text_are_counted_in_windows(
    symbols: int, streams: int, window: int, holdout: float
) -> None:
    """An epoch has as many steps as the windows of the training part."""
    stats = TEXT._replace(symbols=symbols)
    corpus = TextCorpus(
        Texts(np.arange(symbols, dtype=np.uint16), np.array([0, symbols])), Vocabulary("ab"), stats
    )
    training, _ = hold_out_text(corpus, holdout)
    windows = Windows(training, streams, window, seed=1)
    given: dict[str, Any] = {"batch_size": streams, "window": window, "holdout": holdout}
    settings = Settings.for_corpus(stats, seed=1, epochs=4, **given)
    assert settings.steps == 4 * windows.per_epoch


# Bounds and choices.


@pytest.mark.parametrize("name", sorted(name for name in CHOSEN.to_json() if name not in CHOICES))
def test_every_number_has_its_bounds(name: str) -> None:
    """The bounds themselves are allowed. Beyond them, and for NaN, the message has the name."""
    low, high = BOUNDS[name]
    for value in (low, high):
        assert getattr(changed(name, value), name) == value
    for value in (low - 1, high * 2 + 1, float("nan")):
        with pytest.raises(SettingError, match=name.replace("_", " ")):
            changed(name, value)


def test_every_setting_has_bounds_or_choices() -> None:
    """Numbers have bounds, and texts have choices. Epochs are converted to steps."""
    assert set(CHOSEN.to_json()) == {*BOUNDS, *CHOICES} - {"epochs"}


def test_the_cells_are_those_of_the_networks() -> None:
    """Settings list the cells without importing them, in the same order."""
    assert CHOICES["cell"] == tuple(CELLS)


@pytest.mark.parametrize("name", CHOICES)
def test_every_choice_is_allowed_and_no_other(name: str) -> None:
    """The message for an unknown choice has the known ones."""
    for value in CHOICES[name]:
        assert getattr(changed(name, value), name) == value
    for value in ("", "RNN", "transformer"):
        with pytest.raises(
            SettingError, match=f"{name} must be .*{CHOICES[name][0]}.*, not '{value}'"
        ):
            changed(name, value)
        with pytest.raises(SettingError, match=name):
            Settings.from_json({**PLAIN.to_json(), name: value})
        with pytest.raises(SettingError, match=name):
            Settings.for_corpus(DINOSAURS, **{"seed": 1, name: value})  # type: ignore[arg-type]


def test_something_has_to_be_trained() -> None:
    """Neither a network nor n-grams is refused."""
    with pytest.raises(SettingError, match="keep one of them"):
        Settings(seed=1, hidden_size=0, steps=1, order=0)


@pytest.mark.parametrize("given", [{"cell": "lstm"}, {"layers": 2}], ids=str)
def test_no_network_has_no_cell(given: dict[str, Any]) -> None:
    """A kind of network without a network has no effect, so it is refused."""
    with pytest.raises(SettingError, match="leave cell and layers out"):
        Settings.for_corpus(DINOSAURS, seed=1, hidden_size=0, **given)


# JSON.


@pytest.mark.parametrize("settings", [PLAIN, CHOSEN], ids=["plain", "chosen"])
def test_settings_survive_json(settings: Settings) -> None:
    """What is written into a checkpoint reads back the same."""
    assert Settings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_survives_json(cell: str) -> None:
    """The cell is written by its name."""
    settings = replace(PLAIN, cell=cell)
    assert settings.to_json()["cell"] == cell
    assert Settings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "1"},
        {"steps": 1.5},
        {"momentum": None},
        {"colour": 3},
        {"seed": True},
        {"cell": 3},
        {"cell": None},
        {"cell": ["rnn"]},
        {"layers": "1"},
    ],
    ids=str,
)
def test_settings_of_another_type_are_refused(change: dict[str, object]) -> None:
    """A text for a number, a fraction for a whole number, None, and an unknown name."""
    with pytest.raises(SettingError, match=next(iter(change))):
        Settings.from_json({**PLAIN.to_json(), **change})


def test_incomplete_settings_are_refused() -> None:
    """The message says that a setting is missing."""
    with pytest.raises(SettingError, match="hidden_size and steps must be given"):
        Settings.from_json({"seed": 1})


# How training starts.


@pytest.mark.parametrize("names", [50, 2_000])
def test_a_tuned_network_trains_in_the_same_way_whatever_the_list(names: int) -> None:
    """Its epochs, rate and dropout do not depend on the list, and are not those from scratch."""
    stats = DINOSAURS._replace(lines=names, names=names)
    network: dict[str, Any] = {"cell": "lstm", "layers": 2, "hidden_size": 16, "seed": 1}
    tuned = Settings.for_corpus(stats, start="tuned", **network)
    held_out = stats.held_out_count(tuned.holdout)
    batches = -(-(names - held_out) // tuned.batch_size)
    other = Settings.for_corpus(DINOSAURS, start="tuned", **network)
    assert tuned.steps % batches == 0
    assert other.steps % -(-(1_524 - 152) // other.batch_size) == 0
    assert (tuned.learning_rate, tuned.dropout) == (other.learning_rate, other.dropout)
    assert tuned.learning_rate < Settings.for_corpus(stats, **network).learning_rate
    # All of them can be overridden.
    given: dict[str, Any] = {"learning_rate": 0.125, "dropout": 0.0, "epochs": 3}
    chosen = Settings.for_corpus(stats, start="tuned", **network, **given)
    assert (chosen.learning_rate, chosen.dropout, chosen.steps) == (0.125, 0.0, 3 * batches)


def test_a_taught_network_counts_the_written_names() -> None:
    """An epoch has the names of the list that are not held out, and the written ones."""
    stats = DINOSAURS._replace(lines=300, names=300)
    taught = Settings.for_corpus(stats, seed=1, start="taught", epochs=2)
    assert taught.steps == 2 * -(-(300 - 30 + WRITTEN) // taught.batch_size)
    default = Settings.for_corpus(stats, seed=1, start="taught")
    assert default.steps % (taught.steps // 2) == 0
    assert default.dropout < Settings.for_corpus(stats, seed=1).dropout


@pytest.mark.parametrize("start", STARTS)
def test_every_start_survives_json(start: str) -> None:
    """How training started is written by its name."""
    settings = replace(PLAIN, start=start)
    assert settings.to_json()["start"] == start
    assert Settings.from_json(json.loads(json.dumps(settings.to_json()))) == settings
    with pytest.raises(SettingError, match="start must be scratch, tuned or taught, not 'late'"):
        replace(PLAIN, start="late")
