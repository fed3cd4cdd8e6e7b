"""Threads: the names are the same however many cores share a product."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from dinogen.cli.checkpoints import BUNDLED
from dinogen.threads import one_thread
from tests.cli.conftest import side_by_side
from tests.conftest import command, environment

# A seed whose names do differ between one thread and two, where nothing is done about it.
NAMES = ("--n", "20000", "--seed", "1", "--allow-repeats")
PROGRAM = f"""
import dinogen
names = dinogen.load({str(BUNDLED)!r}).sample(20_000, 1, allow_repeats=True)
print(*names, sep="\\n")
"""


def blas_threads() -> set[int]:
    """How many threads products take just now."""
    return {
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    }


def test_names_do_not_depend_on_threads(tmp_path: Path) -> None:
    """From the command and from the library, with one thread and with two: the same names."""

    def names(how: tuple[list[str], str]) -> bytes:
        args, threads = how
        told = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
        environ = environment() | told
        done = subprocess.run(args, env=environ, cwd=tmp_path, capture_output=True, check=True)
        return done.stdout

    sample = [*map(str, command("sample", BUNDLED, *NAMES))]
    ways = [(args, n) for args in (sample, [sys.executable, "-c", PROGRAM]) for n in ("1", "2")]
    first, *others = side_by_side(names, ways)
    assert first.count(b"\n") == 20_000
    assert others == [first] * 3


@pytest.mark.skipif(not blas_threads(), reason="needs a library whose threads can be told")
def test_the_limit_is_lifted_afterwards() -> None:
    """Whoever draws has one thread to a product, and so have others; afterwards, as it was."""
    threads = min(2, os.cpu_count() or 1)

    def draw() -> set[int]:
        with one_thread():
            return blas_threads()

    with threadpool_limits(threads, "blas"):
        with ThreadPoolExecutor(2) as others, one_thread():
            assert blas_threads() == draw() == {1}
            assert {*map(frozenset, others.map(lambda _: draw(), range(8)))} == {frozenset({1})}
            assert blas_threads() == {1}
        assert blas_threads() == {threads}
        with pytest.raises(ZeroDivisionError), one_thread():
            raise ZeroDivisionError
        assert blas_threads() == {threads}
