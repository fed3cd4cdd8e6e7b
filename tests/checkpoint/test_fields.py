"""Fields of a JSON object: each accepts its own kind of value, and refuses others by name."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings, strategies as st

from dinogen.checkpoint import (
    Boolean,
    Checked,
    Choice,
    Converted,
    Field,
    Integer,
    ListOf,
    Malformed,
    MapOf,
    Name,
    Nullable,
    Number,
    Record,
    Scalar,
    Symbol,
    Text,
    Unsupported,
)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-3, 12)
    | st.floats()
    | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
    ),
    max_leaves=4,
)


def is_text(value: Any) -> bool:
    """Return whether a value is a short text that Python prints without escapes."""
    return type(value) is str and len(value) <= 255 and value.isprintable()


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number."""
    return type(value) in (int, float) and abs(value) <= 1e30


class Pair(NamedTuple):
    """Two fields of a record."""

    a: int
    b: bool


Accepts = Callable[[Any], bool]

# Each field, and a plain statement of what it accepts.
KINDS: dict[str, tuple[Field[Any], Accepts]] = {
    "integer": (Integer(), lambda v: type(v) is int and 0 <= v <= 2**63),
    "bounded": (Integer(2, 9), lambda v: type(v) is int and v in range(2, 10)),
    "number": (Number(), is_number),
    "share": (Number(0, 1), lambda v: is_number(v) and 0 <= v <= 1),
    "boolean": (Boolean(), lambda v: v is True or v is False),
    "text": (Text(), is_text),
    "lines": (Text(newlines=True), lambda v: type(v) is str and is_text(v.replace("\n", ""))),
    "name": (Name(), lambda v: type(v) is str and v.isidentifier()),
    "symbol": (Symbol(), lambda v: is_text(v) and len(v) == 1),
    "choice": (Choice(("a", "b")), lambda v: v in ("a", "b")),
    "scalar": (Scalar(), lambda v: is_text(v) or is_number(v)),
    "nullable": (Nullable(Boolean()), lambda v: v is None or v is True or v is False),
    "list": (
        ListOf(Boolean(), 1),
        lambda v: type(v) is list and len(v) <= 1 and all(type(item) is bool for item in v),
    ),
    "map": (
        MapOf(Boolean(), 1),
        lambda v: (
            type(v) is dict
            and len(v) <= 1
            and all(key.isidentifier() and type(item) is bool for key, item in v.items())
        ),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=60)
@given(value=values)
def test_accepts_only_its_kind(kind: str, value: Any) -> None:
    """A value of the kind is returned, and written again as it was; another one is refused."""
    field, accepts = KINDS[kind]
    if not json.dumps(value).replace("\\u", "").isascii() or "\\u" in json.dumps(value):
        return  # Symbols beyond ASCII follow the rule for names, which has its own tests.
    if accepts(value):
        read = field.read(value, "this")
        assert read == value
        assert type(read) is type(value)
        assert field.write(read) == value
    else:
        with pytest.raises(Malformed, match=r"^(this|an item of this|a name in this|\w+) "):
            field.read(value, "this")


RECORD = Record(Pair, {"a": Integer(), "b": Boolean()})


def test_a_record_has_fixed_fields() -> None:
    """Its fields become attributes, and are written again. Unknown fields are ignored."""
    assert RECORD.read({"a": 1, "b": True, "c": 0}, "all") == Pair(1, True)
    assert RECORD.write(Pair(1, True)) == {"a": 1, "b": True}
    with pytest.raises(Malformed, match=r"^all has no b$"):
        RECORD.read({"a": 1}, "all")
    with pytest.raises(Malformed, match=r"^a is not "):
        RECORD.read({"a": "1", "b": True}, "all")


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "{}", [], [{}]])
def test_an_object_is_an_object(value: Any) -> None:
    """A record and a map refuse everything else, at the top and inside."""
    fields: list[Field[object]] = [RECORD, MapOf(Integer(), 3), Record(dict, {})]
    for field in fields:
        with pytest.raises(Malformed, match=r"^this is not an object$"):
            field.read(value, "this")
        with pytest.raises(Malformed, match=r"^an item of this is not an object$"):
            ListOf(field, 3).read([value], "this")


def test_a_check_sees_the_value() -> None:
    """The message of a check follows the name of the field."""
    field = Checked(Integer(), lambda value: "is odd" if value % 2 else None)
    assert field.read(4, "this") == field.write(4) == 4
    with pytest.raises(Malformed, match=r"^this is odd$"):
        field.read(3, "this")
    with pytest.raises(Malformed, match=r"^this is not a whole number"):
        field.read("3", "this")


def test_a_conversion_goes_both_ways() -> None:
    """The object is built from the checked value."""
    field: Field[frozenset[int]] = Converted(ListOf(Integer(), 3), frozenset, sorted)
    assert field.read([2, 1, 2], "this") == {1, 2}
    assert field.write(frozenset({2, 1})) == [1, 2]
    with pytest.raises(Malformed, match=r"^an item of this is not a whole number"):
        field.read([None], "this")


NUMBERS = {"any": Number(), "share": Number(0, 1), "scalar": Scalar()}


@pytest.mark.parametrize("field", NUMBERS.values(), ids=NUMBERS.keys())
@pytest.mark.parametrize("value", [10**400, -(10**400), float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused(field: Field[Any], value: float) -> None:
    """So is an integer that is too large to become a float."""
    with pytest.raises(Malformed, match=r"^this is not finite"):
        field.read(value, "this")


def test_kinds_are_not_converted() -> None:
    """True is not 1, 1 is not true, and 1.0 is not an integer."""
    wrong: list[tuple[Field[Any], Any]] = [
        (Integer(), True),
        (Number(), True),
        (Scalar(), True),
        (Boolean(), 1),
        (Integer(), 1.0),
        (Text(), 1),
        (Name(), None),
    ]
    for field, value in wrong:
        with pytest.raises(Malformed, match=r"^this is n"):
            field.read(value, "this")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Anna",
        "Jean-Paul du\xa0Bois",
        "Ζωή 李 \U00010400",
        "a\u0301",
        "می\u200cخواهم",
        "❤\ufe0f",
    ],
)
def test_a_text_of_visible_symbols(text: str) -> None:
    """Names in any script may be printed on a terminal."""
    assert Text().read(text, "this") is text


@pytest.mark.parametrize(
    "value",
    [None, 1, ["a"], "a\nb", "\x1b[2J", "\t", "a\x9b", "\u202e", "\u200b", "\ud800", "\u3164"],
)
def test_a_text_that_could_drive_a_terminal_is_refused(value: object) -> None:
    """Control, format and invisible symbols never reach a terminal, nor do endless texts."""
    for field in (Text(), Symbol(), Name()):
        with pytest.raises(Malformed, match=r"^this (is not|has an invisible symbol)"):
            field.read(value, "this")
    with pytest.raises(Malformed, match=r"^this is too long$"):
        Text().read("a" * 256, "this")


def test_other_symbols_where_they_are_allowed() -> None:
    """A newline stands for the start of a name; text has tabs. No other is allowed with them."""
    assert Symbol("\n").read("\n", "this") == "\n"
    assert [Symbol("\n\t").read(symbol, "this") for symbol in "\n\ta"] == ["\n", "\t", "a"]
    for others, symbol in (("\n", "\r"), ("\n", "\t"), ("\t", "\n"), ("", "\n"), ("\n\t", "\n\t")):
        with pytest.raises(Malformed, match="symbol"):
            Symbol(others).read(symbol, "this")


@pytest.mark.parametrize("name", ["a", "Wax", "hidden_size", "layer2", "_"])
def test_a_plain_name(name: str) -> None:
    """A name is an identifier; that of an array may be several, joined by dots."""
    for field in (Name(), Name(dotted=True)):
        assert field.read(name, "this") == name
    dotted = f"velocity.{name}"
    assert Name(dotted=True).read(dotted, "this") == dotted


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "a.", ".a", "a..b", "2", "a-b", "a b", "a/b", "../a", "a\0", "a\n", "é", "ａ"),
        *("$(x)", "a;b", "a" * 65),
    ],
)
def test_a_name_that_is_not_plain(name: str) -> None:
    """Separators, white space and symbols beyond ASCII are refused, and so is a long name."""
    for field in (Name(), Name(dotted=True)):
        with pytest.raises(Malformed, match=r"^this is not a plain name"):
            field.read(name, "this")
        with pytest.raises(Malformed, match=r"^a name in this is not a plain name"):
            MapOf(Integer(), 3, field).read({name: 1}, "this")
    with pytest.raises(Malformed, match=r"^this is not a plain name"):
        Name().read("a.b", "this")


def test_an_unknown_choice_asks_for_another_version() -> None:
    """A later version may know it. A text that is not even a name is damage."""
    with pytest.raises(Unsupported, match=r"^this is 'lstm', which is unknown here; upgrade"):
        Choice(("rnn",)).read("lstm", "this")
    with pytest.raises(Malformed, match="plain name") as caught:
        Choice(("rnn",)).read("\x1b[2J", "this")
    assert not isinstance(caught.value, Unsupported)
