"""``dinogen train``: what it prints, what it saves, and its options."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import TINY, Refused, content, read_arrays, side_by_side, snapshot
from tests.conftest import Run, command, environment, from_scratch, read_terminal

QUICK = ("--steps", "20", "--hidden", "8")
SEEDED = (*QUICK, "--seed", "1")
FIXED = [
    "--seed 1",
    "--cell gru",
    "--layers 2",
    "--hidden 32",
    "--batch-size 16",
    "--learning-rate 0.1",
    "--momentum 0.5",
    "--clip 2",
    "--holdout 0.2",
    "--case keep",
    "--keep-duplicates",
]


# The command; something else writes a file to the path when training begins.
FILE_APPEARS = """
from pathlib import Path
from dinogen.cli import run_command
from dinogen.training import DefaultRun
train = DefaultRun.train
def write_and_train(run):
    Path("dinogen.npz").write_text("precious")
    return train(run)
DefaultRun.train = write_and_train
run_command()
"""


def in_terminal(*args: str | Path, cwd: Path) -> tuple[int, str, str]:
    """Run the command with a terminal as stderr; return its exit status, stdout and stderr."""
    import pty
    import termios

    terminal, stderr = pty.openpty()
    termios.tcsetwinsize(stderr, (24, 100))
    with subprocess.Popen(
        command(*args), stdout=subprocess.PIPE, stderr=stderr, cwd=cwd, env=environment()
    ) as process:
        os.close(stderr)
        shown = read_terminal(terminal)
        stdout = process.communicate(timeout=60)[0]
    return process.returncode, stdout.decode(), shown.decode()


# Output.


def test_stdout_is_the_path(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """Stdout has the path of the checkpoint, as it was given, and nothing else."""
    (tmp_path / "a folder").mkdir()
    before = set(snapshot(tmp_path))
    result = dinogen("train", edda, *SEEDED, "-o", "a folder/mødel.npz")
    assert (result.returncode, result.stdout) == (0, "a folder/mødel.npz\n")
    assert set(snapshot(tmp_path)) - before == {tmp_path / "a folder" / "mødel.npz"}


def test_stderr_in_a_file_has_no_bar(dinogen: Run, edda: Path) -> None:
    """If stderr is not a terminal, progress is lines with losses and names, and a summary."""
    result = dinogen("train", edda, *SEEDED)
    assert (result.returncode, result.stdout) == (0, "dinogen.npz\n")
    stderr = result.stderr
    assert "\r" not in stderr
    assert "\x1b" not in stderr
    chosen, first, last, summary = stderr.splitlines()
    assert chosen == (
        "296 names: vanilla RNN, 8 hidden units, 20 steps of 32 names, learning rate 0.3, "
        "dropout 0.5"
    )
    assert first.startswith("step  1  loss: training 3.")
    assert last.startswith("step 20  loss: training ")
    assert all(", held out " in line for line in (first, last))
    assert summary.startswith("trained on 267 names in ")
    assert "; loss on 29 held-out names: " in summary
    assert summary.endswith("saved to dinogen.npz")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_stderr_on_a_terminal_has_a_bar(edda: Path, tmp_path: Path) -> None:
    """On a terminal, a bar with the held-out loss is drawn; stdout is the same."""
    status, stdout, shown = in_terminal("train", edda, *SEEDED, cwd=tmp_path)
    assert (status, stdout) == (0, "dinogen.npz\n")
    bars = [bar for bar in shown.split("\r") if "%|" in bar]
    assert "/20 [" in bars[0]
    assert "held out " in bars[-1]
    assert shown.splitlines()[-1].endswith("saved to dinogen.npz")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_quiet_is_quiet(edda: Path, tmp_path: Path) -> None:
    """With -q nothing is printed on stderr, not even on a terminal, and not even the seed."""
    status, stdout, shown = in_terminal("train", edda, *QUICK, "-q", cwd=tmp_path)
    assert (status, stdout, shown) == (0, "dinogen.npz\n", "")


# The random seed.


def test_same_seed_same_checkpoint(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """A new seed is printed; the same list, options and seed give the same checkpoint."""
    printed = dinogen("train", edda, *QUICK, "-o", "a.npz").stderr.splitlines()[0]
    seed = printed.removesuffix(")").split()[-1]
    assert printed == f"seed {seed} (to repeat this: --seed {seed})"
    side_by_side(
        lambda more: dinogen("train", edda, *QUICK, "-q", *more),
        (["--seed", seed, "-o", "b.npz"], ["--seed", str(int(seed) + 1), "-o", "c.npz"]),
    )
    a, b, c = (content(tmp_path / f"{name}.npz") for name in "abc")
    assert a == b
    assert a[0]["network.Waa"] != c[0]["network.Waa"]


def test_zero_is_a_value(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """An option set to 0 is not the same as one that is left out."""
    zeros = ("--seed", "0", "--holdout", "0", "--momentum", "0")
    result = dinogen("train", edda, *QUICK, *zeros)
    assert result.returncode == 0
    _, meta = read_arrays(tmp_path / "dinogen.npz")
    settings = meta["training"]["settings"]
    assert meta["training"]["seed"] == 0
    assert (settings["seed"], settings["holdout"], settings["momentum"]) == (0, 0, 0)
    assert meta["held_out"] is None
    assert {row["heldout"] for row in meta["history"]} == {None}
    assert "held" not in result.stderr
    assert "trained on 296 names" in result.stderr


# The list.


def test_several_lists_are_read_as_one(dinogen: Run, tmp_path: Path) -> None:
    """The same names give the same checkpoint, from several files or a pipe."""
    (tmp_path / "a.txt").write_text("Anna\nBerta")
    (tmp_path / "b.txt").write_text("Carla\nDora\n")
    sources = {
        "a.txt b.txt": "",
        "-": "Anna\nBerta\nCarla\nDora\n",
        "a.txt -": "Carla\nDora",
    }
    side_by_side(
        lambda names: dinogen(
            "train", *names.split(), *SEEDED, "-o", f"{names}.npz", stdin=sources[names]
        ),
        sources,
    )
    files, *others = (content(tmp_path / f"{names}.npz") for names in sources)
    assert files[1]["corpus"]["lines"] == 4
    assert others == [files, files]


def test_what_counts_as_a_name(dinogen: Run, tmp_path: Path) -> None:
    """Capitals count only with ``--case keep``, duplicates only with ``--keep-duplicates``."""
    expected = {
        "--case keep": ("ABaenrt", 3, 1),
        "--keep-duplicates": ("abenrt", 4, 2),
        "--keep-duplicates --case keep": ("ABaenrt", 4, 1),
    }
    train = ("train", "-", *SEEDED)
    corpus = "Anna\nBerta\nanna\nAnna\n"
    side_by_side(
        lambda options: dinogen(*train, *options.split(), "-o", f"{options}.npz", stdin=corpus),
        expected,
    )
    for options, (symbols, names, duplicates) in expected.items():
        _, meta = read_arrays(tmp_path / f"{options}.npz")
        assert meta["vocabulary"]["symbols"] == list(symbols)
        assert meta["corpus"]["lines"] == 4
        assert (meta["corpus"]["names"], meta["corpus"]["duplicates"]) == (names, duplicates)


# Settings.


def test_options_become_settings(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """Each option is a setting of the run. A network that is not the default one is described."""
    given = {
        "seed": 7,
        "cell": "gru",
        "layers": 2,
        "hidden": 5,
        "batch_size": 16,
        "learning_rate": 0.05,
        "momentum": 0.5,
        "clip": 2.0,
        "holdout": 0.25,
        "patience": 3,
    }
    # The kind of network may be written as in texts.
    given["cell"] = "GRU"
    options = [w for k, v in given.items() for w in (f"--{k.replace('_', '-')}", str(v))]
    result = dinogen("train", edda, *options, "--epochs", "2")
    _, meta = read_arrays(tmp_path / "dinogen.npz")
    # 296 names less 74 held out are 14 batches of 16 or fewer.
    expected = {("hidden_size" if k == "hidden" else k): v for k, v in given.items()}
    expected["cell"] = "gru"
    settings = meta["training"]["settings"]
    assert settings == settings | expected | {"steps": 28}
    assert meta["training"]["steps"] == 28
    network = meta["members"]["network"]
    assert (network["cell"], network["layers"], network["hidden_size"]) == ("gru", 2, 5)
    assert meta["held_out"]["size"] == 74
    assert result.stderr.splitlines()[0] == (
        "296 names: GRU, 2 layers of 5 hidden units, 28 steps of 16 names, learning rate 0.05, "
        f"dropout {settings['dropout']:g}"
    )


def test_early_stopping(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """A run that does not improve stops early, and this is not a failure."""
    diverging = ("--learning-rate", "100", "--clip", "1000", "--patience", "1")
    result = dinogen("train", edda, "--seed", "1", "--hidden", "8", "--steps", "100000", *diverging)
    assert (result.returncode, result.stdout) == (0, "dinogen.npz\n")
    _, meta = read_arrays(tmp_path / "dinogen.npz")
    assert meta["training"]["steps"] < 100_000
    assert meta["training"]["interrupted"] is False
    assert meta["held_out"]["members"]["network"] == min(row["heldout"] for row in meta["history"])


def test_one_member(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """``--order 0`` gives no n-grams, ``--hidden 0`` no network; both together are refused."""
    network = dinogen("train", edda, "-o", "a.npz", "-q", "--order", "0", "--steps", "5")
    ngrams = dinogen("train", edda, "-o", "b.npz", "--seed", "1", "--hidden", "0", "--order", "3")
    assert (network.returncode, ngrams.returncode) == (0, 0)
    names, meta = read_arrays(tmp_path / "a.npz")
    assert [*meta["members"]] == ["network"]
    assert meta["members"]["network"]["weight"] == 1.0
    assert not [name for name in names if name.startswith("ngram.")]
    names, meta = read_arrays(tmp_path / "b.npz")
    assert [*meta["members"]] == ["ngram"]
    assert meta["members"]["ngram"]["order"] == 3
    assert not [name for name in names if name.startswith("network.")]
    assert (meta["training"]["steps"], meta["history"]) == (0, [])
    (summary,) = ngrams.stderr.splitlines()
    assert summary.startswith("trained on 267 names; loss on 29 held-out names: 2.")
    assert len(dinogen("sample", "b.npz", "--n", "20").stdout.splitlines()) == 20
    alone = ("train", edda, "-o", "c.npz", "--hidden", "0")
    neither = dinogen(*alone, "--order", "0")
    assert (neither.returncode, neither.stdout) == (2, "")
    assert "hidden size 0 removes the network and order 0 the n-grams" in neither.stderr
    useless = ["--epochs 3", "--cell lstm", "--layers 1"]
    for option, result in zip(
        useless,
        side_by_side(lambda option: dinogen(*alone, *option.split()), useless),
        strict=True,
    ):
        assert (result.returncode, result.stdout) == (2, "")
        assert f"{option.split()[0]} has no effect with --hidden 0" in result.stderr


def test_classic_recipe(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """The classic recipe takes ``--steps``, needs no seed, and records its first row."""
    result = dinogen("train", edda, "--recipe", "classic", "--steps", "30")
    assert (result.returncode, result.stdout) == (0, "dinogen.npz\n")
    first, summary = result.stderr.splitlines()
    assert first.startswith("step  1  loss: smoothed ")
    assert summary.startswith("trained on 296 names in ")
    _, meta = read_arrays(tmp_path / "dinogen.npz")
    assert (meta["recipe"], meta["held_out"], meta["training"]["steps"]) == ("classic", None, 30)
    (row,) = meta["history"]
    assert row["step"] == 1
    assert len(row["samples"]) == 7


def test_classic_recipe_has_no_options(edda: Path, refused: Refused) -> None:
    """An option that the classic recipe does not have is refused by name."""
    classic = ("train", edda, "--recipe", "classic")
    options = [*FIXED, "--epochs 2", "--patience 2"]
    lines = side_by_side(lambda option: refused(*classic, *option.split(), status=2), options)
    assert [line.split()[1] for line in lines] == [option.split()[0] for option in options]


@pytest.mark.parametrize("option", ["--seed 0", "--holdout 0"])
def test_classic_recipe_refuses_zeros(option: str, edda: Path, refused: Refused) -> None:
    """An option that the classic recipe does not have is refused if it is 0, too."""
    classic = ("--recipe", "classic", "--steps", "10")
    assert option.split()[0] in refused("train", edda, *classic, *option.split(), status=2).split()


# Existing files.


def test_existing_output_is_not_touched(
    edda: Path, tiny_checkpoint: Path, tmp_path: Path, refused: Refused
) -> None:
    """An existing file is not replaced without ``--force``; the message has the options."""
    (tmp_path / "dinogen.npz").write_text("precious")
    line = refused("train", edda, "--steps", "1000000000", status=1)
    assert line.endswith("dinogen.npz: not a checkpoint, so not replaced; name another file\n")
    (tmp_path / "dinogen.npz").write_bytes(tiny_checkpoint.read_bytes())
    line = refused("train", edda, "--steps", "1000000000", status=1)
    assert all(word in line for word in ("dinogen.npz", "--force", "--resume", "-o"))


def test_file_that_appears_is_not_touched(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """A file that something else writes during training is kept; the model is saved elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", FILE_APPEARS, *from_scratch(["train", edda, *SEEDED, "-q"])],
        capture_output=True,
        cwd=tmp_path,
        env=environment() | {"TMPDIR": str(tmp_path / "elsewhere")},
        check=False,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    (saved,) = (tmp_path / "elsewhere").rglob("*.npz")
    assert done.stderr == (
        "dinogen: dinogen.npz: another file was written there meanwhile, and is not replaced; "
        f"the model is saved in {saved}\n"
    )
    assert (tmp_path / "dinogen.npz").read_text() == "precious"
    assert dinogen("sample", saved, "--n", "3", "--seed", "1").returncode == 0


def test_force_replaces(dinogen: Run, edda: Path, tiny_checkpoint: Path, tmp_path: Path) -> None:
    """With ``--force`` an old checkpoint is replaced."""
    (tmp_path / "dinogen.npz").write_bytes(tiny_checkpoint.read_bytes())
    result = dinogen("train", edda, *SEEDED, "--force")
    assert (result.returncode, result.stdout) == (0, "dinogen.npz\n")
    assert read_arrays(tmp_path / "dinogen.npz")[1]["corpus"]["names"] == 296
    assert len(snapshot(tmp_path)) == 2


def test_force_replaces_nothing_but_checkpoints(edda: Path, refused: Refused) -> None:
    """Even with ``--force``, a file that is not a checkpoint is not replaced."""
    np.savez(edda.with_name("other.npz"), results=np.arange(9))
    for path in (edda, edda.with_name("other.npz")):
        line = refused("train", edda, "--force", "-o", path, "--steps", "1000000000", status=1)
        assert str(path) in line


# Resuming.


def test_resume_of_a_finished_run_changes_nothing(
    dinogen: Run, edda_checkpoint: Path, edda: Path, tmp_path: Path
) -> None:
    """Resuming a finished run leaves the file unchanged, to the byte."""
    output = tmp_path / "dinogen.npz"
    output.write_bytes(edda_checkpoint.read_bytes())
    result = dinogen("train", edda, "--resume")
    assert (result.returncode, result.stdout) == (0, "dinogen.npz\n")
    assert output.read_bytes() == edda_checkpoint.read_bytes()


def test_resume_with_more_steps(
    dinogen: Run, edda_checkpoint: Path, edda: Path, tmp_path: Path
) -> None:
    """With more steps, a finished run continues, and so does its history."""
    output = tmp_path / "dinogen.npz"
    output.write_bytes(edda_checkpoint.read_bytes())
    before = read_arrays(output)[1]
    result = dinogen("train", edda, "--resume", "--steps", "140")
    assert result.returncode == 0
    assert re.match(r"296 names: vanilla RNN, \d+ hidden units, 140 steps of ", result.stderr)
    after = read_arrays(output)[1]
    assert after["training"]["steps"] == 140
    assert after["history"][: len(before["history"])] == before["history"]
    assert [row["step"] for row in after["history"][len(before["history"]) :]] == [120, 140]
    assert after["training"]["seconds"] > before["training"]["seconds"]


def test_classic_in_two_parts(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """30 classic steps and then 30 more give the same arrays as 60."""
    classic = ("--recipe", "classic", "--steps")
    outputs = (["60", "-o", "whole.npz"], ["30", "-o", "parts.npz"])
    side_by_side(lambda more: dinogen("train", edda, *classic, *more), outputs)
    assert content(tmp_path / "parts.npz") != content(tmp_path / "whole.npz")
    result = dinogen("train", edda, "-o", "parts.npz", "--resume", "--steps", "60")
    assert result.returncode == 0
    assert content(tmp_path / "parts.npz") == content(tmp_path / "whole.npz")


def test_resume_keeps_to_the_checkpoint(
    edda: Path, edda_checkpoint: Path, tmp_path: Path, refused: Refused
) -> None:
    """An option that the checkpoint fixes cannot be changed; the message has its flag."""
    (tmp_path / "dinogen.npz").write_bytes(edda_checkpoint.read_bytes())
    resume = ("train", edda, "--resume")
    same = {"--seed 1", "--keep-duplicates"}  # the list has no duplicates
    options = [*{*FIXED} - same, "--seed 0", "--seed 2", "--holdout 0", "--momentum 0"]
    # One after the other: each looks whether it left a file behind.
    lines = [refused(*resume, *option.split(), status=2) for option in options]
    assert [line.split()[1] for line in lines] == [option.split()[0] for option in options]


def test_resume_keeps_to_the_duplicates(dinogen: Run, tmp_path: Path, refused: Refused) -> None:
    """``--keep-duplicates`` cannot change if the list has duplicates."""
    (tmp_path / "list.txt").write_text("\n".join([*TINY, *TINY]))
    assert dinogen("train", "list.txt", "--hidden", "0").returncode == 0
    line = refused("train", "list.txt", "--resume", "--keep-duplicates", status=2)
    assert "--keep-duplicates cannot change when training continues" in line


@pytest.mark.parametrize(
    "options",
    [
        "--steps 20 --hidden 8 --seed 1 --momentum 0.5 --case keep --cell lstm --layers 2",
        "--hidden 0 --keep-duplicates",
    ],
)
def test_resume_accepts_the_same_options(options: str, dinogen: Run, edda: Path) -> None:
    """The first command line works again with ``--resume`` added."""
    train = ("train", edda, *options.split())
    assert dinogen(*train).returncode == 0
    again = dinogen(*train, "--resume", "-q")
    assert (again.returncode, again.stdout, again.stderr) == (0, "dinogen.npz\n", "")


def test_resume_needs_the_same_corpus(
    edda: Path, edda_checkpoint: Path, tmp_path: Path, refused: Refused
) -> None:
    """A run cannot continue with other names, nor with the same names in another order."""
    (tmp_path / "dinogen.npz").write_bytes(edda_checkpoint.read_bytes())
    (tmp_path / "other.txt").write_text("\n".join(TINY))
    reverse = "\n".join(reversed(edda.read_text(encoding="utf-8").split("\n")))
    for corpus, stdin in (("other.txt", ""), ("-", reverse)):
        line = refused("train", corpus, "--resume", status=1, stdin=stdin)
        assert "dinogen.npz: " in line
        assert "list" in line


def test_resume_needs_the_same_recipe(
    edda: Path, edda_checkpoint: Path, classic_checkpoint: Path, tmp_path: Path, refused: Refused
) -> None:
    """A run cannot continue with another recipe."""
    for checkpoint, other in ((edda_checkpoint, "classic"), (classic_checkpoint, "default")):
        (tmp_path / "dinogen.npz").write_bytes(checkpoint.read_bytes())
        line = refused("train", edda, "--resume", "--recipe", other, "--steps", "200", status=1)
        assert "dinogen.npz: " in line
        assert "recipe" in line


def test_resume_needs_a_checkpoint(edda: Path, refused: Refused) -> None:
    """Without a checkpoint, ``--resume`` is refused."""
    assert "absent.npz" in refused("train", edda, "--resume", "-o", "absent.npz", status=1)
