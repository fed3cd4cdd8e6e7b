"""Blends of trained models: scripts, words, known names, constraints, and the stream of names."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from dinogen import (
    BlendedModel,
    CheckpointError,
    DefaultRun,
    Model,
    RanOutError,
    SettingError,
    blend,
    load,
    read_corpus,
    read_texts,
)
from tests.conftest import CORPORA
from tests.data.test_search import edits

KOREAN = "김민수 이서연 박지훈 최유진 정하늘 강민준 조서현 윤지우 장예은 임도현 한소희 오세훈"
THAI = "สมชาย สมหญิง ประเสริฐ สุรชัย วิชัย นภา มาลี กิตติ พิมพ์ใจ อรุณ ดวงใจ เพชร แก้ว กุ้ง"
LATIN = "Anna Berta Carla Dora Emil Frieda Gustav Hanna Irma Johanna Karl Lena Martha Nora Otto"
CAPITALS = "SMITH JOHNSON WILLIAMS BROWN JONES GARCIA MILLER DAVIS WILSON ANDERSON TAYLOR"

FREE: dict[str, Any] = {"temperature": 1.0}


@cache
def trained(names: str, **options: Any) -> Model:
    """Return n-grams of the names in a text, which are trained at once."""
    unit = options.get("unit", "character")
    lines = names.split(";") if unit == "word" else names.split()
    with TemporaryDirectory() as folder:
        path = Path(folder, "names.txt")
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return model_of(path, **options)


@cache
def listed(name: str) -> Model:
    """Return n-grams of a list of the folder `corpora`."""
    return model_of(CORPORA / f"{name}.txt")


def model_of(path: Path, **options: Any) -> Model:
    """Train n-grams on a list."""
    corpus = read_corpus([path], **options)
    run = DefaultRun.start(corpus, seed=1, hidden_size=0)
    for _ in run.train():
        pass
    return Model(run.checkpoint())


def names_of(*names: str) -> set[str]:
    """Return the names of lists in small letters."""
    texts = ((CORPORA / f"{name}.txt").read_text(encoding="utf-8") for name in names)
    return {line.lower() for text in texts for line in text.splitlines()}


def weave() -> BlendedModel:
    """Return a blend of two lists with different letters."""
    return blend([listed("edda"), listed("places-finland")], weights=[2, 3])


# The distribution.


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("options", [{}, FREE, {"suffix": "us"}], ids=str)
def test_a_blend_of_one_model_writes_its_names(options: dict[str, Any], copies: int) -> None:
    """A model alone, or blended with itself, writes the names that it writes without a blend."""
    model = listed("dinosaurs")
    assert blend([model] * copies).sample(60, 1, **options) == model.sample(60, 1, **options)


def test_the_order_of_the_models_changes_nothing() -> None:
    """With the weights in the same order, the names are the same; other weights change them."""
    models = [listed("edda"), listed("places-finland")]
    names = blend(models, [0.7, 0.3]).sample(200, 1)
    assert blend(models[::-1], [0.3, 0.7]).sample(200, 1) == names
    assert blend(models, [7, 3]).sample(200, 1) == names
    assert blend(models, [0.3, 0.7]).sample(200, 1) != names
    assert blend(models, [0.5, 0.5]).sample(200, 1) == blend(models).sample(200, 1) != names


def test_weights_say_how_much_of_each_model_is_in_the_names() -> None:
    """The ending of the dinosaurs is rarer, the lower their weight is."""
    models = [listed("edda"), listed("dinosaurs")]
    shares = []
    for weight in (0.02, 0.2, 0.5, 0.8, 0.98):
        names = blend(models, [1 - weight, weight]).sample(500, 1, **FREE)
        shares.append(sum(name.endswith("us") for name in names))
    assert shares == sorted(shares)
    assert shares[0] < 10 < 150 < shares[-1]


def test_a_blend_of_three_models() -> None:
    """Names have the letters of all lists, and lengths from the shortest to the longest."""
    lists = ("edda", "places-finland", "dinosaurs")
    names = blend([listed(name) for name in lists]).sample(3_000, 1, **FREE)
    letters = {*"".join(names_of(*lists))}
    assert {*"".join(names).lower()} == letters
    lengths = [len(name) for name in names_of(*lists)]
    assert min(map(len, names)) == min(lengths)
    assert max(map(len, names)) <= max(lengths)


@pytest.mark.parametrize("options", [{}, FREE, {"contains": "a"}], ids=str)
def test_n_changes_no_name(options: dict[str, Any]) -> None:
    """Name i depends on the models, the weights, the seed and i alone."""
    names = weave().sample(700, 5, **options)
    assert len(set(names)) == 700
    for n in (1, 16, 17, 300):
        assert weave().sample(n, 5, **options) == names[:n]
    assert weave().sample(20, "5", **options) == names[:20]
    assert not set(weave().sample(20, 6, **options)) & set(names[:20])


# The default decoding.


def test_the_default_is_that_of_the_model_that_leaves_out_the_least() -> None:
    """A long list is decoded less strictly than a short one, and the blend like the long one."""
    short, long = listed("edda"), listed("dinosaurs")
    assert (short.namer.default.min_p or 0) > (long.namer.default.min_p or 0) > 0
    for models in ([short, long], [long, short]):
        assert blend(models).namer.default == long.namer.default
    memorised = trained("alexander benjamin")
    assert memorised.namer.default.min_p is None
    assert blend([short, memorised, long]).namer.default == memorised.namer.default


# Scripts, words and case.


@pytest.mark.parametrize(
    ("texts", "scripts"),
    [
        ((KOREAN, LATIN), ("[가-힣]+", "[A-Za-z]+")),
        ((THAI, LATIN), ("[ก-๛]+", "[A-Za-z]+")),
        ((KOREAN, THAI, LATIN), ("[가-힣]+", "[ก-๛]+", "[A-Za-z]+")),
    ],
    ids=["Korean", "Thai", "three"],
)
def test_scripts_are_not_mixed_within_a_name(texts: Sequence[str], scripts: Sequence[str]) -> None:
    """Each name is in the script of its first symbol, and each script is written."""
    names = blend([trained(text) for text in texts]).sample(300, 1, **FREE)
    found = [sum(bool(re.fullmatch(script, name)) for name in names) for script in scripts]
    assert sum(found) == 300
    assert min(found) > 30


def test_greek_and_latin() -> None:
    """Capitals and the final sigma are right in both scripts."""
    names = blend([listed("greek-names"), listed("dinosaurs")]).sample(300, 1)
    greek = [name for name in names if re.fullmatch("[Α-ΩΆ-Ώ][α-ωά-ώΐΰ]+", name)]
    latin = [name for name in names if re.fullmatch("[A-Z][a-z]+", name)]
    assert len(greek) + len(latin) == 300
    assert min(len(greek), len(latin)) > 50
    assert any(name.endswith("ς") for name in greek)
    assert not any("ς" in name[:-1] for name in greek)


def test_words() -> None:
    """Words of both lists occur in one name."""
    models = [
        trained("k æ t;k æ p;t æ p;p æ t;t æ k", unit="word"),
        trained("d æ g;d o g;g o d;g æ d", unit="word"),
    ]
    names = blend(models).sample(30, 1, **FREE)
    assert all(set(name.split(" ")) <= {*"kætpdog"} for name in names)
    assert any(set(name) & {*"ktp"} and set(name) & {*"dog"} for name in names)
    assert not {*names} & {"k æ t", "d o g", "g æ d"}
    prefixed = blend(models).sample(5, 1, prefix="d o", allow_repeats=True, **FREE)
    assert all(name.startswith("d o") for name in prefixed)


def test_a_list_in_capitals() -> None:
    """Its letters are those of the other list, and no name of either list is written."""
    names = blend([trained(LATIN), trained(CAPITALS)]).sample(300, 1, **FREE)
    assert all(name == name.capitalize() for name in names)
    known = {*LATIN.lower().split(), *CAPITALS.lower().split()}
    assert not {name.lower() for name in names} & known
    assert blend([trained(CAPITALS)] * 2).sample(1, 1)[0].isupper()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": "word"}, "one writes characters and the other words; blend models"),
        ({"fold_case": False}, "only one keeps the case of its list; blend models"),
    ],
    ids=["unit", "case"],
)
def test_models_that_cannot_be_blended(options: dict[str, Any], message: str) -> None:
    """The message has both models, the reason, and what to do."""
    model, other = trained(LATIN), trained("k t;t k", **options)
    with pytest.raises(CheckpointError, match=f"^model 3 and model 1: {message} that were"):
        blend([model, model, other])
    with pytest.raises(CheckpointError, match=f"^model 2 and model 1: {message} that were"):
        blend([other, model])


def test_messages_have_the_paths(tmp_path: Path) -> None:
    """A model that was loaded from a file is called by it."""
    for name, options in (("one.npz", {}), ("two.npz", {"fold_case": False})):
        trained(LATIN, **options).save(tmp_path / name)
    models = [load(tmp_path / name) for name in ("one.npz", "two.npz")]
    with pytest.raises(CheckpointError) as error:
        blend(models)
    assert str(error.value).startswith(f"{tmp_path / 'two.npz'} and {tmp_path / 'one.npz'}: ")


def test_models_that_keep_case() -> None:
    """If all lists keep their case, capitals and small letters are different symbols."""
    models = [trained(text, fold_case=False) for text in (LATIN, CAPITALS)]
    names = blend(models).sample(100, 1, **FREE)
    assert any(name.isupper() for name in names)
    assert any(name[1:].islower() for name in names)


@pytest.mark.parametrize(
    ("models", "weights", "message"),
    [
        (0, None, "a blend needs at least one model"),
        (0, [], "a blend needs at least one model"),
        (2, [1], "a blend of 2 models needs 2 weights, not 1"),
        (2, [1, 2, 3], "a blend of 2 models needs 2 weights, not 3"),
        (2, [1, 0], "weight must be from 0.000001 to 1,000,000, not 0"),
        (2, [-1, 2], "weight must be from 0.000001 to 1,000,000, not -1"),
        (2, [1, float("nan")], "weight must be from 0.000001 to 1,000,000, not nan"),
        (2, [1, float("inf")], "weight must be from 0.000001 to 1,000,000, not inf"),
    ],
)
def test_wrong_weights(models: int, weights: list[float] | None, message: str) -> None:
    """Each model needs a weight above 0."""
    with pytest.raises(SettingError, match=f"^{re.escape(message)}$"):
        blend([trained(LATIN)] * models, weights)


# Running text.


@cache
def text_model(text: str, unit: str = "character") -> Model:
    """Return n-grams of a running text."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "text.txt")
        path.write_text(text, encoding="utf-8")
        run = DefaultRun.start(read_texts([path], unit=unit), seed=1, hidden_size=0, order=3)
        for _ in run.train():
            pass
        return Model(run.checkpoint())


SONNETS = (CORPORA / "sonnets.txt").read_text("utf-8")[:6_000]
RHYME = "Þórr ók til Ásgarðs\nok sá hann Loka þar\n\n" * 20


def text_blend(*weights: float) -> BlendedModel:
    """Return a blend of two texts with different letters."""
    return blend([text_model(SONNETS), text_model(RHYME)], weights or None)


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("options", [{}, FREE, {"prefix": "Shall I\n"}], ids=str)
def test_a_blend_of_one_text_writes_its_texts(options: dict[str, Any], copies: int) -> None:
    """A model alone, or blended with itself, writes what it writes without a blend."""
    model = text_model(SONNETS)
    blended = blend([model] * copies)
    assert blended.writes_text
    assert blended.sample(2, 1, length=300, **options) == model.sample(2, 1, length=300, **options)


def test_weights_say_how_much_of_each_text_is_written() -> None:
    """The letters that only one text has are rarer, the lower its weight is."""
    shares = []
    for weight in (0.02, 0.3, 0.7, 0.98):
        (text,) = text_blend(1 - weight, weight).sample(1, 1, length=3_000, **FREE)
        shares.append(sum(symbol in "Þóþðá" for symbol in text))
    assert shares == sorted(shares)
    assert shares[0] < 20 < 200 < shares[-1]
    (text,) = text_blend().sample(1, 1, length=5_000, **FREE)
    assert {*"Þóþkwy\n"} < {*text} <= {*SONNETS, *RHYME}


@pytest.mark.parametrize("prompt", ["Þó", "thy", "thy Þórr\n\nsá"])
def test_a_prompt_that_only_one_text_has(prompt: str) -> None:
    """The prompt is written as it is, and the text goes on behind it."""
    for text in text_blend().sample(3, 2, prefix=prompt, length=40):
        assert text.startswith(prompt)
        assert len(text) == len(prompt) + 40
    with pytest.raises(SettingError, match="unknown symbol '漢'"):
        text_blend().sample(1, prefix="漢")


def test_texts_and_names_are_not_blended() -> None:
    """Nor are characters and words. A blend of texts has no names."""
    for models, message in (
        ([text_model(SONNETS), listed("edda")], "one writes names and the other running text"),
        ([listed("edda"), text_model(SONNETS)], "one writes names and the other running text"),
        ([text_model(SONNETS), text_model(RHYME, "word")], "characters and the other words"),
    ):
        with pytest.raises(CheckpointError, match=f"^model 2 and model 1: .*{message}"):
            blend(models)
    with pytest.raises(CheckpointError, match="running text, and not names"):
        _ = text_blend().namer
    with pytest.raises(CheckpointError, match="write names, and not running text"):
        _ = weave().writer
    with pytest.raises(SettingError, match="suffix is for names"):
        text_blend().sample(1, suffix="x")


# Known names.


@pytest.mark.parametrize("options", [{}, {"prefix": ("s", "h")}], ids=["plain", "constrained"])
def test_known_names_of_all_lists_are_left_out(options: dict[str, Any]) -> None:
    """Without the option, no name of a list is written; with it, names of each list are."""
    known = [names_of("edda"), names_of("places-finland")]
    sampled = {**options, "temperature": 0.7}
    names = {name.lower() for name in weave().sample(400, 1, **sampled)}
    assert not names & (known[0] | known[1])
    allowed = {name.lower() for name in weave().sample(400, 1, allow_known=True, **sampled)}
    assert all(allowed & some for some in known)
    distant = {name.lower() for name in weave().sample(40, 1, min_distance=2, **sampled)}
    every = known[0] | known[1]
    assert not any(edits(name, other) <= 1 for name in distant for other in every)
    assert any(edits(name, other) <= 1 for name in names for other in every)


def test_excluded_and_avoided_texts() -> None:
    """They may have symbols of either list, in any case."""
    names = weave().sample(200, 1)
    excluded = [name.upper() for name in names[::2]]
    assert weave().sample(100, 1, exclude=excluded) == names[1::2]
    kept = [name for name in names if not re.search("ä|sk", name.lower())]
    assert 0 < len(kept) < 200
    assert weave().sample(len(kept), 1, avoid=["Ä", "sk", "ß"]) == kept


# Constraints.


@pytest.mark.parametrize("prefix", ["æ", "ä", "Æv", "väö", "æä"])
def test_a_prefix_that_only_one_model_can_write(prefix: str) -> None:
    """The other model begins anew behind it; no model can write the last prefix."""
    names = weave().sample(50, 1, prefix=prefix, **FREE)
    assert all(name.lower().startswith(prefix.lower()) for name in names)
    rest = "".join(name[len(prefix) :] for name in names)
    assert set("jk") < set(rest)


def test_constraints_of_both_scripts() -> None:
    """Constraints find the letters of a Korean syllable and a Latin name."""
    model = blend([trained(KOREAN), trained(LATIN)])
    assert all(re.match("[가-깋]", name) for name in model.sample(20, 1, prefix="ㄱ", **FREE))
    assert all(name.endswith("a") for name in model.sample(20, 1, suffix="a", **FREE))
    lengths = [len(name) for name in model.sample(100, 1, max_length=4, **FREE)]
    assert {*lengths} == {3, 4}
    with pytest.raises(SettingError, match="unknown symbol 'ß'"):
        model.sample(1, prefix="ß")
    with pytest.raises(RanOutError):
        model.sample(10, pattern="김민수", **FREE)
