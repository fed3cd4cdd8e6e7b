"""Names that are not taken, and never the same one twice."""

import numpy as np
from numpy.typing import NDArray

from dinogen.text.digests import contains, digests
from dinogen.text.names import Names


class Novelty:
    """Tells which names are new, and remembers those that it let pass.

    What it remembers is eight bytes a name: sorted runs of digests, each at least twice as long as
    the next one, so that all names ever let pass are looked up in a few.
    """

    def __init__(self, taken: NDArray[np.uint64], *, repeats: bool) -> None:
        """Begin with nothing let pass.

        Args:
            taken: digests of the names that are not new.
            repeats: whether a name may pass again.
        """
        self._taken = np.sort(taken)
        self._repeats = repeats
        self._runs: list[NDArray[np.uint64]] = []

    def passes(self, names: Names) -> NDArray[np.bool_]:
        """(N,) mask of the names that are new."""
        if self._repeats and not len(self._taken):
            return np.ones(len(names), dtype=np.bool_)
        found = digests(names)  # (N,)
        new = ~contains(self._taken, found)  # (N,)
        if self._repeats:
            return new
        # What np.unique does, which in some versions imports masked arrays for it, for 10 ms.
        order = np.argsort(found, kind="stable")  # (N,)
        ranked = found[order]  # (N,)
        differs = np.ones(len(found), dtype=np.bool_)
        np.not_equal(ranked[1:], ranked[:-1], out=differs[1:])
        distinct, first = ranked[differs], order[differs]  # (D,), (D,)
        fresh = new[first]  # (D,)
        for run in self._runs:
            fresh &= ~contains(run, distinct)
        if fresh.any():
            self._remember(distinct[fresh])
        passing = np.zeros(len(names), dtype=np.bool_)
        passing[first[fresh]] = True
        return passing

    def _remember(self, run: NDArray[np.uint64]) -> None:
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = np.concatenate([self._runs.pop(), run])
            run.sort(kind="stable")  # which merges what is in order already
        self._runs.append(run)
