"""A blank history for each test, and a quick way to ask for a walk."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from db import queue, walks
from db.models import Walk
from db.session import get_engine, writing
from tests.support.databases import (
    Databases,
    PostgreSQL,
    SQLite,
    postgresql_programs,
    running_postgresql,
)
from tests.support.walks import SPEC


@pytest.fixture(scope="session")
def server() -> Iterator[PostgreSQL]:
    if programs := postgresql_programs():
        with running_postgresql(programs) as server:
            yield server
    else:
        sentence = "PostgreSQL is not installed: apt-get install postgresql"
        pytest.fail(sentence) if os.environ.get("CI") else pytest.skip(sentence)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> SQLite:
    return SQLite(tmp_path_factory.mktemp("histories"))


@pytest.fixture(scope="session", params=["files", "server"], ids=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Databases:
    """Both kinds of database, one after the other."""
    found: Databases = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    address = databases.fresh()
    yield address
    get_engine(address).dispose()


@pytest.fixture
def blank(databases: Databases) -> Iterator[str]:
    address = databases.blank()
    yield address
    get_engine(address).dispose()


@pytest.fixture
def ask(url: str) -> Callable[..., Walk]:
    """Enqueue a walk; keywords are of `enqueue` or of the spec."""

    def _ask(title: str = "a → b", **other: Any) -> Walk:
        spec = SPEC | {name: other.pop(name) for name in tuple(other) if name in SPEC}
        told: dict[str, Any] = {"digest": "d", "frames_total": 24} | other
        with writing(url) as session:
            return walks.enqueue(session=session, spec=spec, title=title, **told)

    return _ask


@pytest.fixture
def hang(url: str, ask: Callable[..., Walk]) -> Callable[..., Walk]:
    """A walk that is done."""

    def _hang(title: str = "a → b", **other: Any) -> Walk:
        waiting = other.pop("waiting", False)
        result = {"files": {"gif": "x.gif"}} | other.pop("result", {})
        walk = ask(title, **other)
        with writing(url) as session:
            claimed = queue.claim(session=session, owner="hanger", lease_seconds=60)
            assert claimed is not None
            assert claimed.id == walk.id
            assert queue.finish(
                session=session,
                walk_id=walk.id,
                owner="hanger",
                attempt=claimed.attempt,
                result=result,
                waiting=waiting,
            )
        return walk

    return _hang
