"""The front door of the library: loading, sampling, scoring and saving a model."""

import math
import pickle
import re
from collections.abc import Callable
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest

from dinogen import (
    CheckpointError,
    DefaultRun,
    DinogenError,
    Model,
    RanOutError,
    SamplingOptions,
    Score,
    SettingError,
    blend,
    load,
    read_corpus,
    read_texts,
    train,
)
from dinogen.cli import BUNDLED
from dinogen.generation import Options, TextOptions
from dinogen.models import Network, next_probabilities
from dinogen.training import Settings
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


def test_without_a_path_the_bundled_model_is_loaded(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the folder nor the environment says otherwise, as they do on the command line."""
    (tmp_path / "dinogen.npz").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DINOGEN_CHECKPOINT", "away.npz")
    loaded = load()
    assert loaded.path == BUNDLED
    assert loaded.sample(3, 1) == model.sample(3, 1)


def test_without_a_seed_names_are_fresh(model: Model, writing: Model) -> None:
    """Each visitor gets other names; with a seed, all get the same."""
    assert len({*model.sample(5), *model.sample(5)}) == 10
    assert writing.sample(1, length=40) != writing.sample(1, length=40)
    assert model.sample(5, 0) == model.sample(5, 0) == model.sample(5, "0")
    assert len(model.sample()) == 10


# Options.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temprature": 1}, "temprature is not a sampling option; did you mean temperature?"),
        ({"maxlength": 1}, "maxlength is not a sampling option; did you mean max_length?"),
        ({"n_best": 3}, "n_best is not a sampling option"),
        ({"inner": ()}, "inner is not a sampling option"),
        ({"temperature": "hot"}, "temperature must be a number, not 'hot'"),
        ({"temperature": True}, "temperature must be a number, not True"),
        ({"temperature": math.nan}, "temperature must be from 0.000001 to 1,000,000, not nan"),
        ({"temperature": 10**400}, "temperature must be from 0.000001 to"),
        ({"top_k": 2.5}, "top k must be a whole number, not 2.5"),
        ({"prefix": 3}, "prefix must be a text or a list of texts, not 3"),
        ({"avoid": ["a", 3]}, "avoid must be a text or a list of texts, not ['a', 3]"),
        ({"exclude": b"Rex"}, "exclude must be a text or a list of texts, not b'Rex'"),
        ({"pattern": ["a*"]}, "pattern must be a text, not ['a*']"),
        ({"allow_known": "yes"}, "allow known must be True or False, not 'yes'"),
        ({"allow_repeats": 1}, "allow repeats must be True or False, not 1"),
        ({"n": "7"}, "n must be a whole number, not '7'"),
        ({"n": True}, "n must be a whole number, not True"),
        ({"n": 7.0}, "n must be a whole number, not 7.0"),
        ({"n": None}, "n must be a whole number, not None"),
        ({"n": -1}, "n must be from 0 to"),
        ({"skip": "3"}, "skip must be a whole number, not '3'"),
        ({"seed": 1.5}, "seed must be a whole number or a text, not 1.5"),
        ({"seed": True}, "seed must be a whole number or a text, not True"),
    ],
)
def test_wrong_options_are_named_at_once(
    model: Model, writing: Model, options: dict[str, Any], message: str
) -> None:
    """They are refused before anything is drawn, and the message says what they must be."""
    names_only = {"avoid", "exclude", "pattern", "allow_known", "allow_repeats", "skip"}
    for sampler in (model, blend([model]), writing):
        if sampler is writing and names_only & {*options}:
            continue
        if sampler is writing and "prefix" in options:
            message = "prefix must be a text, not 3"
        with pytest.raises(SettingError, match=f"^{re.escape(message)}"):
            sampler.sample(**options)
        if "n" not in options:
            with pytest.raises(SettingError, match=f"^{re.escape(message)}"):
                sampler.stream(**options)


def test_a_type_checker_refuses_wrong_options(model: Model) -> None:
    """The comments are errors of their own if it does not."""
    with pytest.raises(SettingError):
        model.sample(temprature=1)  # type: ignore[call-arg]
    with pytest.raises(SettingError):
        model.stream(temperature="hot")  # type: ignore[arg-type]
    with pytest.raises(SettingError):
        model.sample(allow_known="yes")  # type: ignore[arg-type]
    with pytest.raises(SettingError):
        model.sample(prefix=3)  # type: ignore[arg-type]
    with pytest.raises(SettingError):
        blend([model]).sample("7")  # type: ignore[arg-type]


def test_numbers_of_numpy_are_numbers(model: Model) -> None:
    """Whole numbers and others, as arguments and as options."""
    numbers: dict[str, Any] = {
        "n": np.int64(4),
        "seed": np.uint32(3),
        "skip": np.int16(2),
        "temperature": np.float32(0.5),
        "top_k": np.int8(9),
        "max_length": np.int64(9),
    }
    plain: dict[str, Any] = {name: value.item() for name, value in numbers.items()}
    names = model.sample(**numbers)
    assert names == model.sample(**plain)
    assert max(map(len, names)) <= 9


def test_keyword_arguments_are_the_attributes_of_the_options() -> None:
    """Names and types of the keyword arguments are those of the options that they become."""
    keywords = get_type_hints(SamplingOptions)
    of_names, of_text = (
        {field.name: field.type for field in fields(kind)} for kind in (Options, TextOptions)
    )
    # A text is a sequence of texts for a type checker.
    assert of_text.pop("prefix") is str
    assert keywords == of_text | of_names


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


# Names as they are needed.


@pytest.mark.parametrize("options", [{}, {"suffix": "us", "temperature": 0.9}], ids=str)
def test_a_stream_begins_with_the_names_of_a_sample(model: Model, options: SamplingOptions) -> None:
    """It goes on for as long as it is asked, with and without constraints."""
    for sampler in (model, blend([model])):
        stream = sampler.stream(5, skip=3, **options)
        assert [*islice(stream, 700)] == sampler.sample(700, 5, skip=3, **options)
        assert next(stream)
    assert next(model.stream()) != next(model.stream())


def test_a_stream_of_texts_begins_with_those_of_a_sample(writing: Model) -> None:
    """Its items are whole texts."""
    stream = writing.stream(5, prefix="Shall", length=60)
    assert [*islice(stream, 4)] == writing.sample(4, 5, prefix="Shall", length=60)


def test_a_stream_ends_when_names_run_out(tmp_path: Path) -> None:
    """There are four names of two letters, and then an error instead of an endless loop."""
    path = tmp_path / "names.txt"
    path.write_text("aa\nab\n", "utf-8")
    run = DefaultRun.start(read_corpus([path]), seed=1, hidden_size=0)
    tiny, found = Model(run.checkpoint()), list[str]()
    with pytest.raises(RanOutError) as caught:
        found.extend(tiny.stream(1, allow_known=True, temperature=1.0))
    assert sorted(found) == ["aa", "ab", "ba", "bb"]
    assert caught.value.names == []


def test_names_that_were_found_before_they_ran_out_are_kept(tmp_path: Path) -> None:
    """The error has them, in their order, also after it was sent from another process."""
    run = DefaultRun.start(read_corpus([CORPORA / "edda.txt"]), seed=1, hidden_size=0)
    model = Model(run.checkpoint())
    with pytest.raises(RanOutError, match=r"^found \d+ of 500 names in .*temperature 1") as caught:
        model.sample(500, 1, pattern="?a")
    names = caught.value.names
    assert 5 < len(names) == len({*names}) < 30
    assert names == model.sample(len(names), 1, pattern="?a")
    assert pickle.loads(pickle.dumps(caught.value)).names == names  # noqa: S301


# Scores.


def by_hand(model: Model, name: str) -> list[tuple[str, float]]:
    """Return the symbols of a small name with their nats, read one after the other."""
    checkpoint, read, result = model.checkpoint, list[int](), []
    for symbol in (*name, ""):
        p = next_probabilities(checkpoint.mixture, read)
        index = 1 + checkpoint.vocabulary.symbols.index(symbol) if symbol else 0
        result.append((symbol, -math.log(p[index])))
        read.append(index)
    return result


def test_names_are_scored(model: Model) -> None:
    """In any case, with and without white space around them, known or not."""
    scores = model.score(["Tyrannosaurus", " REXODON\n", "Ünica", ""])
    assert [score.text for score in scores] == ["Tyrannosaurus", " REXODON\n", "Ünica", ""]
    assert [score.known for score in scores] == [True, False, False, False]
    assert [score.unknown for score in scores] == [None, None, "Ü", None]
    assert [score.symbols for score in scores] == [14, 8, 6, 1]
    for score, name in zip(scores, ("tyrannosaurus", "rexodon", None, ""), strict=True):
        if name is None:
            assert (score.nats, score.by_symbol) == (math.inf, ())
            continue
        wanted = by_hand(model, name)
        assert [symbol for symbol, _ in score.by_symbol] == [symbol for symbol, _ in wanted]
        nats = [nats for _, nats in wanted]
        assert [nats for _, nats in score.by_symbol] == pytest.approx(nats, rel=1e-4)
        assert score.nats == pytest.approx(sum(nats), rel=1e-5)
        assert score.nats_per_symbol == pytest.approx(sum(nats) / len(nats), rel=1e-5)


def test_a_score_can_be_read(model: Model) -> None:
    """One line has the name, its nats and what is special about it, and controls no terminal."""
    (score,) = model.score("Tyrannosaurus")
    assert str(score) == "'Tyrannosaurus': 11.6696 nats, 0.834 per symbol, known"
    (unknown,) = model.score("a\x1b[2J")
    assert str(unknown) == r"'a\x1b[2J': inf nats, inf per symbol, unknown symbol '\x1b'"
    assert "by_symbol" not in repr(score)
    assert score == model.score(["Tyrannosaurus"])[0]
    assert isinstance(score, Score)


def test_scores_are_those_of_the_command(model: Model, dinogen: Any) -> None:
    """`inspect --score` prints the same numbers."""
    names = ["Tyrannosaurus", "Brontoraptor", "Xqzvk"]
    shown = dinogen("inspect", BUNDLED, "--score", "-", stdin="\n".join(names)).stdout
    for line, score in zip(shown.splitlines(), model.score(names), strict=True):
        assert line.split()[:2] == [f"{score.nats:.4f}", f"{score.nats_per_symbol:.3f}"]


def test_letters_of_syllables_are_scored(tmp_path: Path) -> None:
    """A Hangul syllable counts once, and each of its letters has nats."""
    path = tmp_path / "names.txt"
    path.write_text("김민수\n이서연\n박지훈\n최유진\n", "utf-8")
    model = Model(DefaultRun.start(read_corpus([path]), seed=1, hidden_size=0).checkpoint())
    (score,) = model.score("김민수")
    assert (score.symbols, len(score.by_symbol), score.known) == (4, 9, True)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["Rex", 3], "text 2 must be a text, not 3"),
        ([None], "text 1 must be a text, not None"),
        (["Rex", "Anna\nBerta"], "name 2: 'Anna\\nBerta' has several lines"),
    ],
)
def test_what_cannot_be_scored(model: Model, names: Any, message: str) -> None:
    """The message has its number."""
    with pytest.raises(SettingError, match=re.escape(message)):
        model.score(names)


def test_a_written_text_has_the_score_that_it_was_written_with(writing: Model) -> None:
    """Texts are scored as a whole, from their start to their last symbol."""
    pieces = [*writing.writer.write(3, 4, TextOptions(length=300))]
    texts = writing.sample(3, 4, length=300)
    totals = [piece.total for piece in pieces if piece.total]
    for score, total in zip(writing.score(texts), totals, strict=True):
        assert score.nats == pytest.approx(total.nats, rel=1e-4)
        assert score.symbols == total.symbols == 300 == len(score.by_symbol)
        assert "".join(symbol for symbol, _ in score.by_symbol) == score.text
        assert score.known is None


def test_texts_end_anywhere(writing: Model) -> None:
    """The end of a line counts where it is, and lines end as in any file."""
    one, two, three, empty = writing.score(["When I\ndo", "When I\r\ndo", "When I\ndo\n", ""])
    assert (one.symbols, two.symbols, three.symbols, empty.symbols) == (9, 9, 10, 0)
    assert one.by_symbol == two.by_symbol == three.by_symbol[:-1]
    assert three.by_symbol[-1][0] == "\n"
    assert (empty.nats, empty.nats_per_symbol) == (0, 0)
    (unknown,) = writing.score("When 漢\ndo")
    assert (unknown.nats, unknown.unknown) == (math.inf, "漢")
    assert [symbol for symbol, nats in unknown.by_symbol if nats == math.inf] == ["漢"]


# What a developer sees.


def test_a_model_is_shown_in_one_line(model: Model, writing: Model) -> None:
    """It says what it is, and its parts show no arrays either."""
    data = model.checkpoint
    corpus = read_corpus([CORPORA / "edda.txt"])
    assert repr(model) == (
        "<Model of 1,399 names, 26 different symbols; vanilla RNN, 256 hidden "
        f"units; n-grams of order 6; {str(BUNDLED)!r}>"
    )
    assert repr(writing).startswith("<Model of running text, 8,001 symbols, ")
    assert repr(writing).endswith(" different symbols; n-grams of order 7>")
    assert repr(blend([model, model], [3, 1])) == f"<BlendedModel of 75% {model}, 25% {model}>"
    assert repr(data) == "<Checkpoint: network and ngram, 1,399 names, 26 different symbols>"
    assert repr(corpus) == "<Corpus: 296 names, 24 different symbols>"
    assert repr(read_texts([CORPORA / "sonnets.txt"])).startswith("<TextCorpus: 94,653 symbols, ")


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
        ({"prefix": ["a", "b"]}, "prefix must be a text, not ['a', 'b']"),
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


def test_a_saved_model_replaces_only_a_checkpoint(model: Model, tmp_path: Path) -> None:
    """A list of names is not lost because of a wrong path."""
    path = tmp_path / "names.txt"
    path.write_text("Anna\nBerta\n", encoding="utf-8")
    with pytest.raises(CheckpointError, match="not a checkpoint, so not replaced"):
        model.save(path)
    assert path.read_text(encoding="utf-8") == "Anna\nBerta\n"
    model.save(tmp_path / "model.npz")
    model.save(tmp_path / "model.npz")
    assert load(tmp_path / "model.npz").sample(2, seed=1) == model.sample(2, seed=1)


def test_a_model_can_be_pickled_after_any_call(model: Model) -> None:
    """Plans of constraints are not part of it; they are made again."""
    expected = model.sample(2, seed=1, suffix="saurus")
    copy = pickle.loads(pickle.dumps(model))  # noqa: S301
    assert copy.sample(2, seed=1, suffix="saurus") == expected


WRONG: Any = 5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: load(WRONG), "path must be a path, not 5"),
        (lambda model: load(""), "path is empty; name a file"),
        (lambda model: model.save(WRONG), "path must be a path, not 5"),
        (lambda model: model.score(WRONG), "texts must be names or texts, not 5"),
        (lambda model: train(WRONG), "source must be a list of names or paths, a path or a corpus"),
        (lambda model: train([]), "the source has no names"),
        (lambda model: blend(WRONG), "models must be a list of models, not 5"),
        (lambda model: blend([model, WRONG]), "model 2 must be a Model, not 5"),
        (lambda model: blend([model], WRONG), "weights must be a list of numbers, not 5"),
    ],
)
def test_wrong_arguments_are_refused_in_words(
    model: Model, call: Callable[[Model], object], message: str
) -> None:
    """Each is an error of dinogen, and not one of Python."""
    with pytest.raises(DinogenError, match=f"^{re.escape(message)}"):
        call(model)
