"""Seeds: numbers, and texts that stand for numbers."""

import subprocess
import sys
from hashlib import sha256

import pytest

from dinogen.bounds import as_seed
from dinogen.errors import SettingError
from tests.conftest import environment


@pytest.mark.parametrize(
    "value", [0, 1, 7, 2**64 - 1, "0", "7", "007", " 7", "18446744073709551615"]
)
def test_a_number_is_itself(value: int | str) -> None:
    """A text of a whole number stands for the number."""
    assert as_seed(value) == int(value)


@pytest.mark.parametrize("text", ["hello", "1.5", "7 dwarfs", "-", "Ægir", " ", "x" * 10_000])
def test_a_text_is_hashed(text: str) -> None:
    """It stands for the first 16 hexadecimal digits of its SHA-256."""
    assert as_seed(text) == int(sha256(text.encode()).hexdigest()[:16], 16)


def test_the_hash_never_changes() -> None:
    """A text gives the same names in every version, as `sha256sum` shows."""
    assert as_seed("hello") == 0x2CF24DBA5FB0A30E


def test_texts_are_composed() -> None:
    """Two ways to type one text are the same seed. Case matters."""
    assert as_seed("e\u0301") == as_seed("é") != as_seed("É")


def test_an_argument_that_is_not_utf8_is_a_seed() -> None:
    """Python decodes such an argument to surrogates."""
    assert 0 <= as_seed("\udcff") < 2**64


@pytest.mark.parametrize("value", [-1, 2**64, "-1", "18446744073709551616"])
def test_a_number_out_of_range_is_refused(value: int | str) -> None:
    """The message names the bounds and the number."""
    with pytest.raises(SettingError, match=f"^seed must be from 0 to .*, not {value}$"):
        as_seed(value)


def test_an_empty_text_is_refused() -> None:
    """It is more likely a variable that is not set than a seed."""
    with pytest.raises(SettingError, match=r"^seed is empty; give a number or a text$"):
        as_seed("")


def test_seeds_do_not_need_numpy() -> None:
    """So ``--help`` stays fast."""
    code = "import sys, dinogen.bounds; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env=environment(), check=True)
