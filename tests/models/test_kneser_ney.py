"""Kneser-Ney n-grams, compared with a slow version in dictionaries and with sums by hand."""

import sys
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from dinogen.data import END, Names, Sequences, Texts, Vocabulary
from dinogen.models import (
    MIN_PROBABILITY,
    Automaton,
    GramTree,
    NGram,
    count,
    dense_rows,
    estimate_discounts,
    likelihoods,
    likelihoods_by_order,
)
from tests.conftest import CORPORA
from tests.kneser_ney import START, Context, KneserNey, modified_discounts
from tests.models.test_counts import in_dictionaries, lists_of, some_texts, texts_of
from tests.networks import answers, names_of

LISTS = sorted(CORPORA.glob("*.txt"))

lists = st.lists(st.lists(st.integers(1, 3), max_size=5), min_size=1, max_size=12)


def model_of(sequences: Sequences, symbols: int, order: int) -> NGram:
    """Build the n-grams of a list or of texts."""
    return NGram.from_counts(count(sequences, symbols, order), symbols)


def slow_model(sequences: Sequences, symbols: int, order: int) -> KneserNey:
    """Build the slow version of the same."""
    start = START if isinstance(sequences, Names) else END
    return KneserNey(lists_of(sequences), symbols, order, start)


def slow_likelihoods(slow: KneserNey, sequences: Sequences) -> list[float]:
    """(S,) the probability of each symbol in the slow version."""
    start = START if isinstance(sequences, Names) else END
    return [
        slow.probability((start, *sequence[:place]), target)
        for sequence in lists_of(sequences)
        for place, target in enumerate(sequence)
    ]


def some_of(path: Path) -> tuple[Names, Names, int]:
    """Return at most about 320 training names and 80 other names of a list, and V."""
    text = path.read_text(encoding="utf-8").lower()
    lines = text.split("\n")[:-1]
    lines = lines[:: max(1, len(lines) // 400, len(text) // 12_000)]
    new = lines[::5]
    training = [line for place, line in enumerate(lines) if place % 5]
    vocabulary = Vocabulary.of("\n".join(lines))
    training_names, new_names = (
        vocabulary.encode("".join(f"{name}\n" for name in part)) for part in (training, new)
    )
    return training_names, new_names, len(vocabulary)


def some_text() -> tuple[Texts, Texts, int]:
    """Return the first part of a text, the second one, and V."""
    text = (CORPORA / "sonnets.txt").read_text(encoding="utf-8")[:4_000]
    vocabulary = Vocabulary.of(text)
    symbols = vocabulary.encode_text(text)
    training, new = Texts(symbols, np.array([0, 1_700, len(text)])).split(0.2, len(text))
    return training, new, len(vocabulary)


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
    model = model_of(training, symbols, order)
    np.testing.assert_allclose(likelihoods(model, new), slow_likelihoods(slow, new), rtol=1e-5)
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


# Too many n-grams.


def occurrences_of(sequences: Sequences, slow: KneserNey, order: int) -> Mapping[Context, int]:
    """Count how often each context of the slow version occurs, except for the empty one."""
    grams, _ = in_dictionaries(lists_of(sequences), max(1, order - 1))
    is_name = isinstance(sequences, Names)
    spelled = {with_start(gram) if is_name else gram: number for gram, number in grams.items()}
    return {context: spelled[context] for context in slow.counts if context}


@pytest.mark.parametrize("limit", [1, 70, 300, 1_000, -1, 0, 1_000_000])
@pytest.mark.parametrize("is_text", [False, True], ids=["names", "text"])
def test_rare_contexts_are_dropped(
    monkeypatch: pytest.MonkeyPatch, is_text: bool, limit: int
) -> None:
    """The model of real data holds the most frequent contexts, as many as the limit allows.

    Each context that is kept occurs more often than each that is dropped. With all contexts that
    occur as often as the most frequent dropped one, there would be too many n-grams. The
    probabilities are those of the slow version without the dropped contexts, whose counts still
    estimate the discounts. A limit of 0 or less is relative to the number of n-grams.
    """
    order = 5
    training, new, symbols = some_text() if is_text else some_of(CORPORA / "edda.txt")
    slow = slow_model(training, symbols, order)
    occurrences = occurrences_of(training, slow, order)
    grams = sum(map(len, slow.counts.values()))
    if limit <= 0:
        limit += grams
    monkeypatch.setattr(sys.modules[NGram.__module__], "MAX_GRAMS", limit)
    model = model_of(training, symbols, order)
    kept = set(contexts_of(model.tree)) - {()}
    kept = {context if is_text else with_start(context) for context in kept}
    dropped = set(occurrences) - kept
    assert kept <= set(occurrences)
    assert bool(dropped) == (grams > limit)
    assert len(model.tree.symbols) - 1 <= max(limit, len(slow.counts[()]))
    if dropped:
        most_dropped = max(occurrences[context] for context in dropped)
        assert all(occurrences[context] > most_dropped for context in kept)
        others = [context for context in occurrences if occurrences[context] >= most_dropped]
        assert len(slow.counts[()]) + sum(len(slow.counts[context]) for context in others) > limit
    assert model.tree.is_sound(order, symbols)
    np.testing.assert_allclose(model.tables[1].sum(axis=1), 1, rtol=1e-5)

    np.testing.assert_allclose(model.discounts, slow.discounts, rtol=1e-12)
    for context in dropped:
        del slow.counts[context]
    found = [p[0] for p in read(model, new)]
    np.testing.assert_allclose(
        [p[symbol] for p, symbol in zip(found, new.symbols.tolist(), strict=True)],
        slow_likelihoods(slow, new),
        rtol=1e-5,
    )


def read(model: NGram, sequences: Sequences) -> Iterator[NDArray[np.floating]]:
    """Yield the (1, V) probabilities of each symbol of the sequences, one after the other."""
    for sequence in lists_of(sequences):
        state, p = model.begin(1)
        for symbol in sequence:
            yield p
            state, p = model.advance(state, np.array([symbol]))


# Running text.


@settings(deadline=None, max_examples=40)
@given(some_texts, st.lists(st.integers(0, 3), max_size=8), st.integers(1, 6))
def test_texts_are_as_likely_as_in_the_slow_version(
    texts: list[list[int]], written: list[int], order: int
) -> None:
    """After any text, every next symbol has the same probability, also behind the ends of lines."""
    training = texts_of(*texts)
    model, slow = model_of(training, 4, order), slow_model(training, 4, order)
    np.testing.assert_allclose(model.discounts, slow.discounts[: model.order], rtol=1e-12)
    for place, p in enumerate(read(model, texts_of([*written, 0]))):
        context = (END, *written[:place])
        expected = [slow.probability(context, symbol) for symbol in range(4)]  # (V,)
        np.testing.assert_allclose(p[0], expected, rtol=1e-5)
    assert model.tree.is_sound(order, 4)


def test_the_context_goes_on_behind_the_end_of_a_line() -> None:
    """What follows the end of a line depends on the line before it."""
    lines = np.random.default_rng(1).integers(1, 3, 200)
    text = [symbol for first in lines.tolist() for symbol in (first, END, 3 - first, 3, END)]
    model = model_of(texts_of(text), 4, 4)
    for first in (1, 2):
        *_, p = read(model, texts_of([3, END, first, END, 3]))
        assert p[0, 3 - first] > 0.9
        *_, p = read(model, texts_of([3, END, first, 3, 3]))
        assert p[0, 3 - first] < 0.9


# Sparse rows.


def with_dense_rows(model: NGram, rows: int) -> Automaton:
    """Build the automaton of a model with a number of dense rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[Automaton.__module__], "dense_rows", lambda *_: rows)
        return Automaton(model.tree, model.discounts, model.vocab_size)


@settings(deadline=None, max_examples=40)
@given(some_texts, st.integers(1, 6), st.data())
def test_sparse_rows_are_dense_rows(
    texts: list[list[int]], order: int, data: st.DataObject
) -> None:
    """With any number of dense rows, each symbol leads from each context to the same one.

    The probabilities are the same, too.
    """
    model = model_of(texts_of(*texts), 4, order)
    following, p = model.tables  # (C, V), (C, V)
    C = model.tree.contexts
    assert len(following) == C
    part = with_dense_rows(model, data.draw(st.integers(1, C)))
    for symbol in range(4):
        states, q = part.advance(np.arange(C, dtype=np.int32), np.full(C, symbol))
        np.testing.assert_array_equal(states, following[:, symbol])
        assert states.dtype == np.int32
        np.testing.assert_allclose(q, p[states], rtol=2e-6)
        assert q.dtype == np.float32
        # One context alone is computed in another way.
        for context in range(C):
            state, row = part.advance(np.array([context], dtype=np.int32), np.array([symbol]))
            assert state.dtype == np.int32
            assert row.dtype == np.float32
            assert state.tolist() == [following[context, symbol]]
            np.testing.assert_allclose(row, p[state], rtol=2e-6)


@pytest.mark.parametrize("gather", [1, 1_000, 1 << 22])
@pytest.mark.parametrize("rows", [1, 40, 500, 2_500])
def test_a_real_text_has_the_same_model(
    monkeypatch: pytest.MonkeyPatch, rows: int, gather: int
) -> None:
    """The number of dense rows, and of entries gathered together, does not change the answers."""
    training, new, symbols = some_text()
    model = model_of(training, symbols, 6)
    assert model.tree.contexts > 2_500
    expected = answers(model, lines := new.symbols[:600].reshape(20, 30))
    part = with_dense_rows(model, rows)
    assert part.p.shape == part.following.shape == (rows, symbols)
    monkeypatch.setattr(sys.modules[Automaton.__module__], "_MAX_GATHER", gather)
    monkeypatch.setattr(model, "_automaton", part)
    np.testing.assert_allclose(answers(model, lines), expected, rtol=2e-6)
    np.testing.assert_allclose(expected.sum(axis=2), 1, rtol=1e-5)
    state, p = model.advance(model.blank(0), np.zeros(0, dtype=np.int64))
    assert (state.shape, p.shape) == ((0,), (0, symbols))


def test_chunks_of_nodes_do_not_change_sparse_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk may have dense and sparse rows, or rows of one kind."""
    training, new, symbols = some_text()
    model = model_of(training, symbols, 5)
    expected = answers(model, new.symbols[:100].reshape(4, 25))
    monkeypatch.setattr(sys.modules[GramTree.__module__], "_CHUNK", 7)
    monkeypatch.setattr(model, "_automaton", with_dense_rows(model, 200))
    found = answers(model, new.symbols[:100].reshape(4, 25))
    np.testing.assert_allclose(found, expected, rtol=2e-6)


def test_a_large_vocabulary_keeps_its_contexts() -> None:
    """The model of a text of 3,000 symbols has each context of the text, most in sparse rows."""
    V, order = 3_000, 4
    drawn = np.random.default_rng(1).zipf(1.2, 15_000) % V
    text = Texts(drawn.astype(np.uint16), np.array([0, len(drawn)]))
    model = model_of(text, V, order)
    written = [END, *drawn.tolist()]
    seen = {
        tuple(written[first : first + length])
        for length in range(order)
        for first in range(len(written) - length)
    }
    assert model.tree.contexts == len(seen) > 8_000
    assert model.tree.is_sound(order, V)
    dense = len(model.tables[0])
    assert dense == dense_rows(len(seen), V) < 1_000
    state, p = model.begin(50)
    for symbols in drawn[:500].reshape(50, 10).T:
        state, p = model.advance(state, symbols)
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    assert (state >= dense).mean() > 0.9
    slow = slow_model(text, V, order)
    contexts = [(END, *line) for line in drawn[:500].reshape(50, 10).tolist()]
    expected = [
        [slow.probability(context, 7), slow.probability(context, 1)] for context in contexts
    ]
    np.testing.assert_allclose(p[:, [7, 1]], expected, rtol=1e-5)


def test_dense_rows_fit_the_memory() -> None:
    """All contexts have dense rows if they fit. Else, as many as a smaller table holds have."""
    assert dense_rows(100_000, 60) == 100_000
    assert dense_rows(1 << 24, 1) == 1 << 24
    assert dense_rows((1 << 24) + 1, 1) == 1 << 20
    assert dense_rows(1_000_000, 60) == (1 << 20) // 60
    assert dense_rows(20, 0x110000) == 1


# All orders at once.


@pytest.mark.parametrize("is_text", [False, True], ids=["names", "text"])
def test_all_orders_are_scored_at_once(is_text: bool) -> None:
    """Each order gives what the slow version of that order gives, and what its model gives."""
    training, new, symbols = some_text() if is_text else some_of(CORPORA / "edda.txt")
    levels = count(training, symbols, 6)
    found = likelihoods_by_order(levels, symbols, [3, 1, 5, 2, 9], new)
    assert list(found) == [3, 1, 5, 2, 9]
    for order, p in found.items():
        # There are no more than six levels.
        slow = slow_model(training, symbols, min(order, 6))
        np.testing.assert_allclose(p, slow_likelihoods(slow, new), rtol=1e-9)
        model = NGram.from_counts(levels[:order], symbols)
        one_by_one = [row[0] for row in read(model, new)]
        rows = np.arange(len(new.symbols))
        np.testing.assert_allclose(p, np.array(one_by_one)[rows, new.symbols], rtol=2e-6)


@settings(deadline=None, max_examples=40)
@given(some_texts, some_texts, st.integers(1, 8))
def test_any_text_is_scored(training: list[list[int]], new: list[list[int]], order: int) -> None:
    """Texts without the end of a line, and with unseen symbols, are scored like in a plain loop."""
    levels = count(texts_of(*training), 4, order)
    p = likelihoods_by_order(levels, 4, [order], texts_of(*new))[order]
    slow = slow_model(texts_of(*training), 4, min(order, len(levels)))
    np.testing.assert_allclose(p, slow_likelihoods(slow, texts_of(*new)), rtol=1e-9)


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
    monkeypatch.setattr(sys.modules[GramTree.__module__], "_CHUNK", 7)
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
