"""Matrix products in blocks that a BLAS library computes fast.

OpenBLAS has kernels for small products, which use the factors where they are, without a copy. With
AVX-512 and the sizes of a recurrent step they take 0.6 to 0.8 times as long as those for large
products, if the factors are aligned. So large products are split into small ones. Other libraries
lose little, because the products are still much longer than a call.
"""

from collections.abc import Callable

import numpy as np

from dinogen.models.language_model import Array
from dinogen.models.network.parameters import Workspace

SMALL = 1_000_000
"""The maximum number of multiplications of a small product."""

MIN_COLUMNS = 32
"""With fewer columns, small products are slower than a large one."""

ROWS = 64
"""The number of rows of the small products of a product with many rows."""


StepProduct = Callable[[Array], Array]
"""The product of a step's rows with weights that are the same at every step.

Takes (n, K), or with gates, (G, n, K) with rows for each gate. Returns (n, H), or with gates,
(G, n, H), which is valid until the next call."""


def step_product(weights: Array, rows: int, workspace: Workspace, name: str) -> StepProduct:
    """Set up the product with some weights.

    Args:
        weights: (K, H), or (G, K, H) for the weights of G gates.
        rows: the maximum number of rows.
        workspace: memory for the results.
        name: the name of that memory.
    """
    *gates, K, H = weights.shape
    out = workspace.array(name, *gates, rows, H)
    blocks = _block_count(rows, K, H)
    if blocks > 1:
        weights_in_blocks, out_in_blocks = _in_blocks(weights, blocks), _in_blocks(out, blocks)

        def multiply_blocks(x: Array) -> Array:
            n = x.shape[-2]
            x = x[:, np.newaxis] if x.ndim > 2 else x  # (G, 1, n, K) or (n, K)
            np.matmul(x, weights_in_blocks, out_in_blocks[..., :n, :])  # (..., B, n, H / B)
            return out[..., :n, :]

        return multiply_blocks
    if gates:
        return lambda x: np.matmul(x, weights, out[:, : x.shape[-2]])
    return lambda x: np.dot(x, weights, out[: len(x)])


def multiply(x: Array, weights: Array, out: Array) -> None:
    """Multiply many rows with weights: out = x weights.

    Args:
        x: (S, K).
        weights: (K, H), or (G, K, H) for the weights of G gates.
        out: (S, H), or (G, S, H). Overwritten.
    """
    (S, K), H = x.shape, weights.shape[-1]
    blocks = _block_count(ROWS, K, H)
    whole = S - S % ROWS if ROWS * K * (H // blocks) <= SMALL else 0  # rows of whole blocks
    weights, out = _in_blocks(weights, blocks), _in_blocks(out, blocks)  # (..., B, K, H / B)
    if whole:
        tall = out[..., :whole, :]  # (..., B, S, H / B)
        tall = tall.reshape(*tall.shape[:-2], -1, ROWS, H // blocks)
        np.matmul(x[:whole].reshape(-1, ROWS, K), weights[..., np.newaxis, :, :], tall)
    if whole < S:
        np.matmul(x[whole:], weights, out[..., whole:, :])


def multiply_transposed(x: Array, dz: Array, out: Array) -> None:
    """Multiply over many rows: out = x^T dz.

    Args:
        x: (S, K).
        dz: (S, H), or (G, S, H) for G gates.
        out: (K, H), or (G, K, H). Overwritten.
    """
    (S, K), H = x.shape, dz.shape[-1]
    for columns in (2 * MIN_COLUMNS, MIN_COLUMNS):
        if S * MIN_COLUMNS * columns <= SMALL and K % MIN_COLUMNS == H % columns == 0:
            x_T = x.reshape(S, -1, MIN_COLUMNS).transpose(1, 2, 0)  # (A, 32, S)
            dz, out = _in_blocks(dz, H // columns), _in_blocks(out, H // columns)
            out = out.reshape(*out.shape[:-2], -1, MIN_COLUMNS, columns)  # (..., B, A, 32, H / B)
            np.matmul(x_T, dz[..., np.newaxis, :, :], out)
            return
    np.matmul(x.T, dz, out)


def _block_count(rows: int, K: int, H: int) -> int:
    """Return the number of blocks into which to split the columns of (K, H) weights."""
    blocks = 1
    while rows * K * (H // blocks) > SMALL:
        blocks *= 2
        if H % blocks or H // blocks < MIN_COLUMNS:
            return 1
    return blocks


def _in_blocks(array: Array, blocks: int) -> Array:
    """View an array (..., n, H) as blocks of columns, (..., B, n, H / B)."""
    *lead, n, H = array.shape
    return array.reshape(*lead, n, blocks, H // blocks).swapaxes(-3, -2)
