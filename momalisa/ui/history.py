"""Database access of the pages: short transactions, and the storage that holds the files."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy.orm import Session

from db import gallery_query, walks, worker_registry
from db import session as database
from db.clock import database_now, utc_now
from db.models import Walk
from momalisa.settings import settings
from momalisa.storage import Storage, app_url, open_storage

WORKER_TIMEOUT = 20.0
"""Seconds without a heartbeat after which a worker counts as gone."""
STORAGE_PATIENCE = 6.0
"""Seconds to retry a bucket for what a page shows, which tries again itself."""
LOOK_AT_CLOCK = 60.0
"""Seconds between two looks at the history's clock."""


@lru_cache(maxsize=8)  # Streamlit's caches take longer to be asked than most queries here
def _migrate_once(url: str) -> None:
    database.migrate(url)


@contextmanager
def reading() -> Iterator[Session]:
    """Open a read-only transaction; its rows stay readable afterwards."""
    url = settings().database
    _migrate_once(url)
    with database.reading(url) as session:
        yield session


@contextmanager
def writing() -> Iterator[Session]:
    """Open a transaction that commits on success and rolls back on errors."""
    url = settings().database
    _migrate_once(url)
    with database.writing(url) as session:
        yield session


def now() -> datetime:
    """The time by the history's clock, of which its times are; this machine's may be another."""
    return utc_now() + _clock_ahead(settings().database, int(time.monotonic() / LOOK_AT_CLOCK))


@lru_cache(maxsize=8)
def _clock_ahead(_url: str, _look: int) -> timedelta:
    """How far the history's clock is ahead of this machine's."""
    with reading() as session:
        return database_now(session) - utc_now()


def find_walk(walk_id: str | None) -> Walk | None:
    """The walk with that id; None if the id is blank or unknown."""
    if not walk_id:
        return None
    with reading() as session:
        return walks.get(session=session, walk_id=walk_id)


def no_worker_alive() -> bool:
    """Whether no worker has sent a heartbeat within WORKER_TIMEOUT."""
    with reading() as session:
        return not worker_registry.list_alive(session=session, within_seconds=WORKER_TIMEOUT)


def storage() -> Storage:
    """The storage of the films, opened once per process."""
    return _open_storage_once(settings().store_root)


@lru_cache(maxsize=8)
def _open_storage_once(root: str) -> Storage:
    return open_storage(root, retry_seconds=STORAGE_PATIENCE)


def file_url(walk: Walk, kind: str, *, download: str = "") -> str:
    """The URL of a walk's file of that kind ("gif", "poster", ...); blank if it has none.

    `download` is the file name to save it under. A file that still waits for its upload is served
    by the app from this machine's outbox.
    """
    key = walk.files.get(kind, "")
    if not key:
        return ""
    return (app_url if walk.waiting else storage().url)(key, download=download)


def film_urls(walk: Walk) -> dict[str, str]:
    """The URLs of a film as it is played: the "film", and a "fallback" where that may be missing.

    The film is the WebP. Where that is not there, as with films of earlier versions, it is the GIF.
    """
    gif, webp = file_url(walk, "gif"), file_url(walk, "webp")
    return {"film": webp, "fallback": gif} if webp else {"film": gif, "fallback": ""}


def usual_tags() -> list[str]:
    """The tags that most films have."""
    with reading() as session:
        return gallery_query.list_filter_values(session=session)["tag"]


def recent_films(limit: int = 12) -> list[Walk]:
    """The newest films, newest first, with no more than their titles and captions."""
    shown = (Walk.title, Walk.pacing, Walk.accession)
    with reading() as session:
        return walks.list_page(session=session, limit=limit, only=shown)
