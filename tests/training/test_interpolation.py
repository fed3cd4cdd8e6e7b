"""The n-grams beside a network, against all choices made one by one."""

from math import log

import numpy as np
import pytest

from dinogen.models.grams import count
from dinogen.models.language_model import LanguageModel
from dinogen.models.likelihood import likelihoods
from dinogen.models.mixture import fit_weight
from dinogen.models.ngram import NGram
from dinogen.text.corpus import hold_out, read_corpus
from dinogen.text.names import Names
from dinogen.training.interpolation import CLOSE, Interpolation, surprise
from tests.conftest import CORPORA
from tests.networks import names_of, random_network

CORPUS = read_corpus([CORPORA / "edda.txt"])
LEARNED, HELD_OUT = hold_out(CORPUS, 0.2, seed=1)
V = len(CORPUS.vocabulary)
NOTHING = names_of()


def ngram_of(names: Names, order: int) -> NGram:
    """The n-grams of a list."""
    return NGram.of(count(names, V, order), V)


def beside(order: int | None, held_out: Names = HELD_OUT) -> Interpolation:
    """What is asked."""
    return Interpolation(LEARNED, held_out, CORPUS.names, V, order)


TRIGRAMS = "one that knows trigrams"

# Anything that answers stands for a network here: n-grams of an order for one that knows much.
NETWORKS: dict[str, LanguageModel] = {
    "a network that knows nothing": random_network(V, 8, seed=2, dtype=np.float32, scale=0.3),
    TRIGRAMS: ngram_of(LEARNED, 3),
    "one that knows long contexts": ngram_of(LEARNED, 6),
}


def mean_nats(likely: list[float]) -> float:
    """Mean -log p."""
    return -sum(map(log, likely)) / len(likely)


def choices(network: LanguageModel) -> dict[int, tuple[float, float, float]]:
    """Weight, mean nats of the mixture, and of the n-grams alone, for each order from 2 to 8."""
    p = likelihoods(network, HELD_OUT).tolist()
    found = {}
    for order in range(2, 9):
        q = likelihoods(ngram_of(LEARNED, order), HELD_OUT).tolist()
        w = fit_weight(np.array(p), np.array(q))
        mixed = [w * one + (1 - w) * other for one, other in zip(p, q, strict=True)]
        found[order] = (w, mean_nats(mixed), mean_nats(q))
    return found


def lowest_close(nats: dict[int, float]) -> int:
    """The lowest order that is no more than `CLOSE` behind the best."""
    return min(order for order in nats if nats[order] <= min(nats.values()) + CLOSE)


def same(one: NGram, other: NGram) -> bool:
    """Tell whether two models are made of the same counts and discounts."""
    pairs = [*zip(one.tree, other.tree, strict=True), (one.discounts, other.discounts)]
    return all(np.array_equal(mine, theirs) for mine, theirs in pairs)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_best_mixture_is_chosen(name: str) -> None:
    """Of all orders, tried one by one, it is the lowest whose mixture is as good as the best.

    Weight and held-out nats are those of that order.
    """
    network = NETWORKS[name]
    fit = beside(None).fit(network)
    tried = choices(network)
    best = lowest_close({order: mixed for order, (_, mixed, _) in tried.items()})
    weight, mixed, alone = tried[best]
    assert fit.ngram
    assert fit.ngram.order == best
    assert fit.weight == pytest.approx(weight, rel=1e-9)
    assert fit.held_out
    assert fit.held_out.names == len(HELD_OUT) == 59
    assert fit.held_out.nats_per_symbol == pytest.approx(mixed, rel=1e-9)
    assert fit.held_out.ngram == pytest.approx(alone, rel=1e-9)
    p = likelihoods(network, HELD_OUT).tolist()
    assert fit.held_out.network == pytest.approx(mean_nats(p), rel=1e-9)


def test_the_order_is_the_one_that_complements_the_network() -> None:
    """Long contexts go best with a network that knows short ones, and the other way round.

    Beside trigrams order 8 is the very best, but order 6 only 0.0002 nats behind.
    """
    orders = [fit.ngram and fit.ngram.order for fit in map(beside(None).fit, NETWORKS.values())]
    assert orders == [5, 6, 4]
    mixed = {order: nats for order, (_, nats, _) in choices(NETWORKS[TRIGRAMS]).items()}
    assert min(mixed, key=lambda order: mixed[order]) == 8
    assert mixed[6] - mixed[8] < CLOSE < mixed[5] - mixed[8]


def test_n_grams_alone_have_the_order_that_suits_the_held_out_names() -> None:
    """Without a network the weight is 0, and the order the lowest that is good by itself."""
    fit = beside(None).fit(None)
    alone = {
        order: mean_nats(likelihoods(ngram_of(LEARNED, order), HELD_OUT).tolist())
        for order in range(2, 9)
    }
    best = lowest_close(alone)
    assert fit.weight == 0
    assert fit.ngram
    assert fit.ngram.order == best
    assert fit.held_out
    assert fit.held_out.network is None
    assert fit.held_out.ngram == fit.held_out.nats_per_symbol
    assert fit.held_out.nats_per_symbol == pytest.approx(alone[best], rel=1e-9)


def test_a_network_alone_keeps_all_the_weight() -> None:
    """Order 0 is no n-grams: the held-out names are told what the network makes of them."""
    network = NETWORKS["a network that knows nothing"]
    fit = beside(0).fit(network)
    assert fit.ngram is None
    assert fit.weight == 1
    assert fit.held_out
    assert fit.held_out.ngram is None
    assert fit.held_out.network == fit.held_out.nats_per_symbol
    p = likelihoods(network, HELD_OUT).tolist()
    assert fit.held_out.nats_per_symbol == pytest.approx(mean_nats(p), rel=1e-9)


@pytest.mark.parametrize("order", [1, 2, 7, 16])
@pytest.mark.parametrize("network", [None, *NETWORKS.values()], ids=["alone", *NETWORKS])
def test_a_given_order_is_kept(network: LanguageModel | None, order: int) -> None:
    """However bad, also one that is never tried; only the weight is fitted."""
    fit = beside(order).fit(network)
    assert fit.ngram
    # No n-gram is longer than the longest name between its start and its end.
    assert fit.ngram.order == min(order, CORPUS.facts.longest + 2)
    assert same(fit.ngram, ngram_of(CORPUS.names, order))
    q = likelihoods(ngram_of(LEARNED, order), HELD_OUT)  # (S,)
    assert fit.held_out
    assert fit.held_out.ngram == pytest.approx(mean_nats(q.tolist()), rel=1e-9)
    expected = fit_weight(likelihoods(network, HELD_OUT), q) if network else 0
    assert fit.weight == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("network", [None, *NETWORKS.values()], ids=["alone", *NETWORKS])
def test_the_n_grams_are_counted_in_all_names(network: LanguageModel | None) -> None:
    """What is kept has learned from the held-out names, too, though they made the choice."""
    ngram = beside(None).fit(network).ngram
    assert ngram
    assert same(ngram, ngram_of(CORPUS.names, ngram.order))
    assert not same(ngram, ngram_of(LEARNED, ngram.order))


@pytest.mark.parametrize("order", [None, 3])
@pytest.mark.parametrize(("name", "weight"), [(None, 0), (TRIGRAMS, 0.5)])
def test_nothing_held_out_leaves_the_defaults(
    name: str | None, weight: float, order: int | None
) -> None:
    """Order 6, or the given one; both models weigh the same, and nothing is told of their worth."""
    interpolation = Interpolation(CORPUS.names, NOTHING, CORPUS.names, V, order)
    fit = interpolation.fit(NETWORKS[name] if name else None)
    assert fit.held_out is None
    assert fit.weight == weight
    assert fit.ngram
    assert same(fit.ngram, ngram_of(CORPUS.names, order or 6))


def test_a_network_alone_with_nothing_held_out() -> None:
    """There is nothing to choose, and nothing to tell."""
    interpolation = Interpolation(CORPUS.names, NOTHING, CORPUS.names, V, 0)
    assert interpolation.fit(NETWORKS[TRIGRAMS]) == (None, 1, None)


def test_of_equal_orders_the_lowest_is_taken() -> None:
    """Where no learned name is long enough to tell orders 4 to 8 apart, it is 4."""
    learned = names_of([1, 2], [2, 1], [1, 2], [3, 3], [3, 3])
    held_out = names_of([1, 2], [2, 1], [3, 3], [3, 3])
    everything = names_of([1, 2], [2, 1], [3, 3], [1, 2, 3, 1, 2, 3, 1, 2])
    models = [NGram.of(count(learned, 4, order), 4) for order in (3, 4, 5, 6, 7, 8)]
    nats = [surprise(likelihoods(model, held_out)) for model in models]
    assert nats[0] - CLOSE > nats[1] == nats[2] == nats[3] == nats[4] == nats[5]
    ngram = Interpolation(learned, held_out, everything, 4, None).fit(None).ngram
    assert ngram
    assert ngram.order == 4


def test_orders_from_2_to_8_are_tried() -> None:
    """Where letters are drawn by chance it is 2; where the first letter is the eighth, too, 8."""
    drawn = np.random.default_rng(1).integers(1, 4, (200, 8)).tolist()
    chance = names_of(*drawn[:100]), names_of(*drawn[100:])
    returning = names_of(*([first, 3, 3, 3, 3, 3, 3, first] for first in (1, 2, 4, 5)))
    orders = []
    for learned, held_out in (chance, (returning, returning)):
        ngram = Interpolation(learned, held_out, learned, 6, None).fit(None).ngram
        orders.append(ngram and ngram.order)
    assert orders == [2, 8]


def test_one_interpolation_answers_for_every_network() -> None:
    """Asked again, for another network or none, it says what a new one would."""
    asked = beside(None)
    for network in (*NETWORKS.values(), None, *NETWORKS.values()):
        again, new = asked.fit(network), beside(None).fit(network)
        assert (again.weight, again.held_out) == (new.weight, new.held_out)
        assert again.ngram
        assert new.ngram
        assert same(again.ngram, new.ngram)


def test_surprise_is_the_mean_of_minus_log_p() -> None:
    """Of 1/2 and 1/8 it is 2 log 2; of no symbols, 0."""
    assert surprise(np.array([1 / 2, 1 / 8])) == pytest.approx(2 * log(2), rel=1e-12)
    assert surprise(np.empty(0)) == 0
