"""Seeded sampling: name i depends on the model, the seed, the options and i alone."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dinogen.generation.options import Options
from dinogen.models.language_model import LanguageModel
from dinogen.streams import Purpose, stream
from dinogen.text.names import END, Names

FIRST_BLOCK, BLOCK = 64, 1_024
"""Names drawn together, always all of them: what is drawn never depends on how many are wanted.

Few names should come at once and many quickly, so the first block is small.
"""


def block_size(block: int) -> int:
    """Count the names of a block."""
    return BLOCK if block else FIRST_BLOCK


def sample(model: LanguageModel, n: int, seed: int, options: Options) -> Iterator[Names]:
    """Draw n names, block by block.

    Args:
        model: what the names are drawn from; only its likelihoods are asked for.
        n: how many; the first names are the same for any n.
        seed: see `stream`.
        options: what shapes the names.
    """
    block = 0
    while n > 0:
        names = sample_block(model, seed, block, options)
        yield names if n >= len(names) else names.keep(np.arange(len(names)) < n)
        n -= len(names)
        block += 1


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
        state, log_p = model.advance(state, symbols)  # (n, V)
        if length == 0:
            log_p[:, [END, *inner]] = -np.inf
        elif inner:
            after_inner = np.flatnonzero(np.isin(symbols, inner))  # (m,)
            log_p[after_inner[:, np.newaxis], [END, *inner]] = -np.inf
        if length == options.max_length - 1:
            log_p[:, inner] = -np.inf
        # Numbers are drawn for ended names too: a name's numbers are its own whatever others do.
        uniform = random.random(size)[rows]  # (n,)
        symbols = choose(log_p, uniform, options.temperature, options.top_k)  # (n,)
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
    log_p: NDArray[np.floating],
    uniform: NDArray[np.float64],
    temperature: float = 1.0,
    top_k: int | None = None,
) -> NDArray[np.intp]:
    """Choose a symbol in each row, by inversion of the cumulated probabilities.

    Args:
        log_p: (N, V) log-probabilities, in nats, up to a constant a row; -inf for what must not be.
        uniform: (N,) from 0 to less than 1.
        temperature: divides the log-probabilities.
        top_k: how many of the likeliest symbols may be chosen; equals of the k-th may be, too.

    Returns:
        (N,) indices.
    """
    # Symbols by names, since sums down long columns are quicker than along short rows. The
    # likeliest is brought to 0, so that no temperature makes it overflow.
    scaled = np.ascontiguousarray(log_p.T)  # (V, N)
    scaled = scaled - scaled.max(axis=0)  # (V, N)
    if top_k is not None and top_k < len(scaled):
        scaled[scaled < np.partition(scaled, -top_k, axis=0)[-top_k]] = -np.inf
    if temperature != 1.0:
        scaled /= temperature
    cumulated = np.exp(scaled, out=scaled).astype(np.float64)  # (V, N)
    # A row at a time, which takes half the time of cumsum.
    for below, row in pairwise(cumulated):
        row += below
    target = uniform * cumulated[-1]  # (N,)
    # The first symbol whose cumulated probability is above the target: never one of probability 0.
    index: NDArray[np.intp] = (cumulated <= target).sum(axis=0)
    return index
