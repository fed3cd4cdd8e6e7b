"""Products in blocks, compared with products in one piece. All numbers are integers, so exact."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.models import Workspace, multiply, multiply_transposed, step_product

Array = NDArray[np.floating]

SIZES = [
    (256, 256, "blocks of 64 or 32 columns"),
    (128, 96, "one block"),
    (160, 128, "two blocks"),
    (300, 300, "columns that do not divide into small enough blocks"),
    (600, 128, "blocks that would be too narrow"),
    (700, 17, "few columns"),
    (1, 1, "one weight"),
]
"""K, H, and what they are an example of."""

sizes = pytest.mark.parametrize(("K", "H"), [size[:2] for size in SIZES], ids=[s[2] for s in SIZES])
gated = pytest.mark.parametrize("gates", [(), (3,)], ids=["no gates", "three gates"])
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def integers(seed: int, shape: tuple[int, ...], dtype: type[np.floating]) -> Array:
    """Draw numbers from -4 to 4. All sums of up to 2^20 products of them are exact in float32."""
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(dtype)


def whole(x: Array, weights: Array) -> Array:
    """Multiply in one piece for each gate, in float64."""
    result: Array = np.matmul(x.astype(np.float64), weights.astype(np.float64))
    return result


@dtypes
@gated
@sizes
def test_the_product_of_a_step(
    K: int, H: int, gates: tuple[int, ...], dtype: type[np.floating]
) -> None:
    """For every number of rows, with rows for each gate or for all gates, no sum differs."""
    weights = integers(1, (*gates, K, H), dtype)
    for most in (32, 64, 65):
        multiplied = step_product(weights, most, Workspace(dtype), "product")
        # Names end, so the number of rows falls.
        for n, own_rows in product((most, most - 1, 20, 1), {False, bool(gates)}):
            x = integers(n, (*gates, n, K) if own_rows else (n, K), dtype)
            found = multiplied(x)
            assert found.dtype == dtype
            np.testing.assert_array_equal(found, whole(x, weights))


@gated
def test_results_may_be_overwritten(gates: tuple[int, ...]) -> None:
    """A result is memory of its product. Others do not write there, and the next call starts anew.

    The weights are not overwritten.
    """
    workspace = Workspace(np.float64)
    weights = integers(1, (*gates, 256, 256), np.float64)
    x = integers(2, (64, 256), np.float64)
    expected = whole(x, weights)
    one, other = (step_product(weights, 64, workspace, name) for name in ("one", "other"))
    first = one(x)
    other(-x)
    np.testing.assert_array_equal(first, expected)
    first *= 3
    first += 1
    np.testing.assert_array_equal(other(x), expected)
    np.testing.assert_array_equal(one(x), expected)
    np.testing.assert_array_equal(weights, integers(1, (*gates, 256, 256), np.float64))
    # There is no memory for each call.
    assert np.shares_memory(one(x[:3]), first)


@dtypes
@gated
@sizes
def test_the_product_of_many_rows(
    K: int, H: int, gates: tuple[int, ...], dtype: type[np.floating]
) -> None:
    """For any number of rows, multiples of 64 or not, all of the result is written, and no more."""
    weights = integers(1, (*gates, K, H), dtype)
    for S in (1, 63, 64, 65, 200):
        x = integers(S, (S, K), dtype)
        around = np.full((*gates, S + 2, H), np.nan, dtype)
        multiply(x, weights, around[..., 1:-1, :])
        np.testing.assert_array_equal(around[..., 1:-1, :], whole(x, weights))
        assert np.isnan(around[..., [0, -1], :]).all()


def test_a_product_with_a_transposed_view() -> None:
    """Neither factor need be contiguous."""
    weights = integers(1, (256, 256), np.float64)
    x = integers(2, (256, 130), np.float64)
    out = np.full((130, 256), np.nan)
    multiply(x.T, weights.T, out)
    np.testing.assert_array_equal(out, whole(x.T, weights.T))
    multiplied = step_product(weights.T, 64, Workspace(np.float64), "product")
    np.testing.assert_array_equal(multiplied(x.T[:64]), whole(x.T[:64], weights.T))


@gated
@pytest.mark.parametrize("S", [1, 31, 400, 480, 700, 1_000])
@pytest.mark.parametrize(("K", "H"), [(64, 64), (128, 96), (96, 160), (50, 64), (64, 50)])
def test_the_product_over_many_rows(S: int, K: int, H: int, gates: tuple[int, ...]) -> None:
    """For sizes with blocks of 64 and of 32 columns, and without blocks, no sum differs."""
    x = integers(1, (S, K), np.float64)
    dz = integers(2, (*gates, S, H), np.float64)
    out = np.full((*gates, K, H), np.nan)
    multiply_transposed(x, dz, out)
    np.testing.assert_array_equal(out, np.einsum("sk,...sh->...kh", x, dz))
