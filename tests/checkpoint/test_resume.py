"""Resuming from a checkpoint: the recipe checks that the saved state fits the list and itself."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dinogen.checkpoint import Checkpoint, ResumeState, load_checkpoint, save
from dinogen.data import read_corpus
from dinogen.errors import CheckpointError, DinogenError
from dinogen.models import CELLS, Mixture, Network, NetworkConfig
from dinogen.training import ClassicRun, DefaultRun, Run, check_resumable
from tests.checkpoint.crafting import NAMES, SETTINGS, begin, network_of, resume, same

Arrays = dict[str, np.ndarray]


def refusal(checkpoint: Checkpoint, folder: Path) -> str:
    """Save a checkpoint, load it, and resume from it; returns the message that refuses this."""
    save(checkpoint, folder / "model.npz")
    loaded = load_checkpoint(folder / "model.npz")
    with pytest.raises(CheckpointError) as caught:
        resume(checkpoint.recipe, begin(checkpoint.recipe, folder), loaded)
    return str(caught.value)


def with_resume(checkpoint: Checkpoint, arrays: Arrays, numbers: dict[str, float]) -> Checkpoint:
    """Replace the resume state of a checkpoint."""
    return replace(checkpoint, resume=ResumeState(arrays, numbers))


def test_resumes_on_the_same_list(trained: Checkpoint, tmp_path: Path) -> None:
    """The list may be read again from another file."""
    run = begin(trained.recipe, tmp_path)
    check_resumable(trained, trained.recipe, run.corpus)
    assert resume(trained.recipe, run, trained).step == 2


@pytest.mark.parametrize("stop", [1, 4])
@pytest.mark.parametrize("cell", CELLS)
def test_stopped_and_resumed_equals_never_stopped(cell: str, stop: int, tmp_path: Path) -> None:
    """Through a file, two layers with dropout end in the same arrays, for every cell."""
    settings = replace(SETTINGS, cell=cell, dropout=0.5, steps=6)
    whole, part = (begin("default", tmp_path, settings) for _ in range(2))
    list(whole.train())
    for progress in part.train():
        if progress.step == stop:
            break
    save(part.checkpoint(), tmp_path / "model.npz")
    resumed = resume("default", part, load_checkpoint(tmp_path / "model.npz"))
    assert resumed.step == stop
    list(resumed.train())
    here, there = whole.checkpoint(), resumed.checkpoint()
    timeless = replace(there, training=there.training._replace(seconds=here.training.seconds))
    assert same(timeless, here)


def test_refuses_another_recipe(trained: Checkpoint, tmp_path: Path) -> None:
    """The message names the recipe that fits."""
    other = {"default": "classic", "classic": "default"}[trained.recipe]
    with pytest.raises(CheckpointError, match=f"resume with --recipe {trained.recipe}$"):
        resume(other, begin(trained.recipe, tmp_path), trained)


@pytest.mark.parametrize(
    ("text", "fold", "flip"),
    [
        (NAMES + "Heimdall\n", True, False),
        (NAMES.replace("Thor\n", "", 1), True, False),
        (NAMES.replace("Baldr", "Baldt"), True, False),  # as long, and as many names
        ("\n".join(reversed(NAMES.splitlines())), True, False),
        (NAMES, False, False),
        (NAMES, True, True),
    ],
)
def test_refuses_another_list(
    trained: Checkpoint, tmp_path: Path, text: str, fold: bool, flip: bool
) -> None:
    """A list with another name, letter or order is refused, and so are other reading options."""
    path = tmp_path / "other.txt"
    path.write_bytes(text.encode())
    keep = (trained.recipe == "classic") != flip
    corpus = read_corpus([path], fold_case=fold, keep_duplicates=keep)
    run: Run = ClassicRun(corpus) if trained.recipe == "classic" else DefaultRun(corpus, SETTINGS)
    with pytest.raises(CheckpointError, match="another list"):
        resume(trained.recipe, run, trained)


def test_the_state_holds_what_the_recipe_needs(trained: Checkpoint, tmp_path: Path) -> None:
    """The default recipe saves parameters and velocity until it is done; classic its last state."""
    shapes = {name: array.shape for name, array in network_of(trained).parameters.items()}
    found = {name: array.shape for name, array in trained.resume.arrays.items()}
    if trained.recipe == "classic":
        assert found == {"a_prev": (1, 50)}
    else:
        groups = ("parameters", "velocity")
        assert found == {f"{g}.{name}": shape for g in groups for name, shape in shapes.items()}
    run = begin(trained.recipe, tmp_path)
    list(run.train())
    finished = run.checkpoint().resume.arrays
    assert {*finished} == ({"a_prev"} if trained.recipe == "classic" else set())


def test_an_array_less_or_more_or_of_another_shape(trained: Checkpoint, tmp_path: Path) -> None:
    """The reader accepts any array; the recipe does not."""
    arrays, numbers = dict(trained.resume.arrays), dict(trained.resume.numbers)
    for name, array in arrays.items():
        rest = {key: value for key, value in arrays.items() if key != name}
        # With no array at all, a run of the default recipe continues from its best parameters.
        if rest or trained.recipe == "classic":
            assert "train anew" in refusal(with_resume(trained, rest, numbers), tmp_path)
        wrong = [array[None], array[..., None], array.reshape(-1)[:1], array[:0], array.reshape(-1)]
        for other in wrong:
            if other.shape != array.shape:
                state = with_resume(trained, {**arrays, name: other}, numbers)
                assert "train anew" in refusal(state, tmp_path)
        renamed = with_resume(trained, {**rest, "other": array}, numbers)
        assert "train anew" in refusal(renamed, tmp_path)


def test_a_number_less_or_of_another_kind(trained: Checkpoint, tmp_path: Path) -> None:
    """Without a number of the state, or with a negative or broken count, nothing is resumed."""
    arrays, numbers = dict(trained.resume.arrays), dict(trained.resume.numbers)
    for name, number in numbers.items():
        rest = {key: value for key, value in numbers.items() if key != name}
        assert "damaged" in refusal(with_resume(trained, arrays, rest), tmp_path)
        if isinstance(number, int):
            for value in (-1, 0.5):
                wrong = with_resume(trained, arrays, {**numbers, name: value})
                assert "damaged" in refusal(wrong, tmp_path)


@pytest.mark.parametrize("value", [None, -1, 0.5, "3", 10**30])
def test_a_setting_less_or_of_another_kind(
    trained: Checkpoint, tmp_path: Path, value: str | float | None
) -> None:
    """Without a valid plan, nothing is resumed."""
    given = trained.training.settings
    for name in {"steps", "hidden_size"} & given.keys():
        settings = {key: kept for key, kept in given.items() if key != name}
        if value is not None:
            settings[name] = value
        damaged = replace(trained, training=trained.training._replace(settings=settings))
        with pytest.raises(DinogenError):
            resume(trained.recipe, begin(trained.recipe, tmp_path), damaged)


def other_size(network: Network) -> Network:
    """A network with one hidden unit more."""
    config = network.config
    return Network(config._replace(hidden_size=config.hidden_size + 1))


def other_layers(network: Network) -> Network:
    """A network with one layer more."""
    config = network.config
    return Network(config._replace(layers=config.layers + 1))


def other_cell(network: Network) -> Network:
    """A network of the same size with other cells."""
    return Network(network.config._replace(cell="gru"))


@pytest.mark.parametrize("change", [other_size, other_layers, other_cell])
def test_a_network_that_the_settings_do_not_describe(
    trained: Checkpoint, tmp_path: Path, change: Callable[[Network], Network]
) -> None:
    """The best parameters must fit the network that is trained."""
    members = {**trained.mixture.members, "network": change(network_of(trained))}
    damaged = replace(trained, mixture=Mixture(members, trained.mixture.weights))
    assert "train anew" in refusal(damaged, tmp_path)


def test_a_member_of_another_kind_or_none(trained: Checkpoint, tmp_path: Path) -> None:
    """A run that trains a network does not resume without one."""
    network = network_of(trained)
    for members in ({"other": network}, {"network": trained.mixture.members.get("ngram")}):
        if None not in members.values():
            damaged = replace(trained, mixture=Mixture(members), held_out=None)  # type: ignore[arg-type]
            assert "train anew" in refusal(damaged, tmp_path)


def test_float64_resumes_as_float32(tmp_path: Path) -> None:
    """The dtype of the best parameters is that of the file; training converts them."""
    run = begin("default", tmp_path)
    next(run.train())
    checkpoint = run.checkpoint()
    best = network_of(checkpoint)
    double = Network(NetworkConfig(*best.config), np.float64)
    double.parameters.fill(best.parameters)
    members = {**checkpoint.mixture.members, "network": double}
    other = replace(checkpoint, mixture=Mixture(members, checkpoint.mixture.weights))
    resumed = resume("default", run, other)
    list(resumed.train())
    assert network_of(resumed.checkpoint()).parameters.vector.dtype == np.float32
