"""Known names: those of the training lists, of which only digests are kept."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dinogen.data.bloom import BloomFilter
from dinogen.data.search import NearCopies
from dinogen.data.sequences import Names, contains, digest


class KnownList:
    """The names of one training list.

    Digests depend on the indices of the symbols. So names in another vocabulary are read in that of
    the list first.
    """

    def __init__(
        self,
        digests: NDArray[np.uint64],
        vocab_size: int,
        read: NDArray[np.unsignedinteger] | None = None,
    ) -> None:
        """Set up.

        Args:
            digests: (D,) sorted digests of the names.
            vocab_size: V, the size of the list's vocabulary.
            read: (U,) the list's index of each symbol of the names that are looked up, V for those
                that the list does not have; None if they are in the list's own vocabulary.
        """
        self._digests = digests
        self._vocab_size = vocab_size
        self._read = read

    def find(self, names: Names) -> NDArray[np.bool_]:
        """(N,) mask of the names that are in the list."""
        return contains(self._digests, digest(self._translate(names)))

    def near(self, names: Names) -> NDArray[np.bool_]:
        """(N,) mask of the names that are in the list, or one edit away from a name in it."""
        return self._near_copies.find(self._translate(names))

    def _translate(self, names: Names) -> Names:
        """Return names in the vocabulary of the list."""
        return names if self._read is None else Names(self._read[names.symbols], names.starts)

    @cached_property
    def _near_copies(self) -> NearCopies:
        # One more symbol: the unknown one, which an edit may delete or replace.
        return NearCopies(self._digests, self._vocab_size + 1)


class OriginNames:
    """The names that the origin of a model has learned from; about 2 % of others pass for them.

    Attributes:
        digests: the filter of their digests.
        read: (V + 1,) the origin's index of each symbol of the names that are looked up; the last
            one is for symbols that neither has.
    """

    def __init__(self, digests: BloomFilter, read: NDArray[np.uint32]) -> None:
        self.digests = digests
        self.read = read

    def find(self, names: Names) -> NDArray[np.bool_]:
        """(N,) mask of the names that the origin has learned from."""
        return self.digests.contains(digest(Names(self.read[names.symbols], names.starts)))

    def near(self, names: Names) -> NDArray[np.bool_]:
        """(N,) mask of the same names: those that are one edit away are not looked up."""
        return self.find(names)

    def translated(self, read: NDArray[np.unsignedinteger]) -> "OriginNames":
        """Return the same names, to be looked up in another vocabulary.

        Args:
            read: (U,) the index of each symbol of that vocabulary in the one until now, V for those
                that it does not have.
        """
        return OriginNames(self.digests, self.read[np.append(read, len(self.read) - 1)])


class KnownNames:
    """The names of any number of training lists.

    Attributes:
        lists: the lists.
    """

    def __init__(self, lists: Sequence[KnownList | OriginNames] = ()) -> None:
        self.lists = tuple(lists)

    def find(self, names: Names) -> NDArray[np.bool_]:
        """(N,) mask of the names that are in one of the lists."""
        mask = np.zeros(len(names), dtype=np.bool_)
        for each in self.lists:
            mask |= each.find(names)
        return mask

    def near(self, names: Names) -> NDArray[np.bool_]:
        """(N,) mask of the names that are known, or one edit away from a known name."""
        mask = np.zeros(len(names), dtype=np.bool_)
        for each in self.lists:
            mask |= each.near(names)
        return mask
