"""The alphabet of constraints: the classes of symbols that are the same, and texts written in it.

A syllable without a final consonant is complete: the text "피" is not the beginning of "핀". So a
Hangul vowel has two classes: one at the end of a syllable, and an open one before a final
consonant. An automaton over classes is built as if they could be read one by one. `Alphabet.expand`
turns it into one over symbols, which remembers a vowel until the next symbol decides.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dinogen.data.case import CaseRule
from dinogen.data.hangul import is_final, is_initial, is_vowel, letter_forms
from dinogen.data.sequences import END, Names
from dinogen.data.vocabulary import Vocabulary
from dinogen.errors import SettingError
from dinogen.generation.constrained.automata import TOO_COMPLEX, Automaton

MAX_READINGS = 1_000
"""The maximum number of sequences of classes that one text may stand for."""

Classes = tuple[int, ...]


class Alphabet:
    """The classes of the symbols of a model, numbered after `END`.

    Attributes:
        vocabulary: the symbols of the model.
        numbers: (V,) the class of each symbol; of a vowel, the one at the end of a syllable.
        opened: (C,) the open class of the class of a vowel; for other classes, the class itself.
    """

    def __init__(self, vocabulary: Vocabulary, case: CaseRule) -> None:
        self.vocabulary = vocabulary
        self._case = case
        self._number: dict[str, int] = {}  # of each key
        keys = [case.key(symbol) for symbol in vocabulary.symbols]
        found = [self._number.setdefault(key, len(self._number) + 1) for key in keys]
        self.numbers = np.array([END, *found], dtype=np.uint32)  # (V,)
        vowels = self.numbers[vocabulary.vowels]
        closed = len(self._number) + 1
        self.opened = np.arange(closed + len(vowels))  # (C,)
        self.opened[vowels] = closed + np.arange(len(vowels))

    def __len__(self) -> int:
        """C: the number of classes, the end included."""
        return len(self.opened)

    @property
    def continuing(self) -> NDArray[np.intp]:
        """The classes of the symbols that do not count in the length of a name."""
        closed = self.numbers[self.vocabulary.vowels]
        finals = self.numbers[self.vocabulary.finals]
        return np.concatenate([closed, self.opened[closed], finals]).astype(np.intp)

    def number(self, symbol: str) -> int | None:
        """Return the class of a symbol; None if the vocabulary has none of the class."""
        return self._number.get(self._case.key(symbol))

    def rank(self, symbol: str) -> str:
        """Return a symbol that stands for a symbol in the order of code points."""
        # Keys of more than one symbol, as of "ß", have no place in the order.
        key = self._case.key(symbol)
        return key if len(key) == 1 else symbol.lower() if len(symbol.lower()) == 1 else symbol

    # Texts.

    def read(self, text: str) -> list[Classes]:
        """Return the sequences of classes that a text stands for.

        In a list with Hangul syllables, a letter that is typed alone stands for the initial, the
        vowel or the final of its form, as far as its neighbours make a syllable with it.

        Raises:
            SettingError: for an unknown symbol, and for too many sequences.
        """
        symbols = self.vocabulary.unit.split(text)
        if self.vocabulary.continuing or self.vocabulary.initials.any():
            return self._read_letters(symbols)
        return [tuple(self._known(symbol, self.number(symbol)) for symbol in symbols)]

    def possible(self, texts: Iterable[str]) -> dict[str, list[Classes]]:
        """Read the texts that a name can contain: not empty, without an unknown symbol."""
        found = {}
        for text in texts:
            try:
                found[text] = [classes for classes in self.read(text) if classes]
            except UnknownSymbolError:
                continue
        return {text: readings for text, readings in found.items() if readings}

    def _known(self, symbol: str, number: int | None) -> int:
        """Return a class; refuses None, which means that no symbol of the model is the same."""
        if number is None:
            raise UnknownSymbolError(self.vocabulary.unknown_symbol(symbol))
        return number

    def _read_letters(self, symbols: Sequence[str]) -> list[Classes]:
        """Read a text with letters of syllables."""
        found: list[tuple[_Letter, ...]] = [()]
        for i, symbol in enumerate(symbols):
            letters = [*self._letters(symbol)]
            if not letters:
                self._known(symbol, None)
            if i and is_vowel(symbol) and is_initial(symbols[i - 1]):  # a whole syllable
                is_open = any(map(is_final, symbols[i + 1 : i + 2]))
                letters = [letter for letter in letters if letter.is_open == is_open]
            found = [
                (*start, letter)
                for start in found
                for letter in letters
                if not start or letter.may_follow(start[-1])
            ]
            if len(found) > MAX_READINGS:
                raise SettingError(TOO_COMPLEX)
        return [tuple(letter.number for letter in letters) for letters in found]

    def _letters(self, symbol: str) -> Iterator["_Letter"]:
        """Yield what a symbol of a text may be in a name."""
        forms = letter_forms(symbol)
        for form in (symbol, *forms):
            number = self.number(form)
            if number is not None:
                yield _Letter(form, number, is_open=False, is_typed=bool(forms))
                if is_vowel(form):
                    opened = int(self.opened[number])
                    yield _Letter(form, opened, is_open=True, is_typed=bool(forms))

    # Names and automata.

    def classify(self, names: Names) -> Names:
        """Convert the symbols of names to classes."""
        classes = self.numbers[names.symbols]  # (S,)
        if self.vocabulary.continuing:
            vowels, finals = self.vocabulary.vowels, self.vocabulary.finals  # (V,), (V,)
            is_open = np.flatnonzero(vowels[names.symbols[:-1]] & finals[names.symbols[1:]])
            classes[is_open] = self.opened[classes[is_open]]
        return Names(classes, names.starts)

    def expand(self, automaton: Automaton) -> Automaton:
        """Convert an automaton over classes to one over symbols."""
        by_class, accepts = automaton  # (Q, C), (Q,)
        transitions = by_class[:, self.numbers]  # (Q, V)
        finals = self.vocabulary.finals  # (V,)
        opened = by_class[:, self.opened[self.numbers]]  # (Q, V) the next state if a final follows
        # After these states and vowels, the next symbol decides. P pairs become new states.
        states, vowels = np.nonzero(transitions != opened)  # (P,), (P,)
        closed_next, open_next = transitions[states, vowels], opened[states, vowels]  # (P,) each
        transitions[states, vowels] = len(accepts) + np.arange(len(states))
        waiting = np.where(finals, transitions[open_next], transitions[closed_next])  # (P, V)
        accepts = np.concatenate([accepts, accepts[closed_next]])
        return Automaton(np.concatenate([transitions, waiting]), accepts)


class UnknownSymbolError(SettingError):
    """A symbol of a text is not in the vocabulary."""


class _Letter(NamedTuple):
    """A symbol in a sequence of classes.

    Attributes:
        symbol: the symbol.
        number: its class.
        is_open: whether it is a vowel before a final consonant.
        is_typed: whether it stands for a compatibility letter.
    """

    symbol: str
    number: int
    is_open: bool
    is_typed: bool

    def may_follow(self, before: "_Letter") -> bool:
        """Tell whether a name can have this symbol after another one."""
        follows_open = is_final(self.symbol) == before.is_open
        if is_vowel(before.symbol) or before.is_open:
            return follows_open
        if not (self.is_typed or before.is_typed):
            return True  # letters without a syllable, as they are written
        return follows_open and is_vowel(self.symbol) == is_initial(before.symbol)
