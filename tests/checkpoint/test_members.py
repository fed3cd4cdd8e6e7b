"""The members of the mixture: networks and n-grams are saved, loaded, and checked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dinogen.checkpoint import Checkpoint, load_checkpoint, save
from dinogen.data import Corpus, read_corpus
from dinogen.models import Network, NGram, score
from dinogen.training import DefaultRun, Settings
from tests.checkpoint.crafting import (
    Files,
    array_of,
    changed,
    header_of,
    network_of,
    npy,
    put_together,
    refusal,
    same,
    take_apart,
    with_header,
)
from tests.conftest import CORPORA


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """The names of the Edda."""
    return read_corpus([CORPORA / "edda.txt"])


def trained(
    corpus: Corpus, hidden_size: int, order: int | None, cell: str = "rnn", layers: int = 1
) -> Checkpoint:
    """A finished run of a few steps."""
    settings = Settings(5, hidden_size, steps=20, order=order, cell=cell, layers=layers)
    run = DefaultRun(corpus, settings)
    for _ in run.train():
        pass
    return run.checkpoint()


@pytest.mark.parametrize(
    ("hidden_size", "order", "cell", "layers"),
    [
        (8, 0, "rnn", 1),
        (0, None, "rnn", 1),
        (0, 1, "rnn", 1),
        (8, None, "gru", 1),
        (8, 3, "lstm", 3),
    ],
)
def test_all_members_come_back(
    corpus: Corpus, tmp_path: Path, hidden_size: int, order: int | None, cell: str, layers: int
) -> None:
    """Whatever its members are, a model loads as it was and scores names as before."""
    checkpoint = trained(corpus, hidden_size, order, cell, layers)
    members = checkpoint.mixture.members
    assert isinstance(members.get("network"), Network) == bool(hidden_size)
    assert isinstance(members.get("ngram"), NGram) == (order != 0)
    save(checkpoint, tmp_path / "model.npz")
    loaded = load_checkpoint(tmp_path / "model.npz")
    assert same(checkpoint, loaded)
    np.testing.assert_array_equal(
        score(loaded.mixture, corpus.names), score(checkpoint.mixture, corpus.names)
    )


def test_a_finished_run_is_small(corpus: Corpus, tmp_path: Path) -> None:
    """Its checkpoint holds each weight once, and nothing that only a stopped run needs."""
    checkpoint = trained(corpus, 64, order=0)
    save(checkpoint, tmp_path / "model.npz")
    weights = network_of(checkpoint).parameters.vector.nbytes
    assert weights < (tmp_path / "model.npz").stat().st_size < weights + 8 * 296 + 6_000


@pytest.fixture(scope="module")
def files(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of a checkpoint of n-grams alone."""
    path = tmp_path_factory.mktemp("ngrams") / "model.npz"
    save(trained(corpus, 0, 4), path)
    return take_apart(path)


@pytest.fixture(scope="module")
def mixture(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of a checkpoint of a network and n-grams."""
    path = tmp_path_factory.mktemp("mixture") / "model.npz"
    save(trained(corpus, 4, 3), path)
    return take_apart(path)


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("children", lambda a: np.r_[a[0] + 1, a[1:]], "not a tree"),
        ("children", lambda a: np.zeros_like(a), "not a tree"),
        ("children", lambda a: np.roll(a, 1), "not a tree"),
        ("children", lambda a: np.sort(a), "not a tree"),
        ("symbols", lambda a: np.r_[a[:-1], np.uint8(200)], "not a tree"),
        ("symbols", lambda a: a[::-1].copy(), "not a tree"),
        ("counts", lambda a: np.r_[a[:-1], np.uint32(0)], "not a tree"),
        ("counts", lambda a: a.astype(np.int64), "not uint32"),
        ("symbols", lambda a: a[:-1], "is not uint8"),
        ("discounts", lambda a: a * 0, "out of bounds"),
        ("discounts", lambda a: a + 3, "out of bounds"),
        ("discounts", lambda a: a[:-1], "is not float64"),
        ("discounts", lambda a: a.astype(np.float32), "is not float64"),
    ],
)
def test_damaged_ngrams(
    files: Files,
    tmp_path: Path,
    name: str,
    change: Callable[[np.ndarray], np.ndarray],
    problem: str,
) -> None:
    """An array that is not part of a tree of counts is refused, and the message says why."""
    file = f"ngram.{name}.npy"
    other = files | {file: npy(change(array_of(files[file])))}
    assert problem in refusal(put_together(tmp_path / "model.npz", other))


@pytest.mark.parametrize(
    ("field", "value"),
    [("order", 3), ("order", 0), ("order", 10**9), ("contexts", 5), ("grams", 7)],
)
def test_ngrams_other_than_described(files: Files, tmp_path: Path, field: str, value: int) -> None:
    """The description must agree with the arrays."""
    other = with_header(files, changed(header_of(files), ("members", "ngram", field), value))
    assert "damaged" in refusal(put_together(tmp_path / "model.npz", other))


def refused(path: Path, files: Files, change: Callable[[dict[str, Any]], object]) -> str:
    """Change the header of a checkpoint; returns the message that refuses it."""
    header = header_of(files)
    change(header)
    return refusal(put_together(path, with_header(files, header)))


@pytest.mark.parametrize(
    "claim",
    [
        {"grams": 2**25 + 1},
        {"grams": 2**40},
        {"contexts": 2**63, "grams": 2**63},
        {"kind": "network", "cell": "rnn", "layers": 1, "dtype": "float32", "hidden_size": 4_097},
        {"kind": "network", "cell": "rnn", "layers": 2, "dtype": "float32", "hidden_size": 4_096},
        {"kind": "network", "cell": "rnn", "layers": 3, "dtype": "float32", "hidden_size": 4_096},
        {"kind": "network", "cell": "rnn", "layers": 17, "dtype": "float32", "hidden_size": 1},
        {"kind": "network", "cell": "rnn", "layers": 16, "dtype": "float64", "hidden_size": 4_096},
        {"kind": "network", "cell": "gru", "layers": 1, "dtype": "float32", "hidden_size": 4_096},
        {"kind": "network", "cell": "lstm", "layers": 1, "dtype": "float32", "hidden_size": 2_896},
        {"kind": "network", "cell": "lstm", "layers": 16, "dtype": "float32", "hidden_size": 1_024},
    ],
)
def test_a_member_that_is_too_large(files: Files, tmp_path: Path, claim: dict[str, object]) -> None:
    """A small file cannot stand for large tables, nor claim a large network."""
    message = refused(
        tmp_path / "model.npz", files, lambda header: header["members"]["ngram"].update(claim)
    )
    assert "too large" in message or "is not a whole number" in message


@pytest.fixture(scope="module")
def stack(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of a checkpoint of an LSTM of two layers."""
    path = tmp_path_factory.mktemp("stack") / "model.npz"
    save(trained(corpus, 4, 0, "lstm", 2), path)
    return take_apart(path)


@pytest.mark.parametrize(
    ("claim", "problem"),
    [
        ({"cell": "gru"}, "is not float32"),
        ({"cell": "rnn"}, "is not float32"),
        ({"layers": 1}, "unknown arrays"),
        ({"layers": 3}, "network.layer3.Waa is missing"),
        ({"hidden_size": 16, "cell": "rnn"}, "is not float32"),
    ],
)
def test_a_stack_other_than_described(
    stack: Files, tmp_path: Path, claim: dict[str, object], problem: str
) -> None:
    """An LSTM is not read as another cell, or with another number of layers."""
    message = refused(
        tmp_path / "model.npz", stack, lambda header: header["members"]["network"].update(claim)
    )
    assert problem in message


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("Wax", lambda a: a[:3]),
        ("Waa", lambda a: a[0]),
        ("Waa", lambda a: a.reshape(16, 4)),
        ("ba", lambda a: a.reshape(-1)),
        ("layer2.Wax", lambda a: np.moveaxis(a, 0, -1).copy()[:, :3]),
        ("layer2.ba", lambda a: a[np.newaxis]),
        ("layer2.Waa", lambda a: a * np.float32(np.nan)),
    ],
)
def test_damaged_gates(
    stack: Files, tmp_path: Path, name: str, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    """The arrays of all gates have the shapes that the cell gives, and finite numbers."""
    file = f"network.{name}.npy"
    other = stack | {file: npy(change(array_of(stack[file])))}
    assert f"network.{name} " in refusal(put_together(tmp_path / "model.npz", other))


@pytest.mark.parametrize("contexts", [1, 2**21, 10**9])
def test_contexts_that_n_grams_do_not_have(files: Files, tmp_path: Path, contexts: int) -> None:
    """They are counted before tables are made for them."""
    message = refused(
        tmp_path / "model.npz",
        files,
        lambda header: header["members"]["ngram"].update(contexts=contexts),
    )
    assert "its number of contexts is not what it says" in message


def test_members_that_are_too_large_together(files: Files, tmp_path: Path) -> None:
    """Each fits alone, but all of them would unfold to many times what one model may use."""
    header = header_of(files)
    entry = header["members"]["ngram"]
    symbols = [chr(code) for code in range(0x20000, 0x20000 + 20_000)]
    one = entry | {"contexts": (1 << 24) // 20_001, "weight": 1.0}

    def message(count: int) -> str:
        members = {f"m{i}": one for i in range(count)}
        vocabulary = {"unit": "character", "symbols": symbols}
        other = header | {"members": members, "vocabulary": vocabulary, "held_out": None}
        return refusal(put_together(tmp_path / "model.npz", with_header(files, other)))

    assert "m0.children is missing" in message(1)
    assert "m0.children is missing" in message(3)
    assert "its member m3 is too large" in message(4)
    assert "members is too long" in message(17)


@pytest.mark.parametrize("weight", [-0.1, 1.1, None, "1", True, [1]])
def test_a_weight_that_is_not_a_share(files: Files, tmp_path: Path, weight: object) -> None:
    """A weight is a number from 0 to 1."""
    other = with_header(files, changed(header_of(files), ("members", "ngram", "weight"), weight))
    assert "weight of ngram is" in refusal(put_together(tmp_path / "model.npz", other))


@pytest.mark.parametrize("weights", [(0.5, 0.4), (1.0, 1.0), (0.0, 0.0), (0.5, 0.50001)])
def test_weights_that_are_not_shares_of_1(
    mixture: Files, tmp_path: Path, weights: tuple[float, float]
) -> None:
    """The weights of all members sum to 1."""
    header = header_of(mixture)
    for name, weight in zip(("network", "ngram"), weights, strict=True):
        header = changed(header, ("members", name, "weight"), weight)
    other = with_header(mixture, header)
    assert "shares of 1" in refusal(put_together(tmp_path / "model.npz", other))


def test_no_member(files: Files, tmp_path: Path) -> None:
    """A file without a model is refused, with its arrays or without."""
    message = refused(tmp_path / "a.npz", files, lambda header: header["members"].clear())
    assert "damaged" in message
    alone = {name: data for name, data in files.items() if not name.startswith("ngram.")}
    header = header_of(files) | {"members": {}, "held_out": None}
    message = refusal(put_together(tmp_path / "b.npz", with_header(alone, header)))
    assert "needs members" in message


@pytest.mark.parametrize(
    "name",
    [
        "",
        "resume",
        "a.b",
        "network.layer2",
        "../x",
        "a/b",
        "\x1b[2J",
        "é",
        "a b",
        "a" * 65,
        "\u202e",
    ],
)
def test_a_member_with_a_hostile_name(files: Files, tmp_path: Path, name: str) -> None:
    """A name is a short identifier, so that no array can belong to two members."""

    def rename(header: dict[str, Any]) -> None:
        header["members"] = {name: header["members"].pop("ngram")}
        header["held_out"]["members"] = {name: header["held_out"]["members"].pop("ngram")}

    renamed = {file.replace("ngram.", f"{name}."): data for file, data in files.items()}
    message = refused(tmp_path / "model.npz", files, rename)
    assert "a plain name" in message or "named resume" in message
    refused(tmp_path / "model.npz", renamed, rename)


def test_a_member_named_as_another_array(files: Files, tmp_path: Path) -> None:
    """Its arrays have a prefix, so that such a name does no harm."""
    for name in ("meta", "known", "names"):
        header = header_of(files)
        header["members"] = {name: header["members"].pop("ngram")}
        header["held_out"]["members"] = {name: 2.0}
        renamed = {file.replace("ngram.", f"{name}."): data for file, data in files.items()}
        path = put_together(tmp_path / "model.npz", with_header(renamed, header))
        assert load_checkpoint(path).mixture.members.keys() == {name}


def test_members_that_change_their_arrays(mixture: Files, tmp_path: Path) -> None:
    """Swapped members do not fit their arrays."""

    def swap(header: dict[str, Any]) -> None:
        members = header["members"]
        members["network"], members["ngram"] = members["ngram"], members["network"]

    assert "is missing" in refused(tmp_path / "model.npz", mixture, swap)
    swapped = {
        file.replace("ngram.", "?").replace("network.", "ngram.").replace("?", "network."): data
        for file, data in mixture.items()
    }
    assert "is missing" in refusal(put_together(tmp_path / "model.npz", swapped))
    header = header_of(swapped)
    swap(header)
    # Consistently swapped, they are two valid members with other names.
    path = put_together(tmp_path / "model.npz", with_header(swapped, header))
    assert isinstance(load_checkpoint(path).mixture.members["ngram"], Network)


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({}, "held-out losses"),
        ({"network": 2.0}, "held-out losses"),
        ({"network": 2.0, "ngram": 2.0, "other": 2.0}, "held-out losses"),
        ({"network": 2.0, "ngram": None}, "ngram is not a number"),
        ({"network": 2.0, "ngram": 1e31}, "ngram is not finite"),
    ],
)
def test_held_out_losses_of_other_members(
    mixture: Files, tmp_path: Path, members: dict[str, object], problem: str
) -> None:
    """Each member has its own held-out loss, and no other name has one."""
    other = with_header(mixture, changed(header_of(mixture), ("held_out", "members"), members))
    assert problem in refusal(put_together(tmp_path / "model.npz", other))


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("kind", "transformer", "upgrade dinogen"),
        ("kind", None, "plain name"),
        ("cell", "lstm2", "upgrade dinogen"),
        ("cell", "\x1b[2J", "plain name"),
        ("dtype", "float8", "upgrade dinogen"),
        ("dtype", "float16", "not float16"),
        ("dtype", "object", "upgrade dinogen"),
        ("dtype", ["float32"], "plain name"),
        ("dtype", "float64", "not float64"),
        ("layers", 0, "layers is not a whole number"),
        ("layers", 2, "is missing"),
        ("hidden_size", 0, "hidden_size is not a whole number"),
        ("hidden_size", 5, "is not float32"),
    ],
)
def test_a_network_other_than_described(
    mixture: Files, tmp_path: Path, field: str, value: object, problem: str
) -> None:
    """The description decides which arrays are read; what is unknown asks for a newer dinogen."""
    other = changed(header_of(mixture), ("members", "network", field), value)
    path = put_together(tmp_path / "model.npz", with_header(mixture, other))
    assert problem in refusal(path)


def test_a_network_stored_in_half_precision(mixture: Files, tmp_path: Path) -> None:
    """Arrays of float16 take half the space, and are read as float32 with the same numbers."""
    header = changed(header_of(mixture), ("members", "network", "dtype"), "float16")
    files = with_header(mixture, header)
    names = [name for name in files if name.startswith("network.")]
    halves = {name: array_of(files[name]).astype(np.float16) for name in names}
    files |= {name: npy(array) for name, array in halves.items()}
    network = network_of(load_checkpoint(put_together(tmp_path / "model.npz", files)))
    assert network.parameters.vector.dtype == np.float32
    for name, array in halves.items():
        own = network.parameters[name.removeprefix("network.").removesuffix(".npy")]
        np.testing.assert_array_equal(own, array)
    for value in (np.nan, np.inf):
        halves["network.by.npy"][0] = value
        files |= {"network.by.npy": npy(halves["network.by.npy"])}
        assert "damaged" in refusal(put_together(tmp_path / "model.npz", files))
