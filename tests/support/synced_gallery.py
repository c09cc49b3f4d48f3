"""A gallery whose films came in by `sync`: to lose files of it, and to repair it."""

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import select

from db import walks
from db.models import Walk
from db.session import reading, writing
from momalisa.settings import Settings
from momalisa.storage import LocalStorage, film_key
from momalisa.storage.outbox import Outbox
from momalisa.sync import Report, sync
from tests.support.stored_films import GIF, add_film, film_record

RunSync = Callable[..., Report]


def bind_sync(store: LocalStorage, settings: Settings) -> RunSync:
    """Return a function that syncs with this store, or with another one that it is given."""
    outbox = Outbox(settings.home / "outbox")

    def _run(storage: LocalStorage | None = None, **options: Any) -> Report:
        return sync(storage or store, settings.database, outbox, **options)

    return _run


def fill(store: LocalStorage, run: RunSync, films: int = 5, foreign: Collection[int] = ()) -> None:
    """Hang films w0, w1, ...; those of the numbers in `foreign` are of another program."""
    for number in range(films):
        walk_id = f"w{number}"
        if number in foreign:
            store.put(film_key(walk_id, "film.gif"), GIF, "image/gif")
        else:
            add_film(store, walk_id, film_record(walk_id, accession=f"ML.2026.{number + 1:04d}"))
    assert len(run().taken_in) == films


def read_rows(settings: Settings) -> dict[str, Walk]:
    with reading(settings.database) as session:
        return {walk.id: walk for walk in session.scalars(select(Walk))}


def find_hanging(settings: Settings) -> set[str]:
    """The ids of the films that the Gallery shows."""
    with reading(settings.database) as session:
        return {walk.id for walk in walks.list_page(session=session, limit=100)}


def change(settings: Settings, walk_id: str, **values: Any) -> None:
    with writing(settings.database) as session:
        row = session.get_one(Walk, walk_id)
        for name, value in values.items():
            setattr(row, name, value)
