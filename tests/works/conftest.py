"""Fixtures: the museums' stand-in, and a home that asks it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from momalisa.settings import settings
from momalisa.works import fetching
from momalisa.works.collection import close_museums
from tests.support.museum_stand_in import StandIn, environment, running_stand_in


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The museums, on this machine; the command line's home is `tmp_path / "home"`."""
    with running_stand_in(tmp_path) as server:
        for name, value in environment(server).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("MOMALISA_HOME", str(tmp_path / "home"))
        monkeypatch.setattr(fetching, "FIRST_PAUSE", 0.01)
        monkeypatch.setattr(fetching, "LONGEST_PAUSE", 0.01)
        monkeypatch.chdir(tmp_path)
        settings.cache_clear()
        yield server
        close_museums(tmp_path / "home")
    settings.cache_clear()
