"""The stream of names: its distribution, its blocks, and the rules for names."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dinogen.data import Names, Vocabulary
from dinogen.generation import Decoding, NameRules, NameStream, Successors, draw_names
from dinogen.models import Network
from tests.chance import chi_square
from tests.literal import forward_backward
from tests.networks import as_columns, random_network

LONGEST = 4
RULES = NameRules(LONGEST)
FREE = Decoding()


@pytest.fixture(scope="module")
def model() -> Network:
    """A network of two letters. All of its names can be enumerated."""
    return random_network(3, 4, seed=11, dtype=np.float32)


def spell(names: Names) -> list[tuple[int, ...]]:
    """Convert names to tuples of indices, without their ends."""
    return [tuple(names.symbols[start : end - 1].tolist()) for start, end in pairwise(names.starts)]


def draw(
    model: Network, n: int, seed: int, rules: NameRules, decoding: Decoding = FREE
) -> list[tuple[int, ...]]:
    """Draw names as tuples."""
    stream = NameStream(model, seed, decoding, rules)
    return [name for drawn in draw_names(stream, n) for name in spell(drawn.names)]


def enumerate_names(
    model: Network, temperature: float = 1.0, top_k: int | None = None
) -> dict[tuple[int, ...], float]:
    """Compute the probability of every name of at most `LONGEST` symbols, symbol by symbol.

    It is conditioned on that length: longer names are dropped.
    """
    p = as_columns(model)
    probabilities: dict[tuple[int, ...], float] = {}
    for length in range(1, LONGEST + 1):
        for name in product((1, 2), repeat=length):
            probability = 1.0
            for place in range(length + 1):
                target = (*name, 0)[place]
                logits = np.array([literal_logit(p, name[:place], s) for s in range(3)])
                if place == 0:
                    logits[0] = -np.inf
                if top_k is not None:
                    logits[logits < np.sort(logits)[-top_k]] = -np.inf
                weights = np.exp((logits - logits.max()) / temperature)
                probability *= float(weights[target] / weights.sum())
            probabilities[name] = probability
    total = sum(probabilities.values())
    return {name: probability / total for name, probability in probabilities.items()}


def literal_logit(p: dict[str, np.ndarray], written: tuple[int, ...], following: int) -> float:
    """Compute the log probability of a symbol after a prefix, by the literal loops."""
    a0 = np.zeros((len(p["b"]), 1))
    whole = forward_backward(p, [0, *written], [*written, following], a0).loss
    before = forward_backward(p, [0, *written][:-1], written, a0).loss if written else 0.0
    return before - whole


@pytest.mark.parametrize(
    ("temperature", "top_k"), [(1.0, None), (0.5, None), (3.0, None), (1.0, 2), (0.7, 2)]
)
def test_names_have_the_distribution_of_the_model(
    model: Network, temperature: float, top_k: int | None
) -> None:
    """The frequencies of 20,000 names fit the enumerated distribution, by a chi-square test."""
    probabilities = enumerate_names(model, temperature, top_k)
    n = 20_000
    names = draw(model, n, 1, RULES, Decoding(temperature=temperature, top_k=top_k))
    assert set(names) <= set(probabilities)
    statistic, freedom = chi_square(names, probabilities)
    # Four standard deviations. The variance of chi-square is twice its degrees of freedom.
    assert statistic < freedom + 4 * (2 * freedom) ** 0.5 + 4


@settings(max_examples=25, deadline=None)
@given(
    fewer=st.integers(0, 18) | st.integers(0, 1_000),
    seed=st.integers(0, 2**64 - 1),
)
def test_n_changes_no_name(model: Network, fewer: int, seed: int) -> None:
    """The names for a small n are the first names for a large n."""
    rules = NameRules(max_length=12)
    many = draw(model, 1_000, seed, rules)
    assert draw(model, fewer, seed, rules) == many[:fewer]


def test_a_block_does_not_depend_on_other_blocks(model: Network) -> None:
    """Block 2 alone is names 48 to 111 of the stream, and has these positions."""
    rules = NameRules(max_length=12)
    alone = NameStream(model, 9, FREE, rules).draw(2)
    assert spell(alone.names) == draw(model, 112, 9, rules)[48:]
    assert alone.positions.tolist() == list(range(48, 112))


def test_block_sizes_and_positions(model: Network) -> None:
    """Blocks double up to 4,096 names, and then stay below an eighth of all names before them."""
    stream = NameStream(model, 1, FREE, NameRules(max_length=5))
    assert [stream.size(block) for block in range(10)] == [16 * 2**i for i in range(9)] + [4_096]
    assert stream.first(0) == 0
    for block in range(60):
        assert stream.first(block + 1) == stream.first(block) + stream.size(block)
        if block > 8:
            largest = (stream.first(block) + 16) // 8
            assert max(4_096, largest // 2) <= stream.size(block) <= max(4_096, largest) or (
                stream.size(block) == 65_536
            )
    assert stream.size(10**12) == 65_536
    assert stream.first(10**12) == stream.first(60) + 65_536 * (10**12 - 60)


def test_seeds_and_blocks_differ(model: Network) -> None:
    """Different seeds and different blocks give different names."""
    rules = NameRules(max_length=12)
    blocks = [
        tuple(spell(NameStream(model, seed, FREE, rules).draw(block).names))[:16]
        for seed in (0, 1)
        for block in (0, 1)
    ]
    assert len(set(blocks)) == 4


def test_lengths_obey_the_rules(model: Network) -> None:
    """Names have 1 to `max_length` symbols, and both limits occur."""
    lengths = {len(name) for name in draw(model, 2_000, 1, NameRules(max_length=3))}
    assert lengths == {1, 2, 3}


def test_white_space_occurs_only_between_symbols(model: Network) -> None:
    """If symbol 2 is white space, no name begins or ends with it or has two in a row."""
    names = draw(model, 3_000, 1, NameRules(5, Successors.of(Vocabulary(["a", " "]))))
    texts = {"".join("_a "[symbol] for symbol in name) for name in names}
    assert all(text == " ".join(text.split()) for text in texts)
    assert any(" " in text for text in texts)
    assert max(map(len, texts)) == 5


def test_a_top_k_of_1_gives_one_name(model: Network) -> None:
    """Each symbol is the likeliest one, as at a temperature near 0."""
    names = set(draw(model, 300, 1, RULES, Decoding(top_k=1)))
    assert len(names) == 1
    assert names == set(draw(model, 300, 2, RULES, Decoding(temperature=1e-6)))


def test_extreme_temperatures(model: Network) -> None:
    """The lowest gives the likeliest symbols; the highest gives all symbols equally often."""
    assert len(set(draw(model, 300, 1, RULES, Decoding(temperature=1e-6)))) == 1
    hot = draw(model, 3_000, 1, NameRules(max_length=1), Decoding(temperature=1e6))
    assert 0.45 < hot.count((1,)) / 3_000 < 0.55
