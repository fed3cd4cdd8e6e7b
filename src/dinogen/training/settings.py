"""The settings of a training run; defaults follow from the size of the corpus."""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Self

from dinogen.bounds import SEED, Bounds, check
from dinogen.errors import SettingError

if TYPE_CHECKING:
    from dinogen.data.statistics import CorpusStats

RECIPES = ("default", "classic")
DEFAULT_RECIPE, CLASSIC_RECIPE = RECIPES

CLASSIC_STEPS = 35_000
"""The default number of iterations of the course's program, its only setting."""

MIN_HELD_OUT = 20
"""The minimum number of held-out names. If there would be fewer, none are held out: they would say
little, and a short list needs all of its names for training."""

BOUNDS: Bounds = {
    "seed": SEED,
    "hidden_size": (0, 4_096),
    "layers": (1, 8),
    "order": (0, 16),
    "epochs": (1, 1_000_000),
    "steps": (1, 1_000_000_000),
    "batch_size": (1, 65_536),
    "learning_rate": (1e-6, 100.0),
    "momentum": (0.0, 0.999),
    "clip": (1e-6, 1e6),
    "dropout": (0.0, 0.9),
    "holdout": (0.0, 0.9),
    "patience": (1, 1_000_000),
}
"""The bounds of each numeric setting."""

CHOICES: Mapping[str, tuple[str, ...]] = {"cell": ("rnn", "gru", "lstm")}
"""The possible values of each text setting."""

LEARNING_RATES: Mapping[str, float] = {"rnn": 0.3, "gru": 0.7, "lstm": 2.0}
"""The default learning rate of each cell."""


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
        batch_size: the number of names in a batch.
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
    batch_size: int = 32
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
        cls, stats: "CorpusStats", *, epochs: int | None = None, **given: str | float | None
    ) -> Self:
        """Fill in missing settings, or those that are None, from the number N of names.

        Hidden units: 128; 256 from 1,000 names on for one layer. Batch size: 32; 64 from 10,000
        names on. Epochs: 640 / N^0.35. Learning rate: see `LEARNING_RATES`. Dropout: 24 / N^0.6 for
        a vanilla RNN, twice as much for a cell with gates, and at most 0.5. If N < 200, no names
        are held out, and there are half as many epochs.

        Args:
            stats: the statistics of the corpus.
            epochs: the number of passes over the names, instead of ``steps``.
            given: any of the attributes; ``seed`` must be among them.

        Raises:
            SettingError: as the class does, and for both epochs and steps.
        """
        chosen = {name: value for name, value in given.items() if value is not None}
        cell = chosen.setdefault("cell", cls.cell)
        is_large = stats.names >= 1_000 and chosen.get("layers", cls.layers) == 1
        chosen.setdefault("hidden_size", 256 if is_large else 128)
        chosen.setdefault("batch_size", 32 if stats.names < 10_000 else 64)
        # An unknown cell is refused below.
        chosen.setdefault("learning_rate", LEARNING_RATES.get(str(cell), cls.learning_rate))
        dropout = (24 if cell == "rnn" else 48) / stats.names**0.6
        chosen.setdefault("dropout", min(0.5, round(dropout, 3)))
        is_short = stats.held_out_count(cls.holdout) < MIN_HELD_OUT
        if is_short:
            chosen.setdefault("holdout", 0.0)
        if "steps" in chosen:
            if epochs is not None:
                raise SettingError("steps and epochs both set the training time; give one of them")
            return cls.from_json(chosen)
        draft = cls.from_json({**chosen, "steps": 1})
        names = stats.names - stats.held_out_count(draft.holdout)
        per_epoch = -(-names // draft.batch_size)
        if epochs is None:
            epochs = max(1, round((320 if is_short else 640) / stats.names**0.35))
        check("epochs", epochs, BOUNDS)
        return replace(draft, steps=epochs * per_epoch)

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
