"""``dinogen train``: what it prints, what it saves, and what its options change."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import TINY, Refused, essence, read_arrays, side_by_side, snapshot
from tests.conftest import Run, all_shown, command, environment

QUICK = ("--steps", "20", "--hidden", "8")
SEEDED = (*QUICK, "--seed", "1")
SETTLED = [
    "--seed 1",
    "--hidden 32",
    "--batch-size 16",
    "--learning-rate 0.1",
    "--momentum 0.5",
    "--clip 2",
    "--holdout 0.2",
    "--case keep",
    "--keep-duplicates",
]


# The command, where a file comes to be at the path when the training is about to begin.
MEANWHILE = """
from pathlib import Path
from dinogen.cli import main
from dinogen.training.loop import DefaultRun
train = DefaultRun.train
def late(run):
    Path("dinogen.npz").write_text("precious")
    return train(run)
DefaultRun.train = late
main()
"""


def in_terminal(*args: str | Path, cwd: Path) -> tuple[int, str, str]:
    """Run the command with a terminal for a stderr; its exit status, stdout and stderr."""
    import pty
    import termios

    terminal, stderr = pty.openpty()
    termios.tcsetwinsize(stderr, (24, 100))
    with subprocess.Popen(
        command(*args), stdout=subprocess.PIPE, stderr=stderr, cwd=cwd, env=environment()
    ) as process:
        os.close(stderr)
        shown = all_shown(terminal)
        stdout = process.communicate(timeout=60)[0]
    return process.returncode, stdout.decode(), shown.decode()


# What is printed.


def test_stdout_is_the_path(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """The checkpoint's path, as it was given, is all that stdout gets."""
    (tmp_path / "a folder").mkdir()
    before = set(snapshot(tmp_path))
    result = dinogen("train", edda, *SEEDED, "-o", "a folder/mødel.npz")
    assert (result.returncode, result.stdout) == (0, "a folder/mødel.npz\n")
    assert set(snapshot(tmp_path)) - before == {tmp_path / "a folder" / "mødel.npz"}


def test_stderr_in_a_file_has_no_bar(dinogen: Run, edda: Path) -> None:
    """Away from a terminal, progress is plain lines: losses, names to see it learn by, a sum."""
    result = dinogen("train", edda, *SEEDED)
    assert (result.returncode, result.stdout) == (0, "dinogen.npz\n")
    stderr = result.stderr
    assert "\r" not in stderr
    assert "\x1b" not in stderr
    chosen, first, last, summary = stderr.splitlines()
    assert chosen == "296 names: 8 hidden units, 20 updates of 32 names, dropout 0.5"
    assert first.startswith("step  1  train 3.")
    assert last.startswith("step 20  train ")
    assert all(", held out " in line for line in (first, last))
    assert "29 held out: " in summary
    assert summary.endswith("saved to dinogen.npz")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_stderr_on_a_terminal_has_a_bar(edda: Path, tmp_path: Path) -> None:
    """On a terminal a bar with the held-out loss is drawn, and stdout is none the wiser."""
    status, stdout, shown = in_terminal("train", edda, *SEEDED, cwd=tmp_path)
    assert (status, stdout) == (0, "dinogen.npz\n")
    bars = [bar for bar in shown.split("\r") if "%|" in bar]
    assert "/20 [" in bars[0]
    assert "held out " in bars[-1]
    assert shown.splitlines()[-1].endswith("saved to dinogen.npz")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_quiet_is_quiet(edda: Path, tmp_path: Path) -> None:
    """With -q nothing is said, not even on a terminal, and not even the fresh seed."""
    status, stdout, shown = in_terminal("train", edda, *QUICK, "-q", cwd=tmp_path)
    assert (status, stdout, shown) == (0, "dinogen.npz\n", "")


# Where chance comes from.


def test_same_seed_same_checkpoint(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """A fresh seed is told, and the same corpus, options and seed give the same arrays again."""
    told = dinogen("train", edda, *QUICK, "-o", "a.npz").stderr.splitlines()[0]
    seed = told.removesuffix(")").split()[-1]
    assert told == f"seed {seed} (to repeat this: --seed {seed})"
    side_by_side(
        lambda more: dinogen("train", edda, *QUICK, "-q", *more),
        (["--seed", seed, "-o", "b.npz"], ["--seed", str(int(seed) + 1), "-o", "c.npz"]),
    )
    a, b, c = (essence(tmp_path / f"{name}.npz") for name in "abc")
    assert a == b
    assert a[0]["model.Waa"] != c[0]["model.Waa"]


def test_zero_is_a_value(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """Options set to 0 are set, not left out."""
    zeros = ("--seed", "0", "--holdout", "0", "--momentum", "0")
    result = dinogen("train", edda, *QUICK, *zeros)
    assert result.returncode == 0
    _, meta = read_arrays(tmp_path / "dinogen.npz")
    settings = meta["training"]["settings"]
    assert meta["training"]["seed"] == 0
    assert (settings["seed"], settings["holdout"], settings["momentum"]) == (0, 0, 0)
    assert meta["heldout"] is None
    assert {row["heldout"] for row in meta["history"]} == {None}
    assert "held out" not in result.stderr
    assert "296 names learned" in result.stderr


# What is learned from.


def test_several_lists_are_read_as_one(dinogen: Run, tmp_path: Path) -> None:
    """Several files, or the same names through a pipe, make the same checkpoint."""
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
    files, *others = (essence(tmp_path / f"{names}.npz") for names in sources)
    assert files[1]["corpus"]["lines"] == 4
    assert others == [files, files]


def test_what_counts_as_a_name(dinogen: Run, tmp_path: Path) -> None:
    """Capitals make a difference with --case keep alone, repeats with --keep-duplicates alone."""
    facts = {
        "--case keep": ("ABaenrt", 3, 1),
        "--keep-duplicates": ("abenrt", 4, 2),
        "--keep-duplicates --case keep": ("ABaenrt", 4, 1),
    }
    train = ("train", "-", *SEEDED)
    corpus = "Anna\nBerta\nanna\nAnna\n"
    side_by_side(
        lambda options: dinogen(*train, *options.split(), "-o", f"{options}.npz", stdin=corpus),
        facts,
    )
    for options, (symbols, names, duplicates) in facts.items():
        _, meta = read_arrays(tmp_path / f"{options}.npz")
        assert meta["symbols"] == list(symbols)
        assert meta["corpus"]["lines"] == 4
        assert (meta["corpus"]["names"], meta["corpus"]["duplicates"]) == (names, duplicates)


# How it is learned.


def test_options_are_what_is_done(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """Each number given on the command line is the one that the run was made with."""
    given = {
        "seed": 7,
        "hidden": 5,
        "batch_size": 16,
        "learning_rate": 0.05,
        "momentum": 0.5,
        "clip": 2.0,
        "holdout": 0.25,
        "patience": 3,
    }
    options = [w for k, v in given.items() for w in (f"--{k.replace('_', '-')}", str(v))]
    dinogen("train", edda, *options, "--epochs", "2")
    _, meta = read_arrays(tmp_path / "dinogen.npz")
    # 296 names less 74 held out are 14 batches of 16 or fewer.
    expected = {("hidden_size" if k == "hidden" else k): v for k, v in given.items()}
    settings = meta["training"]["settings"]
    assert settings == settings | expected | {"steps": 28}
    assert meta["training"]["steps"] == 28
    assert meta["model"]["hidden_size"] == 5
    assert meta["heldout"]["names"] == 74


def test_stops_when_nothing_gets_better(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """With little patience a run that makes things worse is ended early, and that is no failure."""
    wild = ("--learning-rate", "100", "--clip", "1000", "--patience", "1")
    result = dinogen("train", edda, "--seed", "1", "--hidden", "8", "--steps", "100000", *wild)
    assert (result.returncode, result.stdout) == (0, "dinogen.npz\n")
    _, meta = read_arrays(tmp_path / "dinogen.npz")
    assert meta["training"]["steps"] < 100_000
    assert meta["training"]["interrupted"] is False
    assert meta["heldout"]["network"] == min(row["heldout"] for row in meta["history"])


def test_either_part_can_be_left_out(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """`--order 0` leaves the n-grams out, `--hidden 0` the network; without both nothing learns."""
    network = dinogen("train", edda, "-o", "a.npz", "-q", "--order", "0", "--steps", "5")
    ngrams = dinogen("train", edda, "-o", "b.npz", "--seed", "1", "--hidden", "0", "--order", "3")
    assert (network.returncode, ngrams.returncode) == (0, 0)
    names, meta = read_arrays(tmp_path / "a.npz")
    assert (meta["ngram"], meta["weights"]["network"]) == (None, 1.0)
    assert not [name for name in names if name.startswith("ngram.")]
    names, meta = read_arrays(tmp_path / "b.npz")
    assert (meta["model"]["hidden_size"], meta["ngram"]["order"]) == (0, 3)
    assert not [name for name in names if name.startswith("model.")]
    assert (meta["training"]["steps"], meta["history"]) == (0, [])
    (summary,) = ngrams.stderr.splitlines()
    assert summary.startswith("267 names learned, 29 held out: 2.")
    assert len(dinogen("sample", "b.npz", "--n", "20").stdout.splitlines()) == 20
    neither = dinogen("train", edda, "-o", "c.npz", "--hidden", "0", "--order", "0")
    assert (neither.returncode, neither.stdout) == (2, "")
    assert "no network and order 0 no n-grams" in neither.stderr
    useless = dinogen("train", edda, "-o", "c.npz", "--hidden", "0", "--epochs", "3")
    assert (useless.returncode, useless.stdout) == (2, "")
    assert "--epochs is for the network" in useless.stderr


def test_classic_recipe(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """The classic recipe trains as long as it is told, without a seed, and keeps its first row."""
    result = dinogen("train", edda, "--recipe", "classic", "--steps", "30")
    assert (result.returncode, result.stdout) == (0, "dinogen.npz\n")
    first, summary = result.stderr.splitlines()
    assert first.startswith("step  1  smoothed loss ")
    assert summary.startswith("296 names learned")
    _, meta = read_arrays(tmp_path / "dinogen.npz")
    assert (meta["recipe"], meta["heldout"], meta["training"]["steps"]) == ("classic", None, 30)
    (row,) = meta["history"]
    assert row["step"] == 1
    assert len(row["samples"]) == 7


def test_classic_recipe_has_no_options(edda: Path, refused: Refused) -> None:
    """An option that the classic recipe does not have is refused by its name, not passed over."""
    classic = ("train", edda, "--recipe", "classic")
    options = [*SETTLED, "--epochs 2", "--patience 2"]
    lines = side_by_side(lambda option: refused(*classic, *option.split(), status=2), options)
    assert [line.split()[1] for line in lines] == [option.split()[0] for option in options]


@pytest.mark.parametrize("option", ["--seed 0", "--holdout 0"])
def test_classic_recipe_has_no_zeros_either(option: str, edda: Path, refused: Refused) -> None:
    """An option that the classic recipe does not have is refused when it is 0, too."""
    classic = ("--recipe", "classic", "--steps", "10")
    assert option.split()[0] in refused("train", edda, *classic, *option.split(), status=2).split()


# Existing files.


def test_existing_output_is_not_touched(
    edda: Path, tiny_checkpoint: Path, tmp_path: Path, refused: Refused
) -> None:
    """What exists is not overwritten unasked, whatever it is, and the ways on are told."""
    (tmp_path / "dinogen.npz").write_text("precious")
    line = refused("train", edda, "--steps", "1000000000", status=1)
    assert line.endswith("dinogen.npz: not a checkpoint, so not replaced; name another with -o\n")
    (tmp_path / "dinogen.npz").write_bytes(tiny_checkpoint.read_bytes())
    line = refused("train", edda, "--steps", "1000000000", status=1)
    assert all(word in line for word in ("dinogen.npz", "--force", "--resume", "-o"))


def test_what_comes_to_exist_meanwhile_is_not_touched(
    dinogen: Run, edda: Path, tmp_path: Path
) -> None:
    """A file that another writes while a training runs is kept, and what was learned, too."""
    (tmp_path / "elsewhere").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", MEANWHILE, "train", edda, *SEEDED, "-q"],
        capture_output=True,
        cwd=tmp_path,
        env=environment() | {"TMPDIR": str(tmp_path / "elsewhere")},
        check=False,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    (rescued,) = (tmp_path / "elsewhere").rglob("*.npz")
    assert done.stderr == (
        "dinogen: dinogen.npz: something else was written there meanwhile, and is not replaced; "
        f"what was learned is in {rescued}\n"
    )
    assert (tmp_path / "dinogen.npz").read_text() == "precious"
    assert dinogen("sample", rescued, "--n", "3", "--seed", "1").returncode == 0


def test_force_replaces(dinogen: Run, edda: Path, tiny_checkpoint: Path, tmp_path: Path) -> None:
    """With --force the old checkpoint gives way."""
    (tmp_path / "dinogen.npz").write_bytes(tiny_checkpoint.read_bytes())
    result = dinogen("train", edda, *SEEDED, "--force")
    assert (result.returncode, result.stdout) == (0, "dinogen.npz\n")
    assert read_arrays(tmp_path / "dinogen.npz")[1]["corpus"]["names"] == 296
    assert len(snapshot(tmp_path)) == 2


def test_force_replaces_nothing_but_checkpoints(edda: Path, refused: Refused) -> None:
    """Even with --force the list itself is not lost to a slip of the hand."""
    np.savez(edda.with_name("other.npz"), results=np.arange(9))
    for path in (edda, edda.with_name("other.npz")):
        line = refused("train", edda, "--force", "-o", path, "--steps", "1000000000", status=1)
        assert str(path) in line


# Going on.


def test_resume_of_a_finished_run_changes_nothing(
    dinogen: Run, edda_checkpoint: Path, edda: Path, tmp_path: Path
) -> None:
    """Where all is done there is nothing to go on with: the file stays the same, to the byte."""
    output = tmp_path / "dinogen.npz"
    output.write_bytes(edda_checkpoint.read_bytes())
    result = dinogen("train", edda, "--resume")
    assert (result.returncode, result.stdout) == (0, "dinogen.npz\n")
    assert output.read_bytes() == edda_checkpoint.read_bytes()


def test_resume_with_more_steps_goes_on(
    dinogen: Run, edda_checkpoint: Path, edda: Path, tmp_path: Path
) -> None:
    """A finished run can be made longer; its history goes on where it ended."""
    output = tmp_path / "dinogen.npz"
    output.write_bytes(edda_checkpoint.read_bytes())
    before = read_arrays(output)[1]
    assert dinogen("train", edda, "--resume", "--steps", "140").returncode == 0
    after = read_arrays(output)[1]
    assert after["training"]["steps"] == 140
    assert after["history"][: len(before["history"])] == before["history"]
    assert [row["step"] for row in after["history"][len(before["history"]) :]] == [120, 140]
    assert after["training"]["seconds"] > before["training"]["seconds"]


def test_classic_in_two_parts(dinogen: Run, edda: Path, tmp_path: Path) -> None:
    """Thirty classic steps and then thirty more are sixty at once, array for array."""
    classic = ("--recipe", "classic", "--steps")
    outputs = (["60", "-o", "whole.npz"], ["30", "-o", "parts.npz"])
    side_by_side(lambda more: dinogen("train", edda, *classic, *more), outputs)
    assert essence(tmp_path / "parts.npz") != essence(tmp_path / "whole.npz")
    result = dinogen("train", edda, "-o", "parts.npz", "--resume", "--steps", "60")
    assert result.returncode == 0
    assert essence(tmp_path / "parts.npz") == essence(tmp_path / "whole.npz")


def test_resume_keeps_to_the_checkpoint(
    edda: Path, edda_checkpoint: Path, tmp_path: Path, refused: Refused
) -> None:
    """What the checkpoint has settled cannot be changed on the way, and is named as it is typed."""
    (tmp_path / "dinogen.npz").write_bytes(edda_checkpoint.read_bytes())
    resume = ("train", edda, "--resume")
    same = {"--seed 1", "--keep-duplicates"}  # there are none
    options = [*{*SETTLED} - same, "--seed 0", "--seed 2", "--holdout 0", "--momentum 0"]
    lines = side_by_side(lambda option: refused(*resume, *option.split(), status=2), options)
    assert [line.split()[1] for line in lines] == [option.split()[0] for option in options]


def test_resume_keeps_to_the_duplicates(dinogen: Run, tmp_path: Path, refused: Refused) -> None:
    """Whether a name counts as often as it occurs has been settled where it does occur again."""
    (tmp_path / "list.txt").write_text("\n".join([*TINY, *TINY]))
    assert dinogen("train", "list.txt", "--hidden", "0").returncode == 0
    line = refused("train", "list.txt", "--resume", "--keep-duplicates", status=2)
    assert "--keep-duplicates is what the checkpoint says" in line


@pytest.mark.parametrize(
    "options",
    ["--steps 20 --hidden 8 --seed 1 --momentum 0.5 --case keep", "--hidden 0 --keep-duplicates"],
)
def test_resume_hears_the_same_again(options: str, dinogen: Run, edda: Path) -> None:
    """Who calls the last line back and adds --resume repeats what the checkpoint says already."""
    train = ("train", edda, *options.split())
    assert dinogen(*train).returncode == 0
    again = dinogen(*train, "--resume", "-q")
    assert (again.returncode, again.stdout, again.stderr) == (0, "dinogen.npz\n", "")


def test_resume_needs_the_same_corpus(
    edda: Path, edda_checkpoint: Path, tmp_path: Path, refused: Refused
) -> None:
    """A run cannot go on with other names, nor with the same names in another order."""
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
    """A run cannot go on by another recipe, in either direction."""
    for checkpoint, other in ((edda_checkpoint, "classic"), (classic_checkpoint, "default")):
        (tmp_path / "dinogen.npz").write_bytes(checkpoint.read_bytes())
        line = refused("train", edda, "--resume", "--recipe", other, "--steps", "200", status=1)
        assert "dinogen.npz: " in line
        assert "recipe" in line


def test_resume_needs_a_checkpoint(edda: Path, refused: Refused) -> None:
    """There is nothing to go on with where no file is."""
    assert "absent.npz" in refused("train", edda, "--resume", "-o", "absent.npz", status=1)
