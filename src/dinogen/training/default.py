"""The default recipe: a network trained by SGD, mixed with n-grams."""

from collections.abc import Iterator, Mapping
from time import monotonic

from dinogen.checkpoint.checkpoint import NETWORK, Checkpoint, ResumeState, TrainingStats
from dinogen.data.corpus import Corpus, hold_out
from dinogen.data.spelling import spell
from dinogen.data.statistics import MAX_HELD_OUT
from dinogen.errors import CheckpointError, SettingError
from dinogen.generation.calibration import calibrate, strict_decoding
from dinogen.generation.decoding import draw_block
from dinogen.generation.rules import NameRules
from dinogen.models.network.network import MAX_PARAMETERS, Network, NetworkConfig
from dinogen.rng import Purpose, random_stream
from dinogen.threads import one_thread, with_one_thread
from dinogen.training.run import Progress, check_plan, check_resumable
from dinogen.training.selection import Selection
from dinogen.training.settings import DEFAULT_RECIPE, Settings
from dinogen.training.trainer import Trainer


class DefaultRun:
    """A run of the default recipe; a `Run`.

    Attributes:
        settings: the settings of the run.
        corpus: the training names.
        trainer: the trainer of the network; None for n-grams alone.
    """

    def __init__(self, corpus: Corpus, settings: Settings) -> None:
        """Set up a run at step 0.

        Args:
            corpus: the training names.
            settings: the settings of the run.

        Raises:
            SettingError: for a network that is too large.
        """
        self.settings = settings
        self.corpus = corpus
        vocab_size = len(corpus.vocabulary)
        training, held_out = hold_out(corpus, settings.holdout, settings.seed)
        self._selection = Selection(training, held_out, corpus.names, vocab_size, settings.order)
        self.trainer: Trainer | None = None
        if config := _network_config(settings, vocab_size):
            self.trainer = Trainer(
                _initial_network(config, settings.seed),
                training,
                held_out if len(held_out) else training.subsample(MAX_HELD_OUT),
                settings,
                held_out=len(held_out) > 0,
            )
        self._seconds = 0.0

    @classmethod
    @one_thread()
    def resume(
        cls,
        corpus: Corpus,
        checkpoint: Checkpoint,
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
            steps: a new total of updates; None for the planned one.
            epochs: a new total of passes over the names, instead of ``steps``.
            patience: a new patience; None for the saved one.

        Raises:
            CheckpointError: for another corpus or recipe, and for a damaged resume state.
            SettingError: for settings out of range, and for fewer steps than are done.
        """
        check_resumable(checkpoint, DEFAULT_RECIPE, corpus)
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
        run = cls(corpus, chosen)
        if run.trainer is None or not isinstance(network, Network):
            return run
        run.trainer.restore(
            network,
            checkpoint.resume,
            done.steps,
            [*checkpoint.history],
            keep_stale=done.interrupted or not more_time,
        )
        run._seconds = done.seconds
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
        while self.trainer and not self.trainer.finished:
            began = monotonic()
            progress = self.trainer.update()
            self._seconds += monotonic() - began
            yield progress

    @one_thread()
    def checkpoint(self) -> Checkpoint:
        """Return a snapshot: the best network so far, n-grams, and the state to resume from."""
        networks: Mapping[str, Network] = {}
        resume = ResumeState({}, {})
        if self.trainer:
            best = self.trainer.best_network
            networks, resume = {NETWORK: best}, self.trainer.resume_state()
        selected = self._selection.select(networks)
        return Checkpoint(
            recipe=DEFAULT_RECIPE,
            mixture=selected.mixture,
            vocabulary=self.corpus.vocabulary,
            case=self.corpus.case,
            corpus=self.corpus.stats,
            known=self.corpus.known,
            pairs=self.corpus.pairs,
            decoding=calibrate(selected.mixture, self.corpus),
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
        )

    @one_thread()
    def sample_names(self, n: int) -> list[str]:
        """Return n names of the network at the current step, always with the same seed."""
        if self.trainer is None:
            return []
        corpus = self.corpus
        decoding, random = strict_decoding(corpus.stats.distinct), random_stream(0, Purpose.SAMPLE)
        rules = NameRules.for_corpus(corpus.stats, corpus.vocabulary, corpus.pairs)
        names, _ = draw_block(self.trainer.network, random, n, decoding, rules)
        return spell(names, corpus.vocabulary, corpus.case).split("\n")[:-1]


def _network_config(settings: Settings, vocab_size: int) -> NetworkConfig | None:
    """Return the configuration of the network; None if the settings have no network."""
    if not settings.hidden_size:
        return None
    return NetworkConfig(vocab_size, settings.hidden_size, settings.cell, settings.layers)


@one_thread()
def _initial_network(config: NetworkConfig, seed: int) -> Network:
    """Draw the initial network of a seed. Refuses a network that is too large."""
    if config.parameter_count > MAX_PARAMETERS:
        raise SettingError(
            f"cell {config.cell}, layers {config.layers} and hidden size {config.hidden_size:,} "
            f"make {config.parameter_count:,} parameters for {config.vocab_size:,} symbols, and "
            f"{MAX_PARAMETERS:,} are the most; choose fewer layers or a smaller hidden size"
        )
    network = Network(config)
    network.initialise(random_stream(seed, Purpose.INITIALISE))
    return network
