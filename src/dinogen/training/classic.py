"""The course's program ("Dinosaurus Island"), exactly: its quirks are kept, and kept apart.

The quirks: the hidden state is carried over from one name to the next, though no gradient flows
through it; gradients are clipped element by element; the loss is summed over a name, smoothed, and
starts from a guess; the first input of a name is a vector of zeros; every sampled symbol comes from
a generator seeded anew.
"""

from collections.abc import Iterator
from math import isfinite, log
from time import monotonic

import numpy as np

from dinogen.bounds import check
from dinogen.checkpoint.contents import (
    PRECISION,
    Checkpoint,
    ClassicRow,
    HistoryRow,
    ResumeState,
    TrainingFacts,
)
from dinogen.errors import CheckpointError, TrainingError
from dinogen.models.parameters import Parameters
from dinogen.models.rnn import RNN, RNNConfig, softmax
from dinogen.text.corpus import Corpus
from dinogen.text.names import END
from dinogen.threads import alone
from dinogen.training.history import record
from dinogen.training.run import Progress
from dinogen.training.settings import BOUNDS, CLASSIC_STEPS

RECIPE = "classic"
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
        model: the network, in float64. Row 0 of its Wax is zero and stays so, which makes the first
            input of a name the course's vector of zeros.
        step: iterations done, one name each.
        steps: iterations to do.
        smoothed_loss: nats per name.
    """

    def __init__(self, corpus: Corpus, steps: int = CLASSIC_STEPS) -> None:
        """Begin as the course's program does.

        Args:
            corpus: with its duplicates kept.
            steps: iterations to do.

        Raises:
            SettingError: for a number of steps outside of its range.
        """
        check("steps", steps, BOUNDS)
        self.model = initialise(len(corpus.vocabulary))
        self.step = 0
        self.steps = steps
        self.smoothed_loss = log(len(corpus.vocabulary)) * SAMPLES
        self.corpus = corpus
        self._order = np.arange(len(corpus.names))
        np.random.RandomState(_SHUFFLE_SEED).shuffle(self._order)
        self._symbols = corpus.names.symbols.astype(np.intp)  # (S,)
        self._a_prev = self.model.start(1)  # (1, H)
        self._history: list[HistoryRow] = []
        self._seconds = 0.0

    @classmethod
    def resume(
        cls, corpus: Corpus, checkpoint: Checkpoint, steps: int | None = None
    ) -> "ClassicRun":
        """Go on where a checkpoint stands, as if it had never been left.

        Args:
            corpus: the one that it was trained on.
            checkpoint: of the classic recipe.
            steps: iterations in all, in place of those first planned.

        Raises:
            CheckpointError: for another corpus or recipe.
            SettingError: for a number of steps outside of its range, or fewer than are done.
        """
        saved, network = checkpoint.state_for(RECIPE, corpus), checkpoint.network
        if network is None:
            raise CheckpointError("it holds no network; train anew")
        done = checkpoint.training
        steps = int(done.settings["steps"]) if steps is None else steps
        done.check_plan(steps)
        run = cls(corpus, steps)
        if run.model.config != network.config:
            raise CheckpointError("its network is not that of the classic recipe; train anew")
        run.model.parameters.fill(network.parameters)
        run._a_prev = saved.arrays["a_prev"].copy()
        run.smoothed_loss = saved.counters["smoothed_loss"]
        run.step = done.steps
        run._history = [*checkpoint.history]
        run._seconds = done.seconds
        return run

    @property
    def finished(self) -> bool:
        """Whether all iterations are done."""
        return self.step >= self.steps

    def train(self) -> Iterator[Progress]:
        """Go on to the last iteration, yielding after each, with the smoothed loss.

        Raises:
            TrainingError: where the loss explodes.
        """
        return alone(self._updates())

    def _updates(self) -> Iterator[Progress]:
        while not self.finished:
            began = monotonic()
            self._learn(int(self._order[self.step % len(self._order)]))
            row = self._row() if self.step % PRINT_EVERY == 0 else None
            if row:
                record(self._history, row, PRINT_EVERY)
            self.step += 1
            self._seconds += monotonic() - began
            yield Progress(self.step, self.smoothed_loss, row)

    def checkpoint(self) -> Checkpoint:
        """Take down the network as it stands, and what is needed to go on."""
        model = RNN(self.model.config, PRECISION[RECIPE])
        model.parameters.fill(self.model.parameters)
        return Checkpoint(
            recipe=RECIPE,
            network=model,
            ngram=None,
            weight=1.0,
            vocabulary=self.corpus.vocabulary,
            case=self.corpus.case,
            corpus=self.corpus.facts,
            known=self.corpus.known,
            training=TrainingFacts(
                seed=_PARAMETER_SEED,
                steps=self.step,
                seconds=self._seconds,
                interrupted=not self.finished,
                settings={"steps": self.steps},
            ),
            held_out=None,
            history=[*self._history],
            resume=ResumeState(
                {"a_prev": self._a_prev.copy()}, {"smoothed_loss": self.smoothed_loss}
            ),
        )

    def _learn(self, row: int) -> None:
        starts = self.corpus.names.starts
        targets = self._symbols[starts[row] : starts[row + 1]]  # (T,)
        inputs = np.concatenate(([END], targets[:-1]))  # (T,)
        with np.errstate(over="ignore", invalid="ignore"):
            result = self.model.loss_and_gradients(
                inputs, targets, [1] * len(targets), self._a_prev
            )
        if not (isfinite(result.loss) and np.isfinite(result.gradients.vector).all()):
            raise TrainingError("the loss explodes, and the classic recipe knows no remedy")
        self._a_prev = result.a[-1:].copy()  # (1, H)
        result.gradients["Wax"][END] = 0  # a vector of zeros has no weights to learn
        clip_elements(result.gradients, CLIP)
        self.model.parameters.vector -= LEARNING_RATE * result.gradients.vector
        self.smoothed_loss = 0.999 * self.smoothed_loss + 0.001 * result.loss

    def _row(self) -> ClassicRow:
        symbols = ("", *self.corpus.vocabulary.symbols)
        names = [
            "".join(symbols[index] for index in sample(self.model, seed)) for seed in range(SAMPLES)
        ]
        return ClassicRow(
            step=self.step + 1,
            smoothed_loss=self.smoothed_loss,
            samples=[name[:1].upper() + name[1:] for name in names],
        )


def initialise(symbols: int) -> RNN:
    """Draw the network that the course's program begins with, for V symbols."""
    model = RNN(RNNConfig(symbols, HIDDEN_SIZE), PRECISION[RECIPE])
    random = np.random.RandomState(_PARAMETER_SEED)
    # Drawn in the course's orientation, inputs on the right.
    for name in ("Wax", "Waa", "Wya"):
        weights = model.parameters[name]
        weights[...] = (random.randn(*weights.shape[::-1]) * 0.01).T
    model.parameters["Wax"][END] = 0
    return model


def clip_elements(gradients: Parameters, limit: float) -> None:
    """Bring every element of every gradient into [-limit, limit], in place."""
    np.clip(gradients.vector, -limit, limit, out=gradients.vector)


def sample(model: RNN, seed: int) -> list[int]:
    """Draw one name by the course's rule: symbol k from a generator seeded ``seed + 2k``.

    Returns:
        The indices, the end included unless there are `MAX_LENGTH` before it.
    """
    p = model.parameters
    a, symbol = np.zeros(len(p["ba"])), END  # (H,)
    drawn: list[int] = []
    while len(drawn) < MAX_LENGTH:
        # Summed up as the course does: rounding alone decides late symbols of a chaotic network.
        a = np.tanh(p["Wax"][symbol] + a @ p["Waa"] + p["ba"])  # (H,)
        y = softmax(a @ p["Wya"] + p["by"])  # (V,)
        symbol = int(np.random.RandomState(seed + 2 * len(drawn)).choice(len(y), p=y))
        drawn.append(symbol)
        if symbol == END:
            break
    return drawn
