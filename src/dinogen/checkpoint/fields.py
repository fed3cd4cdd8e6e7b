"""Fields of a JSON object. Each is declared once, for reading and for writing."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from dinogen.data.cleaning import MAX_NAME_LENGTH
from dinogen.data.visibility import is_printable

MAX_NUMBER = 1e30
"""Sums of numbers up to this size stay finite. Real weights and losses are far smaller."""

MAX_INTEGER = 2**63
"""The maximum of an integer without a smaller bound."""

MAX_IDENTIFIER = 64
"""The maximum number of characters in an identifier."""

T = TypeVar("T")
Stored = TypeVar("Stored")
Read = TypeVar("Read", covariant=True)


class Malformed(Exception):  # noqa: N818
    """A part of a checkpoint is invalid; the message says what. The caller adds the path."""


class Unsupported(Malformed):
    """A part of a checkpoint is unknown here; another version of dinogen may read it."""


class Field(Protocol[Read]):
    """Reads one kind of value from untrusted JSON, and writes it."""

    def read(self, value: object, name: str) -> Read:
        """Check a JSON value, and convert it.

        Args:
            value: the JSON value, untrusted.
            name: the name of the value in messages.

        Raises:
            Malformed: for a value of another kind or out of range.
        """
        ...

    def write(self, value: Any) -> Any:
        """Convert a value to JSON. The inverse of `read`."""
        ...


class Plain:
    """The base class of fields whose values are the same in JSON."""

    def write(self, value: Any) -> Any:
        """See `Field.write`."""
        return value


# Single values.


class Integer(Plain):
    """A whole number within bounds."""

    def __init__(self, low: int = 0, high: int = MAX_INTEGER) -> None:
        self.low = low
        self.high = high

    def read(self, value: object, name: str) -> int:
        """See `Field.read`."""
        if (
            not isinstance(value, int)
            or isinstance(value, bool)
            or not self.low <= value <= self.high
        ):
            raise Malformed(f"{name} is not a whole number from {self.low} to {self.high}")
        return value


class Number(Plain):
    """A finite number within bounds; it stays an int or a float."""

    def __init__(self, low: float = -MAX_NUMBER, high: float = MAX_NUMBER) -> None:
        self.low = low
        self.high = high

    def read(self, value: object, name: str) -> int | float:
        """See `Field.read`."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise Malformed(f"{name} is not a number")
        # Compared, not converted: an int may be too large for a float. A NaN fails the comparison.
        if not self.low <= value <= self.high:
            raise Malformed(f"{name} is not finite, or not from {self.low:g} to {self.high:g}")
        return value


class Boolean(Plain):
    """True or false."""

    def read(self, value: object, name: str) -> bool:
        """See `Field.read`."""
        if not isinstance(value, bool):
            raise Malformed(f"{name} is neither true nor false")
        return value


class Text(Plain):
    """A text of visible symbols, which is safe to print on a terminal.

    Attributes:
        newlines: whether newlines are allowed.
    """

    def __init__(self, newlines: bool = False) -> None:
        self.newlines = newlines

    def read(self, value: object, name: str) -> str:
        """See `Field.read`."""
        if not isinstance(value, str):
            raise Malformed(f"{name} is not a text")
        if len(value) > MAX_NAME_LENGTH:
            raise Malformed(f"{name} is too long")
        shown = value.replace("\n", "") if self.newlines else value
        if not all(map(is_printable, shown)):
            raise Malformed(f"{name} has an invisible symbol")
        return value


class Name(Plain):
    """A short identifier of ASCII letters, digits and underscores.

    Attributes:
        dotted: whether the name may be several identifiers joined by dots.
    """

    def __init__(self, dotted: bool = False) -> None:
        self.dotted = dotted

    def read(self, value: object, name: str) -> str:
        """See `Field.read`."""
        if isinstance(value, str) and len(value) <= MAX_IDENTIFIER and value.isascii():
            parts = value.split(".") if self.dotted else [value]
            if all(map(str.isidentifier, parts)):
                return value
        raise Malformed(
            f"{name} is not a plain name of at most {MAX_IDENTIFIER} letters and digits"
        )


class Symbol(Plain):
    """One visible symbol.

    Attributes:
        others: other symbols that are allowed, such as a newline for the start of a name.
    """

    def __init__(self, others: str = "") -> None:
        self.others = others

    def read(self, value: object, name: str) -> str:
        """See `Field.read`."""
        if not isinstance(value, str) or len(value) != 1:
            raise Malformed(f"{name} is not one symbol")
        if not (is_printable(value) or value in self.others):
            raise Malformed(f"{name} is not a visible symbol")
        return value


class Word(Plain):
    """One word: visible symbols without white space."""

    def read(self, value: object, name: str) -> str:
        """See `Field.read`."""
        text = Text().read(value, name)
        if text.split() != [text]:
            raise Malformed(f"{name} is not one word")
        return text


class Choice(Plain):
    """One of several names."""

    def __init__(self, choices: tuple[str, ...]) -> None:
        self.choices = choices

    def read(self, value: object, name: str) -> str:
        """See `Field.read`."""
        choice = Name().read(value, name)
        if choice not in self.choices:
            raise Unsupported(f"{name} is {choice!r}, which is unknown here; upgrade dinogen")
        return choice


class Scalar(Plain):
    """A number or a text."""

    def read(self, value: object, name: str) -> str | int | float:
        """See `Field.read`."""
        return (Text() if isinstance(value, str) else Number()).read(value, name)


# Values made of other values.


class Nullable(Generic[T]):
    """A field that may be null."""

    def __init__(self, field: Field[T]) -> None:
        self.field = field

    def read(self, value: object, name: str) -> T | None:
        """See `Field.read`."""
        return None if value is None else self.field.read(value, name)

    def write(self, value: Any) -> Any:
        """See `Field.write`."""
        return None if value is None else self.field.write(value)


class ListOf(Generic[T]):
    """A list of limited length, with values of one kind."""

    def __init__(self, field: Field[T], max_length: int) -> None:
        self.field = field
        self.max_length = max_length

    def read(self, value: object, name: str) -> list[T]:
        """See `Field.read`."""
        if not isinstance(value, list):
            raise Malformed(f"{name} is not a list")
        if len(value) > self.max_length:
            raise Malformed(f"{name} is too long")
        each = f"an item of {name}"
        return [self.field.read(item, each) for item in value]

    def write(self, value: Any) -> Any:
        """See `Field.write`."""
        return [self.field.write(item) for item in value]


class MapOf(Generic[T]):
    """An object of limited size, with values of one kind under any keys.

    Attributes:
        field: the kind of each value.
        max_length: the maximum number of values.
        key: the kind of each key; a `Name` if left out.
    """

    def __init__(self, field: Field[T], max_length: int, key: Field[str] | None = None) -> None:
        self.field = field
        self.max_length = max_length
        self.key = key or Name()

    def read(self, value: object, name: str) -> dict[str, T]:
        """See `Field.read`."""
        values = json_object(value, name)
        if len(values) > self.max_length:
            raise Malformed(f"{name} is too long")
        return {
            self.key.read(key, f"a name in {name}"): self.field.read(item, key)
            for key, item in values.items()
        }

    def write(self, value: Any) -> Any:
        """See `Field.write`."""
        return {key: self.field.write(item) for key, item in value.items()}


class Record(Generic[T]):
    """An object with a fixed set of fields, read into a class with attributes of the same names.

    Fields that are not declared are ignored: a newer version may have added them.

    Attributes:
        make: the class, which is called with the fields as keyword arguments.
        fields: the kind of each field, by name.
    """

    def __init__(self, make: Callable[..., T], fields: Mapping[str, Field[Any]]) -> None:
        self.make = make
        self.fields = fields

    def read(self, value: object, name: str) -> T:
        """See `Field.read`."""
        values = json_object(value, name)
        for required in self.fields:
            if required not in values:
                raise Malformed(f"{name} has no {required}")
        return self.make(
            **{key: field.read(values[key], key) for key, field in self.fields.items()}
        )

    def write(self, value: Any) -> Any:
        """See `Field.write`."""
        return {key: field.write(getattr(value, key)) for key, field in self.fields.items()}


class Checked(Generic[T]):
    """A field with one more check.

    Attributes:
        field: the field.
        check: returns what is wrong with a value; None if it is valid.
    """

    def __init__(self, field: Field[T], check: Callable[[T], str | None]) -> None:
        self.field = field
        self.check = check

    def read(self, value: object, name: str) -> T:
        """See `Field.read`."""
        read = self.field.read(value, name)
        if problem := self.check(read):
            raise Malformed(f"{name} {problem}")
        return read

    def write(self, value: Any) -> Any:
        """See `Field.write`."""
        return self.field.write(value)


class Converted(Generic[Stored, T]):
    """A field whose value becomes an object of another class.

    Attributes:
        field: the field.
        make: builds the object from the value.
        unmake: the inverse of ``make``.
    """

    def __init__(
        self, field: Field[Stored], make: Callable[[Stored], T], unmake: Callable[[Any], Stored]
    ) -> None:
        self.field = field
        self.make = make
        self.unmake = unmake

    def read(self, value: object, name: str) -> T:
        """See `Field.read`."""
        return self.make(self.field.read(value, name))

    def write(self, value: Any) -> Any:
        """See `Field.write`."""
        return self.field.write(self.unmake(value))


def json_object(value: object, name: str) -> Mapping[str, object]:
    """Return a value if it is a JSON object.

    Raises:
        Malformed: if it is not.
    """
    if not isinstance(value, dict):
        raise Malformed(f"{name} is not an object")
    return value
