"""Kneser-Ney n-grams, against their literal twin in dictionaries, and against sums by hand."""

from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dinogen.models.grams import count
from dinogen.models.language_model import LEAST
from dinogen.models.likelihood import likelihoods
from dinogen.models.ngram import GramTree, NGram, estimate_discounts
from dinogen.text.names import END, Names
from dinogen.text.vocabulary import Vocabulary
from tests.conftest import CORPORA
from tests.kneser_ney import START, Context, KneserNey, modified_discounts
from tests.networks import names_of
from tests.text.test_names import plain

LISTS = sorted(CORPORA.glob("*.txt"))

lists = st.lists(st.lists(st.integers(1, 3), max_size=5), min_size=1, max_size=12)


def model_of(names: Names, symbols: int, order: int) -> NGram:
    """The n-grams of a list."""
    return NGram.of(count(names, symbols, order), symbols)


def twin_of(names: Names, symbols: int, order: int) -> KneserNey:
    """The same, word for word."""
    return KneserNey([[*name, END] for name in plain(names)], symbols, order)


def some_of(path: Path) -> tuple[Names, Names, int]:
    """Names from all over a list: 320 or so to learn from, 80 to ask for; and V."""
    lines = path.read_text(encoding="utf-8").lower().split("\n")[:-1]
    lines = lines[:: max(1, len(lines) // 400)]
    asked = lines[::5]
    learned = [line for place, line in enumerate(lines) if place % 5]
    vocabulary = Vocabulary.of("\n".join(lines))
    learned_names, asked_names = (
        vocabulary.encode("".join(f"{name}\n" for name in part)) for part in (learned, asked)
    )
    return learned_names, asked_names, len(vocabulary)


def contexts_of(tree: GramTree) -> dict[Context, int]:
    """Number the contexts in the order of their nodes, each spelled from the root."""
    spelled: list[Context] = [()]
    contexts: dict[Context, int] = {}
    for node, children in enumerate(tree.children.tolist()):
        first = len(spelled)
        spelled += [(*spelled[node], symbol) for symbol in tree.symbols[first:][:children].tolist()]
        if children:
            contexts[spelled[node]] = len(contexts)
    return contexts


def with_start(context: Context) -> Context:
    """The twin's way to write a context: it starts with -1 where the package's starts with 0."""
    return (START, *context[1:]) if context[:1] == (END,) else context


# What is learned.


@pytest.mark.parametrize("order", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_new_names_are_as_likely_as_the_twin_says(path: Path, order: int) -> None:
    """Each symbol of names that were not learned from is as likely as in dictionaries, to 1e-5."""
    learned, asked, symbols = some_of(path)
    twin = twin_of(learned, symbols, order)
    expected = [
        twin.probability((START, *name[:place]), target)
        for name in plain(asked)
        for place, target in enumerate([*name, END])
    ]  # (S,)
    model = model_of(learned, symbols, order)
    np.testing.assert_allclose(likelihoods(model, asked), expected, rtol=1e-5)
    np.testing.assert_allclose(model.discounts, twin.discounts, rtol=1e-12)


@settings(deadline=None, max_examples=80)
@given(lists, st.lists(st.integers(1, 3), max_size=6), st.integers(1, 6))
def test_all_symbols_are_as_likely_as_the_twin_says(
    names: list[list[int]], asked: list[int], order: int
) -> None:
    """On any small list, whatever is written so far, every next symbol agrees, the end included."""
    model = model_of(names_of(*names), 4, order)
    twin = twin_of(names_of(*names), 4, order)
    state = model.start(1)
    for place, symbol in enumerate([END, *asked]):
        state, p = model.advance(state, np.array([symbol]))
        written = (START, *asked[:place])
        expected = [twin.probability(written, following) for following in range(4)]  # (V,)
        np.testing.assert_allclose(p[0], expected, rtol=1e-5)


@settings(deadline=None, max_examples=80)
@given(lists, st.lists(st.integers(1, 3), max_size=6), st.integers(1, 6))
def test_the_state_is_the_longest_known_end_of_what_is_written(
    names: list[list[int]], asked: list[int], order: int
) -> None:
    """A context that never occurred counts as its longest end that did, and no shorter one."""
    model = model_of(names_of(*names), 4, order)
    number = contexts_of(model.tree)
    known = set(twin_of(names_of(*names), 4, order).counts)
    assert {with_start(context) for context in number} == known
    state = model.start(1)
    for place, symbol in enumerate([END, *asked]):
        state, _ = model.advance(state, np.array([symbol]))
        written = (END, *asked[:place])
        ends = [written[first:] for first in range(len(written) + 1)]  # longest first
        longest = next(end for end in ends if with_start(end) in known)
        assert state.tolist() == [number[longest]]


@pytest.mark.parametrize("order", [1, 4, 8])
@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_probabilities_sum_to_one(path: Path, order: int) -> None:
    """In every context, all that may follow adds up to 1, and nothing is less likely than LEAST."""
    learned, _, symbols = some_of(path)
    model = model_of(learned, symbols, order)
    following, p = model.tables  # (C, V), (C, V)
    assert p.shape == following.shape == (model.tree.contexts, symbols)
    assert p.dtype == np.float32
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    assert p.min() >= LEAST
    assert following.min() >= 0
    assert following.max() < len(p)


def test_two_names_by_hand() -> None:
    """Of "ab" and "ac", bigrams are what one works out with pencil and paper.

    The end, a, b and c make V = 4. Counts of counts are too few, so D is 1/2, 1 and 3/2.

    Nothing before: the end comes after b and c and counts 2, a comes after the start alone, b and c
    after a alone, and count 1; 5 in all. Discounts take away 1 + 3/2 = 5/2 of the 5, one half,
    which is spread evenly, 1/8 for each: p(end) = 1/5 + 1/8, p(a) = p(b) = p(c) = 1/10 + 1/8.
    After the start: a, twice; D(2) takes one half, p(a) = 1/2 + 1/2 9/40, others have 1/2 of what
    they had. After a: b and c, once each; D(1) takes half, p(b) = p(c) = 1/4 + 1/2 9/40.
    After b, as after c: the end, once, p(end) = 1/2 + 1/2 13/40.
    """
    end, letter = Fraction(13, 40), Fraction(9, 40)
    half, quarter = Fraction(1, 2), Fraction(1, 4)
    expected = {
        (): [end, letter, letter, letter],
        (0,): [end / 2, half + letter / 2, letter / 2, letter / 2],
        (1,): [end / 2, letter / 2, quarter + letter / 2, quarter + letter / 2],
        (2,): [half + end / 2, letter / 2, letter / 2, letter / 2],
        (3,): [half + end / 2, letter / 2, letter / 2, letter / 2],
    }
    assert all(sum(row) == 1 for row in expected.values())
    model = model_of(names_of([1, 2], [1, 3]), 4, 2)
    assert contexts_of(model.tree) == {context: i for i, context in enumerate(expected)}
    rows = [[float(p) for p in row] for row in expected.values()]  # (C, V)
    np.testing.assert_allclose(model.tables[1], rows, rtol=1e-6)


def test_three_discounts_by_hand() -> None:
    """Of "ab", "cd", "cd" and "d", unigrams have discounts of their own, estimated from them.

    a and b occur once, c twice, d three times and the end four times, 11 in all, and V = 5. So
    n1 = 2, n2 = n3 = n4 = 1 and Y = 2 / (2 + 2) = 1/2: D(1) = 1 - 2 1/2 1/2 = 1/2, D(2) = 2 - 3 1/2
    = 1/2 and D(3) = 3 - 4 1/2 = 1. They take 1/2 + 1/2 + 1/2 + 1 + 1 = 7/2, 7/10 for each symbol.
    """
    model = model_of(names_of([1, 2], [3, 4], [3, 4], [4]), 5, 1)
    np.testing.assert_allclose(model.discounts, [[0.5, 0.5, 1]], rtol=1e-12)
    eleventh = [3 + 0.7, 0.5 + 0.7, 0.5 + 0.7, 1.5 + 0.7, 2 + 0.7]  # end, a, b, c, d
    np.testing.assert_allclose(model.tables[1], [[x / 11 for x in eleventh]], rtol=1e-6)


# Discounts.


def counts_of(*n: int) -> NDArray[np.int64]:
    """(G,) counts, n[0] of them 1, n[1] of them 2 and so on."""
    return np.repeat(np.arange(1, len(n) + 1), n)


def test_discounts_are_estimated_by_equation_26() -> None:
    """With n = 10, 5, 3, 2: Y = 10/20, D = 1 - 2 Y 5/10, 2 - 3 Y 3/5 and 3 - 4 Y 2/3.

    The order of the counts does not matter, nor does how many there are of 5 and more.
    """
    expected = [1 / 2, 11 / 10, 5 / 3]
    np.testing.assert_allclose(estimate_discounts(counts_of(10, 5, 3, 2)), expected, rtol=1e-12)
    more = np.random.default_rng(1).permutation(counts_of(10, 5, 3, 2, 7, 0, 1))
    np.testing.assert_allclose(estimate_discounts(more), expected, rtol=1e-12)


@pytest.mark.parametrize("n", [(), (0, 1, 1, 1), (9, 0, 1, 1), (9, 3, 0, 1), (9, 3, 1), (0,) * 5])
def test_too_few_counts_give_half_of_what_is_counted(n: tuple[int, ...]) -> None:
    """Where no n-gram counts 1, 2, 3 or 4, equation 26 says nothing."""
    assert estimate_discounts(counts_of(*n)).tolist() == [0.5, 1, 1.5]


def test_no_discount_is_too_low() -> None:
    """Equation 26 gives -8 for n3 = 10 n2, -17 for n4 = 15 n3 and 1/21 for n2 = 10 n1: 0.1 each."""
    np.testing.assert_allclose(
        estimate_discounts(counts_of(1, 1, 10, 1)), [1 / 3, 0.1, 3 - 4 / 30], rtol=1e-12
    )
    np.testing.assert_allclose(
        estimate_discounts(counts_of(1, 1, 1, 15)), [1 / 3, 1, 0.1], rtol=1e-12
    )
    np.testing.assert_allclose(
        estimate_discounts(counts_of(1, 10, 1, 1)), [0.1, 2 - 1 / 70, 3 - 4 / 21], rtol=1e-12
    )


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 30), min_size=4, max_size=6))
def test_discounts_leave_something_and_take_no_more_than_there_is(n: list[int]) -> None:
    """Whatever the counts, 0.1 <= D(c) <= c, and the loops of the twin say the same."""
    discounts = estimate_discounts(counts_of(*n))
    assert ((discounts >= 0.1) & (discounts <= [1, 2, 3])).all()
    literal = modified_discounts(counts_of(*n).tolist())
    np.testing.assert_allclose(discounts, literal, rtol=1e-12)


# Tables that would be too large.


def times_of(names: Names, order: int) -> Counter[Context]:
    """How often each context but the empty one occurs, that is, something follows it."""
    written = [(END, *name) for name in plain(names)]
    return Counter(
        name[last - length : last]
        for name in written
        for length in range(1, order)
        for last in range(length, len(name) + 1)
        if END not in name[last - length + 1 : last]
    )


@pytest.mark.parametrize("most", [1, 2, 30, 300, 1_000, -1, 0, 1_000_000])
def test_seldom_contexts_are_left_out(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Of a real list, the tables hold the contexts that occur often enough, as many as have room.

    All those are kept that occur more often than one that is left out, and if those that occur as
    often as the most frequent one left out had stayed, too, there would have been too many. What is
    left is what the twin says without the others, their counts still estimating the discounts. From
    0 down, so many fewer have room than there are.
    """
    order = 5
    learned, asked, symbols = some_of(CORPORA / "edda.txt")
    times = times_of(learned, order)
    if most <= 0:
        most += len(times) + 1
    monkeypatch.setattr("dinogen.models.ngram.LARGEST_TABLE", most * symbols + symbols - 1)
    model = model_of(learned, symbols, order)
    kept = set(contexts_of(model.tree)) - {()}
    dropped = set(times) - kept
    assert kept <= set(times)
    assert bool(dropped) == (len(times) + 1 > most)
    following, p = model.tables  # (C, V), (C, V)
    assert len(following) == len(p) == model.tree.contexts == len(kept) + 1 <= most
    if dropped:
        next_times = max(times[context] for context in dropped)
        assert all(times[context] > next_times for context in kept)
        assert 1 + sum(number >= next_times for number in times.values()) > most
    assert model.tree.is_sound(order, symbols)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)

    twin = twin_of(learned, symbols, order)
    np.testing.assert_allclose(model.discounts, twin.discounts, rtol=1e-12)
    for context in dropped:
        del twin.counts[with_start(context)]
    expected = [
        twin.probability((START, *name[:place]), target)
        for name in plain(asked)
        for place, target in enumerate([*name, END])
    ]  # (S,)
    np.testing.assert_allclose(likelihoods(model, asked), expected, rtol=1e-5)


# The tree.


def tree_of(symbols: list[int], counts: list[int], children: list[int]) -> GramTree:
    """A tree over four symbols."""
    return GramTree(
        np.array(symbols, dtype=np.uint8),
        np.array(counts, dtype=np.uint32),
        np.array(children, dtype=np.uint8),
    )


# Bigrams of "ab" and "ac": below the root, the end (here the start), a, b and c; below them, what
# follows each of them: a; b and c; the end; the end.
SYMBOLS = [0, 0, 1, 2, 3, 1, 2, 3, 0, 0]
COUNTS = [0, 2, 1, 1, 1, 2, 1, 1, 1, 1]
CHILDREN = [4, 1, 2, 1, 1, 0, 0, 0, 0, 0]


def test_a_tree_by_hand() -> None:
    """The tree of two names is laid out level by level, contexts and their symbols in order."""
    tree = model_of(names_of([1, 2], [1, 3]), 4, 2).tree
    assert tree.symbols.tolist() == SYMBOLS
    assert tree.counts.tolist() == COUNTS
    assert tree.children.tolist() == CHILDREN
    assert tree.contexts == 5
    assert [(depth, nodes.tolist(), below.tolist()) for depth, nodes, below in tree.levels()] == [
        (0, [0], [1, 2, 3, 4]),
        (1, [1, 2, 3, 4], [5, 6, 7, 8, 9]),
    ]


def test_a_level_in_pieces_is_the_same_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many nodes are looked at together, the tables and the verdict are the same."""
    learned, _, symbols = some_of(LISTS[0])
    whole = model_of(learned, symbols, 4)
    in_pieces = NGram(whole.tree, whole.discounts, symbols)
    expected = whole.tables
    monkeypatch.setattr("dinogen.models.ngram._PIECE", 7)
    assert in_pieces.tree.is_sound(4, symbols)
    assert not in_pieces.tree.is_sound(3, symbols)
    for table, same in zip(in_pieces.tables, expected, strict=True):
        np.testing.assert_array_equal(table, same)


@pytest.mark.parametrize("order", [1, 2, 5, 8])
@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_the_tree_of_a_real_list_is_sound(path: Path, order: int) -> None:
    """It is a tree for its order and for greater ones, but not for a lesser order or alphabet."""
    learned, _, symbols = some_of(path)
    tree = model_of(learned, symbols, order).tree
    assert tree.is_sound(order, symbols)
    assert tree.is_sound(order + 1, symbols + 1)
    assert not tree.is_sound(order - 1, symbols)
    assert not tree.is_sound(order, int(tree.symbols.max()))
    assert {name: array.dtype for name, array in tree._asdict().items()} == {
        name: np.dtype(kind) for name, kind in GramTree.kinds(symbols).items()
    }


@settings(deadline=None, max_examples=60)
@given(lists, st.integers(1, 8))
def test_the_tree_of_any_list_is_sound(names: list[list[int]], order: int) -> None:
    """Names of no symbols and orders beyond the longest name make trees as well."""
    assert model_of(names_of(*names), 4, order).tree.is_sound(order, 4)


BROKEN = {
    "fewer children than nodes": (SYMBOLS, COUNTS, [4, 1, 2, 1, 0, 0, 0, 0, 0, 0]),
    "more children than nodes": (SYMBOLS, COUNTS, [4, 1, 2, 1, 2, 0, 0, 0, 0, 0]),
    "no children": (SYMBOLS, COUNTS, [0] * 10),
    "a root without children": (SYMBOLS, COUNTS, [0, 4, 1, 2, 1, 1, 0, 0, 0, 0]),
    "a node that is its own parent": (SYMBOLS, COUNTS, [1, 0, 4, 2, 1, 1, 0, 0, 0, 0]),
    "a parent after its child": (SYMBOLS, COUNTS, [4, 0, 0, 0, 0, 0, 0, 2, 2, 1]),
    "a symbol beyond the alphabet": ([0, 0, 1, 2, 4, 1, 2, 3, 0, 0], COUNTS, CHILDREN),
    "a symbol beyond it further down": ([0, 0, 1, 2, 3, 1, 2, 3, 0, 4], COUNTS, CHILDREN),
    "the root's children out of order": ([0, 1, 0, 2, 3, 1, 2, 3, 0, 0], COUNTS, CHILDREN),
    "the last siblings out of order": ([0, 0, 1, 2, 3, 1, 3, 2, 0, 0], COUNTS, CHILDREN),
    "the first siblings twice the same": ([0, 0, 0, 2, 3, 1, 2, 3, 0, 0], COUNTS, CHILDREN),
    "siblings twice the same": ([0, 0, 1, 2, 3, 1, 3, 3, 0, 0], COUNTS, CHILDREN),
    "a count of zero": (SYMBOLS, [0, 2, 1, 1, 1, 2, 1, 0, 1, 1], CHILDREN),
    "a first count of zero": (SYMBOLS, [0, 0, 1, 1, 1, 2, 1, 1, 1, 1], CHILDREN),
    "a last count of zero": (SYMBOLS, [0, 2, 1, 1, 1, 2, 1, 1, 1, 0], CHILDREN),
    "longer n-grams than the order": (SYMBOLS, COUNTS, [4, 1, 2, 1, 0, 1, 0, 0, 0, 0]),
    "a chain": ([0, 1, 1, 1, 1], [0, 1, 1, 1, 1], [1, 1, 1, 1, 0]),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_tree_is_told(broken: str) -> None:
    """One thing wrong, and it is no tree of bigrams over four symbols, as the whole one is."""
    assert tree_of(SYMBOLS, COUNTS, CHILDREN).is_sound(2, 4)
    assert not tree_of(*BROKEN[broken]).is_sound(2, 4)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_what_is_called_sound_can_be_used(data: st.DataObject) -> None:
    """A tree some of whose numbers were changed is refused, or makes a model like any other.

    Its rows add up to 1, with nothing below LEAST, and no symbol leads out of the tables.
    """
    order = data.draw(st.integers(1, 4))
    tree = model_of(names_of(*data.draw(lists)), 4, order).tree
    place = st.integers(0, len(tree.symbols) - 1)
    # Children that change parents, so that there still are as many as there are nodes.
    for one, other in data.draw(st.lists(st.tuples(place, place), max_size=4)):
        if tree.children[one]:
            tree.children[one] -= 1
            tree.children[other] += 1
    number = st.one_of(st.integers(0, 5), st.sampled_from([255, 2**32 - 1]))
    edit = st.tuples(st.sampled_from(["symbols", "counts", "children"]), place, number)
    for name, i, value in data.draw(st.lists(edit, max_size=2)):
        array = getattr(tree, name)
        array[i] = min(value, np.iinfo(array.dtype).max)
    if tree.is_sound(order, 4):
        discounts = np.tile([0.5, 1, 1.5], (order, 1))  # (n, 3)
        following, p = NGram(tree, discounts, 4).tables  # (C, V), (C, V)
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
        assert p.min() >= LEAST
        assert following.min() >= 0
        assert following.max() < len(p)


def test_nothing_is_impossible() -> None:
    """However often one symbol was seen, and after however much of itself, others stay possible.

    Each of the five contexts leaves 3/2 of four thousand million to the shorter one: 1e-48 in all,
    which float32 does not have.
    """
    most = 2**32 - 1
    tree = tree_of([0, 1, 1, 1, 1, 1], [0, *[most] * 5], [1, 1, 1, 1, 1, 0])
    assert tree.is_sound(5, 4)
    _, p = NGram(tree, np.tile([0.5, 1, 1.5], (5, 1)), 4).tables  # (C, V)
    assert p[-1].tolist() == pytest.approx([LEAST, 1, LEAST, LEAST], rel=1e-6)
    assert p.min() >= LEAST


@pytest.mark.parametrize("symbols", [255, 256, 300])
def test_alphabets_about_as_large_as_a_byte(symbols: int) -> None:
    """Where every symbol begins a name and ends one, the root and the start have V children."""
    each = [i for symbol in range(1, symbols) for i in (symbol, END)]
    names = Names.split(np.array([END, *each], dtype=np.uint16))
    model = model_of(names, symbols, 2)
    assert model.tree.children[:2].tolist() == [symbols, symbols]
    assert model.tree.is_sound(2, symbols)
    np.testing.assert_allclose(model.tables[1].sum(axis=1), 1, rtol=1e-5)
    twin = twin_of(names, symbols, 2)
    expected = [twin.probability((START, i), END) for i in range(1, symbols)]  # (V - 1,)
    found = likelihoods(model, names)[2::2]  # (V - 1,)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


# The language model.


@pytest.mark.parametrize(
    "rows",
    [np.array([True, False, True]), np.array([0, 2]), np.array([2, 0, 0]), slice(0, 3, 2)],
    ids=["mask", "indices", "repeated", "slice"],
)
def test_selected_states_go_on_alone(rows: slice | NDArray[np.integer] | NDArray[np.bool_]) -> None:
    """Names picked out of a state advance as they would have."""
    model = model_of(names_of([1, 2, 3], [1, 3], [2, 2]), 4, 3)
    state, _ = model.advance(model.start(3), np.zeros(3, dtype=np.uint8))
    state, _ = model.advance(state, np.array([1, 2, 3]))
    part = model.select(state, rows)
    following = np.array([2, 2, 1])  # (N,)
    whole_state, whole = model.advance(state, following)
    part_state, p = model.advance(part, following[rows])
    np.testing.assert_array_equal(part_state, whole_state[rows])
    np.testing.assert_array_equal(p, whole[rows])
    assert len(np.unique(whole, axis=0)) == 3, "three names that differ"


def test_answers_may_be_overwritten() -> None:
    """Who was answered may change the numbers; the next answer is the same as before."""
    model = model_of(names_of([1, 2, 3], [1, 3], [2, 2]), 4, 3)
    symbols = np.zeros(2, dtype=np.uint8)
    _, p = model.advance(model.start(2), symbols)
    before = p.copy()
    p[...] = 0
    np.testing.assert_array_equal(model.advance(model.start(2), symbols)[1], before)


def test_order_1_knows_no_context() -> None:
    """Unigrams have one state, and say the same whatever is written."""
    model = model_of(names_of([1, 2, 3], [1, 3], [2, 2]), 4, 1)
    assert model.order == 1
    state, first = model.advance(model.start(3), np.array([0, 0, 0]))
    state, p = model.advance(state, np.array([1, 2, 3]))
    assert state.tolist() == [0, 0, 0]
    np.testing.assert_array_equal(p, first)
    # Ten symbols: three ends, two of the first letter, three of the second, two of the third.
    # The counts of counts are too few: D(2) = 1 and D(3) = 3/2 leave 5 of 10, an eighth for each.
    expected = [1.5 / 10 + 1 / 8, 1 / 10 + 1 / 8, 1.5 / 10 + 1 / 8, 1 / 10 + 1 / 8]
    np.testing.assert_allclose(p[0], expected, rtol=1e-6)
