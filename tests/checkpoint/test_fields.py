"""Fields of a JSON object: each is what it is asked for as, or is refused by its name."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dinogen.checkpoint.fields import Fields, Malformed, visible

Get = Callable[[Fields, str], Any]

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

# What each method gives, and a plain account of what it is to accept.
KINDS: dict[str, tuple[Get, Callable[[Any], bool]]] = {
    "integer": (Fields.integer, lambda v: type(v) is int and 0 <= v <= 2**63),
    "bounded": (
        lambda fields, name: fields.integer(name, low=2, high=9),
        lambda v: type(v) is int and v in range(2, 10),
    ),
    "number": (Fields.number, lambda v: type(v) in (int, float) and abs(v) <= 1e30),
    "boolean": (Fields.boolean, lambda v: v is True or v is False),
    "list": (Fields.list, lambda v: type(v) is list),
    "text": (Fields.text, lambda v: type(v) is str and len(v) <= 255 and is_seen(v)),
    "any": (Fields.any, lambda _: True),
}


def is_seen(text: str) -> bool:
    """Tell whether a text is such that Python, too, would print all of it."""
    return text.isprintable()


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=40)
@given(value=values)
def test_accepts_its_kind_alone(kind: str, value: Any) -> None:
    """A field is given back as it is where it is of the kind asked for, and refused where not."""
    get, accepts = KINDS[kind]
    if kind == "text" and isinstance(value, str) and not value.isascii():
        return  # beyond ASCII the rule of names holds, which has tests of its own
    fields = Fields({"other": None, "this": value}, "all")
    if accepts(value):
        assert get(fields, "this") is value
    else:
        with pytest.raises(Malformed, match=r"^this is "):
            get(fields, "this")


@pytest.mark.parametrize("get", [*(get for get, _ in KINDS.values()), Fields.fields])
def test_a_missing_field_is_named(get: Get) -> None:
    """Asked for in whatever way, a field that is not there is refused by its name and place."""
    with pytest.raises(Malformed, match=r"^all has no this$"):
        get(Fields({"that": 1}, "all"), "this")


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "{}", [], [{}]])
def test_an_object_is_an_object(value: Any) -> None:
    """What is no object has no fields, at the top or below."""
    with pytest.raises(Malformed, match=r"^this is no object$"):
        Fields(value, "this")
    with pytest.raises(Malformed, match=r"^this is no object$"):
        Fields({"this": value}, "all").fields("this")


def test_an_object_within_an_object() -> None:
    """An object's own fields are there to be asked for, and to be listed."""
    inner = Fields({"this": {"a": 1, "b": [2]}}, "all").fields("this")
    assert list(inner) == ["a", "b"]
    assert inner.integer("a") == 1
    with pytest.raises(Malformed, match=r"^this has no c$"):
        inner.any("c")


def test_a_number_beyond_all_others_is_refused() -> None:
    """A whole number so great that no other number can be compared with it is no number to use."""
    with pytest.raises(Malformed, match=r"^this is "):
        Fields({"this": 10**400}, "all").number("this")


def test_a_whole_number_is_no_truth_value() -> None:
    """True is not 1, 1 is not true, and 1.0 is not whole: a kind is what was written."""
    fields = Fields({"truth": True, "one": 1, "broken": 1.0}, "all")
    for get, name in (
        (Fields.integer, "truth"),
        (Fields.number, "truth"),
        (Fields.boolean, "one"),
        (Fields.integer, "broken"),
    ):
        with pytest.raises(Malformed, match=name):
            get(fields, name)


@pytest.mark.parametrize(
    "text", ["", "Anna", "Jean-Paul du\xa0Bois", "Ζωή 李 \U00010400", "a\u0301"]
)
def test_a_text_that_can_be_shown_is_given_back(text: str) -> None:
    """Names in any script may go to a terminal."""
    assert visible(text, "this") is text


@pytest.mark.parametrize(
    "value",
    [None, 1, ["a"], "a\nb", "\x1b[2J", "\t", "a\x9b", "\u202e", "\u200d", "\ud800", "\u3164"],
)
def test_a_text_that_drives_or_hides_is_refused(value: object) -> None:
    """Control, format and invisible symbols never get from a file to a terminal."""
    with pytest.raises(Malformed, match=r"^this is no text of visible symbols$"):
        visible(value, "this")
    with pytest.raises(Malformed, match=r"^this is no text of visible symbols$"):
        Fields({"this": value}, "all").text("this")
