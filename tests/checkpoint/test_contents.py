"""What a checkpoint says of itself, and what it may be gone on with."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dinogen import __version__
from dinogen.checkpoint.contents import (
    Checkpoint,
    ClassicRow,
    DefaultRow,
    HeldOut,
    ResumeState,
    TrainingFacts,
)
from dinogen.errors import CheckpointError
from dinogen.models.rnn import RNN, RNNConfig
from dinogen.text.case import CaseRule
from dinogen.text.corpus import read_corpus
from dinogen.text.facts import CorpusFacts
from dinogen.text.vocabulary import Vocabulary
from tests.checkpoint.crafting import NAMES, begin

SHA256 = "0123456789abcdef" * 4

DEFAULT = Checkpoint(
    recipe="default",
    network=RNN(RNNConfig(symbols=4, hidden_size=3)),
    ngram=None,
    weight=1.0,
    vocabulary=Vocabulary("-aß"),
    case=CaseRule(fold=True, capital_after=frozenset("-\n")),
    corpus=CorpusFacts(lines=12, names=9, duplicates=3, longest=5, sha256=SHA256),
    known=np.arange(9, dtype=np.uint64),
    training=TrainingFacts(
        seed=2**64 - 1, steps=40, seconds=2.5, interrupted=True, settings={"clip": 1.0, "steps": 90}
    ),
    held_out=HeldOut(2, 1.75, network=1.75, ngram=None, frequencies=2.5),
    history=[
        DefaultRow(step=1, train=1.5, heldout=2.0),
        DefaultRow(step=40, train=1.25, heldout=None),
    ],
    resume=ResumeState({}, {"stale": 3}),
)


def test_describes_the_default_recipe() -> None:
    """The description is the published object, number for number, and nothing else."""
    assert DEFAULT.description() == {
        "format": 1,
        "version": __version__,
        "recipe": "default",
        # 4 x 3 + 3 x 3 + 3 weights in, 3 x 4 + 4 out.
        "model": {"cell": "rnn", "layers": 1, "hidden_size": 3, "parameters": 40},
        "ngram": None,
        "weights": {"network": 1.0, "ngram": 0.0},
        "symbols": ["-", "a", "ß"],
        "case": {"fold": True, "capital_after": ["\n", "-"]},
        "corpus": {"lines": 12, "names": 9, "duplicates": 3, "longest": 5, "sha256": SHA256},
        "training": {
            "seed": 18446744073709551615,
            "steps": 40,
            "seconds": 2.5,
            "interrupted": True,
            "settings": {"clip": 1.0, "steps": 90},
        },
        "heldout": {
            "names": 2,
            "nats_per_symbol": 1.75,
            "network": 1.75,
            "ngram": None,
            "frequencies": 2.5,
        },
        "history": [
            {"step": 1, "train": 1.5, "heldout": 2.0},
            {"step": 40, "train": 1.25, "heldout": None},
        ],
    }


def test_describes_the_classic_recipe() -> None:
    """The classic recipe has rows of its own and holds nothing out."""
    classic = replace(
        DEFAULT,
        recipe="classic",
        case=CaseRule.keep(),
        held_out=None,
        history=[ClassicRow(step=1, smoothed_loss=23.5, samples=["Aß", "-a"])],
    ).description()
    assert classic["recipe"] == "classic"
    assert classic["case"] == {"fold": False, "capital_after": []}
    assert classic["heldout"] is None
    assert classic["history"] == [{"step": 1, "smoothed_loss": 23.5, "samples": ["Aß", "-a"]}]


def test_a_description_is_json(trained: Checkpoint) -> None:
    """A description of a real checkpoint goes through JSON and comes back as it was."""
    description = trained.description()
    assert json.loads(json.dumps(description, allow_nan=False)) == description
    assert description["recipe"] == trained.recipe
    assert description["training"]["steps"] == 2
    assert description["training"]["interrupted"] is True
    assert [row["step"] for row in description["history"]] == [1]


def test_the_shapes_of_what_a_resume_needs() -> None:
    """The default recipe keeps weights and velocities until it is done, the classic one a state."""
    config = RNNConfig(symbols=7, hidden_size=5)
    shapes = {"Wax": (7, 5), "Waa": (5, 5), "ba": (5,), "Wya": (5, 7), "by": (7,)}
    assert ResumeState.shapes("default", config, interrupted=True) == {
        **{f"parameters.{name}": shape for name, shape in shapes.items()},
        **{f"velocity.{name}": shape for name, shape in shapes.items()},
    }
    assert ResumeState.shapes("default", config, interrupted=False) == {}
    for interrupted in (True, False):
        shapes = ResumeState.shapes("classic", config, interrupted=interrupted)
        assert shapes == {"a_prev": (1, 5)}


def test_gives_its_state_to_the_same_recipe_on_the_same_list(
    trained: Checkpoint, tmp_path: Path
) -> None:
    """Training goes on with the list it began with, however that is read again."""
    corpus = begin(trained.recipe, tmp_path).corpus
    assert trained.state_for(trained.recipe, corpus) is trained.resume


def test_refuses_another_recipe(trained: Checkpoint, tmp_path: Path) -> None:
    """Going on with the other recipe is refused, and the right one named."""
    corpus = begin(trained.recipe, tmp_path).corpus
    other = {"default": "classic", "classic": "default"}[trained.recipe]
    with pytest.raises(CheckpointError, match=f"resume with --recipe {trained.recipe}$"):
        trained.state_for(other, corpus)


@pytest.mark.parametrize(
    ("text", "fold", "flip"),
    [
        (NAMES + "Heimdall\n", True, False),
        (NAMES.replace("Thor\n", "", 1), True, False),
        (NAMES.replace("Baldr", "Baldt"), True, False),  # as long, and of as many names
        ("\n".join(reversed(NAMES.splitlines())), True, False),
        (NAMES, False, False),
        (NAMES, True, True),
    ],
)
def test_refuses_another_list(
    trained: Checkpoint, tmp_path: Path, text: str, fold: bool, flip: bool
) -> None:
    """A list that differs by a name, a letter or its order, or is read otherwise, is refused."""
    path = tmp_path / "other.txt"
    path.write_bytes(text.encode())
    keep = (trained.recipe == "classic") != flip
    corpus = read_corpus([path], fold_case=fold, keep_duplicates=keep)
    with pytest.raises(CheckpointError, match="another list"):
        trained.state_for(trained.recipe, corpus)
