"""`sync --repair` takes no sound film off the wall, whatever store it is pointed at."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from db import queue
from db.models import State, Walk
from db.session import writing
from momalisa.__main__ import BAD_INPUT, DONE, FAILED, main
from momalisa.errors import BadInput, StorageError
from momalisa.settings import Settings
from momalisa.storage import LocalStorage, StoredFile, film_key
from momalisa.sync import Report
from tests.support.stored_films import GIF, add_film
from tests.support.synced_gallery import RunSync, bind_sync, fill, find_hanging, read_rows
from tests.support.walks import enqueue_walk, lease_of


@pytest.fixture
def store(settings: Settings) -> LocalStorage:
    return LocalStorage(Path(settings.store_root))


@pytest.fixture
def run(store: LocalStorage, settings: Settings) -> RunSync:
    return bind_sync(store, settings)


@pytest.fixture
def stray(tmp_path: Path) -> LocalStorage:
    """A wrong store, with one film that the history does not know."""
    storage = LocalStorage(tmp_path / "stray")
    storage.put(film_key("stray", "stray.gif"), GIF, "image/gif")
    return storage


def repair_anyway(run: RunSync, *arguments: Any, **options: Any) -> Report | None:
    """Repair; None if that is refused."""
    try:
        return run(*arguments, repair=True, yes=True, **options)
    except StorageError:
        return None


# A store that is not the gallery's


def test_wrong_store_with_a_stray_film_takes_nothing_off_the_wall(
    store: LocalStorage, stray: LocalStorage, settings: Settings, run: RunSync
) -> None:
    """The Gallery fell from 5 films to the stray one, and to none once the setting was right."""
    fill(store, run, foreign=[3, 4])
    before = find_hanging(settings)
    repair_anyway(run, stray)
    assert find_hanging(settings) >= before
    run()
    repair_anyway(run)
    assert find_hanging(settings) >= before
    assert {row.state for row in read_rows(settings).values()} == {State.DONE}


def test_films_of_a_wrong_store_are_not_taken_in(
    store: LocalStorage, stray: LocalStorage, settings: Settings, run: RunSync
) -> None:
    fill(store, run)
    report = run(stray)
    assert (report.taken_in, report.agree) == ([], False)
    assert any("MOMALISA_STORE" in sentence for sentence in report.sentences())
    assert run(stray, only=["stray"]).taken_in == ["stray"]


@pytest.mark.parametrize(("films", "present"), [(1, 0), (3, 0), (5, 0), (8, 4), (20, 14)])
def test_too_many_missing_films_are_refused(
    store: LocalStorage,
    settings: Settings,
    run: RunSync,
    tmp_path: Path,
    films: int,
    present: int,
) -> None:
    fill(store, run, films)
    part = LocalStorage(tmp_path / "part")
    for number in range(present):
        add_film(part, f"w{number}")
    for yes in (False, True):
        with pytest.raises(StorageError, match=rf"{films - present} of the {films} films"):
            run(part, repair=True, yes=yes)
    assert len(find_hanging(settings)) == films


def test_films_that_are_named_are_made_again_whatever_is_missing(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    fill(store, run)
    shutil.rmtree(store.root)
    report = run(repair=True, yes=True, only=["ML.2026.0002", "w3"])
    assert (report.queued, report.repaired) == (["ML.2026.0002", "ML.2026.0004"], [])
    rows = read_rows(settings)
    queued = {walk_id for walk_id, row in rows.items() if row.state is State.QUEUED}
    assert queued == {"w1", "w3"}


def test_name_of_no_film_is_bad_input(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    fill(store, run)
    with pytest.raises(BadInput, match=r"ML\.2026\.0999"):
        run(repair=True, yes=True, only=["ML.2026.0999"])


# What a repair does


def test_repair_without_yes_only_tells_its_plan(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    fill(store, run)
    store.delete(film_key("w1", "film.gif"))
    store.delete(film_key("w2", "poster.webp"))
    files = {found.key for found in store.list()}
    report = run(repair=True)
    assert [sentence.split()[0] for sentence in report.plan] == ["ML.2026.0002", "ML.2026.0003"]
    assert any("--yes" in sentence for sentence in report.sentences())
    assert (report.repaired, report.without_files) == ([], ["ML.2026.0002"])
    assert len(find_hanging(settings)) == 5
    assert {found.key for found in store.list()} == files


def test_lost_film_is_queued_again_and_keeps_its_files(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    fill(store, run)
    store.delete(film_key("w1", "film.gif"))
    before = read_rows(settings)["w1"]
    report = run(repair=True, yes=True)
    assert (report.queued, report.without_files) == (["ML.2026.0002"], [])
    assert "Queued to be made again: 1" in report.sentences()
    again = read_rows(settings)["w1"]
    assert (again.state, again.files) == (State.QUEUED, before.files)
    later = run(repair=True, yes=True)
    assert (later.queued, later.repaired) == ([], [])


def test_film_that_could_not_be_made_again_is_told_with_the_reason(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    fill(store, run)
    store.delete(film_key("w1", "film.gif"))
    run(repair=True, yes=True)
    with writing(settings.database) as session:
        walk = queue.claim(session=session, owner="w", lease_seconds=9)
        assert walk is not None
        queue.fail(session=session, **lease_of(walk), error="The model is gone.")
    report = run(repair=True)
    assert report.without_files == ["ML.2026.0002"]
    assert report.plan[0].endswith("The last try failed: The model is gone.")


def test_live_curator_does_not_wait_behind_films_that_are_made_again(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    fill(store, run, 20)
    live = enqueue_walk(settings.database, maker="cleo")
    for number in range(3):
        store.delete(film_key(f"w{number}", "film.gif"))
    assert len(run(repair=True, yes=True).queued) == 3
    with writing(settings.database) as session:
        claimed = queue.claim(session=session, owner="w", lease_seconds=9)
    assert claimed is not None
    assert claimed.id == live.id


@pytest.mark.parametrize("foreign", [[], [1]])
def test_lost_poster_is_made_from_the_film(
    store: LocalStorage, settings: Settings, run: RunSync, foreign: list[int]
) -> None:
    """A film of another program was given up, though only its poster was lost."""
    fill(store, run, foreign=foreign)
    poster = read_rows(settings)["w1"].files["poster"]
    store.delete(poster)
    assert run().without_files == []
    run(repair=True, yes=True)
    assert read_rows(settings)["w1"].state is State.DONE
    assert store.get(poster).startswith(b"RIFF")
    assert run().agree


def test_lost_record_is_made_from_the_row(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    fill(store, run)
    before = read_rows(settings)["w1"]
    store.delete(film_key("w1", "walk.json"))
    assert not run().agree
    run(repair=True, yes=True)
    assert run().agree
    with writing(settings.database) as session:
        session.delete(session.get_one(Walk, "w1"))
    assert run().taken_in == ["w1"]
    after = read_rows(settings)["w1"]
    for name in ("accession", "spec", "title", "files", "bytes", "evenness", "finished_at"):
        assert getattr(after, name) == getattr(before, name), name


def test_lost_film_of_another_program_hangs_again_when_its_file_is_back(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    fill(store, run, foreign=[1])
    key = film_key("w1", "film.gif")
    before = read_rows(settings)["w1"]
    store.delete(key)
    report = run(repair=True, yes=True)
    assert (report.repaired, report.without_files) == ([], [before.accession])
    assert any("another program" in sentence for sentence in report.plan)
    assert read_rows(settings)["w1"].state is State.DONE
    store.put(key, GIF, "image/gif")
    assert run().agree
    assert read_rows(settings)["w1"].files == before.files


class Returning(LocalStorage):
    """A store to which a film comes back as soon as the files were listed."""

    def list(self, prefix: str = "") -> Iterator[StoredFile]:
        """List the files without that film."""
        return (found for found in super().list(prefix) if found.key != film_key("w1", "film.gif"))


def test_film_that_comes_back_during_the_repair_is_not_made_again(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    fill(store, run)
    assert run(Returning(store.root), repair=True, yes=True).queued == []
    assert len(find_hanging(settings)) == 5


def test_film_that_is_damaged_is_not_made_again(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    fill(store, run)
    store.delete(film_key("w1", "film.gif"))
    store.put(film_key("w1", "film.gif"), GIF[:-9], "image/gif")
    report = run(repair=True, yes=True)
    assert (report.repaired, len(report.damaged)) == ([], 1)


# The store's folder


def test_file_in_the_place_of_the_store_is_an_error(
    store: LocalStorage, settings: Settings, run: RunSync
) -> None:
    fill(store, run)
    shutil.rmtree(store.root)
    store.root.write_bytes(b"no folder")
    for options in ({}, {"repair": True}, {"repair": True, "yes": True}):
        with pytest.raises(StorageError, match="is not a folder"):
            run(**options)
        with pytest.raises(StorageError, match="is not a folder"):
            run(LocalStorage(store.root / "films"), **options)
    assert len(find_hanging(settings)) == 5


# The command line


@pytest.fixture
def home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("momalisa.commands.sync.settings", lambda: settings)
    return settings


def test_the_command_line_repairs_with_yes_only(
    store: LocalStorage, home: Settings, run: RunSync, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(store, run)
    store.delete(film_key("w1", "poster.webp"))
    assert main(["sync", "--repair"]) == FAILED
    out = capsys.readouterr().out
    assert "ML.2026.0002 gets a new poster" in out
    assert "--repair --yes" in out
    assert main(["sync", "--repair", "--yes", "--only", "ML.2026.0002"]) == DONE
    assert store.exists(film_key("w1", "poster.webp"))
    assert main(["sync", "--yes"]) == BAD_INPUT
