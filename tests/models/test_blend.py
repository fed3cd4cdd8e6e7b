"""Blends: compared with a slow twin that works with texts instead of indices."""

from collections.abc import Sequence
from functools import cache
from itertools import permutations, product

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.data import CaseRule, Vocabulary, merge_vocabularies
from dinogen.generation import Decoding, NameRules, NameStream, draw_names
from dinogen.models import (
    MIN_PROBABILITY,
    Blend,
    LanguageModel,
    Mixture,
    NGram,
    count,
    next_probabilities,
    score,
)
from tests.chance import chi_square
from tests.networks import answers, names_of, random_network

TEXTS = ("ab", "bd", "abc")
"""The letters of each member."""

WEIGHTS = [(1.0,), (0.3, 0.7), (0.5, 0.5), (0.2, 0.5, 0.3)]

weightings = pytest.mark.parametrize("weights", WEIGHTS, ids=str)


@cache
def member(number: int) -> LanguageModel:
    """Return a member: a network, n-grams, and a mixture of the two kinds."""
    if number == 0:
        return random_network(3, 5, seed=11, dtype=np.float32)
    V = len(TEXTS[number]) + 1
    names = names_of([1, 2], [2, 2, 1], [1], [2, 1, V - 1])
    ngram = NGram.from_counts(count(names, V, 3), V)
    if number == 1:
        return ngram
    return Mixture({"network": random_network(V, 4, seed=3, dtype=np.float32), "ngram": ngram})


def make_blend(weights: Sequence[float], numbers: Sequence[int] | None = None) -> Blend:
    """Blend members; by default, as many as there are weights."""
    chosen = range(len(weights)) if numbers is None else numbers
    vocabularies = [Vocabulary.of(TEXTS[number]) for number in chosen]
    _, translations = merge_vocabularies(vocabularies, CaseRule(True))
    return Blend([member(number) for number in chosen], weights, translations)


def letters_of(weights: Sequence[float]) -> str:
    """Return the letters of a blend, in the order of their indices."""
    return "".join(sorted(set("".join(TEXTS[: len(weights)]))))


def slow_next(weights: Sequence[float], written: str) -> dict[str, float]:
    """Return the probability of each next letter of a blend, and of the end, written "."."""
    found = dict.fromkeys(f".{letters_of(weights)}", 0.0)
    total = 0.0
    for number, weight in enumerate(weights):
        own = f".{TEXTS[number]}"
        if written and written[-1] not in own:
            continue
        total += weight
        read = [own.index(letter) if letter in own else 0 for letter in written]
        p = next_probabilities(member(number), read).tolist()
        for letter, q in zip(own, p, strict=True):
            found[letter] += weight * q
    return {letter: q / total for letter, q in found.items()}


@weightings
def test_a_blend_agrees_with_the_slow_twin(weights: tuple[float, ...]) -> None:
    """After every text of up to three letters, each letter has the same probability."""
    model, letters = make_blend(weights), letters_of(weights)
    assert model.vocab_size == len(letters) + 1
    texts = [*product(range(1, len(letters) + 1), repeat=3)]
    found = answers(model, np.array(texts))  # (T + 1, N, V)
    np.testing.assert_allclose(found.sum(axis=2), 1, rtol=1e-5)
    assert (found >= MIN_PROBABILITY).all()
    for i, text in enumerate(texts):
        for length in range(4):
            written = "".join(letters[symbol - 1] for symbol in text[:length])
            expected = [*slow_next(weights, written).values()]
            np.testing.assert_allclose(found[length, i], expected, rtol=1e-4, atol=1e-6)


def test_a_member_has_no_say_after_a_symbol_that_it_does_not_know() -> None:
    """After an a, only the first member speaks, and after a d, only the second one."""
    model = make_blend((0.3, 0.7))
    after_a = next_probabilities(model, [1])
    np.testing.assert_allclose(after_a[:3], next_probabilities(member(0), [1]), rtol=1e-6)
    assert after_a[3] == np.float32(MIN_PROBABILITY)
    after_d = next_probabilities(model, [3])
    np.testing.assert_allclose(after_d[[0, 2, 3]], next_probabilities(member(1), [2]), rtol=1e-6)
    assert after_d[1] == np.float32(MIN_PROBABILITY)
    # After a b, both speak again. The second one has begun anew.
    both = 0.7 * next_probabilities(member(1), [1])
    np.testing.assert_allclose(next_probabilities(model, [1, 2])[3], both[2], rtol=1e-5)


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("number", range(3))
def test_a_blend_of_equal_models_is_the_model(number: int, copies: int) -> None:
    """Alone, and blended with itself, a model gives its own probabilities, to the last digit."""
    model = make_blend([1 / copies] * copies, [number] * copies)
    symbols = np.array([*product(range(1, len(TEXTS[number]) + 1), repeat=3)])
    np.testing.assert_array_equal(answers(model, symbols), answers(member(number), symbols))


def test_names_have_the_enumerated_distribution() -> None:
    """The frequencies of 20,000 names fit the slow twin, by a chi-square test; so do the scores."""
    weights, longest = (0.3, 0.7), 4
    model, letters = make_blend(weights), letters_of(weights)
    chances: dict[str, float] = {}
    for length in range(1, longest + 1):
        for name in map("".join, product(letters, repeat=length)):
            p = 1.0
            for i, letter in enumerate(f"{name}."):
                following = slow_next(weights, name[:i])
                # No name is empty.
                p *= following[letter] / (1 - following["."] * (i == 0))
            chances[name] = p
    total = sum(chances.values())
    assert 0.4 < total <= 1
    free = slow_next(weights, "")["."]
    names = names_of(*([letters.index(letter) + 1 for letter in name] for name in chances))
    likely = np.array([*chances.values()]) > 1e-20
    nats = -np.log(np.maximum([*chances.values()], 1e-300)) - np.log(1 - free)
    np.testing.assert_allclose(score(model, names)[likely], nats[likely], rtol=1e-4)
    stream = NameStream(model, 1, Decoding(), NameRules(longest))
    drawn = [
        "".join(letters[symbol - 1] for symbol in part.names.symbols[start : end - 1])
        for part in draw_names(stream, 20_000)
        for start, end in zip(part.names.starts[:-1], part.names.starts[1:], strict=True)
    ]
    conditioned = {name: p / total for name, p in chances.items()}
    statistic, freedom = chi_square(drawn, conditioned)
    assert freedom > 20
    assert statistic < freedom + 4 * (2 * freedom) ** 0.5 + 4


def test_the_order_of_the_members_changes_nothing() -> None:
    """All orders give the same probabilities, with the weights in the same order."""
    weights = (0.2, 0.5, 0.3)
    symbols = np.array([*product(range(1, 5), repeat=3)])
    expected = answers(make_blend(weights), symbols)
    for order in permutations(range(3)):
        model = make_blend([weights[i] for i in order], order)
        np.testing.assert_allclose(answers(model, symbols), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "rows",
    [np.array([False, True, True]), np.array([1, 2]), np.array([2, 1]), slice(1, 3)],
    ids=["mask", "indices", "reversed", "slice"],
)
def test_selected_names_continue_alone(
    rows: slice | NDArray[np.integer] | NDArray[np.bool_],
) -> None:
    """Names that are selected after two symbols advance as they would have among others."""
    model, read = make_blend(WEIGHTS[-1]), np.array([[1, 2, 3, 4], [4, 4, 1, 2], [2, 3, 1, 1]])
    whole = answers(model, read)  # (T + 1, N, V)
    state, _ = model.begin(len(read))
    for column in read.T[:2]:
        state, _ = model.advance(state, column)
    state = model.select(state, rows)
    for step in range(2, read.shape[1]):
        state, p = model.advance(state, read[rows, step])
        np.testing.assert_allclose(p, whole[step + 1][rows], rtol=1e-5)


@weightings
def test_a_blank_state_is_blank_in_every_member(weights: tuple[float, ...]) -> None:
    """From a blank state, the end of a name is the beginning of one."""
    model = make_blend(weights)
    _, found = model.advance(model.blank(2), np.array([0, 0]))
    np.testing.assert_allclose(found, model.begin(2)[1], rtol=1e-6)
