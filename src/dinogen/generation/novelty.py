"""Novelty: which names are new."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dinogen.data.sequences import Names, contains, digest
from dinogen.generation.stream import NameFilter


class Novelty:
    """Finds the new names, and remembers them so that none is new twice.

    It keeps eight bytes per name, in sorted arrays of digests. As in an LSM tree, the arrays are
    merged, so that only a logarithmic number of them remains.
    """

    def __init__(
        self,
        excluded: NDArray[np.uint64],
        *,
        allow_repeats: bool,
        filters: Sequence[NameFilter] = (),
    ) -> None:
        """Set up without any remembered name.

        Args:
            excluded: digests of names that are never new.
            allow_repeats: whether a name stays new after its first occurrence.
            filters: what else a new name must pass. They are asked last and in this order, because
                they take longer than a search for a digest.
        """
        self._excluded = np.sort(excluded)
        self._allow_repeats = allow_repeats
        self._filters = filters
        self._seen: list[NDArray[np.uint64]] = []

    def find_new(self, names: Names) -> NDArray[np.bool_]:
        """Return the (N,) mask of the new names, and remember them."""
        if self._allow_repeats and not len(self._excluded):
            return self._passed(names, np.ones(len(names), dtype=np.bool_))
        found = digest(names)  # (N,)
        allowed = ~contains(self._excluded, found)  # (N,)
        if self._allow_repeats:
            return self._passed(names, allowed)
        # np.unique does the same, but some versions of it spend 10 ms on importing masked arrays.
        order = np.argsort(found, kind="stable")  # (N,)
        ascending = found[order]  # (N,)
        differs = np.ones(len(found), dtype=np.bool_)
        np.not_equal(ascending[1:], ascending[:-1], out=differs[1:])
        distinct, first = ascending[differs], order[differs]  # (D,), (D,)
        new = allowed[first]  # (D,)
        for seen in self._seen:
            new &= ~contains(seen, distinct)
        mask = np.zeros(len(names), dtype=np.bool_)
        mask[first[new]] = True
        mask = self._passed(names, mask)
        new = mask[first]  # (D,)
        if new.any():
            self._remember(distinct[new])
        return mask

    def _passed(self, names: Names, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(N,) mask of the names in an (N,) mask that pass all filters."""
        for passes in self._filters:
            chosen = np.flatnonzero(mask)
            if len(chosen):
                mask[chosen] = passes(names.filter(mask))
        return mask

    def _remember(self, new: NDArray[np.uint64]) -> None:
        """Add sorted digests. Merges arrays until each is at least twice as long as the next."""
        while self._seen and len(self._seen[-1]) < 2 * len(new):
            new = np.concatenate([self._seen.pop(), new])
            new.sort(kind="stable")  # a merge, since both parts are sorted
        self._seen.append(new)
