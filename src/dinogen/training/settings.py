"""The choices that shape a training run, with defaults that follow from the corpus."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Self

from dinogen.bounds import SEED, Bounds, check
from dinogen.errors import SettingError
from dinogen.text.facts import CorpusFacts

RECIPE = "default"

CLASSIC_STEPS = 35_000
"""Iterations of the course's program, the one thing that can be chosen in it."""

FEWEST_HELD_OUT = 5

BOUNDS: Bounds = {
    "seed": SEED,
    "hidden_size": (0, 4_096),
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
"""The least and the greatest value of each setting: beyond them nothing could be learned."""


@dataclass(frozen=True)
class Settings:
    """Everything, besides the corpus, that the result of the default recipe depends on.

    Attributes:
        seed: of the held-out names, the initial weights and the order of the names.
        hidden_size: H, hidden units; 0 for no network.
        steps: updates in all.
        batch_size: names in an update.
        learning_rate: the highest rate of the schedule.
        momentum: how much of the last update goes into the next one.
        clip: the greatest norm of a gradient, all parameters together, in nats per symbol.
        dropout: the share of hidden units that are left out while learning.
        holdout: the share of the names held out.
        order: of the n-grams; 0 for none, None to choose it on the held-out names.
        patience: evaluations without a better held-out loss after which training stops.

    Raises:
        SettingError: for a number outside of its range, and where nothing is left to learn with.
    """

    seed: int
    hidden_size: int
    steps: int
    batch_size: int = 32
    learning_rate: float = 0.3
    momentum: float = 0.9
    clip: float = 0.3
    dropout: float = 0.0
    holdout: float = 0.1
    patience: int = 12
    order: int | None = None

    def __post_init__(self) -> None:
        for name, value in self.to_json().items():
            check(name, value, BOUNDS)
        if self.hidden_size == 0 and self.order == 0:
            raise SettingError(
                "hidden size 0 leaves no network and order 0 no n-grams; keep one of them"
            )

    @classmethod
    def for_corpus(
        cls, facts: CorpusFacts, *, epochs: int | None = None, **given: float | None
    ) -> Self:
        """Fill in what was not given (left out, or None) by a rule, for N names.

        Hidden units: 128, from 1,000 names on 256. Names in an update: 32, from 10,000 on 64.
        Passes over the names: 640 / N^0.35. Dropout: 24 / N^0.6, at most one half. Of fewer than
        50 names none are held out: so few would tell nothing.

        Args:
            facts: of the corpus that is to be learned.
            epochs: passes over the names, in place of ``steps``.
            given: any of the attributes; ``seed`` must be among them.

        Raises:
            SettingError: for a number outside of its range, or for both epochs and steps.
        """
        chosen = {name: value for name, value in given.items() if value is not None}
        chosen.setdefault("hidden_size", 128 if facts.names < 1_000 else 256)
        chosen.setdefault("batch_size", 32 if facts.names < 10_000 else 64)
        chosen.setdefault("dropout", min(0.5, round(24 / facts.names**0.6, 3)))
        if facts.held_out(cls.holdout) < FEWEST_HELD_OUT:
            chosen.setdefault("holdout", 0.0)
        if "steps" in chosen:
            if epochs is not None:
                raise SettingError("steps and epochs both say how long to train; give one of them")
            return cls.from_json(chosen)
        draft = cls.from_json({**chosen, "steps": 1})
        names = facts.names - facts.held_out(draft.holdout)
        per_epoch = -(-names // draft.batch_size)
        if epochs is None:
            epochs = max(1, round(640 / facts.names**0.35))
        check("epochs", epochs, BOUNDS)
        return replace(draft, steps=epochs * per_epoch)

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Self:
        """Read settings back from `to_json`.

        Raises:
            SettingError: for a name that is no setting, a missing one, or a value of another type.
        """
        kinds = {field.name: field.type for field in fields(cls)}
        for name, value in values.items():
            kind = kinds.get(name)
            if kind is None:
                raise SettingError(f"{name} is not a setting of the {RECIPE} recipe")
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise SettingError(f"{name} {value!r}: must be a number")
            if kind in (int, int | None) and not isinstance(value, int):
                raise SettingError(f"{name} {value!r}: must be a whole number")
        try:
            return cls(**values)  # type: ignore[arg-type]
        except TypeError as error:
            raise SettingError(f"settings are incomplete: {error}") from None

    def to_json(self) -> dict[str, int | float]:
        """Give the settings that are given, as numbers by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}
