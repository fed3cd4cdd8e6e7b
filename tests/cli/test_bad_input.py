"""Bad input: one line says what is wrong, and no file has changed."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import TINY, Arrays, Refused, read_arrays, side_by_side, write_arrays

# A run this long would not end in time if it was not refused.
ENDLESS = ("--steps", "1000000000")


# Lists.


def test_no_such_list(refused: Refused) -> None:
    """A missing list is refused by name."""
    assert "absent.txt: no such file" in refused("train", "absent.txt", *ENDLESS, status=1)


def test_directory_for_a_list(tmp_path: Path, refused: Refused) -> None:
    """A directory is not a list."""
    (tmp_path / "lists").mkdir()
    assert "lists: a directory" in refused("train", "lists", *ENDLESS, status=1)


def test_bad_list(tmp_path: Path, refused: Refused) -> None:
    """A bad list is refused, with the number of the bad line."""
    lists = {
        "latin-1": (b"Anna\nJos\xe9\nBerta\n", "line 2: byte 0xe9 is not valid UTF-8"),
        "utf-16": ("Anna\nBerta\n".encode("utf-16-le"), "utf-16: this is UTF-16 without"),
        "escape": (b"Anna\r\nBerta\r\nCar\x1b[31mla\r\n", "line 3: U+001B (escape)"),
        "tab": (b"Anna\n\nBer\tta\n", "line 3: U+0009 ("),
        "override": ("Anna\nBer\u202eta\n".encode(), "line 2: U+202E (right-to-left override)"),
        "long": (b"Anna\n" + b"a" * 256 + b"\n", "line 2: 256 symbols"),
        "empty": (b"\n  \n\r\n", "no names"),
        "one": (b"Anna\nanna\n ANNA\n", "one distinct name, 'anna'"),
    }
    for name, (data, _) in lists.items():
        (tmp_path / name).write_bytes(data)
    # Not in parallel: each run creates a temporary file for a moment.
    lines = [refused("train", name, *ENDLESS, status=1) for name in lists]
    for line, (name, (_, message)) in zip(lines, lists.items(), strict=True):
        assert line.startswith(f"dinogen: {name}")
        assert message in line


def test_bad_list_from_a_pipe(refused: Refused) -> None:
    """Messages about a pipe call it standard input."""
    line = refused("train", "-", *ENDLESS, status=1, stdin=b"Anna\nBer\xff\n")
    assert "standard input, line 2: " in line


def test_bad_list_among_others(tmp_path: Path, refused: Refused) -> None:
    """Of several lists, the message names the bad one, with its own line number."""
    (tmp_path / "good.txt").write_text("Anna\nBerta\n")
    (tmp_path / "bad.txt").write_text("Carla\nDo\0ra\n")
    line = refused("train", "good.txt", "bad.txt", *ENDLESS, status=1)
    assert "bad.txt, line 2: " in line
    assert "good.txt" not in line


def test_bad_list_to_score(tmp_path: Path, tiny_checkpoint: Path, refused: Refused) -> None:
    """A bad list is refused by name, and no score is printed."""
    (tmp_path / "list.txt").write_bytes(b"Anna\nBer\xff\n")
    score = ("inspect", tiny_checkpoint, "--score")
    bad, absent = side_by_side(
        lambda name: refused(*score, name, status=1), ("list.txt", "absent.txt")
    )
    assert "list.txt, line 2: " in bad
    assert "absent.txt: no such file" in absent


# Paths.


def test_path_with_a_newline(refused: Refused) -> None:
    """A path in a message is one line and cannot control the terminal."""
    line = refused("train", "ab\ncd\x1b[31m.txt", *ENDLESS, status=1)
    assert "\x1b" not in line
    assert "cd" in line


@pytest.mark.skipif(sys.platform != "linux", reason="needs paths that are any bytes")
def test_path_that_is_not_utf8(refused: Refused) -> None:
    """A path that is not valid UTF-8 is reported like any other."""
    assert ".txt" in refused("train", os.fsdecode(b"\xff.txt"), *ENDLESS, status=1)


def test_bad_output(tmp_path: Path, refused: Refused) -> None:
    """A path that cannot be written is refused before training."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "list.txt").write_text("\n".join(TINY))
    messages = {
        "absent/model.npz": "create it first",
        "folder": "a directory",
        "list.txt": "not a checkpoint, so not replaced",
    }
    train = ("train", "list.txt", *ENDLESS, "-o")
    # Not in parallel: each run creates a temporary file for a moment.
    lines = [refused(*train, output, status=1) for output in messages]
    for line, (output, message) in zip(lines, messages.items(), strict=True):
        assert f"{output}: " in line
        assert message in line


# Checkpoints.


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
        return Path.touch, (self.path,)


def _no_array(arrays: Arrays, _meta: dict[str, Any], _folder: Path) -> None:
    del arrays["network.Waa"]


def _wrong_shape(arrays: Arrays, _meta: dict[str, Any], _folder: Path) -> None:
    arrays["network.Waa"] = arrays["network.Waa"][:-1]


def _wrong_type(arrays: Arrays, _meta: dict[str, Any], _folder: Path) -> None:
    arrays["network.Waa"] = arrays["network.Waa"].astype(np.float64)


def _not_a_number(arrays: Arrays, _meta: dict[str, Any], _folder: Path) -> None:
    arrays["network.Waa"][0, 0] = np.nan


def _objects(arrays: Arrays, _meta: dict[str, Any], folder: Path) -> None:
    arrays["network.Waa"] = np.array([[Trap(folder / "sprung")]], dtype=object)


def _future(_arrays: Arrays, meta: dict[str, Any], _folder: Path) -> None:
    meta["format"] = 9


def _escape(_arrays: Arrays, meta: dict[str, Any], _folder: Path) -> None:
    meta["vocabulary"]["symbols"][0] = "\x1b"


def _no_corpus(_arrays: Arrays, meta: dict[str, Any], _folder: Path) -> None:
    del meta["corpus"]


CHANGES: dict[Callable[[Arrays, dict[str, Any], Path], None], str] = {
    _no_array: "network.Waa",
    _wrong_shape: "network.Waa",
    _wrong_type: "network.Waa",
    _not_a_number: "network.Waa",
    _objects: "network.Waa",
    _future: "format 9",
    _escape: "not a visible symbol",
    _no_corpus: "corpus",
}


def test_changed_checkpoint(tmp_path: Path, tiny_checkpoint: Path, refused: Refused) -> None:
    """A checkpoint that dinogen did not write is refused, and nothing in it is executed."""
    for change in CHANGES:
        arrays, meta = read_arrays(tiny_checkpoint)
        change(arrays, meta, tmp_path)
        write_arrays(tmp_path / f"{change.__name__}.npz", arrays, meta)
    lines = side_by_side(
        lambda change: refused("sample", f"{change.__name__}.npz", "--seed", "1", status=1), CHANGES
    )
    for line, (change, message) in zip(lines, CHANGES.items(), strict=True):
        assert f"{change.__name__}.npz: " in line
        assert message in line


def test_not_a_checkpoint(tmp_path: Path, tiny_checkpoint: Path, refused: Refused) -> None:
    """Half a checkpoint, another kind of file and a directory are refused."""
    whole = tiny_checkpoint.read_bytes()
    (tmp_path / "half.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.npz").write_text("\n".join(TINY))
    np.savez(tmp_path / "other.npz", x=np.arange(3))
    (tmp_path / "folder.npz").mkdir()
    messages = {
        "half.npz": "damaged",
        "text.npz": "not a dinogen checkpoint",
        "other.npz": "not a dinogen checkpoint",
        "folder.npz": "a directory",
        "absent.npz": "no such checkpoint",
    }
    lines = side_by_side(lambda name: refused("inspect", name, "--json", status=1), messages)
    for line, (name, message) in zip(lines, messages.items(), strict=True):
        assert f"{name}: " in line
        assert message in line


def _no_counter(meta: dict[str, Any]) -> None:
    del meta["resume"]["numbers"]["stale"]


def _no_setting(meta: dict[str, Any]) -> None:
    del meta["training"]["settings"]["batch_size"]
    meta["training"]["settings"]["batch_size "] = 32


def _strange_setting(meta: dict[str, Any]) -> None:
    meta["training"]["settings"]["epochs"] = 3


def _wild_setting(meta: dict[str, Any]) -> None:
    meta["training"]["settings"]["learning_rate"] = -1


def _half_a_unit(meta: dict[str, Any]) -> None:
    meta["training"]["settings"]["batch_size"] = 0.5


def test_resume_of_a_changed_checkpoint(
    tmp_path: Path, tiny_checkpoint: Path, refused: Refused
) -> None:
    """A bad resume state is refused; the message names the file."""
    (tmp_path / "list.txt").write_text("\n".join(TINY))
    names = []
    for change in (_no_counter, _no_setting, _strange_setting, _wild_setting, _half_a_unit):
        arrays, meta = read_arrays(tiny_checkpoint)
        change(meta)
        names.append(f"{change.__name__}.npz")
        write_arrays(tmp_path / names[-1], arrays, meta)
    resume = ("train", "list.txt", "--resume", *ENDLESS)
    # Not in parallel: each run creates a temporary file for a moment.
    lines = [refused(*resume, "-o", name, status=1) for name in names]
    assert [line.split(": ")[1] for line in lines] == names


def test_resume_of_half_a_checkpoint(
    tmp_path: Path, tiny_checkpoint: Path, refused: Refused
) -> None:
    """Training does not resume from a damaged checkpoint, and does not replace it."""
    (tmp_path / "list.txt").write_text("\n".join(TINY))
    (tmp_path / "half.npz").write_bytes(tiny_checkpoint.read_bytes()[:-100])
    assert "half.npz: " in refused("train", "list.txt", "-o", "half.npz", "--resume", status=1)


# The command line.

BAD = ("-1", "99999999999999999999999", "nan")
BAD_OR_ZERO = ("0", *BAD)
SEEDS = ("-1", "18446744073709551616")
TRAIN_NUMBERS = {
    "--seed": SEEDS,
    "--hidden": ("4097", *BAD),
    "--order": ("17", *BAD),
    "--epochs": ("1.5", *BAD),
    "--steps": BAD_OR_ZERO,
    "--batch-size": BAD_OR_ZERO,
    "--learning-rate": ("many", *BAD_OR_ZERO),
    "--momentum": ("1", *BAD),
    "--clip": BAD_OR_ZERO,
    "--holdout": ("1", *BAD),
    "--patience": BAD_OR_ZERO,
}
SAMPLE_NUMBERS = {
    "--n": ("many", *BAD),
    "--seed": SEEDS,
    "--temperature": ("inf", *BAD_OR_ZERO),
    "--top-k": BAD_OR_ZERO,
    "--top-p": ("1.5", "0", "-1", "nan"),
    "--min-length": ("many", *BAD),
    "--max-length": BAD_OR_ZERO,
    "--min-distance": ("3", "1.5", *BAD_OR_ZERO),
    "--skip": ("1.5", *BAD),
}


FLOATS = {"--learning-rate", "--momentum", "--clip", "--holdout", "--temperature"}


@pytest.mark.parametrize(
    ("name", "option", "values"),
    [
        pytest.param(name, option, values, id=f"{name} {option}")
        for name, numbers in (("train", TRAIN_NUMBERS), ("sample", SAMPLE_NUMBERS))
        for option, values in numbers.items()
    ],
)
def test_bad_number(name: str, option: str, values: tuple[str, ...], refused: Refused) -> None:
    """A bad number is refused; the message has the option and the value."""
    corpus = ["-"] if name == "train" else []
    lines = side_by_side(lambda value: refused(name, *corpus, option, value, status=2), values)
    for value, line in zip(values, lines, strict=True):
        assert f"'{option}'" in line
        is_number = option in FLOATS and value != "many"
        assert (str(float(value)) if is_number else value) in line
        assert f"see dinogen {name} --help" in line


USAGE = {
    "grow": "'grow'",
    "--grow": "--grow",
    "train": "CORPUS",
    "train - --grow": "--grow",
    "train - --steps": "--steps",
    "train - --recipe modern": "'modern'",
    "train - --case upper": "'upper'",
    "train - list.txt -": "standard input",
    "train list.txt --force --resume": "--resume",
    "train list.txt --steps 10 --epochs 2": "--epochs",
    "sample one.npz two.npz --mix 1": "--mix",
    "inspect one.npz two.npz": "two.npz",
    "inspect --score": "--score",
    "sample --yaml": "--yaml",
    "sample --exclude - --avoid -": "standard input",
    "sample --avoid - --avoid -": "standard input",
    "sample --seed=": "seed is empty",
    "train - --seed=": "seed is empty",
}


def test_wrong_usage(refused: Refused) -> None:
    """A wrong command line gives status 2 and a message that names the help."""
    lines = side_by_side(lambda args: refused(*args.split(), status=2), USAGE)
    for args, line in zip(USAGE, lines, strict=True):
        assert USAGE[args] in line, args
        assert "see dinogen" in line.lower(), args
