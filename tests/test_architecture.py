"""Laws of the code base: imports, the top level, sizes of files and functions, and words."""

import ast
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from momalisa.models.cards import FAMILIES

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"torch", "diffusers", "transformers"}
TOP_LEVEL = {
    *("README.md", "LICENSE", "requirements.txt", "streamlit_app.py"),
    *("pages", "momalisa", "db", "tests"),
}
LAYERS: dict[int, set[str]] = {
    7: {"streamlit_app", "pages", "momalisa.__main__", "momalisa.commands"},
    6: {"momalisa.ui"},
    5: {"momalisa.worker", "momalisa.cloud", "momalisa.atelier", "momalisa.health"},
    4: {
        "momalisa.render",
        "momalisa.deletion",
        "momalisa.number_claims",
        "momalisa.number_marks",
        "momalisa.records",
        "momalisa.sync",
        "momalisa.repair",
        "momalisa.film_intake",
        "momalisa.stored_films",
        "momalisa.store_folder",
        "momalisa.stop_pictures",
        "momalisa.works",
    },
    3: {"momalisa.film", "momalisa.models", "momalisa.storage"},
    2: {
        *("momalisa.engine", "momalisa.settings", "momalisa.spec", "momalisa.result"),
        *(
            "momalisa.walk_cost",
            "momalisa.logs",
            "momalisa.stop",
            "momalisa.field_checks",
            "momalisa.frame_stops",
        ),
        *("momalisa.picture_size", "momalisa.loras", "momalisa.prompt_weights"),
    },
    1: {
        *("momalisa.pacing", "momalisa.errors", "momalisa.backoff", "momalisa.files", "db"),
        *(
            "momalisa.limited_process",
            "momalisa.open_files",
            "momalisa.host_names",
            "momalisa.connection_limits",
        ),
    },
}
"""The highest first. A module may import from its own layer and from lower ones."""
FOREIGN_TO = {
    "db": ("momalisa",),
    "momalisa.engine": ("momalisa.models", "momalisa.storage", "momalisa.ui", "db"),
}
"""What a package may not import besides."""
LONGEST_FILE, LONGEST_FUNCTION = 350, 50
"""In lines."""
PRIVATE_WORDS = re.compile(
    "porter|herald|easel|mishap|lobby|connoisseur|nobody|whoever|somebody", re.IGNORECASE
)
"""Words that once were names here and that no reader knows; the screen may use them."""
FOREIGN_NAMES = re.compile("ImportError|TransportError")
"""Names of Python and of google.auth that hold one of these words."""


def sources() -> dict[str, Path]:
    """Every module of the project by its dotted name, tests and migrations left out."""
    found = [ROOT / "streamlit_app.py"]
    for folder in ("pages", "momalisa", "db"):
        found += [p for p in (ROOT / folder).rglob("*.py") if "migrations" not in p.parts]
    names = {p.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): p for p in found}
    return {name.removesuffix(".__init__"): path for name, path in names.items()}


MODULES = sources()


def imports(path: Path, *, top_only: bool = False) -> Iterator[str]:
    """The dotted names a file imports; what is only for type checkers is left out."""
    tree = ast.parse(path.read_text())
    for node in list(ast.iter_child_nodes(tree)) if top_only else nodes_that_run(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                yield deeper if deeper in MODULES else node.module


def nodes_that_run(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        types_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
        for part in child.orelse if types_only and isinstance(child, ast.If) else [child]:
            yield part
            yield from nodes_that_run(part)


def is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def layer(module: str) -> int | None:
    for number, packages in LAYERS.items():
        if any(is_in(module, package) for package in packages):
            return number
    return None


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_module_has_a_layer_and_imports_only_go_down(module: str) -> None:
    if module == "momalisa":
        return
    here = layer(module)
    assert here is not None, f"{module} is in no layer"
    for other in imports(MODULES[module]):
        below = layer(other)
        assert below is None or below <= here, f"{module} (layer {here}) imports {other} ({below})"


def test_no_imports_go_in_a_circle() -> None:
    """Imports inside of functions count as well."""
    graph = {m: {i for i in imports(p) if i in MODULES} - {m} for m, p in MODULES.items()}
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " imports ".join([*way, module])
        if module not in done:
            for other in sorted(graph[module]):
                visit(other, (*way, module))
            done.add(module)

    for module in sorted(graph):
        visit(module, ())


@pytest.mark.parametrize("module", sorted(MODULES))
def test_streamlit_stays_in_the_shell_the_pages_and_the_ui(module: str) -> None:
    if module.startswith(("streamlit_app", "pages", "momalisa.ui")):
        return
    assert not any(is_in(name, "streamlit") for name in imports(MODULES[module]))


@pytest.mark.parametrize(("package", "foreign"), FOREIGN_TO.items())
def test_a_package_imports_nothing_that_is_foreign_to_it(
    package: str, foreign: tuple[str, ...]
) -> None:
    for module in (m for m in sorted(MODULES) if is_in(m, package)):
        found = [n for n in imports(MODULES[module]) if any(is_in(n, f) for f in foreign)]
        assert not found, f"{module} imports {', '.join(found)}"


@pytest.mark.parametrize("module", ["momalisa.pacing", "momalisa.engine.interpolation"])
def test_pure_numbers_import_no_project_code(module: str) -> None:
    assert not any(name in MODULES for name in imports(MODULES[module]))


def test_only_the_engines_schedulers_name_classes_of_diffusers() -> None:
    for module in (m for m in sorted(MODULES) if is_in(m, "momalisa.engine")):
        heavy = [n for n in imports(MODULES[module]) if is_in(n, "diffusers")]
        assert not heavy or module == "momalisa.engine.schedulers", f"{module} imports diffusers"


def test_no_model_family_is_named_outside_models() -> None:
    adapters = {family.module for family in FAMILIES.values()}
    for module, path in MODULES.items():
        if not is_in(module, "momalisa.models"):
            assert not adapters & set(imports(path)), f"{module} imports a family's adapter"


def test_an_adapter_is_a_small_file() -> None:
    for family in FAMILIES.values():
        lines = MODULES[family.module].read_text("utf-8").count("\n")
        assert lines <= 120, f"{family.module} has {lines} lines"


def test_the_web_process_has_no_torch() -> None:
    """Import all that the web process imports, and look what came with it."""
    web = [m for m in MODULES if m.startswith(("momalisa.ui", "momalisa.works", "pages", "db"))]
    web += ["streamlit_app", "momalisa.worker.supervisor", "momalisa.worker.courier"]
    web += ["momalisa.models.registry", "momalisa.storage"]
    files = [MODULES[m] for m in web]
    wanted = sorted({name for path in files for name in imports(path, top_only=True)})
    code = (
        f"import importlib, sys\nfor name in {wanted!r}: importlib.import_module(name)\n"
        f"found = {HEAVY!r} & set(sys.modules)\nassert not found, found"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_top_level_is_the_clients() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    visible = {name.split("/")[0] for name in listed if name and not name.startswith(".")}
    assert visible <= TOP_LEVEL


def python_files() -> list[Path]:
    """Every file of the project and its tests, migrations left out."""
    files = [*MODULES.values(), *(ROOT / "tests").rglob("*.py")]
    return sorted(path for path in files if "migrations" not in path.parts)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_helpers_are_imported_from_support_and_not_from_a_conftest() -> None:
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(alias.name for alias in node.names)]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            assert not any(name.split(".")[-1] == "conftest" for name in names), name_of(path)


def test_no_file_is_too_long() -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in python_files()}
    long = {name for name, lines in lengths.items() if lines > LONGEST_FILE}
    assert long == set()


def test_no_function_is_too_long() -> None:
    long = {
        f"{name_of(path)}:{node.name}"
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    }
    assert long == set()


def words_of(path: Path) -> Iterator[str]:
    """The names, comments and docstrings of a file; no other strings."""
    with tokenize.open(path) as file:
        for token in tokenize.generate_tokens(file.readline):
            if token.type in (tokenize.NAME, tokenize.COMMENT):
                yield token.string
    for node in ast.walk(ast.parse(path.read_text())):
        # A string that is a statement is a docstring, of a constant or field too.
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


def test_names_and_docstrings_have_no_words_of_a_private_language() -> None:
    private = {
        name_of(path)
        for path in MODULES.values()
        if any(PRIVATE_WORDS.search(FOREIGN_NAMES.sub("", text)) for text in words_of(path))
    }
    assert private == set()
