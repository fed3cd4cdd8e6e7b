"""The classic recipe: compared with the published numbers and a slow, literal version."""

import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from dinogen.checkpoint import HistoryRow, ResumeState
from dinogen.data import Batch, Corpus, read_corpus
from dinogen.errors import CheckpointError, SettingError, TrainingError
from dinogen.models import Network, NetworkConfig, Parameters
from dinogen.training import (
    ClassicRun,
    DefaultRun,
    Settings,
    clip_elements,
    course_network,
    sample_course_name,
)
from tests import literal
from tests.conftest import CORPORA
from tests.networks import as_columns

COURSE_LIST = os.environ.get("DINOGEN_COURSE_LIST")
"""The path of the course's own list, which may not be redistributed. It enables one test."""

ITERATION_1 = (
    23.087336085484605,
    ["Nkzxwtdmfqoeyhsqwasjkjvu", "Kneb", "Kzxwtdmfqoeyhsqwasjkjvu", "Neb",
     "Zxwtdmfqoeyhsqwasjkjvu", "Eb", "Xwtdmfqoeyhsqwasjkjvu"],
)  # fmt: skip
ITERATION_2001 = (
    27.884160491415773,
    ["Liusskeomnolxeros", "Hmdaairus", "Hytroligoraurus", "Lecalosapaus", "Xusicikoraurus",
     "Abalpsamantisaurus", "Tpraneronxeros"],
)  # fmt: skip


def exercise_network(seed: int, *before: tuple[int, ...]) -> tuple[Network, list[np.ndarray]]:
    """Draw the exercise's network of 100 hidden units, after the arrays it draws before."""
    *first, Wax, Waa, Wya, b, by = literal.draw(
        seed, *before, (100, 27), (100, 100), (27, 100), (100, 1), (27, 1)
    )
    model = Network(NetworkConfig(27, 100), np.float64)
    model.parameters.fill({"Wax": Wax.T, "Waa": Waa.T, "Wya": Wya.T, "ba": b[:, 0], "by": by[:, 0]})
    return model, first


def test_clipping_gives_the_published_numbers() -> None:
    """Gradients clipped to 10 agree with "clip"."""
    arrays = literal.draw(3, (5, 3), (5, 5), (2, 5), (5, 1), (2, 1))
    names = ("Wax", "Waa", "Wya", "b", "by")
    gradients = Parameters({n: a.shape for n, a in zip(names, arrays, strict=True)}, np.float64)
    gradients.fill({n: a * 10 for n, a in zip(names, arrays, strict=True)})
    clip_elements(gradients, 10)
    assert gradients["Waa"][1, 2] == 10.0
    assert gradients["Wax"][3, 1] == -10.0
    assert gradients["Wya"][1, 2] == pytest.approx(0.2971381536101662, abs=1e-15)
    assert gradients["b"][4, 0] == 10.0
    assert gradients["by"][1, 0] == pytest.approx(8.45833407, abs=5.1e-9)


def test_sampling_gives_the_published_indices() -> None:
    """The first 43 of the 45 indices printed for "sample" are reproduced.

    The random network is chaotic. By the 44th index, a rounding difference of 1e-16 has grown to
    another symbol: another order of summation, or extended precision, gives other indices.
    """
    model, _ = exercise_network(2)
    model.parameters["Wax"][0] = 0  # the first input is a vector of zeros
    published = [
        12, 17, 24, 14, 13, 9, 10, 22, 24, 6, 13, 11, 12, 6, 21, 15, 21, 14, 3, 2, 1, 21,
        18, 24, 7, 25, 6, 25, 18, 10, 16, 2, 3, 8, 15, 12, 11, 7, 1, 12, 10, 2, 7,
    ]  # fmt: skip
    assert sample_course_name(model, seed=0)[:43] == published


def test_one_step_of_optimisation_gives_the_published_numbers() -> None:
    """Loss, clipped gradients and last hidden state agree with "optimize"."""
    model, (a_prev,) = exercise_network(1, (100, 1))
    inputs, targets = np.array([12, 3, 5, 11, 22, 3]), np.array([4, 14, 11, 22, 25, 26])
    batch = Batch(inputs, targets, [1] * 6, np.array([0]))
    result = model.loss_and_gradients(batch, ((a_prev.T,),))
    gradients = result.gradients
    clip_elements(gradients, 5)
    assert result.loss == pytest.approx(126.50397572165359, rel=1e-13)
    assert gradients["Waa"].T[1, 2] == pytest.approx(0.19470931534721306, rel=1e-11)
    assert gradients["Wax"].T.argmax() == 93
    assert gradients["Wya"].T[1, 2] == pytest.approx(-0.007773876032003657, rel=1e-11)
    assert gradients["ba"][4] == pytest.approx(-0.06809825, abs=5.1e-9)
    assert gradients["by"][1] == pytest.approx(0.01538192, abs=5.1e-9)
    ((a,),) = result.state  # (1, 100)
    assert a[0, 4] == pytest.approx(-1.0, abs=5.1e-9)


def test_the_first_printout_is_the_published_one(tmp_path: Path) -> None:
    """After its first name, the program prints the published loss and names.

    They depend on the 26 letters and on that name alone. The shuffle takes it from line 1,409 of
    the course's 1,536 lines.
    """
    lines = ["abcdefghijklmnopqrstuvwxyz"] * 1_536
    order = np.arange(1_536)
    np.random.RandomState(0).shuffle(order)
    lines[order[0]] = "Turiasaurus"
    path = tmp_path / "list.txt"
    path.write_text("\n".join(lines))
    run = ClassicRun(read_corpus([path], keep_duplicates=True), steps=1)
    rows = [progress.row for progress in run.train()]
    assert rows == [HistoryRow(1, {"smoothed_loss": ITERATION_1[0]}, ITERATION_1[1])]


@pytest.mark.skipif(COURSE_LIST is None, reason="needs DINOGEN_COURSE_LIST, the course's own list")
def test_both_published_printouts_are_reproduced() -> None:
    """3,500 iterations on the course's own list print iterations 1 and 2001 as published.

    The order in which a processor's BLAS adds may change the last of the 17 digits at 2001.
    """
    run = ClassicRun(read_corpus([str(COURSE_LIST)], keep_duplicates=True), steps=3_500)
    first, second = (progress.row for progress in run.train() if progress.row)
    assert first == HistoryRow(1, {"smoothed_loss": ITERATION_1[0]}, ITERATION_1[1])
    assert second.step == 2001
    assert second.losses["smoothed_loss"] == pytest.approx(ITERATION_2001[0], rel=5e-16)
    assert second.samples == ITERATION_2001[1]


@pytest.fixture(scope="module")
def dinosaurs() -> Corpus:
    """Read the dinosaurs as the classic recipe does."""
    return read_corpus([CORPORA / "dinosaurs.txt"], keep_duplicates=True)


def test_the_initial_network_is_that_of_the_literal_version() -> None:
    """The same weights are drawn, except that the row of the vector of zeros is 0."""
    ours, theirs = as_columns(course_network(27)), literal.initial_course_network(27)
    theirs["Wax"][:, 0] = 0
    for name, array in theirs.items():
        np.testing.assert_array_equal(ours[name], array, err_msg=name)


def test_the_recipe_agrees_with_the_literal_version(dinosaurs: Corpus) -> None:
    """Over 300 names, the losses agree to 1e-9, and the sampled names are the same."""
    run = ClassicRun(dinosaurs, steps=300)
    ours = [progress.loss for progress in run.train()]
    p = literal.initial_course_network(len(dinosaurs.vocabulary))
    starts, symbols = dinosaurs.names.starts.tolist(), dinosaurs.names.symbols.tolist()
    names = [symbols[i : j - 1] for i, j in pairwise(starts)]
    theirs = list(literal.train_course(p, names, 300))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    for seed in range(7):
        assert sample_course_name(run.network, seed) == literal.sample_course(p, seed)


def test_stopped_and_resumed_equals_never_stopped(dinosaurs: Corpus) -> None:
    """A run that is stopped after 130 of 300 names and resumed ends in the same numbers."""
    whole = ClassicRun(dinosaurs, steps=300)
    for _ in whole.train():
        pass
    first = ClassicRun(dinosaurs, steps=300)
    for progress in first.train():
        if progress.step == 130:
            break
    second = ClassicRun.resume(dinosaurs, first.checkpoint())
    for _ in second.train():
        pass
    np.testing.assert_array_equal(
        second.network.parameters.vector, whole.network.parameters.vector, strict=True
    )
    assert second.smoothed_loss == whole.smoothed_loss
    assert second.checkpoint().history == whole.checkpoint().history


def test_a_run_that_is_stopped_before_its_first_name_resumes(dinosaurs: Corpus) -> None:
    """A snapshot at iteration 0 has the initial network, and the initial guess of the loss."""
    run = ClassicRun(dinosaurs, steps=20)
    checkpoint = run.checkpoint()
    network = checkpoint.mixture.members["network"]
    assert isinstance(network, Network)
    np.testing.assert_array_equal(network.parameters.vector, run.network.parameters.vector)
    assert checkpoint.mixture.weights == {"network": 1}
    assert checkpoint.resume.numbers == {"smoothed_loss": np.log(27) * 7}
    assert not checkpoint.history
    for progress in run.train():
        whole = progress
    for progress in ClassicRun.resume(dinosaurs, checkpoint).train():
        resumed = progress
    assert resumed == whole


def test_a_snapshot_does_not_change(dinosaurs: Corpus) -> None:
    """Later iterations change neither the network nor the state of a snapshot."""
    run = ClassicRun(dinosaurs, steps=20)
    for progress in run.train():
        if progress.step == 10:
            snapshot = run.checkpoint()
            member = snapshot.mixture.members["network"]
            assert isinstance(member, Network)
            network = member
            vector = network.parameters.vector.copy()
            a_prev = snapshot.resume.arrays["a_prev"].copy()
            assert vector.dtype == a_prev.dtype == np.float64
    np.testing.assert_array_equal(network.parameters.vector, vector)
    np.testing.assert_array_equal(snapshot.resume.arrays["a_prev"], a_prev)
    assert not np.array_equal(run.network.parameters.vector, vector)


def test_samples_come_from_the_network_at_this_step(dinosaurs: Corpus) -> None:
    """They follow the course's rule with the seeds 0, 1, 2 ..., as in the history."""
    run = ClassicRun(dinosaurs, steps=300)
    updates = run.train()
    row = next(updates).row
    assert row
    assert run.sample_names(7) == list(row.samples)
    assert run.sample_names(3) == list(row.samples[:3])
    for _ in updates:
        pass
    assert run.sample_names(7) != list(row.samples)
    assert run.sample_names(7) == run.sample_names(7)


def test_an_exploding_loss_ends_the_run(dinosaurs: Corpus) -> None:
    """The classic recipe cannot roll back, and the message names the other recipe."""
    run = ClassicRun(dinosaurs, steps=2)
    run.network.parameters.vector[...] = np.nan
    with pytest.raises(TrainingError, match=r"explodes.*default recipe"):
        next(run.train())


@pytest.mark.parametrize("steps", [0, -1, 10**10])
def test_the_steps_have_bounds(dinosaurs: Corpus, steps: int) -> None:
    """The message names the setting."""
    with pytest.raises(SettingError, match="steps"):
        ClassicRun(dinosaurs, steps=steps)


def test_more_steps_can_be_given(dinosaurs: Corpus) -> None:
    """Steps replace the planned ones; fewer than are done are refused."""
    run = ClassicRun(dinosaurs, steps=5)
    for _ in run.train():
        pass
    checkpoint = run.checkpoint()
    assert ClassicRun.resume(dinosaurs, checkpoint).finished
    assert ClassicRun.resume(dinosaurs, checkpoint, steps=6).steps == 6
    with pytest.raises(SettingError, match="5 steps are done, more than 4 in total"):
        ClassicRun.resume(dinosaurs, checkpoint, steps=4)


def test_another_recipe_is_refused() -> None:
    """A checkpoint of the default recipe cannot be resumed."""
    corpus = read_corpus([CORPORA / "edda.txt"])
    other = DefaultRun(corpus, Settings(seed=1, hidden_size=4, steps=1, order=2)).checkpoint()
    with pytest.raises(CheckpointError, match="--recipe default"):
        ClassicRun.resume(corpus, other)


@pytest.mark.parametrize(
    ("resume", "message"),
    [
        (ResumeState({}, {"smoothed_loss": 1.0}), "training state"),
        (ResumeState({"a_prev": np.zeros((2, 50))}, {"smoothed_loss": 1.0}), "training state"),
        (ResumeState({"a_prev": np.zeros((1, 49))}, {"smoothed_loss": 1.0}), "training state"),
        (ResumeState({"a_prev": np.zeros((1, 50))}, {}), "training state"),
        (ResumeState({"a_prev": np.zeros((1, 50))}, {"loss": 1.0}), "training state"),
    ],
    ids=["no array", "two rows", "another size", "no number", "another number"],
)
def test_a_damaged_state_is_refused(dinosaurs: Corpus, resume: ResumeState, message: str) -> None:
    """The state has one array and one number, both with fixed names."""
    checkpoint = replace(ClassicRun(dinosaurs, steps=5).checkpoint(), resume=resume)
    with pytest.raises(CheckpointError, match=f"{message}.*train anew"):
        ClassicRun.resume(dinosaurs, checkpoint)


def test_another_network_is_refused(dinosaurs: Corpus) -> None:
    """The network has the size of the course's, and is the only member."""
    checkpoint = ClassicRun(dinosaurs, steps=5).checkpoint()
    for config in (NetworkConfig(27, 51), NetworkConfig(27, 50, layers=2)):
        model = type(checkpoint.mixture)({"network": Network(config, np.float64)})
        with pytest.raises(CheckpointError, match=r"classic recipe.*train anew"):
            ClassicRun.resume(dinosaurs, replace(checkpoint, mixture=model))
    training = checkpoint.training._replace(settings={"steps": "many"})
    with pytest.raises(CheckpointError, match="settings are damaged"):
        ClassicRun.resume(dinosaurs, replace(checkpoint, training=training))
