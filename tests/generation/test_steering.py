"""Steering: names come as often as the model says, given what is asked of them."""

import math
from collections import Counter
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dinogen.errors import SettingError
from dinogen.generation import steering
from dinogen.generation.automata import DEAD
from dinogen.generation.constraints import Constraints, compile_constraints
from dinogen.generation.course import plot_course
from dinogen.generation.growing import grow
from dinogen.generation.options import Options
from dinogen.generation.sampling import Stream
from dinogen.generation.steering import Course, steer
from dinogen.models.rnn import RNN
from dinogen.text.case import CaseRule
from dinogen.text.names import END, Names
from dinogen.text.vocabulary import Vocabulary
from tests.bending import bend
from tests.chance import chi_square
from tests.literal import one_hot, softmax
from tests.networks import as_columns, random_network

LONGEST = 10
"""Of the models' names, at most one in a thousand has more symbols."""

VOCABULARY = Vocabulary.of("ab")
PLAIN = Options(LONGEST)

Chances = dict[str, float]


@cache
def mild() -> RNN:
    """A network of two letters, whose names are short but of many kinds."""
    network = random_network(3, 4, seed=11, dtype=np.float32)
    network.parameters["by"][...] = [-2.5, -0.84, -2]
    return network


@cache
def wild() -> RNN:
    """One that remembers more than the last letter, so that looking ahead is often wrong."""
    network = random_network(3, 4, seed=8, dtype=np.float32, scale=2)
    network.parameters["by"][END] -= 2
    return network


@cache
def enumerate_names(model: RNN, options: Options, asked: Constraints | None = None) -> Chances:
    """Work out, symbol by symbol in plain loops, how likely each name is.

    What is left out are names of more than `LONGEST` symbols, and what begins with its end. If it
    is told what is asked, a symbol after which that can no longer be is none to choose from.
    """
    p = as_columns(model)
    automaton = asked and compile_constraints(asked, VOCABULARY, CaseRule.keep())
    chances: Chances = {}

    def go_on(written: str, chance: float, symbol: int, a: NDArray[np.float64]) -> None:
        a = np.tanh(p["Wax"] @ one_hot(symbol, 3) + p["Waa"] @ a + p["b"])
        row: list[float] = softmax(p["Wya"] @ a + p["by"])[:, 0].tolist()
        if not written:
            row[END] = 0  # no name is empty
        if automaton:
            state = automaton.read(" ab".index(letter) for letter in written)
            can_be = [bool(automaton.accepts[state]), *(automaton.moves[state, 1:] != DEAD)]
            row = [p if can else 0 for p, can in zip(row, can_be, strict=True)]
        bent = bend(row, options)
        if bent[END]:
            chances[written] = chance * bent[END]
        for letter in (1, 2):
            if len(written) < LONGEST and bent[letter]:
                go_on(written + " ab"[letter], chance * bent[letter], letter, a)

    go_on("", 1.0, END, np.zeros((4, 1)))
    return chances


def is_asked_for(name: str, asked: Constraints) -> bool:
    """What the constraints mean, in the words of Python's own library."""
    return (
        name.startswith(asked.prefix or "")
        and name.endswith(asked.suffix or "")
        and all(text in name for text in asked.contains)
        and len(name) >= (asked.min_length or 1)
        and len(name) <= (asked.max_length or LONGEST)
        and fnmatchcase(name, asked.pattern or "*")
    )


def conditional(model: RNN, asked: Constraints, options: Options = PLAIN) -> Chances:
    """How likely each name is, given that it is what is asked for."""
    fitting = {
        name: chance
        for name, chance in enumerate_names(model, options, asked if options.cuts else None).items()
        if is_asked_for(name, asked) and len(name) <= options.max_length
    }
    return {name: chance / sum(fitting.values()) for name, chance in fitting.items()}


def course_to(model: RNN, asked: Constraints, options: Options = PLAIN) -> Course:
    """Where to steer for what is asked."""
    automaton = compile_constraints(asked, VOCABULARY, CaseRule.keep())
    assert automaton is not None
    return plot_course(model, automaton, options)


def texts(names: Names) -> list[str]:
    """Spell names."""
    return str(np.array(["\n", "a", "b"])[names.symbols].tobytes(), "utf-32-le").split("\n")[:-1]


def block(model: RNN, size: int, seed: int, course: Course, options: Options = PLAIN) -> list[str]:
    """Draw one block of names."""
    return texts(steer(model, np.random.default_rng(seed), size, options, course))


def frequencies(names: list[str]) -> Chances:
    """How often each name occurs, as a share of all."""
    return {name: times / len(names) for name, times in Counter(names).items()}


def hold_to_chances(model: RNN, asked: Constraints, options: Options = PLAIN) -> None:
    """Over independent blocks, each name's mean frequency is its chance, but for chance.

    The names of one block hang together, blocks do not: so their own spread tells how far their
    mean may lie from what is right. Five such deviations are hardly ever passed.
    """
    blocks, size = 60, 1_536
    chances = conditional(model, asked, options)
    course = course_to(model, asked, options)
    found = [frequencies(block(model, size, seed, course, options)) for seed in range(blocks)]
    assert set().union(*found) <= set(chances)
    assert sum(chances.values()) == pytest.approx(1)
    common = [name for name, chance in chances.items() if chance > 0.005]
    shares = np.array([[share.get(name, 0.0) for name in common] for share in found])
    error = shares.std(axis=0, ddof=1) / blocks**0.5 + 1e-12
    expected = np.array([chances[name] for name in common])
    # The rest of the error is of the order of one name in a block.
    excess = np.abs(shares.mean(axis=0) - expected) - expected / size
    worst = int((excess / error).argmax())
    assert excess[worst] < 5 * error[worst], (
        common[worst],
        shares[:, worst].mean(),
        expected[worst],
    )
    # No spread may be so large that the test could not tell.
    assert (error < 0.02).all()


@pytest.mark.parametrize(
    "asked",
    [
        Constraints(prefix="ab"),
        Constraints(suffix="ba"),
        Constraints(suffix="aab"),
        Constraints(contains=("aa",)),
        Constraints(contains=("aab", "bb")),
        Constraints(min_length=4),
        Constraints(max_length=2),
        Constraints(min_length=3, max_length=4),
        Constraints(pattern="?[!b]*a?"),
        Constraints(prefix="b", suffix="b", contains=("aa",), max_length=7),
    ],
    ids=str,
)
def test_names_come_as_often_as_the_model_says_given_what_is_asked(asked: Constraints) -> None:
    """Over 90,000 names every frequency fits the enumerated distribution of those that fit."""
    hold_to_chances(mild(), asked)


@pytest.mark.parametrize(
    "asked",
    [
        Constraints(suffix="ba"),
        Constraints(contains=("aab", "bb")),
        Constraints(min_length=4),
        Constraints(pattern="*a*a*b"),
        Constraints(prefix="b", suffix="b", contains=("aa",), max_length=7),
    ],
    ids=str,
)
def test_they_do_so_even_where_looking_ahead_misleads(asked: Constraints) -> None:
    """Frequencies are right where names are led astray first, and drawn anew on their way."""
    hold_to_chances(wild(), asked)


SUFFIX = Constraints(suffix="bb", min_length=3)
PREFIX_AND_MORE = Constraints(prefix="b", contains=("ab",))


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        (SUFFIX, Options(LONGEST, temperature=0.6)),
        (PREFIX_AND_MORE, Options(LONGEST, temperature=1.4)),
        (PREFIX_AND_MORE, Options(LONGEST, top_k=2)),
        (SUFFIX, Options(LONGEST, top_p=0.9)),
        (SUFFIX, Options(LONGEST, temperature=1.3, top_k=2, top_p=0.95)),
    ],
    ids=str,
)
def test_given_what_is_asked_options_bend_the_chances(asked: Constraints, options: Options) -> None:
    """The distribution that temperature, `top_k` and `top_p` leave is the one that is steered."""
    hold_to_chances(mild(), asked, options)
    bent, plain = conditional(mild(), asked, options), conditional(mild(), asked)
    assert sum(abs(bent.get(name, 0) - plain[name]) for name in plain) > 0.05  # it makes a change


def test_a_bound_on_the_length_is_asked_for_too() -> None:
    """With `max_length` names come from the distribution of those that end by themselves in time.

    They are not cut off there.
    """
    hold_to_chances(mild(), Constraints(contains=("b",)), Options(max_length=3))
    hold_to_chances(wild(), Constraints(suffix="a"), Options(max_length=3))


def distance(names: list[str], chances: Chances) -> float:
    """Total variation: the share of names that would have to be others; the rare ones as one.

    Of those a small block has only a few, which says more of its size than of how they were drawn.
    """
    found = frequencies(names)
    common = {name: chance for name, chance in chances.items() if chance > 0.02}
    off = [found.get(name, 0.0) - chance for name, chance in common.items()]
    return (sum(map(abs, off)) + abs(sum(off))) / 2


@pytest.mark.parametrize(
    "asked",
    [Constraints(suffix="ab"), Constraints(contains=("aa", "bb")), Constraints(min_length=5)],
    ids=str,
)
def test_the_larger_a_block_the_closer_it_comes(asked: Constraints) -> None:
    """Eight times as many names bring a block nearer to the distribution by a factor of two."""
    course, chances = course_to(mild(), asked), conditional(mild(), asked)
    far, nearer, near = (
        np.mean([distance(block(mild(), size, seed, course), chances) for seed in range(20)])
        for size in (64, 512, 4_096)
    )
    assert far > 2 * nearer > 4 * near


def is_likely(statistic: float, freedom: int) -> bool:
    """Within four deviations of chi-square, whose variance is twice its freedom."""
    return abs(statistic - freedom) < 4 * math.sqrt(2 * freedom) + 4


PREFIX = Constraints(prefix="ba")
LONG = Options(60)


def conditional_on_prefix() -> Chances:
    """How likely each name is that begins with the prefix, and has symbols as it will."""
    return conditional(mild(), PREFIX)


@pytest.mark.parametrize(("size", "blocks"), [(1, 2_000), (2, 1_000), (20_000, 1)])
def test_after_a_prefix_alone_names_are_independent_draws(size: int, blocks: int) -> None:
    """In blocks of any size, one name included, counts spread as independent ones do."""
    course = course_to(mild(), PREFIX, LONG)
    names = [name for seed in range(blocks) for name in block(mild(), size, seed, course, LONG)]
    assert len(names) == size * blocks
    short = [name for name in names if len(name) <= LONGEST]
    assert len(short) > 0.995 * len(names)
    statistic, freedom = chi_square(short, conditional_on_prefix())
    assert freedom >= 10
    assert is_likely(statistic, freedom)


def test_after_a_prefix_two_names_of_a_block_know_nothing_of_each_other() -> None:
    """Pairs of names in blocks of two come as often as the product of their chances."""
    course = course_to(mild(), PREFIX, LONG)
    chances = {name: chance for name, chance in conditional_on_prefix().items() if chance > 0.01}
    pairs = ["+".join(block(mild(), 2, seed, course, LONG)) for seed in range(1_200)]
    products = {f"{a}+{b}": chances[a] * chances[b] for a in chances for b in chances}
    statistic, freedom = chi_square(pairs, products)
    assert freedom >= 10
    assert is_likely(statistic, freedom)


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """For each time that names are drawn anew by their weights, how many are copies of others."""
    redraw = steering._redraw
    counts: list[int] = []

    def counted(weight: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.intp]:
        drawn = redraw(weight, random)
        counts.append(len(drawn) - len(np.unique(drawn)))
        return drawn

    monkeypatch.setattr(steering, "_redraw", counted)
    return counts


@pytest.mark.parametrize("model", [mild, wild])
def test_after_a_prefix_alone_no_name_is_drawn_again(
    model: Callable[[], RNN], copies: list[int]
) -> None:
    """Names are never replaced by copies of each other, whatever is rounded."""
    course = course_to(model(), PREFIX, LONG)
    for seed in range(10):
        for size in (1, 2, 64, 4_096):
            assert len(block(model(), size, seed, course, LONG)) == size
    assert not any(copies)


def test_names_are_drawn_again_on_their_way_where_it_is_long(copies: list[int]) -> None:
    """Where looking ahead is wrong, it is put right on the way, not only at the end."""
    block(wild(), 4_096, 5, course_to(wild(), Constraints(contains=("aab", "bb"))))
    assert len(copies) >= 2
    assert all(copies)


small = st.text("ab", max_size=2)


@settings(max_examples=80, deadline=None)
@given(
    asked=st.builds(
        Constraints,
        prefix=st.none() | small,
        suffix=st.none() | small,
        contains=st.lists(small, max_size=2).map(tuple),
        min_length=st.none() | st.integers(0, 6),
        max_length=st.none() | st.integers(1, 8),
        pattern=st.none()
        | st.lists(st.sampled_from(["*", "?", "a", "b", "[ab]", "[!a]"]), max_size=5).map("".join),
    ),
    size=st.sampled_from([1, 2, 30]),
    seed=st.integers(0, 2**32),
    top_k=st.sampled_from([None, 1, 2]),
    model=st.sampled_from([mild, wild]),
)
def test_all_names_are_what_is_asked_for(
    asked: Constraints, size: int, seed: int, top_k: int | None, model: Callable[[], RNN]
) -> None:
    """Whatever is asked, a block is either full of accepted names or, seldom, empty."""
    options = Options(asked.max_length or LONGEST, top_k=top_k)
    try:
        automaton = compile_constraints(asked, VOCABULARY, CaseRule.keep())
    except SettingError:
        reject()
    assume(automaton is not None)
    assert automaton is not None
    course = plot_course(model(), automaton, options)
    drawn = steer(model(), np.random.default_rng(seed), size, options, course)
    names = texts(drawn)
    assert len(names) in (0, size)
    assert all(name and is_asked_for(name, asked) for name in names)
    if top_k is None and size == 30:
        assert names
    for start, end in pairwise(drawn.starts):
        assert automaton.accepts[automaton.read(drawn.symbols[start : end - 1])]


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        (Constraints(min_length=9), Options(max_length=5)),
        (Constraints(prefix="abbab"), Options(max_length=4)),
        (Constraints(contains=("aaa",)), Options(LONGEST, top_k=1)),
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [1, 100])
def test_a_block_through_which_no_name_gets_is_empty(
    asked: Constraints, options: Options, size: int
) -> None:
    """If all names would be too long, or are left no chance, there are none: that is no error."""
    course = course_to(mild(), asked, options)
    assert block(mild(), size, 1, course, options) == []
    drawn = Stream(mild(), 1, options, course).draw(3)
    assert len(drawn.names) == len(drawn.places) == 0


def test_names_that_get_lost_leave_their_place_to_others() -> None:
    """Where `top_k` leads some names into dead ends, the others make the block full."""
    options = Options(4, top_k=2)
    asked = Constraints(suffix="ab")
    names = block(mild(), 500, 1, course_to(mild(), asked, options), options)
    assert len(names) == 500
    assert set(names) <= set(conditional(mild(), asked, options))


@pytest.mark.parametrize(
    "options", [Options(LONGEST, top_k=1), Options(LONGEST, top_p=0.8)], ids=str
)
def test_the_end_takes_no_place_among_the_likeliest_where_no_name_may_end(options: Options) -> None:
    """Steered to anything at all, the same names come up as if they were not steered.

    No name begins with its end, so the end is not one of the symbols that `top_k` and `top_p`
    count there, however likely the model finds it.
    """
    ending = random_network(3, 4, seed=11, dtype=np.float32)
    ending.parameters["by"][0] = 3.0  # more likely than both letters, at the beginning, too
    automaton = compile_constraints(Constraints(pattern="*"), VOCABULARY, CaseRule.keep())
    assert automaton is not None
    course = plot_course(ending, automaton, options)
    steered = texts(steer(ending, np.random.default_rng(1), 2_000, options, course))
    plain = texts(grow(ending, np.random.default_rng(1), 2_000, options))
    assert set(steered) == set(plain)
