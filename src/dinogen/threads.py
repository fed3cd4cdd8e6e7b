"""One thread for each product, so that sums come out the same however many cores there are."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")

_VARIABLES = (
    *("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"),
    *("BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
)
"""What NumPy's libraries read when they are loaded."""

_limited_for_good = False


def limit_for_good() -> None:
    """Have all of this process use one thread for a product, if NumPy is yet to be loaded.

    The products here are small: a second thread costs more than it gives, and far more when
    something else is running.
    """
    global _limited_for_good
    os.environ.update(dict.fromkeys(_VARIABLES, "1"))
    _limited_for_good = "numpy" not in sys.modules


@contextmanager
def one_thread() -> Iterator[None]:
    """Have a product take one thread in the meantime.

    How many threads share a product decides in which order it is summed up, and so its last digit,
    and now and then the symbol that is drawn; and to share a small one takes far longer. Some
    libraries have one limit for the whole process, which only the thread that set it can lift, and
    others one for each thread; so whoever draws sets it, and whoever waits for those who draw sets
    it first.
    """
    if _limited_for_good:
        yield
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        yield


def alone(items: Iterator[Item]) -> Iterator[Item]:
    """Go through what is worked out on the way, with one thread to a product from first to last."""
    with one_thread():
        yield from items
