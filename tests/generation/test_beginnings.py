"""Beginnings: names with a prefix, compared with all names of a model."""

import math
import sys
from collections import Counter

import numpy as np
import pytest

from dinogen.data import END, CaseRule, CorpusStats, KnownNames, Vocabulary
from dinogen.generation import (
    Beginnings,
    Decoding,
    Namer,
    NameRules,
    NameStream,
    Options,
    compile_constraints,
    compile_prefix,
    draw_block,
    find_beginnings,
)
from dinogen.models import LanguageModel, Network
from tests.chance import chi_square
from tests.enumeration import (
    BOUND,
    FREE,
    LONGEST,
    RULES,
    VOCABULARY,
    conditional,
    is_likely,
    mild,
    texts,
    wild,
)
from tests.networks import random_network

LONG = NameRules(60)


def beginnings_of(
    model: LanguageModel, options: Options, rules: NameRules = RULES, default: Decoding = FREE
) -> Beginnings:
    """The beginnings of the names with a prefix."""
    automaton = compile_prefix(options, VOCABULARY, CaseRule.unchanged())
    assert automaton is not None
    found = find_beginnings(model, automaton, options.decoding(default), rules)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "options",
    [
        Options(prefix="ab"),
        Options(prefix=("ab", "b", "bb")),
        Options(prefix=("a", "b")),
        Options(prefix=("aaab", "ba", "bb"), temperature=0.6),
        Options(prefix="ba", top_k=1),
        Options(prefix=("ab", "b"), top_k=2),
        Options(prefix=("ab", "baa"), top_p=0.7),
    ],
    ids=str,
)
@pytest.mark.parametrize("model", [mild(), wild()], ids=["mild", "wild"])
def test_names_have_the_conditional_distribution(model: Network, options: Options) -> None:
    """The frequencies of 20,000 names pass a chi-square test of independent names."""
    random, decoding = np.random.default_rng(3), options.decoding(FREE)
    found = beginnings_of(model, options, LONG)
    names = texts(draw_block(model, random, 20_000, decoding, LONG, found).names)
    short = [name for name in names if len(name) <= LONGEST]
    assert len(short) > 0.99 * len(names) == 0.99 * 20_000
    expected = conditional(model, options)
    assert set(short) <= set(expected)
    if len(expected) > 10:
        assert is_likely(*chi_square(short, expected))


def test_marks_and_short_names_stay_forbidden() -> None:
    """The rules of the list hold after a prefix, too: b is a mark, and names have two letters."""
    rules = NameRules(LONGEST, BOUND, min_length=2)
    options = Options(prefix=("ab", "a", "b"))
    names = texts(
        draw_block(
            mild(),
            np.random.default_rng(1),
            5_000,
            FREE,
            rules,
            beginnings_of(mild(), options, rules),
        ).names
    )
    assert all(name.startswith("a") and "bb" not in name and len(name) > 1 for name in names)
    assert {"ab", "aa"} <= set(names)


def test_impossible_beginnings_give_an_empty_block() -> None:
    """The stream then has no names at these positions."""
    rules = NameRules(LONGEST, BOUND)
    found = beginnings_of(mild(), Options(prefix="b"), rules)
    stream = NameStream(mild(), 1, FREE, rules, found)
    assert [len(stream.draw(block).names) for block in range(3)] == [0, 0, 0]


@pytest.mark.parametrize("prefix", ["a", ("ab", "b")])
def test_excess_includes_the_prefix(prefix: str | tuple[str, ...]) -> None:
    """It is that of the whole name, as without a prefix."""
    decoding, rules = Decoding(keep=0.5), NameRules(40)
    plain = draw_block(mild(), np.random.default_rng(1), 3_000, decoding, rules)
    excess = dict(zip(texts(plain.names), plain.excess, strict=True))
    found = beginnings_of(mild(), Options(prefix=prefix), rules, decoding)
    drawn = draw_block(mild(), np.random.default_rng(2), 500, decoding, rules, found)
    pairs = [
        (other, excess[name])
        for name, other in zip(texts(drawn.names), drawn.excess, strict=True)
        if name in excess
    ]
    assert len(pairs) > 300
    others, expected = zip(*pairs, strict=True)
    np.testing.assert_allclose(others, expected, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        Options(),
        Options(prefix="a", suffix="b"),
        Options(prefix="a", min_length=2),
        Options(prefix="a", not_contains="b"),
        Options(prefix=("", "")),
    ],
    ids=str,
)
def test_other_constraints_need_a_lookahead(options: Options) -> None:
    """Only a prefix alone is drawn from its beginnings."""
    assert compile_prefix(options, VOCABULARY, CaseRule.unchanged()) is None


KOREAN = Vocabulary.of("\u1112\u1161\u11ab\n\u1100\u1175\n-")
"""Letters of Hangul syllables, and a hyphen."""


def test_a_syllable_of_a_prefix_is_complete() -> None:
    """The letter after 히 decides: 힌 does not begin with it. It may also be the whole name."""
    model = random_network(len(KOREAN), 5, seed=2, dtype=np.float32)
    stats = CorpusStats(2, 2, 0, 1, 4, "")
    rules = NameRules.for_corpus(stats, KOREAN)
    options, case = Options(prefix="히", temperature=1.0), CaseRule.unchanged()
    assert compile_constraints(options, KOREAN, case, rules.successors) is not None
    prefix = compile_prefix(options, KOREAN, case)
    assert prefix is not None
    found = find_beginnings(model, prefix, FREE, rules)
    assert found is not None
    namer = Namer(model, KOREAN, case, KnownNames(), rules, FREE)
    every = Options(temperature=1.0, allow_repeats=True)
    plain = [n for d in namer.draw(40_000, 1, every) for n in namer.spell(d.names)]
    expected = [name for name in plain if name.startswith("히")]
    drawn = draw_block(model, np.random.default_rng(1), 4_000, FREE, rules, found)
    names = namer.spell(drawn.names.filter(np.isfinite(drawn.excess)))
    assert all(name.startswith("히") for name in names)
    assert {"히", "히기"} <= set(names)
    common = [name for name, times in Counter(expected).most_common() if times > 50]
    assert len(common) > 5
    for name in common:
        share, other = names.count(name) / len(names), expected.count(name) / len(expected)
        error = math.sqrt(other * (1 / len(names) + 1 / len(expected)))
        assert abs(share - other) < 5 * error
    assert any(END in rows.symbols for rows in found.rows)


def test_too_many_beginnings_are_left_to_the_lookahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names have the same distribution then."""
    monkeypatch.setattr(sys.modules[find_beginnings.__module__], "MAX_BEGINNINGS", 2)
    prefix = compile_prefix(Options(prefix=("aa", "ab", "b")), VOCABULARY, CaseRule.unchanged())
    assert prefix is not None
    assert find_beginnings(mild(), prefix, FREE, RULES) is None
