"""Word shapes: where the capitals of a word are, and the tree that tells it from the word.

A shape is a pattern of capitals (X) and small letters (x), whose last sign holds for the rest of
the word: "Xx" is "Berg", "x" is "van", "X" is "USS", "XxXx" is "McDonald", "xXx" is "hUallacháin".

Most words have the usual shape: "Xx" after some symbols, "x" after the others. A tree over the
beginnings of words holds the rest. The deepest node that a word reaches decides, so "mc" speaks for
all words that begin so, and "mac" with the end of the word for "Mac" alone. Below the end of a word
come the symbol after it and the text before it, backwards, for words that the list writes in two
ways: "USS The Sullivans", but "Alfred the Great".
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate, groupby
from math import log2
from typing import NamedTuple

from dinogen.data.cleaning import MAX_NAME_LENGTH

MAX_SHAPES_SIZE = 100_000
"""The maximum size of a tree: the number of symbols in the texts and shapes of its nodes, plus the
number of nodes."""

USUAL = ""
"""The shape of a node whose words have the usual shape."""

ROUNDING = 1e-9
"""More than the rounding error of a sum of weights, which must not decide."""

_MIN_BITS = 8
"""How much evidence lets the beginning of a word decide otherwise than a shorter one: bits of the G
statistic."""

_MIN_WORDS = 2
"""How many different words of a shape let their common beginning decide for it."""


class WordShape(NamedTuple):
    """A node of the tree.

    Attributes:
        text: the beginning of a word, folded. A newline is the end of the word. After it come the
            symbol after the word and the text before the word, backwards; there, a newline is the
            end or the start of the name.
        shape: the shape of the words that reach the node; empty for the usual one.
    """

    text: str
    shape: str

    @property
    def size(self) -> int:
        """How much the node counts in the size of a tree."""
        return len(self.text) + len(self.shape) + 1


def usual_shape(before: str, capital_after: frozenset[str]) -> str:
    """Return the usual shape of a word after a symbol."""
    return "Xx" if before in capital_after else "x"


class Seen(NamedTuple):
    """How often a list has a word, or a word in a context, in one shape."""

    text: str
    shape: str
    times: int


class ShapeTree:
    """The tree while it grows from the root down. Nodes that decide like their parent are left out.

    Attributes:
        totals: how often the list has each word.
        contexts: the contexts of the words that it writes in several ways.
    """

    def __init__(self, totals: Mapping[str, int], contexts: Mapping[str, Sequence[Seen]]) -> None:
        self._totals = totals
        self._contexts = contexts
        self._nodes: dict[WordShape, int] = {}

    def nodes(self) -> tuple[WordShape, ...]:
        """Return the nodes that decide for the most words of the list, as many as are allowed."""
        ordered = sorted(self._nodes, key=lambda node: (-self._nodes[node], node))
        sizes = accumulate(node.size for node in ordered)
        return tuple(
            node for node, size in zip(ordered, sizes, strict=True) if size <= MAX_SHAPES_SIZE
        )

    def grow(
        self,
        seen: Sequence[Seen],
        depth: int = 0,
        shape: str = USUAL,
        above: Mapping[str, int] | None = None,
    ) -> None:
        """Grow the node of a beginning, and all nodes below it.

        Args:
            seen: the words that begin so, in order.
            depth: the length of the beginning.
            shape: the shape for which the nearest node above decides.
            above: the numbers of words by shape that begin like that node.
        """
        words = Counter(each for _, each, _ in seen)
        weights: defaultdict[str, float] = defaultdict(float)
        for word, each, times in seen:
            # New words resemble rare ones, so a word that occurs n times weighs 1 / n: "van" says
            # little about words like "Vandam".
            weights[each] += times / self._totals[word] ** 2
        text = seen[0].text[:depth]
        chosen = _choose(weights, shape)
        # A capital behind the beginning says nothing about words that go on in another way.
        if (
            chosen != shape
            and 2 * weights[chosen] > sum(weights.values()) + ROUNDING
            and (chosen == USUAL or (words[chosen] >= _MIN_WORDS and chosen.rfind("X") <= depth))
            and (above is None or _evidence(words, above) > _MIN_BITS - ROUNDING)
        ):
            self._add(text, chosen, seen)
            shape, above = chosen, words
        if above is None:
            above = words
        if set(words) == {shape} and self._contexts.keys().isdisjoint(each.text for each in seen):
            return
        ends = [each for each in seen if len(each.text) == depth]
        if ends:
            self._grow_end(f"{text}\n", self._contexts.get(text, ends), 0, shape)
        for _, group in groupby(seen[len(ends) :], key=lambda each: each.text[depth]):
            self.grow([*group], depth + 1, shape, above)

    def _grow_end(self, text: str, seen: Sequence[Seen], depth: int, shape: str) -> None:
        """Grow the node of a whole word, or of a word in a context, and all nodes below it.

        Args:
            text: the word with its end.
            seen: the contexts that begin alike, in order.
            depth: the length of this beginning.
            shape: the shape for which the nearest node above decides.
        """
        counts: Counter[str] = Counter()
        for _, each, times in seen:
            counts[each] += times
        chosen = _choose(counts, shape)
        if chosen != shape:
            self._add(text + seen[0].text[:depth], chosen, seen)
        longer = [each for each in seen if len(each.text) > depth]
        if set(counts) != {chosen}:
            for _, group in groupby(longer, key=lambda each: each.text[depth]):
                self._grow_end(text, [*group], depth + 1, chosen)

    def _add(self, text: str, shape: str, seen: Sequence[Seen]) -> None:
        """Add a node."""
        if len(text) <= MAX_NAME_LENGTH:
            times = sum(times for _, each, times in seen if each == shape)
            self._nodes[WordShape(text, shape)] = times


def _choose(weights: Mapping[str, float], shape: str) -> str:
    """Choose the shape of the greatest weight; in a tie, the given one or the usual one."""
    best = max(weights.values())
    tied = (each for each in weights if weights[each] > best - ROUNDING)
    return max(tied, key=lambda each: (each == shape, each == USUAL, each))


def _evidence(words: Mapping[str, int], above: Mapping[str, int]) -> float:
    """Compute the evidence that words have other shapes than all words above: the G statistic.

    Args:
        words: the numbers of words by shape.
        above: the same, of all words above.

    Returns:
        How many bits shorter the shapes are written with their own shares than with those above.
    """
    total, total_above = sum(words.values()), sum(above.values())
    return sum(
        count * log2(count / total * total_above / above[shape]) for shape, count in words.items()
    )
