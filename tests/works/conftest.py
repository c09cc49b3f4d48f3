"""Fixtures: the museums' stand-in, and a home that asks it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from momalisa.settings import settings
from tests.support.museum_stand_in import StandIn, asked_here


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The museums, on this machine; the command line's home is `tmp_path / "home"`."""
    with asked_here(tmp_path, tmp_path / "home", monkeypatch) as server:
        monkeypatch.setenv("MOMALISA_HOME", str(tmp_path / "home"))
        monkeypatch.chdir(tmp_path)
        settings.cache_clear()
        yield server
    settings.cache_clear()
