"""The lineage of a checkpoint and the names of its origin: they come back, or are refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dinogen.checkpoint import Checkpoint, Lineage, describe, load_checkpoint, save
from dinogen.data import BloomFilter, OriginNames
from tests.checkpoint.crafting import (
    array_of,
    changed,
    header_of,
    npy,
    put_together,
    refusal,
    same,
    take_apart,
    with_header,
)

SHA256 = "0123456789abcdef" * 4

TUNED = Lineage("base", SHA256, "lstm", 2, 256, symbols=27)
TAUGHT = TUNED._replace(name="ein Weg/möbius.npz", steps=126, nats_per_symbol=2.125)


@pytest.mark.parametrize("lineage", [None, TUNED, TAUGHT], ids=["none", "tuned", "taught"])
def test_it_survives_saving_and_loading(
    lineage: Lineage | None, trained: Checkpoint, tmp_path: Path
) -> None:
    """Every value comes back, and saving it again changes nothing."""
    given = replace(trained, lineage=lineage)
    save(given, tmp_path / "a.npz")
    loaded = load_checkpoint(tmp_path / "a.npz")
    assert loaded.lineage == lineage
    assert same(loaded, given)
    save(loaded, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert describe(loaded)["lineage"] == (lineage and lineage._asdict())
    json.dumps(describe(loaded), allow_nan=False)


@pytest.mark.parametrize("field", Lineage._fields)
def test_a_missing_field_is_refused(field: str, trained: Checkpoint, tmp_path: Path) -> None:
    """Each field is required, and the message names it."""
    save(replace(trained, lineage=TAUGHT), tmp_path / "a.npz")
    files = take_apart(tmp_path / "a.npz")
    header = header_of(files)
    del header["lineage"][field]
    message = refusal(put_together(tmp_path / "b.npz", with_header(files, header)))
    assert f"(lineage has no {field})" in message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("name", value) for value in (None, 1, "\x1b[2J", "a\nb", "\ud800", "x" * 256)),
        *(("digest", value) for value in (None, 1, ["a"], "\x1b[2J", "0" * 256)),
        *(("cell", value) for value in (None, 1, "", "\x1b[2J", "transformer")),
        *(("layers", value) for value in (None, 0, 17, 1.0, True, "2")),
        *(("hidden_size", value) for value in (None, 0, 4_097, 8.0, 10**30)),
        *(("symbols", value) for value in (None, -1, 0.5, 2**64)),
        *(("steps", value) for value in (None, -1, 0.5, True, 10**30)),
        *(("nats_per_symbol", value) for value in ("2", True, float("nan"), float("inf"), 1e300)),
    ],
)
def test_a_value_of_another_kind_is_refused(
    field: str, value: Any, trained: Checkpoint, tmp_path: Path
) -> None:
    """A value that no training gives, or that could drive a terminal, is refused in one line."""
    save(replace(trained, lineage=TAUGHT), tmp_path / "a.npz")
    files = take_apart(tmp_path / "a.npz")
    header = changed(header_of(files), ("lineage", field), value)
    refusal(put_together(tmp_path / "b.npz", with_header(files, header)))


@pytest.mark.parametrize("value", [7, "base", [], True, {}])
def test_what_is_no_lineage_is_refused(value: Any, trained: Checkpoint, tmp_path: Path) -> None:
    """The field is an object with all of its fields, or null."""
    save(trained, tmp_path / "a.npz")
    files = take_apart(tmp_path / "a.npz")
    header = changed(header_of(files), ("lineage",), value)
    assert "lineage" in refusal(put_together(tmp_path / "b.npz", with_header(files, header)))


# The names of the origin.


def with_names(checkpoint: Checkpoint) -> Checkpoint:
    """Add the names of an origin, of which the first name of the list is one."""
    V, known = len(checkpoint.vocabulary), checkpoint.known[:1]
    names = OriginNames(BloomFilter.of(known), np.arange(V + 1, dtype=np.uint32))
    return replace(checkpoint, lineage=TUNED, origin_names=names)


def test_the_names_of_the_origin_survive(trained: Checkpoint, tmp_path: Path) -> None:
    """The filter and the translation come back. A checkpoint from scratch has none."""
    given = with_names(trained)
    save(given, tmp_path / "a.npz")
    loaded = load_checkpoint(tmp_path / "a.npz")
    assert given.origin_names is not None
    assert loaded.origin_names is not None
    np.testing.assert_array_equal(loaded.origin_names.digests.bits, given.origin_names.digests.bits)
    np.testing.assert_array_equal(loaded.origin_names.read, given.origin_names.read)
    assert len(loaded.known_names.lists) == 2
    save(trained, tmp_path / "b.npz")
    scratch = load_checkpoint(tmp_path / "b.npz")
    assert scratch.origin_names is None
    assert len(scratch.known_names.lists) == 1


@pytest.mark.parametrize("value", [0, -1, 3, 2.0, True, "1", [1], 2**40, None])
def test_a_filter_of_another_size_is_refused(
    value: Any, trained: Checkpoint, tmp_path: Path
) -> None:
    """Its size is a power of two, and that of the array; without a size there is no array."""
    save(with_names(trained), tmp_path / "a.npz")
    files = take_apart(tmp_path / "a.npz")
    header = changed(header_of(files), ("origin_names",), value)
    refusal(put_together(tmp_path / "b.npz", with_header(files, header)))


@pytest.mark.parametrize("name", ["origin.bits", "origin.read"])
def test_a_damaged_filter_is_refused(name: str, trained: Checkpoint, tmp_path: Path) -> None:
    """Each array must be there, with its dtype and shape, and symbols within bounds."""
    save(with_names(trained), tmp_path / "a.npz")
    files = take_apart(tmp_path / "a.npz")
    array = array_of(files[f"{name}.npy"])
    wrong = [array[:0], np.append(array, array), array.astype(np.int64), array[np.newaxis]]
    if name == "origin.read":
        wrong.append(np.full_like(array, 2**32 - 1))
    for other in wrong:
        refusal(put_together(tmp_path / "b.npz", files | {f"{name}.npy": npy(other)}))
    rest = {file: data for file, data in files.items() if file != f"{name}.npy"}
    assert f"the array {name} is missing" in refusal(put_together(tmp_path / "b.npz", rest))
