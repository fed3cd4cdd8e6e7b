"""Timing of functions that take turns."""

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter

ROUNDS = 7


def time_in_turns(
    functions: Mapping[str, Callable[[], object]], rounds: int = ROUNDS
) -> dict[str, float]:
    """Return the median seconds of each function, by name.

    Each runs once without the clock. Then all of them run in turn, in every round.
    """
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for function in functions.values():
        function()
    for _ in range(rounds):
        for name, function in functions.items():
            began = perf_counter()
            function()
            seconds[name].append(perf_counter() - began)
    return {name: median(times) for name, times in seconds.items()}
