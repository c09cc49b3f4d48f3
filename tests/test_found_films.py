"""Films that were given up, or lost and made again, hang as before once their files are found."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from db.models import State, Walk
from db.session import writing
from momalisa.settings import Settings
from momalisa.storage import LocalStorage, film_key
from tests.support import noise_worker
from tests.support.stored_films import GIF, SPEC, add_film, film_record
from tests.support.stub_worker import stub_worker
from tests.support.synced_gallery import RunSync, bind_sync, change, fill, read_rows

OLD_REPAIR: dict[str, Any] = {"files": {}, "finished_at": None}
"""What earlier versions made of a row that they queued again."""


@pytest.fixture
def store(settings: Settings) -> LocalStorage:
    return LocalStorage(Path(settings.store_root))


@pytest.fixture
def run(store: LocalStorage, settings: Settings) -> RunSync:
    return bind_sync(store, settings)


def test_queued_film_whose_file_is_back_hangs_again(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    fill(store, run)
    key = film_key("w1", "film.gif")
    before = read_rows(settings)["w1"]
    store.delete(key)
    run(repair=True, yes=True)
    store.put(key, GIF, "image/gif")
    assert run().taken_back == ["ML.2026.0002"]
    after = read_rows(settings)["w1"]
    assert (after.state, after.files, after.finished_at) == (
        State.DONE,
        before.files,
        before.finished_at,
    )
    assert run().agree


@pytest.mark.parametrize("state", [State.QUEUED, State.FAILED, State.CANCELLED])
@pytest.mark.parametrize("foreign", [[], [1]])
def test_film_that_an_earlier_repair_gave_up_hangs_again(
    store: LocalStorage, settings: Settings, run: RunSync, state: State, foreign: list[int]
) -> None:
    fill(store, run, foreign=foreign)
    before = read_rows(settings)["w1"]
    change(settings, "w1", state=state, error="Its film is lost.", **OLD_REPAIR)
    report = run()
    after = read_rows(settings)["w1"]
    assert report.taken_back == [before.accession]
    assert (after.state, after.files, after.bytes, after.error) == (
        State.DONE,
        before.files,
        before.bytes,
        "",
    )
    assert run().agree


def test_film_of_a_walk_that_failed_at_its_very_end_is_hung(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    """Its files were stored, but its row could not be written."""
    fill(store, run)
    blank = {"sha256": "", "bytes": 0, "evenness": None}
    change(settings, "w1", state=State.FAILED, error="It died.", **OLD_REPAIR, **blank)
    assert run().taken_back == ["ML.2026.0002"]
    assert read_rows(settings)["w1"].bytes == len(GIF)


def test_walk_that_was_called_off_stays_so(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    fill(store, run)
    change(settings, "w1", state=State.CANCELLED, sha256="", **OLD_REPAIR)
    assert run().taken_back == []


def test_film_under_another_name_hangs_in_the_place_of_the_lost_one(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    """It was made again in a wrong store, where it got another name."""
    fill(store, run)
    before = read_rows(settings)["w1"]
    elsewhere = before.files | {"gif": film_key("w1", "elsewhere.gif")}
    change(settings, "w1", files=elsewhere, bytes=len(GIF) + 5, sha256="77" * 32)
    assert run().taken_back == ["ML.2026.0002"]
    after = read_rows(settings)["w1"]
    assert (after.files, after.bytes, after.sha256) == (before.files, before.bytes, before.sha256)
    assert run().agree


def test_film_under_another_name_is_found_though_its_record_names_the_lost_one(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    fill(store, run)
    store.delete(film_key("w1", "film.gif"))
    store.put(film_key("w1", "other.gif"), GIF, "image/gif")
    assert run().taken_back == ["ML.2026.0002"]
    after = read_rows(settings)["w1"]
    assert after.files["gif"] == film_key("w1", "other.gif")
    assert (after.title, after.accession, after.digest) == (
        "square → sea",
        "ML.2026.0002",
        SPEC.digest(),
    )


def test_film_that_is_made_again_replaces_the_lost_one_and_its_record(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    """The record named the lost film, so the history could not be rebuilt from the store."""
    fill(store, run)
    store.delete(film_key("w1", "film.gif"))
    run(repair=True, yes=True)
    stub_worker(settings, render=noise_worker.render_noise).run(once=True)
    after = read_rows(settings)["w1"]
    assert after.state is State.DONE
    assert after.files["gif"] != film_key("w1", "film.gif")
    assert run().agree
    with writing(settings.database) as session:
        session.delete(session.get_one(Walk, "w1"))
    assert run().taken_in == ["w1"]
    again = read_rows(settings)["w1"]
    assert (again.files, again.accession, again.sha256) == (
        after.files,
        "ML.2026.0002",
        after.sha256,
    )


def columns_of(row: Walk) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in Walk.__table__.columns}


def test_store_in_doubt_changes_no_row(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    fill(store, run, 8)
    before = {name: columns_of(row) for name, row in read_rows(settings).items()}
    wrong = LocalStorage(settings.home / "wrong")
    now = datetime.now(UTC).isoformat()
    add_film(wrong, "w0", film_record("w0", title="of another gallery", edited_at=now))
    wrong.put(film_key("w1", "another.gif"), GIF, "image/gif")
    wrong.put(film_key("w2", "film.gif"), GIF, "image/gif")  # without its record
    report = run(wrong)
    assert report.doubt
    assert (report.edited, report.taken_back) == ([], [])
    assert {name: columns_of(row) for name, row in read_rows(settings).items()} == before


def test_record_that_is_lost_is_written_anew(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    """It may have been written while another storage was set."""
    fill(store, run)
    stub_worker(settings).run(once=True)
    key = film_key("w1", "walk.json")
    store.delete(key)
    run()
    stub_worker(settings).run(once=True)
    assert store.exists(key)


@pytest.mark.parametrize("damage", [b"", b'{"version": 1,', b"\0" * 500])
def test_record_that_cannot_be_read_is_reported_and_written_anew(
    store: LocalStorage, settings: Settings, run: RunSync, damage: bytes
) -> None:
    """All seemed well, until the history was rebuilt without the film and its title."""
    fill(store, run)
    stub_worker(settings).run(once=True)
    path = store.root / film_key("w1", "walk.json")
    path.write_bytes(damage)
    [sentence] = run().damaged
    assert sentence.startswith("ML.2026.0002: walk.json cannot be read")
    stub_worker(settings).run(once=True)
    assert json.loads(path.read_text())["accession"] == "ML.2026.0002"
    assert run().agree


def test_unreadable_record_of_a_store_in_doubt_is_none_of_ours(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    fill(store, run, 6)
    stub_worker(settings).run(once=True)
    wrong = LocalStorage(settings.home / "wrong")
    add_film(wrong, "w0", b"{")
    assert run(wrong).damaged == []
    assert not read_rows(settings)["w0"].record_is_stale
