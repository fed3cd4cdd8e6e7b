"""Pieces of work on several cores, their results in order."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import TypeVar

WORKERS = min(4, os.cpu_count() or 1)
"""Threads: NumPy works outside of Python's lock, but what lies between its calls does not."""

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def ahead(work: Callable[[Piece], Result], pieces: Iterable[Piece]) -> Iterator[Result]:
    """Do work on one piece after the other, a few ahead, and give the results in order.

    However many pieces there are, only a few results wait at any time; if no more of them are
    wanted, no more is done than what was begun.
    """
    pieces = iter(pieces)
    # The first is done at once: to import and start threads takes longer than a few names.
    for piece in islice(pieces, 1):
        yield work(piece)
    if (second := next(pieces, None)) is None:
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(WORKERS)
    try:
        for piece in chain((second,), pieces):
            waiting.append(pool.submit(work, piece))
            if len(waiting) > WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
