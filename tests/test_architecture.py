"""The house's rules: what may import what, and what stands at the top level."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"torch", "diffusers", "transformers"}
TOP_LEVEL = {
    *("README.md", "LICENSE", "requirements.txt", "streamlit_app.py"),
    *("pages", "momalisa", "db", "tests"),
}
FLOORS = {
    5: {"streamlit_app", "momalisa.__main__"},
    4: {
        "pages",
        "momalisa.worker.worker",
        "momalisa.worker.process",
        "momalisa.cloud",
        "momalisa.atelier",
    },
    3: {"momalisa.ui", "momalisa.render", "momalisa.sync", "momalisa.worker.supervisor"},
    2: {
        *("momalisa.engine.walk", "momalisa.film.encode", "momalisa.storage", "momalisa.models"),
        *(
            "momalisa.engine.frame_cache",
            "momalisa.engine.sampling",
            "momalisa.engine.latents",
            "momalisa.engine.shortcuts",
        ),
        *("momalisa.storage.outbox", "momalisa.film.exports"),
    },
    1: {
        *(
            "momalisa.spec",
            "momalisa.pacing",
            "momalisa.engine.interpolation",
            "momalisa.engine.perception",
        ),
        *("momalisa.engine.even_pacing", "momalisa.settings", "momalisa.errors", "db"),
    },
}


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
    for node in list(ast.iter_child_nodes(tree)) if top_only else _walk_run(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                yield deeper if deeper in MODULES else node.module


def _walk_run(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        checked = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
        if not checked:
            yield child
            yield from _walk_run(child)


def floor(module: str) -> int | None:
    for number, rooms in FLOORS.items():
        if any(module == room or module.startswith(f"{room}.") for room in rooms):
            return number
    return None


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_room_has_a_floor_and_imports_only_go_down(module: str) -> None:
    if module == "momalisa":
        return
    here = floor(module)
    assert here is not None, f"{module} stands on no floor"
    for other in imports(MODULES[module]):
        below = floor(other)
        assert below is None or below <= here, f"{module} (floor {here}) imports {other} ({below})"


def test_nothing_goes_in_a_circle() -> None:
    graph = {m: {i for i in imports(p, top_only=True) if i in MODULES} for m, p in MODULES.items()}
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " imports ".join([*way, module])
        if module not in done:
            for other in graph[module]:
                visit(other, (*way, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("module", sorted(MODULES))
def test_streamlit_stays_in_the_shell_the_pages_and_the_ui(module: str) -> None:
    if module.startswith(("streamlit_app", "pages", "momalisa.ui")):
        return
    assert not any(name.split(".")[0] == "streamlit" for name in imports(MODULES[module]))


@pytest.mark.parametrize("module", [m for m in sorted(MODULES) if m.split(".")[0] == "db"])
def test_db_knows_nothing_of_momalisa(module: str) -> None:
    assert not any(name.startswith("momalisa") for name in imports(MODULES[module]))


@pytest.mark.parametrize("module", ["momalisa.pacing", "momalisa.engine.interpolation"])
def test_pacing_and_paths_import_no_project_code(module: str) -> None:
    assert not any(name in MODULES for name in imports(MODULES[module]))


def test_the_web_process_has_no_torch() -> None:
    """Import all that the web process imports, and look what came with it."""
    web = [m for m in MODULES if m.startswith(("momalisa.ui", "pages", "db"))]
    web += ["momalisa.worker.supervisor", "momalisa.models.registry", "momalisa.storage"]
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
