"""Counting n-grams, against dictionaries."""

from collections import Counter, defaultdict
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from dinogen.models.grams import Level, count
from dinogen.text.corpus import read_corpus
from dinogen.text.names import END
from tests.conftest import CORPORA
from tests.networks import names_of
from tests.text.test_names import plain

Gram = tuple[int, ...]

lists = st.lists(st.lists(st.integers(1, 3), max_size=5), min_size=1, max_size=10)


def in_dictionaries(
    names: list[list[int]], order: int
) -> tuple[Counter[Gram], dict[Gram, set[int]]]:
    """Count each n-gram, and collect what stands before it, place by place."""
    times: Counter[Gram] = Counter()
    before: dict[Gram, set[int]] = defaultdict(set)
    for name in names:
        written = (END, *name, END)
        for last in range(1, len(written)):
            for first in range(max(0, last - order + 1), last + 1):
                gram = written[first : last + 1]
                times[gram] += 1
                if first:
                    before[gram].add(written[first - 1])
    return times, before


def spelled(levels: list[Level]) -> list[list[Gram]]:
    """Spell out the n-grams of each level, finding each context by what leads to it."""
    contexts: dict[int, Gram] = {0: ()}
    grams = []
    for level in levels:
        assert set(level.context.tolist()) == set(contexts), "each context is followed by something"
        grams.append(
            [
                (*contexts[context], symbol)
                for context, symbol in zip(
                    level.context.tolist(), level.symbol.tolist(), strict=True
                )
            ]
        )
        contexts = {
            following: gram
            for gram, following in zip(grams[-1], level.following.tolist(), strict=True)
            if following >= 0
        }
        assert sorted(contexts) == list(range(len(contexts)))
    return grams


def check(names: list[list[int]], symbols: int, order: int) -> None:
    """Compare all levels with the dictionaries."""
    levels = count(names_of(*names), symbols, order)
    times, before = in_dictionaries(names, order)
    assert len(levels) == max(map(len, times))
    grams = spelled(levels)
    found = [gram for level in grams for gram in level]
    assert len(found) == len(set(found))
    assert {
        gram: number
        for level, spelling in zip(levels, grams, strict=True)
        for gram, number in zip(spelling, level.times.tolist(), strict=True)
    } == times
    # Of the longest n-grams it is not known what stands before them.
    for level, spelling in list(zip(levels, grams, strict=True))[:-1]:
        for gram, kinds in zip(spelling, level.kinds.tolist(), strict=True):
            assert kinds == (len(before[gram]) if before[gram] else times[gram]), gram


@settings(deadline=None, max_examples=100)
@given(lists, st.integers(1, 8))
def test_every_n_gram_is_counted(names: list[list[int]], order: int) -> None:
    """Each n-gram that occurs is there once, with how often, and after how many symbols, it does.

    To spell the n-grams out, each must lead to its context of the next level.
    """
    check(names, 4, order)


def test_the_n_grams_of_a_real_list_are_counted() -> None:
    """The same of the names of the Edda, with their many symbols."""
    corpus = read_corpus([CORPORA / "edda.txt"])
    check(plain(corpus.names), len(corpus.vocabulary), 6)


@settings(deadline=None, max_examples=50)
@given(lists, st.integers(1, 8))
def test_n_grams_stand_in_order(names: list[list[int]], order: int) -> None:
    """Contexts are numbered as the n-grams that lead to them; within one, symbols rise."""
    for level in count(names_of(*names), 4, order):
        places = list(zip(level.context.tolist(), level.symbol.tolist(), strict=True))
        assert all(one < next_one for one, next_one in pairwise(places))
        leading = [following for following in level.following.tolist() if following >= 0]
        assert leading == list(range(len(leading)))


@settings(deadline=None, max_examples=50)
@given(lists, st.integers(2, 8))
def test_what_ends_a_name_leads_nowhere(names: list[list[int]], order: int) -> None:
    """Only n-grams that something follows are contexts: not those that end a name.

    The end alone is one, since it stands before the next name; those of the greatest length are
    numbered as contexts too, of a level that is not there.
    """
    levels = count(names_of(*names), 4, order)
    first, *longer = levels
    assert (first.following >= 0).all()
    for level in longer:
        assert ((level.following >= 0) == (level.symbol != END)).all()


def test_a_count_by_hand() -> None:
    """Of "ab", "ac" and "ab": what is counted is what one counts with a finger on the page."""
    one, two, three = count(names_of([1, 2], [1, 3], [1, 2]), 4, 3)
    # End, a, b, c: an a comes after the start alone, the end after b and after c.
    assert one.symbol.tolist() == [0, 1, 2, 3]
    assert one.times.tolist() == [3, 3, 2, 1]
    assert one.kinds.tolist() == [2, 1, 1, 1]
    assert one.following.tolist() == [0, 1, 2, 3]
    # Start a, ab, ac, b end, c end: the first begins names, and keeps how often it occurs.
    assert two.context.tolist() == [0, 1, 1, 2, 3]
    assert two.symbol.tolist() == [1, 2, 3, 0, 0]
    assert two.times.tolist() == [3, 2, 1, 2, 1]
    assert two.kinds.tolist() == [3, 1, 1, 1, 1]
    assert two.following.tolist() == [0, 1, 2, -1, -1]
    # Start ab, start ac, ab end, ac end.
    assert three.context.tolist() == [0, 0, 1, 2]
    assert three.symbol.tolist() == [2, 3, 0, 0]
    assert three.times.tolist() == [2, 1, 2, 1]
