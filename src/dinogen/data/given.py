"""Names in memory: cleaned and refused like those of a file, by their place among the items."""

from collections.abc import Sequence
from typing import NamedTuple, NoReturn

from dinogen.data.cleaning import clean
from dinogen.data.lists import NameList
from dinogen.data.units import CHARACTER, Unit
from dinogen.data.visibility import StrayError
from dinogen.errors import CorpusError

_SHOWN = 40
"""The maximum number of symbols of a name that a message shows."""

_PLACE = "name"
"""The source in the messages of `clean`, which are "name, line 3: ..."."""


class GivenNames(NamedTuple):
    """Some items of a list in memory. A corpus can be read from them as from a file.

    Attributes:
        names: the names.
        first: the number of the first one among all items, from 1.
    """

    names: Sequence[str]
    first: int = 1

    def __str__(self) -> str:
        return "the given list"

    def read(self, unit: Unit = CHARACTER) -> NameList:
        """Clean the names; white space around them and empty ones are dropped.

        Args:
            unit: what a symbol is.

        Raises:
            CorpusError: for a name with a line end, and if `clean` refuses a name. The message has
                its number.
        """
        lines = [name.strip() for name in self.names]
        for number, line in enumerate(lines, start=self.first):
            if len(line.splitlines()) > 1:
                shown = line if len(line) <= _SHOWN else f"{line[: _SHOWN - 3]}..."
                raise CorpusError(
                    f"name {number}: {shown!r} has several lines; give each name as an item of its "
                    "own, or the path of a list"
                )
        try:
            # A blank line stands for an empty name, so that lines are counted like names.
            text = clean("".join(f"{line}\n" for line in lines), _PLACE, self.first, unit)
        except StrayError as error:
            problem = str(error).split("; ")[0]
            _refuse(f"{problem}; remove it")
        except CorpusError as error:
            _refuse(str(error).replace("put one name on each line", "give one name for each item"))
        return NameList(text, None, [])


def _refuse(message: str) -> NoReturn:
    """Raise the error for a name, from a message of `clean` about a line."""
    raise CorpusError(message.replace(f"{_PLACE}, line ", "name ", 1)) from None
