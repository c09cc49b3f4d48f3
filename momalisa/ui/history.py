"""The history, as the pages read it: opened once, asked in short transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import streamlit as st
from sqlalchemy.orm import Session

from db import session as database
from db import walks
from db.models import Walk
from momalisa.settings import settings
from momalisa.storage import Storage, open_storage

WORKER_SILENCE = 20.0  # seconds without a sign of life before a page says so


@st.cache_resource(show_spinner=False)
def _open(url: str) -> None:
    database.migrate(url)


@contextmanager
def reading() -> Iterator[Session]:
    """A read of the history; its rows stay readable afterwards."""
    url = settings().database
    _open(url)
    with database.reading(url) as session:
        yield session


@contextmanager
def writing() -> Iterator[Session]:
    """A change of the history, all of it or nothing."""
    url = settings().database
    _open(url)
    with database.writing(url) as session:
        yield session


def find(walk_id: str | None) -> Walk | None:
    """The walk of that id; None for an id that is not one."""
    if not walk_id:
        return None
    with reading() as session:
        return walks.get(session=session, walk_id=walk_id)


def nobody_works() -> bool:
    """Whether no worker has been heard of for a while."""
    with reading() as session:
        return not walks.alive_workers(session=session, within_seconds=WORKER_SILENCE)


def storage() -> Storage:
    """Where the films are."""
    return _opened_storage(settings().store_root)


@st.cache_resource(show_spinner=False)
def _opened_storage(root: str) -> Storage:
    return open_storage(root)


def address(key: str, *, download: str = "") -> str:
    """Where the browser finds a stored file; `download` names it on the visitor's disk."""
    if not key:
        return ""
    url = storage().url(key)
    # Only our own route knows how to name a download; a bucket's signed URL must stay as it is.
    ours = download and url.startswith("/")
    return f"{url}?download={quote(download)}" if ours else url


def recent(limit: int = 12) -> list[Walk]:
    """The newest films."""
    with reading() as session:
        return walks.page(session=session, limit=limit)
