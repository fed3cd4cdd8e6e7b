"""Whatever is wrong is one line that names it, and nothing has happened."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import TINY, Arrays, Refused, read_arrays, side_by_side, write_arrays

# So long that a run that was not refused at once would not end within the test's patience.
ENDLESS = ("--steps", "1000000000")


# Lists.


def test_no_such_list(refused: Refused) -> None:
    """A list that is not there is named."""
    assert "absent.txt: no such file" in refused("train", "absent.txt", *ENDLESS, status=1)


def test_directory_for_a_list(tmp_path: Path, refused: Refused) -> None:
    """A directory is no list."""
    (tmp_path / "lists").mkdir()
    assert "lists: a directory" in refused("train", "lists", *ENDLESS, status=1)


def test_unfit_list(tmp_path: Path, refused: Refused) -> None:
    """A list that cannot be learned from is refused, with the line where one is to blame."""
    lists = {
        "latin-1": (b"Anna\nJos\xe9\nBerta\n", "line 2: byte 0xe9 is not UTF-8"),
        "utf-16": ("Anna\nBerta\n".encode("utf-16"), "line 1: this is UTF-16"),
        "escape": (b"Anna\r\nBerta\r\nCar\x1b[31mla\r\n", "line 3: U+001B (escape)"),
        "tab": (b"Anna\n\nBer\tta\n", "line 3: U+0009 ("),
        "override": ("Anna\nBer\u202eta\n".encode(), "line 2: U+202E (right-to-left override)"),
        "long": (b"Anna\n" + b"a" * 256 + b"\n", "line 2: 256 symbols"),
        "empty": (b"\n  \n\r\n", "no names"),
        "one": (b"Anna\nanna\n ANNA\n", "one distinct name, 'anna'"),
    }
    for name, (data, _) in lists.items():
        (tmp_path / name).write_bytes(data)
    # One after the other: each tries for a moment whether it could write where the others look.
    lines = [refused("train", name, *ENDLESS, status=1) for name in lists]
    for line, (name, (_, complaint)) in zip(lines, lists.items(), strict=True):
        assert line.startswith(f"dinogen: {name}")
        assert complaint in line


def test_unfit_list_from_a_pipe(refused: Refused) -> None:
    """What comes through a pipe has a name, too."""
    line = refused("train", "-", *ENDLESS, status=1, stdin=b"Anna\nBer\xff\n")
    assert "standard input, line 2: " in line


def test_unfit_list_among_others(tmp_path: Path, refused: Refused) -> None:
    """Of several lists the one to blame is named, with its own line number."""
    (tmp_path / "good.txt").write_text("Anna\nBerta\n")
    (tmp_path / "bad.txt").write_text("Carla\nDo\0ra\n")
    line = refused("train", "good.txt", "bad.txt", *ENDLESS, status=1)
    assert "bad.txt, line 2: " in line
    assert "good.txt" not in line


def test_unfit_list_to_score(tmp_path: Path, tiny_checkpoint: Path, refused: Refused) -> None:
    """A list that cannot be scored is named, and no score at all is printed."""
    (tmp_path / "list.txt").write_bytes(b"Anna\nBer\xff\n")
    score = ("inspect", tiny_checkpoint, "--score")
    unfit, absent = side_by_side(
        lambda name: refused(*score, name, status=1), ("list.txt", "absent.txt")
    )
    assert "list.txt, line 2: " in unfit
    assert "absent.txt: no such file" in absent


# Paths.


def test_path_with_a_newline(refused: Refused) -> None:
    """A path is shown so that it can neither break the line nor drive the terminal."""
    line = refused("train", "ab\ncd\x1b[31m.txt", *ENDLESS, status=1)
    assert "\x1b" not in line
    assert "cd" in line


@pytest.mark.skipif(sys.platform != "linux", reason="needs paths that are any bytes")
def test_path_that_is_not_utf8(refused: Refused) -> None:
    """A path whose bytes are no text is complained of like any other."""
    assert ".txt" in refused("train", os.fsdecode(b"\xff.txt"), *ENDLESS, status=1)


def test_unfit_output(tmp_path: Path, refused: Refused) -> None:
    """Where the checkpoint cannot go is said before any work is done."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "list.txt").write_text("\n".join(TINY))
    complaints = {
        "absent/model.npz": "create it first",
        "folder": "a directory",
        "list.txt": "not a checkpoint, so not replaced",
    }
    train = ("train", "list.txt", *ENDLESS, "-o")
    # One after the other: each tries for a moment whether it could write where the others look.
    lines = [refused(*train, output, status=1) for output in complaints]
    for line, (output, complaint) in zip(lines, complaints.items(), strict=True):
        assert f"{output}: " in line
        assert complaint in line


# Checkpoints.


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
        return Path.touch, (self.path,)


def _no_array(arrays: Arrays, _meta: dict[str, Any], _folder: Path) -> None:
    del arrays["model.Waa"]


def _wrong_shape(arrays: Arrays, _meta: dict[str, Any], _folder: Path) -> None:
    arrays["model.Waa"] = arrays["model.Waa"][:-1]


def _wrong_type(arrays: Arrays, _meta: dict[str, Any], _folder: Path) -> None:
    arrays["model.Waa"] = arrays["model.Waa"].astype(np.float64)


def _not_a_number(arrays: Arrays, _meta: dict[str, Any], _folder: Path) -> None:
    arrays["model.Waa"][0, 0] = np.nan


def _objects(arrays: Arrays, _meta: dict[str, Any], folder: Path) -> None:
    arrays["model.Waa"] = np.array([[Trap(folder / "sprung")]], dtype=object)


def _future(_arrays: Arrays, meta: dict[str, Any], _folder: Path) -> None:
    meta["format"] = 2


def _escape(_arrays: Arrays, meta: dict[str, Any], _folder: Path) -> None:
    meta["symbols"][0] = "\x1b"


def _no_facts(_arrays: Arrays, meta: dict[str, Any], _folder: Path) -> None:
    del meta["corpus"]


CHANGES: dict[Callable[[Arrays, dict[str, Any], Path], None], str] = {
    _no_array: "model.Waa",
    _wrong_shape: "model.Waa",
    _wrong_type: "model.Waa",
    _not_a_number: "model.Waa",
    _objects: "model.Waa",
    _future: "format 2",
    _escape: "symbols",
    _no_facts: "corpus",
}


def test_checkpoint_that_was_changed(
    tmp_path: Path, tiny_checkpoint: Path, refused: Refused
) -> None:
    """A checkpoint that is not as dinogen writes it is refused, and nothing in it is run."""
    for change in CHANGES:
        arrays, meta = read_arrays(tiny_checkpoint)
        change(arrays, meta, tmp_path)
        write_arrays(tmp_path / f"{change.__name__}.npz", arrays, meta)
    lines = side_by_side(
        lambda change: refused("sample", f"{change.__name__}.npz", "--seed", "1", status=1), CHANGES
    )
    for line, (change, complaint) in zip(lines, CHANGES.items(), strict=True):
        assert f"{change.__name__}.npz: " in line
        assert complaint in line


def test_checkpoint_that_is_none(tmp_path: Path, tiny_checkpoint: Path, refused: Refused) -> None:
    """Half a checkpoint, another program's file and a directory are told from a checkpoint."""
    whole = tiny_checkpoint.read_bytes()
    (tmp_path / "half.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.npz").write_text("\n".join(TINY))
    np.savez(tmp_path / "other.npz", x=np.arange(3))
    (tmp_path / "folder.npz").mkdir()
    complaints = {
        "half.npz": "damaged",
        "text.npz": "no dinogen checkpoint",
        "other.npz": "no dinogen checkpoint",
        "folder.npz": "a directory",
        "absent.npz": "no such checkpoint",
    }
    lines = side_by_side(lambda name: refused("inspect", name, "--json", status=1), complaints)
    for line, (name, complaint) in zip(lines, complaints.items(), strict=True):
        assert f"{name}: " in line
        assert complaint in line


def _no_counter(meta: dict[str, Any]) -> None:
    del meta["resume"]["stale"]


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
    """What only a resume needs is not trusted either; the file is to blame, not the user."""
    (tmp_path / "list.txt").write_text("\n".join(TINY))
    names = []
    for change in (_no_counter, _no_setting, _strange_setting, _wild_setting, _half_a_unit):
        arrays, meta = read_arrays(tiny_checkpoint)
        change(meta)
        names.append(f"{change.__name__}.npz")
        write_arrays(tmp_path / names[-1], arrays, meta)
    resume = ("train", "list.txt", "--resume", *ENDLESS)
    # One after the other: each tries for a moment whether it could write where the others look.
    lines = [refused(*resume, "-o", name, status=1) for name in names]
    assert [line.split(": ")[1] for line in lines] == names


def test_resume_of_half_a_checkpoint(
    tmp_path: Path, tiny_checkpoint: Path, refused: Refused
) -> None:
    """A damaged checkpoint is not gone on with, and not written over either."""
    (tmp_path / "list.txt").write_text("\n".join(TINY))
    (tmp_path / "half.npz").write_bytes(tiny_checkpoint.read_bytes()[:-100])
    assert "half.npz: " in refused("train", "list.txt", "-o", "half.npz", "--resume", status=1)


# The command line.

ABSURD = ("-1", "99999999999999999999999", "nan")
AT_LEAST_ONE = ("0", *ABSURD)
TRAIN_NUMBERS = {
    "--seed": ("many", *ABSURD),
    "--hidden": ("4097", *ABSURD),
    "--order": ("17", *ABSURD),
    "--epochs": ("1.5", *ABSURD),
    "--steps": AT_LEAST_ONE,
    "--batch-size": AT_LEAST_ONE,
    "--learning-rate": ("many", *AT_LEAST_ONE),
    "--momentum": ("1", *ABSURD),
    "--clip": AT_LEAST_ONE,
    "--holdout": ("1", *ABSURD),
    "--patience": AT_LEAST_ONE,
}
SAMPLE_NUMBERS = {
    "--n": ("many", *ABSURD),
    "--seed": ("1.5", *ABSURD),
    "--temperature": ("inf", *AT_LEAST_ONE),
    "--top-k": AT_LEAST_ONE,
    "--top-p": ("1.5", "0", "-1", "nan"),
    "--min-length": ("many", *ABSURD),
    "--max-length": AT_LEAST_ONE,
    "--skip": ("1.5", *ABSURD),
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
def test_unfit_number(name: str, option: str, values: tuple[str, ...], refused: Refused) -> None:
    """A number out of its range, or none at all, is refused with the option and the value."""
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
    "sample one.npz two.npz": "two.npz",
    "inspect one.npz two.npz": "two.npz",
    "inspect --score": "--score",
    "sample --yaml": "--yaml",
}


def test_wrong_usage(refused: Refused) -> None:
    """A command line that makes no sense ends with status 2 and a hint at the help."""
    lines = side_by_side(lambda args: refused(*args.split(), status=2), USAGE)
    for args, line in zip(USAGE, lines, strict=True):
        assert USAGE[args] in line, args
        assert "see dinogen" in line, args
