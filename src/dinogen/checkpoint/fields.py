"""Reading a JSON object without trust: every value has its type and its bounds checked."""

from typing import TYPE_CHECKING, Any

from dinogen.text.cleaning import LONGEST_LINE, is_visible

if TYPE_CHECKING:
    from collections.abc import Mapping


LARGEST_NUMBER = 1e30
"""Whatever is summed up of such numbers is still one; no network ever learned the tenth part."""


class Malformed(Exception):  # noqa: N818
    """Something is not as it must be; the message says what. Its reader knows which file."""


class Fields:
    """The fields of a JSON object, each asked for by its name and kind.

    Raises:
        Malformed: from every method, where the field is missing or not of that kind.
    """

    def __init__(self, value: object, name: str) -> None:
        if not isinstance(value, dict):
            raise Malformed(f"{name} is no object")
        self._values: Mapping[str, Any] = value
        self._name = name

    def __iter__(self) -> Any:
        return iter(self._values)

    def any(self, name: str) -> Any:
        """Give a field of whatever kind."""
        if name not in self._values:
            raise Malformed(f"{self._name} has no {name}")
        return self._values[name]

    def fields(self, name: str) -> "Fields":
        """Give an object."""
        return Fields(self.any(name), name)

    def list(self, name: str) -> list[Any]:
        """Give a list of whatever."""
        value = self.any(name)
        if not isinstance(value, list):
            raise Malformed(f"{name} is no list")
        return value

    def integer(self, name: str, low: int = 0, high: int = 2**63) -> int:
        """Give a whole number from low to high."""
        value = self.any(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise Malformed(f"{name} is no whole number from {low} to {high}")
        return value

    def number(
        self, name: str, low: float = -LARGEST_NUMBER, high: float = LARGEST_NUMBER
    ) -> int | float:
        """Give a finite number from low to high, as whole or as broken as it was written."""
        value = self.any(name)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise Malformed(f"{name} is no number")
        # Compared, not converted: a whole number may be too large for that. A NaN fails, too.
        if not low <= value <= high:
            raise Malformed(f"{name} is not finite, or not from {low:g} to {high:g}")
        return value

    def number_or_none(self, name: str) -> int | float | None:
        """Give a finite number, or None where there is null."""
        return None if self.any(name) is None else self.number(name)

    def boolean(self, name: str) -> bool:
        """Give true or false."""
        value = self.any(name)
        if not isinstance(value, bool):
            raise Malformed(f"{name} is neither true nor false")
        return value

    def text(self, name: str) -> str:
        """Give a text that may be shown on a terminal."""
        return visible(self.any(name), name)


def visible(value: object, name: str) -> str:
    """Give a value back if it is a text that may be shown on a terminal.

    Raises:
        Malformed: if it is not.
    """
    if not isinstance(value, str) or not all(map(is_visible, value)):
        raise Malformed(f"{name} is no text of visible symbols")
    if len(value) > LONGEST_LINE:
        raise Malformed(f"{name} is far too long")
    return value
