"""Training one network by SGD, with validation, early stopping and roll-back."""

from collections.abc import Iterator
from math import inf, isfinite, log

import numpy as np

from dinogen.checkpoint.checkpoint import HistoryRow, ResumeState
from dinogen.data.batches import Batch, Batches
from dinogen.data.sequences import Names, Sequences, Texts
from dinogen.data.windows import Windows
from dinogen.errors import CheckpointError, TrainingError
from dinogen.models.language_model import Array
from dinogen.models.network.network import Network, NetworkState
from dinogen.models.network.parameters import Parameters
from dinogen.models.scoring import likelihoods, mean_nats
from dinogen.training.halves import Halves
from dinogen.training.run import Progress, add_row
from dinogen.training.settings import Settings
from dinogen.training.sgd import Dropout, clip_by_global_norm, descend, rate_factor

MAX_INTERVAL = 1_000
MIN_INTERVAL = 20
"""Steps between evaluations: one epoch, within these bounds."""

MAX_ROLLBACKS = 30
"""Each rollback halves the learning rate. After so many rollbacks, training gives up."""


class Trainer:
    """Trains a network, and keeps the parameters that do best on the validation sequences.

    All random streams are keyed by the seed, a purpose, and the epoch or step. So the state after a
    step depends only on the lessons, the settings and the step.

    Attributes:
        network: the network at the current step, which may not be the best one.
        step: the number of updates done.
        history: the evaluations so far.
        held_out: False if the validation sequences are also training sequences.
    """

    def __init__(
        self, network: Network, validation: Sequences, settings: Settings, *, held_out: bool
    ) -> None:
        """Set up a trainer. Before the first update, it needs something to `learn_from`.

        Args:
            network: the network with its initial parameters.
            validation: the names or texts that decide which parameters are best.
            settings: the settings of the run.
            held_out: False if they are also training sequences; then training does not stop early.
        """
        config = network.config
        self.network = network
        self.step = 0
        self.history: list[HistoryRow] = []
        self._validation = validation
        self._settings = settings
        self.held_out = held_out
        pay = Halves.pay(network, settings.batch_size)
        self._halves = Halves(network) if pay else None
        self._lessons: Batches | Windows | None = None
        self._dropout = Dropout(settings.dropout, config.hidden_size, config.layers, settings.seed)
        self._velocity = Parameters(config.shapes, np.float32)
        self._best = network.parameters.copy()
        self._best_loss = inf
        self._stale = 0  # evaluations since the best one
        self._rollbacks = 0
        self._loss, self._symbols = 0.0, 0  # summed since the last row of the history
        # After a batch of running text, where the next one continues.
        self._state: NetworkState | None = None

    def learn_from(self, sequences: Names | Texts, soft_targets: Array | None = None) -> None:
        """Set the names or texts to learn from.

        Args:
            sequences: the training names or texts, of S symbols.
            soft_targets: (S, V) the probabilities to learn at each symbol of the names; None to
                learn the names themselves.
        """
        settings = self._settings
        size, seed = settings.batch_size, settings.seed
        if isinstance(sequences, Names):
            self._lessons = Batches(sequences, size, seed, soft_targets)
        else:
            self._lessons = Windows(sequences, size, settings.window or 1, seed)

    @property
    def is_ready(self) -> bool:
        """Whether it has something to learn from."""
        return self._lessons is not None

    @property
    def _batches(self) -> Batches | Windows:
        """The batches to learn from."""
        if self._lessons is None:
            raise RuntimeError("the trainer has nothing to learn from")
        return self._lessons

    @property
    def best_loss(self) -> float:
        """The loss of the best parameters on the validation names; infinite without evaluation."""
        return self._best_loss

    @property
    def finished(self) -> bool:
        """Whether all steps are done, or the held-out loss has stopped improving."""
        return self.step >= self._settings.steps or self._stale >= self._settings.patience

    @property
    def steps(self) -> int:
        """The planned number of updates, including those done."""
        return self._settings.steps

    @property
    def best_network(self) -> Network:
        """A copy of the network with the best parameters so far; at first, the initial ones."""
        best = Network(self.network.config)
        best.parameters.fill(self._best)
        return best

    def updates(self) -> Iterator[Progress]:
        """Do the remaining updates; yields after each.

        Raises:
            TrainingError: if the loss explodes after `MAX_ROLLBACKS` rollbacks.
        """
        while not self.finished:
            yield self.update()

    def update(self) -> Progress:
        """Learn from one batch, and evaluate if an evaluation is due.

        Raises:
            TrainingError: if the loss explodes after `MAX_ROLLBACKS` rollbacks.
        """
        batch = self._batches[self.step]
        loss = self._learn(batch)
        self.step += 1
        self._loss += loss
        self._symbols += len(batch.targets)
        lowered_rate = row = None
        if not isfinite(loss):
            lowered_rate = self._roll_back()
        elif self._evaluation_is_due():
            row = self._evaluate()
            lowered_rate = None if row else self._roll_back()
        return Progress(self.step, loss / len(batch.targets), row, lowered_rate)

    def _learn(self, batch: Batch) -> float:
        """Update the parameters; returns the summed loss, infinite if it explodes."""
        masks = self._dropout.masks(self.step, len(batch.rows))
        state = self._state if batch.continues else None
        compute = (self._halves or self.network).loss_and_gradients
        # Overflow is checked below, so NumPy need not warn.
        with np.errstate(over="ignore", invalid="ignore"):
            loss, gradients, _, self._state = compute(batch, state, masks)
            norm = clip_by_global_norm(gradients, self._settings.clip, 1 / len(batch.targets))
        if not (isfinite(loss) and isfinite(norm)):
            # Without an update the parameters stay finite, so that a snapshot is always valid.
            return inf
        rate = self._rate * rate_factor(self.step, self._settings.steps)
        descend(
            self.network.parameters,
            gradients,
            self._velocity,
            rate,
            self._settings.momentum,
        )
        return loss

    @property
    def _rate(self) -> float:
        """The learning rate of the settings, halved by each rollback."""
        return self._settings.learning_rate * 0.5**self._rollbacks

    def _roll_back(self) -> float:
        """Return to the best parameters and halve the learning rate; returns the new rate."""
        self._rollbacks += 1
        if self._rollbacks > MAX_ROLLBACKS:
            raise TrainingError(
                f"the loss explodes even at a learning rate of {self._rate:.1g}; "
                "try the default settings, or another list"
            )
        self.network.parameters.fill(self._best)
        self._velocity.vector.fill(0)
        self._loss, self._symbols, self._state = 0.0, 0, None
        return self._rate

    @property
    def _interval(self) -> int:
        """The number of steps from one evaluation to the next."""
        return max(MIN_INTERVAL, min(MAX_INTERVAL, self._batches.per_epoch))

    def _evaluation_is_due(self) -> bool:
        """Tell whether to evaluate: at the first step, the last step, and after each interval."""
        return self.step in (1, self._settings.steps) or self.step % self._interval == 0

    def _validate(self) -> float:
        """Return the loss on the validation names, in nats per symbol, by their weights."""
        return mean_nats(
            likelihoods(self.network, self._validation), self._validation.symbol_weights
        )

    def _evaluate(self) -> HistoryRow | None:
        """Add a row to the history, and keep the parameters if they are the best.

        Returns:
            The row; None if the loss has exploded.
        """
        train, loss = self._loss / max(1, self._symbols), self._validate()
        # A training loss this far above that of the uniform distribution means an explosion. A
        # held-out loss may be that high without one. A NaN fails the comparison.
        if not train < log(self.network.config.vocab_size) + 1 or not isfinite(loss):
            return None
        if loss < self._best_loss:
            self._best_loss, self._stale = loss, 0
            self._best.fill(self.network.parameters)
        elif self.held_out:
            self._stale += 1
        row = HistoryRow(self.step, {"train": train, "heldout": loss if self.held_out else None})
        add_row(self.history, row, self._interval)
        self._loss, self._symbols = 0.0, 0
        return row

    @property
    def _optimizer_state(self) -> dict[str, Array]:
        """The arrays that updates change, by name."""
        groups = {"parameters": self.network.parameters, "velocity": self._velocity}
        arrays = {f"{group}.{name}": groups[group][name] for group in groups for name in self._best}
        if isinstance(self._lessons, Windows):
            if self._state is None:
                self._state = self.network.blank(self._lessons.streams)
            for number, layer in enumerate(self._state, start=1):
                arrays |= {f"layer{number}.state{i}": array for i, array in enumerate(layer)}
        return arrays

    def resume_state(self) -> ResumeState:
        """Return what `restore` needs, besides the best network and the history."""
        # A finished run resumes from its best parameters alone.
        arrays = {} if self.finished else self._optimizer_state
        return ResumeState(
            {name: array.copy() for name, array in arrays.items()},
            {
                "stale": self._stale,
                "evaluated": int(isfinite(self._best_loss)),
                "rollbacks": self._rollbacks,
                "loss": self._loss,
                "symbols": self._symbols,
            },
        )

    def restore(
        self,
        best: Network,
        state: ResumeState,
        step: int,
        history: list[HistoryRow],
        *,
        keep_stale: bool,
    ) -> None:
        """Restore the state of a checkpoint.

        Args:
            best: the network with its best parameters.
            state: the result of `resume_state`.
            step: the number of updates done.
            history: the evaluations so far.
            keep_stale: whether to keep the count of evaluations without improvement, or restart it.

        Raises:
            CheckpointError: for a state that does not fit the network.
        """
        arrays, expected = state.arrays, self._optimizer_state
        shapes = {name: array.shape for name, array in arrays.items()}
        if arrays and shapes != {name: array.shape for name, array in expected.items()}:
            raise CheckpointError("its saved optimizer state does not fit its network; train anew")
        names = ("stale", "evaluated", "rollbacks", "symbols")
        counts = [state.numbers.get(name) for name in names]
        if "loss" not in state.numbers or not all(
            isinstance(value, int) and value >= 0 for value in counts
        ):
            raise CheckpointError("its saved training counters are damaged; train anew")
        self._best.fill(best.parameters)
        self.network.parameters.fill(self._best)
        self._best_loss = self._validate() if state.numbers["evaluated"] else inf
        for name, array in arrays.items():
            expected[name][...] = array
        if keep_stale:
            self._stale = int(state.numbers["stale"])
        self._rollbacks = int(state.numbers["rollbacks"])
        self._loss, self._symbols = state.numbers["loss"], int(state.numbers["symbols"])
        self.history = history
        self.step = step
