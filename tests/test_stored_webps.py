"""A film's WebP beside its GIF: played where it is there; without it, the film is not lost."""

import json
from pathlib import Path
from typing import Any

import pytest

from db.models import State
from momalisa.deletion import delete_walk
from momalisa.engine.frame_cache import FrameCache
from momalisa.film.encode import encode_gif
from momalisa.film.shown import encode_shown_film, encode_shown_poster
from momalisa.settings import Settings
from momalisa.storage import LocalStorage, film_key
from momalisa.storage.outbox import File, Outbox, store_film
from momalisa.stored_films import find_result
from tests.support.stored_films import FRAMES, SPEC, film_record
from tests.support.synced_gallery import RunSync, bind_sync, change, find_hanging, read_rows

GIF_NAME, WEBP_NAME = "5a5a5a5a5a5a5a5a.gif", "5a5a5a5a5a5a5a5a.webp"
GIF = encode_gif(FRAMES, SPEC.fps)
WEBP = encode_shown_film(SPEC, FRAMES)
POSTER = encode_shown_poster(SPEC, FRAMES)
GIF_KEY, WEBP_KEY, POSTER_KEY, RECORD_KEY = (
    film_key("w1", name) for name in (GIF_NAME, WEBP_NAME, "poster.webp", "walk.json")
)
KEYS = {"gif": GIF_KEY, "webp": WEBP_KEY, "poster": POSTER_KEY, "json": RECORD_KEY}


def film_files() -> list[File]:
    """The files of a film as a renderer stores them, the record last."""
    record = film_record("w1")
    record["result"] |= {"files": KEYS, "bytes": len(GIF)}
    data = {"webp": WEBP, "gif": GIF, "poster": POSTER, "json": json.dumps(record).encode()}
    return [File(KEYS[kind], content) for kind, content in data.items()]


@pytest.fixture
def store(settings: Settings) -> LocalStorage:
    store = LocalStorage(Path(settings.store_root))
    store_film(film_files(), store)
    return store


@pytest.fixture
def run(store: LocalStorage, settings: Settings) -> RunSync:
    return bind_sync(store, settings)


def files_of_row(settings: Settings) -> dict[str, str]:
    return read_rows(settings)["w1"].files


def cache_frames(settings: Settings) -> FrameCache:
    """Cache the film's frames, as if it had been made on this machine."""
    cache = FrameCache(settings.frame_cache)
    keys = [f"{number:064x}" for number in range(len(FRAMES))]
    for key, frame in zip(keys, FRAMES, strict=True):
        cache.put(key, frame)
    progress: list[Any] = [[place, key] for place, key in enumerate(keys)]
    change(settings, "w1", progress=progress)
    return cache


def test_a_history_that_is_rebuilt_plays_the_webp(settings: Settings, run: RunSync) -> None:
    report = run()
    assert report.agree, list(report.sentences())
    assert files_of_row(settings) == KEYS


def test_a_film_whose_record_is_lost_too_is_found_with_its_webp(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    store.delete(RECORD_KEY)
    assert run().taken_in == ["w1"]
    assert files_of_row(settings)["webp"] == WEBP_KEY


def test_a_webp_of_another_program_is_not_played(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    """It may be a poster, or anything."""
    for name, data in (("sea.gif", GIF), ("sea.webp", POSTER)):
        store.put(film_key("w2", name), data, "image/gif")
    run()
    assert "webp" not in read_rows(settings)["w2"].files


def test_a_film_without_its_webp_is_no_lost_film(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    run()
    store.delete(WEBP_KEY)
    report = run()
    assert (report.incomplete, report.without_files) == (["ML.2026.0042"], [])
    assert find_hanging(settings) == {"w1"}
    assert find_result(store, "w1", SPEC.digest()) is not None
    [sentence] = run(repair=True).plan
    assert "gets a new WebP" in sentence


def test_a_film_that_never_had_a_webp_is_complete(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    store.delete(WEBP_KEY)
    report = run()
    assert report.agree, list(report.sentences())
    assert "webp" not in files_of_row(settings)
    assert run(repair=True, yes=True).repaired == []


def test_a_repair_makes_the_webp_and_the_poster_of_the_frames(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    """Not of the GIF, which is dithered."""
    run()
    cache = cache_frames(settings)
    for key in (WEBP_KEY, POSTER_KEY):
        store.delete(key)
    report = run(repair=True, yes=True, cache=cache)
    assert (report.repaired, report.queued) == (["ML.2026.0042"], [])
    assert (store.get(WEBP_KEY), store.get(POSTER_KEY)) == (WEBP, POSTER)
    assert run().agree


@pytest.mark.parametrize("has_cache", [False, True])
def test_without_its_frames_a_repaired_film_plays_its_gif(
    store: LocalStorage, settings: Settings, run: RunSync, has_cache: bool
) -> None:
    run()
    cache = cache_frames(settings) if has_cache else None
    if cache is not None:
        cache.path(f"{1:064x}").unlink()
    store.delete(WEBP_KEY)
    assert run(repair=True, yes=True, cache=cache).repaired == ["ML.2026.0042"]
    assert files_of_row(settings) == {k: v for k, v in KEYS.items() if k != "webp"}
    assert read_rows(settings)["w1"].state is State.DONE
    report = run()
    assert report.agree, list(report.sentences())


def test_a_webp_that_an_earlier_version_did_not_know_is_played(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    run()
    change(settings, "w1", files={k: v for k, v in KEYS.items() if k != "webp"})
    report = run()
    assert report.agree, list(report.sentences())
    assert files_of_row(settings) == KEYS


def test_a_second_run_with_another_encoder_leaves_the_webp(store: LocalStorage) -> None:
    """The frames are the same; a worker that had stored all but its record failed for good."""
    store.delete(RECORD_KEY)
    again = [f._replace(data=b"other bytes") if f.key == WEBP_KEY else f for f in film_files()]
    store_film(again, store)
    assert store.get(WEBP_KEY) == WEBP
    assert store.exists(RECORD_KEY)


CUT_SHORT = [b"", WEBP[:5], WEBP[:12], WEBP[: len(WEBP) // 2], WEBP[:-1], bytes(len(WEBP))]
"""What a full or failing disk may leave of a WebP."""


def cut_short(store: LocalStorage, key: str, left: bytes) -> None:
    (store.root / key).write_bytes(left)


@pytest.mark.parametrize("left", CUT_SHORT, ids=len)
@pytest.mark.parametrize("key", [WEBP_KEY, POSTER_KEY])
def test_a_picture_that_is_cut_short_is_told_and_made_anew(
    store: LocalStorage, settings: Settings, run: RunSync, key: str, left: bytes
) -> None:
    """It hid a part of its film; nobody was told, and nothing made it anew."""
    run()
    cache = cache_frames(settings)
    cut_short(store, key, left[:-9] if key == POSTER_KEY and len(left) > len(POSTER) else left)
    report = run()
    assert (report.cut_short, report.incomplete, report.agree) == (["ML.2026.0042"], [], False)
    assert run(repair=True, yes=True, cache=cache).repaired == ["ML.2026.0042"]
    assert (store.get(WEBP_KEY), store.get(POSTER_KEY)) == (WEBP, POSTER)
    assert run().agree
    assert files_of_row(settings) == KEYS


def test_without_its_frames_a_film_whose_webp_is_cut_short_plays_its_gif(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    run()
    cut_short(store, WEBP_KEY, WEBP[: len(WEBP) // 2])
    assert run(repair=True, yes=True).repaired == ["ML.2026.0042"]
    assert "webp" not in files_of_row(settings)
    assert run().agree


def test_a_history_that_is_rebuilt_plays_no_webp_that_is_cut_short(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    cut_short(store, WEBP_KEY, WEBP[: len(WEBP) // 2])
    run()
    assert "webp" not in files_of_row(settings)
    report = run()
    assert report.cut_short == ["ML.2026.0042"]
    assert "webp" not in files_of_row(settings)
    cache = cache_frames(settings)
    assert run(repair=True, yes=True, cache=cache).repaired == ["ML.2026.0042"]
    assert files_of_row(settings) == KEYS
    assert run().agree


def test_a_film_that_is_made_again_replaces_a_webp_that_is_cut_short(store: LocalStorage) -> None:
    cut_short(store, WEBP_KEY, WEBP[: len(WEBP) // 2])
    cut_short(store, POSTER_KEY, b"")
    store_film(film_files(), store)
    assert (store.get(WEBP_KEY), store.get(POSTER_KEY)) == (WEBP, POSTER)


def test_a_deleted_film_takes_its_webp_along(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    run()
    assert delete_walk("w1", store, Outbox(settings.home / "outbox"), settings.database)
    assert list(store.list()) == []


def test_the_record_that_is_written_anew_names_the_webp(settings: Settings, run: RunSync) -> None:
    from db.session import reading
    from momalisa.records import write_record

    run()
    walk = read_rows(settings)["w1"]
    with reading(settings.database) as session:
        record = json.loads(write_record(session, walk))
    assert record["result"]["files"] == KEYS
