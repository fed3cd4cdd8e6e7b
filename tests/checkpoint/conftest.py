"""What the tests of this folder share: one small checkpoint of each recipe."""

from pathlib import Path

import pytest

from dinogen.checkpoint.contents import Checkpoint
from dinogen.checkpoint.writing import save
from tests.checkpoint.crafting import RECIPES, Members, begin, take_apart


@pytest.fixture(scope="session", params=RECIPES)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A checkpoint of each recipe, as it is after two of three steps."""
    run = begin(request.param, tmp_path_factory.mktemp("lists"))
    steps = run.train()
    next(steps)
    next(steps)
    return run.checkpoint()


@pytest.fixture(scope="session")
def saved(trained: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of that checkpoint; tests only read it."""
    path = tmp_path_factory.mktemp("saved") / f"{trained.recipe}.npz"
    save(trained, path)
    return path


@pytest.fixture
def members(saved: Path) -> Members:
    """The files in that file."""
    return take_apart(saved)
