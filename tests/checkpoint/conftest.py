"""Shared by the tests of this folder: one small checkpoint of each recipe."""

from pathlib import Path

import pytest

from dinogen.checkpoint import Checkpoint, save
from tests.checkpoint.crafting import RECIPES, Files, begin, take_apart


@pytest.fixture(scope="session", params=RECIPES)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A checkpoint of each recipe, after two of three steps."""
    run = begin(request.param, tmp_path_factory.mktemp("lists"))
    steps = run.train()
    next(steps)
    next(steps)
    return run.checkpoint()


@pytest.fixture(scope="session")
def saved(trained: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of that checkpoint; not to be changed."""
    path = tmp_path_factory.mktemp("saved") / f"{trained.recipe}.npz"
    save(trained, path)
    return path


@pytest.fixture
def files(saved: Path) -> Files:
    """The files in the archive of that checkpoint."""
    return take_apart(saved)
