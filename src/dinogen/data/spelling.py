"""Spelling: names are written with the capitals of a case rule."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.data.case import CaseRule
from dinogen.data.letters import capital_of, is_cased, is_letter
from dinogen.data.sequences import END, Names
from dinogen.data.shapes import USUAL, usual_shape
from dinogen.data.units import WORD
from dinogen.data.vocabulary import Vocabulary

_NONE, _USUAL = -1, -2
"""What a node says that leaves the decision to its parent, or decides for the usual shape."""


def write_word(word: str, shape: str) -> str:
    """Write a folded word, or the beginning of one, in a shape."""
    written, place = "", 0
    for symbol in word:
        is_capital = shape[min(place, len(shape) - 1)] == "X"
        written += (capital_of(symbol) or symbol) if is_capital else symbol
        place += is_cased(symbol)
    return written


class _Compiled(NamedTuple):
    """A case rule as arrays: for V symbols, and a tree of N nodes with E edges and K shapes.

    Attributes:
        is_letter: (V,) whether a symbol is part of a word.
        is_cased: (V,) whether a symbol is one of the letters that a shape counts.
        capitals: (V,) the code point of the capital of each symbol; its own if it has none.
        usual: (V,) the usual shape of a word after each symbol.
        edges: (E + 1,) the edges in order: the node above times V, plus the symbol; and one that
            no word has.
        nodes: (E + 1,) the node below each edge.
        says: (N,) what each node says: the index of a shape, `_NONE` or `_USUAL`.
        height: the number of edges from the root to the deepest node.
        is_capital: (K, longest) whether each sign of a shape is a capital.
        last_capital: (K,) the last place of a shape that can be a capital.
    """

    is_letter: NDArray[np.bool_]
    is_cased: NDArray[np.bool_]
    capitals: NDArray[np.uint32]
    usual: NDArray[np.intp]
    edges: NDArray[np.intp]
    nodes: NDArray[np.intp]
    says: NDArray[np.intp]
    height: int
    is_capital: NDArray[np.bool_]
    last_capital: NDArray[np.intp]


@lru_cache(maxsize=4)
def _compile(vocabulary: Vocabulary, case: CaseRule) -> _Compiled:
    """Compile a case rule. The result is kept, because names are spelled block by block."""
    symbols = ("\n", *vocabulary.symbols)
    index = {symbol: i for i, symbol in enumerate(symbols)}
    shapes = {"x": 0, "Xx": 1}
    children: dict[int, int] = {}
    says = [_NONE]
    height = 0
    for text, shape in case.shapes:
        if index.keys() >= set(text):
            node = 0
            for symbol in text:
                node = children.setdefault(node * len(symbols) + index[symbol], len(says))
                if node == len(says):
                    says.append(_NONE)
            says[node] = _USUAL if shape == USUAL else shapes.setdefault(shape, len(shapes))
            height = max(height, len(text))
    edges = [*sorted(children), np.iinfo(np.intp).max]
    children[edges[-1]] = 0
    longest = max(map(len, shapes))
    return _Compiled(
        is_letter=np.array([is_letter(symbol) for symbol in symbols]),
        is_cased=np.array([is_cased(symbol) for symbol in symbols]),
        capitals=np.array([ord(capital_of(s) or s) for s in symbols], dtype=np.uint32),
        usual=np.array([shapes[usual_shape(s, case.capital_after)] for s in symbols]),
        edges=np.array(edges, dtype=np.intp),
        nodes=np.array([children[edge] for edge in edges], dtype=np.intp),
        says=np.array(says),
        height=height,
        is_capital=np.array([[*shape.ljust(longest, shape[-1])] for shape in shapes]) == "X",
        last_capital=np.array([_last_capital(shape) for shape in shapes]),
    )


def _last_capital(shape: str) -> int:
    """Return the last place of a shape that can be a capital."""
    return np.iinfo(np.intp).max if shape.endswith("X") else shape.rfind("X")


def spell(names: Names, vocabulary: Vocabulary, case: CaseRule) -> str:
    """Write names with the capitals of a case rule. A newline follows each name."""
    if vocabulary.unit is WORD:
        return vocabulary.text(names)
    codes = vocabulary.decode(names)  # (S,)
    if len(codes) and (case.capital_after or case.shapes):
        rule = _compile(vocabulary, case)
        is_letter = rule.is_letter[names.symbols]  # (S,)
        # Names end with a symbol that is no letter, so every word has an end.
        bounds = np.flatnonzero(np.diff(is_letter, prepend=False))  # (2 W,)
        starts, ends = bounds[::2], bounds[1::2]  # (W,), (W,)
        shapes = _find_shapes(names.symbols, starts, ends, rule)  # (W,)
        _write_capitals(codes, names.symbols, starts, ends, shapes, rule)
    return vocabulary.write(codes)


def _find_shapes(
    symbols: NDArray[np.unsignedinteger],
    starts: NDArray[np.intp],
    ends: NDArray[np.intp],
    rule: _Compiled,
) -> NDArray[np.intp]:
    """Walk down the tree with all words at once.

    Args:
        symbols: (S,) the symbols of the names.
        starts: (W,) where the words start.
        ends: (W,) where they end.
        rule: the rule.

    Returns:
        (W,) indices of the shapes.
    """
    shapes = np.full(len(starts), rule.says[0])  # (W,)
    # The A words that are still in the tree, where they start, their lengths and their nodes.
    words, nodes = np.arange(len(starts)), np.zeros(len(starts), dtype=np.intp)  # (A,), (A,)
    start, length = starts, ends - starts  # (A,), (A,)
    for depth in range(rule.height):
        place = start + depth  # (A,)
        behind = depth - length  # (A,)
        has_ended = behind >= 0
        if has_ended.any():
            # Behind a word comes its end, the symbol after it, and the text before it, backwards.
            # At the start of the first name, that is the end of the last one.
            place = np.where(behind > 1, start + 1 - behind, place - has_ended)
        read = np.where(behind == 0, END, symbols[place])  # (A,)
        wanted = nodes * len(rule.usual) + read  # (A,)
        edge = np.searchsorted(rule.edges, wanted)  # (A,)
        found = np.equal(rule.edges[edge], wanted)  # (A,)
        if not found.any():
            break
        words, start, length = words[found], start[found], length[found]  # (A,) each
        nodes = rule.nodes[edge[found]]  # (A,)
        says = rule.says[nodes]  # (A,)
        decides = says != _NONE
        shapes[words[decides]] = says[decides]
        if has_ended.any():
            # Nothing comes before the start of a name.
            goes_on = (behind[found] < 2) | (read[found] != END)
            words, start, length = words[goes_on], start[goes_on], length[goes_on]  # (A,) each
            nodes = nodes[goes_on]  # (A,)
    return np.where(shapes < 0, rule.usual[symbols[starts - 1]], shapes)


def _write_capitals(
    codes: NDArray[np.uint32],
    symbols: NDArray[np.unsignedinteger],
    starts: NDArray[np.intp],
    ends: NDArray[np.intp],
    shapes: NDArray[np.intp],
    rule: _Compiled,
) -> None:
    """Write the capitals of all words at once.

    Args:
        codes: (S,) the code points of the names, which are changed.
        symbols: (S,) the symbols of the names.
        starts: (W,) where the words start.
        ends: (W,) where they end.
        shapes: (W,) the indices of their shapes.
        rule: the rule.
    """
    place, sign = starts, np.zeros(len(starts), dtype=np.intp)  # (A,), (A,)
    while len(place):
        # Words are left out at their end, and when all that is left of them is small.
        is_left = (place < ends) & (rule.last_capital[shapes] >= sign)
        place, ends, shapes, sign = place[is_left], ends[is_left], shapes[is_left], sign[is_left]
        read = symbols[place]  # (A,)
        is_capital = rule.is_capital[shapes, np.minimum(sign, rule.is_capital.shape[1] - 1)]
        codes[place[is_capital]] = rule.capitals[read[is_capital]]
        place, sign = place + 1, sign + rule.is_cased[read]
