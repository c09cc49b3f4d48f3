"""Fixtures of all tests: an empty home, and a tiny pipeline with random weights."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from db.session import get_engine
from momalisa.settings import Settings
from tests.support import pipelines
from tests.support.databases import create_sqlite
from tests.support.network import kept_port
from tests.support.pipelines import PipelineMaker

# Threads that wait should sleep: spinning ones starve the other processes of a test.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("without deadlines", deadline=None)
hypothesis.settings.load_profile("without deadlines")


LONGEST = ("test_losses", "test_types")
"""Files with a test that takes over a minute."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start the slowest tests first, so that no process runs alone at the end.

    Those marked `online` are left out unless -m names them.
    """
    if "online" not in config.getoption("markexpr"):
        online = [item for item in items if item.get_closest_marker("online")]
        items[:] = [item for item in items if item not in online]
        config.hook.pytest_deselected(items=online)
    items.sort(key=lambda item: item.path.stem not in LONGEST)


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what was imported, a million objects, from here on."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """The settings of an empty home with a migrated database."""
    settings = Settings(home=tmp_path)
    create_sqlite(settings.database)
    yield settings
    get_engine(settings.database).dispose()


@pytest.fixture
def port() -> Iterator[int]:
    """A port for a server whose address is known before it starts, or that starts twice."""
    with kept_port() as port:
        yield port


@pytest.fixture(scope="session")
def make_pipeline(tmp_path_factory: pytest.TempPathFactory) -> PipelineMaker:
    """Write a tiny pipeline into a new folder: `make_pipeline(scheduler, seed)`."""

    def _make(scheduler: Any = None, seed: int = 0) -> Path:
        return pipelines.make_pipeline(tmp_path_factory.mktemp("pipeline"), scheduler, seed)

    return _make


@pytest.fixture(scope="session")
def tiny(make_pipeline: PipelineMaker) -> Any:
    """The tiny pipeline, loaded onto the CPU."""
    from momalisa.models.registry import load

    return load(str(make_pipeline()), "cpu")
