"""Capitals: where a list has them. New names get their capitals in the same places."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping

from dinogen.data.letters import is_cased, is_letter, script_of, scripts_with_case, symbol_class
from dinogen.data.shapes import ROUNDING, USUAL, Seen, ShapeTree, WordShape, usual_shape

_MAX_NAMES = 50_000
"""About how many names of a list are used. A million would take half a minute."""

_CHUNK = 1 << 20
"""The number of symbols that are split into names at a time."""


def learn_capitals(
    text: str, fold: Callable[[str], str]
) -> tuple[frozenset[str], tuple[WordShape, ...]]:
    """Learn where the capitals of a list are.

    Args:
        text: the list, with one name per line. From a very long one, names are taken evenly.
        fold: folds a text, symbol by symbol.

    Returns:
        The symbols after which a word usually begins with a capital, where a newline stands for the
        start of a name; and the nodes of the tree, the most frequent ones first.
    """
    text = _subsample(text)
    # A word, and the symbol before it.
    finder = re.compile(f"(?s)(.)({symbol_class(filter(is_letter, set(text)))}+)")
    found: Counter[tuple[str, str]] = Counter(finder.findall(f"\n{text}"))
    if not found:
        return frozenset(), ()
    words = sorted({word for _, word in found})
    joined = "\n".join(words)
    small = dict(zip(words, fold(joined).split("\n"), strict=True))
    signs = zip(words, joined.translate(_signs(set(text))).split("\n"), strict=True)
    # The shapes of the words with capitals or small letters.
    shapes = {word: _shorten(pattern) for word, pattern in signs if pattern}
    occurrences = [
        (before, word, count) for (before, word), count in sorted(found.items()) if word in shapes
    ]

    totals: Counter[str] = Counter()
    for _, word, count in occurrences:
        totals[small[word]] += count
    balance: defaultdict[str, float] = defaultdict(float)
    for before, word, count in occurrences:
        sign = 1 if shapes[word].startswith("X") else -1
        balance[before] += sign * count / totals[small[word]] ** 2
    capital_after = frozenset(before for before, weight in balance.items() if weight > ROUNDING)

    def shape_of(before: str, word: str) -> str:
        return USUAL if shapes[word] == usual_shape(before, capital_after) else shapes[word]

    seen: Counter[tuple[str, str]] = Counter()
    for before, word, count in occurrences:
        seen[small[word], shape_of(before, word)] += count
    if all(shape == USUAL for _, shape in seen):
        return capital_after, ()
    forms = Counter(word for word, _ in seen)
    # Small words that begin no name: a new name that begins with one still begins with a capital.
    first = {small[word] for before, word, _ in occurrences if before == "\n"}
    inner = {word for word, shape in seen if shape.startswith("x")} - first
    if "\n" not in capital_after:
        inner = set()
    wanted = {word for word in shapes if forms[small[word]] > 1 or small[word] in inner}
    contexts: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for name, folded in _names_with(wanted, text, finder, fold):
        for match in finder.finditer(name):
            if match[2] in wanted:
                context = folded[match.end()] + folded[: match.start(2)][::-1]
                contexts[small[match[2]]][context, shape_of(*match.groups())] += 1
    for word in inner:
        for after in {each[0] for each, shape in contexts[word] if shape.startswith("x")}:
            contexts[word][f"{after}\n", USUAL] += 1
    tree = ShapeTree(totals, {word: _sorted(counts) for word, counts in contexts.items()})
    tree.grow(_sorted(seen))
    return capital_after, tree.nodes()


def _signs(symbols: set[str]) -> dict[int, str]:
    """Return the sign of each symbol in a shape: X, x, or none if it has no case in the list."""
    scripts = scripts_with_case(symbols)
    signs = {ord(symbol): "" for symbol in symbols - {"\n"}}
    for symbol in filter(is_cased, symbols):
        if script_of(symbol) in scripts:
            signs[ord(symbol)] = "x" if symbol == symbol.lower() else "X"
    return signs


def _shorten(pattern: str) -> str:
    """Shorten the pattern of a word to its shape."""
    # A single capital is the beginning of a word like any other.
    return pattern.rstrip(pattern[-1]) + pattern[-1] if pattern != "X" else "Xx"


def _sorted(counts: Mapping[tuple[str, str], int]) -> list[Seen]:
    """Return counts in the order of their texts."""
    return [Seen(text, shape, count) for (text, shape), count in sorted(counts.items())]


def _subsample(text: str) -> str:
    """Return at most about `_MAX_NAMES` names of a list, evenly spaced."""
    step = -(-text.count("\n") // _MAX_NAMES)
    if step < 2:
        return text
    kept = []
    start = 0
    while start < len(text):  # in chunks, because a million texts take much memory
        end = text.find("\n", start + _CHUNK) + 1 or len(text)
        kept += text[start:end].split("\n")[:-1:step]
        start = end
    return "".join(f"{name}\n" for name in kept)


def _names_with(
    words: set[str], text: str, finder: re.Pattern[str], fold: Callable[[str], str]
) -> Iterator[tuple[str, str]]:
    """Yield the names with one of these words, as written and folded, between newlines."""
    if not words:
        return
    names = [
        name
        for name in text.split("\n")
        if not words.isdisjoint(word for _, word in finder.findall(f"\n{name}"))
    ]
    for name, folded in zip(names, fold("\n".join(names)).split("\n"), strict=True):
        yield f"\n{name}\n", f"\n{folded}\n"
