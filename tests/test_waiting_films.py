"""Sync and the films that wait in an outbox: of this machine, of another one, or of a lost one."""

from pathlib import Path

import pytest

from db.models import State
from momalisa.settings import Settings
from momalisa.storage import LocalStorage, film_key
from momalisa.storage.outbox import Outbox
from tests.support.stored_films import add_film, film_record
from tests.support.synced_gallery import RunSync, bind_sync, change, fill, read_rows


@pytest.fixture
def store(settings: Settings) -> LocalStorage:
    return LocalStorage(Path(settings.store_root))


@pytest.fixture
def run(store: LocalStorage, settings: Settings) -> RunSync:
    """Sync; of the films, w1 waits."""
    run = bind_sync(store, settings)
    fill(store, run)
    change(settings, "w1", waiting=True)
    return run


@pytest.mark.parametrize("missing", ["", "walk.json", "poster.webp"])
def test_film_that_has_arrived_waits_no_more(
    store: LocalStorage, settings: Settings, run: RunSync, missing: str
) -> None:
    """In a backup made during an outage it waited for ever, and its record was never read."""
    written = "2026-02-02T10:00:00+00:00"
    edit = {"notes": "an hour of work", "edit_times": {"notes": written}, "edited_at": written}
    store.delete(film_key("w1", "walk.json"))
    add_film(store, "w1", film_record("w1", **edit))
    if missing:
        store.delete(film_key("w1", missing))
    assert run().taken_back == ["ML.2026.0002"]
    row = read_rows(settings)["w1"]
    assert (row.state, row.waiting) == (State.DONE, False)
    assert row.notes == ("" if missing == "walk.json" else "an hour of work")
    run(repair=True, yes=True)
    assert run().agree


def test_film_in_the_outbox_is_not_lost(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    add_film(Outbox(settings.home / "outbox").films, "w1")
    store.delete(film_key("w1", "film.gif"))
    report = run(repair=True, yes=True, only=["w1"])
    assert (report.waiting, report.without_files) == (["ML.2026.0002"], [])
    assert read_rows(settings)["w1"].state is State.DONE


def test_film_in_the_outbox_of_a_lost_machine_is_made_again_if_it_is_named(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    """Nothing could be done about it; sync said that all was well."""
    store.delete(film_key("w1", "film.gif"))
    report = run(repair=True, yes=True)
    assert (len(report.waiting), report.queued) == (1, [])
    assert "--repair --yes --only ML.2026.0002" in report.waiting[0]
    report = run(repair=True, yes=True, only=["ML.2026.0002"])
    assert (report.waiting, report.queued) == ([], ["ML.2026.0002"])
    assert read_rows(settings)["w1"].state is State.QUEUED
