"""A blank history and an empty house for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.session import engine_for, migrate
from momalisa.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(home=tmp_path)
    migrate(settings.database)
    yield settings
    engine_for(settings.database).dispose()
