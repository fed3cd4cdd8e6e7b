"""Two networks of two letters, and the probabilities of all their names, in plain loops."""

import math
from fnmatch import fnmatchcase
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dinogen.data import END, CaseRule, Names, Vocabulary
from dinogen.generation import (
    DEAD,
    Decoding,
    NameRules,
    Options,
    Successors,
    compile_constraints,
)
from dinogen.models import Network
from tests.literal import one_hot, softmax
from tests.networks import as_columns, random_network
from tests.reweighting import reweight_row

LONGEST = 10
"""At most 1 in 1,000 names of the models has more symbols."""

VOCABULARY = Vocabulary.of("ab")
RULES = NameRules(LONGEST)
FREE = Decoding()

Probabilities = dict[str, float]


@cache
def mild() -> Network:
    """A network of two letters. Its names are short and varied."""
    network = random_network(3, 4, seed=11, dtype=np.float32)
    network.parameters["by"][...] = [-2.5, -0.84, -2]
    return network


@cache
def wild() -> Network:
    """A network that depends on more than the last letter, so its lookahead is often wrong."""
    network = random_network(3, 4, seed=8, dtype=np.float32, scale=2)
    network.parameters["by"][END] -= 2
    return network


@cache
def enumerate_names(
    model: Network,
    options: Options,
    default: Decoding = FREE,
    min_length: int = 1,
    successors: Successors | None = None,
) -> Probabilities:
    """Compute the probability of every name, symbol by symbol in plain loops.

    Names of less than the minimum or more than `LONGEST` symbols are left out. The constraints
    matter only for truncation: it does not count symbols after which no name can satisfy them.
    """
    p = as_columns(model)
    automaton = None
    decoding = options.decoding(default)
    if decoding.truncates:
        automaton = compile_constraints(options, VOCABULARY, CaseRule.unchanged())
    probabilities: Probabilities = {}

    def extend(written: str, probability: float, symbol: int, a: NDArray[np.float64]) -> None:
        a = np.tanh(p["Wax"] @ one_hot(symbol, 3) + p["Waa"] @ a + p["b"])
        row: list[float] = softmax(p["Wya"] @ a + p["by"])[:, 0].tolist()
        if len(written) < min_length:
            row[END] = 0
        if successors:
            allowed = successors.allowed[successors.rows[symbol]].tolist()
            row = [p if may_follow else 0 for p, may_follow in zip(row, allowed, strict=True)]
        kept = reweight_row(row, decoding)
        weights = [q ** (1 / decoding.temperature) for q in row]
        total = sum(weight for weight, share in zip(weights, kept, strict=True) if share)
        if automaton:
            state = automaton.read(" ab".index(letter) for letter in written)
            possible = [bool(automaton.accepts[state]), *(automaton.transitions[state, 1:] != DEAD)]
            row = [p if can else 0 for p, can in zip(row, possible, strict=True)]
            kept = reweight_row(row, decoding)
        # Shares of what truncation leaves of all symbols, not only of the possible ones.
        row = [weight / total if share else 0 for weight, share in zip(weights, kept, strict=True)]
        if row[END]:
            probabilities[written] = probability * row[END]
        for letter in (1, 2):
            if len(written) < LONGEST and row[letter]:
                extend(written + " ab"[letter], probability * row[letter], letter, a)

    extend("", 1.0, END, np.zeros((4, 1)))
    return probabilities


def satisfies(name: str, options: Options) -> bool:
    """Whether a name satisfies the constraints, by the standard library."""
    return (
        name.startswith(tuple(options.prefix) or "")
        and name.endswith(tuple(options.suffix) or "")
        and all(text in name for text in options.contains)
        and not any(text and text in name for text in options.not_contains)
        and len(name) >= (options.min_length or 1)
        and len(name) <= (options.max_length or LONGEST)
        and fnmatchcase(name, options.pattern or "*")
    )


def conditional(
    model: Network, options: Options, rules: NameRules = RULES, default: Decoding = FREE
) -> Probabilities:
    """The probability of each name, conditioned on the constraints and the rules."""
    fitting = {
        name: probability
        for name, probability in enumerate_names(
            model, options, default, rules.min_length, rules.successors
        ).items()
        if satisfies(name, options) and len(name) <= rules.max_length
    }
    return {name: probability / sum(fitting.values()) for name, probability in fitting.items()}


def texts(names: Names) -> list[str]:
    """Convert names to text."""
    return str(np.array(["\n", "a", "b"])[names.symbols].tobytes(), "utf-32-le").split("\n")[:-1]


def is_likely(statistic: float, freedom: int) -> bool:
    """Whether chi-square is within four standard deviations; its variance is twice its freedom."""
    return abs(statistic - freedom) < 4 * math.sqrt(2 * freedom) + 4


BOUND = Successors(np.arange(3), np.array([[0, 1, 0], [1, 1, 1], [1, 1, 0]], dtype=np.bool_))
"""The letter b is a mark: it comes neither first nor twice."""
