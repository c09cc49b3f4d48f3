"""Walks from pictures, whole: queued, rendered, stored, and made again from the store alone.

The weights are tiny and random.
"""

import json
import os
import shutil
import signal
from contextlib import closing
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from db import stop_pictures as table
from db import walks
from db.backup import backup, restore
from db.clock import utc_now
from db.credits import Credit
from db.models import State, StopPicture, Walk
from db.session import get_engine, reading, writing
from momalisa import render, stop_pictures
from momalisa.__main__ import BAD_INPUT, DONE, main
from momalisa.deletion import delete_walk
from momalisa.engine.frame_cache import open_frame_cache
from momalisa.engine.runner import ModelRunner
from momalisa.models.registry import load
from momalisa.settings import Settings
from momalisa.spec import Place, WalkSpec
from momalisa.stop_pictures import StopPicture as Picture
from momalisa.storage import GCSStorage, LocalStorage, film_key
from momalisa.storage.outbox import Outbox
from momalisa.sync import sync as sync_films
from tests.support.databases import create_sqlite
from tests.support.picture_walks import enqueue, fields_of, forget, make_film, png, run_worker
from tests.support.storage_emulator import running_emulator
from tests.support.stub_worker import stub_worker
from tests.support.synced_gallery import bind_sync
from tests.support.walks import read_walk


def find_titles(database: str, **filters: Any) -> list[str]:
    with reading(database) as session:
        return [walk.title for walk in walks.list_page(session=session, **filters)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A picture's file."""
    path = tmp_path / "work.png"
    path.write_bytes(png(5))
    return path


@pytest.fixture
def picture(path: Path) -> Picture:
    return stop_pictures.take_in(path)


def test_a_walk_from_a_picture_is_stored_with_it(
    settings: Settings, picture: Picture, tiny: ModelRunner
) -> None:
    made = make_film(settings, picture, tiny)
    store = LocalStorage(Path(settings.store_root))
    key = film_key(made.id, "stop-1.webp")
    assert made.files["stop-1"] == key
    assert store.get(key) == picture.data
    record = json.loads(store.get(made.files["json"]))
    image = record["spec"]["stops"][0]["image"]
    assert (image["digest"], image["credit"]["artist"]) == (picture.digest, "Claude Monet")
    assert record["title"].startswith("Water Lilies (Claude Monet) → ")


def test_a_history_rebuilt_from_a_bucket_repeats_the_walk(
    tmp_path: Path, picture: Picture, tiny: ModelRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left but the bucket: another home, with an empty history and frame cache."""
    from google.cloud.storage import Client  # type: ignore[import-untyped]

    with running_emulator() as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://{address}")
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "test")
        with closing(Client(project="test")) as client:
            client.create_bucket("films")
            lost, found = (
                Settings(home=tmp_path / name, store="gs://films/gallery") for name in "ab"
            )
            for one in (lost, found):
                create_sqlite(one.database)
            made = make_film(lost, picture, tiny)
            get_engine(lost.database).dispose()
            shutil.rmtree(lost.home)
            store = GCSStorage("films", "gallery", client)
            report = sync_films(store, found.database, Outbox(found.home / "outbox"))
            assert (report.taken_in, report.without_row) == ([made.id], [])
            back = read_walk(found.database, made)
            assert (back.files, back.spec, back.title) == (made.files, made.spec, made.title)
            assert find_titles(found.database, artist="Claude Monet") == [made.title]
            again = enqueue(found, picture, frames=4)
            run_worker(found, tiny)
            row = read_walk(found.database, again)
            assert (row.state, row.error) == (State.DONE, "")
            assert store.get(row.files["stop-1"]) == picture.data
            get_engine(found.database).dispose()


def test_a_worker_that_is_killed_in_the_middle_leaves_the_walk_to_the_next(
    settings: Settings, picture: Picture, make_pipeline: Any
) -> None:
    folder = make_pipeline()
    stop_pictures.keep(picture, settings.database)
    walk = enqueue(settings, picture, frames=7)
    get_engine(settings.database).dispose()
    process = get_context("spawn").Process(target=die_at, args=(settings.home, 3, folder))
    process.start()
    process.join(600)
    assert process.exitcode == -signal.SIGKILL
    left = read_walk(settings.database, walk)
    assert (left.state, left.files) == (State.RUNNING, {})
    with writing(settings.database) as session:
        session.get_one(Walk, walk.id).lease_until = utc_now() - timedelta(seconds=1)
        session.delete(session.get_one(StopPicture, picture.digest))
    run_worker(settings, load(str(folder), "cpu"))
    done = read_walk(settings.database, walk)
    assert (done.state, done.error, done.attempt) == (State.DONE, "", 2)
    assert done.frames_computed <= 7 - 3
    store = LocalStorage(Path(settings.store_root))
    assert store.get(done.files["stop-1"]) == picture.data
    record = json.loads(store.get(done.files["json"]))
    assert record["spec"]["stops"][0]["image"]["credit"] == done.spec["stops"][0]["image"]["credit"]


def die_at(home: Path, frames: int, pipeline: Path) -> None:
    """Run a worker that is killed once so many frames are ready."""

    def report(progress: render.Progress, on_progress: Any) -> None:
        on_progress(progress)
        if len(progress.ready) >= frames:
            os.kill(os.getpid(), signal.SIGKILL)

    def render_until(*what: Any, on_progress: Any, **how: Any) -> Any:
        return render.render(*what, on_progress=lambda p: report(p, on_progress), **how)

    model = load(str(pipeline), "cpu")
    stub_worker(Settings(home=home), load=lambda *_: model, render=render_until).run(once=True)


def test_a_restored_history_walks_from_its_pictures_again(
    settings: Settings, picture: Picture, tiny: ModelRunner, tmp_path: Path
) -> None:
    """The film was deleted since: it and its picture do not come back, all else does."""
    kept = make_film(settings, picture, tiny)
    gone = stop_pictures.take_in_bytes(png(3))
    stop_pictures.keep(gone, settings.database)
    walk = enqueue(settings, gone, frames=4)
    backup(settings.database, tmp_path / "copy.db")
    with writing(settings.database) as session:
        session.get_one(Walk, walk.id).state = State.FAILED
    store, outbox = LocalStorage(Path(settings.store_root)), Outbox(settings.home / "outbox")
    assert delete_walk(walk.id, store, outbox, settings.database, open_frame_cache(settings))
    get_engine(settings.database).dispose()
    restore(tmp_path / "copy.db", settings.database)
    assert find_titles(settings.database, artist="Claude Monet") == [kept.title]
    with reading(settings.database) as session:
        assert table.find(session=session, digest=picture.digest) == picture.data
        assert table.find(session=session, digest=gone.digest) is None
        assert session.scalars(select(Credit.walk_id)).all() == [kept.id]


def test_a_walk_whose_picture_is_nowhere_fails_in_words(
    settings: Settings, picture: Picture, tiny: ModelRunner
) -> None:
    walk = enqueue(settings, picture)
    run_worker(settings, tiny)
    row = read_walk(settings.database, walk)
    assert row.state is State.FAILED
    assert "not at hand any more" in row.error


def test_a_lost_picture_is_put_back_and_a_deleted_walk_leaves_none(
    settings: Settings, picture: Picture, tiny: ModelRunner
) -> None:
    made = make_film(settings, picture, tiny)
    store = LocalStorage(Path(settings.store_root))
    sync = bind_sync(store, settings)
    store.delete(made.files["stop-1"])
    sync(repair=True, yes=True)
    assert store.get(made.files["stop-1"]) == picture.data
    forget(settings, picture)
    store.delete(made.files["stop-1"])
    sync(repair=True, yes=True)
    assert "stop-1" not in read_walk(settings.database, made).files
    assert delete_walk(made.id, store, Outbox(settings.home / "outbox"), settings.database)
    assert list(store.list(f"saved_predictions/{made.id}/")) == []


def test_a_deleted_walk_leaves_nothing_of_its_picture_unless_another_film_has_it(
    settings: Settings, picture: Picture, tiny: ModelRunner
) -> None:
    first = make_film(settings, picture, tiny)
    again = enqueue(settings, picture, frames=4)
    run_worker(settings, tiny)
    cache, store = open_frame_cache(settings), LocalStorage(Path(settings.store_root))
    outbox = Outbox(settings.home / "outbox")

    def left() -> list[str]:
        return sorted(path.suffix for path in cache.folder.rglob(f"{picture.digest}*"))

    assert left() == [".npy", ".webp"]
    assert delete_walk(first.id, store, outbox, settings.database, cache)
    assert left() == [".npy", ".webp"]
    kept = read_walk(settings.database, again)
    assert store.get(kept.files["stop-1"]) == picture.data
    assert delete_walk(again.id, store, outbox, settings.database, cache)
    assert left() == []


def test_pictures_between_stops_are_painted_from_a_picture(
    settings: Settings, picture: Picture, tiny: ModelRunner
) -> None:
    stop_pictures.keep(picture, settings.database)
    spec = WalkSpec.from_stored(fields_of(picture))
    cache = open_frame_cache(settings)
    stop_pictures.bring(spec, cache, settings.database, lambda: LocalStorage(settings.home))
    first, middle = render.render_live(spec, [Place(0, 0.0), Place(0, 0.5)], tiny, cache)
    assert first.shape == (64, 64, 3)
    assert not np.array_equal(first, middle)


def test_the_command_walks_from_a_picture(
    settings: Settings, path: Path, make_pipeline: Any, tmp_path: Path, capsys: Any
) -> None:
    out, report = tmp_path / "film.gif", tmp_path / "report.json"
    common = [*("--model", str(make_pipeline()), "--frames", "3", "--steps", "2", "--size", "64")]
    common += ["--out", str(out), "--report", str(report)]
    command = ["walk", "", "a sea", "--image", f"1={path}", "--crop", "1=0.2,0.5,2"]
    command += ["--credit", "1=artist=Mina Loy"]
    assert main([*command, "--interpolation", "attention", *common]) == DONE
    assert "“attention” mixes the texts as lerp does" in capsys.readouterr().err
    stop = json.loads(report.read_text())["spec"]["stops"][0]
    assert stop["image"]["digest"] == stop_pictures.take_in(path).digest
    assert stop["image"]["crop"] == {"x": 0.2, "y": 0.5, "zoom": 2.0}
    assert json.loads(report.read_text())["spec"]["stops"][1]["prompt"] == "a sea"
    begins = ["walk", "", "a night", "--image", f"1={out}#2", *common]
    assert main(begins) == DONE  # from the picture: the leg has one
    image = json.loads(report.read_text())["spec"]["stops"][0]["image"]
    assert image["credit"]["artist"] == "Mina Loy"
    assert main(["walk", "a sea", "a night", *common]) == DONE
    assert main(begins) == DONE
    between = json.loads(report.read_text())["spec"]["stops"][0]["between"]
    assert (between["start"]["prompt"], between["t"]) == ("a sea", 0.5)
    for wrong, said in (
        (["--image", f"1={out}#9"], "none of number 9"),
        (["--image", "3=x.png"], "number of a stop from 1 to 2"),
        (["--image", f"1={tmp_path}/none.png"], "no such picture"),
        (["--image", "1=https://example.com/a.jpg"], "not an address of a museum"),
        (["--image", f"1={path}", "--image", f"1={path}"], "two pictures"),
        (["--image", f"1={path}", "--crop", "2=0,0,1"], "no picture to crop"),
        (["--image", f"1={path}", "--crop", "1=0,0"], "X,Y,ZOOM"),
        ([], "stop 1, prompt: A stop needs a prompt"),
    ):
        assert main(["walk", "", "a sea", *wrong, *common]) == BAD_INPUT
        assert said in capsys.readouterr().err


def test_the_table_finds_films_by_their_picture(
    settings: Settings, picture: Picture, tiny: ModelRunner
) -> None:
    made = make_film(settings, picture, tiny)
    with reading(settings.database) as session:
        found = table.find_films(session=session, digest=picture.digest)
        assert [walk.id for walk in found] == [made.id]
        assert table.find_films(session=session, digest="f" * 64) == []
