"""Pictures beside films: two films have one, it is changed or lost; walks are repeated from it."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from db.models import State
from db.session import get_engine
from momalisa.deletion import delete_walk
from momalisa.engine.frame_cache import open_frame_cache
from momalisa.engine.runner import ModelRunner
from momalisa.errors import StorageError
from momalisa.settings import Settings
from momalisa.stop_pictures import StopPicture, find_file, take_in_bytes
from momalisa.storage import FILMS_FOLDER, GCSStorage, LocalStorage, Storage
from momalisa.storage.outbox import Outbox
from tests.support.databases import create_sqlite
from tests.support.picture_walks import enqueue, forget, make_film, png, run_worker
from tests.support.storage_emulator import running_emulator
from tests.support.walks import read_walk

Spoil = Callable[[Storage, str], None]


@pytest.fixture
def picture() -> StopPicture:
    return take_in_bytes(png(5))


@pytest.fixture(params=["folder", "bucket"])
def gallery(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Settings, Storage]]:
    """A home and its store."""
    if request.param == "folder":
        home = Settings(home=tmp_path / "home")
        create_sqlite(home.database)
        yield home, LocalStorage(Path(home.store_root))
    else:
        from google.cloud.storage import Client  # type: ignore[import-untyped]

        with running_emulator() as address:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://{address}")
            monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "test")
            with closing(Client(project="test")) as client:
                client.create_bucket("films")
                home = Settings(home=tmp_path / "home", store="gs://films/gallery")
                create_sqlite(home.database)
                yield home, GCSStorage("films", "gallery", client)
    get_engine(home.database).dispose()


def test_of_two_films_with_one_picture_the_one_that_stays_keeps_it_and_can_be_repeated(
    gallery: tuple[Settings, Storage], picture: StopPicture, tiny: ModelRunner
) -> None:
    settings, store = gallery
    deleted = make_film(settings, picture, tiny)
    walk = enqueue(settings, picture, frames=4)
    run_worker(settings, tiny)
    kept = read_walk(settings.database, walk)
    cache = open_frame_cache(settings)
    outbox = Outbox(settings.home / "outbox")
    assert delete_walk(deleted.id, store, outbox, settings.database, cache)
    assert list(store.list(f"{FILMS_FOLDER}/{deleted.id}/")) == []
    assert store.get(kept.files["stop-1"]) == picture.data
    forget(settings, picture)
    shutil.rmtree(cache.folder)
    again = enqueue(settings, picture, frames=5)
    run_worker(settings, tiny)
    row = read_walk(settings.database, again)
    assert (row.state, row.error) == (State.DONE, "")
    assert store.get(row.files["stop-1"]) == picture.data


def lose(store: Storage, key: str) -> None:
    store.delete(key)


def exchange(store: Storage, key: str) -> None:
    store.delete(key)
    store.put(key, take_in_bytes(png(6)).data, "image/webp")


def damage(store: Storage, key: str) -> None:
    data = store.get(key)
    store.delete(key)
    store.put(key, data[:-40], "image/webp")


@pytest.mark.parametrize("spoil", [lose, exchange, damage])
def test_a_picture_that_is_lost_or_changed_in_the_store_is_a_sentence_and_nothing_is_written(
    gallery: tuple[Settings, Storage], picture: StopPicture, tiny: ModelRunner, spoil: Spoil
) -> None:
    settings, store = gallery
    made = make_film(settings, picture, tiny)
    forget(settings, picture)
    spoil(store, made.files["stop-1"])
    before = {stored.key: stored.size for stored in store.list("")}
    cache = open_frame_cache(settings)
    frames = set(cache.folder.rglob("*.*"))
    again = enqueue(settings, picture, frames=4)
    run_worker(settings, tiny)
    row = read_walk(settings.database, again)
    assert (row.state, row.files) == (State.FAILED, {})
    assert "not at hand any more" in row.error
    assert {stored.key: stored.size for stored in store.list("")} == before
    assert set(cache.folder.rglob("*.*")) == frames
    record = json.loads(store.get(made.files["json"]))
    assert record["spec"]["stops"][0]["image"]["digest"] == picture.digest


def test_a_storage_that_is_away_is_not_taken_for_a_lost_picture(
    settings: Settings, picture: StopPicture, tiny: ModelRunner
) -> None:
    """The walk is tried again later; it does not fail for good."""
    make_film(settings, picture, tiny)
    forget(settings, picture)

    def be_away() -> Storage:
        raise StorageError("The storage is out of reach.")

    with pytest.raises(StorageError, match="out of reach"):
        find_file(picture.digest, settings.database, be_away)
    store = LocalStorage(Path(settings.store_root))
    assert find_file(picture.digest, settings.database, lambda: store) == picture.data
    assert find_file("0" * 64, settings.database, be_away) is None
