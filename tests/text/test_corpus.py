"""Lists, read from files and standard input, and the names held out of them."""

import hashlib
import io
import os
import sys
from itertools import product
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dinogen.errors import CorpusError
from dinogen.text.case import spell
from dinogen.text.corpus import Corpus, hold_out, read_corpus
from dinogen.text.digests import digests
from dinogen.text.facts import CorpusFacts
from dinogen.text.names import Names
from dinogen.text.sources import STDIN

LIST = "Freya\nThor\nLoki-Odin\nfreya\nThor\nThor\nBaldr\n"


def a_list(folder: Path, text: str, name: str = "list.txt") -> Path:
    """Write a list."""
    path = folder / name
    path.write_bytes(text.encode())
    return path


def spelled(corpus: Corpus, names: Names | None = None) -> list[str]:
    """Write out the names of a corpus, or some of them."""
    return spell(
        corpus.names if names is None else names, corpus.vocabulary, corpus.case
    ).splitlines()


def refusal(*sources: Path | str) -> str:
    """Give the one line with which sources are refused."""
    with pytest.raises(CorpusError) as caught:
        read_corpus(sources)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Put bytes on standard input, with an encoding that is not to matter."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="latin-1"))


def test_reads_a_list(tmp_path: Path) -> None:
    """A list becomes its distinct names, as first met, and the numbers about it."""
    path = a_list(tmp_path, LIST)
    corpus = read_corpus([path])
    assert spelled(corpus) == ["Freya", "Thor", "Loki-Odin", "Baldr"]
    assert corpus.vocabulary.symbols == tuple(sorted(set("freyathorloki-odinbaldr")))
    assert corpus.case.capital_after == {"\n", "-"}
    assert corpus.known.tolist() == sorted(digests(corpus.names).tolist())
    assert corpus.facts == CorpusFacts(
        lines=7,
        names=4,
        duplicates=3,
        longest=9,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def test_reads_a_list_as_it_is(tmp_path: Path) -> None:
    """Without folding, names that differ in case are different names."""
    corpus = read_corpus([a_list(tmp_path, LIST)], fold_case=False)
    assert spelled(corpus) == ["Freya", "Thor", "Loki-Odin", "freya", "Baldr"]
    assert (corpus.facts.names, corpus.facts.duplicates) == (5, 2)
    assert {"F", "f"} < set(corpus.vocabulary.symbols)


def test_reads_a_list_with_its_duplicates(tmp_path: Path) -> None:
    """Where duplicates are kept they are counted, but known once."""
    corpus = read_corpus([a_list(tmp_path, LIST)], keep_duplicates=True)
    assert spelled(corpus) == ["Freya", "Thor", "Loki-Odin", "Freya", "Thor", "Thor", "Baldr"]
    assert (corpus.facts.lines, corpus.facts.names, corpus.facts.duplicates) == (7, 7, 3)
    assert len(corpus.known) == 4
    assert corpus.facts.keeps_duplicates
    assert not read_corpus([a_list(tmp_path, LIST)]).facts.keeps_duplicates


def test_the_sum_is_that_of_the_clean_list(tmp_path: Path) -> None:
    """A list saved by another editor, with a mark, is the same list and has the same sum."""
    untidy = "\ufeff" + LIST.replace("\n", " \r\n\r\n").removesuffix("\r\n\r\n")
    corpus = read_corpus([a_list(tmp_path, untidy)])
    assert corpus.facts == read_corpus([a_list(tmp_path, LIST)]).facts
    assert corpus.facts.sha256 == hashlib.sha256(LIST.encode()).hexdigest()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(st.sampled_from("aAbBéÉ -"), max_size=3), max_size=12), st.booleans())
def test_reading_agrees_with_a_literal_twin(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], keep: bool
) -> None:
    """Any list is stripped, folded and freed of duplicates as a loop over its lines would do it."""
    path = a_list(tmp_path_factory.mktemp("lists"), "\n".join(lines))
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
    facts = corpus.facts
    assert (facts.lines, facts.duplicates) == (len(names), len(names) - len(distinct))
    assert facts.longest == max(map(len, names))


def test_several_lists_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files, marked or without a last line end, and standard input are read as one list."""
    first = a_list(tmp_path, "\ufeffAnna\nBerta", "first.txt")
    second = a_list(tmp_path, "\ufeffCora\r\nanna\r\n", "second.txt")
    feed(monkeypatch, "Zoë\n".encode())
    corpus = read_corpus([first, STDIN, str(second)])
    whole = read_corpus([a_list(tmp_path, "Anna\nBerta\nZoë\nCora\nanna\n")])
    assert spelled(corpus) == ["Anna", "Berta", "Zoë", "Cora"]
    assert corpus.facts == whole.facts
    assert corpus.known.tolist() == whole.known.tolist()


def test_one_distinct_name_is_refused(tmp_path: Path) -> None:
    """From one name, however often it is written, nothing can be learned."""
    path = a_list(tmp_path, "Anna\nANNA\n\nanna\n")
    assert refusal(path).startswith(f"{path}: one distinct name, 'anna'")


def test_a_list_without_names_is_refused(tmp_path: Path) -> None:
    """Empty and blank files are refused, all of them named."""
    blank, empty = a_list(tmp_path, " \r\n\n\t", "blank.txt"), a_list(tmp_path, "", "empty.txt")
    assert refusal(blank, empty).startswith(f"{blank} + {empty}: no names in it")


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A directory, a missing file and a path through a file are refused, with the path."""
    good = a_list(tmp_path, LIST)
    assert refusal(good, tmp_path).startswith(f"{tmp_path}: a directory")
    assert refusal(good, tmp_path / "none.txt").startswith(f"{tmp_path}/none.txt: no such file")
    assert refusal(good / "below").startswith(f"{good}/below: not a directory")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_what_may_not_be_read_is_refused(tmp_path: Path) -> None:
    """A file that belongs to others is refused, with its path."""
    path = a_list(tmp_path, LIST)
    path.chmod(0)
    assert refusal(path).startswith(f"{path}: permission denied")


def test_the_source_at_fault_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Among several sources the one that is refused is named, with the line in it."""
    good, bad = a_list(tmp_path, LIST), a_list(tmp_path, "Anna\nBe\x07la\n", "bad.txt")
    assert refusal(good, bad).startswith(f"{bad}, line 2: U+0007")
    feed(monkeypatch, b"Anna\r\rBe\xffla\n")
    assert refusal(good, STDIN).startswith("standard input, line 3: byte 0xff")


def test_a_closed_standard_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the shell gave no standard input there is nothing to read, and that is said."""
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
    """What is held out is whole, apart, of the right size, and the same for any order."""
    folder = tmp_path_factory.mktemp("lists")
    corpus = read_corpus([a_list(folder, "\n".join(names))], keep_duplicates=keep)
    learned, held_out = (spelled(corpus, part) for part in hold_out(corpus, share, seed))
    assert len(set(held_out)) == int(share * len(set(names)))
    assert not set(learned) & set(held_out)
    # Put together again, in the order of the list, they are the list: no copy is lost.
    together = [name for name in spelled(corpus) if name in held_out]
    assert together == held_out
    assert [name for name in spelled(corpus) if name not in held_out] == learned

    shuffled = random.sample(names, len(names))
    again = read_corpus([a_list(folder, "\n".join(shuffled))], keep_duplicates=keep)
    assert sorted(spelled(again, hold_out(again, share, seed)[1])) == sorted(held_out)


def test_holds_out_a_thousand_at_the_most(tmp_path: Path) -> None:
    """From a long list no more than 1,000 names are held out, of a short one the share."""
    names = ["".join(word) for word in product("abcdefghijklmn", repeat=3)]  # 2,744
    long = read_corpus([a_list(tmp_path, "\n".join(names))])
    assert [len(part) for part in hold_out(long, 0.5, 0)] == [1_744, 1_000]
    assert [len(part) for part in hold_out(long, 0.1, 0)] == [2_470, 274]
    assert [len(part) for part in hold_out(long, 0, 0)] == [2_744, 0]
    assert long.facts.held_out(0.3) == 823


def test_another_seed_holds_out_other_names(tmp_path: Path) -> None:
    """Each seed has a choice of its own, and every name is in some of them."""
    names = ["".join(word) for word in product("abcd", repeat=3)]  # 64
    corpus = read_corpus([a_list(tmp_path, "\n".join(names))])
    choices = {tuple(spelled(corpus, hold_out(corpus, 0.5, seed)[1])) for seed in range(30)}
    assert len(choices) == 30
    assert {name for choice in choices for name in choice} == set(names)
