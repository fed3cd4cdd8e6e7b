"""Reading: a file is a checkpoint, or is refused in one line."""

import gzip
import json
import math
import os
import pickle
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from numpy.typing import NDArray

from dinogen.checkpoint import (
    FORMAT,
    Checkpoint,
    HistoryRow,
    describe,
    load_checkpoint,
)
from dinogen.errors import CheckpointError
from tests.checkpoint.crafting import (
    Files,
    Place,
    array_of,
    changed,
    header_of,
    network_of,
    npy,
    overwrite,
    put_together,
    raw_npy,
    refusal,
    same,
    take_apart,
    with_header,
    with_text,
)

# Examples of one test share its folder: each writes its own file again.
SHARED = [HealthCheck.function_scoped_fixture]

NESTED = "[" * 100_000 + "]" * 100_000


def places(header: Any, before: Place = ()) -> Iterator[Place]:
    """Yield all places in a JSON object; of a list only the first two."""
    inner: Any = ()
    if isinstance(header, dict):
        inner = header.items()
    elif isinstance(header, list):
        inner = enumerate(header[:2])
    for name, value in inner:
        yield (*before, name)
        yield from places(value, (*before, name))


def load_or_refuse(path: Path) -> Checkpoint | None:
    """Load a file; returns None if it is refused as a checkpoint is."""
    try:
        return load_checkpoint(path)
    except CheckpointError:
        refusal(path)
        return None


def array_name(file: str) -> str:
    """Return the name of an array that a file in the archive holds."""
    return file.removesuffix(".npy")


def test_unchanged_parts_are_the_same_checkpoint(
    trained: Checkpoint, files: Files, tmp_path: Path
) -> None:
    """The tests below change one thing; without a change the checkpoint is the same."""
    assert same(load_checkpoint(put_together(tmp_path / "model.npz", files)), trained)
    rewritten = {name: npy(array_of(data)) for name, data in files.items()}
    path = put_together(tmp_path / "model.npz", with_header(rewritten, header_of(files)))
    assert same(load_checkpoint(path), trained)


def test_a_path_without_a_file(tmp_path: Path) -> None:
    """A missing file, a directory, and a path below a file have a message each."""
    assert "no such checkpoint" in refusal(tmp_path / "none.npz")
    assert "a directory" in refusal(tmp_path)
    (tmp_path / "file").touch()
    assert "not a directory" in refusal(tmp_path / "file" / "model.npz")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK",
        b"Anna\nBerta\nCora\n" * 100,
        b"\x00" * 1_000,
        b"PK\x05\x06" + b"\x00" * 18,  # an empty archive
        b"PK\x05\x06" + b"\xff" * 18,
        npy(np.zeros(9, np.float32)),
        gzip.compress(b"Anna\n", mtime=0),
        pickle.dumps({"meta": [1, 2, 3]}),
    ],
)
def test_another_kind_of_file(tmp_path: Path, data: bytes) -> None:
    """A file of any other kind is refused."""
    path = tmp_path / "model.npz"
    path.write_bytes(data)
    assert "not a dinogen checkpoint" in refusal(path)


def test_arrays_of_another_program(tmp_path: Path) -> None:
    """The message differs from that for a damaged checkpoint."""
    path = tmp_path / "model.npz"
    np.savez(path, weights=np.zeros((3, 4)), known=np.arange(3, dtype=np.uint64))
    message = refusal(path)
    assert "not a dinogen checkpoint" in message
    assert "damaged" not in message


def test_a_truncated_file(saved: Path, tmp_path: Path) -> None:
    """A truncated file is refused as damaged, at any length."""
    data = saved.read_bytes()
    path = tmp_path / "model.npz"
    for length in sorted({len(data) * part // 64 for part in range(64)} | {len(data) - 1}):
        overwrite(path, data[:length])
        assert "damaged" in refusal(path)


@settings(deadline=None, max_examples=60, suppress_health_check=SHARED)
@given(st.data())
def test_a_damaged_file(
    trained: Checkpoint, saved: Path, tmp_path: Path, data: st.DataObject
) -> None:
    """A file with random bytes changed is refused, or means the same as before."""
    damaged = bytearray(saved.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] = data.draw(st.integers(0, 255) | st.sampled_from(b" ()[]{}',:\0L"))
    path = tmp_path / "model.npz"
    overwrite(path, bytes(damaged))
    found = load_or_refuse(path)
    assert found is None or same(found, trained)


def test_a_compressed_file(files: Files, tmp_path: Path) -> None:
    """A compressed archive is refused: it could grow without bound when it is read."""
    path = tmp_path / "model.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    assert "compressed" in refusal(path)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("compress_type", 99),
        ("compress_type", zipfile.ZIP_LZMA),
        ("flag_bits", 1),  # encrypted
        ("CRC", 0),
        ("header_offset", 10**9),
        ("header_offset", 2**62),
        ("file_size", 1),
        ("compress_size", 1),
        ("file_size", 2**63),
        ("extract_version", 99),
    ],
)
def test_a_wrong_directory(files: Files, tmp_path: Path, attribute: str, value: int) -> None:
    """What the directory of the archive says about an array must be true."""
    for name in ("meta.npy", "known.npy", "network.Wya.npy"):
        claims: dict[str, dict[str, Any]] = {attribute: {name: value}}
        refusal(put_together(tmp_path / "model.npz", files, **claims))


@pytest.mark.parametrize("version", [FORMAT + 1, 10**9])
def test_a_newer_format(files: Files, tmp_path: Path, version: int) -> None:
    """A file of a later format asks for a newer dinogen, whatever else it holds."""
    path = tmp_path / "model.npz"
    for header in (header_of(files) | {"format": version}, {"format": version}):
        message = refusal(put_together(path, with_header(files, header)))
        assert f"format {version}" in message
        assert "upgrade dinogen" in message
        assert "damaged" not in message
    alone = with_header({}, {"format": version, "arrays": "elsewhere"})
    assert "upgrade dinogen" in refusal(put_together(path, alone))


def test_an_older_format(files: Files, tmp_path: Path) -> None:
    """A file of the first format is not read; the message says how to replace it."""
    path = put_together(tmp_path / "model.npz", with_header(files, {"format": 1}))
    message = refusal(path)
    assert "format 1" in message
    assert "dinogen train" in message
    assert "damaged" not in message


@pytest.mark.parametrize("version", [0, -1, True, 2.0, "2", None, 2**64])
def test_an_impossible_format(files: Files, tmp_path: Path, version: object) -> None:
    """A format that is not a positive whole number is damage."""
    path = put_together(
        tmp_path / "model.npz", with_header(files, header_of(files) | {"format": version})
    )
    assert "damaged" in refusal(path)


def test_an_unknown_cell(files: Files, tmp_path: Path) -> None:
    """A network that this version does not know asks for a newer dinogen."""
    header = changed(header_of(files), ("members", "network", "cell"), "lstm9")
    message = refusal(put_together(tmp_path / "model.npz", with_header(files, header)))
    assert "cell is 'lstm9'" in message
    assert "upgrade dinogen" in message
    assert "damaged" not in message


def test_an_unknown_recipe(files: Files, tmp_path: Path) -> None:
    """A model of another recipe can be used; only resuming needs to know the recipe."""
    header = header_of(files) | {"recipe": "modern"}
    found = load_checkpoint(put_together(tmp_path / "model.npz", with_header(files, header)))
    assert found.recipe == "modern"


def test_unknown_fields_are_ignored(trained: Checkpoint, files: Files, tmp_path: Path) -> None:
    """A later version may add fields without a new format."""
    header = header_of(files)
    for place in [(), ("corpus",), ("training",), ("members", "network"), ("resume",)]:
        inner = header
        for name in place:
            inner = inner[name]
        inner["later"] = ["\x1b[2J", None]
    path = put_together(tmp_path / "model.npz", with_header(files, header))
    assert same(load_checkpoint(path), trained)


def test_a_missing_array(files: Files, tmp_path: Path) -> None:
    """Each array is required, and the message names the one that is missing."""
    for missing in files.keys() - {"meta.npy"}:
        rest = {name: data for name, data in files.items() if name != missing}
        message = refusal(put_together(tmp_path / "model.npz", rest))
        assert f"the array {array_name(missing)} is missing" in message


@pytest.mark.parametrize(
    "name",
    [
        *("extra.npy", "network.Wxx.npy", "resume.npy", "resume.Wax.npy", "ngram.npy"),
        *("meta.npy.npy", ".npy", "READ ME", "a/", "../known.npy", "known.npy/"),
    ],
)
def test_an_unknown_array(files: Files, tmp_path: Path, name: str) -> None:
    """An array that is not declared is refused, even if it would not be used."""
    refusal(put_together(tmp_path / "model.npz", files | {name: npy(np.zeros(1, np.float32))}))


def test_an_array_twice(files: Files, tmp_path: Path) -> None:
    """Two arrays of one name are refused: two readers could use different ones."""
    path = tmp_path / "model.npz"
    for name, data in files.items():
        put_together(path, files)
        with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of the duplicate
            archive.writestr(name, data)
        assert "two arrays of one name" in refusal(path)


def test_a_field_twice(files: Files, tmp_path: Path) -> None:
    """Two fields of one name are refused too, at any depth, even if both are equal."""
    text = json.dumps(header_of(files))
    for name in ("format", "lines", "hidden_size", "network", "numbers", "step"):
        place = text.index(f'"{name}": ')
        doubled = f'{text[:place]}"{name}": 1, {text[place:]}'
        path = put_together(tmp_path / "model.npz", with_text(files, doubled))
        assert "not JSON" in refusal(path)


def shapes(a: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield an array in other shapes."""
    yield a[None]
    yield a[..., None]
    yield np.concatenate([a, a[-1:]])
    yield a[:0]
    yield a.reshape(-1)[0]
    if a.ndim > 1:
        yield a.reshape(-1)
        yield np.concatenate([a, a[:, -1:]], axis=1)
        if 1 not in a.shape:
            yield np.asfortranarray(a)
        if a.shape[0] != a.shape[1]:
            yield np.ascontiguousarray(a.T)


def test_an_array_of_another_shape(files: Files, tmp_path: Path) -> None:
    """Each array has the shape that the header gives, in row-major order."""
    for name in files:
        for other in shapes(array_of(files[name])):
            path = put_together(tmp_path / "model.npz", files | {name: npy(other)})
            message = refusal(path)
            if name != "meta.npy":  # a text has any length, and is refused for its content
                assert f"the array {array_name(name)} is" in message


@pytest.mark.parametrize(
    "dtype", ["i1", ">u8", "<i8", "<f2", ">f4", "<f4", "<f8", "<c8", "?", "S4"]
)
def test_an_array_of_another_dtype(files: Files, tmp_path: Path, dtype: str) -> None:
    """Each array has the dtype that the header gives, in little-endian order."""
    for name in files:
        whole = array_of(files[name])
        if whole.dtype != np.dtype(dtype):
            other = np.zeros(whole.shape, dtype)
            path = put_together(tmp_path / "model.npz", files | {name: npy(other)})
            assert f"the array {array_name(name)} is" in refusal(path)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e31])
def test_a_number_that_is_not_finite(files: Files, tmp_path: Path, value: float) -> None:
    """A single NaN, infinity or absurd number is refused, and the message names the array."""
    found = 0
    for name in files:
        for place in (0, -1):
            other = array_of(files[name])
            if not np.issubdtype(other.dtype, np.floating):
                continue
            other.flat[place] = value
            path = put_together(tmp_path / "model.npz", files | {name: npy(other)})
            assert f"the array {array_name(name)} has a number" in refusal(path)
            found += 1
    assert found >= 12


def test_digests_out_of_order(files: Files, tmp_path: Path) -> None:
    """Digests are sorted and distinct, as binary search requires."""
    for change in ([1, 0], [0, 0]):
        known = array_of(files["known.npy"])
        known[-2:] = known[-2:][change]
        path = put_together(tmp_path / "model.npz", files | {"known.npy": npy(known)})
        assert "not in order" in refusal(path)


def test_too_few_or_too_many_bytes(files: Files, tmp_path: Path) -> None:
    """An array with another size than its shape gives is refused, in a valid archive too."""
    for name, data in files.items():
        for other in (data[:-1], data + b"\0", data + data, data[:128], data[:64], data[:7], b""):
            refusal(put_together(tmp_path / "model.npz", files | {name: other}))


def test_swapped_arrays(files: Files, tmp_path: Path) -> None:
    """Two arrays that differ in dtype or shape cannot stand for each other."""
    names = sorted(files)
    for name in names:
        for other in names:
            a, b = array_of(files[name]), array_of(files[other])
            if (a.dtype, a.shape) != (b.dtype, b.shape):
                swapped = files | {name: files[other], other: files[name]}
                refusal(put_together(tmp_path / "model.npz", swapped))


def test_another_version_of_npy(files: Files, tmp_path: Path) -> None:
    """Dinogen writes version 1.0 of the .npy format only."""
    for name in files:
        for version in ((2, 0), (3, 0)):
            other = npy(array_of(files[name]), version=version)
            refusal(put_together(tmp_path / "model.npz", files | {name: other}))


class Bomb:
    """An object that creates a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.mark,)


def test_nothing_is_ever_unpickled(files: Files, tmp_path: Path) -> None:
    """An array of objects is refused in any place, and its code does not run."""
    mark = tmp_path / "mark"
    for name in files:
        objects = np.empty(array_of(files[name]).shape, dtype=object)
        objects.fill(Bomb(mark))
        path = put_together(tmp_path / "model.npz", files | {name: npy(objects)})
        refusal(path)
    assert not mark.exists()
    pickle.loads(pickle.dumps(Bomb(mark)))  # noqa: S301
    assert mark.exists()  # the bomb works


@pytest.mark.parametrize(
    "header",
    [
        "",
        "\0",
        "{}",
        "[]",
        "{[]: 1}",
        "{1: 2, 'a': 3}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4L,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-4,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (True, 4), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (4,), }",
        "{'descr': (), 'fortran_order': False, 'shape': (4,), }",
        "{'descr': ('<f4', (10**9,)), 'fortran_order': False, 'shape': (4,), }",
        "{'descr': 'i4,,i4', 'fortran_order': False, 'shape': (4,), }",
        "{'descr': '(1,f4', 'fortran_order': False, 'shape': (4,), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (4,), }",
        "{'descr': [('\x1b', '<f4')], 'fortran_order': False, 'shape': (4,), }",
        "{'descr': [('a', '<f4'), 3], 'fortran_order': False, 'shape': (4,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), 'more': __import__('os')}",
        "  1\n 2\n   3",
        pytest.param("(" * 5_000, id="brackets"),
        pytest.param("-" * 9_000 + "1", id="signs"),
        pytest.param(" " * 20_000, id="blanks"),
    ],
)
def test_a_broken_npy_header(files: Files, tmp_path: Path, header: str) -> None:
    """Anything else in place of the dtype and shape of an array is refused in one line."""
    for name in ("meta.npy", "known.npy", "network.Wax.npy"):
        numbers = array_of(files[name]).tobytes()
        other = files | {name: raw_npy(header, numbers)}
        refusal(put_together(tmp_path / "model.npz", other))


@settings(deadline=None, max_examples=60, suppress_health_check=SHARED)
@given(st.data())
def test_a_mistake_in_an_npy_header(
    trained: Checkpoint, files: Files, tmp_path: Path, data: st.DataObject
) -> None:
    """A header with symbols changed, added or removed is refused, or means the same."""
    name = data.draw(st.sampled_from(sorted(files)))
    whole = files[name]
    length = int.from_bytes(whole[8:10], "little")
    header = whole[10 : 10 + length].decode()
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.integers(0, len(header.rstrip())))
        removed = data.draw(st.integers(0, 2))
        added = data.draw(st.text("()[]{}',: \n\\#-0123456789LJe\0\x1b<>f=", max_size=2))
        header = header[:place] + added + header[place + removed :]
    other = files | {name: raw_npy(header, whole[10 + length :])}
    found = load_or_refuse(put_together(tmp_path / "model.npz", other))
    assert found is None or same(found, trained)


@pytest.mark.parametrize("lines", [10**6, 2**30, 2**45, 2**59, 2**60, 2**62])
def test_a_claim_of_more_names_than_the_file_holds(
    files: Files, tmp_path: Path, lines: int
) -> None:
    """No memory is allocated for names that are only claimed, wherever the claim stands."""
    header = header_of(files)
    header["corpus"] |= {"lines": lines, "names": lines, "duplicates": 0}
    claimed = with_header(files, header)
    npy_header = f"{{'descr': '<u8', 'fortran_order': False, 'shape': ({lines},), }}\n"
    in_array = claimed | {"known.npy": raw_npy(npy_header, b"\0" * 80)}
    size = 10 + len(npy_header) + 8 * lines
    in_directory = {"known.npy": min(size, 2**64 - 2)}
    path = tmp_path / "model.npz"
    assert "known" in refusal(put_together(path, claimed))
    assert "known" in refusal(put_together(path, in_array))
    put_together(path, in_array, file_size=in_directory, compress_size=in_directory)
    assert memory_to_refuse(path) < 10_000_000


def test_a_claim_of_a_large_network(files: Files, tmp_path: Path) -> None:
    """No memory is allocated for a network that is only claimed."""
    header = header_of(files)
    largest = {"rnn": 4_096, "lstm": 1_024}[header["members"]["network"]["cell"]]
    for symbols, hidden_size, problem in ((100, largest, "is not"), (20_000, 4_096, "too large")):
        header["vocabulary"]["symbols"] = [chr(code) for code in range(0x4E00, 0x4E00 + symbols)]
        header["members"]["network"]["hidden_size"] = hidden_size
        header["held_out"], header["resume"] = None, {"numbers": {}, "arrays": {}}
        header["members"] = {"network": header["members"]["network"] | {"weight": 1.0}}
        rest = {name: data for name, data in files.items() if not name.startswith(("res", "ngr"))}
        path = put_together(tmp_path / "model.npz", with_header(rest, header))
        assert problem in refusal(path)
        assert memory_to_refuse(path) < 10_000_000


@pytest.mark.parametrize("shape", [[2**25], [2**25] * 4, [0, 2**25], [2**25, 0], []])
def test_a_claim_of_a_large_resume_array(files: Files, tmp_path: Path, shape: list[int]) -> None:
    """No memory is allocated for a resume array that is only claimed."""
    header = header_of(files)
    for entry in header["resume"]["arrays"].values():
        entry["shape"] = shape
    path = put_together(tmp_path / "model.npz", with_header(files, header))
    assert "the array resume." in refusal(path)
    assert memory_to_refuse(path) < 10_000_000


def test_an_endless_header(files: Files, tmp_path: Path) -> None:
    """A JSON text that claims to be too long is refused before it is read."""
    npy_header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({2**40},), }}\n"
    other = files | {"meta.npy": raw_npy(npy_header, b"{}")}
    size = {"meta.npy": 2**40 + 10 + len(npy_header)}
    path = put_together(tmp_path / "model.npz", other, file_size=size, compress_size=size)
    assert memory_to_refuse(path) < 10_000_000
    blanks = with_text(files, json.dumps(header_of(files)) + " " * (1 << 24))
    assert "too long" in refusal(put_together(path, blanks))


@pytest.mark.parametrize("item", ["[],", "{},", "0,", "[[[[]]]],"])
@pytest.mark.parametrize("field", ["vocabulary", "history", "arrays"])
def test_memory_is_proportional_to_the_file(
    files: Files, tmp_path: Path, item: str, field: str
) -> None:
    """JSON takes more memory than bytes, but only by a factor."""
    header = header_of(files)
    (header["resume"] if field == "arrays" else header)[field] = "@"
    text = json.dumps(header).replace('"@"', f"[{item * 50_000}0]")
    path = put_together(tmp_path / "model.npz", with_text(files, text))
    assert memory_to_refuse(path) < 50 * len(text)


def memory_to_refuse(path: Path) -> int:
    """Return the peak of allocated bytes while a file is refused."""
    tracemalloc.start()
    try:
        refusal(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "7",
        '"{}"',
        "{}",
        "\ufeff{}",
        pytest.param(NESTED, id="nested lists"),
        pytest.param('{"a":' * 100_000, id="nested objects"),
        pytest.param('{"format": ' + "9" * 5_000 + "}", id="a long number"),
        f'{{"format": {FORMAT}}}',
    ],
)
def test_a_header_that_is_not_an_object(files: Files, tmp_path: Path, text: str) -> None:
    """A text that is not a JSON object, or lacks its fields, is refused."""
    assert "damaged" in refusal(put_together(tmp_path / "model.npz", with_text(files, text)))
    raw = npy(np.frombuffer(text.encode()[:40] + b"\xff", dtype=np.uint8))
    assert "damaged" in refusal(put_together(tmp_path / "model.npz", files | {"meta.npy": raw}))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_a_header_in_another_encoding(files: Files, tmp_path: Path, encoding: str) -> None:
    """JSON is in UTF-8."""
    data = json.dumps(header_of(files)).encode(encoding)
    other = files | {"meta.npy": npy(np.frombuffer(data, dtype=np.uint8))}
    assert "damaged" in refusal(put_together(tmp_path / "model.npz", other))


def test_a_field_missing_or_of_another_kind(files: Files, tmp_path: Path) -> None:
    """Each field is required, and of one kind only."""
    header = header_of(files)
    path = tmp_path / "model.npz"
    assert len(header) == 15
    for name in header:
        wrong: list[Any] = [None, 7.5, True, [7], [[]], "\x1b[2J", {"": 1}]
        if name not in ("version", "recipe"):
            wrong.append("text")
        for value in wrong:
            # A checkpoint may have no held-out names, and no origin.
            if value is not None or name not in ("held_out", "lineage", "origin_names"):
                other = changed(header, (name,), value)
                refusal(put_together(path, with_header(files, other)))
        nested = json.dumps(changed(header, (name,), "@")).replace('"@"', NESTED)
        refusal(put_together(path, with_text(files, nested)))
        rest = {field: value for field, value in header.items() if field != name}
        assert name in refusal(put_together(path, with_header(files, rest)))


def test_an_inner_field_missing(files: Files, tmp_path: Path) -> None:
    """Each field of each object is required, except those under arbitrary names."""
    header = header_of(files)
    arbitrary = ("settings", "history", "numbers")
    found = 0
    for place in places(header):
        if len(place) > 1 and isinstance(place[-1], str) and not {*arbitrary} & {*place[:-1]}:
            other = json.loads(json.dumps(header))
            inner = other
            for step in place[:-1]:
                inner = inner[step]
            del inner[place[-1]]
            refusal(put_together(tmp_path / "model.npz", with_header(files, other)))
            found += 1
    assert found > 20


@pytest.mark.parametrize("value", [None, "\x1b[2J", True, 10**400, [], {}, -1])
def test_any_value_in_any_place(files: Files, tmp_path: Path, value: object) -> None:
    """The file is refused, or can be described and printed."""
    header = header_of(files)
    for place in places(header):
        other = with_header(files, changed(header, place, value))
        found = load_or_refuse(put_together(tmp_path / "model.npz", other))
        if found:
            shown = json.dumps(describe(found), allow_nan=False, ensure_ascii=False)
            assert "\\u001b" not in shown


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("version",), "\x1b[2J"),
        (("version",), "1" * 256),
        (("recipe",), ""),
        (("recipe",), "default; rm -rf /"),
        (("recipe",), "a" * 65),
        (("vocabulary", "symbols"), []),
        (("vocabulary", "symbols", 0), "ab"),
        (("vocabulary", "symbols", 0), ""),
        (("vocabulary", "symbols", 0), "\n"),
        (("vocabulary", "symbols", 0), "\x1b"),
        (("vocabulary", "symbols", 0), "\u200d"),
        (("vocabulary", "symbols", 0), "\ud800"),
        (("vocabulary", "symbols", 0), "\U0010fffd"),
        (("vocabulary", "symbols", 0), "z"),  # out of order
        (("vocabulary", "symbols", 1), "-"),  # twice
        (("members", "network", "hidden_size"), 0),
        (("members", "network", "hidden_size"), 4_097),
        (("members", "network", "hidden_size"), 4.0),
        (("members", "network", "layers"), 17),
        (("members", "network", "weight"), math.nan),
        (("case", "fold"), 1),
        (("case", "capital_after"), ["\n", "ab"]),
        (("case", "capital_after"), ["\x1b"]),
        (("case", "capital_after"), [["-"]]),
        (("case", "capital_after"), "-"),
        (("case", "shapes"), {}),
        (("case", "shapes"), [{"text": "van\n"}]),
        (("case", "shapes"), [{"text": "van\n", "shape": "x"}] * 2),
        (("case", "shapes"), [{"text": "\x1b", "shape": "x"}]),
        (("case", "shapes"), [{"text": "\ud800", "shape": "x"}]),
        (("case", "shapes"), [{"text": "a" * 256, "shape": "x"}]),
        (("case", "shapes"), [{"text": 1, "shape": "x"}]),
        (("case", "shapes"), [{"text": "van\n", "shape": None}]),
        (("case", "shapes"), [{"text": "van\n", "shape": "Xxy"}]),
        (("case", "shapes"), [{"text": "van\n", "shape": "\n"}]),
        (("case", "shapes"), [{"text": "van\n", "shape": "x" * 256}]),
        (("case", "shapes"), [{"text": f"{i:099}", "shape": "x"} for i in range(1_001)]),
        (("corpus", "lines"), 2**62),
        (("corpus", "lines"), 2**64),
        (("corpus", "lines"), 1),
        (("corpus", "names"), 10),
        (("corpus", "names"), 1),
        (("corpus", "duplicates"), 8),
        (("corpus", "duplicates"), -1),
        (("corpus", "shortest"), 0),
        (("corpus", "shortest"), 99),  # more than the longest name has
        (("decoding", "temperature"), 0.0),
        (("decoding", "top_k"), 0),
        (("decoding", "top_p"), 1.5),
        (("decoding", "min_p"), 0.0),
        (("decoding", "min_p"), 1.5),
        (("decoding", "keep"), 0.0),
        (("decoding", "keep"), math.nan),
        (("corpus", "longest"), 0),
        (("corpus", "longest"), 256),
        (("corpus", "sha256"), "\x1b[2J"),
        (("training", "seed"), -1),
        (("training", "seed"), 2**64),
        (("training", "steps"), -1),
        (("training", "steps"), 0),  # fewer than the history has
        (("training", "seconds"), math.nan),
        (("training", "seconds"), math.inf),
        (("training", "seconds"), -1.0),
        (("training", "seconds"), "2"),
        (("training", "interrupted"), 0),
        (("training", "settings"), {f"s{i}": 1 for i in range(65)}),
        (("training", "settings", "steps"), "\x1b[2J"),
        (("training", "settings", "steps"), [3]),
        (("training", "settings", "\x1b[2J"), 3),
        (("training", "settings", "a b"), 3),
        (("held_out",), {"names": 0, "nats_per_symbol": 1.0}),
        (("held_out",), {"names": 2, "nats_per_symbol": math.nan}),
        (("held_out",), {"names": 2}),
        (("history", 0, "step"), 0),
        (("history", 0, "step"), 1.0),
        (("history", 0, "step"), 3),  # more than the training has
        (("history", 0), {}),
        (("history", 0), [1]),
        (("resume", "numbers"), {f"n{i}": 1 for i in range(65)}),
        (("resume", "numbers", "../x"), 1),
        (("resume", "numbers", "loss"), "1"),
        (("resume", "numbers", "loss"), math.inf),
        (("resume", "arrays"), {f"a{i}": {"dtype": "float32", "shape": [1]} for i in range(200)}),
        (("resume", "arrays", "../x"), {"dtype": "float32", "shape": [1]}),
        (("resume", "arrays", "a"), {"dtype": "float32", "shape": [1] * 5}),
        (("resume", "arrays", "a"), {"dtype": "float32", "shape": [-1]}),
        (("resume", "arrays", "a"), {"dtype": "float32", "shape": [2**26]}),
        (("resume", "arrays", "a"), {"dtype": "float32", "shape": [True]}),
        (("resume", "arrays", "a"), {"dtype": "float32", "shape": 1}),
        (("resume", "arrays", "a"), {"dtype": "float32"}),
    ],
)
def test_a_value_out_of_bounds(files: Files, tmp_path: Path, place: Place, value: object) -> None:
    """A value that no training gives, or that could drive a terminal, is refused."""
    other = with_header(files, changed(header_of(files), place, value))
    assert "damaged" in refusal(put_together(tmp_path / "model.npz", other))


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        (("members", "network", "hidden_size"), -1, "(hidden_size is not"),
        (("members", "network", "hidden_size"), 4_097, "(hidden_size is not"),
        (("corpus", "lines"), 1, "(lines is not"),
        (("corpus", "names"), 10, "(corpus has"),
        (("corpus", "duplicates"), 8, "(corpus has"),  # of nine lines, which leaves one name
        (("training", "seed"), 2**64, "(seed is not"),
        (("vocabulary", "symbols", 0), "ab", "vocabulary is not"),
        (("resume", "arrays", "a.b"), {"dtype": "int8", "shape": [1]}, " dtype is 'int8'"),
        (("resume", "arrays", "../x"), {"dtype": "float32", "shape": [1]}, "a name in arrays"),
        (("resume", "numbers", "a..b"), 1, "a name in numbers"),
        (("training", "settings", "a b"), 1, "a name in settings"),
        (("recipe",), "$(x)", "(recipe is not"),
    ],
)
def test_a_value_out_of_bounds_is_named(
    files: Files, tmp_path: Path, place: Place, value: object, problem: str
) -> None:
    """Values are checked before anything is built from them, and the message names the field."""
    other = with_header(files, changed(header_of(files), place, value))
    assert problem in refusal(put_together(tmp_path / "model.npz", other))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("train", math.nan),
        ("train", True),
        ("heldout", math.inf),
        ("heldout", "2"),
        ("smoothed_loss", 1e31),
        ("smoothed_loss", [1]),
        ("a b", 1),
        ("\x1b[2J", 1),
        ("samples", "Anna"),
        ("samples", None),
        ("samples", ["Anna", "\x1b[2J"]),
        ("samples", ["An\nna"]),
        ("samples", [["Anna"]]),
        ("samples", ["Anna"] * 101),
        ("samples", ["a" * 256]),
    ],
)
def test_a_damaged_row_of_the_history(
    files: Files, tmp_path: Path, field: str, value: object
) -> None:
    """A row holds finite losses and visible samples."""
    other = with_header(files, changed(header_of(files), ("history", 0, field), value))
    assert "damaged" in refusal(put_together(tmp_path / "model.npz", other))


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([{"step": 2, "a": 1}, {"step": 1, "a": 1}], "not in order"),
        ([{"step": 1, "a": 1}, {"step": 2, "b": 1}], "different losses"),
        ([{"step": 1, "a": 1}, {"step": 2}], "different losses"),
        ([{"step": 1, "a": 1}] * 4_097, "too long"),
        ([{"step": 1, **{f"l{i}": 1 for i in range(65)}}], "too long"),
        ([{"step": 1, "a": 1}, {"step": 3, "a": 1}], "more steps"),
    ],
)
def test_a_history_that_is_not_one(
    files: Files, tmp_path: Path, rows: list[dict[str, Any]], problem: str
) -> None:
    """Rows are in order, of limited number, and have the same losses."""
    other = with_header(files, header_of(files) | {"history": rows})
    assert problem in refusal(put_together(tmp_path / "model.npz", other))


def test_a_loss_may_be_null(files: Files, tmp_path: Path) -> None:
    """Without held-out names there is no held-out loss."""
    rows = [{"step": 1, "train": 1.5, "heldout": None}]
    other = with_header(files, header_of(files) | {"history": rows, "held_out": None})
    found = load_checkpoint(put_together(tmp_path / "model.npz", other))
    assert found.held_out is None
    assert describe(found)["heldout"] is None
    assert found.history == [HistoryRow(1, {"train": 1.5, "heldout": None}, [])]


def test_more_held_out_names_than_names(files: Files, tmp_path: Path) -> None:
    """The held-out names are a part of the names."""
    header = header_of(files)
    members = dict.fromkeys(header["members"], 2.0)
    loss = {"size": 10, "nats_per_symbol": 2.0, "members": members, "frequencies": 3.0}
    other = with_header(files, header | {"held_out": loss})
    assert "more held-out names" in refusal(put_together(tmp_path / "model.npz", other))


def test_arrays_can_be_changed(saved: Path) -> None:
    """A loaded checkpoint has its own arrays: changing them does not change a later load."""
    first = load_checkpoint(saved)
    for loaded in (network_of(first).parameters["Wax"], *first.resume.arrays.values()):
        loaded += 1
    assert not same(load_checkpoint(saved), first)
    assert take_apart(saved)["known.npy"] == npy(first.known)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes and devices of POSIX")
def test_not_a_regular_file(tmp_path: Path) -> None:
    """A pipe without a writer is not waited for, and a device is not read."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null")):
        assert "not a regular file" in refusal(path)


def test_too_little_memory(
    trained: Checkpoint, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that needs more memory than there is gets one line too."""

    def fill(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(type(network_of(trained).parameters), "fill", fill)
    assert "memory" in refusal(saved)
