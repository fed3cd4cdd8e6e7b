"""Work done ahead: in order, with little waiting, and no more of it than is wanted."""

from collections.abc import Iterator
from itertools import count
from time import sleep

import pytest

from dinogen.generation.ahead import WORKERS, ahead


@pytest.mark.parametrize("pieces", [0, 1, 2, 3, 50])
def test_results_come_in_order(pieces: int) -> None:
    """Every piece is done once, and the results come in the order of the pieces."""

    def work(piece: int) -> int:
        sleep(0.002 * (piece % 3))  # later pieces may well be done before earlier ones
        return piece * piece

    assert list(ahead(work, range(pieces))) == [piece**2 for piece in range(pieces)]


def test_only_a_few_pieces_are_begun_ahead() -> None:
    """Of endless pieces no more are taken than were asked for and a few."""
    taken = 0

    def pieces() -> Iterator[int]:
        nonlocal taken
        for piece in count():
            taken += 1
            yield piece

    results = ahead(lambda piece: piece, pieces())
    assert [next(results) for _ in range(10)] == list(range(10))
    assert taken <= 10 + WORKERS + 1


def test_leaving_early_ends_the_work() -> None:
    """When the results are no longer wanted, what has not begun is never done."""
    done: list[int] = []
    results = ahead(done.append, count())
    next(results)
    next(results)
    results.close()  # type: ignore[attr-defined]
    before = len(done)
    sleep(0.05)
    assert len(done) == before <= 2 + WORKERS + 1


def test_what_goes_wrong_is_told() -> None:
    """An error in a piece comes up where its result would have."""
    results = ahead(lambda piece: 1 // (3 - piece), range(5))
    assert [next(results) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)
