"""Scoring: -log p, name by name."""

import numpy as np
import pytest

from dinogen.generation.scoring import score
from tests.literal import forward_backward
from tests.networks import as_columns, names_of, random_network

NAMES = [[1, 2, 3], [4], [2, 2, 2, 2, 1, 3], [3, 1], [4], [1] * 30]


def test_scores_are_those_of_the_literal_loops() -> None:
    """Each name's nats, its end included, are the loss of the plain loops, in the given order."""
    model = random_network(5, 6, seed=4)
    p = as_columns(model)
    literal = [forward_backward(p, [0, *name], [*name, 0], np.zeros((6, 1))).loss for name in NAMES]
    np.testing.assert_allclose(score(model, names_of(*NAMES)), literal, rtol=1e-10)


def test_all_names_together_have_probability_one() -> None:
    """Over two letters, the names of at most 12 symbols and the longer rest add up to 1."""
    model = random_network(3, 4, seed=11)
    model.parameters["by"][0] = 3.0  # names end soon, so that little is left beyond 12 symbols
    names: list[list[int]] = [[]] + [
        [1 + (code >> place) % 2 for place in range(length)]
        for length in range(1, 13)
        for code in range(2**length)
    ]
    assert np.exp(-score(model, names_of(*names))).sum() == pytest.approx(1, abs=1e-4)


def test_a_score_depends_on_its_name_alone() -> None:
    """Alone, or among thousands, a name has the same score to seven digits."""
    model = random_network(5, 16, seed=4, dtype=np.float32, scale=0.5)
    many = names_of(*(NAMES * 500))
    alone = [score(model, names_of(name))[0] for name in NAMES]
    np.testing.assert_allclose(score(model, many), alone * 500, rtol=1e-6)


def test_no_names_have_no_scores() -> None:
    """An empty list is answered with an empty array."""
    assert score(random_network(3, 2, seed=1), names_of()).shape == (0,)
