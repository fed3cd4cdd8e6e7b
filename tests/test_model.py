"""The front door of the library: loading, sampling and saving a model."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dinogen import (
    CheckpointError,
    DefaultRun,
    Model,
    Network,
    SettingError,
    Settings,
    load,
    read_corpus,
    read_texts,
)
from dinogen.cli import BUNDLED
from dinogen.generation import Options, TextOptions
from tests.conftest import CORPORA


@pytest.fixture(scope="module")
def model() -> Model:
    """The bundled model."""
    return load(BUNDLED)


@pytest.fixture(scope="module")
def writing(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model of running text, n-grams alone."""
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text((CORPORA / "sonnets.txt").read_text("utf-8")[:8_000], "utf-8")
    corpus = read_texts([path])
    run = DefaultRun.start(corpus, seed=1, hidden_size=0)
    for _ in run.train():
        pass
    return Model(run.checkpoint())


def test_a_model_samples_what_its_namer_draws(model: Model) -> None:
    """Options are passed on by name, and the parts are joined and spelled."""
    namer = model.namer
    drawn = namer.draw(5, 3, Options(prefix="t", temperature=0.8), skip=2)
    names = [name for part in drawn for name in namer.spell(part.names)]
    assert model.sample(5, 3, skip=2, prefix="t", temperature=0.8) == names
    assert len(set(names)) == 5
    assert all(name.startswith("T") for name in names)


@pytest.mark.parametrize("options", [{"temprature": 1}, {"n_best": 3}, {"inner": ()}])
def test_an_unknown_option_is_named(model: Model, options: dict[str, Any]) -> None:
    """A misspelled option is refused before anything is drawn."""
    with pytest.raises(SettingError, match=f"{next(iter(options))} is not a sampling option"):
        model.sample(1, **options)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_has_bounds(model: Model, seed: int) -> None:
    """A seed that no random stream has is refused with its bounds."""
    with pytest.raises(SettingError, match="seed must be from 0 to 18,446,744,073,709,551,615"):
        model.sample(1, seed)


def test_a_saved_model_writes_the_same_names(model: Model, tmp_path: Path) -> None:
    """Saving and loading changes neither names nor weights."""
    model.save(tmp_path / "model.npz")
    loaded = load(tmp_path / "model.npz")
    assert loaded.sample(20, 1) == model.sample(20, 1)
    assert loaded.checkpoint.mixture.weights == model.checkpoint.mixture.weights
    np.testing.assert_array_equal(loaded.checkpoint.known, model.checkpoint.known)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_larger_network(cell: str, tmp_path: Path) -> None:
    """Cell and layers are chosen by name; the model is trained, saved, loaded and sampled."""
    corpus = read_corpus([CORPORA / "edda.txt"])
    chosen: dict[str, Any] = {"cell": cell, "layers": 2, "hidden_size": 8, "steps": 20}
    run = DefaultRun(corpus, Settings.for_corpus(corpus.stats, seed=1, **chosen))
    for _ in run.train():
        pass
    model = Model(run.checkpoint())
    model.save(tmp_path / "model.npz")
    loaded = load(tmp_path / "model.npz")
    network = loaded.checkpoint.mixture.members["network"]
    assert isinstance(network, Network)
    assert (network.config.cell, network.config.layers) == (cell, 2)
    names = loaded.sample(300, 1, prefix=["s", "ha"], suffix="r")
    assert names == model.sample(300, 1, prefix=["s", "ha"], suffix="r")
    assert loaded.sample(7, 1, prefix=["s", "ha"], suffix="r") == names[:7]
    assert all(name.startswith(("S", "Ha")) and name.endswith("r") for name in names)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cell": "transformer"}, "cell must be rnn, gru or lstm, not 'transformer'"),
        ({"cell": "LSTM"}, "cell must be rnn, gru or lstm, not 'LSTM'"),
        ({"cell": 4}, "cell 4: must be a text"),
        ({"layers": 0}, "layers must be from 1 to 8, not 0"),
        ({"layers": 9}, "layers must be from 1 to 8, not 9"),
        ({"layers": 1.5}, "layers 1.5: must be a whole number"),
    ],
)
def test_an_unknown_network_is_refused(given: dict[str, Any], message: str) -> None:
    """The message says what is possible."""
    stats = read_corpus([CORPORA / "edda.txt"]).stats
    with pytest.raises(SettingError, match=re.escape(message)):
        Settings.for_corpus(stats, seed=1, **given)


# Running text.


def test_a_model_of_text_samples_what_its_writer_writes(writing: Model, tmp_path: Path) -> None:
    """Options are passed on by name, and the pieces are joined; saving changes nothing."""
    assert writing.writes_text
    chosen: dict[str, Any] = {"prefix": "Shall I\n", "length": 5_000, "temperature": 0.8}
    texts = writing.sample(3, 4, **chosen)
    pieces = [*writing.writer.write(3, 4, TextOptions(**chosen))]
    assert len(pieces) > 3
    for index, text in enumerate(texts):
        assert text == "".join(piece.text for piece in pieces if piece.index == index)
        assert text.startswith("Shall I\n")
        assert len(text) == len("Shall I\n") + 5_000
    assert len({*texts}) == 3
    assert writing.sample(0, 4) == []
    writing.save(tmp_path / "text.npz")
    loaded = load(tmp_path / "text.npz")
    assert loaded.writes_text
    assert loaded.sample(3, 4, **chosen) == texts


def test_options_without_a_value_fit_any_model(writing: Model) -> None:
    """None, False and no texts are as if they were left out."""
    nothing: dict[str, Any] = {"suffix": (), "pattern": None, "allow_known": False, "top_k": None}
    assert writing.sample(1, 2, length=50, **nothing) == writing.sample(1, 2, length=50)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"suffix": "x"}, "suffix is for names, and the model writes running text; leave it out"),
        ({"min_length": 3}, "min length is for names"),
        ({"allow_known": True}, "allow known is for names"),
        ({"skip": 2}, "skip is for names"),
        ({"n_best": 3}, "n_best is not a sampling option"),
        ({"length": 0}, "length must be from 1 to"),
        ({"prefix": "漢"}, "'漢': unknown symbol '漢'"),
    ],
)
def test_options_that_running_text_does_not_have(
    writing: Model, options: dict[str, Any], message: str
) -> None:
    """They are refused before anything is written."""
    with pytest.raises(SettingError, match=re.escape(message)):
        writing.sample(1, 0, **options)


def test_names_and_text_have_writers_of_their_own(model: Model, writing: Model) -> None:
    """A model has no other one, and names have no length."""
    assert not model.writes_text
    with pytest.raises(CheckpointError, match="writes names, and not running text"):
        _ = model.writer
    with pytest.raises(CheckpointError, match="writes running text, and not names"):
        _ = writing.namer
    with pytest.raises(SettingError, match="length is for running text, and the model writes name"):
        model.sample(1, length=30)
