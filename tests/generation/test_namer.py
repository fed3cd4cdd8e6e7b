"""The namer: constraints, novelty, positions in the stream, and running out of names."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Any
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dinogen import Model, load
from dinogen.bounds import as_seed
from dinogen.cli import BUNDLED
from dinogen.data import CaseRule, CorpusStats, KnownList, KnownNames, Vocabulary, digest
from dinogen.errors import RanOutError, SettingError
from dinogen.generation import (
    DEFAULT_OPTIONS,
    Decoding,
    Namer,
    NameRules,
    NameStream,
    Options,
    compile_constraints,
    count_grams,
    max_candidates,
    plan_lookahead,
)
from tests.conftest import CORPORA, Run
from tests.networks import random_network


@cache
def bundled() -> Model:
    """The bundled model of dinosaur names."""
    return load(BUNDLED)


@cache
def ngram_namer() -> Namer:
    """A namer of the n-grams of the bundled model alone, which is much faster."""
    namer = bundled().namer
    ngram = bundled().checkpoint.mixture.members["ngram"]
    # Without the names of the base, which only digests know.
    known = KnownNames(namer.known.lists[:1])
    return Namer(ngram, namer.vocabulary, namer.case, known, namer.rules, namer.default)


@cache
def training_names() -> frozenset[str]:
    """The training names of the bundled model, from the list itself, in lower case."""
    return frozenset((CORPORA / "dinosaurs.txt").read_text(encoding="utf-8").lower().splitlines())


@cache
def tiny() -> Namer:
    """A namer of short names of two letters. Its training names are "a" and "ba"."""
    network = random_network(3, 4, seed=11, dtype=np.float32)
    network.parameters["by"][...] = [-2.5, -0.84, -2]
    vocabulary = Vocabulary.of("ab")
    known, rules = known_names(vocabulary, "a\nba\n"), rules_of(vocabulary, 1, 8)
    return Namer(network, vocabulary, CaseRule(True, frozenset("\n")), known, rules, Decoding())


def known_names(vocabulary: Vocabulary, text: str) -> KnownNames:
    """Return the names of a text as the names of a training list."""
    return KnownNames([KnownList(np.sort(digest(vocabulary.encode(text))), len(vocabulary))])


def rules_of(vocabulary: Vocabulary, shortest: int, longest: int) -> NameRules:
    """Return the rules of a list whose names have these lengths."""
    return NameRules.for_corpus(CorpusStats(2, 2, 0, shortest, longest, ""), vocabulary)


def draw(
    namer: Namer, n: int, seed: int, options: Options = DEFAULT_OPTIONS, *, skip: int = 0
) -> list[str]:
    """Draw names and convert them to text."""
    parts = namer.draw(n, seed, options, skip=skip)
    return [name for drawn in parts for name in namer.spell(drawn.names)]


def all_candidates(options: Options) -> Options:
    """Copy options, with every candidate allowed, whether it is new or likely or not."""
    temperature = options.temperature or 1.0
    return replace(options, allow_known=True, allow_repeats=True, temperature=temperature)


# Constraints.


@cache
def examples() -> list[str]:
    """Names that the namer draws, in lower case."""
    return [name.lower() for name in draw(ngram_namer(), 60, 3)]


@st.composite
def satisfiable(draw: st.DrawFn) -> Options:
    """Constraints that at least one name of the namer satisfies, and usually many names."""
    name = draw(st.sampled_from(examples()))
    cut = draw(st.integers(0, len(name) - 1))
    head, tail = draw(st.integers(1, 2)), draw(st.integers(1, 4))
    globs = [
        f"{name[0]}*",
        f"*{name[-2:]}",
        f"?[!{name[1]}]*" if name[1] != name[0] else "?*",
        f"*[{name[cut]}-z]*",
        f"{name[0]}?*[!{'z' if name[-1] != 'z' else 'y'}]",
        "?" * min(len(name), 9) + "*",
    ]
    more, letters = st.lists(st.sampled_from(["x", "saurus", "Ga"]), max_size=2), st.text("aqxu")
    some = draw(st.sampled_from(["", "x", "sau", "tops", "zz", "or"]))
    options = Options(
        prefix=draw(st.just(()) | more.map(lambda texts: (*texts, name[:head]))),
        suffix=draw(st.just(()) | more.map(lambda texts: (name[-tail:], *texts))),
        contains=draw(st.just(()) | st.just((name[cut : cut + 2],))),
        not_contains=tuple(
            text for text in draw(st.lists(letters, max_size=2)) if text not in name
        ),
        avoid=(some, "Ødipus") if some not in name else (),
        exclude=draw(st.just(()) | st.just(examples())),
        min_length=draw(st.none() | st.integers(0, len(name))),
        max_length=draw(st.none() | st.integers(len(name), len(name) + 5)),
        pattern=draw(st.none() | st.sampled_from([g for g in globs if fnmatchcase(name, g)])),
    )
    if draw(st.booleans()):
        options = replace(
            options,
            prefix=[text.upper() for text in options.prefix],
            avoid=[text.upper() for text in options.avoid],
            exclude=[text.upper() for text in options.exclude],
        )
    return options


def lowered(texts: Sequence[str]) -> tuple[str, ...]:
    """Texts in lower case, without empty ones."""
    return tuple(text.lower() for text in texts if text)


def satisfies(name: str, options: Options) -> bool:
    """Whether a name satisfies the constraints in lower case, by the standard library."""
    name = name.lower()
    return (
        name.startswith(lowered(options.prefix) or "")
        and name.endswith(lowered(options.suffix) or "")
        and all(text in name for text in lowered(options.contains))
        and not any(text in name for text in lowered(options.not_contains))
        and not any(text in name for text in lowered(options.avoid))
        and name not in lowered(options.exclude)
        and len(name) >= (options.min_length or 1)
        and len(name) <= (options.max_length or len(name))
        and fnmatchcase(name, (options.pattern or "*").lower())
    )


def has_near_copy(name: str) -> bool:
    """Whether a name in lower case is in the training list, or one edit away from it."""
    places = range(len(name) + 1)
    deleted = {name[:i] + name[i + 1 :] for i in places}
    letters = "".join(bundled().namer.vocabulary.symbols)
    replaced = {name[:i] + letter + name[i + 1 :] for i in places for letter in letters}
    added = {name[:i] + letter + name[i:] for i in places for letter in letters}
    return bool((deleted | replaced | added) & training_names())


def check_names(namer: Namer, seed: int, options: Options) -> None:
    """Draw a few names, or as many as can be found, and check each of them."""
    names: list[str] = []
    try:
        for drawn in namer.draw(4, seed, options):
            names += namer.spell(drawn.names)
    except RanOutError:
        assert len(names) < 4
    else:
        assert len(names) == 4
    assert all(satisfies(name, options) for name in names)
    assert all(name == name.capitalize() for name in names)
    if not options.allow_known:
        assert not {name.lower() for name in names} & training_names()
    if options.min_distance == 2:
        assert not any(has_near_copy(name.lower()) for name in names)
    if not options.allow_repeats:
        assert len(set(names)) == len(names)


@settings(max_examples=20, deadline=None)
@given(
    constraints=satisfiable(),
    seed=st.integers(0, 2**64 - 1),
    others=st.fixed_dictionaries(
        {"allow_repeats": st.booleans()},
        optional={
            "allow_known": st.booleans(),
            "min_distance": st.sampled_from([1, 2]),
            "temperature": st.sampled_from([0.7, 1.3]),
            "top_k": st.integers(8, 30),
            "top_p": st.sampled_from([0.9, 0.99]),
        },
    ),
)
def test_every_name_satisfies_the_constraints(
    constraints: Options, seed: int, others: dict[str, Any]
) -> None:
    """Each name is also new and distinct, unless the options allow other names."""
    if "min_distance" in others:
        others["allow_known"] = False
    check_names(ngram_namer(), seed, replace(constraints, **others))


@pytest.mark.parametrize(
    "options",
    [
        Options(prefix="Br", suffix="us", contains=("o",), max_length=11),
        Options(pattern="[aeiou]??*[!s]", min_length=8, max_length=9),
    ],
    ids=str,
)
def test_names_of_a_mixture_satisfy_the_constraints(options: Options) -> None:
    """The mixture of network and n-grams is sampled like each of them."""
    check_names(bundled().namer, 1, options)


@pytest.mark.parametrize(
    "options",
    [Options(temperature=0.6), Options(temperature=0.6, suffix="saurus", max_length=10)],
    ids=["plain", "constrained"],
)
def test_known_names_and_repeats_occur_if_they_are_allowed(options: Options) -> None:
    """They occur only then. Otherwise the other names come in the same order."""
    namer = ngram_namer()
    everything = draw(namer, 400, 1, all_candidates(options))
    new = [name for name in everything if name.lower() not in training_names()]
    distinct = list(dict.fromkeys(everything))
    both = list(dict.fromkeys(new))
    assert len(new) < 400 > len(distinct) > len(both)
    assert draw(namer, len(distinct), 1, replace(options, allow_known=True)) == distinct
    assert draw(namer, len(new), 1, replace(options, allow_repeats=True)) == new
    assert draw(namer, len(both), 1, options) == both


# Excluded names.


@pytest.mark.parametrize("options", [Options(), Options(prefix="T")], ids=["plain", "constrained"])
def test_excluded_names_do_not_occur_in_any_case(options: Options) -> None:
    """The other names come in the same order, if every second name is excluded."""
    names = draw(ngram_namer(), 30, 4, options)
    cases = (str.lower, str.upper, str.title, str.swapcase)
    excluded = [cases[i % 4](name) for i, name in enumerate(names[::2])]
    exclude = replace(options, exclude=[*excluded, "Ødipus", ""])
    assert draw(ngram_namer(), 15, 4, exclude) == names[1::2]


def test_excluded_names_match_by_case_if_it_is_kept() -> None:
    """If case is not folded, a name in another case is another name."""
    network = random_network(5, 4, seed=11, dtype=np.float32)
    vocabulary = Vocabulary.of("abAB")
    rules = rules_of(vocabulary, 1, 8)
    namer = Namer(network, vocabulary, CaseRule.unchanged(), KnownNames(), rules, Decoding())
    names = draw(namer, 30, 1)
    excluded = next(name for name in names if name.swapcase() not in names)
    assert draw(namer, 30, 1, Options(exclude=[excluded.swapcase()])) == names
    assert excluded not in draw(namer, 30, 1, Options(exclude=[excluded]))


def test_excluded_names_match_by_any_apostrophe() -> None:
    """A curly apostrophe is a straight one, and a no-break space is a plain one."""
    network = random_network(5, 4, seed=11, dtype=np.float32)
    vocabulary = Vocabulary.of(" 'ab")
    rules = rules_of(vocabulary, 1, 8)
    namer = Namer(network, vocabulary, CaseRule.unchanged(), KnownNames(), rules, Decoding())
    options = Options(temperature=1)
    names = draw(namer, 200, 1, options)
    excluded = [name for name in names if "'" in name or " " in name]
    assert 0 < len(excluded) < 200
    written = [name.replace("'", "\u2019").replace(" ", "\u00a0") for name in excluded]
    kept = [name for name in names if name not in excluded]
    assert draw(namer, len(kept), 1, replace(options, exclude=written)) == kept


# Names that are filtered.


@pytest.mark.parametrize("options", [Options(), Options(prefix="T")], ids=["plain", "constrained"])
@pytest.mark.parametrize(
    "more",
    [{"avoid": ("AU", "tops")}, {"min_distance": 2}, {"avoid": "q", "min_distance": 2}],
    ids=str,
)
def test_filters_keep_the_order(options: Options, more: dict[str, Any]) -> None:
    """The names are those of the stream without the filters, except the ones that they drop."""
    names = draw(ngram_namer(), 300, 4, options)
    expected = [
        name
        for name in names
        if not any(text in name.lower() for text in lowered(more.get("avoid", "")))
        and not ("min_distance" in more and has_near_copy(name.lower()))
    ]
    assert 20 < len(expected) < 295
    filtered = replace(options, **more)
    assert draw(ngram_namer(), len(expected), 4, filtered) == expected
    assert draw(ngram_namer(), 5, 4, filtered) == expected[:5]


def test_a_minimum_distance_of_1_is_the_default() -> None:
    """The training names are not written."""
    assert draw(ngram_namer(), 50, 1, Options(min_distance=1)) == draw(ngram_namer(), 50, 1)


def test_avoided_texts_have_the_right_distribution() -> None:
    """The names of a filter and those of the automaton have the same distribution.

    The shares of the most frequent of 40,000 names differ by less than 6 standard errors.
    """
    options = all_candidates(Options(max_length=4))
    texts = ("ab", "bbb")
    both = [replace(options, not_contains=texts), replace(options, avoid=texts)]
    counts = [Counter(draw(tiny(), 40_000, seed, each)) for seed, each in enumerate(both)]
    common = [name for name, count in counts[1].items() if count > 100]
    assert len(common) > 5
    for name in common:
        one, other = (count[name] for count in counts)
        assert abs(one - other) < 6 * (one + other) ** 0.5
    assert not any("ab" in name.lower() or "bbb" in name.lower() for name in counts[1])


# Positions in the stream.


@pytest.mark.parametrize(
    ("options", "n", "skips"),
    [
        (Options(), 400, (0, 1, 15, 16, 17, 47, 48, 100, 239, 241)),
        (Options(suffix="a"), 4_300, (0, 1, 100, 4_000, 4_095, 4_096, 4_097)),
    ],
    ids=["plain", "constrained"],
)
def test_skip_is_the_first_position(options: Options, n: int, skips: tuple[int, ...]) -> None:
    """The names are those of the whole stream, within a block and across blocks."""
    options = all_candidates(options)
    whole = draw_with_positions(n, options, 0)
    assert len({name for _, name in whole}) > 20
    for skip in skips:
        expected = [pair for pair in whole if pair[0] >= skip][:150]
        assert draw_with_positions(150, options, skip) == expected
        assert len(expected) == 150
        assert expected[0][0] < skip + 5


def draw_with_positions(n: int, options: Options, skip: int) -> list[tuple[int, str]]:
    """Draw names, each after its position. Those of names that are too long are missing."""
    parts = tiny().draw(n, 5, options, skip=skip)
    pairs = [
        pair
        for drawn in parts
        for pair in zip(drawn.positions.tolist(), tiny().spell(drawn.names), strict=True)
    ]
    assert pairs == sorted(pairs, key=lambda pair: pair[0])
    assert len({position for position, _ in pairs}) == n
    return pairs


@pytest.mark.parametrize("options", [Options(), Options(suffix="a")], ids=["plain", "constrained"])
def test_large_positions(options: Options) -> None:
    """Names at positions around 10^15 are drawn at once, at the right positions."""
    options, far = all_candidates(options), 10**15
    before, after = (draw_with_positions(40, options, skip) for skip in (far - 40, far - 20))
    assert far - 40 <= before[0][0] < far - 20 <= after[0][0] < far
    both = [pair for pair in before if pair[0] >= far - 20]
    assert len(both) > 10
    assert after[: len(both)] == both


@pytest.mark.parametrize(
    "options", [Options(), Options(pattern="*o*us")], ids=["plain", "constrained"]
)
def test_n_changes_no_name(options: Options) -> None:
    """The names for a small n are the first names for a large n. Another seed gives others."""
    many = draw(ngram_namer(), 50, 2**64 - 1, options)
    assert draw(ngram_namer(), 5, 2**64 - 1, options) == many[:5]
    assert not set(draw(ngram_namer(), 5, 0, options)) & set(many[:5])


@settings(max_examples=200, deadline=None)
@given(
    position=st.integers(0, 10**15) | st.integers(0, 10_000),
    constrained=st.booleans(),
)
def test_every_position_is_in_one_block(position: int, constrained: bool) -> None:
    """`block_of`, `first` and `size` agree."""
    stream = streams()[constrained]
    block = stream.block_of(position)
    assert stream.first(block) <= position < stream.first(block) + stream.size(block)
    assert stream.first(block + 1) == stream.first(block) + stream.size(block)
    assert stream.block_of(stream.first(block)) == block
    assert stream.block_of(stream.first(block + 1)) == block + 1
    assert stream.block_of(stream.first(block + 1) - 1) == block


@cache
def streams() -> tuple[NameStream, NameStream]:
    """A stream without constraints, and one with a constraint."""
    namer, options, rules = tiny(), Options(suffix="a"), NameRules(8)
    automaton = compile_constraints(options, namer.vocabulary, namer.case)
    assert automaton is not None
    decoding = options.decoding(Decoding())
    levels = count_grams(namer.model, decoding, rules)
    plan = plan_lookahead(levels, len(namer.vocabulary), automaton, rules)
    return (
        NameStream(namer.model, 1, decoding, rules),
        NameStream(namer.model, 1, decoding, rules, plan),
    )


def test_block_sizes() -> None:
    """Blocks grow from 16 names, and those with a lookahead from 512 to 4,096 names."""
    plain, constrained = streams()
    assert plain.first(0) == constrained.first(0) == 0
    assert [plain.size(block) for block in range(10)] == [16 << i for i in range(9)] + [4_096]
    assert [constrained.size(block) for block in range(5)] == [512 << i for i in range(4)] + [4_096]


# Running out of names.


def draw_all(n: int, options: Options, skip: int = 0) -> tuple[list[str], str]:
    """Draw names until they run out. Return them and the message of the error."""
    names: list[str] = []
    options = replace(options, temperature=1.0)
    try:
        for drawn in tiny().draw(n, 1, options, skip=skip):
            names += tiny().spell(drawn.names)
    except RanOutError as error:
        return names, str(error)
    raise AssertionError("the names did not run out")


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (Options(max_length=2, allow_known=True), ["a", "aa", "ab", "b", "ba", "bb"]),
        (Options(prefix="b", max_length=2), ["b", "bb"]),
        (Options(max_length=2, exclude=["BB", "aA"]), ["ab", "b"]),
        (Options(max_length=2, allow_known=True, avoid="bA"), ["a", "aa", "ab", "b", "bb"]),
        (Options(max_length=2, allow_known=True, not_contains="b"), ["a", "aa"]),
        (Options(max_length=2, allow_known=True, prefix=("bb", "a")), ["a", "aa", "ab", "bb"]),
        (Options(max_length=3, min_distance=2), ["aaa", "aab", "abb", "bbb"]),
        (Options(max_length=2, avoid=("a", "b")), []),
    ],
    ids=str,
)
@pytest.mark.parametrize("skip", [0, 70])
def test_the_names_found_come_before_the_error(
    options: Options, found: list[str], skip: int
) -> None:
    """The message says how many of how many names were found in how many candidates."""
    names, message = draw_all(10, options, skip)
    assert sorted(name.lower() for name in names) == found
    numbers = re.match(r"found (\d+) of (\d+) names in ([\d,]+) candidates", message)
    assert numbers
    assert numbers[1] == str(len(found))
    assert numbers[2] == "10"
    assert max_candidates(10) <= int(numbers[3].replace(",", "")) < max_candidates(10) + 4_096


def test_truncation_does_not_exclude_a_prefix() -> None:
    """With a top-k of 1, the prefix is written, and then the likeliest symbols."""
    names, message = draw_all(3, Options(prefix="aaa", top_k=1))
    assert len(names) == 1
    assert names[0].lower().startswith("aaa")
    assert re.match(r"found 1 of 3 names in 5\d,\d{3} candidates", message)


# Numbers.


@pytest.mark.parametrize(
    ("name", "value"), [("n", -1), ("n", 10**15 + 1), ("skip", -1), ("skip", 10**15 + 1)]
)
def test_numbers_out_of_range_are_refused(name: str, value: int) -> None:
    """They are refused before any name is drawn, and the message begins with the option."""
    numbers: dict[str, Any] = {"n": 1, "skip": 0} | {name: value}
    with pytest.raises(SettingError, match=f"^{name} "):
        tiny().draw(seed=1, **numbers)


@pytest.mark.parametrize("distance", [1, 2])
def test_a_minimum_distance_allows_no_known_name(distance: int) -> None:
    """The two options contradict each other."""
    with pytest.raises(SettingError, match=r"^min distance contradicts allow known: "):
        Options(min_distance=distance, allow_known=True)


@pytest.mark.parametrize("text", ["hello", "Ægir", "7 dwarfs"])
def test_a_seed_may_be_a_text(text: str) -> None:
    """It gives the names of the number that it stands for."""
    names = draw(ngram_namer(), 5, as_seed(text))
    parts = ngram_namer().draw(5, text)
    assert [name for drawn in parts for name in ngram_namer().spell(drawn.names)] == names


def test_impossible_constraints_are_refused_at_once() -> None:
    """They are refused before any name is drawn."""
    with pytest.raises(SettingError, match="no name can satisfy this"):
        tiny().draw(1, 1, Options(prefix="abb", max_length=2))


@pytest.mark.parametrize("length", [30, 300])
def test_constraints_may_require_long_names(length: int) -> None:
    """A large minimum length and a long prefix are both possible."""
    names = draw(tiny(), 3, 1, Options(min_length=length))
    assert min(map(len, names)) >= length
    prefix = "ab" * (length // 2)
    texts = ("b", prefix)
    names = draw(tiny(), 3, 1, Options(prefix=texts, not_contains="bb", min_length=length))
    assert all(name.lower().startswith(texts) for name in names)


def test_names_are_as_long_as_those_of_the_list() -> None:
    """Without constraints, the lengths are those of the training names.

    At this temperature all symbols are equally likely, so many names are shorter or longer.
    """
    rules = rules_of(tiny().vocabulary, 3, 5)
    namer = Namer(tiny().model, tiny().vocabulary, tiny().case, tiny().known, rules, Decoding())
    options = all_candidates(Options(temperature=1e6))
    assert {*map(len, draw(namer, 5_000, 1, options))} == {3, 4, 5}


# The model, and the command.


def test_a_model_samples_what_the_command_prints(dinogen: Run) -> None:
    """`Model.sample` and ``dinogen sample`` give the same names for the same options."""
    result = dinogen(
        *("sample", BUNDLED, "-n", "12", "--seed", "7", "--prefix", "T", "--suffix", "us"),
        *("--contains", "o", "--contains", "r", "--min-length", "6", "--max-length", "15"),
        *("--pattern", "?[!z]*", "--temperature", "1.2", "--top-k", "20", "--top-p", "0.99"),
        *("--skip", "100", "--allow-known"),
    )
    names = bundled().sample(
        12,
        7,
        prefix="T",
        suffix="us",
        contains=["o", "r"],
        min_length=6,
        max_length=15,
        pattern="?[!z]*",
        temperature=1.2,
        top_k=20,
        top_p=0.99,
        skip=100,
        allow_known=True,
    )
    assert len(names) == 12
    assert (result.returncode, result.stdout.splitlines(), result.stderr) == (0, names, "")


def test_a_model_samples_ten_names_by_default() -> None:
    """They are new names without constraints."""
    assert bundled().sample(seed=0) == draw(bundled().namer, 10, 0)


def test_constrained_names_are_as_varied_as_filtered_names() -> None:
    """Names with a suffix are as long and nearly as varied as plain names that have it."""
    namer = bundled().namer
    plain = draw(namer, 60_000, 1, all_candidates(Options()))
    filtered = [name for name in plain if name.endswith("saurus")][:4_096]
    options = all_candidates(Options(suffix="saurus"))
    constrained = draw(namer, len(filtered), 1, options)
    assert len(filtered) > 2_000
    means = [sum(map(len, names)) / len(names) for names in (filtered, constrained)]
    assert abs(means[0] - means[1]) < 0.3
    assert len(set(constrained)) > 0.6 * len(set(filtered))


def test_names_are_composed() -> None:
    """A name that is not in NFC would read back as another name, so it is not drawn."""
    vocabulary = Vocabulary.of("ae\u0301\u0323é")
    known, rules = known_names(vocabulary, "é\naé\n"), rules_of(vocabulary, 1, 4)
    network = random_network(len(vocabulary), 3, seed=2, dtype=np.float32)
    namer = Namer(network, vocabulary, CaseRule.unchanged(), known, rules, Decoding())
    names = draw(namer, 60, 1, Options(temperature=1))
    assert [normalize("NFC", name) for name in names] == names
    assert len(set(names)) == 60
    assert {"é", "aé"}.isdisjoint(names)
