"""Lazy package roots: a name is imported when it is first used (PEP 562)."""

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any


def lazy_exports(
    package: str, modules: Mapping[str, Iterable[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Build the functions with which a package root offers names of its modules.

    ``dinogen --help`` then does not import NumPy. A module can move, and imports from the root
    still work.

    Args:
        package: the ``__name__`` of the root.
        modules: the names that each module offers, by module, relative to the root. A name must
            differ from every direct submodule: importing the submodule would overwrite it.

    Returns:
        The root's ``__getattr__``, ``__dir__`` and ``__all__``.
    """
    module_of = {name: module for module, names in modules.items() for name in names}
    exported = sorted(module_of)

    def get(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{module_of[name]}"), name)

    return get, lambda: exported, exported
