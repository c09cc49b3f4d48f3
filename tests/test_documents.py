"""What the documents name exists: files, functions, commands, links."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.__main__ import find_scenarios
from tests.test_architecture import LAYERS, MODULES, ROOT

ARCHITECTURE = ROOT / "momalisa" / "README.md"
CONTRIBUTING = ROOT / ".github" / "CONTRIBUTING.md"
DOCUMENTS = [
    *(ROOT / "README.md", ARCHITECTURE, ROOT / "momalisa" / "cloud" / "README.md"),
    *(CONTRIBUTING, ROOT / ".github" / "CHANGELOG.md"),
    *(ROOT / "tests" / "bench" / "README.md", ROOT / "tests" / "chaos" / "README.md"),
]
FOLDERS = (ROOT, ROOT / "momalisa")
"""Where a path or a module that a document names may start."""
DOTTED = re.compile(r"[a-z_]+(\.[A-Za-z_]+)+")
PATH = re.compile(r"[\w./-]*(/|\.py|\.txt|\.md)")
FILES = ("py", "md", "txt", "json", "toml", "db", "env")


def quoted(document: Path) -> Iterator[str]:
    """What stands between backticks, code blocks left out."""
    text = re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r"`([^`\n]+)`", text)


def is_path(text: str) -> bool:
    return PATH.fullmatch(text) is not None and "NAME" not in text


def is_dotted(text: str) -> bool:
    return DOTTED.fullmatch(text) is not None and text.rsplit(".", 1)[-1] not in FILES


def names_of(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """What a module or a class defines, by name."""
    names: dict[str, ast.stmt] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            elements = [e for t in targets for e in getattr(t, "elts", [t])]
            names |= {e.id: node for e in elements if isinstance(e, ast.Name)}
    return names


def exists(dotted: str) -> bool:
    """Whether a dotted name is a module of the project, or something that one defines."""
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        for module in (".".join(parts[:end]), ".".join(["momalisa", *parts[:end]])):
            if module in MODULES:
                return defines(MODULES[module], parts[end:])
    return False


def defines(path: Path, names: list[str]) -> bool:
    body = ast.parse(path.read_text()).body
    for name in names:
        node = names_of(body).get(name)
        if node is None:
            return False
        body = getattr(node, "body", [])
    return True


@pytest.mark.parametrize("document", [ARCHITECTURE, CONTRIBUTING], ids=lambda path: path.name)
def test_files_and_functions_exist(document: Path) -> None:
    names = list(quoted(document))
    paths = {name for name in names if is_path(name)}
    missing = {p for p in paths if not any((folder / p).exists() for folder in FOLDERS)}
    missing |= {n for n in names if is_dotted(n) and n not in paths and not exists(n)}
    assert not missing


def test_the_table_of_layers_is_the_one_that_is_kept() -> None:
    rows = re.findall(r"^\| (\d) \|.*\| (.*) \|$", ARCHITECTURE.read_text(), flags=re.MULTILINE)
    table = {int(number): re.findall(r"`([\w.]+?)(?:/|\.py)`", cells) for number, cells in rows}
    kept = {n: {p.removeprefix("momalisa.") for p in packages} for n, packages in LAYERS.items()}
    assert {number: set(names) for number, names in table.items()} == kept


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_links_lead_somewhere(document: Path) -> None:
    text = document.read_text()
    for module in re.findall(r"python3? -m ((?:momalisa|tests|db)[\w.]*)", text):
        path = ROOT.joinpath(*module.rstrip(".").split("."))
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
    for link in re.findall(r"\]\(([^)#\s]+)\)", text):
        assert "://" in link or (document.parent / link).exists(), link
    for path in re.findall(r"(?:-r|pytest) ((?:tests|momalisa)[\w./-]*)", text):
        assert (ROOT / path).exists(), path


def test_what_keeps_a_promise_exists() -> None:
    text = (ROOT / "README.md").read_text()
    table = text[text.index("| promise |") : text.index("[tests/chaos/README.md]")]
    kept = set()
    for row in table.strip().splitlines()[2:]:
        tests = re.findall(r"`(tests/[^`]+)`", row.split("|")[2])
        assert tests, row
        for path in tests:
            assert (ROOT / path).exists(), path
        kept |= set(re.findall(r"`([^`]+)`", row.split("|")[3]))
    assert kept == find_scenarios().keys()


def test_shell_scripts_are_clean() -> None:
    scripts = [ROOT / ".ci" / "run", ROOT / ".ci" / "install-system"]
    shellcheck = Path(sys.executable).parent / "shellcheck"
    subprocess.run([shellcheck, *scripts], check=True)


def test_the_workflow_is_one_that_github_reads() -> None:
    schema = ["--builtin-schema", "vendor.github-workflows"]
    workflow = ROOT / ".github" / "workflows" / "tests.yml"
    subprocess.run([sys.executable, "-m", "check_jsonschema", *schema, workflow], check=True)
