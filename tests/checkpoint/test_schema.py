"""The schema is one declaration: what it writes is what it reads, and nothing is left out."""

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.checkpoint import (
    HEADER,
    MAX_ARRAYS,
    MAX_HIDDEN_SIZE,
    MAX_LAYERS,
    MAX_RESUME_ARRAYS,
    MEMBER_KINDS,
    Checked,
    Checkpoint,
    Converted,
    HistoryRow,
    Malformed,
    Nullable,
    Record,
    ResumeState,
    TrainingStats,
    describe,
    from_parts,
    to_parts,
)
from dinogen.data import MAX_NAME_LENGTH
from dinogen.models import CELLS, Mixture, Network, NetworkConfig
from dinogen.training import BOUNDS, CHOICES, add_row
from tests.checkpoint.crafting import network_of, same


class Source:
    """Arrays in memory; compared with what is asked for."""

    def __init__(self, arrays: dict[str, NDArray[Any]]) -> None:
        self.arrays = arrays

    @property
    def names(self) -> set[str]:
        """See `ArraySource.names`."""
        return set(self.arrays)

    def array(self, name: str, dtype: type[np.generic], shape: tuple[int, ...]) -> NDArray[Any]:
        """See `ArraySource.array`."""
        array = self.arrays[name]
        if (array.dtype, array.shape) != (np.dtype(dtype), shape):
            raise Malformed(f"{name} is {array.dtype} {array.shape}, not {dtype} {shape}")
        return array


def reread(checkpoint: Checkpoint) -> Checkpoint:
    """Take a checkpoint apart and put it together again, without a file."""
    header, arrays = to_parts(checkpoint)
    return from_parts(json.loads(json.dumps(header, allow_nan=False)), Source(arrays))


def test_what_is_written_is_what_is_read(trained: Checkpoint) -> None:
    """Every value, and every array, comes back."""
    assert same(reread(trained), trained)
    assert describe(reread(trained)) == describe(trained)


def test_every_attribute_is_stored() -> None:
    """An attribute of a checkpoint is a field of the JSON text, or stored in arrays."""
    attributes = {field.name for field in fields(Checkpoint)}
    others = {"mixture", "known", "origin_names", "resume"}
    assert attributes == HEADER.keys() | others
    assert not HEADER.keys() & {*others, "format", "members"}


def records() -> Iterator[tuple[str, Record[Any]]]:
    """Yield the records of the schema, by name. A corpus has one for each content."""
    header: dict[str, Any] = {**HEADER}
    contents = header.pop("corpus").kinds
    for name, field in (header | contents).items():
        inner = field
        while isinstance(inner, Checked | Converted | Nullable):
            inner = inner.field
        if isinstance(inner, Record):
            yield name, inner
    for name, kind in MEMBER_KINDS.items():
        yield name, kind.info


def test_every_attribute_of_a_record_is_stored() -> None:
    """A record has a field for each attribute of its class, in the same order."""
    found = dict(records())
    parts = {"case", "names", "text", "decoding", "training", "lineage", "held_out"}
    assert found.keys() == parts | {"network", "ngram"}
    for name, fields_of in found.items():
        made: Any = fields_of.make
        assert tuple(fields_of.fields) == made._fields, name


def test_every_array_is_declared(trained: Checkpoint) -> None:
    """The arrays of a model have the names, dtypes and shapes that its kind declares."""
    V = len(trained.vocabulary)
    for member in trained.mixture.members.values():
        kind = next(kind for kind in MEMBER_KINDS.values() if isinstance(member, kind.type))
        declared = kind.specs(kind.describe(member), V)
        arrays = kind.arrays(member)
        assert {*arrays} == {*declared}
        for name, spec in declared.items():
            assert (arrays[name].dtype, arrays[name].shape) == (np.dtype(spec.dtype), spec.shape)
        assert 0 < kind.size(kind.describe(member), V) <= kind.max_size


def with_network(checkpoint: Checkpoint, config: NetworkConfig) -> Checkpoint:
    """Replace the model by a network, stopped halfway."""
    network = Network(config)
    return replace(
        checkpoint,
        mixture=Mixture({"network": network}),
        held_out=None,
        resume=ResumeState(
            {
                f"{group}.{name}": array
                for group in ("parameters", "velocity")
                for name, array in network.parameters.items()
            },
            {},
        ),
    )


@pytest.mark.parametrize(
    ("cell", "layers"), [("gru", 2), ("rnn", int(BOUNDS["layers"][1])), ("lstm", MAX_LAYERS)]
)
def test_a_stack_of_layers(trained: Checkpoint, cell: str, layers: int) -> None:
    """The deepest network is read, with its resume state."""
    config = NetworkConfig(len(trained.vocabulary), hidden_size=3, cell=cell, layers=layers)
    deep = with_network(trained, config)
    found = reread(deep)
    assert same(found, deep)
    assert len(found.resume.arrays) <= MAX_RESUME_ARRAYS
    # With room for a third group of arrays in the file.
    assert len(to_parts(deep)[1]) + MAX_RESUME_ARRAYS // 2 <= MAX_ARRAYS


def test_the_settings_stay_within_the_schema() -> None:
    """Whatever the settings allow can be read again."""
    assert BOUNDS["hidden_size"][1] <= MAX_HIDDEN_SIZE
    assert BOUNDS["layers"][1] <= MAX_LAYERS
    assert BOUNDS["order"][1] <= MAX_NAME_LENGTH
    assert {*CHOICES["cell"]} <= {*CELLS}


def test_the_longest_history(trained: Checkpoint) -> None:
    """A history of a long run is read."""
    history: list[HistoryRow] = []
    for step in range(1, 5_000):
        add_row(history, HistoryRow(step, {"train": 1.0, "heldout": None}), every=1)
    assert len(history) > 500
    training = trained.training._replace(steps=5_000)
    assert same(reread(long := replace(trained, history=history, training=training)), long)


def test_settings_are_numbers_and_texts(trained: Checkpoint) -> None:
    """Their types stay the same."""
    settings: dict[str, str | int | float] = {"cell": "gru", "steps": 3, "clip": 3.0, "rate": 1e-6}
    stats = TrainingStats(0, 3, 0.0, interrupted=False, settings=settings)
    found = reread(replace(trained, training=stats)).training.settings
    assert [(name, type(value), value) for name, value in found.items()] == [
        (name, type(value), value) for name, value in settings.items()
    ]


def test_several_members_of_one_kind(trained: Checkpoint) -> None:
    """The name of a member identifies it; each member keeps its own dtype, size and weight."""
    V = len(trained.vocabulary)
    members = {
        "network": network_of(trained),
        "small": Network(NetworkConfig(V, hidden_size=1), np.float64),
        "deep": Network(NetworkConfig(V, hidden_size=2, layers=3)),
    }
    model = Mixture(members, {"network": 0.5, "small": 0.25, "deep": 0.25})
    other = replace(trained, mixture=model, held_out=None)
    assert same(reread(other), other)
