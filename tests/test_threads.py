"""Threads: the names are the same however many cores share a product."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from dinogen.cli.checkpoints import BUNDLED
from dinogen.threads import one_thread
from tests.cli.conftest import side_by_side
from tests.conftest import CORPORA, command, environment

# A seed whose names do differ between one thread and two, where nothing is done about it.
NAMES = ("--n", "20000", "--seed", "1", "--allow-repeats")
PROGRAM = f"""
import dinogen
names = dinogen.load({str(BUNDLED)!r}).sample(20_000, 1, allow_repeats=True)
print(*names, sep="\\n")
"""


TRAINING = f"""
import hashlib
import dinogen
corpus = dinogen.read_corpus([{str(CORPORA / "edda.txt")!r}])
run = dinogen.DefaultRun(corpus, dinogen.Settings.for_corpus(corpus.facts, seed=1, steps=40))
for progress in run.train():
    pass
print(hashlib.sha256(run.checkpoint().network.parameters.vector).hexdigest())
"""


def blas_threads() -> set[int]:
    """How many threads products take just now."""
    return {
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    }


def outcomes(*programs: list[str]) -> list[bytes]:
    """Run programs with one thread and with two; what each prints."""

    def run(how: tuple[list[str], str]) -> bytes:
        args, threads = how
        told = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
        return subprocess.run(
            args, env=environment() | told, capture_output=True, check=True
        ).stdout

    return side_by_side(run, [(args, threads) for args in programs for threads in ("1", "2")])


def test_names_do_not_depend_on_threads() -> None:
    """From the command and from the library, with one thread and with two: the same names."""
    sample = [*map(str, command("sample", BUNDLED, *NAMES))]
    first, *others = outcomes(sample, [sys.executable, "-c", PROGRAM])
    assert first.count(b"\n") == 20_000
    assert others == [first] * 3


def test_training_does_not_depend_on_threads() -> None:
    """With one thread and with two, what was learned is the same to the last bit."""
    first, second = outcomes([sys.executable, "-c", TRAINING])
    assert first == second


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
