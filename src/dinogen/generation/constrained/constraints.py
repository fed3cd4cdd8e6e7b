"""Constraints on names, compiled into one automaton over the symbols of a model."""

from functools import reduce

from dinogen.data.case import CaseRule
from dinogen.data.cleaning import MAX_NAME_LENGTH
from dinogen.data.vocabulary import Vocabulary
from dinogen.errors import SettingError
from dinogen.generation.constrained.automata import Automaton, build_automaton, intersect, trim
from dinogen.generation.decoding import BOUNDS, Options, rules_automaton


def compile_constraints(
    options: Options, vocabulary: Vocabulary, case: CaseRule
) -> Automaton | None:
    """Build the automaton that accepts the names that satisfy the constraints.

    Args:
        options: the sampling options; `prefix`, `suffix`, `contains`, `pattern`, `min_length` and
            `max_length` are constraints.
        vocabulary: the symbols of the model.
        case: the rule by which the training names were folded. Texts are folded in the same way.

    Returns:
        The automaton; None without constraints.

    Raises:
        SettingError: for an unknown symbol, and if no name can satisfy the constraints. The
            message names the constraints.
    """
    compiler = _Compiler(vocabulary, case)
    parts: dict[str, Automaton] = {}
    if options.prefix:
        parts[f"prefix {options.prefix!r}"] = compiler.prefix(options.prefix)
    if options.suffix:
        parts[f"suffix {options.suffix!r}"] = compiler.suffix(options.suffix)
    for text in filter(None, options.contains):
        parts[f"contains {text!r}"] = compiler.contains(text)
    if options.pattern is not None:
        parts[f"pattern {options.pattern!r}"] = compiler.pattern(options.pattern)
    if options.min_length is not None:
        parts[f"min length {options.min_length}"] = compiler.min_length(options.min_length)
    if options.max_length is not None:
        parts[f"max length {options.max_length}"] = compiler.max_length(options.max_length)
    if not parts:
        return None
    whole = trim(reduce(intersect, parts.values(), rules_automaton(vocabulary)))
    if whole.is_empty:
        constraints = " and ".join(parts)
        raise SettingError(f"{constraints}: no name can satisfy this; relax the constraints")
    return whole


class _Compiler:
    """Builds the automaton of a single constraint."""

    def __init__(self, vocabulary: Vocabulary, case: CaseRule) -> None:
        self._vocabulary = vocabulary
        self._case = case
        self._symbols = range(1, len(vocabulary))  # all but the end

    def prefix(self, text: str) -> Automaton:
        """Accept names that begin with a text."""
        wanted = self._encode("prefix", self._case.fold_part(text, more_after=True))

        def next_states(matched: int) -> list[int | None]:
            if matched == len(wanted):
                return [None, *(matched for _ in self._symbols)]
            return [None, *(matched + 1 if s == wanted[matched] else None for s in self._symbols)]

        return build_automaton(0, next_states, lambda matched: matched == len(wanted))

    def suffix(self, text: str) -> Automaton:
        """Accept names that end with a text."""
        folded = self._case.fold_part(text, more_before=True)
        return self._search("suffix", folded, anywhere=False)

    def contains(self, text: str) -> Automaton:
        """Accept names that contain a text."""
        return self._search("contains", self._case.fold_part(text), anywhere=True)

    def min_length(self, length: int) -> Automaton:
        """Accept names of at least ``length`` symbols."""

        def next_states(written: int) -> list[int | None]:
            return [None, *(min(written + 1, length) for _ in self._symbols)]

        return build_automaton(0, next_states, lambda written: written == length)

    def max_length(self, length: int) -> Automaton:
        """Accept names of at most ``length`` symbols."""

        def next_states(written: int) -> list[int | None]:
            return [None, *(written + 1 if written < length else None for _ in self._symbols)]

        return build_automaton(0, next_states, lambda written: True)

    def pattern(self, text: str) -> Automaton:
        """Accept names that match a glob. A state is a set of positions in the glob."""
        items = self._parse(text)

        def skip_runs(positions: set[int]) -> frozenset[int]:
            # None stands for "*", which may match no symbol.
            for position, item in enumerate(items):
                if position in positions and item is None:
                    positions.add(position + 1)
            return frozenset(positions)

        def next_states(positions: frozenset[int]) -> list[frozenset[int] | None]:
            states: list[frozenset[int] | None] = [None]
            for symbol in self._symbols:
                reached = set()
                for position in positions:
                    if position == len(items):
                        continue
                    item = items[position]
                    if item is None:
                        reached.add(position)
                    elif symbol in item:
                        reached.add(position + 1)
                states.append(skip_runs(reached) if reached else None)
            return states

        return build_automaton(
            skip_runs({0}), next_states, lambda positions: len(items) in positions
        )

    def _search(self, option: str, text: str, *, anywhere: bool) -> Automaton:
        """Build the search automaton of a text (Knuth, Morris and Pratt 1977).

        A state is the number of symbols that match.

        Args:
            option: the name of the option, for messages.
            text: the text.
            anywhere: whether the text may occur anywhere, or only at the end of a name.
        """
        wanted = self._encode(option, text)
        # The transitions of the state to fall back to. It stands for the longest proper prefix of
        # the matched part that is also its suffix.
        row: list[int | None] = [None, *(0 for _ in self._symbols)]
        rows: list[list[int | None]] = []
        for matched, symbol in enumerate(wanted):
            fallback = row[symbol]
            rows.append([*row[:symbol], matched + 1, *row[symbol + 1 :]])
            row = rows[fallback or 0]
        rows.append([None, *(len(wanted) for _ in self._symbols)] if anywhere else row)
        return build_automaton(0, rows.__getitem__, lambda matched: matched == len(wanted))

    def _encode(self, option: str, text: str) -> list[int]:
        """Convert a folded text to indices."""
        _check_length(option, text, int(BOUNDS["max_length"][1]))
        try:
            return self._vocabulary.indices_of(text)
        except SettingError as error:
            raise SettingError(f"{option} {error}") from None

    def _parse(self, pattern: str) -> list[frozenset[int] | None]:
        """Parse a glob into items: a set of symbols, or None for ``*``."""
        _check_length("pattern", pattern, MAX_NAME_LENGTH)
        folded = self._case.fold_part(pattern)
        items: list[frozenset[int] | None] = []
        position = 0
        while position < len(folded):
            sign = folded[position]
            negated = folded.startswith(("!", "^"), position + 1)
            closing = folded.find("]", position + 2 + negated)
            if sign == "*":
                items += [None] if items[-1:] != [None] else []
            elif sign == "?":
                items.append(frozenset(self._symbols))
            elif sign == "[" and closing > 0:
                items.append(self._parse_set(pattern, folded[position + 1 : closing]))
                position = closing
            else:
                items.append(frozenset(self._encode(f"pattern {pattern!r}:", sign)))
            position += 1
        return items

    def _parse_set(self, pattern: str, inside: str) -> frozenset[int]:
        """Parse the text between brackets: symbols and ranges of symbols."""
        negated = inside.startswith(("!", "^"))
        rest = inside[negated:]
        chosen = set()
        while rest:
            first, last = rest[0], rest[0]
            if len(rest) > 2 and rest[1] == "-":
                last, rest = rest[2], rest[2:]
            rest = rest[1:]
            chosen |= {
                index
                for index, symbol in enumerate(self._vocabulary.symbols, start=1)
                if first <= symbol <= last
            }
        if negated:
            chosen = set(self._symbols) - chosen
        if not chosen:
            raise SettingError(
                f"pattern {pattern!r}: the model has no symbol of [{inside}]; "
                "use symbols of the training list"
            )
        return frozenset(chosen)


def _check_length(option: str, text: str, longest: int) -> None:
    """Refuse the text of an option if it is longer than a maximum."""
    if len(text) > longest:
        raise SettingError(
            f"{option}: {len(text):,} symbols, more than the maximum of {longest:,}; "
            "use a shorter text"
        )
