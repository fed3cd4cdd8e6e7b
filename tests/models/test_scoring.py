"""Scoring: compared with models that are asked for one symbol of one name at a time."""

import sys

import numpy as np
import pytest

from dinogen.data import Texts
from dinogen.models import (
    CELLS,
    MAX_BLOCK,
    MIN_BLOCK,
    LanguageModel,
    Mixture,
    Network,
    NetworkConfig,
    NGram,
    count,
    distributions,
    likelihoods,
    max_block_size,
    mean_nats,
    next_probabilities,
    score,
)
from tests.literal import forward_backward, stack_pass
from tests.networks import as_columns, names_of, random_network

NAMES = [[1, 2, 3], [4], [2, 2, 2, 2, 1, 3], [3, 1], [4], [1] * 30, []]
KINDS = ["network", "stack", "n-grams", "mixture"]


def model_of(kind: str, symbols: int) -> LanguageModel:
    """Build a network, n-grams, or a mixture of both."""
    network = random_network(symbols, 6, seed=4)
    training = names_of([1, 2, 1], [2, 2, 1, 1], [1], [2, 1, 2], [1, 1])
    ngram = NGram.from_counts(count(training, symbols, 3), symbols)
    models: dict[str, LanguageModel] = {
        "network": network,
        "stack": random_network(symbols, 6, seed=4, layers=2, cell="lstm"),
        "n-grams": ngram,
        "mixture": Mixture({"network": network, "ngram": ngram}, {"network": 0.6, "ngram": 0.4}),
    }
    return models[kind]


def one_by_one(model: LanguageModel, name: list[int]) -> list[float]:
    """Return the probability of each symbol of one name."""
    state, p = model.begin(1)
    found = []
    for target in [*name, 0]:
        found.append(float(p[0, target]))
        state, p = model.advance(state, np.array([target]))
    return found


# Likelihoods of symbols.


@pytest.mark.parametrize("kind", KINDS)
def test_likelihoods_are_those_of_one_symbol_at_a_time(kind: str) -> None:
    """Each symbol, ends included, is as likely as when its name alone is read; in their order."""
    model = model_of(kind, 5)
    expected = [p for name in NAMES for p in one_by_one(model, name)]  # (S,)
    found = likelihoods(model, names_of(*NAMES))  # (S,)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_all_names_together_have_probability_1(kind: str) -> None:
    """Over two letters, the names of at most 7 symbols, and all that continue after 8, sum to 1."""
    model = model_of(kind, 3)
    names = [
        [1 + (code >> place) % 2 for place in range(length)]
        for length in range(9)
        for code in range(2**length)
    ]
    p = likelihoods(model, names_of(*names))  # (S,)
    total, end = 0.0, 0
    for name in names:
        start, end = end, end + len(name) + 1
        # A name of 8 symbols stands for all names that begin with it, so its end is left out.
        total += p[start : end if len(name) < 8 else end - 1].prod()
    assert total == pytest.approx(1, abs=1e-5)


MANY = NAMES * 430
LENGTHS = np.array([len(name) for name in MANY])  # (N,)
ORDERS = {
    "longest first": np.argsort(-LENGTHS, kind="stable"),
    "shortest first": np.argsort(LENGTHS, kind="stable"),
    "shuffled": np.random.default_rng(6).permutation(len(MANY)),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", KINDS)
def test_likelihoods_of_many_names(kind: str, order: str) -> None:
    """Of 3,000 names in any order of lengths, each has the likelihoods that it has alone."""
    model = model_of(kind, 5)
    alone = [one_by_one(model, name) for name in NAMES]
    expected = [p for i in ORDERS[order] for p in alone[i % len(NAMES)]]  # (S,)
    found = likelihoods(model, names_of(*(MANY[i] for i in ORDERS[order])))  # (S,)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_no_names_have_no_likelihoods() -> None:
    """An empty list gives an empty array."""
    assert likelihoods(model_of("mixture", 3), names_of()).shape == (0,)


@pytest.mark.parametrize("kind", KINDS)
def test_the_block_size_does_not_change_likelihoods(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With many symbols, fewer names are processed together, with the same likelihoods."""
    names = names_of(*NAMES * 20)
    model = model_of(kind, 5)
    expected = likelihoods(model, names)
    assert max_block_size(model.vocab_size) == MAX_BLOCK
    home = sys.modules[max_block_size.__module__]
    monkeypatch.setattr(home, "_MAX_BLOCK_NUMBERS", 5 * 40)
    assert max_block_size(model.vocab_size) == 32
    np.testing.assert_allclose(likelihoods(model, names), expected, rtol=1e-6)
    monkeypatch.setattr(home, "_MAX_BLOCK_NUMBERS", 5)
    assert max_block_size(model.vocab_size) == MIN_BLOCK


def test_the_block_size_is_a_power_of_two_that_fits() -> None:
    """It is the largest power of two within the bounds whose (N, V) numbers are at most 2^21."""
    assert [max_block_size(V) for V in (2, 512, 513, 1_024, 2**17, 2**21)] == [
        *(MAX_BLOCK, MAX_BLOCK, MAX_BLOCK // 2, MAX_BLOCK // 2),
        *(MIN_BLOCK, MIN_BLOCK),
    ]
    for V in (600, 1_000, 5_000, 100_000):
        size = max_block_size(V)
        assert size * V <= 2**21 < 2 * size * V
        assert size & (size - 1) == 0


# Running text.

TEXTS = [[1, 2, 0, 0, 3, 4, 0], [2, 0], [3], [1, 3, 2, 4, 0, 2] * 9, [0, 4, 0] * 16, [4] * 33]

HOME = sys.modules[likelihoods.__module__]


def texts_of(*texts: list[int]) -> Texts:
    """Build texts from lists of indices, with the ends of lines."""
    symbols = np.array([symbol for text in texts for symbol in text], dtype=np.uint8)
    return Texts(symbols, np.cumsum([0, *map(len, texts)]))


def stepped(model: LanguageModel, text: list[int]) -> list[float]:
    """Return the probability of each symbol of a text, of which a model reads all before it."""
    state, p = model.begin(1)
    found = []
    for target in text:
        found.append(float(p[0, target]))
        state, p = model.advance(state, np.array([target]))
    return found


def shorten(monkeypatch: pytest.MonkeyPatch, piece: int, warm_up: int) -> None:
    """Cut texts into short pieces."""
    monkeypatch.setattr(HOME, "PIECE", piece)
    monkeypatch.setattr(HOME, "WARM_UP", warm_up)


@pytest.mark.parametrize("piece", [54, 1_000])
@pytest.mark.parametrize("kind", KINDS)
def test_texts_of_one_piece_are_read_from_their_beginning(
    kind: str, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each symbol is as likely as after all those before it in its text, ends of lines included."""
    shorten(monkeypatch, piece, 4)
    model = model_of(kind, 5)
    expected = [p for text in TEXTS for p in stepped(model, text)]  # (S,)
    np.testing.assert_allclose(likelihoods(model, texts_of(*TEXTS)), expected, rtol=1e-6)


@pytest.mark.parametrize(("piece", "warm_up"), [(16, 8), (5, 2), (1, 2), (3, 40)])
def test_the_pieces_of_a_text_change_nothing_for_n_grams(
    piece: int, warm_up: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N-grams know the whole context that they use: trigrams, two symbols."""
    shorten(monkeypatch, piece, warm_up)
    model = model_of("n-grams", 5)
    expected = [p for text in TEXTS for p in stepped(model, text)]  # (S,)
    np.testing.assert_allclose(likelihoods(model, texts_of(*TEXTS)), expected, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("piece", "warm_up"), [(16, 8), (5, 7), (7, 1), (4, 0)])
def test_a_model_reads_what_is_before_a_piece(
    piece: int, warm_up: int, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A literal loop reads the symbols before each piece as the beginning of a text."""
    shorten(monkeypatch, piece, warm_up)
    model = model_of(kind, 5)
    expected: list[float] = []
    for text in TEXTS:
        for start in range(0, len(text), piece):
            read = max(0, start - warm_up)
            expected += stepped(model, text[read : start + piece])[start - read :]
    np.testing.assert_allclose(likelihoods(model, texts_of(*TEXTS)), expected, rtol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_a_network_scores_a_long_text_about_as_if_it_read_all_of_it(cell: str) -> None:
    """What comes long before a piece matters little to an initial network."""
    model = Network(NetworkConfig(6, 12, cell), np.float64)
    model.initialise(np.random.default_rng(2))
    text = np.random.default_rng(3).integers(6, size=1_100).tolist()
    found, expected = likelihoods(model, texts_of(text)), np.array(stepped(model, text))
    piece = vars(HOME)["PIECE"]
    np.testing.assert_allclose(found[:piece], expected[:piece], rtol=1e-12)
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    assert mean_nats(found) == pytest.approx(mean_nats(expected), rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_block_size_does_not_change_likelihoods_of_texts(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pieces that are read in several blocks have the same likelihoods."""
    shorten(monkeypatch, 4, 3)
    texts, model = texts_of(*TEXTS * 3), model_of(kind, 5)
    expected = likelihoods(model, texts)
    home = sys.modules[max_block_size.__module__]
    monkeypatch.setattr(home, "_MAX_BLOCK_NUMBERS", 5 * 40)
    assert max_block_size(model.vocab_size) == 32
    np.testing.assert_allclose(likelihoods(model, texts), expected, rtol=1e-6)


def test_no_texts_have_no_likelihoods() -> None:
    """Without texts, and with an empty text, there is nothing to score."""
    model = model_of("mixture", 5)
    assert likelihoods(model, Texts(np.empty(0, dtype=np.uint8), np.array([0]))).shape == (0,)
    found = likelihoods(model, texts_of([], [1, 2], []))
    np.testing.assert_allclose(found, stepped(model, [1, 2]), rtol=1e-6)


# Distributions of symbols.


@pytest.mark.parametrize("kind", KINDS)
def test_distributions_are_those_of_one_name_at_a_time(kind: str) -> None:
    """At each place of each name, the ends included, each symbol is as likely as after its prefix.

    The names are in no order of lengths, and one of them is empty.
    """
    model = model_of(kind, 5)
    found = distributions(model, names_of(*NAMES))  # (S, V)
    assert found.dtype == np.float32
    prefixes = [name[:length] for name in NAMES for length in range(len(name) + 1)]
    expected = [next_probabilities(model, prefix) for prefix in prefixes]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_distributions_of_many_names(kind: str) -> None:
    """Of 3,000 names, which are read in several blocks, the symbols are as likely as they score."""
    model, names = model_of(kind, 5), names_of(*(MANY[i] for i in ORDERS["shuffled"]))
    found = distributions(model, names)  # (S, V)
    of_symbols = found[np.arange(len(found)), names.symbols]  # (S,)
    np.testing.assert_allclose(of_symbols, likelihoods(model, names), rtol=1e-6)
    assert distributions(model, names_of()).shape == (0, 5)


# Scores of names.


@pytest.mark.parametrize("cell", CELLS)
def test_scores_are_those_of_the_literal_loops(cell: str) -> None:
    """The nats of each name, its end included, are the loss of plain loops, in the given order."""
    model = random_network(5, 6, seed=4, cell=cell)
    p = [as_columns(model)]
    blank = [tuple(array.T.astype(np.float64) for array in layer) for layer in model.blank(1)]
    literal = [stack_pass(cell, p, [0, *name], [*name, 0], blank).loss for name in NAMES]
    np.testing.assert_allclose(score(model, names_of(*NAMES)), literal, rtol=1e-10)


def test_scores_sum_to_probability_1() -> None:
    """Over two letters, the names of at most 12 symbols have almost all the probability."""
    model = random_network(3, 4, seed=11)
    model.parameters["by"][0] = 3.0  # Names end soon, so little is left beyond 12 symbols.
    names: list[list[int]] = [[]] + [
        [1 + (code >> place) % 2 for place in range(length)]
        for length in range(1, 13)
        for code in range(2**length)
    ]
    assert np.exp(-score(model, names_of(*names))).sum() == pytest.approx(1, abs=1e-4)


def test_a_score_depends_on_its_name_alone() -> None:
    """Alone or among thousands, a name has the same score to six digits."""
    model = random_network(5, 16, seed=4, dtype=np.float32, scale=0.5)
    many = names_of(*(NAMES * 500))
    alone = [score(model, names_of(name))[0] for name in NAMES]
    np.testing.assert_allclose(score(model, many), alone * 500, rtol=1e-6)


def test_no_names_have_no_scores() -> None:
    """An empty list gives an empty array."""
    assert score(random_network(3, 2, seed=1), names_of()).shape == (0,)


def test_mean_nats_are_the_mean_of_minus_log_p() -> None:
    """Of 1/2 and 1/8 they are 2 log 2; of no symbols, 0."""
    assert mean_nats(np.array([1 / 2, 1 / 8])) == pytest.approx(2 * np.log(2), rel=1e-12)
    assert mean_nats(np.empty(0)) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_symbol_after_a_prefix(kind: str) -> None:
    """The probabilities after each prefix of a name are those with which the name is scored."""
    model = model_of(kind, 5)
    name = [2, 1, 1, 3]
    expected = likelihoods(model, names_of(name))  # (T,)
    for length, target in enumerate([*name, 0]):
        p = next_probabilities(model, name[:length])
        assert p.shape == (5,)
        assert p.sum() == pytest.approx(1, rel=1e-6)
        assert p[target] == pytest.approx(expected[length], rel=1e-6)


@pytest.mark.parametrize("prefix", [[], [2], [1, 3, 3, 2]])
def test_the_next_symbol_agrees_with_the_literal_loops(prefix: list[int]) -> None:
    """After any prefix, each symbol has the probability that plain loops give."""
    model = random_network(4, 6, seed=3)
    p = next_probabilities(model, prefix)
    a0 = np.zeros((6, 1))
    before = forward_backward(as_columns(model), [0, *prefix][:-1], prefix, a0).loss
    for symbol in range(4):
        whole = forward_backward(as_columns(model), [0, *prefix], [*prefix, symbol], a0).loss
        assert p[symbol] == pytest.approx(np.exp(before - whole), rel=1e-9)
    assert p.sum() == pytest.approx(1)
