"""One thread per product: results do not depend on the number of threads."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from dinogen.cli import BUNDLED
from dinogen.threads import one_thread
from tests.cli.conftest import side_by_side
from tests.conftest import CORPORA, command, environment

# Without the limit, names of this seed differ between one thread and two.
SAMPLING = ("--n", "20000", "--seed", "1", "--allow-repeats")
SAMPLING_PROGRAM = f"""
import dinogen
names = dinogen.load({str(BUNDLED)!r}).sample(20_000, 1, allow_repeats=True)
print(*names, sep="\\n")
"""

TRAINING_PROGRAM = f"""
import hashlib
import dinogen
corpus = dinogen.read_corpus([{str(CORPORA / "edda.txt")!r}])
for network in ({{}}, {{"cell": "lstm", "layers": 2}}):
    settings = dinogen.Settings.for_corpus(corpus.stats, seed=1, steps=40, **network)
    run = dinogen.DefaultRun(corpus, settings)
    for progress in run.train():
        pass
    parameters = run.checkpoint().mixture.members["network"].parameters
    print(hashlib.sha256(parameters.vector).hexdigest())
"""

TEACHING_PROGRAM = f"""
import hashlib
import dinogen
from tests.origins import make_origin
from dinogen.training import Settings, Teaching
import sys
for user in (Settings, Teaching):
    sys.modules[user.__module__].WRITTEN = 1_000
corpus = dinogen.read_corpus([{str(CORPORA / "edda.txt")!r}])
origin = make_origin(cell="lstm", layers=2, hidden=64)
for start, network in (("taught", {{}}), ("tuned", {{"cell": "lstm", "layers": 2}})):
    size = {{"hidden_size": 64, "start": start, **network}}
    settings = Settings.for_corpus(corpus.stats, seed=1, steps=40, **size)
    run = dinogen.DefaultRun(corpus, settings, origin)
    for progress in run.train():
        pass
    parameters = run.checkpoint().mixture.members["network"].parameters
    print(hashlib.sha256(parameters.vector).hexdigest())
"""


def blas_threads() -> set[int]:
    """Return the thread limits of the loaded BLAS libraries."""
    return {
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    }


def outputs(*programs: list[str]) -> list[bytes]:
    """Run each program with one thread and with two, and return what they print."""

    def run(case: tuple[list[str], str]) -> bytes:
        args, threads = case
        limits = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
        return subprocess.run(
            args, env=environment() | limits, capture_output=True, check=True
        ).stdout

    return side_by_side(run, [(args, threads) for args in programs for threads in ("1", "2")])


def test_names_do_not_depend_on_threads() -> None:
    """The command and the library sample the same names, with one thread and with two."""
    sample = [*map(str, command("sample", BUNDLED, *SAMPLING))]
    first, *others = outputs(sample, [sys.executable, "-c", SAMPLING_PROGRAM])
    assert first.count(b"\n") == 20_000
    assert others == [first] * 3


def test_training_does_not_depend_on_threads() -> None:
    """Training gives bit-identical parameters with one thread and with two."""
    first, second = outputs([sys.executable, "-c", TRAINING_PROGRAM])
    assert first == second


def test_teaching_does_not_depend_on_threads() -> None:
    """Taught and tuned networks are bit-identical with one thread and with two."""
    first, second = outputs([sys.executable, "-c", TEACHING_PROGRAM])
    assert first.count(b"\n") == 2
    assert first == second


@pytest.mark.skipif(not blas_threads(), reason="threadpoolctl finds no BLAS library")
def test_the_limit_is_restored() -> None:
    """The limit holds in every thread that sets it, and is restored at the end or on an error."""
    threads = min(2, os.cpu_count() or 1)

    def limited_threads() -> set[int]:
        with one_thread():
            return blas_threads()

    with threadpool_limits(threads, "blas"):
        with ThreadPoolExecutor(2) as pool, one_thread():
            assert blas_threads() == limited_threads() == {1}
            assert all(found == {1} for found in pool.map(lambda _: limited_threads(), range(8)))
            assert blas_threads() == {1}
        assert blas_threads() == {threads}
        with pytest.raises(ZeroDivisionError), one_thread():
            raise ZeroDivisionError
        assert blas_threads() == {threads}
