"""Known names: compared with sets of texts and edit distances, in one vocabulary and in several."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dinogen.data import (
    CaseRule,
    KnownList,
    KnownNames,
    Names,
    Vocabulary,
    digest,
    merge_vocabularies,
)
from tests.data.test_search import edits

WORDS = ["".join(word) for length in range(1, 5) for word in product("abc", repeat=length)]
"""All words of one to four of three letters."""

KEEP = CaseRule.unchanged()


def encode(words: list[str], vocabulary: Vocabulary) -> Names:
    """Encode words, one name each."""
    return vocabulary.encode("".join(f"{word}\n" for word in words))


def known_list(words: list[str], vocabulary: Vocabulary) -> KnownList:
    """Return words as a training list, to be searched in its own vocabulary."""
    return KnownList(np.sort(digest(encode(words, vocabulary))), len(vocabulary))


def merged(lists: list[list[str]]) -> tuple[Vocabulary, KnownNames]:
    """Return the merged vocabulary of lists, each with its own symbols, and all of their names."""
    vocabularies = [Vocabulary.of("".join(words)) for words in lists]
    vocabulary, translations = merge_vocabularies(vocabularies, KEEP)
    known = [
        KnownList(np.sort(digest(encode(words, own))), len(own), translation.read)
        for words, own, translation in zip(lists, vocabularies, translations, strict=True)
    ]
    return vocabulary, KnownNames(known)


def test_one_list_in_its_own_vocabulary() -> None:
    """Exactly its names are found, and exactly the names within one edit of one are near."""
    words = ["ab", "cab", "bbbb"]
    vocabulary = Vocabulary.of("abc")
    known = KnownNames([known_list(words, vocabulary)])
    names = encode(WORDS, vocabulary)
    assert known.find(names).tolist() == [word in words for word in WORDS]
    near = [any(edits(word, name) <= 1 for name in words) for word in WORDS]
    assert known.near(names).tolist() == near
    assert sum(near) > 10


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.text("abc", min_size=1, max_size=4), min_size=1), min_size=1))
def test_several_lists_of_different_symbols(lists: list[list[str]]) -> None:
    """A name is known if one of the lists has it, whatever the indices of its symbols there."""
    vocabulary, known = merged(lists)
    every = {word for words in lists for word in words}
    asked = [word for word in WORDS if set(word) <= set(vocabulary.symbols)]
    names = encode(asked, vocabulary)
    assert known.find(names).tolist() == [word in every for word in asked]
    near = [any(edits(word, name) <= 1 for name in every) for word in asked]
    assert known.near(names).tolist() == near


def test_a_symbol_that_a_list_does_not_have_can_be_edited_away() -> None:
    """One foreign symbol is one edit, and two are not; foreign symbols are not all the same."""
    vocabulary, known = merged([["aba"], ["cd"]])
    words = ["aca", "abac", "cbd", "acac", "dbc", "ada", "cd", "aba", "dc"]
    names = encode(words, vocabulary)
    assert known.find(names).tolist() == [False] * 6 + [True, True, False]
    assert known.near(names).tolist() == [True, True, True, False, False, True, True, True, False]


@pytest.mark.parametrize("lists", [(), (KnownList(np.empty(0, dtype=np.uint64), 4),)])
def test_without_names_nothing_is_known(lists: tuple[KnownList, ...]) -> None:
    """No list, and an empty list."""
    names = encode(WORDS, Vocabulary.of("abc"))
    known = KnownNames(lists)
    assert not known.find(names).any()
    assert not known.near(names).any()
    assert known.find(encode([], Vocabulary.of("abc"))).tolist() == []
