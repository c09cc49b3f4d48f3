"""Fixtures for tests of the pages: each test has an empty database, an empty store, no worker."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from db import adoption, queue
from db.models import Walk
from db.session import writing
from momalisa.settings import settings
from momalisa.storage import CONTENT_TYPES, film_key, open_storage
from tests.support import walks as walks_support
from tests.support.databases import create_sqlite
from tests.support.museum_stand_in import StandIn, asked_here
from tests.support.pages import (
    SHELL,
    MakeWalk,
    UpdateWalk,
    Visit,
    claim_walk,
    follow_address,
    picture_bytes,
    spec,
    stored_walk,
)
from tests.support.waiting import PATIENCE


@pytest.fixture(scope="package", autouse=True)
def installed_components() -> Iterator[None]:
    """Look for components in the installed packages once, which takes most of a visit's time."""
    find = manifest_scanner.scan_component_manifests
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(find))
        yield


@pytest.fixture(autouse=True)
def app_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Point the settings to an empty folder with a migrated database; yields the folder."""
    monkeypatch.setenv("MOMALISA_HOME", str(tmp_path))
    monkeypatch.setenv("MOMALISA_WORKER", "external")
    # AppTest leaves its page as `__main__`, which processes started later would run.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    settings.cache_clear()
    st.cache_data.clear()
    create_sqlite(settings().database)
    yield tmp_path
    settings.cache_clear()


@pytest.fixture
def visit() -> Visit:
    """Open a page in a new session, with these query parameters."""

    def _visit(page: str, **query: str) -> AppTest:
        at = AppTest.from_file(str(SHELL), default_timeout=PATIENCE).run()
        at.switch_page(f"../../pages/{page}.py")
        for name, value in query.items():
            at.query_params[name] = value
        at.run()
        assert not at.exception
        return follow_address(at)

    return _visit


@pytest.fixture
def enqueue_walk() -> MakeWalk:
    """Add a queued walk."""

    def _enqueue_walk(*prompts: str, **changes: Any) -> Walk:
        fields = spec(*prompts, **changes).model_dump(mode="json")
        return walks_support.enqueue_walk(settings().database, **fields)

    return _enqueue_walk


@pytest.fixture
def add_film(enqueue_walk: MakeWalk) -> MakeWalk:
    """Add a finished film, with its files in the store."""

    def _add_film(*prompts: str, **changes: Any) -> Walk:
        walk = enqueue_walk(*prompts, **changes)
        lease = claim_walk()
        storage = open_storage(settings().store_root)
        names = {"gif": "film.gif", "webp": "film.webp", "poster": "poster.webp"}
        files = {kind: film_key(walk.id, name) for kind, name in names.items()}
        for key in files.values():
            kind = key.rpartition(".")[2]
            storage.put(key, picture_bytes(kind), f"image/{kind}")
        result = {
            "files": files,
            "device": "cpu",
            "seconds": 6.0,
            "unet_samples": 96,
            "frames_computed": 3,
            "distances": [0.1, 0.3],
        }
        with writing(settings().database) as session:
            queue.finish(session=session, **lease, result=result)
        return stored_walk(walk.id)

    return _add_film


@pytest.fixture
def add_foreign_film() -> MakeWalk:
    """Add a film of another program, whose spec is unknown."""

    def _add_foreign_film(walk_id: str = "by-hand") -> Walk:
        files = {"gif": film_key(walk_id, "film.gif"), "poster": film_key(walk_id, "film.webp")}
        storage = open_storage(settings().store_root)
        for key in files.values():
            data = picture_bytes(key.rpartition(".")[2])
            storage.put(key, data, CONTENT_TYPES[key[key.rindex(".") :]])
        with writing(settings().database) as session:
            walk = adoption.adopt(
                session=session,
                walk_id=walk_id,
                title="Waves",
                finished_at=datetime(2024, 5, 3, tzinfo=UTC),
                result={"files": files, "bytes": 40, "frames": 5},
            )
        assert walk is not None
        return walk

    return _add_foreign_film


@pytest.fixture
def update_walk() -> UpdateWalk:
    """Change columns of a walk in the database."""

    def _update_walk(walk: Walk, **changes: Any) -> None:
        with writing(settings().database) as session:
            row = session.merge(walk)
            for name, value in changes.items():
                setattr(row, name, value)

    return _update_walk


@pytest.fixture
def stand_in(app_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The museums, on this machine."""
    with asked_here(app_home, app_home, monkeypatch) as server:
        yield server
