"""Fixtures: an empty history on SQLite and PostgreSQL, and functions that fill it."""

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
    """Both kinds of database: each test runs on SQLite and on PostgreSQL."""
    databases: Databases = request.getfixturevalue(request.param)
    return databases


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    address = databases.reuse()
    yield address
    get_engine(address).dispose()


@pytest.fixture
def blank(databases: Databases) -> Iterator[str]:
    address = databases.blank()
    yield address
    get_engine(address).dispose()


@pytest.fixture
def enqueue_walk(url: str) -> Callable[..., Walk]:
    """Return a function that enqueues a walk; keywords are those of `walks.enqueue` or the spec."""

    def _enqueue_walk(title: str = "a → b", **fields: Any) -> Walk:
        known = {*SPEC, "prompt_weights", "strength", "negative"}
        spec = SPEC | {name: fields.pop(name) for name in tuple(fields) if name in known}
        defaults: dict[str, Any] = {"digest": "d", "frames_total": 24}
        with writing(url) as session:
            return walks.enqueue(session=session, spec=spec, title=title, **defaults | fields)

    return _enqueue_walk


@pytest.fixture
def add_film(url: str, enqueue_walk: Callable[..., Walk]) -> Callable[..., Walk]:
    """Return a function that adds a done walk; keywords as for `enqueue_walk`."""

    def _add_film(title: str = "a → b", **fields: Any) -> Walk:
        waiting = fields.pop("waiting", False)
        result = {"files": {"gif": "x.gif"}} | fields.pop("result", {})
        walk = enqueue_walk(title, **fields)
        with writing(url) as session:
            claimed = queue.claim(session=session, owner="worker", lease_seconds=60)
            assert claimed is not None
            assert claimed.id == walk.id
            assert queue.finish(
                session=session,
                walk_id=walk.id,
                owner="worker",
                attempt=claimed.attempt,
                result=result,
                waiting=waiting,
            )
        return walk

    return _add_film
