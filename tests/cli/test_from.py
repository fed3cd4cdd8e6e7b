"""``dinogen train --from``: what is printed, saved, resumed and refused."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dinogen.checkpoint import load_checkpoint
from dinogen.training import BASE, load_origin
from tests.cli.conftest import Refused, content, read_arrays, side_by_side, train
from tests.conftest import CORPORA, Run, command, environment
from tests.origins import write_fewer
from tests.torture.commands import Ended, run

SEEDED = ("--seed", "1", "--steps", "30")
TAUGHT = ("--hidden", "8", *SEEDED)
TUNED = ("--cell", "lstm", "--layers", "2", *SEEDED)

# The command, with a teacher that writes little. Ctrl-C comes after some updates of the teacher.
INTERRUPTED = """
import os, signal, sys
from dinogen.cli import run_command
from dinogen.training import Settings, Teaching, Trainer
for user in (Settings, Teaching):
    sys.modules[user.__module__].WRITTEN = 500
left, update = int(sys.argv.pop(1)), Trainer.update
def update_and_stop(trainer):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGINT)
    return update(trainer)
Trainer.update = update_and_stop
run_command()
"""

# The command, where no file of the base can be opened.
WITHOUT_BASE = """
import sys
def forbid(event, args):
    if event == "open" and str(args[0]).endswith("base.npz"):
        raise RuntimeError("the base is read")
sys.addaudithook(forbid)
from dinogen.cli import run_command
run_command()
"""


@pytest.fixture(scope="module")
def origin(cell_checkpoints: dict[str, Path]) -> Path:
    """A trained LSTM of two layers of 8 hidden units. Read only."""
    return cell_checkpoints["lstm"]


@pytest.fixture
def _fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the teachers of this process write little."""
    write_fewer(monkeypatch, 500)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _fewer: None) -> Path:
    """An empty folder in which commands run in this process, where teachers write little."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def succeed(*args: str | Path) -> Ended:
    """Run a command in this process that must succeed."""
    ended = run(*map(str, args), may_write=True)
    assert ended.status == 0, ended.stderr
    return ended


def fail(status: int, *args: str | Path) -> str:
    """Run a command in this process that must fail, and return its only line."""
    ended = run(*map(str, args), may_write=True)
    assert (ended.status, ended.stdout, ended.stderr.count("\n")) == (status, "", 1), ended
    assert ended.stderr.startswith("dinogen: ")
    return ended.stderr


def loss_lines(stderr: str) -> list[str]:
    """Return the progress lines: the part before the loss."""
    return [line.split("  loss: ")[0] for line in stderr.splitlines() if "  loss: " in line]


# What is printed and saved.


def test_a_taught_run_prints_both_stages(origin: Path, edda: Path, here: Path) -> None:
    """The plan names the teacher. Progress is that of the teacher, then that of the network."""
    ended = succeed("train", edda, "--from", origin, *TAUGHT)
    assert ended.stdout == "dinogen.npz\n"
    network, plan, *_, summary = ended.stderr.splitlines()
    assert re.fullmatch(
        r"296 names: vanilla RNN, 8 hidden units, 30 steps of \d+ names, learning rate \S+, "
        r"dropout \S+",
        network,
    )
    taught = re.fullmatch(
        rf"before that, its teacher, {re.escape(str(origin))} "
        r"\(LSTM, 2 layers of 8 hidden units\), learns the names in up to (\d+) steps and writes "
        r"[\d,]+ names",
        plan,
    )
    assert taught, plan
    lines = loss_lines(ended.stderr)
    teacher = [line for line in lines if line.startswith("teacher step ")]
    student = [line for line in lines if line.startswith("step ")]
    assert lines == [*teacher, *student]
    assert re.fullmatch(r"teacher step +1", teacher[0])
    assert student[0] == "step  1"
    assert student[-1] == "step 30"
    assert int(teacher[-1].split()[-1]) <= int(taught[1])
    assert "writing" not in ended.stderr
    assert all(", held out " in line for line in ended.stderr.splitlines() if "  loss: " in line)
    assert summary.startswith("trained on 267 names in ")
    assert "\r" not in ended.stderr
    _, meta = read_arrays(here / "dinogen.npz")
    lineage = meta["lineage"]
    assert (lineage["name"], lineage["cell"], lineage["layers"]) == (str(origin), "lstm", 2)
    assert lineage["digest"] == load_origin(str(origin)).digest
    assert lineage["symbols"] == len(meta["vocabulary"]["symbols"])
    assert 0 < lineage["steps"] <= int(taught[1])
    assert meta["training"]["settings"]["start"] == "taught"
    assert meta["training"]["steps"] == 30


def test_a_tuned_run_prints_one_stage(origin: Path, edda: Path, here: Path) -> None:
    """A network of the same cell and layers has the size of the origin, and no teacher."""
    ended = succeed("train", edda, "--from", origin, *TUNED)
    network, plan, *_ = ended.stderr.splitlines()
    assert network.startswith("296 names: LSTM, 2 layers of 8 hidden units, 30 steps of 32 names, ")
    assert plan.startswith(f"it starts as {origin} (LSTM, ")
    assert plan.endswith(") and is tuned to the names")
    assert "teacher" not in ended.stderr
    assert loss_lines(ended.stderr)[0] == "step  1"
    _, meta = read_arrays(here / "dinogen.npz")
    assert meta["training"]["settings"]["start"] == "tuned"
    assert meta["members"]["network"]["hidden_size"] == 8
    assert (meta["lineage"]["steps"], meta["lineage"]["nats_per_symbol"]) == (0, None)


def test_starting_from_scratch_prints_no_origin(edda: Path, here: Path) -> None:
    """The plan ends with the dropout, and no lineage is saved."""
    ended = succeed("train", edda, "--from", "none", *TAUGHT)
    assert re.search(r"dropout [\d.]+$", ended.stderr.splitlines()[0])
    assert "base" not in ended.stderr
    _, meta = read_arrays(here / "dinogen.npz")
    assert meta["lineage"] is None
    assert meta["training"]["settings"]["start"] == "scratch"


def test_quiet_says_nothing(origin: Path, edda: Path, here: Path) -> None:
    """With -q, a taught run prints only the path."""
    ended = succeed("train", edda, "--from", origin, *TAUGHT, "-q")
    assert (ended.stdout, ended.stderr) == ("dinogen.npz\n", "")
    assert (here / "dinogen.npz").exists()


@pytest.mark.parametrize("options", [TAUGHT, TUNED], ids=["taught", "tuned"])
def test_the_same_seed_gives_the_same_checkpoint(
    options: tuple[str, ...], origin: Path, edda: Path, here: Path
) -> None:
    """The same list, options, seed and origin give the same file but for the time."""
    for name in "ab":
        succeed("train", edda, "--from", origin, *options, "-q", "-o", f"{name}.npz")
    assert content(here / "a.npz") == content(here / "b.npz")


def test_the_lineage_is_inspected(origin: Path, edda: Path, here: Path) -> None:
    """``inspect --json`` has the lineage; it is null from scratch."""
    succeed("train", edda, "--from", origin, *TAUGHT, "-q")
    found = json.loads(succeed("inspect", "dinogen.npz", "--json").stdout)["lineage"]
    lineage = load_checkpoint(here / "dinogen.npz").lineage
    assert lineage is not None
    assert found == lineage._asdict()
    assert json.loads(succeed("inspect", origin, "--json").stdout)["lineage"] is None
    assert succeed("inspect", "dinogen.npz").stdout


# What can be started from.


def test_an_origin_must_be_a_checkpoint_with_a_network(edda: Path, here: Path) -> None:
    """A missing path, a folder, another file and n-grams alone are refused with the path."""
    ngrams = train(here, edda.read_bytes(), "--hidden", "0", "--seed", "1")
    for path, message in (
        ("absent.npz", "absent.npz: no such checkpoint"),
        (here, "a directory"),
        (edda, "edda.txt: not a dinogen checkpoint"),
        (ngrams, "has no network to start from; name another checkpoint"),
    ):
        assert message in fail(1, "train", edda, "-o", "new.npz", "--from", path)
    damaged = here / "damaged.npz"
    damaged.write_bytes(ngrams.read_bytes()[:-100])
    assert "damaged" in fail(1, "train", edda, "-o", "new.npz", "--from", damaged)
    assert not (here / "new.npz").exists()


def test_an_origin_of_another_unit_is_refused(origin: Path, here: Path) -> None:
    """A network of characters does not learn words, and the message says what to change."""
    (here / "words.txt").write_text("do re mi\nmi re do\nfa so la\n")
    line = fail(1, "train", "words.txt", "--unit", "word", "--from", origin)
    assert f"{origin}: has learned " in line
    assert "change --unit" in line
    line = fail(1, "train", "words.txt", "--unit", "word", "--from", BASE)
    assert "base: has learned " in line


@pytest.mark.parametrize("name", [BASE, "some.npz"])
def test_no_network_has_no_origin(name: str, edda: Path, refused: Refused) -> None:
    """``--hidden 0`` removes the network, so an origin has no effect; ``none`` may be repeated."""
    line = refused("train", edda, "--hidden", "0", "--from", name, status=2)
    assert "--from has no effect with --hidden 0" in line


def test_ngrams_alone_start_from_none(edda: Path, here: Path) -> None:
    """``--hidden 0 --from none`` is the same as ``--hidden 0``."""
    succeed("train", edda, "--hidden", "0", "--seed", "1", "--from", "none", "-q")
    _, meta = read_arrays(here / "dinogen.npz")
    assert [*meta["members"]] == ["ngram"]
    assert meta["lineage"] is None


@pytest.mark.parametrize("name", [BASE, "none"])
def test_the_classic_recipe_has_no_origin(name: str, edda: Path, refused: Refused) -> None:
    """The option is refused by name."""
    line = refused("train", edda, "--recipe", "classic", "--from", name, status=2)
    assert "--from is fixed in the classic recipe" in line


def test_a_path_that_cannot_be_recorded(origin: Path, edda: Path, here: Path) -> None:
    """It is refused before any training, in one line that is safe to print."""
    for name in ("a\nb\x1b[2J.npz", "/".join(["x" * 60] * 5)):
        path = here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(origin.read_bytes())
        assert "start from a copy" in fail(1, "train", edda, "--from", path, *TAUGHT)
    assert not (here / "dinogen.npz").exists()


# Resuming.


@pytest.mark.parametrize("options", [TAUGHT, TUNED], ids=["taught", "tuned"])
def test_resume_finds_the_origin(
    options: tuple[str, ...], origin: Path, edda: Path, here: Path
) -> None:
    """The checkpoint has the path of its origin. The same command line works again, too."""
    start: list[str | Path] = ["train", edda, "--from", origin, *options]
    succeed(*start)
    before = content(here / "dinogen.npz")
    for again in (["train", edda], start):
        assert "training was finished after 30 steps" in succeed(*again, "--resume").stderr
        assert content(here / "dinogen.npz") == before
    more = succeed("train", edda, "--resume", "--steps", "40")
    assert ("its teacher" in more.stderr) == (options is TAUGHT)
    assert loss_lines(more.stderr)[-1] == "step 40"
    _, meta = read_arrays(here / "dinogen.npz")
    assert meta["training"]["steps"] == 40
    assert meta["lineage"]["name"] == str(origin)


def test_resume_needs_the_same_origin(
    origin: Path, cell_checkpoints: dict[str, Path], edda: Path, here: Path
) -> None:
    """Another one, or none, is refused with what to do."""
    succeed("train", edda, "--from", origin, *TAUGHT, "-q")
    before = (here / "dinogen.npz").read_bytes()
    for name in (str(cell_checkpoints["gru"]), BASE, "none"):
        line = fail(1, "train", edda, "--resume", "--from", name)
        assert line.startswith("dinogen: dinogen.npz: it started from another network")
        assert str(origin) in line
        assert "train anew with --force" in line
    assert "absent.npz" in fail(1, "train", edda, "--resume", "--from", "absent.npz")
    assert (here / "dinogen.npz").read_bytes() == before


def test_a_run_from_scratch_has_no_origin_to_resume_with(
    origin: Path, edda: Path, here: Path
) -> None:
    """An origin is refused, and ``none`` may be repeated."""
    succeed("train", edda, "--from", "none", *TAUGHT, "-q")
    for name in (str(origin), BASE):
        line = fail(1, "train", edda, "--resume", "--from", name)
        assert "dinogen.npz: it was trained from scratch; resume with" in line
    succeed("train", edda, "--resume", "--from", "none", "-q")


def test_an_origin_that_moved(origin: Path, edda: Path, here: Path) -> None:
    """If its file is gone, the message names it; with its new path, training resumes."""
    (here / "old.npz").write_bytes(origin.read_bytes())
    succeed("train", edda, "--from", "old.npz", *TAUGHT, "-q")
    (here / "old.npz").rename(here / "new.npz")
    line = fail(1, "train", edda, "--resume", "--steps", "40")
    assert "dinogen.npz: it started from old.npz, which cannot be read; name its new path" in line
    succeed("train", edda, "--resume", "--steps", "40", "--from", "new.npz", "-q")
    _, meta = read_arrays(here / "dinogen.npz")
    assert meta["training"]["steps"] == 40
    assert meta["lineage"]["name"] == "new.npz"


def test_classic_training_resumes_without_an_origin(edda: Path, here: Path) -> None:
    """The option is refused for a checkpoint of the classic recipe, too."""
    classic = ("train", edda, "--recipe", "classic", "--steps", "3")
    succeed(*classic, "-q")
    assert "--from" in fail(2, "train", edda, "--resume", "--steps", "4", "--from", BASE)
    succeed("train", edda, "--resume", "--steps", "4", "-q")


# Signals.


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("updates", [1, 40])
def test_ctrl_c_while_the_teacher_learns(
    updates: int, origin: Path, edda: Path, tmp_path: Path, here: Path
) -> None:
    """It saves and says how to continue; resumed, the run ends as if it had never stopped."""
    program = [sys.executable, "-c", INTERRUPTED, str(updates)]
    train = ["train", str(edda), "--from", str(origin), *TAUGHT, "-o", "parts.npz"]
    stopped = subprocess.run(
        [*program, *train],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert (stopped.returncode, stopped.stdout) == (130, ""), stopped.stderr
    *_, last = stopped.stderr.splitlines()
    assert last.removeprefix("dinogen: ").startswith("stopped during the preparation and saved; ")
    assert last.endswith("--resume")
    checkpoint = load_checkpoint(tmp_path / "parts.npz")
    assert checkpoint.training.interrupted
    assert checkpoint.training.steps == 0
    assert checkpoint.lineage is not None
    assert checkpoint.lineage.steps == updates
    assert checkpoint.resume.numbers["teacher.step"] == updates
    succeed(*train[:-1], "whole.npz", "-q")
    succeed("train", edda, "-o", "parts.npz", "--resume", "-q")
    assert content(tmp_path / "parts.npz") == content(tmp_path / "whole.npz")


# The base.


def test_the_base_is_the_default_for_a_short_list(tmp_path: Path) -> None:
    """Without any option, the bundled base teaches the names. Sampling does not read it again."""
    names = (CORPORA / "edda.txt").read_text(encoding="utf-8").split("\n")[:250]
    (tmp_path / "names.txt").write_text("\n".join(names), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "dinogen", "train", "names.txt", "--seed", "1", "--epochs", "1"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "dinogen.npz\n"), done.stderr
    network, plan, *_ = done.stderr.splitlines()
    assert network.startswith("250 names: vanilla RNN, ")
    assert plan.startswith("before that, its teacher, base (LSTM, ")
    lines = loss_lines(done.stderr)
    assert lines[0].startswith("teacher step")
    checkpoint = load_checkpoint(tmp_path / "dinogen.npz")
    base = load_origin(BASE)
    assert checkpoint.lineage is not None
    assert (checkpoint.lineage.name, checkpoint.lineage.digest) == (BASE, base.digest)
    assert checkpoint.held_out is not None
    assert checkpoint.lineage.nats_per_symbol is not None
    # It knows more than the frequencies of the symbols, already after one epoch.
    assert checkpoint.held_out.members["network"] < checkpoint.held_out.frequencies - 0.3
    assert len(checkpoint.known) == 250
    offline = (["sample", "--n", "5", "--seed", "1"], ["inspect"])
    for sampled in side_by_side(
        lambda args: subprocess.run(
            [sys.executable, "-c", WITHOUT_BASE, *args],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            timeout=60,
            check=False,
        ),
        offline,
    ):
        assert sampled.returncode == 0, sampled.stderr
        assert sampled.stdout.count(b"\n") >= 5


def test_help_names_the_choices(dinogen: Run) -> None:
    """The help of ``train`` shows what can follow ``--from``."""
    assert "--from base|none|PATH" in dinogen("train", "--help").stdout


def test_the_tests_start_from_scratch() -> None:
    """The helper of the tests adds ``--from none``, unless the command line says otherwise."""
    assert command("train", "x.txt", "-q")[3:] == ["train", "--from", "none", "x.txt", "-q"]
    for other in ("--from base", "--recipe classic", "--resume"):
        assert command("train", "x.txt", *other.split())[3:] == ["train", "x.txt", *other.split()]
    assert command("sample")[3:] == ["sample"]
