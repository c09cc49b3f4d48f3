"""Laws of sync: from a storage alone to its history, and what is amiss is said, never deleted."""

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from db import queue, walks
from db.models import State, Walk
from db.session import reading, writing
from momalisa import sync as sync_module
from momalisa.__main__ import DONE, FAILED, main
from momalisa.errors import StorageError
from momalisa.film.encode import encode_gif
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.storage import GCSStorage, LocalStorage, Storage, film_key, open_storage
from momalisa.storage.outbox import Outbox
from momalisa.sync import Report, sync
from tests.support.storage_emulator import running_emulator

SPEC = WalkSpec.model_validate(
    {"stops": [{"prompt": "square"}, {"prompt": "sea"}], "frames": 3, "size": 64}
)
FRAMES = [np.full((64, 64, 3), 80 * number, np.uint8) for number in range(3)]
GIF = encode_gif(FRAMES, 10)


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    with running_emulator() as place:
        yield place


@pytest.fixture(params=["local", "gcs"])
def storage(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Storage]:
    if request.param == "local":
        yield LocalStorage(Path(settings.store_root))
        return
    from google.cloud.storage import Client  # type: ignore[import-untyped]

    place = request.getfixturevalue("place")
    request.getfixturevalue("monkeypatch").setenv("STORAGE_EMULATOR_HOST", f"http://{place}")
    client = Client(project="test")
    name = f"films-{settings.home.name.replace('_', '-').replace('[', '').replace(']', '')}"
    client.create_bucket(name.lower())
    yield GCSStorage(name.lower(), "some/prefix", client)
    client.close()


@pytest.fixture
def synced(storage: Storage, settings: Settings) -> Callable[..., Report]:
    outbox = Outbox(settings.home / "outbox")
    return lambda **how: sync(storage, settings.database, outbox, **how)


def record(walk_id: str, **other: Any) -> dict[str, Any]:
    names = {"gif": "film.gif", "poster": "poster.webp", "json": "walk.json"}
    return {
        "walk_id": walk_id,
        "accession": "ML.2026.0042",
        "created_at": "2026-02-01T10:00:00+00:00",
        "finished_at": "2026-02-01T10:01:00+00:00",
        "title": "square → sea",
        "spec": SPEC.model_dump(mode="json"),
        "result": {
            "files": {kind: film_key(walk_id, name) for kind, name in names.items()},
            "bytes": len(GIF),
            "sha256": "5a" * 32,
            "frames": 3,
            "evenness": 1.5,
        },
    } | other


def hang(storage: Storage, walk_id: str, told: Any = None) -> None:
    """Put a film with its record into the storage, as a renderer does."""
    storage.put(film_key(walk_id, "poster.webp"), b"poster", "image/webp")
    storage.put(film_key(walk_id, "film.gif"), GIF, "image/gif")
    text = told if isinstance(told, bytes) else json.dumps(told or record(walk_id)).encode()
    storage.put(film_key(walk_id, "walk.json"), text, "application/json")


def rows(settings: Settings) -> dict[str, Walk]:
    with reading(settings.database) as session:
        return {walk.id: walk for walk in session.scalars(select(Walk))}


Synced = Callable[..., Report]


def test_history_is_rebuilt_from_the_storage_alone(
    storage: Storage, settings: Settings, synced: Synced
) -> None:
    hang(storage, "w1")
    report = synced()
    walk = rows(settings)["w1"]
    assert (walk.state, walk.accession, walk.title) == (State.DONE, "ML.2026.0042", "square → sea")
    assert WalkSpec.model_validate(walk.spec) == SPEC
    assert (walk.digest, walk.frames_total, walk.evenness) == (SPEC.digest(), 3, 1.5)
    assert walk.files["gif"] == film_key("w1", "film.gif")
    assert report.taken_in == ["w1"]
    assert report.agree


def test_second_run_finds_nothing_new(storage: Storage, settings: Settings, synced: Synced) -> None:
    hang(storage, "w1")
    synced()
    before = {found.key: found.updated for found in storage.list()}
    report = synced(repair=True)
    assert (report.taken_in, report.repaired, report.films, report.files) == ([], [], 1, 3)
    assert {found.key: found.updated for found in storage.list()} == before


def test_run_that_was_ended_goes_on(
    storage: Storage, synced: Synced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_module, "BATCH", 2)
    for number in range(5):
        hang(storage, f"w{number}")

    def ended(done: int, _total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synced(on_progress=ended)
    assert len(synced().taken_in) == 1


def test_film_of_another_program_is_taken_in_with_a_poster(
    storage: Storage, settings: Settings, synced: Synced
) -> None:
    key = film_key("1234567890", "dog_cat.gif")
    storage.put(key, GIF, "image/gif")
    synced()
    walk = rows(settings)["1234567890"]
    assert (walk.title, walk.frames_total, walk.spec) == ("dog cat", 3, {})
    assert (walk.files["gif"], walk.bytes) == (key, len(GIF))
    with Image.open(BytesIO(storage.get(walk.files["poster"]))) as poster:
        assert poster.size == (64, 64)


def test_spec_inside_a_film_is_found(storage: Storage, settings: Settings, synced: Synced) -> None:
    told = encode_gif(FRAMES, 10, comment=SPEC.model_dump_json())
    storage.put(film_key("w1", "film.gif"), told, "image/gif")
    synced()
    assert WalkSpec.model_validate(rows(settings)["w1"].spec) == SPEC


def test_spec_of_another_version_leaves_the_film_and_its_title(
    storage: Storage, settings: Settings, synced: Synced
) -> None:
    hang(storage, "w1", record("w1", spec={"warp": 9}, title="a\0 title"))
    assert synced().taken_in == ["w1"]
    assert (rows(settings)["w1"].title, rows(settings)["w1"].spec) == ("a title", {})


def test_remix_keeps_its_parent(storage: Storage, settings: Settings, synced: Synced) -> None:
    hang(storage, "z-parent")
    hang(storage, "a-child", record("a-child", parent="z-parent", accession="ML.2026.0043"))
    synced()
    assert rows(settings)["a-child"].parent == "z-parent"


DAMAGED: dict[str, Any] = {
    "no JSON": b"{",
    "no text": b"\xff\xfe",
    "deep": b"[" * 100_000,
    "another kind": b"[1, 2]",
    "too large": b" " * 2_000_001,
    "no film": record("w1", result={**record("w1")["result"], "files": {}}),
    "a file of another walk": record("w1", result=record("w2")["result"]),
    "a way out": record(
        "w1", result={**record("w1")["result"], "files": {"gif": "../../etc/passwd"}}
    ),
    "cut off": record("w1", result={**record("w1")["result"], "bytes": len(GIF) + 1}),
    "no number": record("w1", result={**record("w1")["result"], "evenness": float("nan")}),
    "no time": record("w1", finished_at="soon"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_damaged_record_is_said_and_the_rest_goes_on(
    storage: Storage, settings: Settings, synced: Synced, what: str
) -> None:
    hang(storage, "w1", DAMAGED[what])
    hang(storage, "w9")
    before = {found.key: found.updated for found in storage.list()}
    report = synced(repair=True)
    assert report.taken_in == list(rows(settings)) == ["w9"]
    [sentence] = report.damaged
    assert sentence.startswith("w1: ")
    assert sentence.endswith(".")
    assert {found.key: found.updated for found in storage.list()} == before


@pytest.mark.parametrize("data", [b"", b"GIF89a", GIF[: len(GIF) // 2], b"<svg/>", b"\x89PNG"])
def test_damaged_gif_is_said_and_the_rest_goes_on(
    storage: Storage, settings: Settings, synced: Synced, data: bytes
) -> None:
    storage.put(film_key("w1", "film.gif"), data, "image/gif")
    hang(storage, "w9")
    report = synced()
    assert report.taken_in == ["w9"]
    assert "cannot be read as a GIF" in report.damaged[0]
    assert not storage.exists(film_key("w1", "poster.webp"))


def test_what_belongs_to_no_film_is_said_and_left(storage: Storage, synced: Synced) -> None:
    hang(storage, "w1")
    storage.put(film_key("w1", "older.gif"), GIF, "image/gif")
    storage.put("saved_predictions/stray.gif", GIF, "image/gif")
    storage.put("saved_predictions/a/b/deep.gif", GIF, "image/gif")
    storage.put(f"saved_predictions/{'x' * 150}/film.gif", GIF, "image/gif")
    storage.put("elsewhere/film.gif", GIF, "image/gif")
    synced()
    report = synced(repair=True)
    assert len(report.without_row) == 4
    assert film_key("w1", "older.gif") in report.without_row
    assert not report.agree
    assert storage.exists("saved_predictions/stray.gif")


def test_names_that_are_no_keys_are_said(settings: Settings) -> None:
    storage = LocalStorage(Path(settings.store_root))
    hang(storage, "w1")
    (storage.root / "saved_predictions" / "a:b").mkdir()
    (storage.root / "saved_predictions" / "a:b" / "film.gif").write_bytes(GIF)
    report = sync(storage, settings.database, Outbox(settings.home / "outbox"))
    assert (report.taken_in, report.without_row) == (["w1"], ["'saved_predictions/a:b/film.gif'"])


def test_row_without_its_files_is_said_and_made_again_on_request(
    storage: Storage, settings: Settings, synced: Synced
) -> None:
    hang(storage, "w1")
    hang(storage, "w2", record("w2", accession="ML.2026.0043"))
    synced()
    storage.delete(film_key("w1", "film.gif"))
    assert synced().without_files == ["ML.2026.0042"]
    assert rows(settings)["w1"].state is State.DONE
    report = synced(repair=True)
    assert (report.repaired, report.without_files) == (["ML.2026.0042"], [])
    again = rows(settings)["w1"]
    assert (again.state, again.files, again.finished_at) == (State.QUEUED, {}, None)
    assert not storage.exists(film_key("w1", "walk.json")), "it would name another film"
    with writing(settings.database) as session:
        claimed = queue.claim(session=session, owner="w", lease_seconds=9)
    assert claimed is not None
    assert claimed.id == "w1"


def test_walk_that_was_called_off_too_late_is_made_again_all_the_same(
    storage: Storage, settings: Settings, synced: Synced
) -> None:
    hang(storage, "w1")
    hang(storage, "w2", record("w2", accession="ML.2026.0043"))
    synced()
    with writing(settings.database) as session:
        session.get_one(Walk, "w1").cancel_requested = True
    storage.delete(film_key("w1", "film.gif"))
    synced(repair=True)
    assert not rows(settings)["w1"].cancel_requested


def test_record_from_before_there_were_modes_is_exact(
    storage: Storage, settings: Settings, synced: Synced
) -> None:
    old = SPEC.model_dump(mode="json", exclude={"mode", "without"})
    hang(storage, "w1", record("w1", spec=old))
    synced()
    assert WalkSpec.model_validate(rows(settings)["w1"].spec).mode == "exact"


def test_lost_film_of_another_program_cannot_be_made_again(
    storage: Storage, settings: Settings, synced: Synced
) -> None:
    storage.put(film_key("w1", "film.gif"), GIF, "image/gif")
    hang(storage, "w2")
    synced()
    storage.delete(film_key("w1", "film.gif"))
    synced(repair=True)
    lost = rows(settings)["w1"]
    assert (lost.state, "another program" in lost.error) == (State.FAILED, True)


def test_empty_storage_repairs_nothing(
    storage: Storage, settings: Settings, synced: Synced
) -> None:
    """A disk that is not mounted looks like one from which all was deleted."""
    hang(storage, "w1")
    synced()
    for found in list(storage.list()):
        storage.delete(found.key)
    with pytest.raises(StorageError, match="The storage is empty"):
        synced(repair=True)
    assert rows(settings)["w1"].state is State.DONE


def test_film_of_another_length_is_said(
    storage: Storage, settings: Settings, synced: Synced
) -> None:
    hang(storage, "w1")
    synced()
    storage.delete(film_key("w1", "film.gif"))
    storage.put(film_key("w1", "film.gif"), GIF[:-9], "image/gif")
    assert "not as long" in synced().damaged[0]


def test_walks_in_the_making_are_left_alone(
    storage: Storage, settings: Settings, synced: Synced
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
    report = synced(repair=True)
    assert report.agree
    assert rows(settings)[walk.id].state is State.QUEUED


def test_waiting_films_are_said_and_wait_no_more_once_they_are_there(
    storage: Storage, settings: Settings, synced: Synced
) -> None:
    hang(storage, "w1")
    synced()
    with writing(settings.database) as session:
        session.get_one(Walk, "w1").waiting = True
    synced()
    assert rows(settings)["w1"].waiting
    assert synced(repair=True).repaired == ["ML.2026.0042"]
    assert not rows(settings)["w1"].waiting


def test_film_in_the_outbox_is_not_lost(
    storage: Storage, settings: Settings, synced: Synced
) -> None:
    hang(storage, "w1")
    hang(storage, "w2", record("w2", accession="ML.2026.0043"))
    synced()
    hang(Outbox(settings.home / "outbox").films, "w1")
    storage.delete(film_key("w1", "film.gif"))
    with writing(settings.database) as session:
        session.get_one(Walk, "w1").waiting = True
    report = synced(repair=True)
    assert (report.waiting, report.without_files) == (["ML.2026.0042"], [])
    assert rows(settings)["w1"].state is State.DONE


@pytest.fixture
def home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("momalisa.__main__.settings", lambda: settings)
    return settings


def test_the_command_line_syncs_and_reports(
    home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    hang(open_storage(home.store_root), "w1")
    assert main(["sync", "--json"]) == DONE
    assert json.loads(capsys.readouterr().out)["taken_in"] == ["w1"]
    hang(open_storage(home.store_root), "w2", b"{")
    assert main(["sync"]) == FAILED
    out = capsys.readouterr().out
    assert "2 films (6 files) are in the storage." in out
    assert "w2: walk.json cannot be read" in out
