"""Particle filter: names have the model's distribution, conditioned on the constraints."""

import math
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings, strategies as st
from numpy.typing import NDArray

from dinogen.data import END, CaseRule
from dinogen.errors import SettingError
from dinogen.generation import (
    Decoding,
    LookaheadPlan,
    NameRules,
    NameStream,
    Options,
    compile_constraints,
    count_grams,
    draw_block,
    draw_constrained,
    plan_lookahead,
)
from dinogen.models import Network
from tests.chance import chi_square
from tests.enumeration import (
    BOUND,
    FREE,
    LONGEST,
    RULES,
    VOCABULARY,
    Probabilities,
    conditional,
    is_likely,
    mild,
    satisfies,
    texts,
    wild,
)
from tests.networks import random_network


def plan_for(
    model: Network, options: Options, rules: NameRules = RULES, default: Decoding = FREE
) -> LookaheadPlan:
    """The lookahead plan for the constraints."""
    automaton = compile_constraints(options, VOCABULARY, CaseRule.unchanged(), rules.successors)
    assert automaton is not None
    levels = count_grams(model, options.decoding(default), rules)
    return plan_lookahead(levels, 3, automaton, rules)


def block(
    model: Network,
    size: int,
    seed: int,
    plan: LookaheadPlan,
    options: Options | None = None,
    rules: NameRules = RULES,
    default: Decoding = FREE,
) -> list[str]:
    """Draw one block of names."""
    decoding, random = (options or Options()).decoding(default), np.random.default_rng(seed)
    return texts(draw_constrained(model, random, size, decoding, rules, plan).names)


def frequencies(names: list[str]) -> Probabilities:
    """The relative frequency of each name."""
    return {name: times / len(names) for name, times in Counter(names).items()}


def check_distribution(
    model: Network, options: Options, rules: NameRules = RULES, default: Decoding = FREE
) -> None:
    """Check that each name's mean frequency over many blocks is its conditional probability.

    The names of a block depend on each other, but the blocks are independent. So the standard
    error of the mean is estimated from the blocks, and five standard errors are allowed.
    """
    blocks, size = 60, 1_536
    probabilities = conditional(model, options, rules, default)
    plan = plan_for(model, options, rules, default)
    found = [
        frequencies(block(model, size, seed, plan, options, rules, default))
        for seed in range(blocks)
    ]
    assert set().union(*found) <= set(probabilities)
    assert sum(probabilities.values()) == pytest.approx(1)
    common = [name for name, probability in probabilities.items() if probability > 0.005]
    shares = np.array([[share.get(name, 0.0) for name in common] for share in found])
    error = shares.std(axis=0, ddof=1) / blocks**0.5 + 1e-12
    expected = np.array([probabilities[name] for name in common])
    # The bias of a particle filter is of the order of one particle per block.
    excess = np.abs(shares.mean(axis=0) - expected) - expected / size
    worst = int((excess / error).argmax())
    assert excess[worst] < 5 * error[worst], (
        common[worst],
        shares[:, worst].mean(),
        expected[worst],
    )
    # The standard errors must be small enough for the test to mean something.
    assert (error < 0.02).all()


@pytest.mark.parametrize(
    "options",
    [
        Options(prefix="ab"),
        Options(suffix="ba"),
        Options(suffix="aab"),
        Options(contains=("aa",)),
        Options(contains=("aab", "bb")),
        Options(min_length=4),
        Options(max_length=2),
        Options(min_length=3, max_length=4),
        Options(pattern="?[!b]*a?"),
        Options(prefix="b", suffix="b", contains=("aa",), max_length=7),
        Options(prefix=("ab", "b", "bb")),
        Options(suffix=("ba", "aab", "b")),
        Options(not_contains=("ab", "bba")),
        Options(prefix=("aa", "b"), suffix=("ab", "a"), not_contains="bb", contains="ba"),
    ],
    ids=str,
)
def test_names_have_the_conditional_distribution(options: Options) -> None:
    """The frequencies of 90,000 names fit the enumerated distribution."""
    check_distribution(mild(), options)


@pytest.mark.parametrize(
    "options",
    [
        Options(suffix="ba"),
        Options(contains=("aab", "bb")),
        Options(min_length=4),
        Options(pattern="*a*a*b"),
        Options(prefix="b", suffix="b", contains=("aa",), max_length=7),
        Options(suffix=("ba", "aab"), not_contains="aba"),
        Options(not_contains=("aa", "bb")),
    ],
    ids=str,
)
def test_the_distribution_is_right_if_the_lookahead_is_wrong(options: Options) -> None:
    """Weights and resampling correct a wrong lookahead."""
    check_distribution(wild(), options)


SUFFIX = Options(suffix="bb", min_length=3)
PREFIX_AND_MORE = Options(prefix="b", contains="ab")


@pytest.mark.parametrize(
    ("plain", "options"),
    [
        (SUFFIX, replace(SUFFIX, temperature=0.6)),
        (PREFIX_AND_MORE, replace(PREFIX_AND_MORE, temperature=1.4)),
        (PREFIX_AND_MORE, replace(PREFIX_AND_MORE, top_k=2)),
        (SUFFIX, replace(SUFFIX, top_p=0.7)),
        (SUFFIX, replace(SUFFIX, temperature=1.3, top_k=2, top_p=0.95)),
    ],
    ids=str,
)
def test_temperature_and_truncation_apply_before_the_constraints(
    plain: Options, options: Options
) -> None:
    """Constraints condition the distribution that temperature, top-k and top-p give."""
    check_distribution(mild(), options)
    before, after = conditional(mild(), plain), conditional(mild(), options)
    assert sum(abs(after.get(name, 0) - before[name]) for name in before) > 0.05  # not the same


@pytest.mark.parametrize("options", [PREFIX_AND_MORE, SUFFIX, Options(pattern="*a?")], ids=str)
def test_min_p_and_the_shortest_length_apply_before_the_constraints(options: Options) -> None:
    """Constraints condition the distribution of names that are decoded by default."""
    rules, default = NameRules(LONGEST, min_length=4), Decoding(min_p=0.3)
    check_distribution(mild(), options, rules, default)
    before, after = conditional(mild(), options), conditional(mild(), options, rules, default)
    assert sum(abs(after.get(name, 0) - before[name]) for name in before) > 0.05  # not the same


def test_too_long_names_are_discarded() -> None:
    """The names are conditioned on the maximum length of the rules. They are not ended there."""
    check_distribution(mild(), Options(contains="b"), NameRules(max_length=3))
    check_distribution(wild(), Options(suffix="a"), NameRules(max_length=3))


def distance(names: list[str], probabilities: Probabilities) -> float:
    """The total variation distance, with all rare names counted as one.

    A small block has few rare names, because of its size and not because of how they are drawn.
    """
    found = frequencies(names)
    common = {name: p for name, p in probabilities.items() if p > 0.02}
    off = [found.get(name, 0.0) - p for name, p in common.items()]
    return (sum(map(abs, off)) + abs(sum(off))) / 2


@pytest.mark.parametrize(
    "options",
    [Options(suffix="ab"), Options(contains=("aa", "bb")), Options(min_length=5)],
    ids=str,
)
def test_larger_blocks_are_closer_to_the_distribution(options: Options) -> None:
    """Eight times as many particles at least halve the distance."""
    plan, probabilities = plan_for(mild(), options), conditional(mild(), options)
    small, medium, large = (
        np.mean([distance(block(mild(), size, seed, plan), probabilities) for seed in range(20)])
        for size in (64, 512, 4_096)
    )
    assert small > 2 * medium > 4 * large


PREFIX = Options(prefix="ba")


@pytest.mark.parametrize(
    "options",
    [
        Options(prefix="ab"),
        Options(suffix="ab"),
        Options(contains=("aab", "ba")),
        Options(pattern="?[ab]?*"),
        Options(suffix="ab", temperature=0.6),
        Options(contains=("ba",), top_k=2),
    ],
)
def test_constrained_names_obey_the_rule_for_marks(options: Options) -> None:
    """The rule is that of the model, so names have its distribution, conditioned on both."""
    for model in (mild(), wild()):
        check_distribution(model, options, NameRules(LONGEST, BOUND))


LONG = NameRules(60)


@pytest.mark.parametrize(("size", "blocks"), [(1, 2_000), (2, 1_000), (20_000, 1)])
def test_names_after_a_prefix_are_independent(size: int, blocks: int) -> None:
    """For every block size, even 1, the frequencies pass a chi-square test of independent names."""
    plan = plan_for(mild(), PREFIX, LONG)
    names = [
        name for seed in range(blocks) for name in block(mild(), size, seed, plan, PREFIX, LONG)
    ]
    assert len(names) == size * blocks
    short = [name for name in names if len(name) <= LONGEST]
    assert len(short) > 0.995 * len(names)
    statistic, freedom = chi_square(short, conditional(mild(), PREFIX))
    assert freedom >= 10
    assert is_likely(statistic, freedom)


def test_two_names_of_a_block_after_a_prefix_are_independent() -> None:
    """The probability of a pair of names is the product of their probabilities."""
    plan = plan_for(mild(), PREFIX, LONG)
    common = {name: p for name, p in conditional(mild(), PREFIX).items() if p > 0.01}
    pairs = ["+".join(block(mild(), 2, seed, plan, PREFIX, LONG)) for seed in range(1_200)]
    products = {f"{a}+{b}": common[a] * common[b] for a in common for b in common}
    statistic, freedom = chi_square(pairs, products)
    assert freedom >= 10
    assert is_likely(statistic, freedom)


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of duplicate particles after each resampling."""
    module = sys.modules[draw_constrained.__module__]
    resample = module._resample
    counts: list[int] = []

    def counted(weight: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.intp]:
        drawn: NDArray[np.intp] = resample(weight, random)
        counts.append(len(drawn) - len(np.unique(drawn)))
        return drawn

    monkeypatch.setattr(module, "_resample", counted)
    return counts


@pytest.mark.parametrize("model", [mild, wild])
def test_no_particle_is_copied_after_a_prefix(
    model: Callable[[], Network], copies: list[int]
) -> None:
    """Rounding does not make resampling duplicate particles."""
    plan = plan_for(model(), PREFIX, LONG)
    for seed in range(10):
        for size in (1, 2, 64, 4_096):
            assert len(block(model(), size, seed, plan, PREFIX, LONG)) == size
    assert not any(copies)


def test_unfinished_particles_are_resampled(copies: list[int]) -> None:
    """If the lookahead is wrong, here that of another model, resampling happens before the end."""
    block(wild(), 4_096, 5, plan_for(mild(), Options(contains=("aab", "bb"))))
    assert len(copies) >= 2
    assert all(copies)


short_texts = st.text("ab", max_size=2)
alternatives = short_texts | st.lists(st.text("ab", min_size=1, max_size=2), max_size=3)


@settings(max_examples=80, deadline=None)
@given(
    options=st.builds(
        Options,
        top_k=st.sampled_from([None, 1, 2]),
        prefix=alternatives,
        suffix=alternatives,
        contains=st.lists(short_texts, max_size=2),
        not_contains=st.lists(st.text("ab", min_size=2, max_size=3), max_size=2),
        min_length=st.none() | st.integers(0, 6),
        max_length=st.none() | st.integers(1, 8),
        pattern=st.none()
        | st.lists(st.sampled_from(["*", "?", "a", "b", "[ab]", "[!a]"]), max_size=5).map("".join),
    ),
    size=st.sampled_from([1, 2, 30]),
    seed=st.integers(0, 2**32),
    model=st.sampled_from([mild, wild]),
)
def test_all_names_satisfy_the_constraints(
    options: Options, size: int, seed: int, model: Callable[[], Network]
) -> None:
    """A block is either full of accepted names or, rarely, empty."""
    rules = NameRules(options.max_length or LONGEST)
    try:
        automaton = compile_constraints(options, VOCABULARY, CaseRule.unchanged())
    except SettingError:
        reject()
    assume(automaton is not None)
    assert automaton is not None
    decoding = options.decoding(FREE)
    plan = plan_lookahead(count_grams(model(), decoding, rules), 3, automaton, rules)
    random = np.random.default_rng(seed)
    drawn = draw_constrained(model(), random, size, decoding, rules, plan).names
    names = texts(drawn)
    assert len(names) in (0, size)
    assert all(name and satisfies(name, options) for name in names)
    if options.top_k is None and size == 30:
        assert names
    for start, end in pairwise(drawn.starts):
        assert automaton.accepts[automaton.read(drawn.symbols[start : end - 1])]


@pytest.mark.parametrize(
    ("options", "rules"),
    [
        (Options(min_length=9), NameRules(max_length=5)),
        (Options(prefix="abbab"), NameRules(max_length=4)),
        (Options(contains="aaa", top_k=1), RULES),
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [1, 100])
def test_a_block_without_accepted_names_is_empty(
    options: Options, rules: NameRules, size: int
) -> None:
    """No error is raised if all names are too long or have probability 0."""
    plan = plan_for(mild(), options, rules)
    assert block(mild(), size, 1, plan, options, rules) == []
    drawn = NameStream(mild(), 1, options.decoding(FREE), rules, plan).draw(3)
    assert len(drawn.names) == len(drawn.positions) == 0


def test_excess_follows_each_particle() -> None:
    """It is that of the finished names, before truncation and also after resampling."""
    options, decoding = Options(contains=("aab", "bb")), Decoding(0.8, top_k=2, keep=0.5)
    plan = plan_for(wild(), options)
    names, excess = draw_constrained(wild(), np.random.default_rng(5), 1_000, decoding, RULES, plan)
    expected = []
    for start, end in pairwise(names.starts.tolist()):
        state, p = wild().begin(1)
        p[:, END], total = 0, 0.0
        for symbol in names.symbols[start:end].tolist():
            row = p[0].tolist()
            total += sum(q * math.log(q) for q in row if q) / sum(row) - math.log(row[symbol])
            if symbol != END:
                state, p = wild().advance(state, np.array([symbol]))
        expected.append(total)
    np.testing.assert_allclose(excess, expected, rtol=1e-4, atol=1e-4)


def test_rejected_particles_are_replaced() -> None:
    """If top-k leads some particles into dead ends, the block is filled with the others."""
    options, rules = Options(suffix="ab", top_k=2), NameRules(4)
    names = block(mild(), 500, 1, plan_for(mild(), options, rules), options, rules)
    assert len(names) == 500
    assert set(names) <= set(conditional(mild(), options, rules))


@pytest.mark.parametrize(
    "options", [Options(pattern="*", top_k=1), Options(pattern="*", top_p=0.8)], ids=str
)
def test_truncation_does_not_count_a_forbidden_end(options: Options) -> None:
    """With a pattern that every name matches, the same names are drawn as without constraints.

    No name is empty, so top-k and top-p do not count the end as a first symbol, even if the model
    finds it likely.
    """
    ending = random_network(3, 4, seed=11, dtype=np.float32)
    ending.parameters["by"][0] = 3.0  # likelier than both letters, as the first symbol too
    constrained = block(ending, 2_000, 1, plan_for(ending, options), options)
    random = np.random.default_rng(1)
    plain = texts(draw_block(ending, random, 2_000, options.decoding(FREE), RULES).names)
    assert set(constrained) == set(plain)
