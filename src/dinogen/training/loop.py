"""The default recipe: a network learned by SGD, the best of it kept, and n-grams beside it."""

from collections.abc import Iterator
from math import inf, isfinite, log
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from dinogen.checkpoint.contents import (
    Checkpoint,
    DefaultRow,
    HistoryRow,
    ResumeState,
    TrainingFacts,
)
from dinogen.errors import CheckpointError, SettingError, TrainingError
from dinogen.models.likelihood import likelihoods
from dinogen.models.parameters import Parameters
from dinogen.models.rnn import MOST_PARAMETERS, RNN, RNNConfig
from dinogen.streams import Purpose, stream
from dinogen.text.corpus import Corpus, hold_out
from dinogen.text.facts import MOST_HELD_OUT
from dinogen.text.packing import Packed
from dinogen.threads import alone, one_thread
from dinogen.training.batching import Batches
from dinogen.training.dropout import Dropout
from dinogen.training.history import record
from dinogen.training.interpolation import Interpolation, surprise
from dinogen.training.optimizer import clip_by_global_norm, descend, rate_factor
from dinogen.training.run import Progress
from dinogen.training.settings import RECIPE, Settings

EVALUATE_AT_LEAST_EVERY = 1_000
EVALUATE_AT_MOST_EVERY = 20
"""Evaluations come once an epoch, within these bounds, in steps."""

MOST_LOWERED = 30
"""After so many halvings no learning rate is to blame."""


class DefaultRun:
    """A run of the default recipe; a `Run`.

    Everything random is drawn from a stream of (seed, purpose, epoch), so that a run is
    determined by its corpus, its settings and the step it stands at.
    """

    def __init__(self, corpus: Corpus, settings: Settings) -> None:
        """Set up a run that has not begun.

        Args:
            corpus: what is learned from.
            settings: how.

        Raises:
            SettingError: for a network too large for so many symbols.
        """
        self.settings = settings
        self.corpus = corpus
        learned, self._held_out = hold_out(corpus, settings.holdout, settings.seed)
        # The names that tell which parameters are best.
        self._judges = self._held_out if len(self._held_out) else learned.spread(MOST_HELD_OUT)
        self._batches = Batches(learned, settings.batch_size, settings.seed)
        self._dropout = Dropout(settings.dropout, settings.dropout, settings.seed)
        self._interpolation = Interpolation(
            learned, self._held_out, corpus.names, len(corpus.vocabulary), settings.order
        )
        config = RNNConfig(len(corpus.vocabulary), settings.hidden_size)
        if config.parameters > MOST_PARAMETERS:
            raise SettingError(
                f"hidden size {config.hidden_size:,} makes {config.parameters:,} parameters for "
                f"{config.symbols:,} symbols, and {MOST_PARAMETERS:,} are the most; choose less"
            )
        self.model = initialise(config, settings.seed)
        self._velocity = Parameters(self.model.config.shapes, np.float32)
        self._best = self.model.parameters.copy()
        self._best_loss = inf
        self._stale = 0  # evaluations since the best one, by held-out names
        self._lowered = 0  # how often the rate was halved
        self._loss, self._symbols = 0.0, 0  # since the last row of the history
        self._history: list[HistoryRow] = []
        self._step = 0
        self._seconds = 0.0

    @classmethod
    def resume(
        cls,
        corpus: Corpus,
        checkpoint: Checkpoint,
        *,
        steps: int | None = None,
        epochs: int | None = None,
        patience: int | None = None,
    ) -> "DefaultRun":
        """Go on where a checkpoint stands, as if it had never been left.

        Args:
            corpus: the one that it was trained on.
            checkpoint: of the default recipe. One that was stopped is gone on with as if it had
                not been; a finished one from its best parameters, if it is given time or patience.
            steps: updates in all, in place of those planned.
            epochs: likewise, as passes over the names.
            patience: in place of the saved one.

        Raises:
            CheckpointError: for another corpus or recipe.
            SettingError: for settings outside of their ranges, and for fewer steps than are done.
        """
        saved = checkpoint.state_for(RECIPE, corpus)
        settings: dict[str, int | float | None] = {
            **Settings.from_json(checkpoint.training.settings).to_json()
        }
        given_time = steps is not None or epochs is not None
        if given_time:
            settings["steps"] = steps
        if patience is not None:
            settings["patience"] = patience
        chosen = Settings.for_corpus(corpus.facts, epochs=epochs, **settings)
        saved_size = checkpoint.network.config.hidden_size if checkpoint.network else 0
        if chosen.hidden_size != saved_size:
            raise CheckpointError("the checkpoint's settings and its network differ; train anew")
        done = checkpoint.training
        done.check_plan(chosen.steps)
        run = cls(corpus, chosen)
        if checkpoint.network is None:
            return run
        run._best.fill(checkpoint.network.parameters)
        run.model.parameters.fill(run._best)
        run._best_loss = run._judge()
        for name, array in saved.arrays.items():
            run._moving[name][...] = array
        if done.interrupted or not given_time:
            run._stale = int(saved.counters["stale"])
        run._lowered = int(saved.counters["lowered"])
        run._loss, run._symbols = saved.counters["loss"], int(saved.counters["symbols"])
        run._history = [*checkpoint.history]
        run._step = checkpoint.training.steps
        run._seconds = checkpoint.training.seconds
        return run

    @property
    def step(self) -> int:
        """Updates done."""
        return self._step

    @property
    def steps(self) -> int:
        """Updates planned; none without a network."""
        return self.settings.steps if self.settings.hidden_size else 0

    @property
    def finished(self) -> bool:
        """Whether all is done, or the held-out loss has stopped improving."""
        return self._step >= self.steps or self._stale >= self.settings.patience

    def train(self) -> Iterator[Progress]:
        """Go on to the end, yielding after each update.

        Raises:
            TrainingError: where the loss explodes however low the rate.
        """
        return alone(self._updates())

    def _updates(self) -> Iterator[Progress]:
        while not self.finished:
            began = monotonic()
            batch = self._batches[self._step]
            loss = self._update(batch)
            self._step += 1
            self._loss += loss
            self._symbols += len(batch.targets)
            lowered = row = None
            if not isfinite(loss):
                lowered = self._start_over()
            elif self._is_due():
                row = self._evaluate()
                lowered = None if row else self._start_over()
            self._seconds += monotonic() - began
            yield Progress(self._step, loss / len(batch.targets), row, lowered)

    @one_thread()
    def checkpoint(self) -> Checkpoint:
        """Take down the best parameters so far, n-grams, and what is needed to go on."""
        network = self._best_network() if self.settings.hidden_size else None
        ngram, weight, held_out = self._interpolation.fit(network)
        # A finished run has nothing to go on with but its best parameters: its rate is down to 0.
        moving = {} if self.finished else self._moving
        counters = {
            "stale": self._stale,
            "lowered": self._lowered,
            "loss": self._loss,
            "symbols": self._symbols,
        }
        return Checkpoint(
            recipe=RECIPE,
            network=network,
            ngram=ngram,
            weight=weight,
            vocabulary=self.corpus.vocabulary,
            case=self.corpus.case,
            corpus=self.corpus.facts,
            known=self.corpus.known,
            training=TrainingFacts(
                seed=self.settings.seed,
                steps=self._step,
                seconds=self._seconds,
                interrupted=not self.finished,
                settings=self.settings.to_json(),
            ),
            held_out=held_out,
            history=[*self._history],
            resume=ResumeState({name: array.copy() for name, array in moving.items()}, counters),
        )

    @property
    def _moving(self) -> dict[str, NDArray[np.floating]]:
        """What updates change, by name."""
        groups = {"parameters": self.model.parameters, "velocity": self._velocity}
        return {f"{group}.{name}": groups[group][name] for group in groups for name in self._best}

    def _best_network(self) -> RNN:
        """Copy the network as it was at its best, or, before that is known, as it is."""
        network = RNN(self.model.config)
        evaluated = isfinite(self._best_loss)
        network.parameters.fill(self._best if evaluated else self.model.parameters)
        return network

    def _update(self, batch: Packed) -> float:
        """Learn from one batch; returns its summed loss, infinite where it explodes."""
        settings, model = self.settings, self.model
        names = batch.sizes[0]
        masks = self._dropout.masks(self._step, names, len(batch.targets), settings.hidden_size)
        # An explosion is looked for below; it is no reason to warn.
        with np.errstate(over="ignore", invalid="ignore"):
            result = model.loss_and_gradients(
                batch.inputs, batch.targets, batch.sizes, model.start(names), masks
            )
            result.gradients.vector /= len(batch.targets)
            norm = clip_by_global_norm(result.gradients, settings.clip)
        if not (isfinite(result.loss) and isfinite(norm)):
            # Not followed: parameters that are no numbers could not be saved at this moment.
            return inf
        rate = self._rate * rate_factor(self._step, settings.steps)
        descend(model.parameters, result.gradients, self._velocity, rate, settings.momentum)
        return result.loss

    def _start_over(self) -> float:
        """Go on from the best parameters so far, at half the rate; returns that rate."""
        self._lowered += 1
        if self._lowered > MOST_LOWERED:
            raise TrainingError(
                f"the loss explodes even at a learning rate of {self._rate:.1g}; "
                "the list and the settings do not go together"
            )
        self.model.parameters.fill(self._best)
        self._velocity.vector.fill(0)
        self._loss, self._symbols = 0.0, 0
        return self._rate

    @property
    def _rate(self) -> float:
        return self.settings.learning_rate * 0.5**self._lowered

    @property
    def _interval(self) -> int:
        """Steps from one evaluation to the next."""
        return max(EVALUATE_AT_MOST_EVERY, min(EVALUATE_AT_LEAST_EVERY, self._batches.per_epoch))

    def _is_due(self) -> bool:
        return self._step in (1, self.steps) or self._step % self._interval == 0

    def _judge(self) -> float:
        """Give the mean loss of the network as it stands, on the names that tell which is best."""
        return surprise(likelihoods(self.model, self._judges))

    def _evaluate(self) -> DefaultRow | None:
        """Add a row to the history; none where the loss has exploded."""
        train, loss = self._loss / max(1, self._symbols), self._judge()
        # So far above the loss of knowing nothing no training ever was that went well; what was
        # held out may be, where little else was learned from. A NaN is below nothing.
        if not train < log(self.model.config.symbols) + 1 or not isfinite(loss):
            return None
        if loss < self._best_loss:
            self._best_loss, self._stale = loss, 0
            self._best.fill(self.model.parameters)
        elif len(self._held_out):
            self._stale += 1
        row = DefaultRow(
            step=self._step, train=train, heldout=loss if len(self._held_out) else None
        )
        record(self._history, row, self._interval)
        self._loss, self._symbols = 0.0, 0
        return row


@one_thread()
def initialise(config: RNNConfig, seed: int) -> RNN:
    """Draw a network to begin with.

    Normal embeddings of deviation 2, so that at first a state is little but its last symbol;
    recurrent weights that are 0.7 times orthogonal (Saxe, McClelland and Ganguli 2014), so that
    older symbols fade slowly; readout weights of deviation 0.3 / sqrt(H), so that every symbol is
    about as likely as any other; biases of zero.
    """
    random = stream(seed, Purpose.INITIALISE)
    model = RNN(config)
    H = config.hidden_size
    p = model.parameters
    p["Wax"][...] = 2.0 * random.standard_normal(p["Wax"].shape)
    p["Waa"][...] = 0.7 * np.linalg.qr(random.standard_normal((H, H)))[0]
    p["Wya"][...] = 0.3 / np.sqrt(max(1, H)) * random.standard_normal(p["Wya"].shape)
    return model
