"""Threads: one per product, restored for the host program; any number of threads may draw names."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import permutations, product

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from dinogen import (
    DefaultRun,
    Model,
    SamplingOptions,
    blend,
    load,
    read_corpus,
    read_texts,
    threads,
)
from dinogen.cli import BUNDLED
from dinogen.model import Sampler
from dinogen.models import Network
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
from dinogen.training import Settings
corpus = dinogen.read_corpus([{str(CORPORA / "edda.txt")!r}])
for network in ({{}}, {{"cell": "lstm", "layers": 2}}):
    settings = Settings.for_corpus(corpus.stats, seed=1, steps=40, **network)
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


# The limit.

HOST = 3
"""The number of threads that the host program has chosen: not what any library starts with."""

needs_blas = pytest.mark.skipif(not blas_threads(), reason="threadpoolctl finds no BLAS library")


@pytest.fixture
def host() -> Iterator[None]:
    """A host program that has chosen a number of threads; it gets that back."""
    with threadpool_limits(HOST, "blas"):
        assert blas_threads() == {HOST}
        yield
        assert blas_threads() == {HOST}


class Visitor:
    """A thread that goes in and out of the limit when it is told to."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._limit = one_thread()

    def enter(self) -> set[int]:
        """Go in; returns the limits that the thread then has."""

        def go_in() -> set[int]:
            self._limit.__enter__()
            return blas_threads()

        return self._pool.submit(go_in).result()

    def leave(self) -> set[int]:
        """Go out; returns the limits that the thread then has."""

        def go_out() -> set[int]:
            self._limit.__exit__(None, None, None)
            return blas_threads()

        found = self._pool.submit(go_out).result()
        self._pool.shutdown()
        return found


@needs_blas
@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("order", [*permutations(range(3))], ids=str)
def test_the_last_thread_restores(order: tuple[int, ...]) -> None:
    """The limit holds for all as long as one is inside, in whichever order they leave."""
    visitors = [Visitor() for _ in order]
    assert all(visitor.enter() == {1} for visitor in visitors)
    for number in order[:-1]:
        visitors[number].leave()
        assert blas_threads() == {1}
    assert visitors[order[-1]].leave() == {HOST}


@needs_blas
@pytest.mark.usefixtures("host")
def test_a_thread_may_be_inside_twice() -> None:
    """The outer block restores, also after an error in the inner one."""
    with one_thread():
        with pytest.raises(ZeroDivisionError), one_thread():
            raise ZeroDivisionError
        assert blas_threads() == {1}


@needs_blas
def test_an_error_restores(host: None) -> None:
    """In the thread that raises it, and in a worker."""

    def fail() -> None:
        with one_thread():
            assert blas_threads() == {1}
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with pytest.raises(ZeroDivisionError), ThreadPoolExecutor(1) as pool:
        pool.submit(fail).result()


@needs_blas
def test_a_host_may_choose_another_number_meanwhile() -> None:
    """It keeps what it chose last."""
    with threadpool_limits(HOST, "blas"):
        visitor = Visitor()
        visitor.enter()
        with threadpool_limits(HOST + 1, "blas"):
            assert visitor.leave() == {HOST + 1}


@needs_blas
@pytest.mark.usefixtures("host")
def test_nothing_is_limited_between_two_names() -> None:
    """Where a caller has a name, or drops the iterator half-read, its own number holds."""
    names = load(BUNDLED).stream(seed=1)
    next(names)
    assert blas_threads() == {HOST}
    del names
    assert blas_threads() == {HOST}
    model = Model(small_run().checkpoint())
    for _ in small_run().train():
        assert blas_threads() == {HOST}
        break
    assert model.score("Odin")
    assert blas_threads() == {HOST}
    for _ in text_model().writer.write(1, 0):
        assert blas_threads() == {HOST}
        break


FORKING = """
import os, threading
from threadpoolctl import threadpool_info
import numpy
from dinogen.threads import one_thread
def threads():
    return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]
before = threads()
inside, done = threading.Event(), threading.Event()
def hold():
    with one_thread():
        inside.set()
        done.wait()
holder = threading.Thread(target=hold)
holder.start()
inside.wait()
child = os.fork()
if child == 0:
    good = threads() == before
    with one_thread():
        good = good and set(threads()) == {1}
    os._exit(0 if good and threads() == before else 1)
status = os.waitpid(child, 0)[1]
done.set()
holder.join()
raise SystemExit(status != 0 or threads() != before)
"""


@needs_blas
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_no_limit_of_threads_that_it_lacks() -> None:
    """Their limit is lifted in it, and it can limit itself."""
    limits = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "2")
    command = [sys.executable, "-W", "ignore", "-c", FORKING]
    subprocess.run(command, env=environment() | limits, check=True, timeout=60)


# Libraries in which the limit belongs to a thread.


class PerThread:
    """A BLAS library like MKL: each thread has a number of its own."""

    internal_api = "mkl"

    def __init__(self) -> None:
        self._own = threading.local()

    def get_num_threads(self) -> int:
        """Return the number of threads of the calling thread."""
        threads: int = getattr(self._own, "threads", HOST)
        return threads

    def set_num_threads(self, threads: int) -> None:
        """Set the number of threads of the calling thread."""
        self._own.threads = threads


def test_a_limit_of_a_thread_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each thread limits itself, and restores itself when it leaves, before the others do."""
    library = PerThread()
    limit = type(threads._limit)()
    monkeypatch.setattr(limit, "_libraries", [library])
    monkeypatch.setattr(threads, "_limit", limit)
    monkeypatch.setattr(sys.modules[__name__], "blas_threads", lambda: {library.get_num_threads()})
    first, second = Visitor(), Visitor()
    assert first.enter() == {1}
    assert blas_threads() == {HOST}
    assert second.enter() == {1}
    assert first.leave() == {HOST}
    assert second.leave() == {HOST}


# Many threads.

Job = tuple[Sampler, int, int, SamplingOptions]
"""A model, the number of names or texts, the seed and the options."""


def small_run(seed: int = 1) -> DefaultRun:
    """Set up a short training from scratch."""
    corpus = read_corpus([CORPORA / "edda.txt"])
    return DefaultRun.start(corpus, seed=seed, origin="none", hidden_size=16, steps=20)


@cache
def name_models() -> tuple[Sampler, ...]:
    """The bundled model, another one of a small network, and their blend."""
    run = small_run()
    for _ in run.train():
        pass
    models = [load(BUNDLED), Model(run.checkpoint())]
    return (*models, blend(models))


@cache
def text_model() -> Model:
    """A model of running text."""
    corpus = read_texts([CORPORA / "sonnets.txt"])
    run = DefaultRun.start(corpus, seed=1, hidden_size=16, steps=2, order=3)
    for _ in run.train():
        pass
    return Model(run.checkpoint())


def test_many_threads_write_what_one_writes() -> None:
    """Threads that share models, and use several of them, get the names of one after the other."""
    plain: Sequence[SamplingOptions] = ({}, {"prefix": "s"}, {"min_distance": 2})
    short: Sequence[SamplingOptions] = ({"length": 200},)
    jobs: list[Job] = [
        *product(name_models(), [40], (1, 2), plain),
        *product((text_model(),), [3], (1, 2), short),
    ]

    def draw(job: Job) -> list[str]:
        model, n, seed, options = job
        return model.sample(n, seed, **options)

    with ThreadPoolExecutor(8) as pool:
        together = [*pool.map(draw, jobs * 3)]
    alone = [draw(job) for job in jobs]
    assert len({str(found) for found in alone}) == len(jobs)
    assert together == alone * 3


def test_many_threads_score_what_one_scores() -> None:
    """The scores of a shared model do not depend on other threads."""
    model, names = load(BUNDLED), ["Tyrannosaurus", "Brontoraptor", "Rex"]
    alone = [score.nats for score in model.score(names)]
    with ThreadPoolExecutor(8) as pool:
        found = [*pool.map(lambda _: [score.nats for score in model.score(names)], range(40))]
    assert found == [alone] * 40


def test_two_trainings_at_the_same_time() -> None:
    """Each gives the parameters that it gives alone."""

    def train(seed: int) -> bytes:
        run = small_run(seed)
        for _ in run.train():
            pass
        network = run.checkpoint().mixture.members["network"]
        assert isinstance(network, Network)
        return network.parameters.vector.tobytes()

    with ThreadPoolExecutor(4) as pool:
        together = [*pool.map(train, (1, 2, 1, 2))]
    assert together == [train(1), train(2)] * 2
    assert together[0] != together[1]
