"""Similar symbols: cosines, embeddings and maps."""

import numpy as np
import pytest

from dinogen.checkpoint import load_checkpoint
from dinogen.cli import BUNDLED
from dinogen.errors import CheckpointError
from dinogen.inspection import cosines, embed, flat_map
from tests.networks import random_network


def test_cosines_are_those_of_the_angles() -> None:
    """Cosines are 1, 0 and -1 for equal, orthogonal and opposite vectors; length 0 is allowed."""
    embeddings = np.array([[1.0, 0.0], [3.0, 3.0], [0.0, 2.0], [-5.0, 0.0], [0.0, 0.0]])
    similarities = cosines(embeddings)
    np.testing.assert_allclose(similarities[0], [1, np.sqrt(0.5), 0, -1, 0], atol=1e-12)
    np.testing.assert_allclose(similarities, similarities.T)


@pytest.mark.parametrize(("cell", "layers"), [("rnn", 1), ("gru", 2), ("lstm", 2)])
def test_embedding_follows_from_the_predictions(cell: str, layers: int) -> None:
    """Symbols with the same input weights have the same embedding."""
    model = random_network(6, 5, seed=2, cell=cell, layers=layers)
    Wax = model.parameters["Wax"]  # (V, H), or with gates, (G, V, H)
    Wax[..., 4, :] = Wax[..., 2, :]
    embeddings = embed(model)
    assert embeddings.shape == (5, 6)
    similarities = cosines(embeddings)
    assert similarities[1, 3] > 0.999_999
    assert np.delete(similarities[1], [1, 3]).max() < 0.99
    np.testing.assert_allclose(embeddings.mean(axis=0), 0, atol=1e-12)


def test_vowels_are_similar() -> None:
    """In the bundled model, the four symbols most similar to "a" are vowels."""
    checkpoint = load_checkpoint(BUNDLED)
    similarities = cosines(embed(checkpoint.mixture))
    symbols = checkpoint.vocabulary.symbols
    nearest = [symbols[i] for i in np.argsort(-similarities[symbols.index("a")])[1:5]]
    assert set(nearest) <= set("eiouy")


def test_flat_map_of_directions_in_a_plane() -> None:
    """A map keeps all distances between directions in a plane, and is deterministic."""
    angles = np.array([0.1, 0.5, 2.0, 4.0])
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)  # (4, 2)
    positions = flat_map(cosines(directions))
    for i in range(4):
        for j in range(4):
            wanted = np.linalg.norm(directions[i] - directions[j])
            np.testing.assert_allclose(
                np.linalg.norm(positions[i] - positions[j]), wanted, atol=1e-9
            )
    np.testing.assert_array_equal(positions, flat_map(cosines(directions)))


def test_map_of_one_symbol() -> None:
    """A single symbol, or two equal ones, can be put on a map."""
    assert flat_map(np.ones((1, 1))).shape == (1, 2)
    np.testing.assert_allclose(flat_map(np.ones((2, 2))), 0, atol=1e-9)


def test_too_many_symbols_are_refused() -> None:
    """More than `MAX_SYMBOLS` symbols are refused, because memory grows with the square."""
    with pytest.raises(CheckpointError, match="5,000 symbols"):
        embed(random_network(5_001, 1, seed=1))
