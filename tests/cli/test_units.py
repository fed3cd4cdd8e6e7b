"""Korean names and names of words from end to end, through the commands."""

import json
from pathlib import Path
from unicodedata import normalize

import pytest

from tests.cli.conftest import Refused, train
from tests.conftest import Run

KOREAN = [
    f"{last}{first}"
    for last in ("김", "이", "박", "최", "피", "핀")
    for first in ("민준", "서연", "지우", "하은", "도윤", "영호", "나라", "가람", "예린", "사랑")
]

PHONEMES = [
    f"{onset} {vowel} {coda}".strip()
    for onset in ("t͡ʃ", "k", "s t", "p", "d͡ʒ", "K")
    for vowel in ("æ", "iː", "ə", "ʊ")
    for coda in ("", "l", "n d", "ks")
]

QUICK = ("--seed", "1", "--steps", "200", "--hidden", "16", "--holdout", "0.1")


@pytest.fixture(scope="module")
def korean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of Korean names."""
    return train(tmp_path_factory.mktemp("korean"), "\n".join(KOREAN).encode(), *QUICK)


@pytest.fixture(scope="module")
def phonemes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of names of phonemes."""
    corpus = "\n".join(PHONEMES).encode()
    return train(tmp_path_factory.mktemp("phonemes"), corpus, *QUICK, "--unit", "word")


def lines(run: Run, *args: str | Path) -> list[str]:
    """Run a command that must succeed, and return its lines."""
    result = run(*args)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


# Korean.


def test_korean_names_are_complete_syllables(dinogen: Run, korean: Path) -> None:
    """At any temperature, names are precomposed syllables, as long as those of the list."""
    for options in ((), ("--temperature", "3")):
        names = lines(dinogen, "sample", korean, "--n", "200", "--seed", "1", *options)
        assert len(names) == 200
        for name in names:
            assert normalize("NFC", name) == name
            assert all("가" <= symbol <= "힣" for symbol in name)
            assert len(name) == 3


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--prefix", "ㅍ"), lambda name: "파" <= name[0] < "하"),
        (("--prefix", "피"), lambda name: name[0] == "피"),
        (("--prefix", "핀"), lambda name: name[0] == "핀"),
        (("--suffix", "ㄴ"), lambda name: normalize("NFD", name)[-1] == normalize("NFD", "핀")[-1]),
        (("--not-contains", "ㅣ"), lambda name: normalize("NFD", "피")[-1] not in _nfd(name)),
        (("--pattern", "[가-맇]?ㅎ"), lambda name: name[0] <= "맇" and name[2] >= "하"),
        (("--max-length", "2"), lambda name: len(name) <= 2),
        (("--min-length", "4", "--max-length", "4"), lambda name: len(name) == 4),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_constraints_on_korean_names(
    dinogen: Run, korean: Path, options: tuple[str, ...], expected: object
) -> None:
    """Letters match letters, syllables whole syllables, and lengths count syllables."""
    options = (*options, "--temperature", "2")
    names = lines(dinogen, "sample", korean, "--n", "20", "--seed", "1", *options)
    assert len(names) == 20
    assert callable(expected)
    assert all(map(expected, names))


def _nfd(name: str) -> str:
    return normalize("NFD", name)


def test_numbers_of_korean_names(dinogen: Run, korean: Path) -> None:
    """Lengths count syllables, and the end, in samples and in scores."""
    sampled = [
        json.loads(line)
        for line in lines(dinogen, "sample", korean, "--n", "5", "--seed", "1", "--json")
    ]
    assert [each["symbols"] for each in sampled] == [4] * 5
    assert not any("words" in each for each in sampled)
    text = "".join(f"{each['name']}\n" for each in sampled)
    for form in ("NFC", "NFD"):
        result = dinogen("inspect", korean, "--score", "-", "--json", stdin=normalize(form, text))
        scored = [json.loads(line) for line in result.stdout.splitlines()]
        assert [each["nats"] for each in scored] == [each["nats"] for each in sampled]
        assert [each["symbols"] for each in scored] == [4] * 5
        assert [each["name"] for each in scored] == [each["name"] for each in sampled]


def test_korean_names_that_are_left_out(dinogen: Run, korean: Path, tmp_path: Path) -> None:
    """A list in normal form D excludes the names, and a letter in a list avoids it."""
    names = lines(dinogen, "sample", korean, "--n", "20", "--seed", "1")
    (tmp_path / "taken.txt").write_text(normalize("NFD", "\n".join(names[:10])), "utf-8")
    rest = lines(
        dinogen, "sample", korean, "--n", "10", "--seed", "1", "--exclude", tmp_path / "taken.txt"
    )
    assert rest == names[10:]
    (tmp_path / "rude.txt").write_text("김\nㅊ\n", "utf-8")
    clean = lines(
        dinogen, "sample", korean, "--n", "20", "--seed", "1", "--avoid", tmp_path / "rude.txt"
    )
    assert all("김" not in name and "최" not in name for name in clean)


def test_letters_are_readable(dinogen: Run, korean: Path, refused: Refused) -> None:
    """The views and the messages have no conjoining letters."""
    views = [
        lines(dinogen, "inspect", korean),
        lines(dinogen, "inspect", korean, "--next", "피"),
        lines(dinogen, "inspect", korean, "--next", "ㅍ"),
        lines(dinogen, "inspect", korean, "--symbols"),
    ]
    scores = dinogen("inspect", korean, "--score", "-", stdin="피하\n툵\n핀\n").stdout
    for text in (*map("\n".join, views), scores):
        assert not any("\u1100" <= symbol <= "\u11ff" for symbol in text)
    summary = "\n".join(views[0])
    assert "60 names of 3 symbols" in summary
    assert "nats per letter" in summary
    assert views[2][1].startswith("ㅣ ")
    assert "unknown symbol ㅌ" in scores
    assert "unknown symbol 'ㅌ'" in refused("sample", korean, "--prefix", "툵", status=2)


# Words.


def test_names_of_words(dinogen: Run, phonemes: Path) -> None:
    """One space is between the words of the list, and their case stays."""
    known = set(" ".join(PHONEMES).split())
    names = lines(dinogen, "sample", phonemes, "--n", "50", "--seed", "1")
    assert len(names) == 50
    for name in names:
        assert set(name.split(" ")) <= known
        assert name not in PHONEMES
        assert 2 <= len(name.split(" ")) <= 5
    assert any("K" in name for name in names)
    assert any("k" in name for name in names)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--prefix", "t͡ʃ æ"), lambda words: words[:2] == ["t͡ʃ", "æ"]),
        (("--prefix", "k"), lambda words: words[0] == "k"),
        (("--suffix", " n  d "), lambda words: words[-2:] == ["n", "d"]),
        (("--contains", "iː n"), lambda words: " iː n " in f" {' '.join(words)} "),
        (("--not-contains", "s t"), lambda words: " s t " not in f" {' '.join(words)} "),
        (("--pattern", "[k p] ? * d"), lambda words: words[0] in "kp" and words[-1] == "d"),
        (("--min-length", "6", "--max-length", "6"), lambda words: len(words) == 6),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_constraints_on_words(
    dinogen: Run, phonemes: Path, options: tuple[str, ...], expected: object
) -> None:
    """Texts are words, and lengths count them."""
    options = (*options, "--temperature", "2", "--max-length", "9")[: len(options) + 2]
    names = lines(dinogen, "sample", phonemes, "--n", "10", "--seed", "1", *options)
    assert len(names) == 10
    assert callable(expected)
    assert all(expected(name.split(" ")) for name in names)


def test_json_of_names_of_words(dinogen: Run, phonemes: Path) -> None:
    """A sample has its words. The description has the unit and the words of the list."""
    for line in lines(dinogen, "sample", phonemes, "--n", "5", "--seed", "1", "--json"):
        record = json.loads(line)
        assert record["words"] == record["name"].split(" ")
        assert record["symbols"] == len(record["words"]) + 1
    about = json.loads("\n".join(lines(dinogen, "inspect", phonemes, "--json")))
    assert about["unit"] == "word"
    assert about["symbols"] == sorted(set(" ".join(PHONEMES).split()))
    assert (about["corpus"]["shortest"], about["corpus"]["longest"]) == (2, 5)
    bundled = json.loads("\n".join(lines(dinogen, "inspect", "--json")))
    assert bundled["unit"] == "character"


def test_views_of_words(dinogen: Run, phonemes: Path) -> None:
    """Words are shown as they are."""
    summary = "\n".join(lines(dinogen, "inspect", phonemes))
    assert "96 names of 2 to 5 words" in summary
    assert "nats per word" in summary
    assert "t͡ʃ" in summary
    following = lines(dinogen, "inspect", phonemes, "--next", "s")
    assert following[1].startswith("t ")
    assert any(line.startswith("t͡ʃ ") for line in lines(dinogen, "inspect", phonemes, "--symbols"))
    scores = dinogen("inspect", phonemes, "--score", "-", stdin="k  æ\tl\nzz æ\n").stdout
    known, unknown = scores.splitlines()
    assert "k æ l" in known
    assert "known" in known
    assert "unknown word zz" in unknown
    result = dinogen("inspect", phonemes, "--score", "-", "--json", stdin="zz æ\n").stdout
    assert json.loads(result)["unknown"] == "zz"


def test_names_of_words_that_are_left_out(dinogen: Run, phonemes: Path, tmp_path: Path) -> None:
    """Lists are read as words, and an edit is one word."""
    names = lines(dinogen, "sample", phonemes, "--n", "12", "--seed", "1")
    (tmp_path / "taken.txt").write_text("\t" + "\n".join(names[:6]).replace(" ", "  "), "utf-8")
    rest = lines(
        dinogen, "sample", phonemes, "--n", "6", "--seed", "1", "--exclude", tmp_path / "taken.txt"
    )
    assert rest == names[6:]
    options = ("--min-distance", "2", "--temperature", "3", "--max-length", "7")
    for name in lines(dinogen, "sample", phonemes, "--n", "10", "--seed", "1", *options):
        words = name.split(" ")
        assert all(words[:i] + words[i + 1 :] not in LISTS for i in range(len(words)))
        assert not any(_one_replaced(words, known) for known in LISTS)


LISTS = [name.split(" ") for name in PHONEMES]


def _one_replaced(words: list[str], known: list[str]) -> bool:
    """Whether names of the same length differ in one word."""
    return len(words) == len(known) and sum(map(str.__ne__, words, known)) < 2


def test_messages_about_words(refused: Refused, phonemes: Path, tmp_path: Path) -> None:
    """Unknown words and open brackets are named."""
    message = refused("sample", phonemes, "--prefix", "k zz", status=2)
    assert "prefix 'k zz': unknown word 'zz'; dinogen inspect --json lists the words" in message
    assert "[ is not closed" in refused("sample", phonemes, "--pattern", "k [æ", status=2)


def test_training_on_words_is_resumed_as_such(dinogen: Run, tmp_path: Path) -> None:
    """The checkpoint says what a symbol is. Another unit is refused."""
    (tmp_path / "names.txt").write_text("\n".join(PHONEMES), "utf-8")
    command = ("train", "names.txt", "-q", "--seed", "1", "--hidden", "8", "--steps")
    assert dinogen(*command, "10", "--unit", "word").returncode == 0
    result = dinogen(*command, "20", "--unit", "character", "--resume")
    assert result.returncode == 2
    assert "--unit cannot change when training continues" in result.stderr
    assert dinogen(*command, "20", "--resume").returncode == 0
    about = json.loads(dinogen("inspect", "--json").stdout)
    assert (about["unit"], about["training"]["steps"]) == ("word", 20)


def test_options_that_contradict_words(refused: Refused, tmp_path: Path) -> None:
    """The classic recipe learns characters, and words are never folded."""
    (tmp_path / "names.txt").write_text("a b\nb a\n", "utf-8")
    options = ("--recipe", "classic", "--unit", "word")
    message = refused("train", "names.txt", *options, status=2)
    assert "--unit is fixed in the classic recipe; leave --unit out" in message
    message = refused("train", "names.txt", "--unit", "word", "--case", "fold", status=2)
    assert "--unit word learns words as they are; leave --case fold out" in message
