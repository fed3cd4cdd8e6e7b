"""Running text through the commands: ``train --text``, and ``sample`` with what it trained.

Most commands run in this process, which takes less time than another one.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from dinogen import blend, load
from dinogen.cli import BUNDLED
from tests.cli.conftest import content, read_arrays, snapshot, train
from tests.conftest import CORPORA, Run, pipe_to_head
from tests.torture.commands import Ended, run

SONNETS = (CORPORA / "sonnets.txt").read_text("utf-8")
ONE, TWO = SONNETS[:5_000], SONNETS[-4_000:]

QUICK = ("--text", "--steps", "20", "--hidden", "8", "--batch-size", "8", "--window", "16")
SEEDED = (*QUICK, "--order", "3", "--seed", "1")


@pytest.fixture(scope="module")
def text_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of running text. Read only."""
    return train(tmp_path_factory.mktemp("one"), ONE.encode(), *SEEDED)


@pytest.fixture(scope="module")
def other_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of another text with other symbols, n-grams alone. Read only."""
    text = f"{TWO}Þórr\tok Loki\n"
    options = ("--text", "--hidden", "0", "--order", "3", "--seed", "1")
    return train(tmp_path_factory.mktemp("other"), text.encode(), *options)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands in this process write nowhere else."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def texts(tmp_path: Path) -> tuple[Path, Path]:
    """The files of two texts."""
    paths = tmp_path / "one.txt", tmp_path / "two.txt"
    for path, text in zip(paths, (ONE, TWO), strict=True):
        path.write_bytes(text.encode())
    return paths


def trained(*args: str | Path, stdin: bytes = b"") -> Ended:
    """Run ``train``, which must succeed."""
    ended = run("train", *map(str, args), stdin=stdin, may_write=True)
    assert ended.status == 0, ended
    return ended


def written(*args: str | Path) -> str:
    """Run ``sample``, which must succeed without a word on stderr, and return what it prints."""
    ended = run("sample", *map(str, args))
    assert (ended.status, ended.stderr) == (0, "")
    return ended.stdout


def records(*args: str | Path) -> list[dict[str, Any]]:
    """Run ``sample --json`` and parse what it prints."""
    return [json.loads(line) for line in written(*args, "--json").splitlines()]


def refused(*args: str | Path, status: int, stdin: bytes = b"") -> str:
    """Run a command that must fail: it prints one line on stderr and changes no file."""
    before = snapshot(Path.cwd())
    ended = run(*map(str, args), stdin=stdin, may_write=True)
    assert (ended.status, ended.stdout) == (status, ""), ended
    assert snapshot(Path.cwd()) == before
    assert ended.stderr.startswith("dinogen: ")
    assert ended.stderr.index("\n") == len(ended.stderr) - 1, ended.stderr
    return ended.stderr


# Training.


def test_what_is_printed(dinogen: Run, texts: tuple[Path, Path], tmp_path: Path) -> None:
    """Symbols are counted instead of names. A line of progress has what the network writes."""
    result = dinogen("train", *texts, *SEEDED)
    assert (result.returncode, result.stdout) == (0, "dinogen.npz\n")
    plan, first, last, summary = result.stderr.splitlines()
    size = len(ONE) + (not ONE.endswith("\n")) + len(TWO)
    assert re.match(
        rf"{size:,} symbols: vanilla RNN, 8 hidden units, 20 steps of 8 x 16 symbols, learning ",
        plan,
    )
    assert first.startswith("step  1  loss: training ")
    assert last.startswith("step 20  loss: training ")
    _, meta = read_arrays(tmp_path / "dinogen.npz")
    held_out = meta["held_out"]["size"]
    assert summary.startswith(f"trained on {size - held_out:,} symbols in ")
    assert f"; loss on {held_out:,} held-out symbols: " in summary
    assert (meta["corpus"]["content"], meta["corpus"]["texts"]) == ("text", 2)
    assert meta["corpus"]["symbols"] == size
    settings = meta["training"]["settings"]
    assert (settings["batch_size"], settings["window"], settings["start"]) == (8, 16, "scratch")


def test_the_same_text_and_seed_give_the_same_checkpoint(
    texts: tuple[Path, Path], tmp_path: Path, text_checkpoint: Path
) -> None:
    """From a file or a pipe, with other ends of lines; another seed gives another network."""
    one, _ = texts
    expected = content(text_checkpoint)
    crlf = ONE.replace("\n", "\r\n").encode()
    for number, (options, data) in enumerate(
        [
            ((), ONE.encode()),
            (("--case", "keep"), crlf),
            (("--encoding", "utf-16"), ONE.encode("utf-16")),
        ]
    ):
        trained("-", *SEEDED, *options, "-o", f"{number}.npz", stdin=data)
        assert content(tmp_path / f"{number}.npz") == expected
    trained(one, *QUICK, "--order", "3", "--seed", "2", "-o", "other.npz")
    assert content(tmp_path / "other.npz")[0]["network.Waa"] != expected[0]["network.Waa"]


@pytest.mark.parametrize(
    "options",
    [
        "--recipe classic",
        "--from base",
        "--from other.npz",
        "--case fold",
        "--keep-duplicates",
        "--column 1",
        "--column 1 --weights 2",
    ],
)
def test_options_of_names(options: str, texts: tuple[Path, Path]) -> None:
    """Each is refused by name, with the reason."""
    name = options.split()[0]
    line = refused("train", texts[0], "--text", *options.split(), status=2)
    assert line.startswith(
        f"dinogen: {name} is for names, and --text learns running text; leave {name} out; "
    )


def test_options_that_repeat_what_text_is(texts: tuple[Path, Path]) -> None:
    """These say what is so anyway."""
    options = ("--text", "--recipe", "default", "--case", "keep", "--from", "none")
    assert trained(texts[0], *options, "--hidden", "0", "-q").stderr == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--window 16", "--window is for running text; leave it out, or add --text"),
        ("--text --window 0", "'--window'"),
        ("--text --window 65537", "'--window'"),
        ("--text --hidden 0 --window 5", "--window has no effect with --hidden 0"),
        ("--text --steps 5 --epochs 2", "--steps and --epochs both set the training time"),
    ],
)
def test_options_that_contradict_each_other(
    options: str, message: str, texts: tuple[Path, Path]
) -> None:
    """They are refused before anything is learned."""
    assert message in refused("train", texts[0], *options.split(), status=2)


@pytest.mark.parametrize(
    ("text", "message"),
    [(b" \n\n", "contains no text"), (b"aaa", "only one symbol, 'a'"), (b"a\0b\n", "line 1")],
)
def test_what_is_no_text(text: bytes, message: str) -> None:
    """The message names standard input, and nothing is saved."""
    line = refused("train", "-", "--text", status=1, stdin=text)
    assert line.startswith("dinogen: standard input")
    assert message in line


# Resuming.


def test_resume_reads_the_text_again(
    texts: tuple[Path, Path], text_checkpoint: Path, tmp_path: Path
) -> None:
    """With or without ``--text``; a finished run is unchanged, and more steps continue it."""
    output = tmp_path / "dinogen.npz"
    output.write_bytes(text_checkpoint.read_bytes())
    for options in ((), SEEDED):
        assert trained(texts[0], "--resume", *options).stdout == "dinogen.npz\n"
        assert output.read_bytes() == text_checkpoint.read_bytes()
    trained(texts[0], "--resume", "--steps", "30")
    assert read_arrays(output)[1]["training"]["steps"] == 30


def test_resume_keeps_to_the_checkpoint(
    texts: tuple[Path, Path], text_checkpoint: Path, tmp_path: Path
) -> None:
    """Another text, window, unit or recipe is refused."""
    (tmp_path / "dinogen.npz").write_bytes(text_checkpoint.read_bytes())
    one, two = texts
    for paths in ((two,), (one, two)):
        line = refused("train", *paths, "--resume", status=1)
        assert line.startswith("dinogen: dinogen.npz: it was trained on another list or text")
    for option in ("--window 8", "--unit word", "--batch-size 7", "--case fold"):
        line = refused("train", one, "--resume", *option.split(), status=2)
        assert f"{option.split()[0]} cannot change when training continues" in line
    line = refused("train", one, "--resume", "--recipe", "classic", status=1)
    assert "resume with --recipe default" in line


def test_names_do_not_become_text(edda: Path, edda_checkpoint: Path, tmp_path: Path) -> None:
    """A model of names is not resumed with the options of text."""
    (tmp_path / "dinogen.npz").write_bytes(edda_checkpoint.read_bytes())
    for options in (("--text",), ("--window", "16")):
        line = refused("train", edda, "--resume", *options, status=2)
        assert f"{options[0]} cannot change when training continues" in line


# Writing.


def test_one_text_of_500_symbols_by_default(text_checkpoint: Path) -> None:
    """It ends with a newline, and its seed is printed and gives it again."""
    first, second = (run("sample", str(text_checkpoint)) for _ in range(2))
    assert first.stdout != second.stdout
    for result in (first, second):
        assert len(result.stdout) in (500, 501)
        assert result.stdout.endswith("\n")
        assert {*result.stdout} <= {*ONE}
    seed = first.stderr.split()[1]
    assert first.stderr == f"seed {seed} (to repeat this: --seed {seed})\n"
    assert written(text_checkpoint, "--seed", seed) == first.stdout


def test_the_length_counts_what_follows_the_prompt(text_checkpoint: Path) -> None:
    """The prompt is printed as it is; a shorter text is the beginning of a longer one."""
    prompt = "Shall I\n  compare th"
    sample = (text_checkpoint, "--seed", "3", "--prefix", prompt, "--length")
    texts = [written(*sample, str(n)) for n in (1, 40, 300)]
    for length, text in zip((1, 40, 300), texts, strict=True):
        assert text.startswith(prompt)
        assert len(text) == len(prompt) + length + (text[len(prompt) :][:length][-1] != "\n")
        assert texts[-1].startswith(text.removesuffix("\n"))


def test_forms_of_apostrophes_and_spaces_make_no_difference(text_checkpoint: Path) -> None:
    """A prompt is read with the apostrophes and spaces of the text, and printed with them."""
    sample = (text_checkpoint, "--seed", "3", "--length", "40", "--prefix")
    curly = written(*sample, "beauty\u2019s\u00a0rose")
    assert curly == written(*sample, "beauty's rose")
    assert curly.startswith("beauty's rose")


def test_several_texts_have_a_line_between_them(text_checkpoint: Path) -> None:
    """A percent sign stands between two texts, and the first one does not depend on ``--n``."""
    sample = (text_checkpoint, "--seed", "4", "--length", "60", "--prefix", "Love ")
    one, three, none = (written(*sample, "--n", n) for n in "130")
    found = three.split("%\n")
    assert found[0] == one
    assert len(found) == len(set(found)) == 3
    assert all(text.startswith("Love ") and text.endswith("\n") for text in found)
    assert none == ""
    model = load(text_checkpoint)
    texts = model.sample(3, 4, length=60, prefix="Love ")
    assert found == [text if text.endswith("\n") else f"{text}\n" for text in texts]


def test_the_fields_of_the_json(text_checkpoint: Path) -> None:
    """Text, nats, the number of symbols, the index and the seed. It has no words of characters."""
    options = ("--seed", "5", "--n", "2", "--length", "50", "--prefix", "And ")
    found = records(text_checkpoint, *options)
    texts = load(text_checkpoint).sample(2, 5, length=50, prefix="And ")
    assert [record["text"] for record in found] == texts
    for index, record in enumerate(found):
        assert [*record] == ["text", "nats", "symbols", "index", "seed"]
        assert (record["symbols"], record["index"], record["seed"]) == (50, index, 5)
        assert 20 < record["nats"] < 250
    # With top k 1, each symbol is the likeliest one, so the text is likelier.
    (likely,) = records(text_checkpoint, *options[:2], *options[4:], "--top-k", "1")
    assert likely["nats"] < min(record["nats"] for record in found)


def test_texts_of_words(texts: tuple[Path, Path]) -> None:
    """The length counts words and ends of lines; the JSON has the words."""
    options = ("--text", "--unit", "word", "--hidden", "0", "--order", "2", "--seed", "1", "-q")
    trained(texts[0], *options)
    (record,) = records("dinogen.npz", "--seed", "1", "--length", "30", "--prefix", "And   all")
    assert record["text"].startswith("And all")
    assert record["symbols"] == 30
    assert record["words"] == record["text"].split()
    assert len(record["words"]) - 2 + record["text"].count("\n") == 30
    line = refused("sample", "dinogen.npz", "--prefix", "And dinosaurs", status=2)
    assert "'And dinosaurs': unknown word 'dinosaurs'; dinogen inspect --json" in line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--suffix", "x"),
            "--suffix is for names, and the model writes running text; leave it out",
        ),
        (("--contains", "x"), "--contains is for names"),
        (("--not-contains", "x"), "--not-contains is for names"),
        (("--avoid", "missing.txt"), "--avoid is for names"),
        (("--exclude", "-"), "--exclude is for names"),
        (("--pattern", "*"), "--pattern is for names"),
        (("--min-length", "3"), "--min-length is for names"),
        (("--max-length", "3"), "--max-length is for names"),
        (("--min-distance", "2"), "--min-distance is for names"),
        (("--allow-known",), "--allow-known is for names"),
        (("--allow-repeats",), "--allow-repeats is for names"),
        (("--skip", "3"), "--skip is for names"),
        (("--prefix", "a", "--prefix", "b"), "--prefix is repeated; give it once"),
        (("--prefix", "ab\tж"), "'ab\\tж': unknown symbol '\\t'"),
        (("--length", "0"), "'--length'"),
        (("--length", "1000000001"), "'--length'"),
        (("--temperature", "0"), "'--temperature'"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_options_that_do_not_fit(
    options: tuple[str, ...], message: str, text_checkpoint: Path
) -> None:
    """They are refused before anything is written, and the seed is not printed."""
    assert message in refused("sample", text_checkpoint, *options, status=2)


def test_names_have_no_length() -> None:
    """The option is that of running text."""
    line = refused("sample", BUNDLED, "--length", "30", status=2)
    assert "--length is for running text, and the model writes names; for the length" in line


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize("more", [("--length", "900000000"), ("--n", "900000000", "--json")])
def test_pipe_to_head(more: tuple[str, ...], text_checkpoint: Path, tmp_path: Path) -> None:
    """A long text is written as it is drawn. When the reader closes the pipe, it ends silently."""
    done = pipe_to_head(tmp_path, "sample", text_checkpoint, "--seed", "1", *more)
    assert (done.returncode, done.stderr) == (0, b"")
    (text,) = load(text_checkpoint).sample(1, 1)
    first = json.loads(done.stdout)["text"] if "--json" in more else done.stdout.decode()
    assert text.startswith(first)


# Blends.


def test_texts_are_blended(text_checkpoint: Path, other_checkpoint: Path) -> None:
    """The command writes what the library does; weights change the text."""
    paths = (text_checkpoint, other_checkpoint)
    sample = (*paths, "--seed", "2", "--length", "200", "--n", "2", "--prefix", "Þ")
    even, uneven = (
        [record["text"] for record in records(*sample, *more)] for more in ([], ["--mix", "1,9"])
    )
    models = [load(path) for path in paths]
    assert even == blend(models).sample(2, 2, length=200, prefix="Þ")
    assert uneven == blend(models, [1, 9]).sample(2, 2, length=200, prefix="Þ")
    assert even != uneven


def test_text_is_not_blended_with_names(text_checkpoint: Path, edda_checkpoint: Path) -> None:
    """Both files are named, in either order."""
    for one, other in (
        (text_checkpoint, edda_checkpoint),
        (edda_checkpoint, text_checkpoint),
    ):
        line = refused("sample", one, other, status=1)
        assert line.startswith(f"dinogen: {other} and {one}: one writes names and the other ")
        assert "running text; blend models of one kind" in line
