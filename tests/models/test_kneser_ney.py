"""Kneser-Ney n-grams, compared with a slow version in dictionaries and with sums by hand."""

import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from dinogen.data import END, Names, Vocabulary
from dinogen.models import MIN_PROBABILITY, GramTree, NGram, count, estimate_discounts, likelihoods
from tests.conftest import CORPORA
from tests.data.test_sequences import plain
from tests.kneser_ney import START, Context, KneserNey, modified_discounts
from tests.networks import names_of

LISTS = sorted(CORPORA.glob("*.txt"))

lists = st.lists(st.lists(st.integers(1, 3), max_size=5), min_size=1, max_size=12)


def model_of(names: Names, symbols: int, order: int) -> NGram:
    """Build the n-grams of a list."""
    return NGram.from_counts(count(names, symbols, order), symbols)


def slow_model(names: Names, symbols: int, order: int) -> KneserNey:
    """Build the slow version of the same."""
    return KneserNey([[*name, END] for name in plain(names)], symbols, order)


def some_of(path: Path) -> tuple[Names, Names, int]:
    """Return about 320 training names and 80 other names of a list, and V."""
    lines = path.read_text(encoding="utf-8").lower().split("\n")[:-1]
    lines = lines[:: max(1, len(lines) // 400)]
    new = lines[::5]
    training = [line for place, line in enumerate(lines) if place % 5]
    vocabulary = Vocabulary.of("\n".join(lines))
    training_names, new_names = (
        vocabulary.encode("".join(f"{name}\n" for name in part)) for part in (training, new)
    )
    return training_names, new_names, len(vocabulary)


def contexts_of(tree: GramTree) -> dict[Context, int]:
    """Number the contexts in the order of their nodes; the path from the root spells each."""
    spelled: list[Context] = [()]
    contexts: dict[Context, int] = {}
    for node, children in enumerate(tree.children.tolist()):
        first = len(spelled)
        spelled += [(*spelled[node], symbol) for symbol in tree.symbols[first:][:children].tolist()]
        if children:
            contexts[spelled[node]] = len(contexts)
    return contexts


def with_start(context: Context) -> Context:
    """Return a context as the slow version writes it: -1 for the start, which is 0 here."""
    return (START, *context[1:]) if context[:1] == (END,) else context


# Probabilities.


@pytest.mark.parametrize("order", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_new_names_are_as_likely_as_in_the_slow_version(path: Path, order: int) -> None:
    """Each symbol of names outside of the training names has the same probability, to 1e-5."""
    training, new, symbols = some_of(path)
    slow = slow_model(training, symbols, order)
    expected = [
        slow.probability((START, *name[:place]), target)
        for name in plain(new)
        for place, target in enumerate([*name, END])
    ]  # (S,)
    model = model_of(training, symbols, order)
    np.testing.assert_allclose(likelihoods(model, new), expected, rtol=1e-5)
    np.testing.assert_allclose(model.discounts, slow.discounts, rtol=1e-12)


@settings(deadline=None, max_examples=80)
@given(lists, st.lists(st.integers(1, 3), max_size=6), st.integers(1, 6))
def test_all_symbols_are_as_likely_as_in_the_slow_version(
    names: list[list[int]], read: list[int], order: int
) -> None:
    """For any small list and any prefix, every next symbol has the same probability."""
    model = model_of(names_of(*names), 4, order)
    slow = slow_model(names_of(*names), 4, order)
    state, p = model.begin(1)
    for place, symbol in enumerate([*read, END]):
        written = (START, *read[:place])
        expected = [slow.probability(written, following) for following in range(4)]  # (V,)
        np.testing.assert_allclose(p[0], expected, rtol=1e-5)
        state, p = model.advance(state, np.array([symbol]))


@settings(deadline=None, max_examples=80)
@given(lists, st.lists(st.integers(1, 3), max_size=6), st.integers(1, 6))
def test_the_state_is_the_longest_seen_suffix(
    names: list[list[int]], read: list[int], order: int
) -> None:
    """An unseen context is replaced by its longest suffix that was seen."""
    model = model_of(names_of(*names), 4, order)
    number = contexts_of(model.tree)
    seen = set(slow_model(names_of(*names), 4, order).counts)
    assert {with_start(context) for context in number} == seen
    state, _ = model.begin(1)
    for place, symbol in enumerate([*read, END]):
        written = (END, *read[:place])
        suffixes = [written[first:] for first in range(len(written) + 1)]  # longest first
        longest = next(suffix for suffix in suffixes if with_start(suffix) in seen)
        assert state.tolist() == [number[longest]]
        state, _ = model.advance(state, np.array([symbol]))


@pytest.mark.parametrize("order", [1, 4, 8])
@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_probabilities_sum_to_one(path: Path, order: int) -> None:
    """In every context, the probabilities sum to 1, and none is below MIN_PROBABILITY."""
    training, _, symbols = some_of(path)
    model = model_of(training, symbols, order)
    following, p = model.tables  # (C, V), (C, V)
    assert p.shape == following.shape == (model.tree.contexts, symbols)
    assert p.dtype == np.float32
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    assert p.min() >= MIN_PROBABILITY
    assert following.min() >= 0
    assert following.max() < len(p)


def test_two_names_by_hand() -> None:
    """The bigrams of "ab" and "ac", worked out by hand.

    The end, a, b and c make V = 4. There are too few counts to estimate D, so it is 1/2, 1 and 3/2.

    In the empty context, the end follows b and c and counts 2. a follows the start only, and b and
    c follow a only; each counts 1. The sum is 5. The discounts take 1 + 3/2 = 5/2 of it, one half,
    which is spread evenly, 1/8 for each: p(end) = 1/5 + 1/8, p(a) = p(b) = p(c) = 1/10 + 1/8.
    After the start, a occurs twice. D(2) takes one half: p(a) = 1/2 + 1/2 9/40, and the others have
    half of their probability in the empty context. After a, b and c occur once each. D(1) takes
    half: p(b) = p(c) = 1/4 + 1/2 9/40. After b, and after c, the end occurs once:
    p(end) = 1/2 + 1/2 13/40.
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
    """The unigrams of "ab", "cd", "cd" and "d", with estimated discounts.

    a and b occur once, c twice, d three times and the end four times: 11 symbols, and V = 5. So
    n1 = 2, n2 = n3 = n4 = 1 and Y = 2 / (2 + 2) = 1/2: D(1) = 1 - 2 1/2 1/2 = 1/2, D(2) = 2 - 3 1/2
    = 1/2 and D(3) = 3 - 4 1/2 = 1. They take 1/2 + 1/2 + 1/2 + 1 + 1 = 7/2, or 7/10 per symbol.
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

    The order of the counts does not matter, and neither do counts of 5 and more.
    """
    expected = [1 / 2, 11 / 10, 5 / 3]
    np.testing.assert_allclose(estimate_discounts(counts_of(10, 5, 3, 2)), expected, rtol=1e-12)
    more = np.random.default_rng(1).permutation(counts_of(10, 5, 3, 2, 7, 0, 1))
    np.testing.assert_allclose(estimate_discounts(more), expected, rtol=1e-12)


@pytest.mark.parametrize("n", [(), (0, 1, 1, 1), (9, 0, 1, 1), (9, 3, 0, 1), (9, 3, 1), (0,) * 5])
def test_too_few_counts_give_half_of_each_count(n: tuple[int, ...]) -> None:
    """If no n-gram counts 1, 2, 3 or 4, equation 26 does not apply."""
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
def test_discounts_are_within_their_bounds(n: list[int]) -> None:
    """For all counts, 0.1 <= D(c) <= c, and the slow version gives the same."""
    discounts = estimate_discounts(counts_of(*n))
    assert ((discounts >= 0.1) & (discounts <= [1, 2, 3])).all()
    slow = modified_discounts(counts_of(*n).tolist())
    np.testing.assert_allclose(discounts, slow, rtol=1e-12)


# Tables that would be too large.


def occurrences_of(names: Names, order: int) -> Counter[Context]:
    """Count how often each context occurs, except for the empty one."""
    written = [(END, *name) for name in plain(names)]
    return Counter(
        name[last - length : last]
        for name in written
        for length in range(1, order)
        for last in range(length, len(name) + 1)
        if END not in name[last - length + 1 : last]
    )


@pytest.mark.parametrize("limit", [1, 2, 30, 300, 1_000, -1, 0, 1_000_000])
def test_rare_contexts_are_dropped(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """The tables of a real list hold the most frequent contexts, as many as the limit allows.

    Each context that is kept occurs more often than each that is dropped. With all contexts that
    occur as often as the most frequent dropped one, there would be too many. The probabilities are
    those of the slow version without the dropped contexts, whose counts still estimate the
    discounts. A limit of 0 or less is relative to the number of contexts.
    """
    order = 5
    training, new, symbols = some_of(CORPORA / "edda.txt")
    occurrences = occurrences_of(training, order)
    if limit <= 0:
        limit += len(occurrences) + 1
    home = sys.modules[NGram.__module__]
    monkeypatch.setattr(home, "MAX_TABLE", limit * symbols + symbols - 1)
    model = model_of(training, symbols, order)
    kept = set(contexts_of(model.tree)) - {()}
    dropped = set(occurrences) - kept
    assert kept <= set(occurrences)
    assert bool(dropped) == (len(occurrences) + 1 > limit)
    following, p = model.tables  # (C, V), (C, V)
    assert len(following) == len(p) == model.tree.contexts == len(kept) + 1 <= limit
    if dropped:
        most_dropped = max(occurrences[context] for context in dropped)
        assert all(occurrences[context] > most_dropped for context in kept)
        assert 1 + sum(number >= most_dropped for number in occurrences.values()) > limit
    assert model.tree.is_sound(order, symbols)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)

    slow = slow_model(training, symbols, order)
    np.testing.assert_allclose(model.discounts, slow.discounts, rtol=1e-12)
    for context in dropped:
        del slow.counts[with_start(context)]
    expected = [
        slow.probability((START, *name[:place]), target)
        for name in plain(new)
        for place, target in enumerate([*name, END])
    ]  # (S,)
    np.testing.assert_allclose(likelihoods(model, new), expected, rtol=1e-5)


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
    """The tree of two names is in level order; symbols rise below each context."""
    tree = model_of(names_of([1, 2], [1, 3]), 4, 2).tree
    assert tree.symbols.tolist() == SYMBOLS
    assert tree.counts.tolist() == COUNTS
    assert tree.children.tolist() == CHILDREN
    assert tree.contexts == 5
    assert [(depth, nodes.tolist(), below.tolist()) for depth, nodes, below in tree.levels()] == [
        (0, [0], [1, 2, 3, 4]),
        (1, [1, 2, 3, 4], [5, 6, 7, 8, 9]),
    ]


def test_chunks_do_not_change_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of nodes that are processed together does not change tables and checks."""
    training, _, symbols = some_of(LISTS[0])
    whole = model_of(training, symbols, 4)
    in_chunks = NGram(whole.tree, whole.discounts, symbols)
    expected = whole.tables
    monkeypatch.setattr(sys.modules[NGram.__module__], "_CHUNK", 7)
    assert in_chunks.tree.is_sound(4, symbols)
    assert not in_chunks.tree.is_sound(3, symbols)
    for table, same in zip(in_chunks.tables, expected, strict=True):
        np.testing.assert_array_equal(table, same)


@pytest.mark.parametrize("order", [1, 2, 5, 8])
@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_the_tree_of_a_real_list_is_sound(path: Path, order: int) -> None:
    """It is sound for its order and greater ones, but not for a lower order or fewer symbols."""
    training, _, symbols = some_of(path)
    tree = model_of(training, symbols, order).tree
    assert tree.is_sound(order, symbols)
    assert tree.is_sound(order + 1, symbols + 1)
    assert not tree.is_sound(order - 1, symbols)
    assert not tree.is_sound(order, int(tree.symbols.max()))
    assert {name: array.dtype for name, array in tree._asdict().items()} == {
        name: np.dtype(kind) for name, kind in GramTree.dtypes(symbols).items()
    }


@settings(deadline=None, max_examples=60)
@given(lists, st.integers(1, 8))
def test_the_tree_of_any_list_is_sound(names: list[list[int]], order: int) -> None:
    """Empty names and orders beyond the longest name give sound trees too."""
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
def test_a_broken_tree_is_not_sound(broken: str) -> None:
    """One defect is enough: it is not a tree of bigrams over four symbols."""
    assert tree_of(SYMBOLS, COUNTS, CHILDREN).is_sound(2, 4)
    assert not tree_of(*BROKEN[broken]).is_sound(2, 4)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_sound_tree_can_be_used(data: st.DataObject) -> None:
    """A tree with some changed numbers is not sound, or makes a valid model.

    Its rows sum to 1, no probability is below MIN_PROBABILITY, and all contexts are in the tables.
    """
    order = data.draw(st.integers(1, 4))
    tree = model_of(names_of(*data.draw(lists)), 4, order).tree
    place = st.integers(0, len(tree.symbols) - 1)
    # Some children change parents, so that the number of nodes stays right.
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
        assert p.min() >= MIN_PROBABILITY
        assert following.min() >= 0
        assert following.max() < len(p)


def test_no_probability_is_zero() -> None:
    """If one symbol has the greatest counts in all contexts, the others are at MIN_PROBABILITY.

    Each of the five contexts leaves 3/2 of 2^32 to the shorter one: 1e-48 in total, which is 0 in
    float32.
    """
    most = 2**32 - 1
    tree = tree_of([0, 1, 1, 1, 1, 1], [0, *[most] * 5], [1, 1, 1, 1, 1, 0])
    assert tree.is_sound(5, 4)
    _, p = NGram(tree, np.tile([0.5, 1, 1.5], (5, 1)), 4).tables  # (C, V)
    assert p[-1].tolist() == pytest.approx(
        [MIN_PROBABILITY, 1, MIN_PROBABILITY, MIN_PROBABILITY], rel=1e-6
    )
    assert p.min() >= MIN_PROBABILITY


@pytest.mark.parametrize("symbols", [255, 256, 300])
def test_about_256_symbols(symbols: int) -> None:
    """If every symbol begins a name and ends one, the root and the start have V children."""
    each = [i for symbol in range(1, symbols) for i in (symbol, END)]
    names = Names.split(np.array([END, *each], dtype=np.uint16))
    model = model_of(names, symbols, 2)
    assert model.tree.children[:2].tolist() == [symbols, symbols]
    assert model.tree.is_sound(2, symbols)
    np.testing.assert_allclose(model.tables[1].sum(axis=1), 1, rtol=1e-5)
    slow = slow_model(names, symbols, 2)
    expected = [slow.probability((START, i), END) for i in range(1, symbols)]  # (V - 1,)
    found = likelihoods(model, names)[2::2]  # (V - 1,)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


# The language model.


@pytest.mark.parametrize(
    "rows",
    [np.array([True, False, True]), np.array([0, 2]), np.array([2, 0, 0]), slice(0, 3, 2)],
    ids=["mask", "indices", "repeated", "slice"],
)
def test_selected_names_continue_alone(
    rows: slice | NDArray[np.integer] | NDArray[np.bool_],
) -> None:
    """Names that are selected from a state advance as they would have."""
    model = model_of(names_of([1, 2, 3], [1, 3], [2, 2]), 4, 3)
    state, _ = model.begin(3)
    state, _ = model.advance(state, np.array([1, 2, 3]))
    part = model.select(state, rows)
    following = np.array([2, 2, 1])  # (N,)
    whole_state, whole = model.advance(state, following)
    part_state, p = model.advance(part, following[rows])
    np.testing.assert_array_equal(part_state, whole_state[rows])
    np.testing.assert_array_equal(p, whole[rows])
    assert len(np.unique(whole, axis=0)) == 3, "the three names differ"


def test_answers_may_be_overwritten() -> None:
    """The caller may overwrite the probabilities; the next answer is the same as before."""
    model = model_of(names_of([1, 2, 3], [1, 3], [2, 2]), 4, 3)
    _, p = model.begin(2)
    before = p.copy()
    p[...] = 0
    np.testing.assert_array_equal(model.begin(2)[1], before)
    _, p = model.advance(model.blank(2), np.array([1, 1], dtype=np.uint8))
    before = p.copy()
    p[...] = 0
    _, again = model.advance(model.blank(2), np.array([1, 1], dtype=np.uint8))
    np.testing.assert_array_equal(again, before)


def test_a_name_begins_after_the_end_of_another() -> None:
    """`begin` reads the end symbol in the empty context."""
    model = model_of(names_of([1, 2, 3], [1, 3], [2, 2]), 4, 3)
    state, p = model.begin(2)
    expected_state, expected = model.advance(model.blank(2), np.array([END, END]))
    np.testing.assert_array_equal(state, expected_state)
    np.testing.assert_array_equal(p, expected)
    assert model.vocab_size == 4


def test_order_1_has_one_context() -> None:
    """Unigrams have one state, and give the same probabilities after any prefix."""
    model = model_of(names_of([1, 2, 3], [1, 3], [2, 2]), 4, 1)
    assert model.order == 1
    state, first = model.begin(3)
    state, p = model.advance(state, np.array([1, 2, 3]))
    assert state.tolist() == [0, 0, 0]
    np.testing.assert_array_equal(p, first)
    # Ten symbols: three ends, two of the first letter, three of the second, two of the third.
    # There are too few counts to estimate D: D(2) = 1 and D(3) = 3/2 leave 5 of 10, 1/8 for each.
    expected = [1.5 / 10 + 1 / 8, 1 / 10 + 1 / 8, 1.5 / 10 + 1 / 8, 1 / 10 + 1 / 8]
    np.testing.assert_allclose(p[0], expected, rtol=1e-6)
