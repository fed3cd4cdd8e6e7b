"""How far what was drawn is from what was to be expected."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

Name = TypeVar("Name")


def chi_square(found: Sequence[Name], chances: Mapping[Name, float]) -> tuple[float, int]:
    """How far counts are from what is expected, and the freedom they have; rare ones together."""
    n = len(found)
    common = [name for name, chance in chances.items() if chance * n >= 10]
    expected = [chances[name] * n for name in common]
    counts: list[float] = [found.count(name) for name in common]
    if (rest := n - sum(expected)) > 10:
        expected.append(rest)
        counts.append(n - sum(counts))
    statistic = sum((f - e) ** 2 / e for f, e in zip(counts, expected, strict=True))
    return statistic, len(expected) - 1
