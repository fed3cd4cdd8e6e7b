"""The default recipe: a network trained by SGD, mixed with n-grams."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from math import isfinite
from time import monotonic

import numpy as np

from dinogen.checkpoint.checkpoint import (
    NETWORK,
    Checkpoint,
    Lineage,
    ResumeState,
    TrainingStats,
)
from dinogen.data.corpus import Corpus, hold_out
from dinogen.data.known import OriginNames
from dinogen.data.marks import NO_PAIRS
from dinogen.data.sequences import Names, Texts
from dinogen.data.spelling import spell
from dinogen.data.statistics import MAX_HELD_OUT, MAX_HELD_OUT_SYMBOLS
from dinogen.data.texts import TextCorpus, hold_out_text
from dinogen.errors import CheckpointError, SettingError
from dinogen.generation.blocks import draw_block
from dinogen.generation.calibration import (
    FROM_ORIGIN,
    FROM_SCRATCH,
    TEXT_DECODING,
    calibrate,
    strict_decoding,
)
from dinogen.generation.options import TextOptions
from dinogen.generation.rules import NameRules
from dinogen.generation.writer import Writer
from dinogen.models.network.network import MAX_PARAMETERS, Network, NetworkConfig
from dinogen.rng import Purpose, random_stream
from dinogen.threads import one_thread, with_one_thread
from dinogen.training.origin import Origin, choose_origin
from dinogen.training.run import PREVIEWED_NAMES, Progress, check_plan, check_resumable
from dinogen.training.selection import Selection
from dinogen.training.settings import DEFAULT_RECIPE, NO_ORIGIN, SCRATCH, TUNED, Settings
from dinogen.training.teaching import Teaching
from dinogen.training.trainer import Trainer

NGRAM_PRIOR = 0.2
"""The weight of the n-grams beside a network that starts from another one, if no names are held out
to fit it."""

PREVIEW, PREVIEWED_SYMBOLS = 120, 60
"""The maximum number of characters in a preview of names, and the symbols in one of text."""

VALIDATED = 0.5
"""The share of short running text that is validated with if none is held out."""

_TEACHER = "teacher."
"""The prefix of the teacher's state in a resume state."""


class DefaultRun:
    """A run of the default recipe; a `Run`.

    Attributes:
        settings: the settings of the run.
        corpus: the training names, or running text.
        origin: the trained network from which training starts; None to train from scratch.
        trainer: the trainer of the network; None for n-grams alone.
        teaching: the preparation of a network that is taught; None for any other.
    """

    def __init__(
        self, corpus: Corpus | TextCorpus, settings: Settings, origin: Origin | None = None
    ) -> None:
        """Set up a run at step 0.

        Args:
            corpus: the training names, or running text, which is learned from scratch.
            settings: the settings of the run.
            origin: the trained network from which training starts, unless it starts from scratch.

        Raises:
            SettingError: for a network that is too large, and for an origin that does not fit the
                settings.
        """
        self.settings = settings
        self.corpus = corpus
        self.origin = origin
        self.trainer: Trainer | None = None
        self.teaching: Teaching | None = None
        self._saved_lineage: Lineage | None = None
        self._seconds = 0.0
        vocab_size = len(corpus.vocabulary)
        training, held_out = _hold_out(corpus, settings)
        self._selection = Selection(
            training,
            held_out,
            corpus.names if isinstance(corpus, Corpus) else corpus.texts,
            vocab_size,
            settings.order,
            None if origin is None else NGRAM_PRIOR,
        )
        if (origin is None) != (settings.start == SCRATCH):
            name = origin.name if origin else NO_ORIGIN
            raise SettingError(f"start {settings.start} does not fit the origin {name}")
        config = _network_config(settings, vocab_size)
        if config is None:
            return

        def trainer(network: Network, settings: Settings) -> Trainer:
            validation = held_out if len(held_out) else _subsample(training)
            return Trainer(network, validation, settings, held_out=len(held_out) > 0)

        _check_size(config)
        if origin is None:
            self.trainer = trainer(_initial_network(config, settings.seed), settings)
            self.trainer.learn_from(training)
            return
        if isinstance(corpus, TextCorpus) or isinstance(training, Texts):
            raise SettingError("running text is learned from scratch, and has no origin")
        # Its size may grow with the symbols of the list.
        _check_size(origin.network.config._replace(vocab_size=vocab_size))
        started = origin.start(corpus.vocabulary, settings.seed)
        if settings.start == TUNED:
            if config != started.config:
                raise SettingError("a tuned network has the cell and the size of its origin")
            self.trainer = trainer(started, settings)
            self.trainer.learn_from(training)
        else:
            teacher = trainer(
                started, origin.settings(corpus.stats, settings.seed, holdout=settings.holdout)
            )
            teacher.learn_from(training)
            self.teaching = Teaching(teacher, corpus, training, settings.seed)
            self.trainer = trainer(_initial_network(config, settings.seed), settings)

    @classmethod
    def start(
        cls,
        corpus: Corpus | TextCorpus,
        *,
        seed: int,
        origin: str | None = None,
        epochs: int | None = None,
        **given: str | float | None,
    ) -> "DefaultRun":
        """Set up a run as ``dinogen train`` does: with the base where it helps.

        Args:
            corpus: the training names, or running text.
            seed: the random seed.
            origin: what training starts from: ``base``, ``none``, or the path of a checkpoint; None
                for the base if it helps. Running text is learned from scratch.
            epochs: the number of passes over the names; see `Settings.for_corpus`.
            given: any other attributes of `Settings`.

        Raises:
            SettingError: see `Settings.for_corpus`; and for running text with an origin.
            CheckpointError: see `choose_origin`.
        """
        chosen = None
        if isinstance(corpus, TextCorpus):
            if origin not in (None, NO_ORIGIN):
                raise SettingError("running text is learned from scratch; leave --from out")
        elif given.get("hidden_size") != 0:
            chosen = choose_origin(origin, corpus, seed)
        if chosen:
            given |= chosen.network_settings(given)
        return cls(
            corpus, Settings.for_corpus(corpus.stats, epochs=epochs, seed=seed, **given), chosen
        )

    @classmethod
    @one_thread()
    def resume(
        cls,
        corpus: Corpus | TextCorpus,
        checkpoint: Checkpoint,
        origin: Origin | None = None,
        *,
        steps: int | None = None,
        epochs: int | None = None,
        patience: int | None = None,
    ) -> "DefaultRun":
        """Resume a run from a checkpoint, as if it had never stopped.

        A finished run resumes from its best parameters, if it is given more steps, epochs or
        patience.

        Args:
            corpus: the corpus that the checkpoint was trained on.
            checkpoint: a checkpoint of the default recipe.
            origin: the origin of the checkpoint; None if it was trained from scratch.
            steps: a new total of updates; None for the planned one.
            epochs: a new total of passes over the names, instead of ``steps``.
            patience: a new patience; None for the saved one.

        Raises:
            CheckpointError: for another corpus, recipe or origin, and for a damaged resume state.
            SettingError: for settings out of range, and for fewer steps than are done.
        """
        check_resumable(checkpoint, DEFAULT_RECIPE, corpus)
        _check_origin(checkpoint, origin)
        try:
            saved = Settings.from_json(checkpoint.training.settings)
        except SettingError as error:
            raise CheckpointError(f"its settings are damaged: {error}; train anew") from None
        settings: dict[str, str | int | float | None] = {**saved.to_json()}
        more_time = steps is not None or epochs is not None
        if more_time:
            settings["steps"] = steps
        if patience is not None:
            settings["patience"] = patience
        chosen = Settings.for_corpus(corpus.stats, epochs=epochs, **settings)
        done = checkpoint.training
        check_plan(done, chosen.steps)
        network = checkpoint.mixture.members.get(NETWORK)
        saved_config = network.config if isinstance(network, Network) else None
        # Compared before the run is set up: the settings may claim a network of any size.
        if saved_config != _network_config(chosen, len(corpus.vocabulary)):
            raise CheckpointError("its settings and its network differ; train anew")
        try:
            run = cls(corpus, chosen, origin)
        except SettingError as error:
            raise CheckpointError(f"its settings are damaged: {error}; train anew") from None
        if run.trainer is None or not isinstance(network, Network):
            return run
        teacher, own = checkpoint.resume.split(_TEACHER)
        if run.teaching and teacher.numbers:
            run.teaching.restore(teacher)
        run.trainer.restore(
            network,
            own,
            done.steps,
            [*checkpoint.history],
            keep_stale=done.interrupted or not more_time,
        )
        run._seconds = done.seconds
        run._saved_lineage = checkpoint.lineage
        return run

    @property
    def step(self) -> int:
        """The number of updates done."""
        return self.trainer.step if self.trainer else 0

    @property
    def steps(self) -> int:
        """The planned number of updates; 0 without a network."""
        return self.settings.steps if self.trainer else 0

    @property
    def finished(self) -> bool:
        """Whether all steps are done, or the held-out loss has stopped improving."""
        return self.trainer is None or self.trainer.finished

    def train(self) -> Iterator[Progress]:
        """Do the remaining updates; yields after each.

        Raises:
            TrainingError: if the loss explodes even at a very low learning rate.
        """
        return with_one_thread(self._updates())

    def _updates(self) -> Iterator[Progress]:
        """Yield the progress after each update. `train` adds the limit to one thread."""
        # N-grams are counted first, so that a snapshot takes little time.
        self._selection.prepare()
        trainer = self.trainer
        if trainer is None or trainer.finished:
            return
        if self.teaching and not trainer.is_ready:
            yield from self._timed(self.teaching.prepare(trainer))
        yield from self._timed(trainer.updates())

    def _timed(self, updates: Iterator[Progress]) -> Iterator[Progress]:
        """Add the time that each update takes."""
        began = monotonic()
        for progress in updates:
            self._seconds += monotonic() - began
            yield progress
            began = monotonic()
        self._seconds += monotonic() - began

    @one_thread()
    def checkpoint(self) -> Checkpoint:
        """Return a snapshot: the best network so far, n-grams, and the state to resume from."""
        networks: Mapping[str, Network] = {}
        resume = ResumeState({}, {})
        if self.trainer:
            best = self.trainer.best_network
            networks, resume = {NETWORK: best}, self._resume_state(self.trainer)
        selected = self._selection.select(networks)
        corpus = self.corpus
        if isinstance(corpus, Corpus):
            strictness = FROM_SCRATCH if self.origin is None else FROM_ORIGIN
            decoding = calibrate(selected.mixture, corpus, strictness)
            known, pairs = corpus.known, corpus.pairs
        else:
            decoding = TEXT_DECODING
            known, pairs = np.empty(0, dtype=np.uint64), NO_PAIRS
        return Checkpoint(
            recipe=DEFAULT_RECIPE,
            mixture=selected.mixture,
            vocabulary=corpus.vocabulary,
            case=corpus.case,
            corpus=corpus.stats,
            known=known,
            pairs=pairs,
            decoding=decoding,
            training=TrainingStats(
                seed=self.settings.seed,
                steps=self.step,
                seconds=self._seconds,
                interrupted=not self.finished,
                settings=self.settings.to_json(),
            ),
            held_out=selected.held_out,
            history=[*self.trainer.history] if self.trainer else [],
            resume=resume,
            lineage=self._lineage(),
            origin_names=self._origin_names,
        )

    @cached_property
    def _origin_names(self) -> OriginNames | None:
        """The names that the origin has learned from."""
        return self.origin and self.origin.names(self.corpus.vocabulary)

    @cached_property
    def _origin_lineage(self) -> Lineage | None:
        """The record of the origin alone. Its digest takes time, so it is computed once."""
        return self.origin and self.origin.lineage(self.corpus.vocabulary)

    def _resume_state(self, trainer: Trainer) -> ResumeState:
        """Return the state of the trainer, and that of the teacher as long as it is needed."""
        own = trainer.resume_state()
        if self.teaching is None or trainer.finished:
            return own
        return own.joined(self.teaching.resume_state().prefixed(_TEACHER))

    def _lineage(self) -> Lineage | None:
        """Return the record of the origin and the teacher."""
        lineage = self._origin_lineage
        if lineage is None or self.teaching is None:
            return lineage
        teacher = self.teaching.trainer
        if teacher.step == 0 and self._saved_lineage:
            return self._saved_lineage  # a finished run has no teacher any more
        loss = teacher.best_loss if teacher.held_out and isfinite(teacher.best_loss) else None
        return lineage._replace(steps=teacher.step, nats_per_symbol=loss)

    def preview(self) -> str:
        """See `Run.preview`: some names, or the beginning of a text."""
        if isinstance(self.corpus, Corpus):
            names = ", ".join(self.sample_names(PREVIEWED_NAMES))
            return names if len(names) <= PREVIEW else f"{names[: PREVIEW - 3]}..."
        if self.trainer is None:
            return ""
        writer = Writer(self.trainer.network, self.corpus.vocabulary, TEXT_DECODING)
        pieces = writer.write(1, 0, TextOptions(length=PREVIEWED_SYMBOLS))
        return " / ".join("".join(piece.text for piece in pieces).split("\n"))

    @one_thread()
    def sample_names(self, n: int) -> list[str]:
        """Return n names of the network at the current step, always with the same seed.

        While the network is prepared, they are names of the teacher. There are none without a
        network, or from running text.
        """
        corpus = self.corpus
        if self.trainer is None or isinstance(corpus, TextCorpus):
            return []
        learning = self.trainer
        if self.teaching and not learning.is_ready:
            learning = self.teaching.trainer
        decoding, random = strict_decoding(corpus.stats.distinct), random_stream(0, Purpose.SAMPLE)
        rules = NameRules.for_corpus(corpus.stats, corpus.vocabulary, corpus.pairs)
        names, _ = draw_block(learning.network, random, n, decoding, rules)
        return spell(names, corpus.vocabulary, corpus.case).split("\n")[:-1]


def _hold_out(
    corpus: Corpus | TextCorpus, settings: Settings
) -> tuple[Names | Texts, Names | Texts]:
    """Split a corpus into what is learned and what is held out."""
    if isinstance(corpus, Corpus):
        return hold_out(corpus, settings.holdout, settings.seed)
    return hold_out_text(corpus, settings.holdout)


def _subsample(training: Names | Texts) -> Names | Texts:
    """Return some of the training names, or the end of the texts, to validate with."""
    if isinstance(training, Names):
        return training.subsample(MAX_HELD_OUT)
    return training.split(VALIDATED, MAX_HELD_OUT_SYMBOLS)[1]


def _network_config(settings: Settings, vocab_size: int) -> NetworkConfig | None:
    """Return the configuration of the network; None if the settings have no network."""
    if not settings.hidden_size:
        return None
    return NetworkConfig(vocab_size, settings.hidden_size, settings.cell, settings.layers)


def _check_size(config: NetworkConfig) -> None:
    """Refuse a network that is too large."""
    if config.parameter_count > MAX_PARAMETERS:
        raise SettingError(
            f"cell {config.cell}, layers {config.layers} and hidden size {config.hidden_size:,} "
            f"make {config.parameter_count:,} parameters for {config.vocab_size:,} symbols, and "
            f"{MAX_PARAMETERS:,} are the most; choose fewer layers or a smaller hidden size"
        )


@one_thread()
def _initial_network(config: NetworkConfig, seed: int) -> Network:
    """Draw the initial network of a seed."""
    network = Network(config)
    network.initialise(random_stream(seed, Purpose.INITIALISE))
    return network


def _check_origin(checkpoint: Checkpoint, origin: Origin | None) -> None:
    """Refuse an origin that is not that of a checkpoint."""
    lineage = checkpoint.lineage
    if (lineage and lineage.digest) == (origin and origin.digest):
        return
    if lineage is None:
        raise CheckpointError("it was trained from scratch; resume without --from")
    raise CheckpointError(
        f"it started from another network, {lineage.name}; resume with --from and that network, or "
        "train anew with --force"
    )
