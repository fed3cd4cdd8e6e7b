"""Bounds of numeric settings and the check against them; random seeds."""

from collections.abc import Mapping
from hashlib import sha256
from numbers import Integral, Real
from unicodedata import normalize

from dinogen.errors import SettingError

Bounds = Mapping[str, tuple[float, float]]
"""The minimum and maximum of each setting, by name."""

SEED: tuple[float, float] = (0, 2**64 - 1)
"""The bounds of a random seed."""


def check(name: str, value: float, bounds: Bounds) -> None:
    """Check that a value is a number within the bounds of its setting.

    Raises:
        SettingError: if it is not; the message names the setting, the value and the bounds.
    """
    low, high = bounds[name]
    if not is_number(value):
        raise SettingError(f"{in_words(name)} must be a number, not {value!r}")
    # A comparison with NaN is false, so this form refuses NaN.
    if not low <= value <= high:
        raise SettingError(
            f"{in_words(name)} must be from {_show(low)} to {_show(high)}, not {value}"
        )


def is_number(value: object, *, whole: bool = False) -> bool:
    """Tell whether a value is a number, of Python or of NumPy; True and False are not."""
    return isinstance(value, Integral if whole else Real) and not isinstance(value, bool)


def in_words(name: str) -> str:
    """Return the name of a setting in words, which the command line and Python share."""
    return name.replace("_", " ")


# Random seeds.


def new_seed() -> int:
    """Choose a seed where none is given; it is short enough to be typed."""
    from secrets import randbits

    return randbits(32)


def as_seed(value: int | str) -> int:
    """Return the random seed that a number or a text stands for.

    A text of a whole number stands for the number. Any other text stands for the first 64 bits, in
    big-endian order, of the SHA-256 of its UTF-8 encoding in NFC.

    Raises:
        SettingError: for a number outside of `SEED`, an empty text, and anything else.
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
    elif is_number(value, whole=True):
        number = int(value)
    else:
        raise SettingError(f"seed must be a whole number or a text, not {value!r}")
    check("seed", number, {"seed": SEED})
    return number


def _show(number: float) -> str:
    """Format a number in full, without an exponent."""
    return f"{number:,}" if isinstance(number, int) else f"{number:,.6f}".rstrip("0").rstrip(".")
