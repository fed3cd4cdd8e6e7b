"""The options that shape the names."""

from dataclasses import dataclass

from dinogen.bounds import Bounds, check

BOUNDS: Bounds = {
    "n": (0, 10**15),
    "temperature": (1e-6, 1e6),
    "top_k": (1, 2**21),
    "top_p": (1e-6, 1.0),
    "min_length": (0, 1_000),
    "max_length": (1, 1_000),
    "skip": (0, 10**15),
}
"""The least and the greatest value of each option."""


@dataclass(frozen=True)
class Options:
    """What shapes the names.

    Attributes:
        max_length: symbols after which a name is ended.
        temperature: below 1 the likely is made likelier, above 1 the unlikely.
        top_k: only the k likeliest symbols may come next; None for all.
        top_p: only the likeliest symbols that make up this share may come next; None for all.
        inner: symbols that stand only between others, as a space does: a name neither begins nor
            ends with them, and they do not follow each other.

    Raises:
        SettingError: for a number outside of its range.
    """

    max_length: int
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    inner: tuple[int, ...] = ()

    @property
    def cuts(self) -> bool:
        """Whether the unlikely is cut off."""
        return self.top_k is not None or self.top_p is not None

    def __post_init__(self) -> None:
        check("max_length", self.max_length, BOUNDS)
        check("temperature", self.temperature, BOUNDS)
        for name in ("top_k", "top_p"):
            if (value := getattr(self, name)) is not None:
                check(name, value, BOUNDS)
