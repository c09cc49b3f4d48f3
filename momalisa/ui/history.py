"""The history, as the pages read it: opened once, asked in short transactions."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from sqlalchemy.orm import Session

from db import session as database
from db import walks
from db.models import Walk
from momalisa.settings import settings
from momalisa.storage import Storage, app_url, open_storage

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


def address(walk: Walk, kind: str, *, download: str = "") -> str:
    """Where the browser finds a walk's file of that kind; blank when there is none.

    `download` names it on the visitor's disk. While the storage is out of reach, this machine's
    outbox hands the film out.
    """
    key = walk.files.get(kind, "")
    if not key:
        return ""
    return (app_url if walk.waiting else storage().url)(key, download=download)


def tags() -> list[str]:
    """All tags that there are."""
    with reading() as session:
        return walks.choices(session=session)["tag"]


def recent(limit: int = 12) -> list[Walk]:
    """The newest films."""
    with reading() as session:
        return walks.page(session=session, limit=limit)
