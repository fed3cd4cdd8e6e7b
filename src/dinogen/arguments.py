"""Keyword arguments of the library: what is unknown or of a wrong type is refused at once.

Type hints declare them, so that a type checker and a running program refuse the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from os import PathLike, fspath
from reprlib import repr as shorten
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from dinogen.bounds import in_words, is_number
from dinogen.errors import SettingError


def refuse_unknown(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Refuse the first name that is not known.

    Args:
        given: the names that were given.
        known: the names that there are.
        what: what they name, with an article.

    Raises:
        SettingError: if there is one; the message proposes a known name like it.
    """
    known = [*known]
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SettingError(f"{name} is not {what}{hint}")


def convert_all(given: Mapping[str, object], hints: Mapping[str, Any]) -> dict[str, Any]:
    """Convert arguments by their type hints; see `convert`."""
    return {name: convert(name, value, hints[name]) for name, value in given.items()}


def convert(name: str, value: object, hint: Any) -> Any:
    """Return the value of an argument as its type hint says.

    Numbers of NumPy become numbers of Python. Of several texts, a tuple is made; a ``str`` is one
    text.

    Args:
        name: the name of the argument.
        value: its value.
        hint: a bool, int, float, str, path, `Literal` or sequence of str, or a union of these.

    Raises:
        SettingError: for a value of another type.
    """
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    for kind in kinds:
        converted = _convert(value, kind)
        if converted is not None or (kind is NoneType and value is None):
            return converted
    wanted = " or ".join(_describe(kind) for kind in kinds if kind is not NoneType)
    raise SettingError(f"{in_words(name)} must be {wanted}, not {shorten(value)}")


def as_path(name: str, value: object) -> str:
    """Return a path as a text.

    Raises:
        SettingError: for anything but a text or a path, and for an empty text.
    """
    path = fspath(value) if isinstance(value, str | PathLike) else None
    if not isinstance(path, str):
        raise SettingError(f"{name} must be a path, not {shorten(value)}")
    if not path:
        raise SettingError(f"{name} is empty; name a file")
    return path


def as_items(name: str, value: object, kind: str) -> list[Any]:
    """Return the items of a list.

    Raises:
        SettingError: for what has no items.
    """
    if not isinstance(value, Iterable):
        raise SettingError(f"{name} must be {kind}, not {shorten(value)}")
    return [*value]


def _convert(value: Any, kind: Any) -> Any:
    """Return a value as one of the kinds that `convert` knows; None if it is of another one."""
    if kind is bool:
        return value if isinstance(value, bool) else None
    if kind is int:
        return int(value) if is_number(value, whole=True) else None
    if kind is float:
        # A whole number too large for a float is refused by its bounds.
        return (
            (value if is_number(value, whole=True) else float(value)) if is_number(value) else None
        )
    if kind is str:
        return str(value) if isinstance(value, str) else None
    if kind is PathLike or get_origin(kind) is PathLike:
        return fspath(value) if isinstance(value, PathLike) else None
    if get_origin(kind) is Literal:
        return value if isinstance(value, str) and value in get_args(kind) else None
    if get_origin(kind) is Sequence:
        return _as_texts(value)
    return None


def _as_texts(value: Any) -> tuple[str, ...] | None:
    """Return one text or several as a tuple; None for anything else."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, Iterable):
        return None
    texts = tuple(value)
    return texts if all(isinstance(text, str) for text in texts) else None


def _describe(kind: Any) -> str:
    """Return what a kind is called in messages."""
    if get_origin(kind) is Literal:
        return " or ".join(map(repr, get_args(kind)))
    if get_origin(kind) is Sequence:
        return "a text or a list of texts"
    if get_origin(kind) is PathLike:
        return "a path"
    names = {bool: "True or False", int: "a whole number", float: "a number", str: "a text"}
    return names[kind]
