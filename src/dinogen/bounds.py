"""Bounds of numeric settings and the check against them."""

from collections.abc import Mapping
from hashlib import sha256
from unicodedata import normalize

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


def as_seed(value: int | str) -> int:
    """Return the random seed that a number or a text stands for.

    A text of a whole number stands for the number. Any other text stands for the first 64 bits, in
    big-endian order, of the SHA-256 of its UTF-8 encoding in NFC.

    Raises:
        SettingError: for a number outside of `SEED`, and for an empty text.
    """
    if isinstance(value, str):
        try:
            number = int(value)
        except ValueError:
            if not value:
                raise SettingError("seed is empty; give a number or a text") from None
            # An argument that is not valid UTF-8 has surrogates in it.
            data = normalize("NFC", value).encode("utf-8", "surrogatepass")
            return int.from_bytes(sha256(data).digest()[:8], "big")
    else:
        number = value
    check("seed", number, {"seed": SEED})
    return number


def _show(number: float) -> str:
    """Format a number in full, without an exponent."""
    return f"{number:,}" if isinstance(number, int) else f"{number:,.6f}".rstrip("0").rstrip(".")
