"""``dinogen sample``: which names it writes, and how it takes what reads them."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dinogen.cli.checkpoints import BUNDLED
from tests.cli.conftest import TINY, Refused, essence, read_arrays, side_by_side, train
from tests.conftest import CORPORA, Run, command, environment

ANY = ("--allow-known", "--allow-repeats")
"""Every candidate, whether it is new or not."""


def records(dinogen: Run, *args: str | Path) -> list[dict[str, Any]]:
    """What ``sample --json`` prints, read back."""
    result = dinogen("sample", "--json", *args)
    assert result.returncode == 0
    return [json.loads(line) for line in result.stdout.splitlines()]


def mean_nats(found: list[dict[str, Any]]) -> float:
    """How unlikely the names are, on average."""
    return float(sum(record["nats"] for record in found)) / len(found)


@pytest.fixture(scope="session")
def thousand(edda_checkpoint: Path) -> list[str]:
    """The first thousand names of seed 1, each with its newline."""
    done = subprocess.run(
        command("sample", edda_checkpoint, "--n", "1000", "--seed", "1"),
        env=environment(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == b""
    return done.stdout.decode().splitlines(keepends=True)


# How many, and which.


def test_ten_names_by_default(dinogen: Run, edda_checkpoint: Path) -> None:
    """Ten names are written, one a line, when no number is given."""
    result = dinogen("sample", edda_checkpoint)
    assert result.returncode == 0
    assert result.stdout.endswith("\n")
    assert len(result.stdout.splitlines()) == 10


def test_number_changes_no_name(dinogen: Run, edda_checkpoint: Path, thousand: list[str]) -> None:
    """The first names are the same, to the byte, however many are asked for."""
    numbers = (0, 1, 7, 255, 256, 257)
    options = ("sample", edda_checkpoint, "--seed", "1", "-n")
    for n, result in zip(
        numbers, side_by_side(lambda n: dinogen(*options, str(n)), numbers), strict=True
    ):
        assert (result.returncode, result.stdout, result.stderr) == (0, "".join(thousand[:n]), "")


def test_names_are_many_and_none_is_empty(thousand: list[str]) -> None:
    """A thousand names are a thousand lines, no two alike, none in the list, and none empty."""
    assert len(thousand) == len(set(thousand)) == 1_000
    assert all(name.strip() for name in thousand)
    learned = (CORPORA / "edda.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    assert not set(thousand) & set(learned)


def test_untrained_model_writes_no_empty_name(dinogen: Run, tmp_path: Path) -> None:
    """A model that has learned next to nothing still writes a symbol before it ends a name."""
    (tmp_path / "n.txt").write_text("a\nb\n")
    dinogen("train", "n.txt", "--steps", "1", "--hidden", "2", "--seed", "1")
    names = dinogen("sample", "--n", "2000", "--seed", "1", *ANY).stdout.split("\n")
    assert len(names) == 2_001
    assert "" not in names[:-1]


def test_fresh_seed_is_told_and_repeats(dinogen: Run, edda_checkpoint: Path) -> None:
    """Without a seed the names are new every time, and the seed that repeats them is told."""
    first, second = side_by_side(lambda _: dinogen("sample", edda_checkpoint), range(2))
    assert first.stdout != second.stdout
    seed = first.stderr.split()[1]
    assert first.stderr == f"seed {seed} (to repeat this: --seed {seed})\n"
    again = dinogen("sample", edda_checkpoint, "--seed", seed)
    assert (again.stdout, again.stderr) == (first.stdout, "")


def test_seeds_differ(dinogen: Run, edda_checkpoint: Path, thousand: list[str]) -> None:
    """Other seeds give other names, the least and the greatest seed among them."""
    results = side_by_side(
        lambda seed: dinogen("sample", edda_checkpoint, "--seed", str(seed)), (0, 2**64 - 1)
    )
    assert [(result.returncode, result.stderr) for result in results] == [(0, "")] * 2
    assert len({"".join(thousand[:10]), *(result.stdout for result in results)}) == 3


# For programs.


def test_json_tells_of_the_plain_names(
    dinogen: Run, edda_checkpoint: Path, thousand: list[str]
) -> None:
    """A line of JSON has the keys of the contract, and they are about the name in plain output."""
    found = records(dinogen, edda_checkpoint, "--n", "260", "--seed", "1")
    assert len(found) == 260
    candidates = dinogen("sample", edda_checkpoint, "--n", "400", "--seed", "1", *ANY)
    for record, name in zip(found, thousand, strict=False):
        assert list(record) == ["name", "nats", "symbols", "known", "index", "seed"]
        assert record["name"] + "\n" == name
        assert record["name"] == candidates.stdout.splitlines()[record["index"]]
        assert (record["known"], record["seed"]) == (False, 1)
        assert record["symbols"] == len(record["name"]) + 1
        assert record["nats"] > 0


def test_json_tells_a_fresh_seed(dinogen: Run, edda_checkpoint: Path) -> None:
    """A seed that was drawn is in the output for programs, too."""
    result = dinogen("sample", edda_checkpoint, "--json", "--n", "2")
    told = int(result.stderr.split()[1])
    assert {json.loads(line)["seed"] for line in result.stdout.splitlines()} == {told}


def test_nats_agree_with_inspect(dinogen: Run, edda_checkpoint: Path, thousand: list[str]) -> None:
    """A sampled name is as likely as ``inspect --score`` finds it, at any temperature."""
    options = ("--n", "100", "--seed", "1", "--temperature", "0.8")
    found = records(dinogen, edda_checkpoint, *options)
    names = "".join(f"{record['name']}\n" for record in found)
    result = dinogen("inspect", edda_checkpoint, "--score", "-", "--json", stdin=names)
    scored = [json.loads(line) for line in result.stdout.splitlines()]
    for record, again in zip(found, scored, strict=True):
        assert {key: record[key] for key in ("name", "symbols", "known")} == {
            key: again[key] for key in ("name", "symbols", "known")
        }
        assert again["nats"] == pytest.approx(record["nats"], abs=1e-3)


def test_known_is_in_the_list(dinogen: Run, tiny_checkpoint: Path) -> None:
    """A name is called known just when it is one of the list."""
    found = records(dinogen, tiny_checkpoint, "--n", "200", "--seed", "1", *ANY)
    assert [record["known"] for record in found] == [record["name"] in TINY for record in found]
    assert {record["known"] for record in found} == {True, False}


# The options that shape names.


def test_low_temperature_gives_likely_names(dinogen: Run, edda_checkpoint: Path) -> None:
    """The lower the temperature, the likelier the names."""
    options = (edda_checkpoint, "--n", "200", "--seed", "1", "--temperature")
    means = side_by_side(
        lambda temperature: mean_nats(records(dinogen, *options, temperature)), ("0.5", "1", "2")
    )
    assert means == sorted(means)
    assert means[0] < means[2] - 1


def test_greediest_name(dinogen: Run, edda_checkpoint: Path) -> None:
    """One symbol to choose from gives one and the same name, and so does the least temperature."""
    options = ("sample", edda_checkpoint, "--n", "30", *ANY)
    greedy, cold = side_by_side(
        lambda more: dinogen(*options, *more).stdout.splitlines(),
        (["--seed", "1", "--top-k", "1"], ["--seed", "9", "--temperature", "0.000001"]),
    )
    assert len(greedy) == 30
    assert len(set(greedy)) == 1
    assert cold == greedy


def test_top_k_leaves_out_the_unlikely(dinogen: Run, edda_checkpoint: Path) -> None:
    """Few symbols to choose from give likelier names; more than there are is all of them."""
    options = (edda_checkpoint, "--n", "200", "--seed", "1")
    few, all_, more = side_by_side(
        lambda top: records(dinogen, *options, *top),
        (["--top-k", "3"], [], ["--top-k", "2000000"]),
    )
    assert mean_nats(few) < mean_nats(all_) - 1
    assert more == all_


def test_max_length_is_kept(dinogen: Run, edda_checkpoint: Path) -> None:
    """No name is longer than it may be, and some are as long."""
    limits = (1, 4)
    options = ("sample", edda_checkpoint, "--n", "300", "--seed", "1", *ANY, "--max-length")
    results = side_by_side(lambda limit: dinogen(*options, str(limit)), limits)
    for limit, result in zip(limits, results, strict=True):
        lengths = set(map(len, result.stdout.splitlines()))
        assert max(lengths) == limit
        assert min(lengths) >= 1


def test_names_end_without_being_told(dinogen: Run, edda_checkpoint: Path) -> None:
    """Where no length is given, no name is longer than twice the longest learned from."""
    longest = read_arrays(edda_checkpoint)[1]["corpus"]["longest"]
    hot = ("--n", "2000", "--seed", "1", "--temperature", "1000000")
    names = dinogen("sample", edda_checkpoint, *hot).stdout.splitlines()
    assert max(map(len, names)) == 2 * longest


# What names must look like, and which are left out.


def test_names_are_as_asked(dinogen: Run, edda_checkpoint: Path) -> None:
    """All that is asked at once is true of every name, in whatever case it is asked."""
    asked = ("--prefix", "S", "--contains", "I", "--contains", "r", "--min-length", "5")
    more = ("--max-length", "7", "--pattern", "?[!a-h]*r", "--suffix", "r")
    result = dinogen("sample", edda_checkpoint, "--n", "20", "--seed", "1", *asked, *more)
    names = result.stdout.splitlines()
    assert (result.returncode, result.stderr, len(set(names))) == (0, "", 20)
    for name in names:
        assert re.fullmatch("S[^a-h].*r", name)
        assert "i" in name
        assert 5 <= len(name) <= 7


def test_names_that_are_taken_are_left_out(dinogen: Run, edda_checkpoint: Path) -> None:
    """No name of a list, or of standard input, is written, in whatever case it stands there."""
    options = ("sample", edda_checkpoint, "--seed", "1", "--n")
    first = dinogen(*options, "20").stdout.splitlines()
    taken = "".join(f"{name.upper()}\n" for name in first[:10]) + "Ünknown\n"
    (Path(edda_checkpoint).parent / "taken.txt").write_text(taken, encoding="utf-8")
    by_file, by_pipe = (
        dinogen(*options, "10", "--exclude", source, stdin=taken)
        for source in (Path(edda_checkpoint).parent / "taken.txt", "-")
    )
    assert by_file.stdout.splitlines() == by_pipe.stdout.splitlines() == first[10:]


def test_known_names_and_repeats_if_allowed(dinogen: Run, tiny_checkpoint: Path) -> None:
    """Each kind of name that is not new can be allowed by itself."""
    options = ("sample", tiny_checkpoint, "--n", "40", "--seed", "1")
    neither, known, repeats = (
        dinogen(*options, *more).stdout.splitlines()
        for more in ([], ["--allow-known"], ["--allow-repeats"])
    )
    assert len(set(neither)) == len(set(known)) == 40
    assert not set(neither) & set(TINY)
    assert set(known) & set(TINY)
    assert len(set(repeats)) < 40
    assert not set(repeats) & set(TINY)


def test_when_names_run_out(dinogen: Run, edda_checkpoint: Path) -> None:
    """What there is is written, one line says how many of how many, and the status is 1."""
    result = dinogen("sample", edda_checkpoint, "--n", "500", "--seed", "1", "--pattern", "?a")
    names = result.stdout.splitlines()
    assert result.returncode == 1
    assert 5 < len(names) == len(set(names)) < 30
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"dinogen: {len(names)} of 500 names, after ")
    assert "allow known names or repeats" in line


def test_parts_of_a_large_job(dinogen: Run, edda_checkpoint: Path) -> None:
    """Parts that begin where others end are together the whole, steered or not."""
    for more in ([], ["--suffix", "r"]):
        options = ("sample", edda_checkpoint, "--seed", "1", *ANY, *more)
        whole = dinogen(*options, "--n", "90").stdout
        parts = side_by_side(
            lambda skip, options=options: (
                dinogen(  # type: ignore[misc]
                    *options, "--n", "30", "--skip", str(skip)
                ).stdout
            ),
            (0, 30, 60),
        )
        assert "".join(parts) == whole


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("--prefix", "ß"), "prefix 'ß': the model never saw 'ß'"),
        (("--pattern", "a[漢]"), "has no symbol of [漢]"),
        (("--min-length", "5", "--max-length", "4"), "min length 5 and max length 4: no name can"),
        (("--prefix", "abc", "--max-length", "2"), "prefix 'abc' and max length 2: no name can"),
        (("--pattern", ""), "pattern '': no name can"),
        (("--contains", "a\nb"), "never saw '\\n'"),
    ],
)
def test_what_no_name_can_be(refused: Refused, asked: tuple[str, ...], told: str) -> None:
    """A demand that nothing can fulfil is refused at once, and named."""
    assert told in refused("sample", BUNDLED, "--seed", "1", *asked, status=2)


# Case and scripts.


def test_capitals_are_given_back(thousand: list[str], dinogen: Run, tmp_path: Path) -> None:
    """Names begin with a capital where those of the list do, and only there."""
    assert all(name == name.capitalize() for name in thousand)
    (tmp_path / "n.txt").write_text("\n".join(TINY).lower())
    dinogen("train", "n.txt", "--steps", "20", "--hidden", "8", "--seed", "1")
    small = dinogen("sample", "--n", "50", "--seed", "1", *ANY).stdout
    assert small == small.lower()


def test_words_within_a_name_have_capitals(dinogen: Run, tmp_path: Path) -> None:
    """The words of a name begin with capitals where those of the list do."""
    (tmp_path / "n.txt").write_text("Ab-Ab Ab\nBa-Ba Ba\nAb-Ba'a Ab\nBa Ab-Ba'a\n")
    dinogen("train", "n.txt", "--steps", "60", "--hidden", "8", "--seed", "1")
    names = dinogen("sample", "--n", "100", "--seed", "1", *ANY).stdout
    assert "-" in names
    assert "'" in names
    for before, after in zip("\n" + names, names, strict=False):
        assert after == (after.upper() if before in "\n- " else after.lower())


reached = pytest.mark.skipif(
    not sys.prefix.isascii(), reason="in such a locale Python itself does not start from there"
)
NARROW = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture(scope="session")
def greek_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of Greek names; not to be changed."""
    corpus = (CORPORA / "greek-names.txt").read_bytes()
    options = ("--seed", "1", "--steps", "20", "--hidden", "8")
    return train(tmp_path_factory.mktemp("greek"), corpus, *options)


@reached
def test_names_are_utf8_in_any_locale(dinogen: Run, greek_checkpoint: Path) -> None:
    """Greek names are written as UTF-8, whatever the locale says."""
    locales = ({"LC_ALL": "C", "LANG": "C"}, {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}, NARROW)
    sample = ("sample", greek_checkpoint, "--n", "20", "--seed", "1")
    results = side_by_side(lambda locale: dinogen(*sample, env=locale), locales)
    assert [(result.returncode, result.stderr) for result in results] == [(0, "")] * 3
    (names,) = {result.stdout for result in results}
    assert set("αεο") <= set(names)
    greek = (CORPORA / "greek-names.txt").read_text(encoding="utf-8")
    assert set(names.lower()) <= set(greek.lower())


@reached
def test_names_are_read_in_any_locale(dinogen: Run, tmp_path: Path, greek_checkpoint: Path) -> None:
    """Greek names are learned, shown and scored in a locale that has none of their letters."""
    greek = (CORPORA / "greek-names.txt").read_bytes()
    quick = ("--steps", "20", "--hidden", "8", "--seed", "1")
    trained = dinogen("train", "-", *quick, stdin=greek, env=NARROW)
    assert (trained.returncode, trained.stdout) == (0, "dinogen.npz\n")
    assert set("αεοσι") & set(trained.stderr)
    assert essence(tmp_path / "dinogen.npz") == essence(greek_checkpoint)
    shown, scored = side_by_side(
        lambda options: dinogen("inspect", *options, stdin=greek, env=NARROW),
        ([], ["--score", "-", "--json"]),
    )
    assert "α β γ δ ε" in shown.stdout
    names = [json.loads(line)["name"] for line in scored.stdout.splitlines()]
    assert names == greek.decode().splitlines()


# Pipes.


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize("as_json", [False, True])
def test_pipe_to_head(
    as_json: bool, edda_checkpoint: Path, tmp_path: Path, thousand: list[str]
) -> None:
    """When the reader has seen enough, the command ends well and says nothing of it."""
    args: list[str | Path] = ["sample", edda_checkpoint, "--n", "10000000", "--seed", "1"]
    sample = shlex.join(command(*args, *(["--json"] if as_json else [])))
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {sample} | head -n 1"],
        capture_output=True,
        cwd=tmp_path,
        env=environment(),
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    first = json.loads(done.stdout)["name"] + "\n" if as_json else done.stdout.decode()
    assert first == thousand[0]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_train_in_a_pipeline(edda: Path, tmp_path: Path) -> None:
    """A list can be piped in, and the path that comes out handed on."""
    train = shlex.join(command("train", "-", "-q", "-o", "x.npz", "--steps", "20", "--hidden", "8"))
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; sort -u {shlex.quote(str(edda))} | {train} | cat"],
        capture_output=True,
        cwd=tmp_path,
        env=environment(),
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"x.npz\n", b"")
    assert read_arrays(tmp_path / "x.npz")[1]["corpus"]["names"] == 296
