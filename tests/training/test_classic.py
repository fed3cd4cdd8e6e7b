"""The course's program, against its published numbers and a literal twin."""

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from dinogen.models.parameters import Parameters
from dinogen.models.rnn import RNN, RNNConfig
from dinogen.text.corpus import Corpus, read_corpus
from dinogen.training.classic import ClassicRun, clip_elements, initialise, sample
from tests import literal
from tests.conftest import CORPORA
from tests.models.test_cells import draw
from tests.networks import as_columns

COURSE_LIST = os.environ.get("DINOGEN_COURSE_LIST")
"""A path of the course's own list, which is not ours to hand on; with it one more test runs."""

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


def course_network(seed: int, *before: tuple[int, ...]) -> tuple[RNN, list[np.ndarray]]:
    """Draw the exercise's network of 100 hidden units, after what the exercise draws before it."""
    *first, Wax, Waa, Wya, b, by = draw(
        seed, *before, (100, 27), (100, 100), (27, 100), (100, 1), (27, 1)
    )
    model = RNN(RNNConfig(27, 100), np.float64)
    model.parameters.fill({"Wax": Wax.T, "Waa": Waa.T, "Wya": Wya.T, "ba": b[:, 0], "by": by[:, 0]})
    return model, first


def test_clipping_gives_the_published_numbers() -> None:
    """Gradients clipped to 10 agree with "clip"."""
    arrays = draw(3, (5, 3), (5, 5), (2, 5), (5, 1), (2, 1))
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
    """The first 43 of the 45 indices printed for "sample" come out.

    The random network is chaotic: by the 44th a rounding difference of 1e-16 has grown to another
    symbol, and float64 with different orders of summation, and extended precision, all part.
    """
    model, _ = course_network(2)
    model.parameters["Wax"][0] = 0  # the first input is a vector of zeros
    published = [
        12, 17, 24, 14, 13, 9, 10, 22, 24, 6, 13, 11, 12, 6, 21, 15, 21, 14, 3, 2, 1, 21,
        18, 24, 7, 25, 6, 25, 18, 10, 16, 2, 3, 8, 15, 12, 11, 7, 1, 12, 10, 2, 7,
    ]  # fmt: skip
    assert sample(model, seed=0)[:43] == published


def test_one_step_of_optimisation_gives_the_published_numbers() -> None:
    """Loss, clipped gradients and last hidden state agree with "optimize"."""
    model, (a_prev,) = course_network(1, (100, 1))
    inputs, targets = np.array([12, 3, 5, 11, 22, 3]), np.array([4, 14, 11, 22, 25, 26])
    result = model.loss_and_gradients(inputs, targets, [1] * 6, a_prev.T)
    gradients = result.gradients
    clip_elements(gradients, 5)
    assert result.loss == pytest.approx(126.50397572165359, rel=1e-13)
    assert gradients["Waa"].T[1, 2] == pytest.approx(0.19470931534721306, rel=1e-11)
    assert gradients["Wax"].T.argmax() == 93
    assert gradients["Wya"].T[1, 2] == pytest.approx(-0.007773876032003657, rel=1e-11)
    assert gradients["ba"][4] == pytest.approx(-0.06809825, abs=5.1e-9)
    assert gradients["by"][1] == pytest.approx(0.01538192, abs=5.1e-9)
    assert result.a[-1, 4] == pytest.approx(-1.0, abs=5.1e-9)


def test_the_first_printout_is_the_published_one(tmp_path: Path) -> None:
    """After its first name the program prints the published loss and names.

    What it prints then depends on the 26 letters and on that one name, which the shuffle takes
    from line 1,409 of the course's 1,536.
    """
    lines = ["abcdefghijklmnopqrstuvwxyz"] * 1_536
    order = np.arange(1_536)
    np.random.RandomState(0).shuffle(order)
    lines[order[0]] = "Turiasaurus"
    path = tmp_path / "list.txt"
    path.write_text("\n".join(lines))
    run = ClassicRun(read_corpus([path], keep_duplicates=True), steps=1)
    rows = [progress.row for progress in run.train()]
    assert rows == [{"step": 1, "smoothed_loss": ITERATION_1[0], "samples": ITERATION_1[1]}]


@pytest.mark.skipif(COURSE_LIST is None, reason="needs DINOGEN_COURSE_LIST, the course's own list")
def test_both_published_printouts_are_reproduced() -> None:
    """3,500 iterations on the course's own list print iterations 1 and 2001 as published."""
    run = ClassicRun(read_corpus([str(COURSE_LIST)], keep_duplicates=True), steps=3_500)
    rows = [progress.row for progress in run.train() if progress.row]
    assert rows == [
        {"step": 1, "smoothed_loss": ITERATION_1[0], "samples": ITERATION_1[1]},
        {"step": 2001, "smoothed_loss": ITERATION_2001[0], "samples": ITERATION_2001[1]},
    ]


@pytest.fixture(scope="module")
def dinosaurs() -> Corpus:
    """The dinosaurs, as the classic recipe reads them."""
    return read_corpus([CORPORA / "dinosaurs.txt"], keep_duplicates=True)


def test_the_network_begins_as_the_literal_one_does() -> None:
    """The same weights are drawn; only the row that stands for a vector of zeros is zero."""
    ours, theirs = as_columns(initialise(27)), literal.start_course(27)
    theirs["Wax"][:, 0] = 0
    for name, array in theirs.items():
        np.testing.assert_array_equal(ours[name], array, err_msg=name)


def test_the_program_is_its_literal_twin(dinosaurs: Corpus) -> None:
    """Over 300 names the losses agree to 1e-9 with the plain loops, and so do the sampled names."""
    run = ClassicRun(dinosaurs, steps=300)
    ours = [progress.loss for progress in run.train()]
    p = literal.start_course(len(dinosaurs.vocabulary))
    starts, symbols = dinosaurs.names.starts.tolist(), dinosaurs.names.symbols.tolist()
    names = [symbols[i : j - 1] for i, j in pairwise(starts)]
    theirs = list(literal.train_course(p, names, 300))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    for seed in range(7):
        assert sample(run.model, seed) == literal.sample_course(p, seed)


def test_stopped_and_resumed_is_never_stopped(dinosaurs: Corpus) -> None:
    """A run left after 130 of 300 names and resumed ends in the same numbers, bit for bit."""
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
        second.model.parameters.vector, whole.model.parameters.vector, strict=True
    )
    assert second.smoothed_loss == whole.smoothed_loss
    assert second.checkpoint().history == whole.checkpoint().history
