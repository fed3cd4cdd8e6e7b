"""The sampling options, as users of the command and of the library see them."""

from collections.abc import Sequence
from dataclasses import dataclass

from dinogen.bounds import SEED, Bounds, check
from dinogen.errors import SettingError
from dinogen.generation.decoding import Decoding

BOUNDS: Bounds = {
    "n": (0, 10**15),
    "length": (1, 10**9),
    "seed": SEED,
    "temperature": (1e-6, 1e6),
    "top_k": (1, 2**21),
    "top_p": (1e-6, 1.0),
    "min_p": (1e-6, 1.0),
    "keep": (1e-6, 1.0),
    "min_length": (0, 1_000),
    "max_length": (1, 1_000),
    "min_distance": (1, 2),
    "skip": (0, 10**15),
}
"""The bounds of each number: options, parts of a decoding, and the arguments n, seed and skip."""


@dataclass(frozen=True, kw_only=True)
class DecodingOptions:
    """How symbols are drawn: the options that names and running text have in common.

    Temperature, top-k and top-p belong together: if all of them are None, symbols are drawn by the
    default decoding of the model (see `calibrate`); if one is given, it replaces that default.

    Attributes:
        temperature: divides the log probabilities. Below 1, likely symbols become likelier; above
            1, unlikely ones do. At 1, symbols have the model's own distribution.
        top_k: only the k likeliest symbols may come next; None for all.
        top_p: only the likeliest symbols that together have this probability may come next; None
            for all.

    Raises:
        SettingError: if a number is outside of its `BOUNDS`.
    """

    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name in BOUNDS and value is not None:
                check(name, value, BOUNDS)

    def decoding(self, default: Decoding) -> Decoding:
        """Return how symbols are drawn; the default if no option says so."""
        if self.temperature is self.top_k is self.top_p is None:
            return default
        temperature = 1.0 if self.temperature is None else self.temperature
        return Decoding(temperature, self.top_k, self.top_p)


@dataclass(frozen=True, kw_only=True)
class Options(DecodingOptions):
    """The sampling options for names. Each of them changes which names are drawn.

    What a symbol is depends on the model: a character, a Hangul syllable, or a word (see `Unit`).
    A text of words has white space between them. A Hangul letter in a text matches that letter; in
    a pattern it matches the syllables that begin with it.

    The case of texts and names is folded by the rule of the training names.

    Attributes:
        prefix: texts; each name begins with one of them. A `str` is one text.
        suffix: texts; each name ends with one of them. A `str` is one text.
        contains: texts that all occur in each name. A `str` is one text.
        not_contains: texts that occur in no name. A `str` is one text.
        avoid: texts that occur in no name, too; for many of them. A `str` is one text.
        min_length: the minimum number of symbols in a name; None for that of the shortest training
            name.
        max_length: the maximum number of symbols in a name; None for that of the longest training
            name, or more if other options require it.
        pattern: a glob that matches each whole name. ``?`` is any symbol, ``*`` any number of
            symbols, ``[a-e]`` one symbol of a set, ``[!a-e]`` one symbol outside of it. For words,
            spaces separate the items, and a set is ``[a b]`` or ``[!a b]``.
        exclude: names that are never drawn. A `str` is one name.
        min_distance: the minimum number of edits between a name and each training name: 1 or 2. An
            edit adds, deletes or replaces one symbol.
        allow_known: whether training names may be drawn, and names from which the base has learned.
        allow_repeats: whether a name may be drawn more than once.

    Raises:
        SettingError: if a number is outside of its `BOUNDS`, or for `min_distance` together with
            `allow_known`.
    """

    prefix: Sequence[str] = ()
    suffix: Sequence[str] = ()
    contains: Sequence[str] = ()
    not_contains: Sequence[str] = ()
    avoid: Sequence[str] = ()
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    exclude: Sequence[str] = ()
    min_distance: int | None = None
    allow_known: bool = False
    allow_repeats: bool = False

    def __post_init__(self) -> None:
        for name in ("prefix", "suffix", "contains", "not_contains", "avoid", "exclude"):
            texts = getattr(self, name)
            texts = (texts,) if isinstance(texts, str) else tuple(texts or ())
            object.__setattr__(self, name, texts)
        super().__post_init__()
        if self.min_distance is not None and self.allow_known:
            raise SettingError(
                "min distance contradicts allow known: a training name has a distance of 0; "
                "leave one of them out"
            )


DEFAULT_OPTIONS = Options()


@dataclass(frozen=True, kw_only=True)
class TextOptions(DecodingOptions):
    """The options for writing running text. Each of them changes the texts.

    Attributes:
        prefix: the prompt, with which each text begins. It may have several lines, and may end
            within a word. Without one, a text begins at the start of a line.
        length: the number of symbols to write after the prompt, as a reader counts them: a
            character, a Hangul syllable, or a word is one, and so is the end of a line.

    Raises:
        SettingError: if a number is outside of its `BOUNDS`.
    """

    prefix: str = ""
    length: int = 500


DEFAULT_TEXT_OPTIONS = TextOptions()
