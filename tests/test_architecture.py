"""The architecture: layers, no cycles, and what only some modules may use."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dinogen
from tests.conftest import ROOT, environment

SOURCE = ROOT / "src" / "dinogen"

LAYERS = (
    {"version"},
    {"errors"},
    {"bounds"},
    {"arguments"},
    {"bundled"},
    {"lazy"},
    {"rng"},
    {"threads"},
    {"data"},
    {"models"},
    {"generation"},
    {"checkpoint"},
    {"training", "inspection"},
    {"model"},
    {"blending", "learning"},
    {"cli"},
    {"__main__"},
)
"""Each imports from itself and from those before it. Two layers in one set are independent."""


def module_name(path: Path) -> str:
    """Return the name of the module in a file below `SOURCE`."""
    name = ".".join(("dinogen", *path.relative_to(SOURCE).with_suffix("").parts))
    return name.removesuffix(".__init__")


FILES = {module_name(path): path for path in sorted(SOURCE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in FILES.items()}
PACKAGES = {name for name, path in FILES.items() if path.name == "__init__.py"}

modules = pytest.mark.parametrize("module", FILES)


def layer(module: str) -> str:
    """Return the layer of a module."""
    return module.split(".")[1]


def imports(tree: ast.AST) -> set[str]:
    """Return the modules that are imported anywhere in a syntax tree."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            found.add(str(node.module))
    return found


def own_imports(module: str) -> set[str]:
    """Return the modules of dinogen that a module imports."""
    return {name for name in imports(TREES[module]) if name.split(".")[0] == "dinogen"}


def packages_used(tree: ast.AST) -> set[str]:
    """Return the packages outside of dinogen that are imported anywhere in a syntax tree."""
    return {name.split(".")[0] for name in imports(tree)} - {"dinogen"}


@pytest.mark.parametrize("module", sorted(FILES.keys() - {"dinogen"}))
def test_imports_point_one_way(module: str) -> None:
    """A module imports from its own layer and from those before it."""
    position = next(i for i, group in enumerate(LAYERS) if layer(module) in group)
    allowed = {layer(module)}.union(*LAYERS[:position])
    assert "dinogen" not in own_imports(module), "the package itself offers everything"
    assert {layer(name) for name in own_imports(module)} <= allowed


def test_every_module_has_a_layer() -> None:
    """No layer is listed twice, and none is missing."""
    listed = [name for group in LAYERS for name in group]
    assert sorted(listed) == sorted({layer(name) for name in FILES if name != "dinogen"})


@modules
def test_modules_are_imported_by_their_full_path(module: str) -> None:
    """Inside the package nothing is imported from a package root: the reader sees the module."""
    assert own_imports(module) <= FILES.keys() - PACKAGES


def test_there_are_no_cycles() -> None:
    """No module imports itself by way of others. Imports for the type checker count, too."""
    # A package root offers its modules lazily, and no module imports a root.
    graph = {name: own_imports(name) for name in FILES if name not in PACKAGES}

    def reached(module: str) -> Iterator[str]:
        seen: set[str] = set()
        waiting = [*graph[module]]
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += graph[name]
        yield from seen

    assert [module for module in graph if module in reached(module)] == []


@modules
def test_only_the_command_line_knows_about_screens(module: str) -> None:
    """No other layer imports click, rich or tqdm, prints, or writes to a standard stream."""
    if module != "dinogen" and layer(module) == "cli":
        return
    assert not packages_used(TREES[module]) & {"click", "rich", "tqdm"}
    calls = {node.func for node in ast.walk(TREES[module]) if isinstance(node, ast.Call)}
    assert not {call.id for call in calls if isinstance(call, ast.Name)} & {"print", "input"}
    assert not re.search(r"sys\.(stdout|stderr|stdin)\.write", FILES[module].read_text("utf-8"))
    assert not re.search(r"sys\.(stdout|stderr)", FILES[module].read_text("utf-8"))


PROTOCOL = {"dinogen.models.language_model", "dinogen.models.scoring"}
NGRAMS = {"dinogen.models.ngram.counts", "dinogen.models.ngram.kneser_ney"}


@pytest.mark.parametrize("module", [m for m in FILES if m.startswith("dinogen.generation")])
def test_generation_knows_only_the_protocol(module: str) -> None:
    """It never imports a model that it samples. Lookahead counts n-grams of its own."""
    allowed = PROTOCOL | (NGRAMS if module == "dinogen.generation.constrained.lookahead" else set())
    used = {name for name in own_imports(module) if layer(name) == "models"}
    assert used <= allowed


def test_the_protocol_knows_no_model() -> None:
    """Scoring, too, works with any language model."""
    for module in PROTOCOL:
        used = {name for name in own_imports(module) if layer(name) == "models"}
        assert used <= {"dinogen.models.language_model"}


@modules
def test_no_global_random_state(module: str) -> None:
    """Only the classic recipe uses legacy generators, and it seeds objects of its own."""
    assert "random" not in packages_used(TREES[module])
    text = FILES[module].read_text("utf-8")
    legacy = set(re.findall(r"np\.random\.(?!Generator|Philox)(\w+)", text))
    assert legacy <= ({"RandomState"} if module == "dinogen.training.classic" else set())


@modules
def test_nothing_is_ever_unpickled(module: str) -> None:
    """No module uses pickle, or a package that loads pickles."""
    assert not packages_used(TREES[module]) & {"pickle", "marshal", "shelve", "dill", "joblib"}
    text = FILES[module].read_text("utf-8")
    assert "allow_pickle=True" not in text
    assert "np.load(" not in text


LATE = {
    "dinogen.generation.namer": {
        "dinogen.generation.constrained.constraints",
        "dinogen.generation.constrained.planning",
    },
    "dinogen.model": {
        "dinogen.checkpoint.writing",
        "dinogen.generation.writer",
        "dinogen.inspection.passages",
        "dinogen.inspection.scores",
        "dinogen.inspection.wording",
    },
    "dinogen.threads": {"threadpoolctl"},
}
"""What modules import inside functions, because sampling a few names does not need it."""


@modules
def test_imports_stand_at_the_top(module: str) -> None:
    """Only the command line imports modules inside functions, so that its help is fast, and `LATE`.

    So a list of seven names is not delayed by what they do not need.
    """
    if module == "dinogen.__main__" or (module != "dinogen" and layer(module) == "cli"):
        return
    late: set[str] = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            late |= imports(node)
    outside = {name for name in late if name.split(".")[0] not in sys.stdlib_module_names}
    assert outside == LATE.get(module, set())


def test_package_roots_are_lazy() -> None:
    """Importing all roots does not import NumPy."""
    code = f"import sys, {', '.join(sorted(PACKAGES))}; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env=environment(), check=True)


def test_public_names() -> None:
    """Every public name exists, the names are sorted, and an unknown name is an error."""
    assert dinogen.__all__ == sorted(dinogen.__all__)
    for name in dinogen.__all__:
        assert getattr(dinogen, name).__name__ == name
    assert set(dinogen.__all__) <= set(dir(dinogen))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = dinogen.nonsense


ROOTS = {name for name in FILES if name.count(".") < 2} | {"dinogen.cli.views"}
"""What tests import: package roots, and single modules beside them."""

TESTS = sorted(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))


@pytest.mark.parametrize("path", TESTS, ids=str)
def test_tests_import_from_package_roots(path: Path) -> None:
    """So a module can move without a change of the tests. Names in texts count, too."""
    text = (ROOT / path).read_text("utf-8")
    used = {name for name in imports(ast.parse(text)) if name.split(".")[0] == "dinogen"}
    assert used <= ROOTS
    if path.name != Path(__file__).name:
        named = re.findall(r"\bdinogen(?:\.\w+)*", text)
        prefixes = {name[:end] for name in named for end in dots(name)}
        assert not prefixes & (FILES.keys() - ROOTS)


def dots(name: str) -> list[int]:
    """Return where the prefixes of a dotted name end."""
    return [match.start() for match in re.finditer(r"\.|$", name)]
