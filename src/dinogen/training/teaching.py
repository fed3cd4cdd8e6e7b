"""Teaching: a trained network learns a list, and writes lessons for another network."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.checkpoint.checkpoint import ResumeState
from dinogen.data.corpus import Corpus
from dinogen.data.sequences import Names
from dinogen.errors import CheckpointError
from dinogen.generation.blocks import draw_block
from dinogen.generation.decoding import Decoding
from dinogen.generation.rules import NameRules
from dinogen.models.network.network import Network
from dinogen.models.scoring import distributions
from dinogen.rng import Purpose, random_stream
from dinogen.threads import map_ordered, one_thread
from dinogen.training.run import TEACHER, WRITING, Progress
from dinogen.training.settings import WRITTEN
from dinogen.training.trainer import Trainer

LIST_SHARE = 0.3
"""The share of the list in what is learned. The rest is the share of the written names."""

TRUST = 0.8
"""The weight of the teacher's probabilities in the soft targets of the list. The rest is the weight
of the symbols that its names have."""

_BLOCK = 500
"""The number of names that are written together."""

_MAX_NUMBERS = 1 << 26
"""The maximum number of soft targets of the written names: 256 MiB. For thousands of symbols, fewer
names are written."""

_BEST = "best."
"""The prefix of the teacher's best parameters in its resume state."""


class Teaching:
    """The preparation of a network that is taught: a teacher learns a list and writes lessons.

    Attributes:
        trainer: the trainer of the teacher.
    """

    def __init__(self, trainer: Trainer, corpus: Corpus, training: Names, seed: int) -> None:
        """Set up the teaching.

        Args:
            trainer: the trainer of the teacher, ready to learn the list.
            corpus: the list.
            training: the training names of the list.
            seed: the random seed of the written names.
        """
        self.trainer = trainer
        self._corpus = corpus
        self._training = training
        self._seed = seed

    def prepare(self, student: Trainer) -> Iterator[Progress]:
        """Train the teacher, write the lessons, and give them to the trainer of another network.

        Yields:
            The progress after each update of the teacher, and after each block of written names.
        """
        while not self.trainer.finished:
            progress = self.trainer.update()
            yield replace(progress, preparation=TEACHER, total=self.trainer.steps)
        teacher = self.trainer.best_network
        total = names_to_write(self._corpus)
        parts = [lessons_of_list(teacher, self._training, total)]
        for part in write_lessons(teacher, self._corpus, total, self._seed):
            parts.append(part)
            written = (len(parts) - 1) * _BLOCK
            yield Progress(written, 0.0, preparation=WRITING, total=total)
        lessons = join_lessons(parts)
        student.learn_from(lessons.names, lessons.soft_targets)

    def resume_state(self) -> ResumeState:
        """Return what `restore` needs."""
        state, best = self.trainer.resume_state(), self.trainer.best_network.parameters
        own = ResumeState(best, {}).prefixed(_BEST)
        return state.joined(own).joined(ResumeState({}, {"step": self.trainer.step}))

    def restore(self, state: ResumeState) -> None:
        """Restore the state of the teacher.

        Raises:
            CheckpointError: for a state that does not fit the teacher.
        """
        best = self.trainer.best_network
        saved, own = state.split(_BEST)
        shapes = {name: array.shape for name, array in saved.arrays.items()}
        step = state.numbers.get("step")
        if (
            shapes != dict(best.config.shapes)
            or not isinstance(step, int)
            or not 0 <= step <= self.trainer.steps
        ):
            raise CheckpointError("its saved teacher does not fit; train anew")
        best.parameters.fill(saved.arrays)
        self.trainer.restore(best, own, step, [], keep_stale=True)


class Lessons(NamedTuple):
    """Names to learn, with the probabilities that a teacher gives to their symbols.

    Soft targets say more than the names alone, so fewer names are needed: Hinton, Vinyals and Dean,
    "Distilling the Knowledge in a Neural Network" (2015).

    Attributes:
        names: N names of S symbols, with weights.
        soft_targets: (S, V) the probability of each symbol at the place of each symbol.
    """

    names: Names
    soft_targets: NDArray[np.float32]


def names_to_write(corpus: Corpus) -> int:
    """Return how many names a teacher writes for a list: `WRITTEN`, or fewer for many symbols."""
    numbers = len(corpus.names.symbols) / len(corpus.names) * len(corpus.vocabulary)  # per name
    blocks = min(WRITTEN, int(_MAX_NUMBERS / numbers)) // _BLOCK
    return _BLOCK * max(1, blocks)


def lessons_of_list(teacher: Network, training: Names, written: int) -> Lessons:
    """Return the lessons on the names of a list.

    Args:
        teacher: a network that has learned the list.
        training: the names of the list.
        written: the number of names that the teacher writes.
    """
    soft_targets = distributions(teacher, training)  # (S, V)
    soft_targets *= TRUST
    soft_targets[np.arange(len(soft_targets)), training.symbols] += 1 - TRUST
    weights = np.ones(len(training)) if training.weights is None else training.weights  # (N,)
    # Each written name has the weight 1.
    weights = weights * (written * LIST_SHARE / (1 - LIST_SHARE) / weights.sum())
    return Lessons(Names(training.symbols, training.starts, weights), soft_targets)


def write_lessons(teacher: Network, corpus: Corpus, written: int, seed: int) -> Iterator[Lessons]:
    """Let a teacher write names from its own distribution, and yield them in parts.

    Args:
        teacher: a network that has learned the list.
        corpus: the list. The written names are as long and as well-formed as its names.
        written: the number of names to write, in blocks of `_BLOCK`.
        seed: the random seed.
    """
    rules = NameRules.for_corpus(corpus.stats, corpus.vocabulary, corpus.pairs)

    @one_thread()
    def write(block: int) -> Lessons:
        random = random_stream(seed, Purpose.TEACH, block)
        names = draw_block(teacher, random, _BLOCK, Decoding(), rules).names
        names = Names(names.symbols.astype(corpus.names.symbols.dtype), names.starts)
        names.weights = np.ones(len(names))
        return Lessons(names, distributions(teacher, names))

    return map_ordered(write, range(written // _BLOCK))


def join_lessons(parts: list[Lessons]) -> Lessons:
    """Join lessons, in their order."""
    names = Names.split(np.concatenate([part.names.symbols for part in parts]))
    names.weights = np.concatenate([part.names.weights for part in parts])
    return Lessons(names, np.concatenate([part.soft_targets for part in parts]))
