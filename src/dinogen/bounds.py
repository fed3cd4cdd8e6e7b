"""Bounds of numeric settings and the check against them."""

from collections.abc import Mapping

from dinogen.errors import SettingError

Bounds = Mapping[str, tuple[float, float]]
"""The minimum and maximum of each setting, by name."""

SEED: tuple[float, float] = (0, 2**64 - 1)
"""The bounds of a random seed."""


def check(name: str, value: float, bounds: Bounds) -> None:
    """Check that a value lies within the bounds of its setting.

    Raises:
        SettingError: if it does not; the message names the setting, the value and the bounds.
    """
    low, high = bounds[name]
    # A comparison with NaN is false, so this form refuses NaN.
    if not low <= value <= high:
        setting = name.replace("_", " ")
        raise SettingError(f"{setting} must be from {_show(low)} to {_show(high)}, not {value}")


def _show(number: float) -> str:
    """Format a number in full, without an exponent."""
    return f"{number:,}" if isinstance(number, int) else f"{number:,.6f}".rstrip("0").rstrip(".")
