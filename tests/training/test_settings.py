"""Settings: the rule for what was not given, and the refusal of what cannot be."""

from dataclasses import replace
from typing import Any

import pytest

from dinogen.errors import SettingError
from dinogen.text.facts import CorpusFacts
from dinogen.training.settings import BOUNDS, Settings

DINOSAURS = CorpusFacts(lines=1_536, names=1_524, duplicates=12, longest=26, sha256="")
PLAIN = Settings(seed=1, hidden_size=8, steps=10)


def changed(name: str, value: Any) -> Settings:
    """Change one setting of a plain choice."""
    return replace(PLAIN, **{name: value})


def test_the_rule_for_a_list_of_dinosaurs() -> None:
    """1,524 names, 152 held out: 43 batches an epoch, 640 / 1524^0.35 = 49 epochs, 256 units."""
    settings = Settings.for_corpus(DINOSAURS, seed=1)
    assert settings.steps == 49 * 43
    assert settings.hidden_size == 256
    assert settings.dropout == pytest.approx(24 / 1524**0.6, abs=1e-3)


def test_the_rule_for_a_tiny_and_a_long_list() -> None:
    """Ten names get 286 passes, 128 hidden units and half of them dropped; 10,000 get 256."""
    tiny = CorpusFacts(lines=10, names=10, duplicates=0, longest=5, sha256="")
    settings = Settings.for_corpus(tiny, seed=1)
    assert (settings.steps, settings.hidden_size, settings.dropout) == (286, 128, 0.5)
    long = tiny._replace(lines=10_000, names=10_000)
    settings = Settings.for_corpus(long, seed=1)
    assert (settings.hidden_size, settings.batch_size) == (256, 64)


def test_what_is_given_is_taken() -> None:
    """Given numbers stand; epochs are counted in batches of the names learned from."""
    settings = Settings.for_corpus(
        DINOSAURS,
        seed=9,
        epochs=3,
        batch_size=100,
        hidden_size=5,
        holdout=0.5,
        momentum=None,
        dropout=0.2,
    )
    assert settings == Settings(
        seed=9, hidden_size=5, steps=3 * 8, batch_size=100, holdout=0.5, momentum=0.9, dropout=0.2
    )
    assert Settings.for_corpus(DINOSAURS, seed=9, steps=7).steps == 7


def test_steps_and_epochs_contradict_each_other() -> None:
    """Both at once are refused."""
    with pytest.raises(SettingError, match="one of them"):
        Settings.for_corpus(DINOSAURS, seed=1, steps=5, epochs=5)


@pytest.mark.parametrize("name", sorted(PLAIN.to_json()))
def test_every_setting_has_its_bounds(name: str) -> None:
    """The bounds themselves pass; beyond them, and for NaN, the message names the setting."""
    low, high = BOUNDS[name]
    for value in (low, high):
        assert getattr(changed(name, value), name) == value
    for value in (low - 1, high * 2 + 1, float("nan")):
        with pytest.raises(SettingError, match=name.replace("_", " ")):
            changed(name, value)


def test_settings_survive_json() -> None:
    """What is written into a checkpoint reads back as it was."""
    assert Settings.from_json(PLAIN.to_json()) == PLAIN


@pytest.mark.parametrize(
    "change",
    [{"seed": "1"}, {"steps": 1.5}, {"momentum": None}, {"colour": 3}, {"seed": True}],
    ids=str,
)
def test_settings_of_another_kind_are_refused(change: dict[str, object]) -> None:
    """A text, a broken number for a whole one, nothing, or an unknown name is no setting."""
    with pytest.raises(SettingError):
        Settings.from_json({**PLAIN.to_json(), **change})


def test_incomplete_settings_are_refused() -> None:
    """A missing setting is told as such."""
    with pytest.raises(SettingError, match="incomplete"):
        Settings.from_json({"seed": 1})
