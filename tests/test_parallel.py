"""`map_ordered`: results in order, few items in advance, and no work after an early stop."""

import itertools
from collections.abc import Iterator
from time import sleep

import pytest

from dinogen.threads import WORKERS, map_ordered


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_results_come_in_order(count: int) -> None:
    """Every item is processed once, and the results have the order of the items."""

    def work(item: int) -> int:
        sleep(0.002 * (item % 3))  # later items can finish before earlier ones
        return item * item

    assert list(map_ordered(work, range(count))) == [item**2 for item in range(count)]


def test_few_items_are_taken_in_advance() -> None:
    """Of endless items, at most `WORKERS` + 1 are taken in advance."""
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for item in itertools.count():
            taken += 1
            yield item

    results = map_ordered(lambda item: item, items())
    assert [next(results) for _ in range(10)] == list(range(10))
    assert taken <= 10 + WORKERS + 1


def test_items_are_taken_when_they_are_needed() -> None:
    """An item that is not needed yet is taken when no other result is left to wait for."""
    found: list[int] = []
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(20):
            taken.append(item)
            yield item

    results = map_ordered(lambda item: -item, items(), lambda: len(found) >= 10)
    for result in results:
        assert len(taken) <= len(found) + (1 if len(found) < 10 else WORKERS + 2)
        found.append(result)
    assert found == [-item for item in range(20)]


def test_an_early_stop_ends_the_work() -> None:
    """After the iterator is closed, no further item is processed."""
    done: list[int] = []
    results = map_ordered(done.append, itertools.count())
    next(results)
    next(results)
    results.close()  # type: ignore[attr-defined]
    before = len(done)
    sleep(0.05)
    assert len(done) == before <= 2 + WORKERS + 1


def test_an_error_is_raised_in_order() -> None:
    """An error in an item is raised in place of its result."""
    results = map_ordered(lambda item: 1 // (3 - item), range(5))
    assert [next(results) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)
