"""The course's program ("Dinosaurus Island"), reproduced exactly, with its quirks.

The quirks: the hidden state is carried over from one name to the next, but no gradient flows
through it. Gradients are clipped element by element. The loss is summed over a name and smoothed;
its initial value is a guess. The first input of a name is a vector of zeros. Each sampled symbol
comes from a newly seeded generator.
"""

from collections.abc import Iterator
from math import isfinite, log
from time import monotonic

import numpy as np

from dinogen.bounds import check
from dinogen.checkpoint.checkpoint import (
    NETWORK,
    Checkpoint,
    HistoryRow,
    ResumeState,
    TrainingStats,
)
from dinogen.data.batches import Batch
from dinogen.data.corpus import Corpus
from dinogen.data.sequences import END
from dinogen.errors import CheckpointError, TrainingError
from dinogen.generation.calibration import calibrate
from dinogen.models.mixture import Mixture
from dinogen.models.network.layers import softmax
from dinogen.models.network.network import Network, NetworkConfig
from dinogen.models.network.parameters import Parameters
from dinogen.threads import with_one_thread
from dinogen.training.run import (
    PREVIEWED_NAMES,
    Progress,
    add_row,
    check_plan,
    check_resumable,
)
from dinogen.training.settings import BOUNDS, CLASSIC_RECIPE, CLASSIC_STEPS

# The constants of the course's program.
HIDDEN_SIZE = 50
LEARNING_RATE = 0.01
CLIP = 5.0
PRINT_EVERY = 2_000
SAMPLES = 7
MAX_LENGTH = 50

_PARAMETER_SEED = 1
_SHUFFLE_SEED = 0


class ClassicRun:
    """A run of the course's program; a `Run`.

    Attributes:
        network: the network, in float64. Row 0 of its Wax stays zero, so that the first input of
            a name is the course's vector of zeros.
        step: the number of iterations done, one name each.
        steps: the planned number of iterations.
        smoothed_loss: the smoothed loss, in nats per name.
        corpus: the training names, with duplicates.
    """

    def __init__(self, corpus: Corpus, steps: int = CLASSIC_STEPS) -> None:
        """Set up a run at iteration 0.

        Args:
            corpus: the training names, with duplicates.
            steps: the planned number of iterations.

        Raises:
            SettingError: for a number of steps out of range.
        """
        check("steps", steps, BOUNDS)
        self.network = course_network(len(corpus.vocabulary))
        self.step = 0
        self.steps = steps
        self.smoothed_loss = log(len(corpus.vocabulary)) * SAMPLES
        self.corpus = corpus
        self._order = np.arange(len(corpus.names))
        np.random.RandomState(_SHUFFLE_SEED).shuffle(self._order)
        self._symbols = corpus.names.symbols.astype(np.intp)  # (S,)
        self._state = self.network.blank(1)
        self._history: list[HistoryRow] = []
        self._seconds = 0.0

    @classmethod
    def resume(
        cls, corpus: Corpus, checkpoint: Checkpoint, steps: int | None = None
    ) -> "ClassicRun":
        """Resume a run from a checkpoint, as if it had never stopped.

        Args:
            corpus: the corpus that the checkpoint was trained on.
            checkpoint: a checkpoint of the classic recipe.
            steps: a new total of iterations; None for the planned one.

        Raises:
            CheckpointError: for another corpus or recipe, and for a damaged resume state.
            SettingError: for a number of steps out of range, or fewer than are done.
        """
        check_resumable(checkpoint, CLASSIC_RECIPE, corpus)
        done, resume = checkpoint.training, checkpoint.resume
        planned = done.settings.get("steps")
        if steps is None:
            if not isinstance(planned, int):
                raise CheckpointError("its settings are damaged; train anew")
            steps = planned
        check_plan(done, steps)
        run = cls(corpus, steps)
        network, a_prev = checkpoint.mixture.members.get(NETWORK), resume.arrays.get("a_prev")
        if not isinstance(network, Network) or network.config != run.network.config:
            raise CheckpointError("its network is not that of the classic recipe; train anew")
        if (
            a_prev is None
            or a_prev.shape != (1, HIDDEN_SIZE)
            or set(resume.numbers) != {"smoothed_loss"}
        ):
            raise CheckpointError("its saved training state is damaged; train anew")
        run.network.parameters.fill(network.parameters)
        run._state = ((a_prev.copy(),),)
        run.smoothed_loss = resume.numbers["smoothed_loss"]
        run.step = done.steps
        run._history = [*checkpoint.history]
        run._seconds = done.seconds
        return run

    @property
    def finished(self) -> bool:
        """Whether all iterations are done."""
        return self.step >= self.steps

    def train(self) -> Iterator[Progress]:
        """Do the remaining iterations; yields after each, with the smoothed loss.

        Raises:
            TrainingError: if the loss explodes.
        """
        return with_one_thread(self._iterations())

    def _iterations(self) -> Iterator[Progress]:
        """Yield the progress after each iteration. `train` adds the limit to one thread."""
        while not self.finished:
            began = monotonic()
            self._learn(int(self._order[self.step % len(self._order)]))
            row = self._row() if self.step % PRINT_EVERY == 0 else None
            if row:
                add_row(self._history, row, PRINT_EVERY)
            self.step += 1
            self._seconds += monotonic() - began
            yield Progress(self.step, self.smoothed_loss, row)

    def checkpoint(self) -> Checkpoint:
        """Return a snapshot: the network at this iteration, and the state to resume from."""
        network = Network(self.network.config, self.network.parameters.vector.dtype)
        network.parameters.fill(self.network.parameters)
        mixture = Mixture({NETWORK: network})
        return Checkpoint(
            recipe=CLASSIC_RECIPE,
            mixture=mixture,
            vocabulary=self.corpus.vocabulary,
            case=self.corpus.case,
            corpus=self.corpus.stats,
            known=self.corpus.known,
            pairs=self.corpus.pairs,
            decoding=calibrate(mixture, self.corpus),
            training=TrainingStats(
                seed=_PARAMETER_SEED,
                steps=self.step,
                seconds=self._seconds,
                interrupted=not self.finished,
                settings={"steps": self.steps},
            ),
            held_out=None,
            history=[*self._history],
            resume=ResumeState(
                {"a_prev": self._state[0][0].copy()}, {"smoothed_loss": self.smoothed_loss}
            ),
        )

    def preview(self) -> str:
        """See `Run.preview`."""
        return ", ".join(self.sample_names(PREVIEWED_NAMES))

    def sample_names(self, n: int) -> list[str]:
        """Return n names by the course's rule, with the seeds 0, 1, 2 ..."""
        symbols = ("", *self.corpus.vocabulary.symbols)
        unit = self.corpus.vocabulary.unit
        names = [
            unit.join(symbols[index] for index in sample_course_name(self.network, seed) if index)
            for seed in range(n)
        ]
        return [name[:1].upper() + name[1:] for name in names]

    def _learn(self, row: int) -> None:
        """Update the parameters with the name at an index of the corpus."""
        starts = self.corpus.names.starts
        targets = self._symbols[starts[row] : starts[row + 1]]  # (T,)
        inputs = np.concatenate(([END], targets[:-1]))  # (T,)
        batch = Batch(inputs, targets, [1] * len(targets), np.array([row]))
        with np.errstate(over="ignore", invalid="ignore"):
            result = self.network.loss_and_gradients(batch, self._state)
        if not (isfinite(result.loss) and np.isfinite(result.gradients.vector).all()):
            raise TrainingError(
                "the loss explodes, and the classic recipe cannot recover; "
                "train with the default recipe"
            )
        self._state = tuple(tuple(array.copy() for array in layer) for layer in result.state)
        result.gradients["Wax"][END] = 0  # this row stays zero
        clip_elements(result.gradients, CLIP)
        self.network.parameters.vector -= LEARNING_RATE * result.gradients.vector
        self.smoothed_loss = 0.999 * self.smoothed_loss + 0.001 * result.loss

    def _row(self) -> HistoryRow:
        """Return the history row of the current iteration, with sampled names."""
        return HistoryRow(
            self.step + 1, {"smoothed_loss": self.smoothed_loss}, self.sample_names(SAMPLES)
        )


def course_network(vocab_size: int) -> Network:
    """Draw the initial network of the course's program, for V symbols."""
    network = Network(NetworkConfig(vocab_size, HIDDEN_SIZE), np.float64)
    random = np.random.RandomState(_PARAMETER_SEED)
    # The course has inputs on the right, so its arrays are the transposes.
    for name in ("Wax", "Waa", "Wya"):
        weights = network.parameters[name]
        weights[...] = (random.randn(*weights.shape[::-1]) * 0.01).T
    network.parameters["Wax"][END] = 0
    return network


def clip_elements(gradients: Parameters, limit: float) -> None:
    """Clip every element of every gradient to [-limit, limit], in place."""
    np.clip(gradients.vector, -limit, limit, out=gradients.vector)


def sample_course_name(network: Network, seed: int) -> list[int]:
    """Draw one name by the course's rule: symbol k comes from a generator seeded ``seed + 2k``.

    Returns:
        The indices, the end included, or `MAX_LENGTH` indices without an end.
    """
    p = network.parameters
    a, symbol = np.zeros(len(p["ba"])), END  # (H,)
    drawn: list[int] = []
    while len(drawn) < MAX_LENGTH:
        # The course's order of addition is kept: rounding changes the samples.
        a = np.tanh(p["Wax"][symbol] + a @ p["Waa"] + p["ba"])  # (H,)
        y = softmax(a @ p["Wya"] + p["by"])  # (V,)
        symbol = int(np.random.RandomState(seed + 2 * len(drawn)).choice(len(y), p=y))
        drawn.append(symbol)
        if symbol == END:
            break
    return drawn
