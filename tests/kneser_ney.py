"""Interpolated Kneser-Ney n-grams over symbols, in dictionaries: the rival that the bench measures.

Kneser and Ney (1995), interpolated as in Chen and Goodman (1999), with one discount. A name begins
with a start symbol; a context that reaches it has nothing before it, and keeps its plain counts.
"""

from collections import defaultdict
from collections.abc import Sequence
from math import log

START = -1
Context = tuple[int, ...]
Counts = dict[Context, dict[int, int]]


class KneserNey:
    """p(w | h) = (c(hw) - D) / c(h) + D n(h) / c(h) p(w | h less its first symbol).

    c counts occurrences for the longest contexts, and for shorter ones the different symbols that
    come before them; n(h) is the number of different symbols after h. At the bottom stands 1 / V.
    """

    def __init__(self, names: Sequence[Sequence[int]], symbols: int, order: int) -> None:
        """Count.

        Args:
            names: indices, the end 0 of each included.
            symbols: V, the end included.
            order: n; contexts have at most n - 1 symbols.
        """
        self._symbols = symbols
        self._order = order
        seen: set[Context] = set()
        self.counts: Counts = defaultdict(lambda: defaultdict(int))
        for name in names:
            written = (START, *name)
            for end in range(1, len(written)):
                for length in range(min(order - 1, end) + 1):
                    start = end - length
                    context, symbol = written[start:end], written[end]
                    if length < order - 1 and context[:1] != (START,):
                        # A shorter context counts once for each different symbol before it.
                        longer = written[start - 1 : end + 1]
                        if longer in seen:
                            continue
                        seen.add(longer)
                    self.counts[context][symbol] += 1

    def probability(self, context: Context, symbol: int, discount: float) -> float:
        """p(symbol | context), the context cut to what the order allows."""
        p = 1 / self._symbols
        context = context[-(self._order - 1) :] if self._order > 1 else ()
        for start in range(len(context), -1, -1):
            following = self.counts.get(context[start:])
            if following is None:
                break
            total = sum(following.values())
            kept = max(following.get(symbol, 0) - discount, 0)
            p = (kept + discount * len(following) * p) / total
        return p

    def nats_per_symbol(self, names: Sequence[Sequence[int]], discount: float) -> float:
        """Mean -log p over all symbols of the names, their ends included."""
        nats, symbols = 0.0, 0
        for name in names:
            written = (START, *name)
            for end in range(1, len(written)):
                nats -= log(self.probability(written[:end], written[end], discount))
            symbols += len(name)
        return nats / symbols
