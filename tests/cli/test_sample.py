"""``dinogen sample``: the names that it writes, their order, and pipes."""

import json
import re
import shlex
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from dinogen.cli import BUNDLED
from tests.cli.conftest import (
    TINY,
    Refused,
    content,
    each_cell,
    read_arrays,
    side_by_side,
    train,
)
from tests.conftest import CORPORA, Run, command, environment, pipe_to_head

ANY = ("--allow-known", "--allow-repeats", "--temperature", "1")
"""Options that keep every candidate, new or not, likely or not."""


def records(dinogen: Run, *args: str | Path) -> list[dict[str, Any]]:
    """Run ``sample --json`` and parse what it prints."""
    result = dinogen("sample", "--json", *args)
    assert result.returncode == 0
    return [json.loads(line) for line in result.stdout.splitlines()]


def mean_nats(found: list[dict[str, Any]]) -> float:
    """Return the mean nats per name."""
    return float(sum(record["nats"] for record in found)) / len(found)


@pytest.fixture(scope="session")
def thousand(edda_checkpoint: Path) -> list[str]:
    """The first 1,000 names of seed 1, each with its newline."""
    done = subprocess.run(
        command("sample", edda_checkpoint, "--n", "1000", "--seed", "1"),
        env=environment(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == b""
    return done.stdout.decode().splitlines(keepends=True)


# The number of names and the seed.


def test_ten_names_by_default(dinogen: Run, edda_checkpoint: Path) -> None:
    """Without ``--n``, ten names are written, one per line."""
    result = dinogen("sample", edda_checkpoint)
    assert result.returncode == 0
    assert result.stdout.endswith("\n")
    assert len(result.stdout.splitlines()) == 10


@each_cell
def test_number_changes_no_name(dinogen: Run, cell_checkpoints: dict[str, Path], cell: str) -> None:
    """The first names are the same for every ``--n``, whether one thread draws them or several."""
    numbers = (1_000, 0, 1, 7, 256, 257)
    options = ("sample", cell_checkpoints[cell], "--seed", "1", "-n")
    results = side_by_side(lambda n: dinogen(*options, str(n)), numbers)
    names = results[0].stdout.splitlines(keepends=True)
    assert len(names) == 1_000
    for n, result in zip(numbers, results, strict=True):
        assert (result.returncode, result.stdout, result.stderr) == (0, "".join(names[:n]), "")


def test_names_are_new(thousand: list[str]) -> None:
    """1,000 names are 1,000 lines: distinct, not in the training list, not empty."""
    assert len(thousand) == len(set(thousand)) == 1_000
    assert all(name.strip() for name in thousand)
    training = (CORPORA / "edda.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    assert not set(thousand) & set(training)


def test_untrained_model_writes_no_empty_name(dinogen: Run, tmp_path: Path) -> None:
    """A model of one training step writes at least one symbol per name."""
    (tmp_path / "n.txt").write_text("a\nb\n")
    dinogen("train", "n.txt", "--steps", "1", "--hidden", "2", "--seed", "1")
    names = dinogen("sample", "--n", "2000", "--seed", "1", *ANY).stdout.split("\n")
    assert len(names) == 2_001
    assert "" not in names[:-1]


def test_new_seed_is_printed(dinogen: Run, edda_checkpoint: Path) -> None:
    """Without ``--seed``, every run has other names, and prints the seed that repeats them."""
    first, second = side_by_side(lambda _: dinogen("sample", edda_checkpoint), range(2))
    assert first.stdout != second.stdout
    seed = first.stderr.split()[1]
    assert first.stderr == f"seed {seed} (to repeat this: --seed {seed})\n"
    again = dinogen("sample", edda_checkpoint, "--seed", seed)
    assert (again.stdout, again.stderr) == (first.stdout, "")


def test_seeds_differ(dinogen: Run, edda_checkpoint: Path, thousand: list[str]) -> None:
    """Other seeds give other names, the smallest and the largest seed too."""
    results = side_by_side(
        lambda seed: dinogen("sample", edda_checkpoint, "--seed", str(seed)), (0, 2**64 - 1)
    )
    assert [(result.returncode, result.stderr) for result in results] == [(0, "")] * 2
    assert len({"".join(thousand[:10]), *(result.stdout for result in results)}) == 3


@pytest.mark.parametrize("text", ["hello", "Ægir", "1.5", "-x"])
def test_a_seed_may_be_a_text(dinogen: Run, edda_checkpoint: Path, text: str) -> None:
    """It stands for a number, which is in the JSON and gives the same names."""
    sample = ("sample", edda_checkpoint, "--seed")
    by_text, as_json = side_by_side(lambda more: dinogen(*sample, text, *more), ([], ["--json"]))
    assert (by_text.returncode, by_text.stderr) == (0, "")
    (number,) = {json.loads(line)["seed"] for line in as_json.stdout.splitlines()}
    assert number == int(sha256(text.encode()).hexdigest()[:16], 16)
    assert dinogen(*sample, str(number)).stdout == by_text.stdout


def test_quiet_prints_no_seed_and_no_hint(dinogen: Run) -> None:
    """With ``--quiet``, stderr is empty; without it, it has the hint and the seed."""
    loud, quiet, short = side_by_side(
        lambda more: dinogen("sample", *more), ([], ["--quiet"], ["-q"])
    )
    hint, seed = loud.stderr.splitlines()
    assert hint.startswith("using the dinosaurs that come with dinogen")
    assert seed.startswith("seed ")
    for result in (quiet, short):
        assert (result.returncode, result.stderr) == (0, "")
        assert len(result.stdout.splitlines()) == 10


def test_quiet_prints_errors(dinogen: Run, edda_checkpoint: Path) -> None:
    """The line that says how many names were found is an error."""
    options = ("--n", "500", "--pattern", "?a", "--quiet")
    result = dinogen("sample", edda_checkpoint, *options)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert re.match(r"dinogen: found \d+ of 500 names in ", line)


# JSON.


def test_json_describes_the_plain_names(
    dinogen: Run, edda_checkpoint: Path, thousand: list[str]
) -> None:
    """Each JSON object has all fields, and describes the name of the plain output."""
    found = records(dinogen, edda_checkpoint, "--n", "260", "--seed", "1")
    assert len(found) == 260
    for record, name in zip(found, thousand, strict=False):
        assert list(record) == ["name", "nats", "symbols", "known", "index", "seed"]
        assert record["name"] + "\n" == name
        assert (record["known"], record["seed"]) == (False, 1)
        assert record["symbols"] == len(record["name"]) + 1
        assert record["nats"] > 0


def test_json_has_the_position_in_the_stream(dinogen: Run, edda_checkpoint: Path) -> None:
    """A name has the same index if more candidates are allowed."""
    options = (edda_checkpoint, "--seed", "1", "--n")
    found = records(dinogen, *options, "260", "--temperature", "1")
    every = {row["index"]: row["name"] for row in records(dinogen, *options, "400", *ANY)}
    assert [record["name"] for record in found] == [every[record["index"]] for record in found]
    assert list(every) == sorted(every)
    assert len(found) == 260 < found[-1]["index"]


def test_json_has_the_new_seed(dinogen: Run, edda_checkpoint: Path) -> None:
    """A new seed is in the JSON."""
    result = dinogen("sample", edda_checkpoint, "--json", "--n", "2")
    seed = int(result.stderr.split()[1])
    assert {json.loads(line)["seed"] for line in result.stdout.splitlines()} == {seed}


@each_cell
def test_nats_agree_with_inspect(
    dinogen: Run, cell_checkpoints: dict[str, Path], cell: str
) -> None:
    """``sample --json`` and ``inspect --score`` give a name the same nats, at any temperature."""
    checkpoint = cell_checkpoints[cell]
    options = ("--n", "100", "--seed", "1", "--temperature", "0.8")
    found = records(dinogen, checkpoint, *options)
    names = "".join(f"{record['name']}\n" for record in found)
    result = dinogen("inspect", checkpoint, "--score", "-", "--json", stdin=names)
    scored = [json.loads(line) for line in result.stdout.splitlines()]
    for record, again in zip(found, scored, strict=True):
        assert {key: record[key] for key in ("name", "symbols", "known")} == {
            key: again[key] for key in ("name", "symbols", "known")
        }
        assert again["nats"] == pytest.approx(record["nats"], abs=1e-3)


def test_known_is_in_the_list(dinogen: Run, tiny_checkpoint: Path) -> None:
    """A name is known if and only if it is in the training list."""
    found = records(dinogen, tiny_checkpoint, "--n", "200", "--seed", "1", *ANY)
    assert [record["known"] for record in found] == [record["name"] in TINY for record in found]
    assert {record["known"] for record in found} == {True, False}


# Decoding options.


def test_low_temperature_gives_likely_names(dinogen: Run, edda_checkpoint: Path) -> None:
    """A lower temperature gives more likely names."""
    options = (edda_checkpoint, "--n", "200", "--seed", "1", "--temperature")
    means = side_by_side(
        lambda temperature: mean_nats(records(dinogen, *options, temperature)), ("0.5", "1", "2")
    )
    assert means == sorted(means)
    assert means[0] < means[2] - 1


def test_greediest_name(dinogen: Run, edda_checkpoint: Path) -> None:
    """Top-k of 1 always gives the same name, and the lowest temperature gives the same one."""
    options = ("sample", edda_checkpoint, "--n", "30", *ANY)
    greedy, cold = side_by_side(
        lambda more: dinogen(*options, *more).stdout.splitlines(),
        (["--seed", "1", "--top-k", "1"], ["--seed", "9", "--temperature", "0.000001"]),
    )
    assert len(greedy) == 30
    assert len(set(greedy)) == 1
    assert cold == greedy


def test_top_k_leaves_out_the_unlikely(dinogen: Run, edda_checkpoint: Path) -> None:
    """A small top-k gives more likely names; one above V changes nothing."""
    options = (edda_checkpoint, "--n", "200", "--seed", "1", "--temperature", "1")
    few, all_, more = side_by_side(
        lambda top: records(dinogen, *options, *top),
        (["--top-k", "3"], [], ["--top-k", "2000000"]),
    )
    assert mean_nats(few) < mean_nats(all_) - 1
    assert more == all_


def test_max_length_is_kept(dinogen: Run, edda_checkpoint: Path) -> None:
    """No name is longer than the maximum length, and some have this length."""
    limits = (1, 4)
    options = ("sample", edda_checkpoint, "--n", "300", "--seed", "1", *ANY, "--max-length")
    results = side_by_side(lambda limit: dinogen(*options, str(limit)), limits)
    for limit, result in zip(limits, results, strict=True):
        lengths = set(map(len, result.stdout.splitlines()))
        assert max(lengths) == limit
        assert min(lengths) >= 1


def test_default_max_length(dinogen: Run, edda_checkpoint: Path) -> None:
    """Without a maximum, names are as long as those of the training list."""
    corpus = read_arrays(edda_checkpoint)[1]["corpus"]
    hot = ("--n", "2000", "--seed", "1", "--temperature", "1000000")
    names = dinogen("sample", edda_checkpoint, *hot).stdout.splitlines()
    lengths = set(map(len, names))
    assert (min(lengths), max(lengths)) == (corpus["shortest"], corpus["longest"])


# Constraints and exclusions.


@each_cell
def test_constraints_combine(dinogen: Run, cell_checkpoints: dict[str, Path], cell: str) -> None:
    """Every name satisfies all constraints together, given in any case."""
    asked = ("--prefix", "S", "--contains", "I", "--contains", "r", "--min-length", "5")
    more = ("--max-length", "7", "--pattern", "?[!a-h]*r", "--suffix", "r")
    options = ("--n", "20", "--seed", "1", *asked, *more)
    result = dinogen("sample", cell_checkpoints[cell], *options)
    names = result.stdout.splitlines()
    assert (result.returncode, result.stderr, len(set(names))) == (0, "", 20)
    for name in names:
        assert re.fullmatch("S[^a-h].*r", name)
        assert "i" in name
        assert 5 <= len(name) <= 7


def test_excluded_names(dinogen: Run, edda_checkpoint: Path) -> None:
    """Names of a list, or of standard input, are not written, whatever their case there."""
    options = ("sample", edda_checkpoint, "--seed", "1", "--n")
    first = dinogen(*options, "20").stdout.splitlines()
    taken = "".join(f"{name.upper()}\n" for name in first[:10]) + "Ünknown\n"
    (Path(edda_checkpoint).parent / "taken.txt").write_text(taken, encoding="utf-8")
    by_file, by_pipe = (
        dinogen(*options, "10", "--exclude", source, stdin=taken)
        for source in (Path(edda_checkpoint).parent / "taken.txt", "-")
    )
    assert by_file.stdout.splitlines() == by_pipe.stdout.splitlines() == first[10:]


def test_alternatives(dinogen: Run, edda_checkpoint: Path) -> None:
    """Any of several prefixes and any of several suffixes will do."""
    asked = ("--prefix", "S", "--prefix", "ha", "--suffix", "R", "--suffix", "ir", "--suffix", "n")
    result = dinogen("sample", edda_checkpoint, "--n", "40", "--seed", "1", *asked)
    names = result.stdout.splitlines()
    assert (result.returncode, result.stderr, len(set(names))) == (0, "", 40)
    assert {re.match("S|Ha", name)[0] for name in names} == {"S", "Ha"}  # type: ignore[index]
    assert {name[-1] for name in names} == {"r", "n"}


def test_forbidden_texts(dinogen: Run, edda_checkpoint: Path) -> None:
    """No name contains one of the texts of an option, of a file, or of standard input."""
    texts = ["AR", "n", "ei"]
    lines = "".join(f"{text}\n\n" for text in [*texts, "Ünknown"])
    (Path(edda_checkpoint).parent / "texts.txt").write_text(lines, encoding="utf-8")
    sample = ("sample", edda_checkpoint, "--n", "60", "--seed", "1")
    options, by_file, by_pipe = (
        dinogen(*sample, *given, stdin=lines)
        for given in (
            [part for text in [*texts, "Ünknown"] for part in ("--not-contains", text)],
            ["--avoid", Path(edda_checkpoint).parent / "texts.txt"],
            ["--avoid", "-"],
        )
    )
    assert by_file.stdout == by_pipe.stdout
    for result in (options, by_file):
        names = result.stdout.splitlines()
        assert (result.returncode, result.stderr, len(set(names))) == (0, "", 60)
        assert not any(text.lower() in name.lower() for name in names for text in texts)


def test_near_copies(dinogen: Run, edda_checkpoint: Path) -> None:
    """With ``--min-distance 2``, no name becomes a training name by one edit."""
    training = (CORPORA / "edda.txt").read_text(encoding="utf-8").lower().splitlines()

    def near_copies(*options: str) -> int:
        sample = ("sample", edda_checkpoint, "--n", "100", "--seed", "1")
        names = dinogen(*sample, *options).stdout.lower().splitlines()
        assert len(names) == 100
        return sum(any(within_one_edit(name, other) for other in training) for name in names)

    assert near_copies() == near_copies("--min-distance", "1") > 0
    assert near_copies("--min-distance", "2") == 0


def within_one_edit(one: str, other: str) -> bool:
    """Whether two words differ by at most one symbol that is added, deleted or replaced."""
    short, long = sorted((one, other), key=len)
    same = next(
        (i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short)
    )
    return long[same + 1 :] in (short[same:], short[same + 1 :])


def test_allowed_known_names_and_repeats(dinogen: Run, tiny_checkpoint: Path) -> None:
    """Known names and repeats can be allowed separately."""
    options = ("sample", tiny_checkpoint, "--n", "40", "--seed", "1", "--temperature", "1")
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
    """The names that were found are written, one line has their number, and the status is 1."""
    result = dinogen("sample", edda_checkpoint, "--n", "500", "--seed", "1", "--pattern", "?a")
    names = result.stdout.splitlines()
    assert result.returncode == 1
    assert 5 < len(names) == len(set(names)) < 30
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"dinogen: found {len(names)} of 500 names in ")
    # Names of options in words are for the library, too.
    assert "(temperature 1 allows them), known (allow known) or repeated (allow repeats)" in line


def test_parts_of_a_large_job(dinogen: Run, edda_checkpoint: Path) -> None:
    """With ``--skip``, a part of a stream begins at a position, with and without constraints."""
    for more in ([], ["--suffix", "r"]):
        options: tuple[str | Path, ...] = (edda_checkpoint, "--seed", "1", *ANY, *more)
        whole = records(dinogen, *options, "--n", "100")
        for skip in (0, 30, 60):
            part = records(dinogen, *options, "--n", "30", "--skip", str(skip))
            assert part == [record for record in whole if record["index"] >= skip][:30]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--prefix", "ß"), "prefix 'ß': unknown symbol 'ß'"),
        (("--pattern", "a[漢]"), "has no symbol of [漢]"),
        (("--min-length", "5", "--max-length", "4"), "min length 5 and max length 4: no name can"),
        (("--prefix", "abc", "--max-length", "2"), "prefix 'abc' and max length 2: no name can"),
        (("--pattern", ""), "pattern is empty; give one"),
        (("--pattern", "[ae"), "pattern '[ae': [ is not closed; write ] after the set"),
        (("--prefix", "a", "--prefix", "ß"), "prefix 'ß': unknown symbol 'ß'"),
        (("--contains", "x", "--not-contains", "X"), "contains 'x' and not contains 'X': no name"),
        (("--min-distance", "2", "--allow-known"), "min distance contradicts allow known"),
        (("--contains", "a\nb"), "unknown symbol '\\n'"),
    ],
)
def test_impossible_constraints(refused: Refused, options: tuple[str, ...], message: str) -> None:
    """A constraint that no name can satisfy is refused by name."""
    assert message in refused("sample", BUNDLED, "--seed", "1", *options, status=2)


# Case and scripts.


def test_capitals_are_restored(thousand: list[str], dinogen: Run, tmp_path: Path) -> None:
    """Names begin with a capital if those of the list do."""
    assert all(name == name.capitalize() for name in thousand)
    (tmp_path / "n.txt").write_text("\n".join(TINY).lower())
    dinogen("train", "n.txt", "--steps", "20", "--hidden", "8", "--seed", "1")
    small = dinogen("sample", "--n", "50", "--seed", "1", *ANY).stdout
    assert small == small.lower()


def test_words_within_a_name_have_capitals(dinogen: Run, tmp_path: Path) -> None:
    """Words inside a name begin with a capital if those of the list do."""
    (tmp_path / "n.txt").write_text("Ab-Ab Ab\nBa-Ba Ba\nAb-Ba'a Ab\nBa Ab-Ba'a\n")
    dinogen("train", "n.txt", "--steps", "60", "--hidden", "8", "--seed", "1")
    names = dinogen("sample", "--n", "100", "--seed", "1", *ANY).stdout
    assert "-" in names
    assert "'" in names
    for before, after in zip("\n" + names, names, strict=False):
        assert after == (after.upper() if before in "\n- " else after.lower())


needs_ascii_path = pytest.mark.skipif(
    not sys.prefix.isascii(), reason="Python does not start from this path in an ASCII locale"
)
ASCII_LOCALE = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture(scope="session")
def greek_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of Greek names. Read only."""
    corpus = (CORPORA / "greek-names.txt").read_bytes()
    options = ("--seed", "1", "--steps", "20", "--hidden", "8")
    return train(tmp_path_factory.mktemp("greek"), corpus, *options)


@needs_ascii_path
def test_names_are_utf8_in_any_locale(dinogen: Run, greek_checkpoint: Path) -> None:
    """Greek names are written in UTF-8 in every locale."""
    locales = (
        {"LC_ALL": "C", "LANG": "C"},
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        ASCII_LOCALE,
    )
    sample = ("sample", greek_checkpoint, "--n", "20", "--seed", "1")
    results = side_by_side(lambda locale: dinogen(*sample, env=locale), locales)
    assert [(result.returncode, result.stderr) for result in results] == [(0, "")] * 3
    (names,) = {result.stdout for result in results}
    assert set("αεο") <= set(names)
    greek = (CORPORA / "greek-names.txt").read_text(encoding="utf-8")
    assert set(names.lower()) <= set(greek.lower())


@needs_ascii_path
def test_names_are_read_in_any_locale(dinogen: Run, tmp_path: Path, greek_checkpoint: Path) -> None:
    """Greek names can be trained on, shown and scored in an ASCII locale."""
    greek = (CORPORA / "greek-names.txt").read_bytes()
    quick = ("--steps", "20", "--hidden", "8", "--seed", "1")
    trained = dinogen("train", "-", *quick, stdin=greek, env=ASCII_LOCALE)
    assert (trained.returncode, trained.stdout) == (0, "dinogen.npz\n")
    assert set("αεοσι") & set(trained.stderr)
    assert content(tmp_path / "dinogen.npz") == content(greek_checkpoint)
    shown, scored = side_by_side(
        lambda options: dinogen("inspect", *options, stdin=greek, env=ASCII_LOCALE),
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
    """When the reader closes the pipe, the command ends with status 0, silently."""
    args: list[str | Path] = ["sample", edda_checkpoint, "--n", "10000000", "--seed", "1"]
    done = pipe_to_head(tmp_path, *args, *(["--json"] if as_json else []))
    assert (done.returncode, done.stderr) == (0, b"")
    first = json.loads(done.stdout)["name"] + "\n" if as_json else done.stdout.decode()
    assert first == thousand[0]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_train_in_a_pipeline(edda: Path, tmp_path: Path) -> None:
    """A list can come from a pipe, and the path of the checkpoint can go into one."""
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
