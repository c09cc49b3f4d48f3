"""Sync rebuilds the history from a storage, reports what is wrong and never deletes."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from db import walks
from db.models import State, Walk
from db.session import reading, writing
from momalisa import film_intake
from momalisa.__main__ import DONE, FAILED, main
from momalisa.errors import StorageError
from momalisa.film.encode import encode_gif
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.storage import GCSStorage, LocalStorage, Storage, film_key, open_storage
from momalisa.storage.outbox import Outbox
from momalisa.sync import Report, sync
from tests.support.storage_emulator import running_emulator
from tests.support.stored_films import DAMAGED_RECORDS, FRAMES, GIF, SPEC, add_film, film_record


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    """The address of a Cloud Storage emulator."""
    with running_emulator() as address:
        yield address


@pytest.fixture(params=["local", "gcs"])
def storage(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Storage]:
    if request.param == "local":
        yield LocalStorage(Path(settings.store_root))
        return
    from google.cloud.storage import Client  # type: ignore[import-untyped]

    address = request.getfixturevalue("emulator")
    request.getfixturevalue("monkeypatch").setenv("STORAGE_EMULATOR_HOST", f"http://{address}")
    client = Client(project="test")
    name = f"films-{settings.home.name.replace('_', '-').replace('[', '').replace(']', '')}"
    client.create_bucket(name.lower())
    yield GCSStorage(name.lower(), "some/prefix", client)
    client.close()


@pytest.fixture
def run_sync(storage: Storage, settings: Settings) -> Callable[..., Report]:
    outbox = Outbox(settings.home / "outbox")
    return lambda **options: sync(storage, settings.database, outbox, **options)


def read_walks(settings: Settings) -> dict[str, Walk]:
    with reading(settings.database) as session:
        return {walk.id: walk for walk in session.scalars(select(Walk))}


RunSync = Callable[..., Report]


def test_history_is_rebuilt_from_the_storage_alone(
    storage: Storage, settings: Settings, run_sync: RunSync
) -> None:
    add_film(storage, "w1")
    report = run_sync()
    walk = read_walks(settings)["w1"]
    assert (walk.state, walk.accession, walk.title) == (State.DONE, "ML.2026.0042", "square → sea")
    assert WalkSpec.model_validate(walk.spec) == SPEC
    assert (walk.digest, walk.frames_total, walk.evenness) == (SPEC.digest(), 3, 1.5)
    assert walk.files["gif"] == film_key("w1", "film.gif")
    assert report.taken_in == ["w1"]
    assert report.agree


def test_second_run_finds_nothing_new(
    storage: Storage, settings: Settings, run_sync: RunSync
) -> None:
    add_film(storage, "w1")
    run_sync()
    before = {found.key: found.updated for found in storage.list()}
    report = run_sync(repair=True, yes=True)
    assert (report.taken_in, report.repaired, report.films, report.files) == ([], [], 1, 3)
    assert {found.key: found.updated for found in storage.list()} == before


def test_interrupted_run_is_continued(
    storage: Storage, run_sync: RunSync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film_intake, "BATCH", 2)
    for number in range(5):
        add_film(storage, f"w{number}")

    def ended(done: int, _total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sync(on_progress=ended)
    assert len(run_sync().taken_in) == 1


def test_film_of_another_program_is_added_with_a_poster(
    storage: Storage, settings: Settings, run_sync: RunSync
) -> None:
    key = film_key("1234567890", "dog_cat.gif")
    storage.put(key, GIF, "image/gif")
    run_sync()
    walk = read_walks(settings)["1234567890"]
    assert (walk.title, walk.frames_total, walk.spec) == ("dog cat", 3, {})
    assert (walk.files["gif"], walk.bytes) == (key, len(GIF))
    with Image.open(BytesIO(storage.get(walk.files["poster"]))) as poster:
        assert poster.size == (64, 64)


def test_spec_inside_a_film_is_found(
    storage: Storage, settings: Settings, run_sync: RunSync
) -> None:
    gif = encode_gif(FRAMES, 10, comment=SPEC.model_dump_json())
    storage.put(film_key("w1", "film.gif"), gif, "image/gif")
    run_sync()
    assert WalkSpec.model_validate(read_walks(settings)["w1"].spec) == SPEC


def test_spec_of_another_version_leaves_the_film_and_its_title(
    storage: Storage, settings: Settings, run_sync: RunSync
) -> None:
    add_film(storage, "w1", film_record("w1", spec={"warp": 9}, title="a\0 title"))
    assert run_sync().taken_in == ["w1"]
    assert (read_walks(settings)["w1"].title, read_walks(settings)["w1"].spec) == ("a title", {})


def test_remix_keeps_its_parent(storage: Storage, settings: Settings, run_sync: RunSync) -> None:
    add_film(storage, "z-parent")
    add_film(
        storage, "a-child", film_record("a-child", parent="z-parent", accession="ML.2026.0043")
    )
    run_sync()
    assert read_walks(settings)["a-child"].parent == "z-parent"


@pytest.mark.parametrize("what", DAMAGED_RECORDS)
def test_damaged_record_is_reported_and_other_films_are_added(
    storage: Storage, settings: Settings, run_sync: RunSync, what: str
) -> None:
    add_film(storage, "w1", DAMAGED_RECORDS[what])
    add_film(storage, "w9")
    before = {found.key: found.updated for found in storage.list()}
    report = run_sync(repair=True, yes=True)
    assert report.taken_in == list(read_walks(settings)) == ["w9"]
    [sentence] = report.damaged
    assert sentence.startswith("w1: ")
    assert sentence.endswith(".")
    assert {found.key: found.updated for found in storage.list()} == before


@pytest.mark.parametrize("data", [b"", b"GIF89a", GIF[: len(GIF) // 2], b"<svg/>", b"\x89PNG"])
def test_damaged_gif_is_reported_and_other_films_are_added(
    storage: Storage, settings: Settings, run_sync: RunSync, data: bytes
) -> None:
    storage.put(film_key("w1", "film.gif"), data, "image/gif")
    add_film(storage, "w9")
    report = run_sync()
    assert report.taken_in == ["w9"]
    assert "cannot be read as a GIF" in report.damaged[0]
    assert not storage.exists(film_key("w1", "poster.webp"))


def test_files_of_no_film_are_reported_and_kept(storage: Storage, run_sync: RunSync) -> None:
    add_film(storage, "w1")
    storage.put(film_key("w1", "older.gif"), GIF, "image/gif")
    storage.put("saved_predictions/stray.gif", GIF, "image/gif")
    storage.put("saved_predictions/a/b/deep.gif", GIF, "image/gif")
    storage.put(f"saved_predictions/{'x' * 150}/film.gif", GIF, "image/gif")
    storage.put("elsewhere/film.gif", GIF, "image/gif")
    run_sync()
    report = run_sync(repair=True, yes=True)
    assert (len(report.without_row), len(report.misnamed)) == (3, 1)
    assert film_key("w1", "older.gif") in report.without_row
    assert not report.agree
    assert storage.exists("saved_predictions/stray.gif")


def test_invalid_keys_are_reported_with_what_to_do(settings: Settings) -> None:
    storage = LocalStorage(Path(settings.store_root))
    add_film(storage, "w1")
    (storage.root / "saved_predictions" / "a:b").mkdir()
    (storage.root / "saved_predictions" / "a:b" / "film.gif").write_bytes(GIF)
    report = sync(storage, settings.database, Outbox(settings.home / "outbox"))
    assert (report.taken_in, report.misnamed) == (["w1"], ["'saved_predictions/a:b/film.gif'"])
    assert not report.agree
    assert any("rename the folders" in sentence for sentence in report.sentences())


def test_walk_cancelled_too_late_is_repaired_as_well(
    storage: Storage, settings: Settings, run_sync: RunSync
) -> None:
    add_film(storage, "w1")
    add_film(storage, "w2", film_record("w2", accession="ML.2026.0043"))
    run_sync()
    with writing(settings.database) as session:
        session.get_one(Walk, "w1").cancel_requested = True
    storage.delete(film_key("w1", "film.gif"))
    run_sync(repair=True, yes=True)
    assert not read_walks(settings)["w1"].cancel_requested


def test_record_from_before_there_were_modes_is_exact(
    storage: Storage, settings: Settings, run_sync: RunSync
) -> None:
    old = SPEC.model_dump(mode="json", exclude={"mode", "without"})
    add_film(storage, "w1", film_record("w1", spec=old))
    run_sync()
    assert WalkSpec.model_validate(read_walks(settings)["w1"].spec).mode == "exact"


def test_empty_storage_repairs_nothing(
    storage: Storage, settings: Settings, run_sync: RunSync
) -> None:
    """A disk that is not mounted looks like one from which all was deleted."""
    add_film(storage, "w1")
    run_sync()
    for found in list(storage.list()):
        storage.delete(found.key)
    with pytest.raises(StorageError, match="The storage is empty"):
        run_sync(repair=True, yes=True)
    assert read_walks(settings)["w1"].state is State.DONE


def test_film_of_another_length_is_reported(
    storage: Storage, settings: Settings, run_sync: RunSync
) -> None:
    add_film(storage, "w1")
    run_sync()
    storage.delete(film_key("w1", "film.gif"))
    storage.put(film_key("w1", "film.gif"), GIF[:-9], "image/gif")
    assert "not as long" in run_sync().damaged[0]


def test_unfinished_walks_are_left_alone(
    storage: Storage, settings: Settings, run_sync: RunSync
) -> None:
    with writing(settings.database) as session:
        walk = walks.enqueue(
            session=session,
            spec=SPEC.model_dump(mode="json"),
            digest=SPEC.digest(),
            title=SPEC.title(),
            frames_total=3,
        )
    storage.put(film_key(walk.id, "film.gif"), GIF, "image/gif")
    report = run_sync(repair=True, yes=True)
    assert report.agree
    assert read_walks(settings)[walk.id].state is State.QUEUED


def test_queued_walk_whose_film_is_stored_hangs_with_its_edits(
    storage: Storage, settings: Settings, run_sync: RunSync
) -> None:
    """The history was restored from a backup of a time when the walk was in the queue."""
    with writing(settings.database) as session:
        walk = walks.enqueue(
            session=session,
            spec=SPEC.model_dump(mode="json"),
            digest=SPEC.digest(),
            title=SPEC.title(),
            frames_total=3,
        )
    edited = {"notes": "2026-02-02T10:00:00+00:00"}
    fields = {"notes": "an hour of work", "edit_times": edited, "edited_at": edited["notes"]}
    add_film(storage, walk.id, film_record(walk.id, accession=walk.accession, **fields))
    assert run_sync().taken_back == [walk.accession]
    row = read_walks(settings)[walk.id]
    assert (row.state, row.notes, row.sha256) == (State.DONE, "an hour of work", "5a" * 32)


@pytest.fixture
def home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("momalisa.commands.sync.settings", lambda: settings)
    return settings


def test_sync_makes_no_folder_of_a_wrong_store(home: Settings) -> None:
    add_film(open_storage(home.store_root), "w1")
    assert main(["sync"]) == DONE
    Path(home.store_root).rename(home.home / "elsewhere")
    assert main(["sync"]) == FAILED
    assert not Path(home.store_root).exists()


def test_sync_learns_of_given_numbers_before_films_come_in(home: Settings) -> None:
    """A film far above the first number would get another one in a history that was lost."""
    store, number = open_storage(home.store_root), f"ML.{datetime.now(UTC).year}.15000"
    add_film(store, "w1", film_record("w1", accession=number))
    store.put(f"accession_numbers/{number[3:7]}.015000.json", b"{}", "application/json")
    assert main(["sync"]) == DONE
    assert read_walks(home)["w1"].accession == number


def test_the_command_line_syncs_and_reports(
    home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    add_film(open_storage(home.store_root), "w1")
    assert main(["sync", "--json"]) == DONE
    assert json.loads(capsys.readouterr().out)["taken_in"] == ["w1"]
    add_film(open_storage(home.store_root), "w2", b"{")
    assert main(["sync"]) == FAILED
    out = capsys.readouterr().out
    assert "2 films (6 files) are in the storage." in out
    assert "w2: walk.json cannot be read" in out
