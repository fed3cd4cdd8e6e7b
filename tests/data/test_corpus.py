"""Corpora: reading lists from files and standard input, and holding out names."""

import hashlib
import io
import os
import sys
from itertools import product
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings, strategies as st

from dinogen.data import STDIN, Corpus, CorpusStats, Names, digest, hold_out, read_corpus, spell
from dinogen.errors import CorpusError

LIST = "Freya\nThor\nLoki-Odin\nfreya\nThor\nThor\nBaldr\n"


def write_list(folder: Path, text: str, name: str = "list.txt") -> Path:
    """Write a list to a file."""
    path = folder / name
    path.write_bytes(text.encode())
    return path


def spelled(corpus: Corpus, names: Names | None = None) -> list[str]:
    """Spell the names of a corpus, or some of them."""
    return spell(
        corpus.names if names is None else names, corpus.vocabulary, corpus.case
    ).splitlines()


def refusal(*sources: Path | str) -> str:
    """Return the one-line error message for some sources."""
    with pytest.raises(CorpusError) as caught:
        read_corpus(sources)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Put bytes on standard input, with an encoding that must not matter."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="latin-1"))


def test_reads_write_list(tmp_path: Path) -> None:
    """A corpus holds the distinct names in order of first occurrence, and the statistics."""
    path = write_list(tmp_path, LIST)
    corpus = read_corpus([path])
    assert spelled(corpus) == ["Freya", "Thor", "Loki-Odin", "Baldr"]
    assert corpus.vocabulary.symbols == tuple(sorted(set("freyathorloki-odinbaldr")))
    assert corpus.case.capital_after == {"\n", "-"}
    assert corpus.known.tolist() == sorted(digest(corpus.names).tolist())
    assert corpus.stats == CorpusStats(
        lines=7,
        names=4,
        duplicates=3,
        shortest=4,
        longest=9,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def test_reads_a_list_without_folding(tmp_path: Path) -> None:
    """Without folding, names that differ in case are different."""
    corpus = read_corpus([write_list(tmp_path, LIST)], fold_case=False)
    assert spelled(corpus) == ["Freya", "Thor", "Loki-Odin", "freya", "Baldr"]
    assert (corpus.stats.names, corpus.stats.duplicates) == (5, 2)
    assert {"F", "f"} < set(corpus.vocabulary.symbols)


@pytest.mark.parametrize("fold_case", [True, False])
def test_apostrophes_and_spaces_are_merged(fold_case: bool, tmp_path: Path) -> None:
    """A list has one apostrophe and one space, and names that differ only in them are one name."""
    names = "O'Hara\nO’Hara\nO’Dea\nVan\u00a0Roo\nVan Roo\nDe Wit\n"
    corpus = read_corpus([write_list(tmp_path, names)], fold_case=fold_case)
    assert spelled(corpus) == ["O’Hara", "O’Dea", "Van Roo", "De Wit"]
    assert corpus.stats.duplicates == 2
    assert corpus.stats.sha256 == hashlib.sha256(names.encode()).hexdigest()


def test_reads_a_list_with_its_duplicates(tmp_path: Path) -> None:
    """Kept duplicates are in the names, but only once in the known digests."""
    corpus = read_corpus([write_list(tmp_path, LIST)], keep_duplicates=True)
    assert spelled(corpus) == ["Freya", "Thor", "Loki-Odin", "Freya", "Thor", "Thor", "Baldr"]
    assert (corpus.stats.lines, corpus.stats.names, corpus.stats.duplicates) == (7, 7, 3)
    assert len(corpus.known) == 4
    assert corpus.stats.keeps_duplicates
    assert not read_corpus([write_list(tmp_path, LIST)]).stats.keeps_duplicates


def test_the_checksum_is_that_of_the_clean_list(tmp_path: Path) -> None:
    """A BOM, trailing spaces and other line ends do not change the checksum."""
    untidy = "\ufeff" + LIST.replace("\n", " \r\n\r\n").removesuffix("\r\n\r\n")
    corpus = read_corpus([write_list(tmp_path, untidy)])
    assert corpus.stats == read_corpus([write_list(tmp_path, LIST)]).stats
    assert corpus.stats.sha256 == hashlib.sha256(LIST.encode()).hexdigest()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(st.sampled_from("aAbBéÉ -"), max_size=3), max_size=12), st.booleans())
def test_reading_agrees_with_a_literal_twin(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], keep: bool
) -> None:
    """Any list is stripped, folded and deduplicated as by a loop over its lines."""
    path = write_list(tmp_path_factory.mktemp("lists"), "\n".join(lines))
    names = [line.strip().lower() for line in lines if line.strip()]
    distinct: list[str] = []
    for name in names:
        if name not in distinct:
            distinct.append(name)
    if len(distinct) < 2:
        assert str(path) in refusal(path)
        return
    corpus = read_corpus([path], keep_duplicates=keep)
    assert [name.lower() for name in spelled(corpus)] == (names if keep else distinct)
    assert len(corpus.known) == len(distinct)
    stats = corpus.stats
    assert (stats.lines, stats.duplicates) == (len(names), len(names) - len(distinct))
    assert (stats.shortest, stats.longest) == (min(map(len, names)), max(map(len, names)))


def test_several_lists_are_one_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files, with a BOM or without a final line end, and standard input form one corpus."""
    first = write_list(tmp_path, "\ufeffAnna\nBerta", "first.txt")
    second = write_list(tmp_path, "\ufeffCora\r\nanna\r\n", "second.txt")
    feed(monkeypatch, "Zoë\n".encode())
    corpus = read_corpus([first, STDIN, str(second)])
    whole = read_corpus([write_list(tmp_path, "Anna\nBerta\nZoë\nCora\nanna\n")])
    assert spelled(corpus) == ["Anna", "Berta", "Zoë", "Cora"]
    assert corpus.stats == whole.stats
    assert corpus.known.tolist() == whole.known.tolist()


def test_one_distinct_name_is_refused(tmp_path: Path) -> None:
    """A list that repeats one name is refused."""
    path = write_list(tmp_path, "Anna\nANNA\n\nanna\n")
    assert refusal(path).startswith(f"{path}: only one distinct name, 'anna'")


def test_a_list_without_names_is_refused(tmp_path: Path) -> None:
    """Empty and blank files are refused; the message names all of them."""
    blank, empty = (
        write_list(tmp_path, " \r\n\n\t", "blank.txt"),
        write_list(tmp_path, "", "empty.txt"),
    )
    assert refusal(blank, empty).startswith(f"{blank} + {empty}: contains no names")


def test_unreadable_sources_are_refused(tmp_path: Path) -> None:
    """The message for a directory, a missing file or a path below a file starts with the path."""
    good = write_list(tmp_path, LIST)
    assert refusal(good, tmp_path).startswith(f"{tmp_path}: a directory")
    assert refusal(good, tmp_path / "none.txt").startswith(f"{tmp_path}/none.txt: no such file")
    assert refusal(good / "below").startswith(f"{good}/below: not a directory")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read any file")
def test_a_file_without_read_permission_is_refused(tmp_path: Path) -> None:
    """A file without read permission is refused by its path."""
    path = write_list(tmp_path, LIST)
    path.chmod(0)
    assert refusal(path).startswith(f"{path}: permission denied")


def test_the_faulty_source_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With several sources, the message names the faulty one and the line in it."""
    good, bad = write_list(tmp_path, LIST), write_list(tmp_path, "Anna\nBe\x07la\n", "bad.txt")
    assert refusal(good, bad).startswith(f"{bad}, line 2: U+0007")
    feed(monkeypatch, b"Anna\r\rBe\xffla\n")
    assert refusal(good, STDIN).startswith("standard input, line 3: byte 0xff")


def test_a_closed_standard_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading from a closed standard input is refused."""
    monkeypatch.setattr(sys, "stdin", None)
    assert refusal(STDIN).startswith("standard input: ")


words = st.lists(st.text(st.sampled_from("abc"), min_size=1, max_size=3), min_size=2, max_size=40)


@settings(deadline=None, max_examples=50)
@given(
    words.filter(lambda names: len(set(names)) > 1),
    st.sampled_from([0.0, 0.125, 0.25, 0.5, 0.875]),
    st.integers(0, 2**64 - 1),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_holds_out_a_share_of_the_distinct_names(
    tmp_path_factory: pytest.TempPathFactory,
    names: list[str],
    share: float,
    seed: int,
    keep: bool,
    random: Random,
) -> None:
    """The split has the right size, is disjoint, and does not depend on the list order."""
    folder = tmp_path_factory.mktemp("lists")
    corpus = read_corpus([write_list(folder, "\n".join(names))], keep_duplicates=keep)
    learned, held_out = (spelled(corpus, part) for part in hold_out(corpus, share, seed))
    assert len(set(held_out)) == int(share * len(set(names)))
    assert not set(learned) & set(held_out)
    # No copy of a name is lost, and the order stays that of the list.
    assert [name for name in spelled(corpus) if name in held_out] == held_out
    assert [name for name in spelled(corpus) if name not in held_out] == learned

    shuffled = random.sample(names, len(names))
    again = read_corpus([write_list(folder, "\n".join(shuffled))], keep_duplicates=keep)
    assert sorted(spelled(again, hold_out(again, share, seed)[1])) == sorted(held_out)


def test_holds_out_at_most_a_thousand(tmp_path: Path) -> None:
    """The held-out names are the share of the list, but at most 1,000."""
    names = ["".join(word) for word in product("abcdefghijklmn", repeat=3)]  # 2,744
    long = read_corpus([write_list(tmp_path, "\n".join(names))])
    assert [len(part) for part in hold_out(long, 0.5, 0)] == [1_744, 1_000]
    assert [len(part) for part in hold_out(long, 0.1, 0)] == [2_470, 274]
    assert [len(part) for part in hold_out(long, 0, 0)] == [2_744, 0]
    assert long.stats.held_out_count(0.3) == 823


def test_another_seed_holds_out_other_names(tmp_path: Path) -> None:
    """30 seeds give 30 different splits, and every name is held out in one of them."""
    names = ["".join(word) for word in product("abcd", repeat=3)]  # 64
    corpus = read_corpus([write_list(tmp_path, "\n".join(names))])
    choices = {tuple(spelled(corpus, hold_out(corpus, 0.5, seed)[1])) for seed in range(30)}
    assert len(choices) == 30
    assert {name for choice in choices for name in choice} == set(names)
