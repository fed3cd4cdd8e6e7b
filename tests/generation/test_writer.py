"""The writer: the distribution of running text, its blocks, its pieces and its spelling."""

import sys
import tracemalloc
from collections.abc import Iterator, Sequence
from itertools import chain, cycle, islice, product
from typing import Any
from unicodedata import combining, normalize

import numpy as np
import pytest
from numpy.typing import NDArray

from dinogen.data import WORD, Texts, Vocabulary
from dinogen.errors import SettingError
from dinogen.generation import (
    Decoding,
    Options,
    Piece,
    TextOptions,
    Writer,
    draw_symbols,
    reweight,
)
from dinogen.models import LanguageModel, Mixture, Network, NGram, count
from dinogen.rng import Purpose, random_stream
from dinogen.threads import one_thread
from tests.chance import chi_square
from tests.literal import forward_backward
from tests.networks import as_columns, random_network

LETTERS = Vocabulary(["a", "b"])
HANGUL = Vocabulary.of("한국 말이다e\u0301\n")
FREE = Decoding()


class Parrot:
    """A model that repeats a sequence of symbols, almost surely.

    Its state is the number of symbols that each text has read.

    Attributes:
        vocab_size: V.
        reads: how often it has read a symbol.
        sizes: the number of rows of each selection.
    """

    def __init__(self, vocab_size: int, symbols: Sequence[int]) -> None:
        self.vocab_size = vocab_size
        self.reads = 0
        self.sizes: list[int] = []
        self._symbols = np.array(symbols)

    def begin(self, n: int) -> tuple[Any, NDArray[np.floating]]:
        """See `LanguageModel.begin`."""
        state = self.blank(n)
        return state, self._next(state)

    def blank(self, n: int) -> Any:
        """See `LanguageModel.blank`."""
        return np.zeros(n, dtype=np.int64)

    def advance(self, state: Any, symbols: Any) -> tuple[Any, NDArray[np.floating]]:
        """See `LanguageModel.advance`."""
        self.reads += 1
        assert len(state) == len(symbols)
        return state + 1, self._next(state + 1)

    def select(self, state: Any, rows: Any) -> Any:
        """See `LanguageModel.select`."""
        self.sizes.append(len(rows))
        return state[rows]

    def _next(self, state: NDArray[np.int64]) -> NDArray[np.floating]:
        p = np.full((len(state), self.vocab_size), 1e-30, dtype=np.float32)
        p[np.arange(len(state)), self._symbols[state % len(self._symbols)]] = 1
        return p


class Uniform(Parrot):
    """A model for which all symbols are equally likely: it writes impossible syllables."""

    def _next(self, state: NDArray[np.int64]) -> NDArray[np.floating]:
        return np.full((len(state), self.vocab_size), 1 / self.vocab_size, dtype=np.float32)


def parrot(vocabulary: Vocabulary, text: str) -> Parrot:
    """Build a model that repeats a text."""
    return Parrot(len(vocabulary), vocabulary.prompt(text))


@pytest.fixture(scope="module")
def network() -> Network:
    """A network of two letters and the end of a line."""
    return random_network(3, 4, seed=11, dtype=np.float32)


@pytest.fixture(scope="module")
def mixture() -> Mixture:
    """A network and n-grams of two letters, spaces and line ends, as a trained model has them."""
    text = "ab ba\nbb a\n\nab ab ba\n" * 3
    symbols = Vocabulary.of(text).encode_text(text)
    levels = count(Texts(symbols, np.array([0, len(symbols)])), 4, 3)
    network = random_network(4, 20, seed=3, dtype=np.float32, cell="gru", scale=0.5)
    return Mixture({"network": network, "ngram": NGram.from_counts(levels, 4)})


SPACED = Vocabulary([" ", "a", "b"])


def write(
    model: LanguageModel,
    n: int,
    seed: int = 1,
    *,
    vocabulary: Vocabulary = LETTERS,
    decoding: Decoding = FREE,
    **options: Any,
) -> list[str]:
    """Write whole texts."""
    texts = [""] * n
    for piece in Writer(model, vocabulary, decoding).write(n, seed, TextOptions(**options)):
        texts[piece.index] += piece.text
    return texts


def literal_logits(p: dict[str, np.ndarray], written: Sequence[int], V: int) -> list[float]:
    """Compute the log probability of each symbol after others, by the literal loops."""
    a0 = np.zeros((len(p["b"]), 1))
    read = [0, *written]
    losses = [forward_backward(p, read, [*written, s], a0).loss for s in range(V)]
    before = forward_backward(p, read[:-1], written, a0).loss if len(written) else 0.0
    return [before - loss for loss in losses]


# Distribution.


@pytest.mark.parametrize(
    ("temperature", "top_k", "prefix"), [(1.0, None, ""), (0.6, None, "b\n"), (1.5, 2, "ab")]
)
def test_texts_have_the_distribution_of_the_model(
    network: Network, temperature: float, top_k: int | None, prefix: str
) -> None:
    """The frequencies of 3,000 texts fit the enumerated ones. Line ends are symbols like others."""
    p, length, n = as_columns(network), 3, 3_000
    prompt = LETTERS.prompt(prefix)
    steps: dict[tuple[int, ...], NDArray[np.float64]] = {}
    for before in chain.from_iterable(product(range(3), repeat=k) for k in range(length)):
        logits = np.array(literal_logits(p, [*prompt, *before], 3))
        if top_k is not None:
            logits[logits < np.sort(logits)[-top_k]] = -np.inf
        weights = np.exp((logits - logits.max()) / temperature)
        steps[before] = weights / weights.sum()
    chances = {}
    for text in product(range(3), repeat=length):
        chance = np.prod([steps[text[:k]][text[k]] for k in range(length)])
        if chance:
            chances[prefix + "".join("\nab"[symbol] for symbol in text)] = float(chance)
    found = write(network, n, temperature=temperature, top_k=top_k, prefix=prefix, length=length)
    assert set(found) <= set(chances)
    assert any("\n" in text[len(prefix) :] for text in found)
    statistic, freedom = chi_square(found, chances)
    # Four standard deviations. The variance of chi-square is twice its degrees of freedom.
    assert statistic < freedom + 4 * (2 * freedom) ** 0.5 + 4


def test_a_top_k_of_1_gives_the_likeliest_symbols(network: Network) -> None:
    """So does a temperature near 0. They are those of the literal loops."""
    p, written = as_columns(network), LETTERS.prompt("ba")
    for _ in range(25):
        written.append(int(np.argmax(literal_logits(p, written, 3))))
    wanted = "".join("\nab"[symbol] for symbol in written)
    assert set(write(network, 3, prefix="ba", top_k=1, length=25)) == {wanted}
    assert set(write(network, 3, prefix="ba", temperature=1e-6, length=25)) == {wanted}


@pytest.mark.parametrize("decoding", [Decoding(), Decoding(0.7, top_p=0.9), Decoding(min_p=0.2)])
def test_texts_are_drawn_from_the_streams_of_their_blocks(
    mixture: Mixture, decoding: Decoding
) -> None:
    """Block b has 2^min(b, 5) rows, and a loop of `draw_symbols` over all of them draws them."""
    wanted = []
    for block, size in enumerate([1, 2, 4, 8, 16, 32, 32]):
        random = random_stream(7, Purpose.SAMPLE, block)
        state, p = mixture.begin(size)
        written = []
        for _ in range(40):
            uniform = random.random(size, dtype=np.float32)
            written.append(draw_symbols(reweight(p, decoding), uniform))
            state, p = mixture.advance(state, written[-1])
        wanted += ["".join("\n ab"[s] for s in row) for row in np.stack(written, axis=1).tolist()]
    found = write(mixture, len(wanted), 7, vocabulary=SPACED, decoding=decoding, length=40)
    assert found == wanted


@pytest.mark.parametrize("prefix", ["", "ab\na"])
def test_nats_are_those_of_the_model_itself(network: Network, prefix: str) -> None:
    """They do not depend on the decoding. The prompt does not count."""
    p, prompt = as_columns(network), LETTERS.prompt(prefix)
    options = TextOptions(prefix=prefix, length=20, temperature=0.5, top_k=2)
    pieces = [*Writer(network, LETTERS, FREE).write(3, 1, options)]
    for index in range(3):
        whole = LETTERS.prompt("".join(piece.text for piece in pieces if piece.index == index))
        wanted = -sum(
            literal_logits(p, whole[:k], 3)[whole[k]] for k in range(len(prompt), len(whole))
        )
        (total,) = (piece.total for piece in pieces if piece.index == index and piece.total)
        assert total.nats == pytest.approx(wanted, rel=1e-4)
        assert total.symbols == 20


# What a text depends on.


@pytest.mark.parametrize("n", [1, 2, 3, 5, 40])
def test_n_changes_no_text(mixture: Mixture, n: int) -> None:
    """The texts for a small n are the first texts for a large n, and all of them differ."""
    many = write(mixture, 70, vocabulary=SPACED, prefix="a", length=30)
    assert len(set(many)) == 70
    assert write(mixture, n, vocabulary=SPACED, prefix="a", length=30) == many[:n]
    assert many[0] != write(mixture, 1, 2, vocabulary=SPACED, prefix="a", length=30)[0]


@pytest.mark.parametrize("length", [1, 15, 16, 17, 32, 39])
def test_a_text_begins_with_the_shorter_one(mixture: Mixture, length: int) -> None:
    """Text i of a length begins with text i of a smaller length."""
    long = write(mixture, 5, vocabulary=SPACED, prefix="b\n", length=40)
    short = write(mixture, 5, vocabulary=SPACED, prefix="b\n", length=length)
    assert short == [text[: 2 + length] for text in long]


@pytest.mark.parametrize("length", [1, 2, 7, 16, 29])
def test_a_text_of_syllables_begins_with_the_shorter_one(length: int) -> None:
    """That holds for syllables, too, though texts of one length differ in their letters."""
    vocabulary = Vocabulary.of("한국말\n")
    model = Uniform(len(vocabulary), [0])
    long = write(model, 9, vocabulary=vocabulary, length=30)
    short = write(model, 9, vocabulary=vocabulary, length=length)
    assert [len(text) for text in short] == [length] * 9
    assert short == [text[:length] for text in long]


def test_blocks_of_long_texts_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The texts of a block that wait for the first one have a limited number of symbols."""
    model = parrot(LETTERS, "ab\n")
    assert write(model, 7, length=30) == ["ab\n" * 10] * 7
    assert model.sizes == [1, 2, 4]
    monkeypatch.setattr(sys.modules[Writer.__module__], "MAX_WAITING", 64)
    model = parrot(LETTERS, "ab\n")
    assert write(model, 6, length=30) == ["ab\n" * 10] * 6
    assert model.sizes == [1, 2, 2, 2]


# Pieces.


def test_pieces_come_as_soon_as_they_are_written() -> None:
    """A piece comes after a few steps. Only the last one has a total."""
    model = parrot(LETTERS, "ab\n")
    pieces = Writer(model, LETTERS, FREE).write(1, 1, TextOptions(length=1_000, prefix="ab\n"))
    assert model.reads == 0
    found = [next(pieces)]
    assert found[0].text.startswith("ab\nab\n")
    assert model.reads < 30
    found += pieces
    assert model.reads == 3 + 1_000 - 1
    assert len(found) > 30
    assert "".join(piece.text for piece in found) == "ab\n" + "ab\n" * 333 + "a"
    assert [piece.is_last for piece in found] == [False] * (len(found) - 1) + [True]
    assert all(piece.text for piece in found)


def test_large_vocabularies() -> None:
    """Symbols of more than one byte wait for the first text of their block, too."""
    letters = "".join(map(chr, range(0x4E00, 0x4E00 + 700)))
    vocabulary = Vocabulary(letters)
    texts = write(parrot(vocabulary, letters), 7, vocabulary=vocabulary, length=1_000)
    assert texts == [letters + letters[:300]] * 7


def test_texts_come_in_order(mixture: Mixture) -> None:
    """Each text is complete before the next one begins."""
    pieces = [*Writer(mixture, SPACED, FREE).write(40, 1, TextOptions(length=50))]
    assert [piece.index for piece in pieces] == sorted(piece.index for piece in pieces)
    assert [piece.index for piece in pieces if piece.is_last] == [*range(40)]


def peak_of(length: int) -> int:
    """Return the peak of memory in bytes while one text is written."""
    writer = Writer(parrot(LETTERS, "ab\n"), LETTERS, FREE)
    with one_thread():  # to enter it for each piece fills a cache of Python's
        tracemalloc.start()
        for _ in writer.write(1, 1, TextOptions(length=length)):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


def test_the_memory_for_a_text_does_not_grow() -> None:
    """A text of 5,000 symbols takes no more memory than one of 1,000, to 2 KB."""
    peak_of(100)
    assert peak_of(5_000) < peak_of(1_000) + 2_000


def test_no_texts() -> None:
    """With an n of 0 there are no pieces."""
    writer = Writer(parrot(LETTERS, "ab\n"), LETTERS, FREE)
    assert [*writer.write(0, 1, TextOptions(prefix="a"))] == []


# Hangul and marks.


@pytest.mark.parametrize("length", [1, 2, 5, 6, 7, 300])
def test_syllables_are_composed_and_count_once(length: int) -> None:
    """A syllable is written whole, at the end of a text too, and across pieces."""
    model = parrot(HANGUL, "한국 말이다\n")
    wanted = "".join(islice(cycle("한국 말이다\n"), length))
    assert write(model, 3, vocabulary=HANGUL, length=length) == [wanted] * 3


@pytest.mark.parametrize("prefix", ["", "하"])
def test_nats_count_the_letters_of_the_text(prefix: str) -> None:
    """If all V symbols are equally likely, a text of S letters has S log V nats."""
    vocabulary = Vocabulary.of("한국말하\n")
    writer = Writer(Uniform(len(vocabulary), [0]), vocabulary, FREE)
    for length in (1, 10, 16, 50):
        pieces = [*writer.write(1, length, TextOptions(length=length, prefix=prefix))]
        letters = vocabulary.prompt("".join(piece.text for piece in pieces)[len(prefix) :])
        assert pieces[-1].total is not None
        assert pieces[-1].total.nats == pytest.approx(len(letters) * np.log(len(vocabulary)))


def test_a_prompt_in_hangul_is_continued() -> None:
    """The prompt does not count in the length."""
    model = parrot(HANGUL, "이다 말\n이한국\n")
    assert write(model, 1, vocabulary=HANGUL, prefix="이다 말\n이", length=3) == [
        "이다 말\n이한국\n"
    ]


def pieces_of(model: LanguageModel, n: int, **options: Any) -> Iterator[Piece]:
    """Write in Hangul, by pieces."""
    return Writer(model, HANGUL, FREE).write(n, 1, TextOptions(**options))


@pytest.mark.parametrize("prefix", ["", "하", "한", "말ㅎ"])
def test_pieces_of_impossible_syllables_are_composed(prefix: str) -> None:
    """Pieces of random letters and marks are in NFC together. The prompt stays as it is."""
    vocabulary = Vocabulary.of("한국 말하이다e\u0301\n")
    model = Uniform(len(vocabulary), [0])
    writer = Writer(model, vocabulary, FREE)
    pieces = [*writer.write(10, 1, TextOptions(length=200, prefix=prefix))]
    begun = "말" if prefix == "말ㅎ" else prefix
    for index in range(10):
        own = [piece for piece in pieces if piece.index == index]
        text = "".join(piece.text for piece in own)
        assert text == normalize("NFC", text)
        assert text.startswith(begun)
        assert all(piece.text for piece in own)
        assert not any(combining(piece.text[0]) for piece in own[1:])
        # An accent composes with the letter before it, but is a symbol of its own.
        letters = text.replace("é", "e\u0301")
        assert len(letters) == len(prefix) + 200
        assert own[-1].total is not None
        assert own[-1].total.symbols == 200


def test_marks_and_vowels_without_end() -> None:
    """A text of nothing but vowels, or marks, ends all the same, and is written in pieces."""
    for symbol in ("\u1161", "\u0301"):
        model = Parrot(len(HANGUL), [HANGUL.symbols.index(symbol) + 1])
        pieces = [*pieces_of(model, 1, length=500)]
        assert "".join(piece.text for piece in pieces) == symbol * 500
        assert len(pieces) > 5


# Words.


@pytest.mark.parametrize("length", [1, 2, 3, 4, 9, 100])
@pytest.mark.parametrize("prefix", ["", "sat", "the cat\n", "\n\nsat "])
def test_words_are_separated_by_spaces(length: int, prefix: str) -> None:
    """Words and line ends count. There is no space beside a line end, and blank lines stay."""
    vocabulary = Vocabulary.of("the cat sat\n", WORD)
    told = ["the", "cat", "\n", "\n", "sat"]
    prompt = {"sat": ["sat"], "the cat\n": ["the", "cat", "\n"], "\n\nsat ": ["\n", "\n", "sat"]}
    symbols = [*prompt.get(prefix, []), *islice(cycle(told), length)]
    model = parrot(vocabulary, " ".join(symbols))
    wanted = " ".join(symbols).replace(" \n", "\n").replace("\n ", "\n")
    for text in write(model, 3, vocabulary=vocabulary, prefix=prefix, length=length):
        assert text == wanted


# Errors and options.


@pytest.mark.parametrize(
    ("options", "n", "message"),
    [
        ({"prefix": "abc"}, 1, "'abc': unknown symbol 'c'"),
        ({"prefix": "a\nb b"}, 0, "unknown symbol ' '"),
        ({"length": 0}, 1, "length must be from 1"),
        ({"length": 10**9 + 1}, 1, "length must be from 1"),
        ({"temperature": 0}, 1, "temperature must be"),
        ({}, -1, "n must be from 0"),
    ],
)
def test_errors_come_before_the_first_piece(
    network: Network, options: dict[str, Any], n: int, message: str
) -> None:
    """The call itself raises them."""
    with pytest.raises(SettingError, match=message):
        Writer(network, LETTERS, FREE).write(n, 1, TextOptions(**options))


def test_a_seed_is_a_number_or_a_text(network: Network) -> None:
    """A text of digits is the number, and another text is another seed."""
    writer = Writer(network, LETTERS, FREE)
    texts = [
        "".join(piece.text for piece in writer.write(1, seed, TextOptions(length=40)))
        for seed in (5, "5", "five")
    ]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize("kind", [Options, TextOptions])
def test_one_option_replaces_the_whole_default(kind: type[Options] | type[TextOptions]) -> None:
    """Names and texts follow the same rule."""
    default = Decoding(0.7, top_p=0.9, keep=0.5)
    assert kind().decoding(default) == default
    assert kind(top_k=3).decoding(default) == Decoding(1.0, top_k=3)
    assert kind(temperature=0.5, top_p=0.8).decoding(default) == Decoding(0.5, top_p=0.8)
