"""The Dockerfile, tested without Docker: linted, and its copied files run as its command says."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from urllib.request import Request

from momalisa.settings import CHECKOUT
from tests.support.container import answer_of
from tests.support.waiting import wait_until

DOCKERFILE = CHECKOUT / "momalisa" / "cloud" / "Dockerfile"
LINES = DOCKERFILE.read_text().replace("\\\n", " ").splitlines()


def instructions(name: str) -> list[str]:
    """The arguments of each instruction of this name in the Dockerfile."""
    return [line.removeprefix(name).strip() for line in LINES if line.startswith(f"{name} ")]


def is_ignored(path: Path) -> bool:
    """Whether .dockerignore excludes a path of the checkout."""
    relative = path.relative_to(CHECKOUT)
    excluded = False
    for rule in Path(f"{DOCKERFILE}.dockerignore").read_text().splitlines():
        pattern = rule.removeprefix("!")
        names = [relative, *relative.parents][:-1]
        if rule and not rule.startswith("#") and any(_matches(name, pattern) for name in names):
            excluded = not rule.startswith("!")
    return excluded


def _matches(name: Path, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch(name.name, pattern.removeprefix("**/"))
    return name.as_posix() == pattern or (pattern == "*" and len(name.parts) == 1)


def copy_files(folder: Path) -> Path:
    """Copy to a folder what the COPY instructions copy to the image; returns the folder."""
    for arguments in instructions("COPY"):
        *sources, target = arguments.split()
        for source in sources:
            path = CHECKOUT / source
            assert path.exists(), f"COPY {source}: no such file"
            into = folder / target / (path.name if path.is_file() else "")
            if path.is_file():
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, into)
            else:
                _copy_tree(path, folder / target)
    return folder


def _copy_tree(source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        if path.is_file() and not is_ignored(path):
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)


def test_dockerfile_passes_the_linter() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    linted = subprocess.run([linter, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")


def test_base_is_pinned_and_user_is_not_root() -> None:
    (base,) = instructions("FROM")
    assert re.fullmatch(r"python:3\.11(\.\d+)?-slim-\w+(@sha256:[0-9a-f]{64})?", base)
    assert instructions("USER") == ["1000"]


def test_copied_files_suffice_to_serve(port: int, tmp_path: Path) -> None:
    image = copy_files(tmp_path / "app")
    assert not (image / "momalisa" / "ui").exists()
    assert (image / "momalisa" / "models" / "atelier" / "model_index.json").is_file()
    *_, command = instructions("CMD")
    words = re.findall(r'"([^"]+)"', command)
    home = {"MOMALISA_HOME": str(tmp_path / "data"), "AIP_HTTP_PORT": f"{port}"}
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment = clean | home | {"PYTHONPATH": str(image)}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *words[1:]], cwd=image, env=environment, stdout=log, stderr=log
        )

    def answers() -> bool:
        assert process.poll() is None, (tmp_path / "log").read_text()
        with suppress(OSError):
            return answer_of(Request(f"http://127.0.0.1:{port}/health")).status == 200
        return False

    def healthy() -> bool:
        check = re.findall(r'"([^"]+)"', instructions("HEALTHCHECK")[0])
        checked = subprocess.run(
            [sys.executable, *check[1:]], cwd=image, env=environment, check=False
        )
        return checked.returncode == 0

    try:
        assert not healthy()
        wait_until(answers, 120)  # the command itself would be a process each time
        assert healthy()
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()
