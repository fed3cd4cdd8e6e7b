"""Teaching: the lessons that a teacher gives, and the names that it writes."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dinogen import threads
from dinogen.data import Names, hold_out, read_corpus
from dinogen.models import next_probabilities
from dinogen.rng import Purpose, random_stream
from dinogen.training import (
    LIST_SHARE,
    TRUST,
    DefaultRun,
    Lessons,
    Teaching,
    Trainer,
    join_lessons,
    lessons_of_list,
    names_to_write,
    write_lessons,
)
from tests.conftest import CORPORA
from tests.networks import names_of, random_network
from tests.origins import make_origin, set_up, write_fewer

CORPUS = read_corpus([CORPORA / "edda.txt"])
TEACHER = make_origin(scale=0.5).start(CORPUS.vocabulary, seed=1)
WRITTEN = 1_500


@pytest.fixture(autouse=True)
def _fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let teachers write little."""
    write_fewer(monkeypatch, WRITTEN)


def each_symbol(names: Names) -> Iterator[tuple[list[int], int]]:
    """Yield the symbols before each symbol of each name, and the symbol."""
    for start, end in zip(names.starts[:-1], names.starts[1:], strict=True):
        name = names.symbols[start:end].tolist()
        for place, symbol in enumerate(name):
            yield name[:place], symbol


# The lessons of the list.


def test_the_lessons_of_a_list_mix_the_teacher_and_the_names() -> None:
    """Each row is `TRUST` times the teacher's probabilities, and the rest on the symbol itself."""
    teacher = random_network(5, 6, seed=4, dtype=np.float32)
    names = names_of([1, 2, 3], [4], [2, 2, 2, 2, 1, 3], [3, 1])
    lessons = lessons_of_list(teacher, names, WRITTEN)
    assert lessons.names.symbols is names.symbols
    for row, (prefix, symbol) in zip(lessons.soft_targets, each_symbol(names), strict=True):
        p = TRUST * next_probabilities(teacher, prefix)
        p[symbol] += 1 - TRUST
        np.testing.assert_allclose(row, p, rtol=1e-5)
    np.testing.assert_allclose(lessons.soft_targets.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 4.0, 0.5]], ids=["equal", "weighted"])
def test_the_weights_of_a_list(weights: list[float] | None) -> None:
    """Names keep their proportions. Beside the written ones, the list has a fixed share."""
    names = names_of([1, 2, 3], [4], [2, 2], [3, 1])
    names.weights = None if weights is None else np.array(weights)
    found = lessons_of_list(
        random_network(5, 6, seed=4, dtype=np.float32), names, WRITTEN
    ).names.weights
    assert found is not None
    expected = np.ones(4) if weights is None else np.array(weights)
    np.testing.assert_allclose(found / found.sum(), expected / expected.sum(), rtol=1e-12)
    assert found.sum() / (found.sum() + WRITTEN) == pytest.approx(LIST_SHARE)
    assert (names.weights is None) == (weights is None), "the list itself is unchanged"


# The written names.


def test_a_teacher_writes_names_like_those_of_the_list() -> None:
    """They have the teacher's own probabilities, equal weights, and the lengths of the list."""
    parts = [*write_lessons(TEACHER, CORPUS, WRITTEN, seed=3)]
    written = join_lessons(parts)
    assert len(written.names) == WRITTEN
    assert written.names.symbols.dtype == CORPUS.names.symbols.dtype
    assert written.names.weights is not None
    assert (written.names.weights == 1).all()
    lengths = CORPUS.vocabulary.lengths(written.names)
    assert lengths.min() >= CORPUS.stats.shortest
    assert lengths.max() <= CORPUS.stats.longest
    assert len({tuple(prefix) for prefix, end in each_symbol(written.names) if not end}) > 500
    np.testing.assert_allclose(written.soft_targets.sum(axis=1), 1, rtol=1e-5)
    for place, (prefix, _) in enumerate(each_symbol(written.names)):
        if place % 500 == 7:
            p = next_probabilities(TEACHER, prefix)
            np.testing.assert_allclose(written.soft_targets[place], p, rtol=1e-4, atol=1e-7)


def test_symbols_are_written_as_often_as_the_teacher_says() -> None:
    """The first symbols are draws from its own distribution, without truncation."""
    written = join_lessons([*write_lessons(TEACHER, CORPUS, WRITTEN, seed=3)]).names
    p = next_probabilities(TEACHER, [])
    counts = np.bincount(written.symbols[written.starts[:-1]], minlength=len(p))
    assert counts[0] == 0
    # An empty name, and symbols that begin no name of the list, are left out.
    used = counts > 0
    expected = p[used] / p[used].sum() * len(written)
    deviations = (counts[used] - expected) / np.sqrt(expected)
    assert np.square(deviations).mean() < 2
    assert used.sum() > 10


def test_the_seed_decides_what_is_written() -> None:
    """The same seed gives the same lessons to the bit; another one, other names."""
    first, again, other = (
        join_lessons([*write_lessons(TEACHER, CORPUS, WRITTEN, s)]) for s in (3, 3, 4)
    )
    assert same_lessons(first, again)
    assert not same_lessons(first, other)


def test_lessons_do_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker and four write the same names, with the same probabilities."""
    found = []
    for workers in (1, 4):
        monkeypatch.setattr(threads, "WORKERS", workers)
        found.append(join_lessons([*write_lessons(TEACHER, CORPUS, WRITTEN, seed=3)]))
    assert same_lessons(*found)


def test_fewer_names_are_written_for_many_symbols(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The soft targets of a list of 12,000 symbols take 256 MiB at most."""
    write_fewer(monkeypatch, 12_000)
    assert names_to_write(CORPUS) == 12_000
    symbols = [chr(0x4E00 + i) for i in range(12_000)]
    path = tmp_path / "names.txt"
    path.write_text("".join(f"{a}{b}{c}\n" for a, b, c in zip(*[iter(symbols)] * 3, strict=True)))
    many = names_to_write(read_corpus([path]))
    assert many % 500 == 0
    assert 500 <= many <= 2**26 / (4 * 12_001) < many + 500


def test_more_names_begin_with_the_same_ones() -> None:
    """A name does not depend on how many are written after it."""
    few = join_lessons([*write_lessons(TEACHER, CORPUS, WRITTEN, seed=3)]).names
    many = join_lessons([*write_lessons(TEACHER, CORPUS, 2 * WRITTEN, seed=3)]).names
    assert len(many) == 2 * WRITTEN
    np.testing.assert_array_equal(many.symbols[: len(few.symbols)], few.symbols)


def same_lessons(one: Lessons, other: Lessons) -> bool:
    """Return whether two lessons are equal to the bit."""
    return np.array_equal(one.names.symbols, other.names.symbols) and np.array_equal(
        one.soft_targets, other.soft_targets
    )


def test_joined_lessons_keep_their_order() -> None:
    """Names, weights and soft targets of the parts follow each other."""
    lists = [names_of([1, 2], [3]), names_of([4])]
    lists[0].weights, lists[1].weights = np.array([2.0, 3.0]), np.array([5.0])
    targets = np.arange(35, dtype=np.float32).reshape(7, 5)
    parts = [Lessons(lists[0], targets[:5]), Lessons(lists[1], targets[5:])]
    joined = join_lessons(parts)
    np.testing.assert_array_equal(joined.names.symbols, [1, 2, 0, 3, 0, 4, 0])
    np.testing.assert_array_equal(joined.names.starts, [0, 3, 5, 7])
    np.testing.assert_array_equal(joined.names.weights, [2, 3, 5])
    np.testing.assert_array_equal(joined.soft_targets, targets)


# What the two networks are given.


def recorded(monkeypatch: pytest.MonkeyPatch) -> dict[int, tuple[Names, np.ndarray | None]]:
    """Record the names and soft targets that each trainer learns from, by its identity."""
    given: dict[int, tuple[Names, np.ndarray | None]] = {}
    learn_from = Trainer.learn_from

    def record(trainer: Trainer, names: Names, soft_targets: np.ndarray | None = None) -> None:
        given[id(trainer)] = names, soft_targets
        learn_from(trainer, names, soft_targets)

    monkeypatch.setattr(Trainer, "learn_from", record)
    return given


def taught_run(**given: str | float | None) -> DefaultRun:
    """Set up a vanilla RNN that a tiny teacher teaches."""
    settings: dict[str, str | float | None] = {"hidden_size": 8, "steps": 5, **given}
    return set_up(CORPUS, make_origin(), **settings)


@pytest.mark.parametrize("holdout", [0.0, 0.2])
def test_the_lessons_have_the_list_and_the_written_names(
    holdout: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The teacher learns the training names, and the student these and the written ones."""
    given = recorded(monkeypatch)
    run = taught_run(holdout=holdout)
    assert run.trainer
    assert run.teaching
    training, held_out = hold_out(CORPUS, holdout, run.settings.seed)
    assert len(held_out) == round(holdout * CORPUS.stats.names)
    list(run.train())
    teacher, targets = given[id(run.teaching.trainer)]
    assert targets is None
    student, targets = given[id(run.trainer)]
    np.testing.assert_array_equal(teacher.symbols, training.symbols)
    assert len(student) == len(training) + WRITTEN
    np.testing.assert_array_equal(student.symbols[: len(training.symbols)], training.symbols)
    assert student.weights is not None
    share = student.weights[: len(training)].sum() / student.weights.sum()
    assert share == pytest.approx(LIST_SHARE)
    # The soft targets come from the tuned network, not from the one that it started as.
    tuned = lessons_of_list(run.teaching.trainer.best_network, training, WRITTEN).soft_targets
    assert targets is not None
    np.testing.assert_array_equal(targets[: len(tuned)], tuned)
    start = make_origin().start(CORPUS.vocabulary, run.settings.seed)
    assert (lessons_of_list(start, training, WRITTEN).soft_targets != tuned).any()


@pytest.mark.parametrize("start", ["tuned", "taught"])
def test_held_out_names_are_not_learned(start: str) -> None:
    """A symbol that only held-out names have is read by neither network in training.

    Its row of `Wax` is then the initial one to the bit. A row that is read once changes.
    """
    V = len(CORPUS.vocabulary)
    # For some seed, both names with this letter are held out.
    rare = next(
        (symbol, seed)
        for symbol in np.argsort(np.bincount(CORPUS.names.symbols, minlength=V)).tolist()
        for seed in range(60)
        if symbol not in hold_out(CORPUS, 0.4, seed)[0].symbols
    )
    symbol, seed = rare
    kind = {"cell": "lstm", "layers": 2} if start == "tuned" else {"hidden_size": 8}
    run = set_up(CORPUS, make_origin(), seed=seed, holdout=0.4, steps=40, **kind)
    assert run.settings.start == start
    assert run.trainer
    learning = run.teaching.trainer if run.teaching else run.trainer
    before = learning.network.parameters["Wax"].copy()  # (4, V, H)
    list(run.train())
    changed = (learning.network.parameters["Wax"] != before).any(axis=(0, 2))  # (V,)
    expected = np.isin(np.arange(V), hold_out(CORPUS, 0.4, seed)[0].symbols)
    np.testing.assert_array_equal(changed, expected)
    assert not changed[symbol]


def test_the_progress_of_a_taught_run() -> None:
    """First all updates of the teacher, then the written names, then the updates of the student."""
    run = taught_run()
    assert run.teaching
    reported = [*run.train()]
    stages = [(progress.preparation, progress.total) for progress in reported]
    steps = run.teaching.trainer.step
    writing = [progress.step for progress in reported if progress.preparation == "writing"]
    assert writing == sorted({*writing, WRITTEN})
    assert len(writing) > 1
    assert stages == [
        *[("teacher", run.teaching.trainer.steps)] * steps,
        *[("writing", WRITTEN)] * len(writing),
        *[(None, 0)] * 5,
    ]
    assert [p.step for p in reported] == [*range(1, steps + 1), *writing, *range(1, 6)]
    assert all(progress.row is None for progress in reported[steps : steps + len(writing)])
    assert reported[0].row is not None


def test_samples_come_from_the_teacher_until_it_is_done() -> None:
    """While the network is prepared, the names are those of its teacher at this step."""
    run = taught_run()
    before, seen = run.sample_names(20), {}
    for progress in run.train():
        if progress.row or progress.preparation == "writing":
            seen[progress.preparation, progress.step] = run.sample_names(20)
    assert seen["teacher", 1] != before
    last = max(step for stage, step in seen if stage == "teacher")
    first = min(step for stage, step in seen if stage == "writing")
    assert seen["writing", first] == seen["teacher", last]
    assert seen[None, 5] != seen["writing", WRITTEN]


def test_the_names_of_a_seed_are_those_of_its_stream() -> None:
    """Each block of names has its own random stream, so that blocks can be written in any order."""
    home = sys.modules[Teaching.__module__]
    opened = []

    def record(seed: int, purpose: Purpose, index: int = 0) -> np.random.Generator:
        opened.append((seed, purpose, index))
        return random_stream(seed, purpose, index)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(home, "random_stream", record)
        list(write_lessons(TEACHER, CORPUS, WRITTEN, seed=3))
    assert sorted(opened) == [(3, Purpose.TEACH, block) for block in range(len(opened))]
    assert len(opened) > 1
