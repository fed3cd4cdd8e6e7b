"""Calibration: the default decoding of a model."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.data import END, Corpus, KnownList, KnownNames, digest, read_corpus
from dinogen.generation import Decoding, NameRules, calibrate, draw_block, strict_decoding
from dinogen.models import NGram, count


@pytest.mark.parametrize(
    ("names", "min_p"), [(2, 0.25), (64, 0.25), (125, 0.2), (1_000, 0.1), (10**6, 0.01)]
)
def test_the_strictest_decoding_follows_from_the_number_of_names(names: int, min_p: float) -> None:
    """Min-p is one over the cube root, at most a quarter."""
    decoding = strict_decoding(names)
    assert decoding.min_p == pytest.approx(min_p)
    assert decoding == Decoding(min_p=decoding.min_p, keep=0.75)


def corpus_of(folder: Path, names: list[str]) -> Corpus:
    """Read a corpus."""
    path = folder / "names.txt"
    path.write_text("".join(f"{name}\n" for name in names))
    return read_corpus([path])


class Independent:
    """A model of symbols that do not depend on those before them."""

    def __init__(self, p: list[float]) -> None:
        self.p = np.array(p, dtype=np.float32)

    @property
    def vocab_size(self) -> int:
        """See `LanguageModel.vocab_size`."""
        return len(self.p)

    def begin(self, n: int) -> tuple[None, NDArray[np.floating]]:
        """See `LanguageModel.begin`."""
        return None, np.tile(self.p, (n, 1))

    def blank(self, n: int) -> None:
        """See `LanguageModel.blank`."""
        return

    def advance(self, state: None, symbols: NDArray[Any]) -> tuple[None, NDArray[np.floating]]:
        """See `LanguageModel.advance`."""
        return self.begin(len(symbols))

    def select(self, state: None, rows: object) -> None:
        """See `LanguageModel.select`."""
        return


NAMES = ["aaaa", "bbbb", "cccc", "dddd", "aaaaaaaaaaaaaaaa"]


@pytest.mark.parametrize(
    ("rare", "expected"),
    [
        (0.5, Decoding(min_p=0.25, keep=0.75)),
        (0.19, Decoding(min_p=0.25 * 0.9**3, keep=0.75)),
        (0.12, Decoding(min_p=0.25 * 0.9**7, keep=0.75)),
        (1e-6, Decoding(keep=0.5)),
    ],
)
def test_min_p_is_lowered_until_names_vary(tmp_path: Path, rare: float, expected: Decoding) -> None:
    """If three of four letters are too rare for min-p, all names consist of the other one."""
    corpus = corpus_of(tmp_path, NAMES)
    p = np.array([0.3, 1, rare, rare, rare])
    found = calibrate(Independent((p / p.sum()).tolist()), corpus)
    assert found.min_p == pytest.approx(expected.min_p)
    assert found.keep == expected.keep


def test_a_memorised_list_still_gives_new_names(tmp_path: Path) -> None:
    """N-grams that know a few names by heart write new ones by default, and the same each time."""
    corpus = corpus_of(tmp_path, ["alexander", "benjamin", "christopher", "dominic", "elizabeth"])
    V = len(corpus.vocabulary)
    ngram = NGram.from_counts(count(corpus.names, V, 8), V)
    decoding = calibrate(ngram, corpus)
    assert decoding == calibrate(ngram, corpus)
    rules = NameRules.for_corpus(corpus.stats, corpus.vocabulary)
    assert (rules.min_length, rules.max_length) == (7, 11)
    candidates = draw_block(ngram, np.random.default_rng(1), 2_000, decoding, rules)
    known = KnownNames([KnownList(corpus.known, V)])
    kept = candidates.names.filter(candidates.best(decoding.keep, known))
    assert len(np.unique(digest(kept))) > 20
    assert (kept.symbols == END).sum() == len(kept)
    strict = draw_block(ngram, np.random.default_rng(1), 2_000, strict_decoding(5), rules)
    assert len(np.unique(digest(strict.names.filter(strict.best(1.0, known))))) < 20
