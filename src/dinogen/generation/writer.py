"""The writer: writes running text with a model, piece by piece."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import NamedTuple
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from dinogen.bounds import as_seed, check
from dinogen.data.case import CaseRule
from dinogen.data.marks import bound_symbols
from dinogen.data.sequences import END
from dinogen.data.vocabulary import Vocabulary
from dinogen.generation.decoding import Decoding, draw_symbols, reweight
from dinogen.generation.options import BOUNDS, DEFAULT_TEXT_OPTIONS, TextOptions
from dinogen.models.language_model import Array, LanguageModel, State, max_block_size
from dinogen.rng import Purpose, random_stream
from dinogen.threads import with_one_thread

_UNCHANGED = CaseRule.unchanged()

MAX_TEXTS = 32
"""The maximum number of texts in a block, which are written together."""

MAX_WAITING = 1 << 26
"""The maximum number of symbols that the texts of a block may have while they wait for the first
one, if there is more than one text in the block."""

_STEPS = 16
"""The number of steps between two pieces: few, because a reader of a slow model waits for them."""

_MAX_PIECE = 1 << 12
"""The maximum number of symbols in a piece."""

_MAX_CLUSTER = 64
"""The maximum number of symbols that wait for what they are combined with."""


class Total(NamedTuple):
    """What was written after the prompt.

    Attributes:
        nats: the negative log-likelihood of the written symbols, given the prompt, in the model
            itself: at temperature 1 and without truncation.
        symbols: how many symbols were written, as a reader counts them, see `TextOptions.length`.
    """

    nats: float
    symbols: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text. The pieces of a text, one after the other, are the text.

    Attributes:
        index: the number of the text, from 0.
        text: the symbols of the piece, at least one. The first piece begins with the prompt.
        total: what was written in the whole text, in its last piece; None in the others.
    """

    index: int
    text: str
    total: Total | None

    @property
    def is_last(self) -> bool:
        """Whether the text ends with this piece."""
        return self.total is not None


class Writer:
    """Writes running text with a model.

    Text i depends only on the model, the seed, i and the options. Blocks of 1, 2, 4, ... 32, 32,
    ... texts are written together; each block has a random stream of its own, and is always
    computed whole. The blocks of a model with a large vocabulary, and those of texts of more than 2
    million symbols, are smaller: the texts of a block that wait for the first one have at most
    `MAX_WAITING` symbols.

    A text begins with the same text of a smaller length, apart from the texts after the first one
    whose length makes their blocks smaller.

    Attributes:
        model: the model.
        vocabulary: its symbols.
        default: how symbols are drawn if no option says so. `Decoding.keep` has no effect.
        case: the case rule of the text, which says which apostrophes and spaces are the same.
    """

    def __init__(
        self,
        model: LanguageModel,
        vocabulary: Vocabulary,
        default: Decoding,
        case: CaseRule = _UNCHANGED,
    ) -> None:
        self.model = model
        self.vocabulary = vocabulary
        self.default = default
        self.case = case

    def write(
        self, n: int, seed: int | str, options: TextOptions = DEFAULT_TEXT_OPTIONS
    ) -> Iterator[Piece]:
        """Write texts, and yield them in order, each in pieces as soon as they are written.

        The last syllable of a prompt in Hangul is complete: no final consonant is added to it.

        Args:
            n: how many texts.
            seed: the random seed: a number, or a text (see `dinogen.bounds.as_seed`).
            options: the prompt, the length, and how symbols are drawn.

        Raises:
            SettingError: if a number is out of range, or for a symbol of the prompt that is not in
                the vocabulary.
        """
        check("n", n, BOUNDS)
        number = as_seed(seed)
        prompt = self.vocabulary.prompt(
            self.case.fold(normalize("NFC", options.prefix), self.vocabulary)
        )
        return with_one_thread(self._write(n, number, options, prompt))

    def _write(
        self, n: int, seed: int, options: TextOptions, prompt: Sequence[int]
    ) -> Iterator[Piece]:
        """Read the prompt, and write block after block."""
        largest = min(MAX_TEXTS, max_block_size(self.model.vocab_size))
        while largest > 1 and largest * options.length > MAX_WAITING:
            largest //= 2
        decoding = options.decoding(self.default)
        begun, forbidden = self._read(prompt), self._forbidden(prompt)
        first, size = 0, 1
        # More threads would not help: the steps are too short to run side by side.
        for block in count():
            if first >= n:
                return
            random = random_stream(seed, Purpose.SAMPLE, block)
            rows = _Rows(self.model, random, size, decoding, begun, forbidden)
            indices = range(first, min(first + size, n))
            texts = [_Text(i, prompt, options.length, self._speller) for i in indices]
            yield from _write_together(rows, texts)
            first, size = first + size, min(2 * size, largest)

    def _read(self, prompt: Sequence[int]) -> tuple[State, Array]:
        """Return the state after the prompt, and the (1, V) probabilities of the next symbol."""
        state, p = self.model.begin(1)
        for symbol in prompt:
            state, p = self.model.advance(state, np.array([symbol]))
        return state, p

    def _forbidden(self, prompt: Sequence[int]) -> NDArray[np.bool_] | None:
        """(V,) mask of what would change the last syllable of the prompt; None if nothing would."""
        _, vowels, finals = self._speller.letters
        return finals if prompt and vowels[prompt[-1]] and finals.any() else None

    @cached_property
    def _speller(self) -> "_Speller":
        """How symbols are written."""
        return _Speller(self.vocabulary)


def _write_together(rows: "_Rows", texts: "Sequence[_Text]") -> Iterator[Piece]:
    """Write the texts of the first rows. Only the first unfinished text is yielded at a time."""
    current = 0
    while current < len(texts):
        running = [(row, text) for row, text in enumerate(texts) if not text.is_done]
        symbols, likely = rows.draw(min(_STEPS, max(text.missing for _, text in running)))
        for row, text in running:
            text.add(symbols[:, row], likely[:, row])
        while current < len(texts):
            yield from texts[current].pieces()
            if not texts[current].is_done:
                break
            current += 1


class _Rows:
    """N texts that a model writes together. A row never ends, so no row depends on another."""

    def __init__(
        self,
        model: LanguageModel,
        random: np.random.Generator,
        size: int,
        decoding: Decoding,
        begun: tuple[State, Array],
        forbidden: NDArray[np.bool_] | None,
    ) -> None:
        """Begin all rows alike.

        Args:
            model: the model.
            random: the random stream of the block.
            size: N.
            decoding: how symbols are drawn.
            begun: the state of one row after the prompt, and the (1, V) probabilities of the next
                symbol. They are copied.
            forbidden: (V,) mask of the symbols that are not drawn first; None for none.
        """
        state, p = begun
        self._model = model
        self._random = random
        self._size = size
        self._decoding = decoding
        self._forbidden = forbidden
        self._state = model.select(state, np.zeros(size, dtype=np.intp))
        self._p = np.repeat(p, size, axis=0)  # (N, V)
        self._last: NDArray[np.intp] | None = None  # (N,) the symbols that were drawn last

    def draw(self, steps: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Draw T symbols for each row.

        Returns:
            (T, N) the symbols, and (T, N) their probabilities in the model.
        """
        shape = (steps, self._size)
        symbols, likely = np.empty(shape, dtype=np.intp), np.empty(shape)  # (T, N), (T, N)
        uniform = self._random.random(shape, dtype=np.float32)  # (T, N)
        rows = np.arange(self._size)  # (N,)
        state, p, last = self._state, self._p, self._last
        for step in range(steps):
            if last is not None:
                state, p = self._model.advance(state, last)  # (N, V)
            allowed = p if self._forbidden is None else np.where(self._forbidden, 0, p)
            last = draw_symbols(reweight(allowed, self._decoding), uniform[step])  # (N,)
            self._forbidden = None
            symbols[step] = last
            likely[step] = p[rows, last]
        self._state, self._p, self._last = state, p, last
        return symbols, likely


class _Text:
    """A text, of which the symbols that are not yielded yet are kept.

    Attributes:
        is_done: whether all symbols are written.
    """

    def __init__(self, index: int, prompt: Sequence[int], length: int, speller: "_Speller") -> None:
        self.is_done = False
        self._index = index
        self._length = length
        self._speller = speller
        # A bytearray grows, and loses what was yielded, without copies of all of it.
        self._waiting = bytearray(np.array(prompt, dtype=speller.dtype).tobytes())
        self._before = END  # the last symbol that was yielded
        self._last_two = np.array([END, END, *prompt[-2:]], dtype=np.intp)[-2:]  # (2,)
        self._nats = 0.0
        self._count = 0

    @property
    def missing(self) -> int:
        """The minimum number of symbols until the text is done."""
        # A syllable is done when another symbol begins.
        return self._length - self._count + self._speller.has_syllables

    def add(self, symbols: NDArray[np.intp], likely: NDArray[np.float64]) -> None:
        """Add the (T,) next symbols, with their (T,) probabilities. Symbols too many are left out.

        The text is done when the next symbol would be one too many.
        """
        if self._speller.has_syllables:
            symbols_and_two = np.concatenate([self._last_two, symbols])  # (T + 2,)
            counted = self._count + np.cumsum(~self._speller.continues(symbols_and_two))  # (T,)
            kept = int(np.count_nonzero(counted <= self._length))
            self._count = min(int(counted[-1]), self._length)
            self._last_two = symbols_and_two[-2:]
            self.is_done = kept < len(symbols)
        else:
            kept = min(len(symbols), self._length - self._count)
            self._count += kept
            self.is_done = self._count == self._length
        self._nats -= float(np.log(likely[:kept]).sum())
        self._waiting += symbols[:kept].astype(self._speller.dtype).tobytes()

    def pieces(self) -> Iterator[Piece]:
        """Yield what can be read so far."""
        dtype = np.dtype(self._speller.dtype)
        while self._waiting:
            symbols = np.frombuffer(bytes(self._waiting[: _MAX_PIECE * dtype.itemsize]), dtype)
            is_last = self.is_done and symbols.nbytes == len(self._waiting)
            if not is_last:
                symbols = symbols[: self._speller.complete(symbols)]
            if not len(symbols):
                return
            del self._waiting[: symbols.nbytes]
            text = self._speller.write(symbols, self._before)
            self._before = int(symbols[-1])
            yield Piece(self._index, text, Total(self._nats, self._count) if is_last else None)


class _Speller:
    """How the symbols of a vocabulary are written in pieces.

    Attributes:
        dtype: the smallest type that holds every symbol.
        letters: (V,) masks of the initial consonants, vowels and final consonants of Hangul.
        has_syllables: whether several symbols can be one for a reader.
        write: writes symbols as text, see `Vocabulary.write_text`.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.dtype = vocabulary.dtype
        self.letters = (vocabulary.initials, vocabulary.vowels, vocabulary.finals)
        self.has_syllables = bool(vocabulary.continuing)
        self.write = vocabulary.write_text
        self._joins = bound_symbols(vocabulary)[0] | vocabulary.vowels | vocabulary.finals  # (V,)
        self._any_joins = bool(self._joins.any())

    def continues(self, symbols: NDArray[np.intp]) -> NDArray[np.bool_]:
        """(T,) mask of the letters that are part of the syllable of a letter before.

        A vowel that follows an initial consonant is, and a final consonant that follows both. A
        reader sees any other letter alone, and counts it.

        Args:
            symbols: (T + 2,) the symbols, after the two before them.
        """
        initial, vowel, final = (mask[symbols] for mask in self.letters)  # (T + 2,) each
        begun = vowel[1:] & initial[:-1]  # (T + 1,)
        result: NDArray[np.bool_] = begun[1:] | (final[2:] & begun[:-1])
        return result

    def complete(self, symbols: NDArray[np.unsignedinteger]) -> int:
        """Return how many of (S,) symbols can be written before the next one is known.

        The others are a syllable, or a symbol with its marks, to which the next one may belong.
        """
        if not self._any_joins:
            return len(symbols)
        starts = np.flatnonzero(~self._joins[symbols])  # the symbols that begin a cluster
        last = int(starts[-1]) if len(starts) else 0
        # A cluster without an end is cut.
        return last if len(symbols) - last <= _MAX_CLUSTER else len(symbols) - 1
