"""Seeded sampling: name i depends on the model, the seed, the options and i alone."""

from collections.abc import Iterator
from itertools import count, pairwise, takewhile

import numpy as np
from numpy.typing import NDArray

from dinogen.generation.ahead import ahead
from dinogen.generation.options import Options
from dinogen.models.language_model import LanguageModel
from dinogen.streams import Purpose, stream
from dinogen.text.names import END, Names

SMALLEST_BLOCK = 16
DOUBLINGS = 8
"""Names are drawn in blocks, each twice as large as the one before, up to 4,096 names.

A block is always drawn whole, so that nothing depends on how many names are wanted; and it grows,
since few names should come at once and many quickly.
"""


def block_size(block: int) -> int:
    """Count the names of a block."""
    return SMALLEST_BLOCK << min(block, DOUBLINGS)


def first_name(block: int) -> int:
    """Count the names of all the blocks before a block."""
    doubled = min(block, DOUBLINGS)
    return SMALLEST_BLOCK * ((1 << doubled) - 1) + (block - doubled) * block_size(DOUBLINGS)


def sample(model: LanguageModel, n: int, seed: int, options: Options) -> Iterator[Names]:
    """Draw n names, block by block, on several cores.

    Args:
        model: what the names are drawn from; only its likelihoods are asked for.
        n: how many; the first names are the same for any n.
        seed: see `stream`.
        options: what shapes the names.
    """
    left = n
    blocks = takewhile(lambda block: first_name(block) < n, count())
    for names in ahead(lambda block: sample_block(model, seed, block, options), blocks):
        yield names if left >= len(names) else names.keep(np.arange(len(names)) < left)
        left -= len(names)


def sample_block(model: LanguageModel, seed: int, block: int, options: Options) -> Names:
    """Draw all names of a block, none of them empty, from the stream of (seed, block)."""
    random = stream(seed, Purpose.SAMPLE, block)
    size = block_size(block)
    rows = np.arange(size)  # (n,) the names that have not ended
    symbols = np.full(size, END)  # (n,)
    state = model.start(size)
    inner = list(options.inner)
    drawn: list[tuple[NDArray[np.intp], NDArray[np.intp]]] = []
    for length in range(options.max_length):
        state, p = model.advance(state, symbols)  # (n, V)
        if length == 0:
            p[:, [END, *inner]] = 0
        elif inner:
            after_inner = np.flatnonzero(np.isin(symbols, inner))  # (m,)
            p[after_inner[:, np.newaxis], [END, *inner]] = 0
        if length == options.max_length - 1:
            p[:, inner] = 0
        # Numbers are drawn for ended names too: a name's numbers are its own whatever others do.
        uniform = random.random(size, dtype=np.float32)[rows]  # (n,)
        symbols = choose(p, uniform, options.temperature, options.top_k)  # (n,)
        drawn.append((rows, symbols))
        running = symbols != END  # (n,)
        if not running.all():
            rows, symbols, state = rows[running], symbols[running], model.select(state, running)
        if not len(rows):
            break
    drawn.append((rows, np.full(len(rows), END)))
    order = np.argsort(np.concatenate([rows for rows, _ in drawn]), kind="stable")  # (S,)
    flat = np.concatenate([symbols for _, symbols in drawn])[order]  # (S,)
    return Names.split(flat.astype(np.uint32))


def choose(
    p: NDArray[np.floating],
    uniform: NDArray[np.floating],
    temperature: float = 1.0,
    top_k: int | None = None,
) -> NDArray[np.intp]:
    """Choose a symbol in each row, by inversion of the cumulated probabilities.

    Args:
        p: (N, V) probabilities, up to a factor a row; 0 for what must not be. Overwritten.
        uniform: (N,) from 0 to less than 1, of the same type.
        temperature: divides the logarithms of the probabilities.
        top_k: how many of the likeliest symbols may be chosen; equals of the k-th may be, too.

    Returns:
        (N,) indices.
    """
    # Symbols by names, since sums down long columns are quicker than along short rows.
    weights = np.ascontiguousarray(p.T)  # (V, N)
    if top_k is not None and top_k < len(weights):
        weights[weights < np.partition(weights, -top_k, axis=0)[-top_k]] = 0
    if temperature != 1.0:
        # The likeliest is brought to 1 first, so that no temperature takes it to 0.
        weights /= weights.max(axis=0)
        np.power(weights, 1 / temperature, out=weights)
    # A row at a time, which takes half the time of cumsum.
    for below, row in pairwise(weights):
        row += below
    # The first symbol whose cumulated probability is above the target: never one of probability 0.
    passed = weights <= uniform * weights[-1]  # (V, N)
    # Counted in the smallest type that will do, which is the quickest.
    kind = np.min_scalar_type(len(weights))
    index: NDArray[np.intp] = passed.view(np.uint8).sum(axis=0, dtype=kind).astype(np.intp)
    return index
