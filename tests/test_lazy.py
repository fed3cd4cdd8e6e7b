"""Lazy package roots: each offers the same names to the type checker and at run time."""

import ast
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

import dinogen.data
from tests.conftest import ROOT

SOURCE = ROOT / "src" / "dinogen"
ROOTS = sorted(
    path for path in SOURCE.rglob("__init__.py") if "lazy_exports" in path.read_text("utf-8")
)


@pytest.mark.parametrize("path", ROOTS, ids=lambda path: path.parent.name)
def test_both_lists_are_equal(path: Path) -> None:
    """The names under TYPE_CHECKING are those of the mapping, and each can be imported."""
    package = ".".join(path.parent.relative_to(SOURCE.parent).parts)
    root = import_module(package)
    checked = [
        (f"{node.module}", alias.name)
        for block in ast.parse(path.read_text("utf-8")).body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    assert sorted(name for _, name in checked) == root.__all__
    assert set(root.__all__) <= set(dir(root))
    for module, name in checked:
        assert getattr(root, name) is getattr(import_module(module), name)


@pytest.mark.parametrize("path", ROOTS, ids=lambda path: path.parent.name)
def test_no_name_is_that_of_a_submodule(path: Path) -> None:
    """Importing a submodule sets it as an attribute, which would hide a name of the root."""
    package = ".".join(path.parent.relative_to(SOURCE.parent).parts)
    submodules = {module.name for module in iter_modules([str(path.parent)])}
    assert not submodules & set(import_module(package).__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A root without the name raises the usual error."""
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = dinogen.data.nonsense
