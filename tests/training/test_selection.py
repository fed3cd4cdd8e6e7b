"""Selection: compared with all choices made one by one."""

import sys
from itertools import combinations, pairwise
from math import log
from typing import Any

import numpy as np
import pytest

from dinogen.data import END, Names, Sequences, Texts, hold_out, read_corpus
from dinogen.models import LanguageModel, NGram, count, fit_weights, likelihoods, mean_nats
from dinogen.training import DEFAULT_ORDER, ORDERS, TOLERANCE, Selected, Selection
from tests.conftest import CORPORA
from tests.networks import names_of, random_network

CORPUS = read_corpus([CORPORA / "edda.txt"])
TRAINING, HELD_OUT = hold_out(CORPUS, 0.2, seed=1)
V = len(CORPUS.vocabulary)
NOTHING = names_of()


def make_ngram(names: Names, order: int) -> NGram:
    """Build the n-grams of a list."""
    return NGram.from_counts(count(names, V, order), V)


def make_selection(order: int | None, held_out: Names = HELD_OUT) -> Selection:
    """Set up a selection on the names of the Edda."""
    return Selection(TRAINING, held_out, CORPUS.names, V, order)


# Any language model can stand for a network here. N-grams of a higher order know more.
NETWORKS: dict[str, LanguageModel] = {
    "random": random_network(V, 8, seed=2, dtype=np.float32, scale=0.3),
    "trigrams": make_ngram(TRAINING, 3),
    "long contexts": make_ngram(TRAINING, 6),
}
GROUPS: list[tuple[str, ...]] = [
    *((name,) for name in NETWORKS),
    *combinations(NETWORKS, 2),
    ("long contexts", "random"),
]
"""One network, and two, in both orders."""

alone_or_together = pytest.mark.parametrize("names", [(), *GROUPS], ids=" and ".join)


def networks_of(names: tuple[str, ...]) -> dict[str, LanguageModel]:
    """Return some of the networks, in the given order."""
    return {name: NETWORKS[name] for name in names}


def slow_nats(p: list[float]) -> float:
    """Return the mean of -log p."""
    return -sum(map(log, p)) / len(p)


def choices(names: tuple[str, ...]) -> dict[int, tuple[list[float], float, float]]:
    """Return the weights, the nats of the mixture and of the n-grams, for orders 2 to 8."""
    others = [likelihoods(NETWORKS[name], HELD_OUT) for name in names]
    found = {}
    for order in range(2, 9):
        scored = [*others, likelihoods(make_ngram(TRAINING, order), HELD_OUT)]
        weights = fit_weights(scored)
        mixed = [
            sum(w * p for w, p in zip(weights, row, strict=True))
            for row in zip(*(p.tolist() for p in scored), strict=True)
        ]
        found[order] = (weights, slow_nats(mixed), slow_nats(scored[-1].tolist()))
    return found


def lowest_close(nats: dict[int, float]) -> int:
    """Return the lowest order that is at most `TOLERANCE` above the best one."""
    return min(order for order in nats if nats[order] <= min(nats.values()) + TOLERANCE)


def ngram_of(selected: Selected) -> NGram:
    """Return the n-grams of a selection that has some."""
    ngram = selected.mixture.members["ngram"]
    assert isinstance(ngram, NGram)
    return ngram


def same(one: NGram, other: NGram) -> bool:
    """Return whether two models have the same counts and discounts."""
    pairs = [*zip(one.tree, other.tree, strict=True), (one.discounts, other.discounts)]
    return all(np.array_equal(mine, theirs) for mine, theirs in pairs)


def assert_same(one: Selected, other: Selected) -> None:
    """Check that two selections agree."""
    assert one.held_out == other.held_out
    assert one.mixture.weights == other.mixture.weights
    assert list(one.mixture.members) == list(other.mixture.members)
    for name, member in one.mixture.members.items():
        if name == "ngram":
            assert same(ngram_of(one), ngram_of(other))
        else:
            assert member is other.mixture.members[name]


# The order and the weights.


@alone_or_together
def test_the_best_mixture_is_selected(names: tuple[str, ...]) -> None:
    """It is the lowest order whose mixture is as good as the best, of all orders one by one.

    Weights and held-out nats are those of that order.
    """
    selected = make_selection(None).select(networks_of(names))
    tried = choices(names)
    best = lowest_close({order: mixed for order, (_, mixed, _) in tried.items()})
    weights, mixed, ngram = tried[best]
    assert ngram_of(selected).order == best
    assert list(selected.mixture.members) == list(selected.mixture.weights) == [*names, "ngram"]
    assert [*selected.mixture.weights.values()] == pytest.approx(weights, rel=1e-6)
    for name in names:
        assert selected.mixture.members[name] is NETWORKS[name]
    assert selected.held_out
    assert selected.held_out.size == len(HELD_OUT) == 59
    assert selected.held_out.nats_per_symbol == pytest.approx(mixed, rel=1e-6)
    expected = {name: slow_nats(likelihoods(NETWORKS[name], HELD_OUT).tolist()) for name in names}
    assert list(selected.held_out.members) == [*names, "ngram"]
    assert selected.held_out.members == pytest.approx({**expected, "ngram": ngram}, rel=1e-6)
    counts = np.bincount(TRAINING.symbols, minlength=V) + 1
    frequencies = (counts / counts.sum())[HELD_OUT.symbols]
    assert selected.held_out.frequencies == pytest.approx(slow_nats(frequencies.tolist()), rel=1e-6)


def test_the_order_is_the_one_that_complements_the_network() -> None:
    """Long contexts complement a network that knows short ones, and the reverse.

    With trigrams, order 8 is the best, but order 6 is only 0.0002 nats worse.
    """
    orders = [
        ngram_of(make_selection(None).select({name: model})).order
        for name, model in NETWORKS.items()
    ]
    assert orders == [5, 6, 4]
    mixed = {order: nats for order, (_, nats, _) in choices(("trigrams",)).items()}
    assert min(mixed, key=lambda order: mixed[order]) == 8
    assert mixed[6] - mixed[8] < TOLERANCE < mixed[5] - mixed[8]


def test_n_grams_alone_have_the_order_that_is_best_alone() -> None:
    """Without a network, n-grams have all the weight, and the lowest order that is good enough."""
    selected = make_selection(None).select({})
    alone = {
        order: slow_nats(likelihoods(make_ngram(TRAINING, order), HELD_OUT).tolist())
        for order in range(2, 9)
    }
    best = lowest_close(alone)
    assert selected.mixture.weights == {"ngram": 1}
    assert ngram_of(selected).order == best
    assert selected.held_out
    assert selected.held_out.members == {"ngram": selected.held_out.nats_per_symbol}
    assert selected.held_out.nats_per_symbol == pytest.approx(alone[best], rel=1e-6)


def test_a_network_alone_has_all_the_weight() -> None:
    """Order 0 means no n-grams: the held-out loss is that of the network."""
    selected = make_selection(0).select({"random": NETWORKS["random"]})
    assert selected.mixture.members == {"random": NETWORKS["random"]}
    assert selected.mixture.weights == {"random": 1}
    assert selected.held_out
    assert selected.held_out.members == {"random": selected.held_out.nats_per_symbol}
    p = likelihoods(NETWORKS["random"], HELD_OUT).tolist()
    assert selected.held_out.nats_per_symbol == pytest.approx(slow_nats(p), rel=1e-6)


def test_two_networks_without_n_grams() -> None:
    """Order 0 mixes the networks alone."""
    networks = networks_of(("trigrams", "random"))
    selected = make_selection(0).select(networks)
    scored = [likelihoods(model, HELD_OUT) for model in networks.values()]
    weights = fit_weights(scored)
    assert list(selected.mixture.members) == ["trigrams", "random"]
    assert [*selected.mixture.weights.values()] == pytest.approx(weights, rel=1e-6)
    mixed = [
        weights[0] * p + weights[1] * q
        for p, q in zip(scored[0].tolist(), scored[1].tolist(), strict=True)
    ]
    assert selected.held_out
    assert selected.held_out.nats_per_symbol == pytest.approx(slow_nats(mixed), rel=1e-6)


@pytest.mark.parametrize("order", [1, 2, 7, 16])
@alone_or_together
def test_a_given_order_is_kept(names: tuple[str, ...], order: int) -> None:
    """A given order is never changed, even one that is not among `ORDERS`; weights are fitted."""
    selected = make_selection(order).select(networks_of(names))
    # No n-gram is longer than the longest name with its start and its end.
    assert ngram_of(selected).order == min(order, CORPUS.stats.longest + 2)
    assert same(ngram_of(selected), make_ngram(CORPUS.names, order))
    p = likelihoods(make_ngram(TRAINING, order), HELD_OUT)  # (S,)
    assert selected.held_out
    assert selected.held_out.members["ngram"] == pytest.approx(slow_nats(p.tolist()), rel=1e-6)
    expected = fit_weights([*(likelihoods(NETWORKS[name], HELD_OUT) for name in names), p])
    assert [*selected.mixture.weights.values()] == pytest.approx(expected, rel=1e-6)


@alone_or_together
def test_the_n_grams_are_counted_on_all_names(names: tuple[str, ...]) -> None:
    """The n-grams of the model also count the held-out names, which only made the choice."""
    ngram = ngram_of(make_selection(None).select(networks_of(names)))
    assert same(ngram, make_ngram(CORPUS.names, ngram.order))
    assert not same(ngram, make_ngram(TRAINING, ngram.order))


# No held-out names.


@pytest.mark.parametrize("order", [None, 3])
@alone_or_together
def test_without_held_out_names_the_defaults_are_taken(
    names: tuple[str, ...], order: int | None
) -> None:
    """The order is 6 or the given one, the weights are equal, and there is no held-out loss."""
    selection = Selection(CORPUS.names, NOTHING, CORPUS.names, V, order)
    selected = selection.select(networks_of(names))
    assert selected.held_out is None
    equal = dict.fromkeys([*names, "ngram"], 1 / (len(names) + 1))
    assert selected.mixture.weights == pytest.approx(equal, abs=1e-12)
    assert DEFAULT_ORDER == 6
    assert same(ngram_of(selected), make_ngram(CORPUS.names, order or 6))


def test_a_network_alone_without_held_out_names() -> None:
    """There is nothing to choose and no loss."""
    selection = Selection(CORPUS.names, NOTHING, CORPUS.names, V, 0)
    selected = selection.select({"trigrams": NETWORKS["trigrams"]})
    assert selected.mixture.members == {"trigrams": NETWORKS["trigrams"]}
    assert selected.mixture.weights == {"trigrams": 1}
    assert selected.held_out is None


# Orders.


def test_of_equal_orders_the_lowest_is_taken() -> None:
    """If no training name is long enough to distinguish orders 4 to 8, it is 4."""
    training = names_of([1, 2], [2, 1], [1, 2], [3, 3], [3, 3])
    held_out = names_of([1, 2], [2, 1], [3, 3], [3, 3])
    everything = names_of([1, 2], [2, 1], [3, 3], [1, 2, 3, 1, 2, 3, 1, 2])
    models = [NGram.from_counts(count(training, 4, order), 4) for order in (3, 4, 5, 6, 7, 8)]
    nats = [mean_nats(likelihoods(model, held_out)) for model in models]
    assert nats[0] - TOLERANCE > nats[1] == nats[2] == nats[3] == nats[4] == nats[5]
    selected = Selection(training, held_out, everything, 4, None).select({})
    assert ngram_of(selected).order == 4


def test_orders_from_2_to_8_are_tried() -> None:
    """For random letters it is 2. If the first letter is also the eighth, it is 8."""
    assert list(ORDERS) == [2, 3, 4, 5, 6, 7, 8]
    drawn = np.random.default_rng(1).integers(1, 4, (200, 8)).tolist()
    random = names_of(*drawn[:100]), names_of(*drawn[100:])
    returning = names_of(*([first, 3, 3, 3, 3, 3, 3, first] for first in (1, 2, 4, 5)))
    orders = []
    for training, held_out in (random, (returning, returning)):
        selected = Selection(training, held_out, training, 6, None).select({})
        orders.append(ngram_of(selected).order)
    assert orders == [2, 8]


# Running text.


def slow_likelihoods(model: LanguageModel, texts: Texts) -> list[float]:
    """(S,) the probability of each symbol, one after the other."""
    found = []
    for first, last in pairwise(texts.starts.tolist()):
        state, p = model.begin(1)
        for symbol in texts.symbols[first:last].tolist():
            found.append(float(p[0, symbol]))
            state, p = model.advance(state, np.array([symbol]))
    return found


def some_texts() -> Texts:
    """Two texts of lines that tell about the lines before them."""
    random = np.random.default_rng(1)
    symbols, before = [], 1
    for drawn in random.integers(1, 5, 300).tolist():
        symbols += [before, drawn, 5, END]
        before = drawn
    return Texts(np.array(symbols, dtype=np.uint8), np.array([0, 500, len(symbols)]))


def test_the_order_for_texts_is_the_best_one() -> None:
    """N-grams are counted across lines, scored on the last parts, and counted again on all."""
    everything = some_texts()
    training, held_out = everything.split(0.2, len(everything.symbols))
    selected = Selection(training, held_out, everything, 6, None).select({})
    levels = count(training, 6, 8)
    alone = {
        order: slow_nats(slow_likelihoods(NGram.from_counts(levels[:order], 6), held_out))
        for order in ORDERS
    }
    assert ngram_of(selected).order == lowest_close(alone) == 5
    assert same(ngram_of(selected), NGram.from_counts(count(everything, 6, 5), 6))
    assert selected.held_out
    assert selected.held_out.size == len(held_out.symbols) == 240
    assert selected.held_out.nats_per_symbol == pytest.approx(alone[5], rel=1e-6)
    counts = np.bincount(training.symbols, minlength=6) + 1
    frequencies = (counts / counts.sum())[held_out.symbols]
    assert selected.held_out.frequencies == pytest.approx(slow_nats(frequencies.tolist()), rel=1e-6)


def test_texts_without_a_held_out_part() -> None:
    """The default order is taken, and there is no held-out loss."""
    everything = some_texts()
    training, held_out = everything.split(0, 0)
    selected = Selection(training, held_out, everything, 6, None).select({})
    assert selected.held_out is None
    assert ngram_of(selected).order == DEFAULT_ORDER


# One selection, many calls.


@pytest.mark.parametrize("order", [None, 0, 3])
@pytest.mark.parametrize("names", GROUPS, ids=" and ".join)
def test_preparing_changes_nothing(names: tuple[str, ...], order: int | None) -> None:
    """`prepare`, once or twice, then `select` gives what `select` alone gives."""
    prepared = make_selection(order)
    prepared.prepare()
    prepared.prepare()
    networks = networks_of(names)
    assert_same(prepared.select(networks), make_selection(order).select(networks))


def test_names_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Preparing counts the training names and all names; selecting counts nothing."""
    counted: list[Sequences] = []

    def record(sequences: Sequences, *args: Any) -> Any:
        counted.append(sequences)
        return count(sequences, *args)

    monkeypatch.setattr(sys.modules[Selection.__module__], "count", record)
    selection = make_selection(None)
    assert not counted
    selection.prepare()
    assert {id(sequences) for sequences in counted} == {id(TRAINING), id(CORPUS.names)}
    for names in ((), *GROUPS):
        selection.select(networks_of(names))
    assert len(counted) == 2
    without_ngrams = make_selection(0)
    without_ngrams.prepare()
    without_ngrams.select(networks_of(GROUPS[0]))
    assert len(counted) == 2


def test_one_selection_can_select_for_every_network() -> None:
    """Called again for other networks, it selects what a new one would."""
    used = make_selection(None)
    for names in (*GROUPS, (), *GROUPS):
        networks = networks_of(names)
        assert_same(used.select(networks), make_selection(None).select(networks))
