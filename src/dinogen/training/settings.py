"""The settings of a training run; defaults follow from the size of the corpus."""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, replace
from typing import Self

from dinogen.bounds import SEED, Bounds, check
from dinogen.data.statistics import CorpusStats, TextStats
from dinogen.errors import SettingError

RECIPES = ("default", "classic")
DEFAULT_RECIPE, CLASSIC_RECIPE = RECIPES

CLASSIC_STEPS = 35_000
"""The default number of iterations of the course's program, its only setting."""

MIN_HELD_OUT = 20
"""The minimum number of held-out names. If there would be fewer, none are held out: they would say
little, and a short list needs all of its names for training."""

MIN_HELD_OUT_SYMBOLS = 500
"""The minimum number of held-out symbols of running text, likewise."""

BOUNDS: Bounds = {
    "seed": SEED,
    "hidden_size": (0, 4_096),
    "layers": (1, 8),
    "order": (0, 16),
    "epochs": (1, 1_000_000),
    "steps": (1, 1_000_000_000),
    "batch_size": (1, 65_536),
    "window": (1, 65_536),
    "learning_rate": (1e-6, 100.0),
    "momentum": (0.0, 0.999),
    "clip": (1e-6, 1e6),
    "dropout": (0.0, 0.9),
    "holdout": (0.0, 0.9),
    "patience": (1, 1_000_000),
}
"""The bounds of each numeric setting."""

STARTS = ("scratch", "tuned", "taught")
"""How training can start. From scratch; or with the weights of a trained network, which is tuned to
the list; or with lessons of a teacher, which is such a tuned network."""

SCRATCH, TUNED, TAUGHT = STARTS

WRITTEN = 12_000
"""The number of names that a teacher writes."""

TUNED_EPOCHS, TUNED_RATE, TUNED_DROPOUT = 20, 0.6, 0.2
"""The epochs, the learning rate and the dropout of a network that is tuned to a list."""

TAUGHT_EPOCHS, TAUGHT_RATE = 7, 1.0
"""The epochs of a network that is taught, and the learning rate of a vanilla RNN."""

BASE, NO_ORIGIN = "base", "none"
"""The name of the bundled network to start from, and what stands for none."""

MAX_NAMES = 3_000
"""The maximum number of names for which the base is used by default."""

CHOICES: Mapping[str, tuple[str, ...]] = {"cell": ("rnn", "gru", "lstm"), "start": STARTS}
"""The possible values of each text setting."""

LEARNING_RATES: Mapping[str, float] = {"rnn": 0.3, "gru": 0.7, "lstm": 2.0}
"""The default learning rate of each cell."""


TEXT_WINDOW = 64
"""The default window for running text."""

TEXT_RATES: Mapping[str, float] = {"rnn": 0.7, "gru": 1.2, "lstm": 2.0}
"""The default learning rate of each cell for running text."""


@dataclass(frozen=True)
class Settings:
    """All settings of the default recipe. With the corpus, they determine its result.

    Attributes:
        seed: random seed of the held-out names, the initial weights, the order of the names and
            dropout.
        hidden_size: H, the number of hidden units in each layer; 0 for no network.
        steps: the total number of updates.
        cell: the kind of recurrent cell.
        layers: the number of recurrent layers.
        start: how training starts, one of `STARTS`.
        batch_size: the number of names in a batch, or of parallel streams of running text.
        window: the number of symbols of each stream of running text in a batch, through which
            gradients flow back; None for names.
        learning_rate: the highest rate of the schedule.
        momentum: the share of the last update that is added to the next one.
        clip: the maximum norm of the gradient of all parameters, in nats per symbol.
        dropout: the share of hidden units dropped in training, against overfitting.
        holdout: the share of the names that is held out.
        patience: the number of evaluations without a better held-out loss after which training
            stops.
        order: the n-gram order; 0 for no n-grams, None to choose it by the held-out names.

    Raises:
        SettingError: for a number out of range, for an unknown choice, and if there is neither a
            network nor n-grams.
    """

    seed: int
    hidden_size: int
    steps: int
    cell: str = "rnn"
    layers: int = 1
    start: str = SCRATCH
    batch_size: int = 32
    window: int | None = None
    learning_rate: float = LEARNING_RATES["rnn"]
    momentum: float = 0.9
    clip: float = 0.3
    dropout: float = 0.0
    holdout: float = 0.1
    patience: int = 12
    order: int | None = None

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name in CHOICES:
                if value not in CHOICES[name]:
                    *some, last = CHOICES[name]
                    known = f"{', '.join(some)} or {last}"
                    raise SettingError(f"{name} must be {known}, not {value!r}")
            elif value is not None:
                check(name, value, BOUNDS)
        network = (self.cell, self.layers)
        if self.hidden_size == 0 and network != (type(self).cell, type(self).layers):
            raise SettingError("hidden size 0 removes the network; leave cell and layers out")
        if self.hidden_size == 0 and self.order == 0:
            raise SettingError(
                "hidden size 0 removes the network and order 0 the n-grams; keep one of them"
            )

    @classmethod
    def for_corpus(
        cls,
        stats: CorpusStats | TextStats,
        *,
        epochs: int | None = None,
        **given: str | float | None,
    ) -> Self:
        """Fill in missing settings, or those that are None, from the size of the corpus.

        Of N names, none are held out if N < 200. The other defaults depend on how training starts.

        From scratch: 128 hidden units; 256 from 1,000 names on for one layer. Batch size: 32; 64
        from 10,000 names on. Epochs: 640 / N^0.35; half as many if no names are held out. Learning
        rate: see `LEARNING_RATES`. Dropout: 24 / N^0.6 for a vanilla RNN, twice as much for a cell
        with gates, and at most 0.5.

        Tuned: `TUNED_EPOCHS` epochs, the learning rate `TUNED_RATE` and dropout `TUNED_DROPOUT`.

        Taught: 256 hidden units for one layer, a batch size of 64, and no dropout. There are
        `TAUGHT_EPOCHS` epochs over the names of the list and the written ones. The learning rate of
        a vanilla RNN is `TAUGHT_RATE`.

        Running text is learned from scratch; see `_text_defaults`.

        Args:
            stats: the statistics of the corpus.
            epochs: the number of passes over the corpus, instead of ``steps``.
            given: any of the attributes; ``seed`` must be among them.

        Raises:
            SettingError: as the class does, for both epochs and steps, and for names with a window.
        """
        chosen = {name: value for name, value in given.items() if value is not None}
        if isinstance(stats, TextStats):
            defaults, default_epochs = cls._text_defaults(chosen, stats)
        elif "window" in chosen:
            raise SettingError("window is for running text; leave it out")
        else:
            defaults, default_epochs = cls._name_defaults(chosen, stats)
        chosen = {**defaults, **chosen}
        if "steps" in chosen:
            if epochs is not None:
                raise SettingError("steps and epochs both set the training time; give one of them")
            return cls.from_json(chosen)
        draft = cls.from_json({**chosen, "steps": 1})
        epochs = default_epochs if epochs is None else epochs
        check("epochs", epochs, BOUNDS)
        return replace(draft, steps=epochs * draft._steps_per_epoch(stats))

    def _steps_per_epoch(self, stats: CorpusStats | TextStats) -> int:
        """Return the number of updates in a pass over the training part of a corpus."""
        held_out = stats.held_out_count(self.holdout)
        if isinstance(stats, TextStats):
            return max(1, (stats.symbols - held_out) // (self.batch_size * (self.window or 1)))
        learned = stats.names - held_out
        if self.start == TAUGHT:
            learned += WRITTEN
        return -(-learned // self.batch_size)

    @classmethod
    def _name_defaults(
        cls, chosen: Mapping[str, str | float], stats: CorpusStats
    ) -> tuple[dict[str, str | float], int]:
        """Return the defaults for names, and the default number of epochs."""
        cell = str(chosen.get("cell", cls.cell))
        one_layer = chosen.get("layers", cls.layers) == 1
        is_short = stats.held_out_count(cls.holdout) < MIN_HELD_OUT
        dropout = (24 if cell == "rnn" else 48) / stats.names**0.6
        defaults: dict[str, str | float] = {
            "cell": cell,
            "holdout": 0.0 if is_short else cls.holdout,
            "hidden_size": 256 if stats.names >= 1_000 and one_layer else 128,
            "batch_size": 32 if stats.names < 10_000 else 64,
            # An unknown cell is refused later.
            "learning_rate": LEARNING_RATES.get(cell, cls.learning_rate),
            "dropout": min(0.5, round(dropout, 3)),
        }
        epochs: int = max(1, round((320 if is_short else 640) / stats.names**0.35))
        if chosen.get("start") == TUNED:
            defaults |= {"learning_rate": TUNED_RATE, "dropout": TUNED_DROPOUT}
            epochs = TUNED_EPOCHS
        elif chosen.get("start") == TAUGHT:
            hidden = 256 if one_layer else 128
            defaults |= {"hidden_size": hidden, "batch_size": 64, "dropout": 0.0}
            if cell == cls.cell:
                defaults["learning_rate"] = TAUGHT_RATE
            epochs = TAUGHT_EPOCHS
        return defaults, epochs

    @classmethod
    def _text_defaults(
        cls, chosen: Mapping[str, str | float], stats: TextStats
    ) -> tuple[dict[str, str | float], int]:
        """Return the defaults for running text of S symbols, and the default number of epochs.

        384 hidden units for one layer, else 128. 32 streams with windows of 64 symbols. Epochs:
        22,000 / sqrt(S). Learning rate: see `TEXT_RATES`. Dropout: 80 / sqrt(S) for a vanilla RNN,
        3.5 / S^0.25 for a cell with gates, and at most 0.4.
        """
        cell = str(chosen.get("cell", cls.cell))
        one_layer = chosen.get("layers", cls.layers) == 1
        is_short = stats.held_out_count(cls.holdout) < MIN_HELD_OUT_SYMBOLS
        is_vanilla = cell == "rnn"
        dropout = 80 / stats.symbols**0.5 if is_vanilla else 3.5 / stats.symbols**0.25
        defaults: dict[str, str | float] = {
            "cell": cell,
            "holdout": 0.0 if is_short else cls.holdout,
            "hidden_size": 384 if one_layer else 128,
            "batch_size": 32,
            "window": TEXT_WINDOW,
            "learning_rate": TEXT_RATES.get(cell, cls.learning_rate),
            "dropout": min(0.4, round(dropout, 3)),
        }
        return defaults, max(1, round(22_000 / stats.symbols**0.5))

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Self:
        """Read settings back from `to_json`.

        Raises:
            SettingError: for an unknown name, a missing one, or a value of the wrong type.
        """
        types = {field.name: field.type for field in fields(cls)}
        for name, value in values.items():
            if name not in types:
                raise SettingError(f"{name} is not a setting of the {DEFAULT_RECIPE} recipe")
            wanted = types[name]
            if wanted is str:
                if not isinstance(value, str):
                    raise SettingError(f"{name} {value!r}: must be a text")
            elif isinstance(value, bool) or not isinstance(value, int | float):
                raise SettingError(f"{name} {value!r}: must be a number")
            elif wanted in (int, int | None) and not isinstance(value, int):
                raise SettingError(f"{name} {value!r}: must be a whole number")
        required = {field.name for field in fields(cls) if field.default is MISSING}
        if missing := sorted(required - values.keys()):
            raise SettingError(f"{' and '.join(missing)} must be given")
        return cls(**values)  # type: ignore[arg-type]

    def to_json(self) -> dict[str, str | int | float]:
        """Return the settings by name, without those that are None."""
        return {name: value for name, value in asdict(self).items() if value is not None}
