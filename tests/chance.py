"""A chi-square statistic for samples from a known distribution."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

Name = TypeVar("Name")


def chi_square(found: Sequence[Name], chances: Mapping[Name, float]) -> tuple[float, int]:
    """Return the chi-square statistic of a sample, and its degrees of freedom.

    Outcomes that are expected fewer than 10 times are counted together.

    Args:
        found: the sample.
        chances: the probabilities of the outcomes.
    """
    n = len(found)
    common = [name for name, chance in chances.items() if chance * n >= 10]
    expected = [chances[name] * n for name in common]
    counts: list[float] = [found.count(name) for name in common]
    if (rest := n - sum(expected)) > 10:
        expected.append(rest)
        counts.append(n - sum(counts))
    statistic = sum((f - e) ** 2 / e for f, e in zip(counts, expected, strict=True))
    return statistic, len(expected) - 1
