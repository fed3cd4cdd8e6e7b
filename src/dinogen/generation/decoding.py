"""Decoding: the sampling options, the rules for names, and the loop over a block of names."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dinogen.bounds import SEED, Bounds, check
from dinogen.data.sequences import END, Names
from dinogen.data.vocabulary import Vocabulary
from dinogen.generation.constrained.automata import Automaton, build_automaton
from dinogen.models.language_model import Array, LanguageModel, Symbols

BOUNDS: Bounds = {
    "n": (0, 10**15),
    "seed": SEED,
    "temperature": (1e-6, 1e6),
    "top_k": (1, 2**21),
    "top_p": (1e-6, 1.0),
    "min_length": (0, 1_000),
    "max_length": (1, 1_000),
    "skip": (0, 10**15),
}
"""The bounds of each numeric option, and of the arguments n, seed and skip."""

_TRUNCATION = ("top_k", "top_p")
"""The options that give unlikely symbols probability 0."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The sampling options. Each of them changes which names are drawn.

    The case of texts and names is folded by the rule of the training names.

    Attributes:
        temperature: divides the log probabilities. Below 1, likely symbols become likelier; above
            1, unlikely ones do.
        top_k: only the k likeliest symbols may come next; None for all.
        top_p: only the likeliest symbols that together have this probability may come next; None
            for all.
        prefix: the text that each name begins with.
        suffix: the text that each name ends with.
        contains: texts that occur in each name. A `str` is one text.
        min_length: the minimum number of symbols in a name.
        max_length: the maximum number of symbols in a name.
        pattern: a glob that matches each whole name. ``?`` is any symbol, ``*`` any number of
            symbols, ``[a-e]`` one symbol of a set, ``[!a-e]`` one symbol outside of it.
        exclude: names that are never drawn. A `str` is one name.
        allow_known: whether training names may be drawn.
        allow_repeats: whether a name may be drawn more than once.

    Raises:
        SettingError: if a number is outside of its `BOUNDS`.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    prefix: str | None = None
    suffix: str | None = None
    contains: Sequence[str] = ()
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    exclude: Sequence[str] = ()
    allow_known: bool = False
    allow_repeats: bool = False

    def __post_init__(self) -> None:
        for name in ("contains", "exclude"):
            texts = getattr(self, name)
            texts = (texts,) if isinstance(texts, str) else tuple(texts)
            object.__setattr__(self, name, texts)
        for name, value in vars(self).items():
            if name in BOUNDS and value is not None:
                check(name, value, BOUNDS)

    @property
    def truncates(self) -> bool:
        """Whether unlikely symbols get probability 0."""
        return any(getattr(self, name) is not None for name in _TRUNCATION)

    def without_truncation(self) -> "Options":
        """Copy the options, without those that give unlikely symbols probability 0."""
        off: dict[str, Any] = dict.fromkeys(_TRUNCATION)
        return replace(self, **off)


DEFAULT_OPTIONS = Options()


@dataclass(frozen=True)
class NameRules:
    """A name is not empty, is not too long, and has white space only between other symbols.

    The methods set the probabilities of forbidden symbols to 0, in place. `rules_automaton`
    has the same rules, except the maximum length.

    Attributes:
        max_length: the maximum number of symbols in a name, without the end.
        spaces: the indices of the white-space symbols.
    """

    max_length: int
    spaces: tuple[int, ...] = ()

    def mask_first(self, p: Array) -> None:
        """Forbid the end and white space in (N, V) probabilities of the first symbol."""
        p[:, [END, *self.spaces]] = 0

    def mask_next(self, p: Array, previous: Symbols) -> None:
        """Forbid the end and white space after white space.

        Args:
            p: (N, V) probabilities of the next symbol.
            previous: (N,) the symbols before it.
        """
        if self.spaces:
            after_space = np.flatnonzero(np.isin(previous, self.spaces))  # (m,)
            p[after_space[:, np.newaxis], [END, *self.spaces]] = 0

    def mask_last(self, p: Array) -> None:
        """Forbid white space in (N, V) probabilities of the last possible symbol."""
        p[:, list(self.spaces)] = 0


def rules_automaton(vocabulary: Vocabulary) -> Automaton:
    """Accept names that are not empty and have white space only between other symbols."""
    spaces = set(vocabulary.spaces)

    def next_states(after_symbol: bool) -> list[bool | None]:
        return [None] + [
            (False if after_symbol else None) if symbol in spaces else True
            for symbol in range(1, len(vocabulary))
        ]

    return build_automaton(False, next_states, lambda after_symbol: after_symbol)


def reweight(p: Array, options: Options) -> Array:
    """Apply temperature, then top-k, then top-p (Holtzman et al. 2020).

    Ties with the last kept symbol are kept.

    Args:
        p: (N, V) probabilities, up to a factor per row; 0 for forbidden symbols. Overwritten.
        options: the sampling options.

    Returns:
        (V, N) weights, up to a factor per column: one column per name, because NumPy sums along
        axis 0 faster.
    """
    weights = np.ascontiguousarray(p.T)  # (V, N)
    if options.temperature != 1.0:
        # With a maximum of 1, a low temperature cannot turn all weights into 0.
        weights /= weights.max(axis=0)
        np.power(weights, 1 / options.temperature, out=weights)
    if options.top_k is not None and options.top_k < len(weights):
        smallest = np.partition(weights, -options.top_k, axis=0)[-options.top_k]  # (N,)
        weights[weights < smallest] = 0
    if options.top_p is not None and options.top_p < 1:
        descending = np.sort(weights, axis=0)[::-1]  # (V, N)
        before = np.cumsum(descending, axis=0) - descending  # (V, N)
        kept = (before < options.top_p * descending.sum(axis=0)).sum(axis=0)  # (N,)
        weights[weights < descending[kept - 1, np.arange(len(kept))]] = 0
    return weights


def draw_symbols(weights: Array, uniform: Array) -> NDArray[np.intp]:
    """Draw one symbol per column, by inversion of the cumulative weights.

    Args:
        weights: (V, N), at least one above 0 in each column. Overwritten.
        uniform: (N,) numbers in [0, 1), of the same dtype.

    Returns:
        (N,) indices, never of a symbol of weight 0.
    """
    # Adding row by row takes half the time of cumsum.
    for below, row in pairwise(weights):
        row += below
    # The symbol drawn is the first one whose cumulative weight exceeds the target.
    passed = weights <= uniform * weights[-1]  # (V, N)
    # Counting is fastest in the smallest dtype.
    dtype = np.min_scalar_type(len(weights))
    index: NDArray[np.intp] = passed.view(np.uint8).sum(axis=0, dtype=dtype).astype(np.intp)
    return index


def draw_block(
    model: LanguageModel,
    random: np.random.Generator,
    size: int,
    options: Options,
    rules: NameRules,
) -> Names:
    """Draw N names in parallel. The constraints among the options are not applied.

    Args:
        model: the model to sample.
        random: the random stream of the block.
        size: N.
        options: temperature and truncation.
        rules: the rules for names. A name is cut off at `NameRules.max_length` symbols.
    """
    rows = np.arange(size)  # (n,) the unfinished names
    state, p = model.begin(size)  # (n, V)
    rules.mask_first(p)
    drawn: list[tuple[NDArray[np.intp], NDArray[np.intp]]] = []  # (rows, symbols) of each step
    for length in range(1, rules.max_length + 1):
        if length == rules.max_length:
            rules.mask_last(p)
        # Drawn for finished names too: the random numbers of a name do not depend on other names.
        uniform = random.random(size, dtype=np.float32)[rows]  # (n,)
        symbols = draw_symbols(reweight(p, options), uniform)  # (n,)
        drawn.append((rows, symbols))
        running = symbols != END  # (n,)
        if not running.all():
            rows, symbols, state = rows[running], symbols[running], model.select(state, running)
        if not len(rows):
            break
        state, p = model.advance(state, symbols)  # (n, V)
        rules.mask_next(p, symbols)
    drawn.append((rows, np.full(len(rows), END)))
    order = np.argsort(np.concatenate([rows for rows, _ in drawn]), kind="stable")  # (S,)
    flat = np.concatenate([symbols for _, symbols in drawn])[order]  # (S,)
    return Names.split(flat.astype(np.uint32))
