"""The options that shape the names."""

from dataclasses import asdict, dataclass

from dinogen.bounds import Bounds, check

BOUNDS: Bounds = {
    "n": (0, 2**63 - 1),
    "temperature": (1e-6, 1e6),
    "top_k": (1, 2**21),
    "max_length": (1, 10_000),
}
"""The least and the greatest value of each option."""


@dataclass(frozen=True)
class Options:
    """What shapes the names.

    Attributes:
        max_length: symbols after which a name is ended.
        temperature: below 1 the likely is made likelier, above 1 the unlikely.
        top_k: only the k likeliest symbols may come next; None for all.

    Raises:
        SettingError: for a number outside of its range.
    """

    max_length: int
    temperature: float = 1.0
    top_k: int | None = None

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value is not None:
                check(name, value, BOUNDS)
