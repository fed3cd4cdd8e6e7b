"""Checkpoints of words: the unit and the words are stored, and untrusted."""

from pathlib import Path

import pytest

from dinogen.checkpoint import Checkpoint, load_checkpoint, save
from dinogen.data import MAX_VOCABULARY_SIZE, MAX_WORD_LENGTH, WORD, read_corpus
from dinogen.errors import CheckpointError
from dinogen.model import Model
from dinogen.training import DefaultRun, Settings
from tests.checkpoint.crafting import (
    Files,
    changed,
    header_of,
    put_together,
    refusal,
    same,
    take_apart,
    with_header,
)

NAMES = "t͡ʃ æ l\nk æ\nk iː l\nt͡ʃ iː\nk\n"

SETTINGS = Settings(seed=5, hidden_size=4, steps=3, batch_size=2, holdout=0.25)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A checkpoint of words."""
    path = tmp_path_factory.mktemp("words") / "names.txt"
    path.write_text(NAMES, "utf-8")
    run = DefaultRun(read_corpus([path], unit="word"), SETTINGS)
    next(run.train())
    return run.checkpoint()


@pytest.fixture
def files(words: Checkpoint, tmp_path: Path) -> Files:
    """The files in its archive."""
    save(words, tmp_path / "model.npz")
    return take_apart(tmp_path / "model.npz")


def test_a_checkpoint_of_words_is_read_again(words: Checkpoint, tmp_path: Path) -> None:
    """The vocabulary has the words and the unit, and the model writes the same names."""
    save(words, tmp_path / "model.npz")
    loaded = load_checkpoint(tmp_path / "model.npz")
    assert same(words, loaded)
    assert loaded.vocabulary.unit is WORD
    assert loaded.vocabulary.symbols == ("iː", "k", "l", "t͡ʃ", "æ")
    first, second = (
        Model(checkpoint).sample(5, 1, allow_known=True, allow_repeats=True)
        for checkpoint in (loaded, words)
    )
    assert first == second


def test_the_unit_must_be_that_of_the_list(words: Checkpoint, tmp_path: Path) -> None:
    """The same words are refused as characters, even if each is one character."""
    path = tmp_path / "names.txt"
    path.write_text(NAMES, "utf-8")
    next(DefaultRun.resume(read_corpus([path], unit="word"), words).train())
    with pytest.raises(
        CheckpointError, match="another list or text, or with other reading options"
    ):
        DefaultRun.resume(read_corpus([path]), words)


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("", "is not one word"),
        (" ", "is not one word"),
        ("a b", "is not one word"),
        ("a\u00a0b", "is not one word"),
        (" a", "is not one word"),
        ("a\n", "invisible"),
        ("\n", "invisible"),
        ("a\x1b[2J", "invisible"),
        ("a\u202e", "invisible"),
        ("\ud800", "invisible"),
        ("a" * (MAX_WORD_LENGTH + 1), "too long"),
        ("z", "not in order"),
        (7, "is not a text"),
        (["a"], "is not a text"),
    ],
    ids=ascii,
)
def test_a_hostile_word(files: Files, tmp_path: Path, word: object, problem: str) -> None:
    """A word is visible, without white space, and not too long."""
    header = changed(header_of(files), ("vocabulary", "symbols", 0), word)
    message = refusal(put_together(tmp_path / "evil.npz", with_header(files, header)))
    assert problem in message
    assert "vocabulary" in message


def test_the_longest_word(files: Files, tmp_path: Path) -> None:
    """The limit itself is allowed."""
    word = "a" * MAX_WORD_LENGTH
    header = changed(header_of(files), ("vocabulary", "symbols", 0), word)
    loaded = load_checkpoint(put_together(tmp_path / "model.npz", with_header(files, header)))
    assert word in loaded.vocabulary.symbols


def test_words_that_are_too_large_together(files: Files, tmp_path: Path) -> None:
    """The size of all words is bounded."""
    count = MAX_VOCABULARY_SIZE // 200 + 1
    many = [f"{i:0200}" for i in range(count)]
    header = changed(header_of(files), ("vocabulary", "symbols"), many)
    message = refusal(put_together(tmp_path / "evil.npz", with_header(files, header)))
    assert "vocabulary is too long" in message


@pytest.mark.parametrize("unit", ["note", "", None, 1, ["word"], "character"])
def test_a_hostile_unit(files: Files, tmp_path: Path, unit: object) -> None:
    """An unknown unit may be one of another version; words are no characters."""
    header = changed(header_of(files), ("vocabulary", "unit"), unit)
    refusal(put_together(tmp_path / "evil.npz", with_header(files, header)))


def test_lengths_beyond_those_of_names(files: Files, tmp_path: Path) -> None:
    """A name may have 4,096 words, but not so many characters."""
    header = changed(header_of(files), ("corpus", "longest"), 4_096)
    load_checkpoint(put_together(tmp_path / "model.npz", with_header(files, header)))
    letters = [chr(code) for code in range(97, 97 + len(header["vocabulary"]["symbols"]))]
    header["vocabulary"] = {"unit": "character", "symbols": letters}
    message = refusal(put_together(tmp_path / "evil.npz", with_header(files, header)))
    assert "longer than names can be" in message


def test_a_syllable_is_no_letter(files: Files, tmp_path: Path) -> None:
    """A vocabulary of characters has the letters of Hangul syllables instead of them."""
    for symbols in (["a", "b", "c", "d", "가"], ["a", "b", "c", "d", "\u1100"]):
        header = header_of(files) | {"vocabulary": {"unit": "character", "symbols": symbols}}
        path = put_together(tmp_path / "model.npz", with_header(files, header))
        if "가" in symbols:
            assert "vocabulary has a syllable instead of its letters" in refusal(path)
        else:
            assert load_checkpoint(path).vocabulary.symbols == tuple(symbols)
