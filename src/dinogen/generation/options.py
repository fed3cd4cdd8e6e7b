"""The sampling options, as users of the command and of the library see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, TypedDict

from dinogen.arguments import convert, refuse_unknown
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
        SettingError: for a value of a wrong type, and a number outside of its `BOUNDS`.
    """

    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = convert(field.name, getattr(self, field.name), field.type)
            if field.name in BOUNDS and value is not None:
                check(field.name, value, BOUNDS)
            object.__setattr__(self, field.name, value)

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
        avoid: texts that occur in no name, too; for many of them. A `str` is one text, and not a
            file.
        min_length: the minimum number of symbols in a name; None for that of the shortest training
            name.
        max_length: the maximum number of symbols in a name; None for that of the longest training
            name, or more if other options require it.
        pattern: a glob that matches each whole name. ``?`` is any symbol, ``*`` any number of
            symbols, ``[a-e]`` one symbol of a set, ``[!a-e]`` one symbol outside of it. For words,
            spaces separate the items, and a set is ``[a b]`` or ``[!a b]``.
        exclude: names that are never drawn. A `str` is one name, and not a file.
        min_distance: the minimum number of edits between a name and each training name: 1 or 2. An
            edit adds, deletes or replaces one symbol.
        allow_known: whether training names may be drawn, and names from which the base has learned.
        allow_repeats: whether a name may be drawn more than once.

    Raises:
        SettingError: for a value of a wrong type, a number outside of its `BOUNDS`, and
            `min_distance` together with `allow_known`.
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
        super().__post_init__()
        if self.min_distance is not None and self.allow_known:
            raise SettingError(
                "min distance contradicts allow known: a training name has a distance of 0; "
                "leave one of them out"
            )


DEFAULT_OPTIONS = Options()

CONSTRAINTS = (
    "prefix",
    "suffix",
    "contains",
    "not_contains",
    "pattern",
    "min_length",
    "max_length",
)
"""The options that say which names there may be, so that they are drawn under constraints."""


@dataclass(frozen=True, kw_only=True)
class TextOptions(DecodingOptions):
    """The options for writing running text. Each of them changes the texts.

    Attributes:
        prefix: the prompt, with which each text begins. It may have several lines, and may end
            within a word. Without one, a text begins at the start of a line.
        length: the number of symbols to write after the prompt, as a reader counts them: a
            character, a Hangul syllable, or a word is one, and so is the end of a line.

    Raises:
        SettingError: for a value of a wrong type, and a number outside of its `BOUNDS`.
    """

    prefix: str = ""
    length: int = 500


DEFAULT_TEXT_OPTIONS = TextOptions()


class SamplingOptions(TypedDict, total=False):
    """The options of names and of running text as keyword arguments; each may be left out.

    They are the attributes of `Options` and of `TextOptions`. Running text has one prefix.
    """

    temperature: float | None
    top_k: int | None
    top_p: float | None
    prefix: Sequence[str]
    suffix: Sequence[str]
    contains: Sequence[str]
    not_contains: Sequence[str]
    avoid: Sequence[str]
    min_length: int | None
    max_length: int | None
    pattern: str | None
    exclude: Sequence[str]
    min_distance: int | None
    allow_known: bool
    allow_repeats: bool
    length: int


class Misfit(NamedTuple):
    """An option that a model does not have.

    Attributes:
        option: the name of the option.
        reason: what is said behind its name.
    """

    option: str
    reason: str


def given_options(
    given: Mapping[str, object], *, is_text: bool
) -> tuple[dict[str, Any], Misfit | None]:
    """Return the options that have a value, and the first of them that the model does not have.

    None, False and a list of no texts are no values, and fit any model.

    Args:
        given: the options by name. For running text, `skip` may be among them, which is for names.
        is_text: whether the model writes running text.

    Raises:
        SettingError: for an unknown option.
    """
    of_names, of_text = ({field.name for field in fields(kind)} for kind in (Options, TextOptions))
    if is_text:
        of_names.add("skip")
    refuse_unknown(given, sorted(of_names | of_text), "a sampling option")
    chosen = {name: value for name, value in given.items() if _has_value(value)}
    for name in chosen:
        if is_text and name not in of_text:
            reason = "is for names, and the model writes running text; leave it out"
            return chosen, Misfit(name, reason)
        if not is_text and name not in of_names:
            return chosen, Misfit(name, "is for running text, and the model writes names")
    return chosen, None


def _has_value(value: object) -> bool:
    """Tell whether an option is given at all."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return len(value) > 0
    return value is not None and value is not False
