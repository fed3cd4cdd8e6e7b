"""Runs that start from a trained network: the same again, stopped anywhere, and refused."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dinogen import Model
from dinogen.checkpoint import Checkpoint, ResumeState, load_checkpoint
from dinogen.data import hold_out, read_corpus
from dinogen.errors import CheckpointError, SettingError
from dinogen.models import score
from dinogen.training import DefaultRun, Settings
from tests.checkpoint.crafting import (
    Files,
    array_of,
    header_of,
    npy,
    put_together,
    take_apart,
    with_header,
)
from tests.conftest import CORPORA
from tests.origins import make_origin, set_up, write_fewer
from tests.training.runs import Stage, network_of, same, through_a_file, train

CORPUS = read_corpus([CORPORA / "edda.txt"])
ORIGIN = make_origin()
WRITTEN = 1_000

TAUGHT: dict[str, Any] = {"hidden_size": 8, "steps": 30}
DEEP: dict[str, Any] = {"cell": "gru", "layers": 2, "hidden_size": 6, "steps": 30, "dropout": 0.2}
TUNED: dict[str, Any] = {"cell": "lstm", "layers": 2, "steps": 30}
MIXED: dict[str, Any] = {**TAUGHT, "order": None}
KINDS = {"taught": TAUGHT, "deep": DEEP, "tuned": TUNED, "mixture": MIXED}

each_kind = pytest.mark.parametrize("kind", KINDS)
each_holdout = pytest.mark.parametrize("holdout", [0.0, 0.2], ids=["all names", "held out"])


@pytest.fixture(autouse=True)
def _fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let teachers write little."""
    write_fewer(monkeypatch, WRITTEN)


def begin(kind: str, **given: Any) -> DefaultRun:
    """Set up a run of some kind."""
    return set_up(CORPUS, ORIGIN, **{"holdout": 0.2, **KINDS[kind], **given})


@cache
def finished(kind: str, holdout: float = 0.2, seed: int = 3) -> Checkpoint:
    """Train to the end, once for each kind."""
    return train(begin(kind, holdout=holdout, seed=seed))


def resume(checkpoint: Checkpoint, **given: Any) -> DefaultRun:
    """Resume a run with its origin."""
    return DefaultRun.resume(CORPUS, checkpoint, ORIGIN, **given)


# The same again.


@each_kind
@each_holdout
def test_training_twice_gives_the_same(kind: str, holdout: float) -> None:
    """The same list, settings, seed and origin give equal arrays; another seed does not."""
    assert same(train(begin(kind, holdout=holdout)), finished(kind, holdout))
    assert not same(finished(kind, holdout), finished(kind, holdout, seed=4))


@pytest.mark.parametrize("kind", ["taught", "tuned"])
def test_another_origin_gives_another_network(kind: str) -> None:
    """The result depends on the weights of the origin, and not on its name."""
    given = {"holdout": 0.2, **KINDS[kind]}
    other = train(set_up(CORPUS, make_origin(seed=2), **given))
    assert not np.array_equal(
        network_of(other).parameters.vector, network_of(finished(kind)).parameters.vector
    )
    renamed = train(set_up(CORPUS, make_origin(name="x.npz"), **given))
    assert renamed.lineage is not None
    assert renamed.lineage.name == "x.npz"
    lineage = renamed.lineage._replace(name="base")
    assert same(replace(renamed, lineage=lineage), finished(kind))


def test_the_origin_does_not_change() -> None:
    """Training leaves the network that it starts from as it was."""
    finished("taught"), finished("tuned")
    assert ORIGIN.digest == make_origin().digest


@each_kind
def test_snapshots_do_not_change_the_result(kind: str) -> None:
    """A run with snapshots in every stage ends like one without."""
    run = begin(kind)
    for progress in run.train():
        if progress.step % 40 == 1 or progress.preparation == "writing":
            run.checkpoint()
    assert same(run.checkpoint(), finished(kind))


def test_a_run_is_started_by_the_name_of_its_origin(tmp_path: Path) -> None:
    """From Python, a run starts as on the command line; without a network, it has no origin."""
    through_a_file(train(set_up(CORPUS, None, cell="gru", hidden_size=4, steps=2)), tmp_path)
    path, given = str(tmp_path / "model.npz"), {"seed": 3, "steps": 2}
    kinds: dict[str, dict[str, Any]] = {"tuned": {"cell": "gru"}, "taught": {"hidden_size": 5}}
    for start, network in kinds.items():
        run = DefaultRun.start(CORPUS, origin=path, **given, **network)
        assert run.origin is not None
        assert (run.origin.name, run.settings.start) == (path, start)
        assert run.settings.hidden_size == (4 if start == "tuned" else 5)
    assert DefaultRun.start(CORPUS, origin="none", **given, hidden_size=5).origin is None
    assert DefaultRun.start(CORPUS, origin=path, **given, hidden_size=0).origin is None


# Stopped and resumed.

STAGES = {
    "before the teacher": ("teacher", 0),
    "first update": ("teacher", 1),
    "middle": ("teacher", 33),
    "last update": ("teacher", -1),
    "first names": ("writing", 0),
    "all names": ("writing", -1),
    "first step": (None, 1),
    "a step": (None, 17),
    "last but one": (None, 29),
}
"""The stage, and the step: 0 stands for the first one, and -1 for the last one."""


def place_of(run: DefaultRun, name: str) -> Stage:
    """Return where the stage of a name is in a run. Lets the run finish."""
    stage, step = STAGES[name]
    if step > 0:
        return stage, step
    steps = [progress.step for progress in run.train() if progress.preparation == stage]
    return stage, steps[step]


@pytest.mark.parametrize("stage", [name for name in STAGES if name != "before the teacher"])
@pytest.mark.parametrize("kind", ["taught", "deep"])
@each_holdout
def test_stopped_and_resumed_equals_never_stopped(
    kind: str, holdout: float, stage: str, tmp_path: Path
) -> None:
    """In each stage, through a file, a stopped run ends in the same arrays."""
    until = place_of(begin(kind, holdout=holdout), stage)
    stopped = train(begin(kind, holdout=holdout), until)
    assert stopped.training.interrupted
    assert stopped.training.steps == (0 if until[0] else until[1])
    resumed = resume(through_a_file(stopped, tmp_path))
    assert same(train(resumed), finished(kind, holdout))


@each_holdout
def test_stopped_before_the_first_update(holdout: float, tmp_path: Path) -> None:
    """A run that has done nothing yet can be saved, sampled and resumed."""
    untouched = begin("taught", holdout=holdout).checkpoint()
    loaded = through_a_file(untouched, tmp_path)
    assert same(loaded, untouched)
    assert len(Model(loaded).sample(3, 1, allow_repeats=True)) == 3
    assert same(train(resume(loaded)), finished("taught", holdout))


@pytest.mark.parametrize("step", [1, 17, 29])
@each_holdout
def test_a_stopped_tuned_run_equals_one_that_never_stopped(
    holdout: float, step: int, tmp_path: Path
) -> None:
    """A tuned network resumes with its origin, whose weights are not read again."""
    stopped = train(begin("tuned", holdout=holdout), (None, step))
    resumed = resume(through_a_file(stopped, tmp_path))
    assert same(train(resumed), finished("tuned", holdout))


def test_stopped_many_times(tmp_path: Path) -> None:
    """Stopped in every stage, one after the other, a run ends in the same arrays."""
    checkpoint, stages = begin("mixture").checkpoint(), 0
    places = [("teacher", 1), ("teacher", 2), ("teacher", 40), ("writing", None), (None, 2)]
    for stage, step in places:
        run = resume(through_a_file(checkpoint, tmp_path))
        for progress in run.train():
            if progress.preparation == stage and step in (None, progress.step):
                stages += 1
                break
        checkpoint = run.checkpoint()
    assert stages == len(places)
    assert same(train(resume(through_a_file(checkpoint, tmp_path))), finished("mixture"))


def test_a_snapshot_resumes_like_the_run_that_made_it(tmp_path: Path) -> None:
    """A snapshot of each stage loads as it was saved, and resumes to the same end."""
    for stage in ("middle", "first names", "a step"):
        until = place_of(begin("taught"), stage)
        stopped = train(begin("taught"), until)
        loaded = through_a_file(stopped, tmp_path)
        assert same(loaded, stopped)
        # Resumed and stopped at once, it is the same snapshot.
        assert same(resume(loaded).checkpoint(), stopped)


def test_a_teacher_that_ran_out_of_patience_stays_finished(tmp_path: Path) -> None:
    """The count of evaluations without improvement is kept, too."""
    # The held-out loss of such an origin rises from the first update on.
    origin = make_origin(scale=3.0)
    given = {**TAUGHT, "holdout": 0.4}
    whole = set_up(CORPUS, origin, **given)
    expected = train(whole)
    assert whole.teaching
    until = ("teacher", whole.teaching.trainer.step)
    stopped = through_a_file(train(set_up(CORPUS, origin, **given), until), tmp_path)
    resumed = DefaultRun.resume(CORPUS, stopped, origin)
    assert resumed.teaching
    assert resumed.teaching.trainer.finished
    assert same(train(resumed), expected)


# More steps.


def test_the_state_of_the_teacher_is_dropped_at_the_end() -> None:
    """A finished run needs none, and its file is as small as that of any other run."""
    assert not finished("taught").resume.arrays
    stopped = train(begin("taught"), (None, 17))
    teachers = {name for name in stopped.resume.arrays if name.startswith("teacher.")}
    # It has finished, so only its best parameters are left.
    assert len(teachers) == len(ORIGIN.network.parameters)
    stopped = train(begin("taught"), ("teacher", 17))
    teachers = {name for name in stopped.resume.arrays if name.startswith("teacher.")}
    assert len(teachers) == 3 * len(ORIGIN.network.parameters)


@each_kind
def test_a_finished_run_has_nothing_left_to_do(kind: str, tmp_path: Path) -> None:
    """Resumed without more time it is the same, and neither learns nor writes."""
    done = finished(kind)
    resumed = resume(through_a_file(done, tmp_path))
    assert resumed.finished
    assert not [*resumed.train()]
    again = resumed.checkpoint()
    assert done.lineage is not None
    # The teacher is not trained again, so what it cost is not known any more.
    assert network_of(again).parameters.vector.tobytes() == (
        network_of(done).parameters.vector.tobytes()
    )


def test_a_finished_run_keeps_its_lineage(tmp_path: Path) -> None:
    """Saved again without any training, the record of the teacher is the same."""
    done = finished("taught")
    assert done.lineage is not None
    assert done.lineage.steps > 0
    again = resume(through_a_file(done, tmp_path)).checkpoint()
    assert again.lineage == done.lineage


@pytest.mark.parametrize("kind", ["taught", "tuned"])
@each_holdout
def test_a_finished_run_can_be_given_more_steps(kind: str, holdout: float, tmp_path: Path) -> None:
    """It continues from its best parameters. The teacher learns and writes once more."""
    done = through_a_file(finished(kind, holdout), tmp_path)
    further = resume(done, steps=45)
    assert further.trainer
    np.testing.assert_array_equal(
        further.trainer.network.parameters.vector, network_of(done).parameters.vector
    )
    reported = [*further.train()]
    stages = {progress.preparation for progress in reported}
    assert stages == ({"teacher", "writing", None} if kind == "taught" else {None})
    more = further.checkpoint()
    assert more.training.steps == 45
    assert not more.training.interrupted
    assert [*more.history[: len(done.history)]] == [*done.history]
    assert done.lineage is not None
    assert more.lineage == done.lineage
    assert same(train(resume(done, steps=45)), more)


def test_more_epochs_count_the_written_names() -> None:
    """An epoch of a taught network has the same number of steps as when it began."""
    done = finished("taught")
    epochs = resume(done, epochs=2).steps
    names = len(hold_out(CORPUS, 0.2, 3)[0]) + WRITTEN
    assert epochs == 2 * -(-names // begin("taught").settings.batch_size)


# What is saved.


@each_holdout
def test_the_lineage_has_the_steps_and_the_loss_of_the_teacher(holdout: float) -> None:
    """The loss is that of the teacher on the held-out names; without any, there is none."""
    run = begin("taught", holdout=holdout)
    lineage = train(run).lineage
    assert lineage is not None
    assert run.teaching
    assert (lineage.name, lineage.digest) == ("base", ORIGIN.digest)
    assert lineage.steps == run.teaching.trainer.step > 0
    held_out = hold_out(CORPUS, holdout, 3)[1]
    if not holdout:
        assert lineage.nats_per_symbol is None
        return
    nats = score(run.teaching.trainer.best_network, held_out).sum() / len(held_out.symbols)
    assert lineage.nats_per_symbol == pytest.approx(nats, rel=1e-5)


def test_the_lineage_of_a_tuned_network() -> None:
    """The saved network is the origin, tuned, so no teacher has steps or a loss."""
    lineage = finished("tuned").lineage
    assert lineage is not None
    assert (lineage.cell, lineage.layers, lineage.hidden_size) == ("lstm", 2, 8)
    assert (lineage.steps, lineage.nats_per_symbol) == (0, None)
    # The list has 27 symbols, the space, the hyphen and letters with marks included.
    known = {*ORIGIN.vocabulary.symbols} & {*CORPUS.vocabulary.symbols}
    assert lineage.symbols == len(known)


@pytest.mark.parametrize("stage", ["middle", "first names", "a step"])
def test_a_snapshot_of_each_stage_can_be_sampled(stage: str, tmp_path: Path) -> None:
    """The network of the snapshot is the one that is taught, as far as it has learned."""
    stopped = train(begin("mixture"), place_of(begin("mixture"), stage))
    loaded = through_a_file(stopped, tmp_path)
    assert network_of(loaded).config.hidden_size == 8
    assert len(set(Model(loaded).sample(5, seed=1))) == 5


def test_starting_from_scratch_has_no_lineage() -> None:
    """A run without an origin records none."""
    assert train(set_up(CORPUS, None, hidden_size=4, steps=2)).lineage is None


# What is refused.


@pytest.mark.parametrize("kind", ["taught", "tuned"])
def test_another_origin_is_refused(kind: str) -> None:
    """The message names the origin of the checkpoint, and says what to do."""
    done = finished(kind)
    for other in (make_origin(seed=2), make_origin("abc"), None):
        with pytest.raises(CheckpointError, match=r"from another network.*base.*--force"):
            DefaultRun.resume(CORPUS, done, other)
    # The name does not matter.
    DefaultRun.resume(CORPUS, done, make_origin(name="moved.npz"))


def test_a_run_from_scratch_has_no_origin() -> None:
    """The message has the option with which it resumes."""
    scratch = train(set_up(CORPUS, None, hidden_size=4, steps=2))
    with pytest.raises(CheckpointError, match=r"trained from scratch; resume with"):
        DefaultRun.resume(CORPUS, scratch, ORIGIN)


def test_settings_that_do_not_fit_the_origin_are_refused() -> None:
    """A start from scratch has no origin, the others have one, and a tuned network has its size."""
    settings = begin("taught").settings
    cases = [
        (settings, None),
        (replace(settings, start="tuned"), None),
        (replace(settings, start="scratch"), ORIGIN),
        (replace(settings, start="tuned"), ORIGIN),
        (replace(begin("tuned").settings, hidden_size=9), ORIGIN),
    ]
    for wrong, origin in cases:
        with pytest.raises(SettingError) as caught:
            DefaultRun(CORPUS, wrong, origin)
        assert len(str(caught.value)) < 200
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("kind", ["taught", "tuned"])
@pytest.mark.parametrize("start", ["scratch", "tuned", "taught", "late", 3])
def test_a_checkpoint_with_another_start_is_refused(kind: str, start: str | int) -> None:
    """Its settings contradict its lineage or its network, and this is one line."""
    done = finished(kind)
    if start == kind or (kind, start) == ("tuned", "taught"):
        return
    settings = {**done.training.settings, "start": start}
    damaged = replace(done, training=done.training._replace(settings=settings))
    with pytest.raises(CheckpointError, match=r"settings are damaged.*train anew") as caught:
        resume(damaged)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


# A damaged state of the teacher.

Change = Callable[[dict[str, np.ndarray], dict[str, Any]], None]


def without_array(name: str) -> Change:
    """Leave out an array."""
    return lambda arrays, numbers: arrays.__delitem__(f"teacher.{name}")


def reshaped(name: str) -> Change:
    """Leave out a row of an array."""

    def change(arrays: dict[str, np.ndarray], numbers: dict[str, Any]) -> None:
        arrays[f"teacher.{name}"] = arrays[f"teacher.{name}"][:-1]

    return change


def without_number(name: str) -> Change:
    """Leave out a number."""
    return lambda arrays, numbers: numbers.__delitem__(f"teacher.{name}")


def set_number(name: str, value: float) -> Change:
    """Replace a number."""
    return lambda arrays, numbers: numbers.__setitem__(f"teacher.{name}", value)


def of_another_network(arrays: dict[str, np.ndarray], numbers: dict[str, Any]) -> None:
    """Replace all arrays of the teacher by those of a smaller network."""
    other = make_origin(hidden=7).start(CORPUS.vocabulary, seed=1)
    for name in [*arrays]:
        if name.startswith("teacher."):
            arrays[name] = other.parameters[name.split(".", 2)[2]]


DAMAGES: dict[str, Change] = {
    "no velocity": without_array("velocity.layer2.Waa"),
    "no parameters": without_array("parameters.by"),
    "no best": without_array("best.Wax"),
    "a shorter velocity": reshaped("velocity.Wax"),
    "a shorter best": reshaped("best.by"),
    "another network": of_another_network,
    "no step": without_number("step"),
    "no stale": without_number("stale"),
    "no loss": without_number("loss"),
    "a fraction of a step": set_number("step", 0.5),
    "a negative step": set_number("step", -3),
    "too many steps": set_number("step", 10**15),
    "a negative counter": set_number("rollbacks", -1),
    "a fraction of a counter": set_number("stale", 1.5),
}


LEARNING, DONE = ("teacher", 17), (None, 17)
"""A teacher that learns, and one that has finished, of which only the best parameters are saved."""


@pytest.mark.parametrize(
    ("damage", "until"),
    [(damage, LEARNING) for damage in DAMAGES]
    + [(damage, DONE) for damage in DAMAGES if not damage.endswith(("velocity", "parameters"))],
)
def test_a_damaged_teacher_is_refused(damage: str, until: Stage, tmp_path: Path) -> None:
    """The checkpoint can be loaded and sampled, but resuming it is refused in one line."""
    stopped = train(begin("taught"), until)
    arrays, numbers = dict(stopped.resume.arrays), dict(stopped.resume.numbers)
    DAMAGES[damage](arrays, numbers)
    damaged = through_a_file(replace(stopped, resume=ResumeState(arrays, numbers)), tmp_path)
    with pytest.raises(CheckpointError, match="train anew") as caught:
        resume(damaged)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


def changed_array(files: Files, name: str, value: float) -> Files:
    """Replace the first number of an array in a file."""
    array = array_of(files[f"resume.teacher.{name}.npy"])
    array.flat[0] = value
    return files | {f"resume.teacher.{name}.npy": npy(array)}


@pytest.mark.parametrize("name", ["best.Wax", "velocity.by", "parameters.layer2.Waa"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_teacher_with_a_number_that_is_none_is_refused(
    name: str, value: float, tmp_path: Path
) -> None:
    """A NaN in any array of the teacher is found when the file is read."""
    through_a_file(train(begin("taught"), ("teacher", 17)), tmp_path)
    files = take_apart(tmp_path / "model.npz")
    put_together(tmp_path / "damaged.npz", changed_array(files, name, value))
    with pytest.raises(CheckpointError, match="damaged") as caught:
        load_checkpoint(tmp_path / "damaged.npz")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("value", [None, True, "3", float("nan"), [1]], ids=str)
@pytest.mark.parametrize("name", ["step", "loss", "stale"])
def test_a_number_of_the_teacher_of_another_kind(name: str, value: Any, tmp_path: Path) -> None:
    """A number that is none is refused when the file is read."""
    through_a_file(train(begin("taught"), ("teacher", 17)), tmp_path)
    files = take_apart(tmp_path / "model.npz")
    header = header_of(files)
    header["resume"]["numbers"][f"teacher.{name}"] = value
    put_together(tmp_path / "damaged.npz", with_header(files, header))
    with pytest.raises(CheckpointError, match="damaged") as caught:
        load_checkpoint(tmp_path / "damaged.npz")
    assert str(caught.value).isprintable()


def test_a_teacher_that_is_lost_learns_again(tmp_path: Path) -> None:
    """Without any state of the teacher, it is trained again, and the end is the same."""
    stopped = train(begin("taught"), (None, 17))
    arrays, numbers = (
        {name: value for name, value in values.items() if not name.startswith("teacher.")}
        for values in stopped.resume
    )
    lost = replace(stopped, resume=ResumeState(arrays, numbers))  # type: ignore[arg-type]
    assert same(train(resume(through_a_file(lost, tmp_path))), finished("taught"))


def test_the_deepest_teacher_and_student_can_be_saved(tmp_path: Path) -> None:
    """With eight layers each, the file holds the arrays of both."""
    origin = make_origin(layers=8, hidden=2)
    run = set_up(CORPUS, origin, cell="gru", layers=8, hidden_size=2, steps=3)
    stopped = train(run, ("teacher", 2))
    loaded = through_a_file(stopped, tmp_path)
    assert same(loaded, stopped)
    DefaultRun.resume(CORPUS, loaded, origin)


def test_a_teacher_that_becomes_too_large_is_refused(tmp_path: Path) -> None:
    """The symbols of a new list may make it too large, and then nothing is computed."""
    symbols = [chr(code) for code in range(0x4E00, 0x4E00 + 9_000)]
    names = ["".join(symbols[i : i + 9]) for i in range(0, 9_000, 9)]
    path = tmp_path / "names.txt"
    path.write_text("\n".join(names), encoding="utf-8")
    corpus = read_corpus([path])
    origin = make_origin("ab", cell="lstm", layers=1, hidden=2_000)
    settings = Settings.for_corpus(corpus.stats, seed=1, start="taught", hidden_size=4)
    with pytest.raises(SettingError, match="parameters"):
        DefaultRun(corpus, settings, origin)
