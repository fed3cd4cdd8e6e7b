"""Sampling: from the model's own distribution, and each name for itself."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dinogen.errors import SettingError
from dinogen.generation.options import Options
from dinogen.generation.sampling import Stream, sample
from dinogen.models.rnn import RNN
from dinogen.text.names import Names
from tests.chance import chi_square
from tests.literal import forward_backward
from tests.networks import as_columns, random_network

LONGEST = 4


@pytest.fixture(scope="module")
def model() -> RNN:
    """A network of two letters, whose names can all be written down."""
    return random_network(3, 4, seed=11, dtype=np.float32)


def spell(names: Names) -> list[tuple[int, ...]]:
    """Give names as tuples of indices, their ends left out."""
    return [tuple(names.symbols[start : end - 1].tolist()) for start, end in pairwise(names.starts)]


def draw(model: RNN, n: int, seed: int, options: Options) -> list[tuple[int, ...]]:
    """Draw names as tuples."""
    stream = Stream(model, seed, options)
    return [name for drawn in sample(stream, n) for name in spell(drawn.names)]


def enumerate_names(
    model: RNN, temperature: float = 1.0, top_k: int | None = None
) -> dict[tuple[int, ...], float]:
    """Work out, symbol by symbol, how likely every name of at most `LONGEST` symbols is."""
    p = as_columns(model)
    chances: dict[tuple[int, ...], float] = {}
    for length in range(1, LONGEST + 1):
        for name in product((1, 2), repeat=length):
            chance = 1.0
            # A name that reaches the bound is ended there, so its end is certain.
            for place in range(length + (length < LONGEST)):
                target = (*name, 0)[place]
                logits = np.array([literal_logit(p, name[:place], s) for s in range(3)])
                if place == 0:
                    logits[0] = -np.inf
                if top_k is not None:
                    logits[logits < np.sort(logits)[-top_k]] = -np.inf
                weights = np.exp((logits - logits.max()) / temperature)
                chance *= float(weights[target] / weights.sum())
            chances[name] = chance
    return chances


def literal_logit(p: dict[str, np.ndarray], written: tuple[int, ...], following: int) -> float:
    """Give the log-probability of a symbol after what is written, by the literal loops."""
    a0 = np.zeros((len(p["b"]), 1))
    whole = forward_backward(p, [0, *written], [*written, following], a0).loss
    before = forward_backward(p, [0, *written][:-1], written, a0).loss if written else 0.0
    return before - whole


@pytest.mark.parametrize(
    ("temperature", "top_k"), [(1.0, None), (0.5, None), (3.0, None), (1.0, 2), (0.7, 2)]
)
def test_names_come_as_often_as_the_model_says(
    model: RNN, temperature: float, top_k: int | None
) -> None:
    """Over 20,000 names every frequency fits the enumerated distribution (chi-square)."""
    chances = enumerate_names(model, temperature, top_k)
    assert sum(chances.values()) == pytest.approx(1, rel=1e-5)
    n = 20_000
    names = draw(model, n, 1, Options(LONGEST, temperature, top_k))
    assert set(names) <= set(chances)
    statistic, freedom = chi_square(names, chances)
    # Four deviations of the chi-square distribution, whose variance is twice its freedom.
    assert statistic < freedom + 4 * (2 * freedom) ** 0.5 + 4


@settings(max_examples=25, deadline=None)
@given(
    fewer=st.integers(0, 18) | st.integers(0, 1_000),
    seed=st.integers(0, 2**64 - 1),
)
def test_how_many_are_wanted_changes_no_name(model: RNN, fewer: int, seed: int) -> None:
    """The first names of a long list are the names of a short one."""
    options = Options(max_length=12)
    many = draw(model, 1_000, seed, options)
    assert draw(model, fewer, seed, options) == many[:fewer]


def test_a_block_is_the_same_whatever_came_before(model: RNN) -> None:
    """Block 2 drawn on its own is names 48 to 111 of the whole, and says so."""
    options = Options(max_length=12)
    alone = Stream(model, 9, options).draw(2)
    assert spell(alone.names) == draw(model, 112, 9, options)[48:]
    assert alone.places.tolist() == list(range(48, 112))


def test_blocks_grow_to_a_bound_and_lie_side_by_side(model: RNN) -> None:
    """Each is twice the one before until 4,096, and begins where the one before ends."""
    stream = Stream(model, 1, Options(max_length=5))
    assert [stream.size(block) for block in range(11)] == [16 * 2**i for i in range(9)] + [4096] * 2
    assert stream.first(0) == 0
    for block in range(12):
        assert stream.first(block + 1) == stream.first(block) + stream.size(block)
    assert stream.first(10**12) == 4_080 + 4_096 * (10**12 - 8)


def test_seeds_and_blocks_differ(model: RNN) -> None:
    """Another seed, or another block, gives other names."""
    options = Options(max_length=12)
    blocks = [
        tuple(spell(Stream(model, seed, options).draw(block).names))[:16]
        for seed in (0, 1)
        for block in (0, 1)
    ]
    assert len(set(blocks)) == 4


def test_no_name_is_empty_or_too_long(model: RNN) -> None:
    """Names have from one to `max_length` symbols, and names of both lengths occur."""
    lengths = {len(name) for name in draw(model, 2_000, 1, Options(max_length=3))}
    assert lengths == {1, 2, 3}


def test_spaces_stand_only_between_symbols(model: RNN) -> None:
    """With symbol 2 as a space no name begins or ends with it, or doubles it; some hold it."""
    names = draw(model, 3_000, 1, Options(max_length=5, inner=(2,)))
    texts = {"".join("_a "[symbol] for symbol in name) for name in names}
    assert all(text == " ".join(text.split()) for text in texts)
    assert any(" " in text for text in texts)
    assert max(map(len, texts)) == 5


def test_one_choice_gives_one_name(model: RNN) -> None:
    """With `top_k` 1 every name is the likeliest at each place."""
    names = set(draw(model, 300, 1, Options(LONGEST, top_k=1)))
    assert len(names) == 1
    assert names == set(draw(model, 300, 2, Options(LONGEST, temperature=1e-6)))


def test_extreme_temperatures_stay_numbers(model: RNN) -> None:
    """The coldest gives the likeliest symbols; the hottest all symbols alike."""
    assert len(set(draw(model, 300, 1, Options(LONGEST, temperature=1e-6)))) == 1
    hot = draw(model, 3_000, 1, Options(1, temperature=1e6))
    assert 0.45 < hot.count((1,)) / 3_000 < 0.55


@pytest.mark.parametrize(
    "wrong",
    [{"temperature": 0.0}, {"temperature": float("nan")}, {"top_k": 0}, {"max_length": 0}],
    ids=str,
)
def test_options_out_of_bounds_are_refused(wrong: dict[str, float]) -> None:
    """Each option has bounds, and the message names it."""
    (name,) = wrong
    with pytest.raises(SettingError, match=name.replace("_", " ")):
        Options(**{"max_length": 5, **wrong})  # type: ignore[arg-type]
