"""The namer: every name is what was asked for, new, and where it stands in its stream."""

import re
from fnmatch import fnmatchcase
from functools import cache, partial
from typing import Any
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dinogen.checkpoint.contents import Checkpoint
from dinogen.checkpoint.reading import load
from dinogen.cli.checkpoints import BUNDLED
from dinogen.errors import RanOutError, SettingError
from dinogen.generation.constraints import ANYTHING, Constraints, compile_constraints
from dinogen.generation.course import plot_course
from dinogen.generation.namer import Namer
from dinogen.generation.options import Options
from dinogen.generation.sampling import Stream, effort
from dinogen.text.case import CaseRule
from dinogen.text.digests import digests
from dinogen.text.vocabulary import Vocabulary
from tests.conftest import CORPORA, Run
from tests.networks import random_network


@cache
def bundled() -> Checkpoint:
    """The dinosaurs that come with the package."""
    return load(BUNDLED)


@cache
def grams() -> Namer:
    """What they make without their network: names as good for a test, and much quicker."""
    ngram = bundled().ngram
    assert ngram is not None
    return bundled().namer._replace(model=ngram)


@cache
def learned() -> frozenset[str]:
    """The names that they were learned from, read off the list itself, in small letters."""
    return frozenset((CORPORA / "dinosaurs.txt").read_text(encoding="utf-8").lower().split("\n"))


@cache
def tiny() -> Namer:
    """A namer of two letters, who learned from "a" and "ba"; its names are short."""
    network = random_network(3, 4, seed=11, dtype=np.float32)
    network.parameters["by"][...] = [-2.5, -0.84, -2]
    vocabulary = Vocabulary.of("ab")
    known = np.sort(digests(vocabulary.encode("a\nba\n")))
    return Namer(network, vocabulary, CaseRule(True, frozenset("\n")), known, longest=8)


def draw(
    namer: Namer, n: int, seed: int, asked: Constraints = ANYTHING, **options: Any
) -> list[str]:
    """Draw names and write them out."""
    return [
        name for some in namer.draw(n, seed, asked, **options) for name in namer.spell(some.names)
    ]


ANY: dict[str, Any] = {"allow_known": True, "allow_repeats": True}
"""Every candidate, whether it is new or not."""


# What a name looks like.


@cache
def examples() -> list[str]:
    """Names that it gives, in small letters: what is asked for can be had."""
    return [name.lower() for name in draw(grams(), 60, 3)]


@st.composite
def demands(draw: st.DrawFn) -> Constraints:
    """What at least one of the model's names is, and so, as a rule, many more."""
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
    asked = Constraints(
        prefix=draw(st.none() | st.just(name[:head])),
        suffix=draw(st.none() | st.just(name[-tail:])),
        contains=draw(st.just(()) | st.just((name[cut : cut + 2],))),
        min_length=draw(st.none() | st.integers(0, len(name))),
        max_length=draw(st.none() | st.integers(len(name), len(name) + 5)),
        pattern=draw(st.none() | st.sampled_from([g for g in globs if fnmatchcase(name, g)])),
    )
    if asked.prefix and draw(st.booleans()):
        asked = asked._replace(prefix=asked.prefix.upper())
    return asked


def is_asked_for(name: str, asked: Constraints) -> bool:
    """What the constraints mean, in the words of Python's own library, of small letters."""
    name = name.lower()
    return (
        name.startswith((asked.prefix or "").lower())
        and name.endswith((asked.suffix or "").lower())
        and all(text.lower() in name for text in asked.contains)
        and len(name) >= (asked.min_length or 1)
        and len(name) <= (asked.max_length or len(name))
        and fnmatchcase(name, (asked.pattern or "*").lower())
    )


def hold_to(namer: Namer, asked: Constraints, seed: int, options: dict[str, Any]) -> None:
    """Draw a few names, or as many as there are, and look at each."""
    names: list[str] = []
    try:
        for some in namer.draw(4, seed, asked, **options):
            names += namer.spell(some.names)
    except RanOutError:
        assert len(names) < 4
    else:
        assert len(names) == 4
    assert all(is_asked_for(name, asked) for name in names)
    assert all(name == name.capitalize() for name in names)
    if not options["allow_known"]:
        assert not {name.lower() for name in names} & learned()
    if not options["allow_repeats"]:
        assert len(set(names)) == len(names)


@settings(max_examples=20, deadline=None)
@given(
    asked=demands(),
    seed=st.integers(0, 2**64 - 1),
    options=st.fixed_dictionaries(
        {"allow_known": st.booleans(), "allow_repeats": st.booleans()},
        optional={
            "temperature": st.sampled_from([0.7, 1.3]),
            "top_k": st.integers(8, 30),
            "top_p": st.sampled_from([0.9, 0.99]),
        },
    ),
)
def test_every_name_is_all_that_is_asked_of_it(
    asked: Constraints, seed: int, options: dict[str, Any]
) -> None:
    """Each option holds of each name written, which is new and distinct unless it need not be."""
    hold_to(grams(), asked, seed, options)


@pytest.mark.parametrize(
    "asked",
    [
        Constraints(prefix="Br", suffix="us", contains=("o",), max_length=11),
        Constraints(pattern="[aeiou]??*[!s]", min_length=8, max_length=9),
    ],
    ids=str,
)
def test_the_whole_model_gives_what_is_asked_of_it(asked: Constraints) -> None:
    """Network and n-grams together are steered as either of them is."""
    hold_to(bundled().namer, asked, 1, {"allow_known": False, "allow_repeats": False})


@pytest.mark.parametrize(
    "asked",
    [ANYTHING, Constraints(suffix="saurus", max_length=10)],
    ids=["plain", "steered"],
)
def test_known_names_and_repeats_come_where_they_may(asked: Constraints) -> None:
    """Each kind occurs once it is allowed, and only then; taking it out again changes no order."""
    namer = grams()
    everything = draw(namer, 400, 1, asked, temperature=0.6, **ANY)
    new = [name for name in everything if name.lower() not in learned()]
    distinct = list(dict.fromkeys(everything))
    both = list(dict.fromkeys(new))
    assert len(new) < 400 > len(distinct) > len(both)
    alike = partial(draw, namer, seed=1, asked=asked, temperature=0.6)
    assert alike(len(distinct), allow_known=True) == distinct
    assert alike(len(new), allow_repeats=True) == new
    assert alike(len(both)) == both


# Which names are taken.


@pytest.mark.parametrize("asked", [ANYTHING, Constraints(prefix="T")], ids=["plain", "steered"])
def test_excluded_names_do_not_come_in_whatever_case(asked: Constraints) -> None:
    """What comes is what would have come, less every second one that was excluded."""
    names = draw(grams(), 30, 4, asked)
    ways = (str.lower, str.upper, str.title, str.swapcase)
    taken = [ways[i % 4](name) for i, name in enumerate(names[::2])]
    assert draw(grams(), 15, 4, asked, exclude=[*taken, "Ødipus", ""]) == names[1::2]


def test_excluded_names_are_told_by_case_where_it_was_kept() -> None:
    """To a namer that tells capitals from small letters, another case is another name."""
    network = random_network(5, 4, seed=11, dtype=np.float32)
    vocabulary = Vocabulary.of("abAB")
    namer = Namer(network, vocabulary, CaseRule.keep(), tiny().known[:0], longest=8)
    names = draw(namer, 30, 1)
    excluded = next(name for name in names if name.swapcase() not in names)
    assert draw(namer, 30, 1, exclude=[excluded.swapcase()]) == names
    assert excluded not in draw(namer, 30, 1, exclude=[excluded])


# Where a name stands.


@pytest.mark.parametrize(
    ("asked", "n", "skips"),
    [
        (ANYTHING, 400, (0, 1, 15, 16, 17, 47, 48, 100, 239, 241)),
        (Constraints(suffix="a"), 4_300, (0, 1, 100, 4_000, 4_095, 4_096, 4_097)),
    ],
    ids=["plain", "steered"],
)
def test_skipping_begins_at_a_place(asked: Constraints, n: int, skips: tuple[int, ...]) -> None:
    """With `skip` K the names from place K on come, within a block and across its end."""
    whole = draw(tiny(), n, 5, asked, **ANY)
    assert len(set(whole)) > 20
    for skip in skips:
        wanted = whole[skip : skip + 150]
        assert draw(tiny(), 150, 5, asked, skip=skip, **ANY) == wanted
        places = [
            place
            for some in tiny().draw(150, 5, asked, skip=skip, **ANY)
            for place in some.places.tolist()
        ]
        assert places == list(range(skip, skip + 150))


@pytest.mark.parametrize("asked", [ANYTHING, Constraints(suffix="a")], ids=["plain", "steered"])
def test_places_can_be_far_off(asked: Constraints) -> None:
    """The names at places around 10^15 are there at once, each where it says."""
    far = 10**15
    pairs = []
    for skip in (far - 40, far - 20):
        drawn = list(tiny().draw(40, 5, asked, skip=skip, **ANY))
        names = [name for some in drawn for name in tiny().spell(some.names)]
        places = [place for some in drawn for place in some.places.tolist()]
        assert places == list(range(skip, skip + 40))
        pairs.append(dict(zip(places, names, strict=True)))
    both = pairs[0].keys() & pairs[1].keys()
    assert len(both) == 20
    assert all(pairs[0][place] == pairs[1][place] for place in both)


@pytest.mark.parametrize("asked", [ANYTHING, Constraints(pattern="*o*us")], ids=str)
def test_how_many_are_wanted_changes_no_name(asked: Constraints) -> None:
    """Few names are the first of many, and another seed gives others."""
    many = draw(grams(), 50, 2**64 - 1, asked)
    assert draw(grams(), 5, 2**64 - 1, asked) == many[:5]
    assert not set(draw(grams(), 5, 0, asked)) & set(many[:5])


@settings(max_examples=200, deadline=None)
@given(
    place=st.integers(0, 10**15) | st.integers(0, 10_000),
    steered=st.booleans(),
)
def test_blocks_lie_side_by_side(place: int, steered: bool) -> None:
    """Every place is in one block: the one that begins there or before, and ends after it."""
    stream = streams()[steered]
    block = stream.block_of(place)
    assert stream.first(block) <= place < stream.first(block) + stream.size(block)
    assert stream.first(block + 1) == stream.first(block) + stream.size(block)
    assert stream.block_of(stream.first(block)) == block
    assert stream.block_of(stream.first(block + 1)) == block + 1
    assert stream.block_of(stream.first(block + 1) - 1) == block


@cache
def streams() -> tuple[Stream, Stream]:
    """A stream of plain names, and one of steered ones."""
    namer, options = tiny(), Options(8)
    automaton = compile_constraints(Constraints(suffix="a"), namer.vocabulary, namer.case)
    assert automaton is not None
    course = plot_course(namer.model, automaton, options)
    return Stream(namer.model, 1, options), Stream(namer.model, 1, options, course)


def test_blocks_begin_at_the_beginning() -> None:
    """Plain ones grow from 16 names to 4,096; steered ones have 4,096 from the first on."""
    plain, steered = streams()
    assert plain.first(0) == steered.first(0) == 0
    assert [plain.size(block) for block in range(10)] == [16 << i for i in range(9)] + [4_096]
    assert [steered.size(block) for block in range(3)] == [4_096] * 3


# Where there are no more.


def draw_all(n: int, asked: Constraints, **options: Any) -> tuple[list[str], str]:
    """Draw names until there are no more of them; give them, and what is said then."""
    names: list[str] = []
    try:
        for some in tiny().draw(n, 1, asked, **options):
            names += tiny().spell(some.names)
    except RanOutError as error:
        return names, str(error)
    raise AssertionError("there were names enough")


@pytest.mark.parametrize(
    ("asked", "options", "found"),
    [
        (
            Constraints(max_length=2),
            ANY | {"allow_repeats": False},
            ["a", "aa", "ab", "b", "ba", "bb"],
        ),
        (Constraints(prefix="b", max_length=2), {}, ["b", "bb"]),
        (Constraints(max_length=2), {"exclude": ["BB", "aA"]}, ["ab", "b"]),
    ],
    ids=str,
)
@pytest.mark.parametrize("skip", [0, 70])
def test_running_out_gives_what_there_is_and_says_how_much(
    asked: Constraints, options: dict[str, Any], found: list[str], skip: int
) -> None:
    """All names there are come first; then how many of how many, and after how many candidates."""
    names, message = draw_all(10, asked, skip=skip, **options)
    assert sorted(name.lower() for name in names) == found
    numbers = re.match(r"(\d+) of (\d+) names, after ([\d,]+) candidates", message)
    assert numbers
    assert numbers[1] == str(len(found))
    assert numbers[2] == "10"
    assert effort(10) <= int(numbers[3].replace(",", "")) < effort(10) + 4_096


def test_what_is_asked_for_is_never_cut_off() -> None:
    """However few symbols may be chosen from, a prefix is written, and the likeliest goes on."""
    names, message = draw_all(3, Constraints(prefix="aaa"), top_k=1)
    assert len(names) == 1
    assert names[0].lower().startswith("aaa")
    assert re.match(r"1 of 3 names, after 5\d,\d{3} candidates", message)


# Numbers out of range.


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        (Constraints(min_length=-1), {}),
        (Constraints(min_length=10_001), {}),
        (Constraints(max_length=-1), {}),
        (Constraints(max_length=0), {}),
        (Constraints(max_length=10_001), {}),
        (ANYTHING, {"n": -1}),
        (ANYTHING, {"n": 10**15 + 1}),
        (ANYTHING, {"skip": -1}),
        (ANYTHING, {"skip": 10**15 + 1}),
        (ANYTHING, {"temperature": 0.0}),
        (ANYTHING, {"temperature": float("nan")}),
        (ANYTHING, {"top_k": 0}),
        (ANYTHING, {"top_p": 0.0}),
        (ANYTHING, {"top_p": 1.1}),
    ],
    ids=str,
)
def test_numbers_out_of_range_are_refused(asked: Constraints, options: dict[str, Any]) -> None:
    """Each is refused before any name is drawn, by a message that begins with what it is of."""
    settled: dict[str, Any] = {"n": 1, "seed": 1, "asked": asked}
    name = next(iter(options)) if options else "max_length"
    if asked.min_length is not None:
        name = "min_length"
    with pytest.raises(SettingError, match=f"^{name.replace('_', ' ')} "):
        tiny().draw(**(settled | options))


@pytest.mark.parametrize("length", [30, 300])
def test_names_can_be_as_long_as_is_asked(length: int) -> None:
    """A least length, and a prefix of as many symbols, are reached however far off they are."""
    names = draw(tiny(), 3, 1, Constraints(min_length=length))
    assert min(map(len, names)) >= length
    prefix = "ab" * (length // 2)
    assert all(
        name.lower().startswith(prefix) for name in draw(tiny(), 3, 1, Constraints(prefix=prefix))
    )


def test_a_name_that_goes_on_and_on_is_ended() -> None:
    """After twice as many symbols as the longest name that was learned from, if no bound is given.

    A model so hot finds all symbols alike: two names in a thousand have fifteen symbols or more.
    """
    lengths = [len(name) for name in draw(tiny(), 5_000, 1, temperature=1e6, **ANY)]
    assert max(lengths) == 2 * tiny().longest


# The checkpoint, and the command.


def test_a_checkpoint_gives_what_the_command_prints(dinogen: Run) -> None:
    """`Checkpoint.sample` and ``dinogen sample`` write the same names for the same options."""
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


def test_a_checkpoint_gives_ten_names_of_seed_0_by_default() -> None:
    """Without options, the names are plain new ones."""
    assert bundled().sample() == draw(bundled().namer, 10, 0)


def test_rare_endings_are_as_varied_as_those_found_by_chance() -> None:
    """Steered to an ending, names are as long and nearly as varied as plain ones that have it."""
    namer = load(BUNDLED).namer
    every: dict[str, Any] = {"allow_known": True, "allow_repeats": True}
    plain = [
        name
        for drawn in namer.draw(60_000, 1, **every)
        for name in namer.spell(drawn.names)
        if name.endswith("saurus")
    ][:4_096]
    steered = [
        name
        for drawn in namer.draw(len(plain), 1, Constraints(suffix="saurus"), **every)
        for name in namer.spell(drawn.names)
    ]
    assert len(plain) > 2_000
    lengths = [sum(map(len, names)) / len(names) for names in (plain, steered)]
    assert abs(lengths[0] - lengths[1]) < 0.3
    assert len(set(steered)) > 0.6 * len(set(plain))


def test_names_are_new_as_they_are_read() -> None:
    """No name is written that, once composed, is another: known, twice, or not to be told apart."""
    vocabulary = Vocabulary.of("ae\u0301\u0323é")
    known = np.sort(digests(vocabulary.encode("é\naé\n")))
    network = random_network(len(vocabulary), 3, seed=2, dtype=np.float32)
    namer = Namer(network, vocabulary, CaseRule.keep(), known, longest=4)
    names = draw(namer, 60, 1)
    assert [normalize("NFC", name) for name in names] == names
    assert len(set(names)) == 60
    assert {"é", "aé"}.isdisjoint(names)


def test_names_are_no_longer_than_a_list_may_have_them() -> None:
    """Nothing goes on and on that could not be read back."""
    network = random_network(3, 2, seed=1, dtype=np.float32)
    network.parameters["by"][0] = -1e9
    namer = Namer(
        network, Vocabulary.of("ab"), CaseRule.keep(), np.empty(0, np.uint64), longest=300
    )
    assert {*map(len, draw(namer, 3, 1))} == {255}
