"""Which symbols are alike: by angles, and on a map."""

import numpy as np
import pytest

from dinogen.checkpoint.reading import load
from dinogen.cli.checkpoints import BUNDLED
from dinogen.errors import CheckpointError
from dinogen.inspection.likeness import cosines, embed, flat_map
from tests.networks import random_network


def test_cosines_are_those_of_the_angles() -> None:
    """Same direction 1, right angle 0, opposite -1; of whatever length, and of none."""
    embeddings = np.array([[1.0, 0.0], [3.0, 3.0], [0.0, 2.0], [-5.0, 0.0], [0.0, 0.0]])
    alike = cosines(embeddings)
    np.testing.assert_allclose(alike[0], [1, np.sqrt(0.5), 0, -1, 0], atol=1e-12)
    np.testing.assert_allclose(alike, alike.T)


def test_an_embedding_is_what_is_expected_after_a_symbol() -> None:
    """Symbols with the same input weights are alike altogether, whatever the others are."""
    model = random_network(6, 5, seed=2)
    model.parameters["Wax"][4] = model.parameters["Wax"][2]
    embeddings = embed(model, 6)
    assert embeddings.shape == (5, 6)
    alike = cosines(embeddings)
    assert alike[1, 3] > 0.999_999
    assert np.delete(alike[1], [1, 3]).max() < 0.99
    np.testing.assert_allclose(embeddings.mean(axis=0), 0, atol=1e-12)


def test_vowels_are_alike() -> None:
    """In the bundled model the four symbols most like "a" are vowels."""
    checkpoint = load(BUNDLED)
    alike = cosines(embed(checkpoint.model, len(checkpoint.vocabulary)))
    symbols = checkpoint.vocabulary.symbols
    nearest = [symbols[i] for i in np.argsort(-alike[symbols.index("a")])[1:5]]
    assert set(nearest) <= set("eiouy")


def test_a_flat_map_of_flat_things_is_true() -> None:
    """Directions in a plane keep all their distances, and a second map is the same."""
    angles = np.array([0.1, 0.5, 2.0, 4.0])
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)  # (4, 2)
    places = flat_map(cosines(directions))
    for i in range(4):
        for j in range(4):
            wanted = np.linalg.norm(directions[i] - directions[j])
            np.testing.assert_allclose(np.linalg.norm(places[i] - places[j]), wanted, atol=1e-9)
    np.testing.assert_array_equal(places, flat_map(cosines(directions)))


def test_one_symbol_has_a_place_on_the_map() -> None:
    """Even a single symbol, or two alike, can be put on a map."""
    assert flat_map(np.ones((1, 1))).shape == (1, 2)
    np.testing.assert_allclose(flat_map(np.ones((2, 2))), 0, atol=1e-9)


def test_too_many_symbols_are_refused() -> None:
    """What takes room that grows with the square of the symbols is not tried for very many."""
    with pytest.raises(CheckpointError, match="5,000 symbols"):
        embed(random_network(5_001, 1, seed=1), 5_001)
