"""Seeded sampling: name i depends on the model, the seed, the options and i alone."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dinogen.generation.options import Options
from dinogen.models.language_model import LanguageModel
from dinogen.streams import Purpose, stream
from dinogen.text.names import END, Names

BLOCK = 256
"""Names drawn together, always all of them: what is drawn never depends on how many are wanted."""


def sample(model: LanguageModel, n: int, seed: int, options: Options) -> Iterator[Names]:
    """Draw n names, as blocks of at most `BLOCK`.

    Args:
        model: what the names are drawn from; only its likelihoods are asked for.
        n: how many; the first names are the same for any n.
        seed: see `stream`.
        options: what shapes the names.
    """
    for block, first in enumerate(range(0, n, BLOCK)):
        names = sample_block(model, seed, block, options)
        wanted = n - first
        yield names if wanted >= BLOCK else names.keep(np.arange(BLOCK) < wanted)


def sample_block(model: LanguageModel, seed: int, block: int, options: Options) -> Names:
    """Draw all names of a block, none of them empty, from the stream of (seed, block)."""
    random = stream(seed, Purpose.SAMPLE, block)
    rows = np.arange(BLOCK)  # (n,) the names that have not ended
    symbols = np.full(BLOCK, END)  # (n,)
    state = model.start(BLOCK)
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
        uniform = random.random(BLOCK)[rows]  # (n,)
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
    # The likeliest is brought to 0 first, so that no temperature makes it overflow.
    scaled = (log_p - log_p.max(axis=1, keepdims=True)).astype(np.float64)  # (N, V)
    if top_k is not None and top_k < scaled.shape[1]:
        least = np.partition(scaled, -top_k, axis=1)[:, -top_k, np.newaxis]  # (N, 1)
        scaled[scaled < least] = -np.inf
    if temperature != 1.0:
        scaled /= temperature
    cumulated = np.cumsum(np.exp(scaled, out=scaled), axis=1, out=scaled)  # (N, V)
    target = uniform * cumulated[:, -1]  # (N,)
    # The first symbol whose cumulated probability is above the target: never one of probability 0.
    index: NDArray[np.intp] = (cumulated <= target[:, np.newaxis]).sum(axis=1)
    return index
