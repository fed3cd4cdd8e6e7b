"""Threads: one thread per matrix product, and a thread pool that keeps results in order.

The number of threads that share a product sets the order of its sums and so the last digit of the
result. With one thread per product, results do not depend on the number of cores.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

WORKERS = min(4, os.cpu_count() or 1)
"""The number of threads in a pool. More than four do not help: Python code between NumPy calls runs
one thread at a time."""

_VARIABLES = (
    *("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"),
    *("BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
)
"""Environment variables that NumPy's libraries read when they are loaded."""

_process_is_limited = False


def limit_process_to_one_thread() -> None:
    """Limit all matrix products of this process to one thread, if NumPy is not loaded yet.

    The products of this program are small. A second thread costs more time than it saves, and much
    more on a busy machine.
    """
    global _process_is_limited
    os.environ.update(dict.fromkeys(_VARIABLES, "1"))
    _process_is_limited = "numpy" not in sys.modules


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit matrix products to one thread inside a ``with`` block or a decorated function.

    The limit is per process in some BLAS libraries and per thread in others. So callers
    set it in the waiting thread, before the workers start, and in each worker.
    """
    if _process_is_limited:
        yield
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        yield


def with_one_thread(items: Iterator[Item]) -> Iterator[Item]:
    """Iterate over items that are computed on demand, with one thread per matrix product."""
    with one_thread():
        yield from items


def map_ordered(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Apply a function to items in a thread pool, and yield the results in order.

    At most `WORKERS` + 1 results wait at any time. When the caller stops early, items that have not
    started are not processed.
    """
    items = iter(items)
    # The first item needs no pool: starting threads takes longer than sampling a few names.
    for item in islice(items, 1):
        yield work(item)
    if (second := next(items, None)) is None:
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(WORKERS)
    try:
        for item in chain((second,), items):
            waiting.append(pool.submit(work, item))
            if len(waiting) > WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
