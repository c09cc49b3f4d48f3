"""A worker that stalls while it stores a film leaves no film of a walk that is not its own."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from db import deletions, queue, walks
from db.models import State, Walk
from db.session import reading, writing
from momalisa.errors import Cancelled
from momalisa.render import Progress, StoredFilm
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.storage import FILMS_FOLDER, LocalStorage, Storage, film_key
from momalisa.storage.outbox import File, Outbox, deliver_film
from momalisa.sync import sync
from tests.support.results import stub_film
from tests.support.stub_worker import stub_worker
from tests.support.walks import enqueue_walk, read_walk

Event = Callable[[str, Walk], None]


def request_cancel(database: str, walk: Walk) -> None:
    with writing(database) as session:
        assert walks.cancel(session=session, walk_id=walk.id)


def take_over(database: str, walk: Walk) -> None:
    """Let the stalled worker's lease end, and another worker claim the walk."""
    with writing(database) as session:
        queue.reclaim_from(session=session, owner=str(session.get_one(Walk, walk.id).owner))
        claimed = queue.claim(session=session, owner="another", lease_seconds=60)
    assert claimed is not None
    assert claimed.id == walk.id


def delete(database: str, walk: Walk) -> None:
    """Cancel the walk, let the stalled worker's lease end, and delete the walk."""
    request_cancel(database, walk)
    with writing(database) as session:
        queue.reclaim_from(session=session, owner=str(session.get_one(Walk, walk.id).owner))
        assert walks.delete(session=session, walk_id=walk.id) is not None
        # As if the files had been deleted already: there were none.
        deletions.close(session=session, walk_id=walk.id)


def stall(event: Event, walk: Walk, database: str, *, after_the_question: bool = False) -> Any:
    """A renderer during whose delivery something happens to the walk."""

    def render(
        _spec: WalkSpec,
        *,
        storage: Storage,
        outbox: Outbox,
        on_progress: Callable[[Progress], None],
        still_mine: Callable[[], bool],
        **_how: Any,
    ) -> StoredFilm:
        def ask() -> bool:
            answer = still_mine()
            if after_the_question:
                event(database, walk)
            return answer

        on_progress(Progress("storing", (), 1))
        if not after_the_question:
            event(database, walk)
        names = {"gif": "film.gif", "json": "walk.json"}
        files = {kind: film_key(walk.id, name) for kind, name in names.items()}
        parts = [File(key, kind.encode()) for kind, key in files.items()]
        return stub_film(files, waiting=deliver_film(parts, storage, outbox, ask))

    return render


def stored_names(settings: Settings) -> list[str]:
    return [
        Path(found.key).name
        for found in LocalStorage(Path(settings.store_root)).list(f"{FILMS_FOLDER}/")
    ]


@pytest.fixture
def walk(settings: Settings) -> Walk:
    return enqueue_walk(settings.database)


def test_cancelled_walk_leaves_nothing(settings: Settings, walk: Walk) -> None:
    render = stall(request_cancel, walk, settings.database)
    stub_worker(settings, render=render).run(once=True)
    assert read_walk(settings.database, walk).state is State.CANCELLED
    assert stored_names(settings) == []


def test_cancelled_walk_leaves_nothing_in_the_outbox(settings: Settings, walk: Walk) -> None:
    """Its film stayed there for ever."""
    store = Path(settings.store_root)
    store.parent.mkdir(parents=True, exist_ok=True)
    store.write_bytes(b"a file where the store should be")
    render = stall(request_cancel, walk, settings.database)
    stub_worker(settings, render=render).run(once=True)
    assert read_walk(settings.database, walk).state is State.CANCELLED
    assert list(Outbox(settings.home / "outbox").films.list()) == []


def test_film_of_long_before_outlasts_a_cancelled_walk(settings: Settings, walk: Walk) -> None:
    """A restored history had its walk in the queue: cancelling deleted it with its record."""
    store = LocalStorage(Path(settings.store_root))
    for name in ("film.gif", "walk.json"):
        store.put(film_key(walk.id, name), name.encode(), "image/gif")
        os.utime(store.root / film_key(walk.id, name), (10**9, 10**9))

    def render(*args: Any, storage: Storage, **how: Any) -> StoredFilm:
        storage.put(film_key(walk.id, "new.gif"), b"new", "image/gif")
        how["on_progress"](Progress("storing", (), 1))
        request_cancel(settings.database, walk)
        how["still_mine"]()
        raise Cancelled("The walk was cancelled.")

    stub_worker(settings, render=render).run(once=True)
    assert read_walk(settings.database, walk).state is State.CANCELLED
    assert stored_names(settings) == ["film.gif", "walk.json"]


@pytest.mark.parametrize("after_the_question", [False, True], ids=["before", "after"])
def test_deleted_walk_leaves_nothing(
    settings: Settings, walk: Walk, after_the_question: bool
) -> None:
    """Three files were stored for a walk that had been deleted, and sync hung them."""
    render = stall(delete, walk, settings.database, after_the_question=after_the_question)
    stub_worker(settings, render=render).run(once=True)
    assert stored_names(settings) == []
    storage, outbox = LocalStorage(Path(settings.store_root)), Outbox(settings.home / "outbox")
    assert sync(storage, settings.database, outbox).taken_in == []


def test_walk_of_another_worker_gets_no_record(settings: Settings, walk: Walk) -> None:
    render = stall(take_over, walk, settings.database)
    stub_worker(settings, render=render).run(once=True)
    row = read_walk(settings.database, walk)
    assert (row.state, row.owner) == (State.RUNNING, "another")
    assert stored_names(settings) == ["film.gif"], "it may be the other worker's as well"


def test_film_of_a_deleted_walk_does_not_wait_in_the_outbox(
    settings: Settings, walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Path(settings.store_root)
    store.parent.mkdir(parents=True, exist_ok=True)
    store.write_bytes(b"a file where the store should be")
    render = stall(delete, walk, settings.database, after_the_question=True)
    stub_worker(settings, render=render).run(once=True)
    outbox = Outbox(settings.home / "outbox")
    with reading(settings.database) as session:
        still_open = deletions.list_open(session=session)
    assert outbox.walk_ids() == []
    assert still_open in ([], [walk.id])
    store.unlink()
    stub_worker(settings, render=render).run(once=True)
    assert (outbox.walk_ids(), stored_names(settings)) == ([], [])
