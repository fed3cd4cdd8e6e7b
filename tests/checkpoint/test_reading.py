"""Reading: a file is a checkpoint, or is refused in one line; nothing else ever happens."""

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
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dinogen.checkpoint.contents import Checkpoint
from dinogen.checkpoint.reading import load
from dinogen.errors import CheckpointError, DinogenError
from tests.checkpoint.crafting import (
    Members,
    Place,
    array,
    begin,
    changed,
    meta,
    npy,
    put,
    put_together,
    refusal,
    resume,
    same,
    take_apart,
    with_header,
    with_meta,
    with_text,
)

# The folder of a test may be used again by its next example: each writes its own file anew.
SHARED = [HealthCheck.function_scoped_fixture]

NESTED = "[" * 100_000 + "]" * 100_000


def places(description: Any, before: Place = ()) -> Iterator[Place]:
    """Go through the places in a JSON object, and of a list through the first two."""
    inner: Any = ()
    if isinstance(description, dict):
        inner = description.items()
    elif isinstance(description, list):
        inner = enumerate(description[:2])
    for name, value in inner:
        yield (*before, name)
        yield from places(value, (*before, name))


def refused_or_harmless(path: Path) -> Checkpoint | None:
    """Load a file that may be a checkpoint; it may be refused, as a checkpoint is."""
    try:
        return load(path)
    except CheckpointError:
        refusal(path)
        return None


def test_what_was_taken_apart_can_be_put_together(
    trained: Checkpoint, members: Members, tmp_path: Path
) -> None:
    """The tests below change one thing; changing nothing gives the same checkpoint."""
    assert same(load(put_together(tmp_path / "model.npz", members)), trained)
    rewritten = {name: npy(array(data)) for name, data in members.items()}
    path = put_together(tmp_path / "model.npz", with_meta(rewritten, meta(members)))
    assert same(load(path), trained)


def test_a_path_without_a_file(tmp_path: Path) -> None:
    """What is missing, is a directory, or lies below a file is refused, each for what it is."""
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
        b"PK\x05\x06" + b"\x00" * 18,  # an archive of nothing
        b"PK\x05\x06" + b"\xff" * 18,
        npy(np.zeros(9, np.float32)),
        gzip.compress(b"Anna\n"),
        pickle.dumps({"meta": [1, 2, 3]}),
    ],
)
def test_another_kind_of_file(tmp_path: Path, data: bytes) -> None:
    """A file of any other kind is refused."""
    path = tmp_path / "model.npz"
    path.write_bytes(data)
    assert "dinogen checkpoint" in refusal(path)


def test_another_program_s_arrays(tmp_path: Path) -> None:
    """An archive of arrays that dinogen did not write is told apart from a damaged checkpoint."""
    path = tmp_path / "model.npz"
    np.savez(path, weights=np.zeros((3, 4)), known=np.arange(3, dtype=np.uint64))
    message = refusal(path)
    assert "no dinogen checkpoint" in message
    assert "damaged" not in message


def test_a_truncated_file(saved: Path, tmp_path: Path) -> None:
    """A file that ends early, wherever it does, is refused as damaged."""
    data = saved.read_bytes()
    path = tmp_path / "model.npz"
    for length in sorted({len(data) * part // 64 for part in range(64)} | {len(data) - 1}):
        put(path, data[:length])
        assert "damaged" in refusal(path)


@settings(deadline=None, max_examples=60, suppress_health_check=SHARED)
@given(st.data())
def test_a_damaged_file(
    trained: Checkpoint, saved: Path, tmp_path: Path, data: st.DataObject
) -> None:
    """Some bytes changed at random: the file is refused, or says exactly what it said before."""
    damaged = bytearray(saved.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] = data.draw(st.integers(0, 255) | st.sampled_from(b" ()[]{}',:\0L"))
    path = tmp_path / "model.npz"
    put(path, bytes(damaged))
    found = refused_or_harmless(path)
    assert found is None or same(found, trained)


def test_a_compressed_file(members: Members, tmp_path: Path) -> None:
    """A compressed archive, which could grow without bound when read, is refused."""
    path = tmp_path / "model.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
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
def test_an_archive_that_lies_about_an_array(
    members: Members, tmp_path: Path, attribute: str, value: int
) -> None:
    """What the archive's directory says of an array has to be true of it."""
    for name in ("meta.npy", "known.npy", "model.Wya.npy"):
        claims: dict[str, dict[str, Any]] = {attribute: {name: value}}
        refusal(put_together(tmp_path / "model.npz", members, **claims))


@pytest.mark.parametrize("version", [2, 10**9])
def test_a_newer_format(members: Members, tmp_path: Path, version: int) -> None:
    """A file of a later format, whatever else is in it, asks for a newer dinogen."""
    path = tmp_path / "model.npz"
    for description in (meta(members) | {"format": version}, {"format": version}):
        message = refusal(put_together(path, with_meta(members, description)))
        assert f"format {version}" in message
        assert "upgrade dinogen" in message
        assert "damaged" not in message
    alone = with_meta({}, {"format": version, "arrays": "elsewhere"})
    assert "upgrade dinogen" in refusal(put_together(path, alone))


@pytest.mark.parametrize("version", [0, -1, True, 1.0, "1", None, 2**64])
def test_a_format_that_never_was(members: Members, tmp_path: Path, version: object) -> None:
    """A format that is no positive whole number is damage."""
    path = put_together(
        tmp_path / "model.npz", with_meta(members, meta(members) | {"format": version})
    )
    assert "damaged" in refusal(path)


@pytest.mark.parametrize(
    ("place", "value", "called"),
    [
        (("recipe",), "modern", "recipe, 'modern',"),
        (("model", "cell"), "lstm", "1-layer lstm"),
        (("model", "layers"), 2, "2-layer rnn"),
    ],
)
def test_a_model_of_the_future(
    members: Members, tmp_path: Path, place: Place, value: object, called: str
) -> None:
    """A recipe or a network that is not known is named, and asks for a newer dinogen."""
    description = changed(meta(members), place, value)
    message = refusal(put_together(tmp_path / "model.npz", with_meta(members, description)))
    assert called in message
    assert "upgrade dinogen" in message


def test_a_missing_array(members: Members, tmp_path: Path) -> None:
    """Each array is needed, and is named where it is missing."""
    for missing in members.keys() - {"meta.npy"}:
        rest = {name: data for name, data in members.items() if name != missing}
        message = refusal(put_together(tmp_path / "model.npz", rest))
        assert f"the array {missing.removesuffix('.npy')} is missing" in message


@pytest.mark.parametrize("name", ["extra.npy", "model.Wxx.npy", "resume.npy", "READ ME", "a/"])
def test_an_array_too_many(members: Members, tmp_path: Path, name: str) -> None:
    """What no checkpoint has is refused, even if it is never looked at."""
    refusal(put_together(tmp_path / "model.npz", members | {name: npy(np.zeros(1, np.float32))}))


def test_an_array_twice(members: Members, tmp_path: Path) -> None:
    """Two arrays of one name, of which readers could see different ones, are refused."""
    path = tmp_path / "model.npz"
    for name, data in members.items():
        put_together(path, members)
        with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python, too, is of the opinion that this is odd
            archive.writestr(name, data)
        assert "two arrays of one name" in refusal(path)


def shapes(a: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Give an array in shapes that are not its own."""
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


def test_an_array_of_another_shape(members: Members, tmp_path: Path) -> None:
    """Each array has the shape that the description asks for, and lies row by row."""
    for name in members:
        for other in shapes(array(members[name])):
            path = put_together(tmp_path / "model.npz", members | {name: npy(other)})
            message = refusal(path)
            if name != "meta.npy":  # a text may be of any length, and is refused for what it says
                assert f"the array {name.removesuffix('.npy')} is" in message


@pytest.mark.parametrize(
    "dtype", ["i1", ">u8", "<i8", "<f2", ">f4", "<f4", "<f8", "<c8", "?", "S4"]
)
def test_an_array_of_another_type(members: Members, tmp_path: Path, dtype: str) -> None:
    """Each array has numbers of its own type, in the one order of bytes."""
    for name in members:
        whole = array(members[name])
        if whole.dtype != np.dtype(dtype):
            other = np.zeros(whole.shape, dtype)
            path = put_together(tmp_path / "model.npz", members | {name: npy(other)})
            assert f"the array {name.removesuffix('.npy')} is" in refusal(path)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none(members: Members, tmp_path: Path, value: float) -> None:
    """A single NaN or infinity, anywhere in an array, is refused with the array's name."""
    for name in members.keys() - {"meta.npy", "known.npy"}:
        for place in (0, -1):
            other = array(members[name])
            if not np.issubdtype(other.dtype, np.floating):
                continue
            other.flat[place] = value
            path = put_together(tmp_path / "model.npz", members | {name: npy(other)})
            assert f"the array {name.removesuffix('.npy')} holds" in refusal(path)


def test_digests_out_of_order(members: Members, tmp_path: Path) -> None:
    """The digests are sorted and different, or a search among them would not find them."""
    for change in ([1, 0], [0, 0]):
        known = array(members["known.npy"])
        known[-2:] = known[-2:][change]
        path = put_together(tmp_path / "model.npz", members | {"known.npy": npy(known)})
        assert "not in order" in refusal(path)


def test_numbers_missing_or_left_over(members: Members, tmp_path: Path) -> None:
    """An array of fewer or more bytes than its header says is refused, in a whole archive too."""
    for name, data in members.items():
        for other in (data[:-1], data + b"\0", data + data, data[:128], data[:64], data[:7], b""):
            refusal(put_together(tmp_path / "model.npz", members | {name: other}))


def test_another_version_of_npy(members: Members, tmp_path: Path) -> None:
    """Arrays are in the first version of .npy, which is all that dinogen writes."""
    for name in members:
        for version in ((2, 0), (3, 0)):
            other = npy(array(members[name]), version=version)
            refusal(put_together(tmp_path / "model.npz", members | {name: other}))


class Bomb:
    """An object that leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.mark,)


def test_nothing_is_ever_unpickled(members: Members, tmp_path: Path) -> None:
    """An array of objects is refused in the place of any array, and its code is not run."""
    mark = tmp_path / "mark"
    for name in members:
        objects = np.empty(array(members[name]).shape, dtype=object)
        objects.fill(Bomb(mark))
        path = put_together(tmp_path / "model.npz", members | {name: npy(objects)})
        refusal(path)
    assert not mark.exists()
    pickle.loads(pickle.dumps(Bomb(mark)))  # noqa: S301
    assert mark.exists()  # so it does go off


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
def test_a_header_of_an_array_that_is_none(members: Members, tmp_path: Path, header: str) -> None:
    """Whatever stands where the type and shape of an array should, is refused in one line."""
    for name in ("meta.npy", "known.npy", "model.Wax.npy"):
        numbers = array(members[name]).tobytes()
        other = members | {name: with_header(header, numbers)}
        refusal(put_together(tmp_path / "model.npz", other))


@settings(deadline=None, max_examples=60, suppress_health_check=SHARED)
@given(st.data())
def test_a_header_with_a_mistake_in_it(
    trained: Checkpoint, members: Members, tmp_path: Path, data: st.DataObject
) -> None:
    """A header with symbols changed, added or taken away is refused, or means the same."""
    name = data.draw(st.sampled_from(sorted(members)))
    whole = members[name]
    length = int.from_bytes(whole[8:10], "little")
    header = whole[10 : 10 + length].decode()
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.integers(0, len(header.rstrip())))
        taken = data.draw(st.integers(0, 2))
        added = data.draw(st.text("()[]{}',: \n\\#-0123456789LJe\0\x1b<>f=", max_size=2))
        header = header[:place] + added + header[place + taken :]
    other = members | {name: with_header(header, whole[10 + length :])}
    found = refused_or_harmless(put_together(tmp_path / "model.npz", other))
    assert found is None or same(found, trained)


@pytest.mark.parametrize("lines", [10**6, 2**30, 2**45, 2**59, 2**60, 2**62])
def test_a_claim_to_know_more_names_than_the_file_holds(
    members: Members, tmp_path: Path, lines: int
) -> None:
    """However many names are claimed, and wherever, no memory is taken for what is not there."""
    description = meta(members)
    description["corpus"] |= {"lines": lines, "names": 2, "duplicates": 0}
    claimed = with_meta(members, description)
    header = f"{{'descr': '<u8', 'fortran_order': False, 'shape': ({lines},), }}\n"
    in_array = claimed | {"known.npy": with_header(header, b"\0" * 80)}
    size = 10 + len(header) + 8 * lines
    in_directory = {"known.npy": min(size, 2**64 - 2)}
    path = tmp_path / "model.npz"
    refusal(put_together(path, claimed))
    refusal(put_together(path, in_array))
    put_together(path, in_array, file_size=in_directory, compress_size=in_directory)
    assert memory_to_refuse(path) < 10_000_000


def test_a_claim_to_be_larger_than_the_file(
    trained: Checkpoint, members: Members, tmp_path: Path
) -> None:
    """A large network that is claimed, and is not there, takes no memory either."""
    description = meta(members)
    description["symbols"] = [chr(code) for code in range(0x4E00, 0x9F00)]
    description["model"]["hidden_size"] = 4_096
    path = put_together(tmp_path / "model.npz", with_meta(members, description))
    assert memory_to_refuse(path) < 50_000_000


def test_a_description_without_end(members: Members, tmp_path: Path) -> None:
    """A description that claims to be longer than any is refused before it is read."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({2**40},), }}\n"
    other = members | {"meta.npy": with_header(header, b"{}")}
    size = {"meta.npy": 2**40 + 10 + len(header)}
    path = put_together(tmp_path / "model.npz", other, file_size=size, compress_size=size)
    assert memory_to_refuse(path) < 10_000_000


def memory_to_refuse(path: Path) -> int:
    """Measure the bytes that were taken at the most while a file was refused."""
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
        pytest.param(NESTED, id="lists in lists"),
        pytest.param('{"a":' * 100_000, id="objects in objects"),
        pytest.param('{"format": ' + "9" * 5_000 + "}", id="a long number"),
        '{"format": 1}',
    ],
)
def test_a_description_that_is_none(members: Members, tmp_path: Path, text: str) -> None:
    """A description that is no JSON object, or has nothing in it, is refused."""
    assert "damaged" in refusal(put_together(tmp_path / "model.npz", with_text(members, text)))
    raw = npy(np.frombuffer(text.encode()[:40] + b"\xff", dtype=np.uint8))
    assert "damaged" in refusal(put_together(tmp_path / "model.npz", members | {"meta.npy": raw}))


def test_a_field_of_another_kind(members: Members, tmp_path: Path) -> None:
    """Each field that is used is of its one kind; nothing, text, numbers and lists are refused."""
    description = meta(members)
    path = tmp_path / "model.npz"
    for name in description.keys() - {"version"}:
        wrong: list[Any] = [None, "text", 7.5, True, [7], [[]]]
        for value in wrong:
            # That no name was held out, and that there are no n-grams.
            if (name, value) not in (("heldout", None), ("ngram", None)):
                other = changed(description, (name,), value)
                refusal(put_together(path, with_meta(members, other)))
        nested = json.dumps(changed(description, (name,), "@")).replace('"@"', NESTED)
        refusal(put_together(path, with_text(members, nested)))
        rest = {field: value for field, value in description.items() if field != name}
        assert name in refusal(put_together(path, with_meta(members, rest)))


@pytest.mark.parametrize("value", [None, "\x1b[2J", True, 10**400])
def test_a_value_of_another_kind_anywhere(members: Members, tmp_path: Path, value: object) -> None:
    """With any value in any place: refused, or a checkpoint that could be described and shown."""
    description = meta(members)
    for place in places(description):
        other = with_meta(members, changed(description, place, value))
        found = refused_or_harmless(put_together(tmp_path / "model.npz", other))
        if found:
            shown = json.dumps(found.description(), allow_nan=False, ensure_ascii=False)
            assert "\\u001b" not in shown


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("symbols",), []),
        (("symbols", 0), "ab"),
        (("symbols", 0), ""),
        (("symbols", 0), "\n"),
        (("symbols", 0), "\x1b"),
        (("symbols", 0), "\u200d"),
        (("symbols", 0), "\ud800"),
        (("symbols", 0), "\U0010fffd"),
        (("symbols", 0), "z"),  # out of order
        (("symbols", 1), "-"),  # twice
        (("model", "hidden_size"), 0),
        (("model", "hidden_size"), 4_097),
        (("model", "hidden_size"), 4.0),
        (("case", "fold"), 1),
        (("case", "capital_after"), ["\n", "ab"]),
        (("case", "capital_after"), ["\x1b"]),
        (("case", "capital_after"), [["-"]]),
        (("case", "capital_after"), "-"),
        (("corpus", "lines"), 2**62),
        (("corpus", "lines"), 2**64),
        (("corpus", "lines"), 1),
        (("corpus", "names"), 10),
        (("corpus", "names"), 1),
        (("corpus", "duplicates"), 8),
        (("corpus", "duplicates"), -1),
        (("corpus", "longest"), 0),
        (("corpus", "sha256"), "\x1b[2J"),
        (("training", "seed"), -1),
        (("training", "seed"), 2**64),
        (("training", "steps"), -1),
        (("training", "seconds"), math.nan),
        (("training", "seconds"), math.inf),
        (("training", "seconds"), "2"),
        (("training", "interrupted"), 0),
        (("training", "settings", "steps"), "3"),
        (("training", "settings", "\x1b[2J"), 3),
        (("heldout",), {"names": 0, "nats_per_symbol": 1.0}),
        (("heldout",), {"names": 2, "nats_per_symbol": math.nan}),
        (("heldout",), {"names": 2}),
        (("history", 0, "step"), 0),
        (("history", 0, "step"), 1.0),
        (("history", 0), {"step": 1}),
    ],
)
def test_a_value_out_of_bounds(
    members: Members, tmp_path: Path, place: Place, value: object
) -> None:
    """A value that no training could have led to, or that would drive a terminal, is refused."""
    other = with_meta(members, changed(meta(members), place, value))
    assert "damaged" in refusal(put_together(tmp_path / "model.npz", other))


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("model", "hidden_size", -1),
        ("model", "hidden_size", 4_097),
        ("corpus", "lines", 1),
        ("corpus", "names", 10),
        ("corpus", "duplicates", 8),  # of nine lines, which leaves one name
        ("training", "seed", 2**64),
    ],
)
def test_a_number_out_of_bounds_is_named(
    members: Members, tmp_path: Path, part: str, field: str, value: int
) -> None:
    """Numbers are checked where they stand, before anything is made or looked for by them."""
    other = with_meta(members, changed(meta(members), (part, field), value))
    assert f" {field} is no" in refusal(put_together(tmp_path / "model.npz", other))


@pytest.mark.parametrize(
    ("recipe", "field", "value"),
    [
        ("default", "train", None),
        ("default", "train", math.nan),
        ("default", "heldout", math.inf),
        ("default", "heldout", "2"),
        ("classic", "smoothed_loss", None),
        ("classic", "smoothed_loss", math.nan),
        ("classic", "samples", "Anna"),
        ("classic", "samples", ["Anna", "\x1b[2J"]),
        ("classic", "samples", ["An\nna"]),
        ("classic", "samples", [["Anna"]]),
    ],
)
def test_a_row_of_the_history_that_is_none(
    trained: Checkpoint, members: Members, tmp_path: Path, recipe: str, field: str, value: object
) -> None:
    """A row holds numbers and names that can be shown, as its recipe has them."""
    if recipe == trained.recipe:
        other = with_meta(members, changed(meta(members), ("history", 0, field), value))
    else:
        other = with_meta(members, meta(members) | {"history": [{"step": 1, field: value}]})
    assert "damaged" in refusal(put_together(tmp_path / "model.npz", other))


def test_no_held_out_names(members: Members, tmp_path: Path) -> None:
    """A checkpoint may say that nothing was held out."""
    other = with_meta(members, meta(members) | {"heldout": None})
    found = load(put_together(tmp_path / "model.npz", other))
    assert found.held_out is None
    assert found.description()["heldout"] is None


def test_what_a_resume_needs_is_there(
    trained: Checkpoint, members: Members, tmp_path: Path
) -> None:
    """Without a number or a setting that going on needs, a file is refused before or at that."""
    run = begin(trained.recipe, tmp_path)
    description = meta(members)
    for name in (*description["resume"], "steps"):
        other = json.loads(json.dumps(description))
        del (other["training"]["settings"] if name == "steps" else other["resume"])[name]
        path = put_together(tmp_path / "model.npz", with_meta(members, other))
        with pytest.raises(DinogenError):
            resume(trained.recipe, run, load(path))


def test_arrays_can_be_written_to(saved: Path) -> None:
    """What was loaded belongs to the one who loaded it: changing it changes no later load."""
    first = load(saved)
    assert first.network
    for loaded in (first.network.parameters["Wax"], *first.resume.arrays.values()):
        loaded += 1
    assert not same(load(saved), first)
    assert take_apart(saved)["known.npy"] == npy(first.known)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes and devices of POSIX")
def test_what_is_no_plain_file(tmp_path: Path) -> None:
    """A pipe that nobody writes to is not waited for, and a device is not read."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null")):
        assert "not a plain file" in refusal(path)


def test_no_memory_is_no_accident(
    trained: Checkpoint, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is too little memory for what a file holds, it is refused like any other."""
    assert trained.network

    def fill(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(type(trained.network.parameters), "fill", fill)
    assert "memory" in refusal(saved)
