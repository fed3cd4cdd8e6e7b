"""The layout is the explanation: imports point one way, and few know of screens."""

import ast
import re
from pathlib import Path

import pytest

import dinogen
from tests.conftest import ROOT

SOURCE = ROOT / "src" / "dinogen"

LAYERS = (
    "version",
    "errors",
    "bounds",
    "streams",
    "threads",
    "text",
    "models",
    "checkpoint",
    "training",
    "inspection",
    "cli",
)
"""Each may import what stands before it, and itself."""

ALLOWED = {layer: set(LAYERS[: i + 1]) for i, layer in enumerate(LAYERS)}
# Generation asks a model its one question, whoever made or saved it.
ALLOWED["generation"] = {*LAYERS[1:6], "models", "generation"}
# A checkpoint can be asked for names, and hands that on.
for layer in ("checkpoint", "cli"):
    ALLOWED[layer] |= {"generation"}

MODULES = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))


def imports(path: Path) -> set[str]:
    """All modules that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse((SOURCE / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(str(node.module))
    return found


@pytest.mark.parametrize(
    "path", [m for m in MODULES if len(m.parts) > 1 or m.stem in ALLOWED], ids=str
)
def test_imports_point_one_way(path: Path) -> None:
    """A module imports from its own layer and from those before it, and from no other."""
    layer = path.parts[0].removesuffix(".py")
    assert "dinogen" not in imports(path), "the package itself names everything"
    reached = {name.split(".")[1] for name in imports(path) if name.startswith("dinogen.")}
    assert reached <= ALLOWED[layer]


def test_within_a_layer_there_are_no_cycles() -> None:
    """No module imports, over however many others, itself."""
    graph = {
        ".".join(("dinogen", *path.with_suffix("").parts)).removesuffix(".__init__"): {
            name for name in imports(path) if name.startswith("dinogen")
        }
        for path in MODULES
        if path != Path("__init__.py")  # it names everything, lazily, and nothing imports it back
    }

    def reach(module: str, seen: set[str]) -> set[str]:
        for following in graph.get(module, set()) - seen:
            seen |= {following}
            seen |= reach(following, seen)
        return seen

    assert [module for module in graph if module in reach(module, set())] == []


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_only_the_command_line_knows_of_screens(path: Path) -> None:
    """Nothing outside `cli` imports click, rich or tqdm, prints, or writes to a stream."""
    if path.parts[0] == "cli":
        return
    assert not {name.split(".")[0] for name in imports(path)} & {"click", "rich", "tqdm"}
    text = (SOURCE / path).read_text(encoding="utf-8")
    assert not re.search(r"\bprint\(|sys\.stdout|sys\.stderr", text)


def test_generation_sees_no_network() -> None:
    """Sampling and scoring import the protocol alone, never a model that implements it."""
    for path in MODULES:
        if path.parts[0] == "generation":
            models = {name for name in imports(path) if name.startswith("dinogen.models")}
            # N-grams of a model's own names look ahead for it: they, too, know it by its answers.
            own = {"course.py": {"dinogen.models.grams", "dinogen.models.ngram"}}
            protocol = {"dinogen.models.language_model", "dinogen.models.likelihood"}
            assert models <= protocol | own.get(path.name, set())
    for path in (Path("models/language_model.py"), Path("models/likelihood.py")):
        models = {name for name in imports(path) if name.startswith("dinogen.models")}
        assert models <= {"dinogen.models.language_model"}


def test_no_global_random_state() -> None:
    """Only the classic recipe uses the legacy generators, and it seeds objects of its own."""
    for path in MODULES:
        text = (SOURCE / path).read_text(encoding="utf-8")
        legacy = set(re.findall(r"np\.random\.(?!Generator|Philox)(\w+)", text))
        assert legacy <= ({"RandomState"} if path.name == "classic.py" else set()), path


def test_nothing_is_ever_unpickled() -> None:
    """No module allows pickles, and none imports the module for them."""
    for path in MODULES:
        assert "pickle" not in imports(path)
        assert "allow_pickle=True" not in (SOURCE / path).read_text(encoding="utf-8")


def test_public_names_are_sorted_and_there() -> None:
    """Every public name can be had, they stand in order, and no other is invented."""
    assert dinogen.__all__ == sorted(dinogen.__all__)
    for name in dinogen.__all__:
        assert getattr(dinogen, name).__name__ == name
    assert set(dinogen.__all__) <= set(dir(dinogen))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = dinogen.nonsense
