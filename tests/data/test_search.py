"""Search by hashes: compared with edit distances and substrings, name by name."""

import sys
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from dinogen.data import Names, NearCopies, TextSearch, Vocabulary, digest

ABC = Vocabulary.of("abc")
WORDS = ["".join(word) for length in range(1, 5) for word in product("abc", repeat=length)]
"""All words of one to four letters."""


def encode(words: list[str], vocabulary: Vocabulary = ABC) -> Names:
    """Encode words, one name each."""
    return vocabulary.encode("".join(f"{word}\n" for word in words))


def edits(one: str, other: str) -> int:
    """Return the edit distance of two words (Levenshtein 1966), by the usual table."""
    above = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        row = [i]
        for j, b in enumerate(other, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (a != b)))
        above = row
    return above[-1]


def test_the_twin_is_right() -> None:
    """The usual examples of edit distances."""
    pairs = [("kitten", "sitting"), ("flaw", "lawn"), ("ab", "ba"), ("a", "a"), ("", "ab")]
    assert [edits(one, other) for one, other in pairs] == [3, 2, 2, 0, 2]


@settings(deadline=None, max_examples=150)
@given(
    known=st.lists(st.text("abc", min_size=1, max_size=6), min_size=1, max_size=4),
    words=st.lists(st.text("abc", min_size=1, max_size=7), max_size=12),
    chunk=st.sampled_from([1, 7, 1 << 16]),
    at_a_time=st.sampled_from([1, 5, 1_024]),
)
@example(known=["abca"], words=WORDS, chunk=1 << 16, at_a_time=1_024)
@example(known=["aaa", "b"], words=WORDS, chunk=64, at_a_time=10)
def test_near_copies(known: list[str], words: list[str], chunk: int, at_a_time: int) -> None:
    """A name is found if and only if it is known or one edit away, in chunks of any size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[NearCopies.__module__], "_CHUNK", chunk)
        patch.setattr(sys.modules[NearCopies.__module__], "_NAMES_AT_A_TIME", at_a_time)
        near = NearCopies(digest(encode(known)), len(ABC))
        found = near.find(encode(words)).tolist()
    assert found == [min(edits(word, name) for name in known) <= 1 for word in words]


@settings(deadline=None, max_examples=60)
@given(
    name=st.lists(st.integers(1, 2_999), min_size=1, max_size=6),
    place=st.integers(0, 5),
    symbol=st.integers(1, 2_999),
)
def test_near_copies_in_a_large_vocabulary(name: list[int], place: int, symbol: int) -> None:
    """Every symbol of 3,000 may be added, deleted or replaced once, but no two of them."""
    place = min(place, len(name) - 1)
    one = [
        [*name[:place], symbol, *name[place:]],
        [*name[:place], *name[place + 1 :]],
        [*name[:place], symbol, *name[place + 1 :]],
        [*name, symbol],
    ]
    two = [[*edited, symbol % 2_999 + 1, name[0] % 2_999 + 1] for edited in one]
    known, words = (
        Names.split(np.array([i for word in some for i in (*word, 0)], dtype=np.uint16))
        for some in ([name], [word for word in [*one, *two] if word])
    )
    found = NearCopies(digest(known), 3_000).find(words).tolist()
    expected = [
        edits("".join(map(chr, word)), "".join(map(chr, name))) <= 1
        for word in [*one, *two]
        if word
    ]
    assert found == expected


def test_no_known_name_has_no_copy() -> None:
    """Without known names and without names, nothing is found."""
    nothing = np.empty(0, dtype=np.uint64)
    assert not NearCopies(nothing, len(ABC)).find(encode(WORDS)).any()
    assert NearCopies(digest(encode(["a"])), len(ABC)).find(encode([])).tolist() == []


@settings(deadline=None, max_examples=150)
@given(
    texts=st.lists(st.text("abc", min_size=1, max_size=5), max_size=5),
    words=st.lists(st.text("abc", min_size=1, max_size=9), max_size=12),
    at_a_time=st.sampled_from([1, 5, 1_024]),
)
@example(texts=["ab", "ca"], words=WORDS, at_a_time=1_024)
@example(texts=["aaaaaa"], words=["aaaaa", "aaaaaa", "aaaaaaa"], at_a_time=1_024)
def test_texts(texts: list[str], words: list[str], at_a_time: int) -> None:
    """A name is found if and only if it contains a text. A text never reaches into the next."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[TextSearch.__module__], "_NAMES_AT_A_TIME", at_a_time)
        found = TextSearch(encode(texts)).find(encode(words)).tolist()
    assert found == [any(text in word for text in texts) for word in words]


def test_many_texts_and_names() -> None:
    """3,000 texts of up to 12 letters are found in 20,000 names, as `in` finds them."""
    random = np.random.default_rng(1)
    letters = Vocabulary.of("abcdefghijklmnopqrstuvwxyz")
    names = ["".join(map(chr, random.integers(97, 123, n))) for n in random.integers(1, 20, 20_000)]
    texts = ["".join(map(chr, random.integers(97, 123, n))) for n in random.integers(3, 13, 3_000)]
    found = TextSearch(encode(texts, letters)).find(encode(names, letters)).tolist()
    distinct = set(texts)
    expected = [
        any(name[i:j] in distinct for i in range(len(name)) for j in range(i + 3, i + 13))
        for name in names
    ]
    assert found == expected
    assert 100 < sum(found) < 19_900
