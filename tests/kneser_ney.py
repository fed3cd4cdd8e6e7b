"""Interpolated Kneser-Ney n-grams over symbols, in dictionaries, as the papers write them.

Kneser and Ney (1995), interpolated as in Chen and Goodman (1999). With one discount, they are the
baseline of the benchmark. With three (modified Kneser-Ney), they are the slow version of the
package's n-grams. A name begins with a start symbol. Nothing precedes a context that begins with
it, so that context keeps its plain counts. A running text begins behind the end of a line, which is
a symbol like all others wherever else it stands.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from math import log

START = -1
Context = tuple[int, ...]
Counts = dict[Context, dict[int, int]]
Discounts = tuple[float, float, float]


class KneserNey:
    """p(w | h) = (c(hw) - D(c(hw))) / c(h) + sum_v D(c(hv)) / c(h) p(w | h less its first symbol).

    For the longest contexts, c counts occurrences; for shorter ones, it counts the distinct symbols
    that precede. D(c) is one discount for all counts above 0, or one of three that depends on the
    count. The empty context backs off to 1 / V.
    """

    def __init__(
        self, names: Sequence[Sequence[int]], symbols: int, order: int, start: int = START
    ) -> None:
        """Count.

        Args:
            names: indices, the end 0 of each included; or running texts.
            symbols: V, the end included.
            order: n; contexts have at most n - 1 symbols.
            start: the symbol before each name; for running texts, the end 0 of a line.
        """
        self._symbols = symbols
        self._order = order
        self._start = start
        seen: set[Context] = set()
        self.counts: Counts = defaultdict(lambda: defaultdict(int))
        for name in names:
            written = (start, *name)
            for end in range(1, len(written)):
                for length in range(min(order - 1, end) + 1):
                    first = end - length
                    context, symbol = written[first:end], written[end]
                    if length < order - 1 and first > 0:
                        # A shorter context counts once for each distinct symbol before it.
                        longer = written[first - 1 : end + 1]
                        if longer in seen:
                            continue
                        seen.add(longer)
                    self.counts[context][symbol] += 1
        if start >= 0:
            # Every text begins behind the end of a line, so that it counts at least once.
            self.counts[()][start] = max(1, self.counts[()][start])

    @cached_property
    def discounts(self) -> list[Discounts]:
        """D(1), D(2) and D(3 and more), by the length of the context."""
        return [
            modified_discounts(
                count
                for context, following in self.counts.items()
                if len(context) == length
                for count in following.values()
            )
            for length in range(self._order)
        ]

    def probability(self, context: Context, symbol: int, discount: float | None = None) -> float:
        """p(symbol | context), with the context shortened to n - 1 symbols.

        Args:
            context: the symbols written so far.
            symbol: the symbol that follows.
            discount: at most 1; the modified discounts if left out.
        """
        p = 1 / self._symbols
        context = context[-(self._order - 1) :] if self._order > 1 else ()
        for start in range(len(context), -1, -1):
            following = self.counts.get(context[start:])
            if following is None:
                break
            D = self.discounts[len(context) - start] if discount is None else (discount,) * 3
            total = sum(following.values())
            left = sum(D[min(count, 3) - 1] for count in following.values())
            count = following.get(symbol, 0)
            kept = count - D[min(count, 3) - 1] if count else 0
            p = (kept + left * p) / total
        return p

    def nats_per_symbol(
        self, names: Sequence[Sequence[int]], discount: float | None = None
    ) -> float:
        """Return the mean of -log p over all symbols of the names, their ends included."""
        nats, symbols = 0.0, 0
        for name in names:
            written = (self._start, *name)
            for end in range(1, len(written)):
                nats -= log(self.probability(written[:end], written[end], discount))
            symbols += len(name)
        return nats / symbols


def modified_discounts(counts: Iterable[int]) -> Discounts:
    """Estimate D(1), D(2) and D(3 and more): Chen and Goodman (1999), equation 26.

    If no count is 1, 2, 3 or 4, each discount is half of the count. No discount is below 0.1, since
    equation 26 may leave nothing, or less, for unseen symbols.
    """
    n = [0, 0, 0, 0, 0]
    for count in counts:
        if count <= 4:
            n[count] += 1
    if not all(n[1:]):
        return 0.5, 1.0, 1.5
    y = n[1] / (n[1] + 2 * n[2])
    return (
        max(0.1, 1 - 2 * y * n[2] / n[1]),
        max(0.1, 2 - 3 * y * n[3] / n[2]),
        max(0.1, 3 - 4 * y * n[4] / n[3]),
    )
