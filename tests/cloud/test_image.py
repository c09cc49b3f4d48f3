"""The image, as far as it can be tested where no Docker runs."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path

from momalisa.settings import CHECKOUT
from tests.support.network import free_port
from tests.support.waiting import wait_until

DOCKERFILE = CHECKOUT / "momalisa" / "cloud" / "Dockerfile"
LINES = DOCKERFILE.read_text().replace("\\\n", " ").splitlines()


def instructions(name: str) -> list[str]:
    return [line.removeprefix(name).strip() for line in LINES if line.startswith(f"{name} ")]


def ignored(path: Path) -> bool:
    """Whether the builder does not get a path of the checkout."""
    relative = path.relative_to(CHECKOUT)
    verdict = False
    for rule in Path(f"{DOCKERFILE}.dockerignore").read_text().splitlines():
        pattern = rule.removeprefix("!")
        names = [relative, *relative.parents][:-1]
        if rule and not rule.startswith("#") and any(_fits(name, pattern) for name in names):
            verdict = not rule.startswith("!")
    return verdict


def _fits(name: Path, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch(name.name, pattern.removeprefix("**/"))
    return name.as_posix() == pattern or (pattern == "*" and len(name.parts) == 1)


def built(folder: Path) -> Path:
    """What the COPY instructions put into the image, put into a folder."""
    for copied in instructions("COPY"):
        *sources, target = copied.split()
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
        if path.is_file() and not ignored(path):
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)


def test_linter_finds_nothing() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([linter, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_base_is_pinned_and_nobody_is_root() -> None:
    (base,) = instructions("FROM")
    assert re.fullmatch(r"python:3\.11(\.\d+)?-slim-\w+(@sha256:[0-9a-f]{64})?", base)
    assert instructions("USER") == ["1000"]


def test_what_is_copied_serves_without_the_rest(tmp_path: Path) -> None:
    image = built(tmp_path / "app")
    assert not (image / "momalisa" / "ui").exists()
    assert (image / "momalisa" / "models" / "atelier" / "model_index.json").is_file()
    *_, last = instructions("CMD")
    words = re.findall(r'"([^"]+)"', last)
    port = str(free_port())
    home = {"MOMALISA_HOME": str(tmp_path / "data"), "AIP_HTTP_PORT": port}
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment = clean | home | {"PYTHONPATH": str(image)}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *words], cwd=image, env=environment, stdout=log, stderr=log
        )

    def healthy() -> bool:
        assert process.poll() is None, (tmp_path / "log").read_text()
        check = re.findall(r'"([^"]+)"', instructions("HEALTHCHECK")[0])
        found = subprocess.run(
            [sys.executable, *check[1:]], cwd=image, env=environment, check=False
        )
        return found.returncode == 0

    try:
        assert not healthy()
        wait_until(healthy, 120)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()
