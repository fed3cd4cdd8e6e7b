"""Checkpoints of running text: what they hold, and what is refused because it is untrusted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dinogen.checkpoint import Checkpoint, ResumeState, describe, load_checkpoint, save, to_parts
from dinogen.data import TextCorpus, TextStats, read_corpus, read_texts
from dinogen.errors import CheckpointError
from dinogen.model import Model
from dinogen.training import DefaultRun, Settings
from tests.checkpoint.crafting import (
    NAMES,
    Files,
    Place,
    changed,
    header_of,
    npy,
    put_together,
    refusal,
    same,
    take_apart,
    with_header,
)

TEXT = "Der\tMond ist aufgegangen,\n\n  die goldnen Sternlein prangen\nam Himmel hell.\n" * 3

SETTINGS = Settings(
    seed=5, hidden_size=3, steps=5, cell="lstm", layers=2, batch_size=4, window=6, holdout=0.25
)


def corpus_of(folder: Path, text: str = TEXT, unit: str = "character") -> TextCorpus:
    """Read a text that is written to a file."""
    path = folder / "text.txt"
    path.write_text(text, "utf-8")
    return read_texts([path], unit=unit)


@pytest.fixture(scope="module", params=["character", "word"])
def text(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A checkpoint of running text after two of five steps, of each unit."""
    run = DefaultRun(corpus_of(tmp_path_factory.mktemp("text"), unit=request.param), SETTINGS)
    steps = run.train()
    next(steps)
    next(steps)
    return run.checkpoint()


@pytest.fixture
def files(text: Checkpoint, tmp_path: Path) -> Files:
    """The files in its archive."""
    save(text, tmp_path / "model.npz")
    return take_apart(tmp_path / "model.npz")


def refused(files: Files, folder: Path, **values: Any) -> str:
    """Replace fields of the header; returns the message that refuses this."""
    header = header_of(files) | values
    return refusal(put_together(folder / "evil.npz", with_header(files, header)))


def test_a_checkpoint_of_text_is_read_again(text: Checkpoint, tmp_path: Path) -> None:
    """It is the same to the last bit, and writes the same texts."""
    save(text, tmp_path / "model.npz")
    loaded = load_checkpoint(tmp_path / "model.npz")
    assert same(text, loaded)
    assert isinstance(loaded.corpus, TextStats)
    assert Model(loaded).sample(2, seed=1, length=40) == Model(text).sample(2, seed=1, length=40)


def test_what_it_holds(text: Checkpoint) -> None:
    """The content, the numbers of the text, and the carried states; no digests of names."""
    header, arrays = to_parts(text)
    size = text.corpus.describe().removesuffix(" symbols")
    assert header["corpus"] == {
        "content": "text",
        "texts": 1,
        "lines": 12,
        "symbols": int(size),
        "sha256": text.corpus.sha256,
    }
    assert header["held_out"]["size"] == int(size) - -(-int(size) * 3 // 4)
    assert arrays["known"].shape == (0,)
    states = {name: array.shape for name, array in arrays.items() if ".state" in name}
    assert states == {f"resume.layer{k}.state{i}": (4, 3) for k in (1, 2) for i in (0, 1)}


def test_the_description_says_that_it_is_text(text: Checkpoint) -> None:
    """The published object counts held-out symbols, and has the content of the corpus."""
    described = describe(text)
    assert described["corpus"]["content"] == "text"
    assert text.held_out
    assert described["heldout"]["symbols"] == text.held_out.size
    assert "names" not in described["heldout"]
    assert ("\t" in described["symbols"]) == (described["unit"] == "character")


@pytest.mark.parametrize("content", ["names", "tunes", "", None, 3, ["text"], "text\n"])
def test_a_content_that_is_not_that_of_the_file(
    files: Files, tmp_path: Path, content: object
) -> None:
    """Text has not the numbers of names. An unknown content may be one of another version."""
    header = changed(header_of(files), ("corpus", "content"), content)
    message = refusal(put_together(tmp_path / "evil.npz", with_header(files, header)))
    if content == "names":
        assert "corpus has no names" in message
    elif content == "tunes":
        assert "the content of corpus is 'tunes', which is unknown here" in message
    else:
        assert "the content of corpus" in message


def test_a_corpus_without_content(files: Files, tmp_path: Path) -> None:
    """It is required."""
    corpus = header_of(files)["corpus"]
    del corpus["content"]
    assert "the content of corpus" in refused(files, tmp_path, corpus=corpus)


@pytest.mark.parametrize("name", ["texts", "lines", "symbols", "sha256"])
def test_a_field_that_is_missing(files: Files, tmp_path: Path, name: str) -> None:
    """Every number of the text is required."""
    corpus = header_of(files)["corpus"]
    del corpus[name]
    assert f"corpus has no {name}" in refused(files, tmp_path, corpus=corpus)


def test_text_with_the_fields_of_names(files: Files, tmp_path: Path) -> None:
    """Numbers of names do not replace those of text; beside them, they are ignored."""
    names = {
        "lines": 9,
        "names": 9,
        "duplicates": 0,
        "shortest": 2,
        "longest": 9,
        "sha256": "",
        "weight": None,
    }
    corpus = header_of(files)["corpus"]
    assert "corpus has no texts" in refused(files, tmp_path, corpus={"content": "text", **names})
    header = header_of(files) | {"corpus": {**names, **corpus}}
    loaded = load_checkpoint(put_together(tmp_path / "model.npz", with_header(files, header)))
    assert isinstance(loaded.corpus, TextStats)


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        (("corpus", "texts"), 0, "texts is not"),
        (("corpus", "texts"), "1", "texts is not"),
        (("corpus", "texts"), 13, "contradict each other"),  # there are 12 lines
        (("corpus", "lines"), 0, "lines is not"),
        (("corpus", "lines"), 1.5, "lines is not"),
        (("corpus", "lines"), 10**6, "contradict each other"),
        (("corpus", "symbols"), 1, "symbols is not"),
        (("corpus", "symbols"), 2**64, "symbols is not"),
        (("corpus", "symbols"), True, "symbols is not"),
        (("corpus", "sha256"), "\x1b[2J", "sha256"),
        (("held_out", "size"), 0, "size is not"),
        (("held_out", "size"), 2.5, "size is not"),
        (("held_out", "size"), 10**6, "more held-out symbols than it has in all"),
        (("vocabulary", "symbols", 0), "\n", "vocabulary"),
        (("vocabulary", "symbols", 0), "\r", "vocabulary"),
        (("vocabulary", "symbols", 0), "\x07", "vocabulary"),
        (("vocabulary", "symbols"), [], "vocabulary"),
    ],
)
def test_numbers_that_cannot_be(
    files: Files, tmp_path: Path, place: Place, value: object, problem: str
) -> None:
    """Each is refused with the name of the field."""
    header = changed(header_of(files), place, value)
    message = refusal(put_together(tmp_path / "evil.npz", with_header(files, header)))
    assert problem in message


def test_digests_of_names(files: Files, tmp_path: Path) -> None:
    """Text has none."""
    other = files | {"known.npy": npy(np.arange(3, dtype=np.uint64))}
    assert "known" in refusal(put_together(tmp_path / "evil.npz", other))


def test_names_have_no_tabs(tmp_path: Path) -> None:
    """In a name a tab is refused; in running text it is a symbol."""
    (tmp_path / "names.txt").write_bytes(NAMES.encode())
    run = DefaultRun(
        read_corpus([tmp_path / "names.txt"]), Settings(1, 0, 1, order=2, holdout=0.25)
    )
    save(run.checkpoint(), tmp_path / "names.npz")
    files = take_apart(tmp_path / "names.npz")
    header = changed(header_of(files), ("vocabulary", "symbols", 0), "\t")
    message = refusal(put_together(tmp_path / "evil.npz", with_header(files, header)))
    assert "its names have tabs" in message
    run = DefaultRun(corpus_of(tmp_path), Settings(1, 0, 1, order=2, holdout=0.25))
    save(run.checkpoint(), tmp_path / "text.npz")
    assert "\t" in load_checkpoint(tmp_path / "text.npz").vocabulary


def test_names_that_claim_to_be_text(tmp_path: Path) -> None:
    """The digests of the names are not those of text."""
    (tmp_path / "names.txt").write_bytes(NAMES.encode())
    run = DefaultRun(read_corpus([tmp_path / "names.txt"]), Settings(1, 0, 1, order=2, holdout=0))
    save(run.checkpoint(), tmp_path / "names.npz")
    files = take_apart(tmp_path / "names.npz")
    corpus = {"content": "text", "texts": 1, "lines": 9, "symbols": 50, "sha256": ""}
    assert "known" in refused(files, tmp_path, corpus=corpus)


# Resuming.


def test_resumes_on_the_same_text(text: Checkpoint, tmp_path: Path) -> None:
    """The text may be read again from another file."""
    corpus = corpus_of(tmp_path, unit=text.vocabulary.unit.name)
    assert DefaultRun.resume(corpus, text).step == 2
    other = "word" if text.vocabulary.unit.name == "character" else "character"
    with pytest.raises(CheckpointError, match="another list or text, or with other reading"):
        DefaultRun.resume(corpus_of(tmp_path, unit=other), text)


def test_a_carried_state_that_does_not_fit(text: Checkpoint, tmp_path: Path) -> None:
    """The reader accepts any array; the recipe needs a row for each stream."""
    corpus = corpus_of(tmp_path, unit=text.vocabulary.unit.name)
    arrays, numbers = text.resume
    state = arrays["layer2.state0"]
    wrong = [state[:3], state[:, :2], state[np.newaxis], np.zeros((1_000, 3), np.float32)]
    states = [{**arrays, "layer2.state0": array} for array in wrong]
    states.append({name: array for name, array in arrays.items() if name != "layer2.state0"})
    states.append({**arrays, "layer1.state2": state})
    for others in states:
        save(replace(text, resume=ResumeState(others, numbers)), tmp_path / "model.npz")
        loaded = load_checkpoint(tmp_path / "model.npz")
        with pytest.raises(CheckpointError, match="does not fit its network; train anew"):
            DefaultRun.resume(corpus, loaded)


def test_a_carried_state_that_is_not_finite(files: Files, tmp_path: Path) -> None:
    """It is refused by the reader."""
    evil = npy(np.full((4, 3), np.inf, dtype=np.float32))
    path = put_together(tmp_path / "evil.npz", files | {"resume.layer1.state1.npy": evil})
    assert "resume.layer1.state1 " in refusal(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("window", 0), ("window", 10**9), ("window", 0.5), ("window", "6"), ("batch_size", 65_537)],
)
def test_a_setting_that_cannot_be(
    text: Checkpoint, tmp_path: Path, name: str, value: str | float
) -> None:
    """Nothing is resumed with damaged settings."""
    settings = {**text.training.settings, name: value}
    damaged = replace(text, training=text.training._replace(settings=settings))
    with pytest.raises(CheckpointError, match=r"its settings are damaged: .*; train anew"):
        DefaultRun.resume(corpus_of(tmp_path, unit=text.vocabulary.unit.name), damaged)
