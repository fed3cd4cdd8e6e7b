"""Growing a block of names, symbol by symbol."""

import numpy as np
from numpy.typing import NDArray

from dinogen.generation.choice import choose, shape
from dinogen.generation.options import Options
from dinogen.models.language_model import LanguageModel
from dinogen.text.names import END, Names

Places = NDArray[np.intp]
"""Rows and symbols."""


def grow(model: LanguageModel, random: np.random.Generator, size: int, options: Options) -> Names:
    """Draw N names side by side, none of them empty."""
    rows = np.arange(size)  # (n,) the names that have not ended
    symbols = np.full(size, END)  # (n,)
    state = model.start(size)
    inner = list(options.inner)
    drawn: list[tuple[Places, Places]] = []
    for length in range(options.max_length):
        state, p = model.advance(state, symbols)  # (n, V)
        forbid(p, symbols, options, first=length == 0)
        if length == options.max_length - 1:
            p[:, inner] = 0
        # Numbers are drawn for ended names too: a name's numbers are its own whatever others do.
        uniform = random.random(size, dtype=np.float32)[rows]  # (n,)
        symbols = choose(shape(p, options), uniform)  # (n,)
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


def forbid(p: NDArray[np.floating], symbols: Places, options: Options, *, first: bool) -> None:
    """Rule out the end of what is empty, and white space but between other symbols, in place.

    Args:
        p: (N, V) probabilities of what comes next.
        symbols: (N,) what was written last.
        options: which symbols are `Options.inner`.
        first: whether nothing was written yet.
    """
    inner = list(options.inner)
    if first:
        p[:, [END, *inner]] = 0
    elif inner:
        after_inner = np.flatnonzero(np.isin(symbols, inner))  # (m,)
        p[after_inner[:, np.newaxis], [END, *inner]] = 0
