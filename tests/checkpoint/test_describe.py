"""The description of a checkpoint: what ``dinogen inspect --json`` prints."""

import json
from dataclasses import replace

import numpy as np

from dinogen import __version__
from dinogen.checkpoint import (
    FORMAT,
    Checkpoint,
    HeldOut,
    HistoryRow,
    Lineage,
    ResumeState,
    TrainingStats,
    describe,
)
from dinogen.data import CaseRule, CorpusStats, Vocabulary, WordShape
from dinogen.generation import Decoding
from dinogen.models import Mixture, Network, NetworkConfig

SHA256 = "0123456789abcdef" * 4

DEFAULT = Checkpoint(
    recipe="default",
    mixture=Mixture({"network": Network(NetworkConfig(vocab_size=4, hidden_size=3))}),
    vocabulary=Vocabulary("-aß"),
    case=CaseRule(True, frozenset("-\n"), (WordShape("ß\n", "x"), WordShape("a", ""))),
    corpus=CorpusStats(lines=12, names=9, duplicates=3, shortest=2, longest=5, sha256=SHA256),
    known=np.arange(9, dtype=np.uint64),
    pairs=np.array([[0, 2], [3, 1]], dtype=np.uint32),
    decoding=Decoding(0.75, top_k=4, min_p=0.125, keep=0.5),
    training=TrainingStats(
        seed=2**64 - 1, steps=40, seconds=2.5, interrupted=True, settings={"clip": 1.0, "cell": "x"}
    ),
    held_out=HeldOut(2, 1.75, members={"network": 1.75}, frequencies=2.5),
    history=[
        HistoryRow(step=1, losses={"train": 1.5, "heldout": 2.0}),
        HistoryRow(step=40, losses={"train": 1.25, "heldout": None}),
    ],
    resume=ResumeState({"secret": np.zeros(2, np.float32)}, {"stale": 3}),
    lineage=Lineage("some.npz", SHA256, "gru", 2, 6, symbols=3, steps=12, nats_per_symbol=1.5),
)


def test_describes_the_default_recipe() -> None:
    """The description is the published object, number for number, and nothing else."""
    assert describe(DEFAULT) == {
        "format": FORMAT,
        "version": __version__,
        "recipe": "default",
        "model": {
            "cell": "rnn",
            "layers": 1,
            "hidden_size": 3,
            # 4 x 3 + 3 x 3 + 3 weights in, 3 x 4 + 4 out.
            "parameters": 40,
            "arrays": {
                "Wax": {"shape": [4, 3], "parameters": 12},
                "Waa": {"shape": [3, 3], "parameters": 9},
                "ba": {"shape": [3], "parameters": 3},
                "Wya": {"shape": [3, 4], "parameters": 12},
                "by": {"shape": [4], "parameters": 4},
            },
            "members": {
                "network": {
                    "kind": "network",
                    "weight": 1.0,
                    "cell": "rnn",
                    "layers": 1,
                    "hidden_size": 3,
                    "dtype": "float32",
                    "parameters": 40,
                }
            },
        },
        "ngram": None,
        "weights": {"network": 1.0, "ngram": 0.0},
        "unit": "character",
        "symbols": ["-", "a", "ß"],
        "case": {
            "fold": True,
            "capital_after": ["\n", "-"],
            "shapes": [{"text": "ß\n", "shape": "x"}, {"text": "a", "shape": ""}],
        },
        "corpus": {
            "content": "names",
            "lines": 12,
            "names": 9,
            "duplicates": 3,
            "shortest": 2,
            "longest": 5,
            "sha256": SHA256,
            "weight": None,
        },
        "decoding": {"temperature": 0.75, "top_k": 4, "top_p": None, "min_p": 0.125, "keep": 0.5},
        "training": {
            "seed": 18446744073709551615,
            "steps": 40,
            "seconds": 2.5,
            "interrupted": True,
            "settings": {"clip": 1.0, "cell": "x"},
        },
        "lineage": {
            "name": "some.npz",
            "digest": SHA256,
            "cell": "gru",
            "layers": 2,
            "hidden_size": 6,
            "symbols": 3,
            "steps": 12,
            "nats_per_symbol": 1.5,
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
    """It holds nothing out, and its rows have samples."""
    row = HistoryRow(step=1, losses={"smoothed_loss": 23.5}, samples=["Aß", "-a"])
    classic = describe(
        replace(
            DEFAULT,
            recipe="classic",
            case=CaseRule.unchanged(),
            held_out=None,
            lineage=None,
            history=[row],
        )
    )
    assert classic["recipe"] == "classic"
    assert classic["case"] == {"fold": False, "capital_after": [], "shapes": []}
    assert classic["heldout"] is classic["lineage"] is None
    assert classic["history"] == [{"step": 1, "smoothed_loss": 23.5, "samples": ["Aß", "-a"]}]


def test_a_description_is_json(trained: Checkpoint) -> None:
    """JSON does not change the description of a real checkpoint."""
    description = describe(trained)
    assert json.loads(json.dumps(description, allow_nan=False)) == description
    assert description["recipe"] == trained.recipe
    assert description["training"]["steps"] == 2
    assert description["training"]["interrupted"] is True
    assert [row["step"] for row in description["history"]] == [1]
    assert description["model"]["members"].keys() == trained.mixture.members.keys()


def test_describes_models_by_their_kind() -> None:
    """The names of members do not matter: a network named ngram is still a network."""
    first = Network(NetworkConfig(vocab_size=4, hidden_size=3))
    second = Network(NetworkConfig(vocab_size=4, hidden_size=2, cell="gru", layers=2))
    held_out = HeldOut(2, 1.75, members={"ngram": 1.5, "other": 2.0}, frequencies=2.5)
    found = describe(
        replace(DEFAULT, mixture=Mixture({"ngram": first, "other": second}), held_out=held_out)
    )
    assert found["ngram"] is None
    assert found["model"]["parameters"] == found["model"]["members"]["ngram"]["parameters"] == 40
    # Three gates: 3 x (4 x 2 + 2 x 2 + 2), 3 x (2 x 2 + 2 x 2 + 2), and 2 x 4 + 4 out.
    assert found["model"]["members"]["other"]["parameters"] == 42 + 30 + 12
    assert found["weights"] == {"network": 0.0, "ngram": 0.5, "other": 0.5}
    assert found["heldout"]["other"] == 2.0
