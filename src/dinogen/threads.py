"""Threads: one thread per matrix product, and a thread pool that keeps results in order.

The number of threads that share a product sets the order of its sums and so the last digit of the
result. With one thread per product, results do not depend on the number of cores.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from threading import Lock, local
from typing import Any, TypeVar

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


class _Limit:
    """The limit to one thread, for all threads of the process that are inside of `one_thread`.

    In most BLAS libraries, the number of threads belongs to the process. Then the first thread that
    comes in limits it, and the last one that goes out restores it. In the others, it belongs to the
    thread that sets it. Then each thread limits and restores its own.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._libraries: list[Any] | None = None
        self._inside = 0  # threads
        self._own = local()  # depth: how often the thread is inside; before: its own numbers
        self._before: dict[int, int] = {}  # the numbers of threads to restore, by library

    def enter(self) -> None:
        """Limit all products to one thread, until `leave` is called as often as this."""
        own = self._own
        own.depth = getattr(own, "depth", 0) + 1
        if own.depth > 1:
            return
        own.before = {}
        with self._lock:
            self._inside += 1
            for i, library in enumerate(self._loaded()):
                threads = library.get_num_threads()
                if threads not in (None, 1):
                    before = own.before if _belongs_to_thread(library) else self._before
                    before[i] = threads
                    _set_threads(library, 1)

    def leave(self) -> None:
        """Restore the numbers of threads, if no thread is inside any more."""
        own = self._own
        own.depth -= 1
        if own.depth:
            return
        with self._lock:
            self._inside -= 1
            self._restore(own.before)
            if not self._inside:
                self._restore(self._before)

    def restart(self) -> None:
        """Begin anew in a forked process, in which only the thread that forked goes on."""
        self._lock = Lock()
        self._inside = int(getattr(self._own, "depth", 0) > 0)
        if not self._inside:
            self._restore(self._before)

    def _loaded(self) -> list[Any]:
        """Return the BLAS libraries. To find them takes longer than many products."""
        if self._libraries is None:
            from threadpoolctl import ThreadpoolController

            if "numpy" not in sys.modules:
                return []
            self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
        return self._libraries

    def _restore(self, before: dict[int, int]) -> None:
        """Restore numbers of threads, except those that someone else has set meanwhile."""
        libraries = self._libraries or []
        for i, threads in before.items():
            if libraries[i].get_num_threads() == 1:
                _set_threads(libraries[i], threads)
        before.clear()


def _belongs_to_thread(library: Any) -> bool:
    """Tell whether the number of threads of a library belongs to the thread that sets it."""
    kind = (library.internal_api, getattr(library, "threading_layer", None))
    return kind[0] == "mkl" or kind == ("openblas", "openmp")


def _set_threads(library: Any, threads: int) -> None:
    """Set the number of threads of a BLAS library.

    Of OpenBLAS, threadpoolctl lets only one thread of the process do this, until that gives the
    control back.
    """
    release = getattr(library, "clear_controlling_thread", None)
    if release:
        release(force=True)
    library.set_num_threads(threads)
    if release:
        release(force=True)


_limit = _Limit()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_limit.restart)


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit matrix products to one thread inside a ``with`` block or a decorated function.

    Any number of threads may be inside at the same time. The last one that goes out restores what
    the host program had set. So a block should only compute: it should not wait for a caller.

    In some BLAS libraries, the limit belongs to a thread. So each worker sets it, too.
    """
    if _process_is_limited:
        yield
        return
    _limit.enter()
    try:
        yield
    finally:
        _limit.leave()


def with_one_thread(items: Iterator[Item]) -> Iterator[Item]:
    """Iterate over items that are computed on demand, with one thread per matrix product.

    The limit holds while an item is computed, and not while the caller has it.
    """
    while True:
        with one_thread():
            try:
                item = next(items)
            except StopIteration:
                return
        yield item


def map_ordered(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    is_needed: Callable[[], bool] = lambda: True,
) -> Iterator[Result]:
    """Apply a function to items in a thread pool, and yield the results in order.

    At most `WORKERS` + 1 results wait at any time. When the caller stops early, items that have not
    started are not processed.

    Args:
        work: the function.
        items: the items.
        is_needed: tells whether the next item is needed, as far as is known. If not, the next
            result is yielded before it is taken.
    """
    items = iter(items)
    # The first item needs no pool: starting threads takes longer than sampling a few names.
    for item in islice(items, 1):
        yield work(item)
    if (second := next(items, None)) is None:
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    pool = ThreadPoolExecutor(WORKERS)
    try:
        waiting: deque[Future[Result]] = deque([pool.submit(work, second)])
        while True:
            before = len(waiting)
            if not waiting or (before <= WORKERS and is_needed()):
                waiting.extend(pool.submit(work, item) for item in islice(items, 1))
            if len(waiting) > before:
                continue
            if not waiting:
                return
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
