"""Rivals side by side."""

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter

ROUNDS = 7


def side_by_side(
    rivals: Mapping[str, Callable[[], object]], rounds: int = ROUNDS
) -> dict[str, float]:
    """Run rivals in turn, round after round, once without the clock; gives median seconds."""
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for rival in rivals.values():
        rival()
    for _ in range(rounds):
        for name, rival in rivals.items():
            began = perf_counter()
            rival()
            seconds[name].append(perf_counter() - began)
    return {name: median(times) for name, times in seconds.items()}
