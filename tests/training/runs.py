"""Runs that are stopped anywhere, and checkpoints that are compared; shared by the tests."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dinogen.checkpoint import Checkpoint, load_checkpoint, save, to_parts
from dinogen.models import Network
from dinogen.training import DefaultRun

Stage = tuple[str | None, int]
"""Where a run is stopped: the part of the preparation, None for the learning, and the step."""


def train(run: DefaultRun, until: Stage | None = None) -> Checkpoint:
    """Train to the end, or until a stage, and return a snapshot."""
    for progress in run.train():
        if (progress.preparation, progress.step) == until:
            return run.checkpoint()
    assert until is None, "the run has no such stage"
    return run.checkpoint()


def through_a_file(checkpoint: Checkpoint, folder: Path) -> Checkpoint:
    """Save a checkpoint and load it again."""
    save(checkpoint, folder / "model.npz")
    return load_checkpoint(folder / "model.npz")


def network_of(checkpoint: Checkpoint) -> Network:
    """Return the network of a checkpoint that has one."""
    network = checkpoint.mixture.members["network"]
    assert isinstance(network, Network)
    return network


def parts_of(checkpoint: Checkpoint) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return all that a file would hold, without the time that the training took."""
    training = checkpoint.training._replace(seconds=0.0)
    return to_parts(replace(checkpoint, training=training))


def same(one: Checkpoint, other: Checkpoint) -> bool:
    """Return whether two checkpoints agree, array for array, in everything but the time."""
    (header, arrays), (other_header, other_arrays) = parts_of(one), parts_of(other)
    return (
        header == other_header
        and arrays.keys() == other_arrays.keys()
        and all(
            np.array_equal(array, other_arrays[name]) and array.dtype == other_arrays[name].dtype
            for name, array in arrays.items()
        )
    )
