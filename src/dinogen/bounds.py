"""The one way to check that a number lies in its range."""

from collections.abc import Mapping

from dinogen.errors import SettingError

Bounds = Mapping[str, tuple[float, float]]
"""The least and the greatest value of each setting, by name."""

SEED: tuple[float, float] = (0, 2**64 - 1)
"""What a stream of random numbers can be keyed by."""


def check(name: str, value: float, bounds: Bounds) -> None:
    """Refuse a value outside of its bounds.

    Raises:
        SettingError: naming the setting, the value and the bounds.
    """
    low, high = bounds[name]
    # Written so that a NaN, which is neither below nor above, does not pass.
    if not low <= value <= high:
        raise SettingError(f"{name.replace('_', ' ')} is from {low:,g} to {high:,g}, not {value}")
