"""Outages: every page reports what is unavailable, and recovers."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from db import deletions
from db.models import Walk
from db.session import get_engine, reading, writing
from momalisa.settings import CHECKOUT
from momalisa.storage import (
    CONTENT_TYPES,
    FILMS_FOLDER,
    LocalStorage,
    Storage,
    film_key,
    open_storage,
)
from momalisa.storage.outbox import Outbox
from tests.support.app import App, running_app
from tests.support.browser import (
    FILM_PATIENCE,
    PATIENCE,
    Visitor,
    fill_field,
    press,
    wait_for_script,
)
from tests.support.faults import Proxy
from tests.support.films import add_film
from tests.support.storage_emulator import proxied_bucket
from tests.support.waiting import wait_until
from tests.support.walks import enqueue_walk_in

pytestmark = pytest.mark.browser

STORE = "gs://films/store"
ALONE = {"MOMALISA_WORKER": "external"}
LOCKED = "Another program keeps the history locked, so nothing was changed."
GONE = "The history cannot be reached just now."
DAMAGED = "The history is damaged. Nothing was changed in it."
NO_FILM = "There is no film under this link. It may have been deleted."
NO_PAGE = "There is no such page here; this is the entrance."
NO_WORKER = "No worker is there, so nothing moves."
AWAY = "The storage is out of reach just now."
HOSTILE = "'; DROP TABLE walks; --\"><img src=x onerror=alert(1)>\0" + 10_000 * "x"


@pytest.fixture(scope="module")
def bucket() -> Iterator[Proxy]:
    """An emulated bucket behind a proxy, which can be taken offline."""
    with proxied_bucket("films") as proxy:
        yield proxy


@pytest.fixture(scope="module")
def app(bucket: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    home = tmp_path_factory.mktemp("outages")
    with running_app(home, environment=ALONE | {"MOMALISA_STORE": STORE}) as app:
        for name in ("left", "right"):
            add_film_to(open_storage(STORE), app, name)
        yield app


@pytest.fixture
def page(visitor: Visitor) -> Page:
    return visitor.page


@contextmanager
def offline(bucket: Proxy) -> Iterator[None]:
    """Take the bucket offline within the context."""
    bucket.offline = True
    try:
        yield
    finally:
        bucket.offline = False


def add_film_to(storage: Storage, app: App, name: str) -> None:
    """Add a film whose files are in that storage."""
    add_film(app, name, f"a {name} hand", "a sea")
    here = LocalStorage(app.home / "store")
    for file in here.list(f"{FILMS_FOLDER}/{name}/"):
        storage.put(file.key, here.get(file.key), CONTENT_TYPES[Path(file.key).suffix])


def open_deletions(app: App) -> list[str]:
    """The ids of deleted walks whose files are still to be deleted."""
    with reading(app.database) as session:
        return deletions.list_open(session=session)


@contextmanager
def running_worker(app: App, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker for this app."""
    command = [sys.executable, "-m", "momalisa", "worker", *options]
    with (app.home / "worker.log").open("ab") as log:
        worker = subprocess.Popen(
            command, cwd=CHECKOUT, env=app.environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield worker
    finally:
        worker.terminate()
        worker.wait()


def beside(page: Page, address: str, *, is_still: bool = False) -> Page:
    """Open an address in another tab, where films that are still do not play by themselves."""
    tab = page.context.new_page()
    if is_still:
        tab.emulate_media(reduced_motion="reduce")
    tab.goto(address, timeout=2 * PATIENCE)
    return tab


def says(page: Page, sentence: str) -> None:
    expect(page.get_by_text(sentence).first).to_be_visible(timeout=2 * PATIENCE)


def plays(page: Page) -> None:
    count = page.locator(".count").first
    expect(count).to_contain_text(re.compile(r"\d / \d"), timeout=2 * PATIENCE)


def stays(page: Page, name: str) -> None:
    """Wait until a button stays where it is: what is above it may still be drawn."""
    button = page.get_by_role("button", name=name, exact=True)
    place = None
    while place is None or place != button.bounding_box():
        place = button.bounding_box()
        page.wait_for_timeout(500)


def test_a_queued_walk_runs_once_a_worker_starts(app: App, page: Page) -> None:
    with writing(app.database) as session:
        walk = enqueue_walk_in(session, "a moon", "a sea", frames=3, steps=4, size=64)
        walk.created_at -= timedelta(minutes=1)
    page.goto(f"{app.url}/create?walk={walk.id}")
    compare = beside(page, f"{app.url}/compare?a=left&b={walk.id}")
    for tab in (page, compare):
        says(tab, NO_WORKER)
    with running_worker(app):
        for tab in (page, compare):
            expect(tab.get_by_text(NO_WORKER)).to_be_hidden(timeout=FILM_PATIENCE)
        for tab, done in ((page, "Remix"), (compare, "Vote blind")):
            button = tab.get_by_role("button", name=done, exact=True)
            expect(button).to_be_visible(timeout=FILM_PATIENCE)
            plays(tab)


def test_pictures_come_back_with_the_bucket(app: App, lone_visitor: Visitor, bucket: Proxy) -> None:
    page = lone_visitor.page
    with offline(bucket):
        page.goto(app.url)
        plays(page)
        wall, film, compare, exhibition = (
            beside(page, f"{app.url}/{place}")
            for place in ("gallery", "gallery?walk=left", "compare?a=left&b=right", "exhibition")
        )
        says(wall, "Some posters are out of reach just now.")
        says(film, AWAY)
        says(compare, AWAY)
        says(exhibition, "The films are out of reach just now.")
    for tab in (film, compare):
        plays(tab)
        expect(tab.get_by_text(AWAY)).to_be_hidden()
    says(exhibition, "hand → a sea, 20")
    posters = wall.get_by_text("Some posters are out of reach just now.")
    expect(posters).to_be_hidden(timeout=2 * PATIENCE)


def test_downloads_and_uploads_that_fail_are_reported_or_retried(
    app: App, page: Page, bucket: Proxy
) -> None:
    add_film_to(open_storage(STORE), app, "gone")
    outbox = Outbox(app.home / "outbox")
    add_film_to(outbox.films, app, "late")
    with writing(app.database) as session:
        session.get_one(Walk, "late").waiting = True
    with offline(bucket):
        download = beside(page, "about:blank")
        download.goto(f"{app.url}/pictures/walks/left.mp4", timeout=2 * PATIENCE)
        says(download, "The bucket did not take or give")
        page.goto(f"{app.url}/gallery?walk=late")
        plays(page)
        page.goto(f"{app.url}/gallery?walk=gone")
        stays(page, "Delete")
        press(page, "Delete")
        press(page, "Yes, delete it")
        says(page, "1 film waits for the storage; nothing is lost.")
        expect(page.locator(".card", has_text="a gone hand")).to_have_count(0)
        assert open_deletions(app) == ["gone"]

    with running_worker(app, "--once") as worker:
        worker.wait()
    # The web process may be on its way with them.
    wait_until(lambda: not open_deletions(app) and not outbox.walk_ids(), FILM_PATIENCE / 1000)
    assert open_storage(STORE).exists(film_key("late", "film.gif"))
    assert not open_storage(STORE).exists(film_key("gone", "film.gif"))
    page.reload()
    expect(page.locator(".card", has_text="a late hand")).to_be_visible()
    expect(page.get_by_text("for the storage")).to_be_hidden()


def test_with_a_locked_database_nothing_typed_is_lost(app: App, page: Page) -> None:
    places = (
        "create",
        "gallery?walk=left",
        "gallery?walk=right",
        "compare?a=left&b=right&blind=yes",
    )
    # Films that play for all the time that the history may stay locked would take half a core.
    tabs = [beside(page, f"{app.url}/{place}", is_still=True) for place in places]
    create, star, remix, vote = tabs
    fill_field(create, "From", "a kept word")
    fill_field(create, "To", "a sea")
    for tab in tabs:
        wait_for_script(tab)
    before = app.walks()
    with closing(sqlite3.connect(app.home / "momalisa.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        press(create, "Walk")
        star.get_by_text("Star", exact=True).click()
        press(remix, "Remix")
        press(vote, "First film")
        for tab in tabs:
            says(tab, LOCKED)
    assert app.walks() == before
    press(create, "Walk")
    says(create, "in the queue")
    expect(create.get_by_label("From", exact=True)).to_have_value("a kept word")
    press(remix, "Remix")
    remix.wait_for_url("**/create?walk=*")
    press(vote, "First film")
    says(vote, "You preferred the first film")


def test_a_link_to_an_unknown_film_shows_a_message(app: App, visitor: Visitor) -> None:
    page, name = visitor.page, quote(HOSTILE, safe="")
    for place in ("gallery?walk=", "create?walk=", "create?use=", "compare?b=right&a="):
        page.goto(f"{app.url}/{place}{name}")
        says(page, NO_FILM)
    page.goto(f"{app.url}/exhibition?walk={name}")
    says(page, "There is no film to exhibit here yet.")
    page.goto(f"{app.url}/gallery?before={name}&sort={name}&since={name}")
    expect(page.locator(".card").first).to_be_visible()
    assert visitor.errors == []


def test_an_unknown_path_redirects_to_home_with_a_notice(app: App, visitor: Visitor) -> None:
    page = visitor.page
    page.goto(f"{app.url}/gallery/nosuch")
    says(page, NO_PAGE)
    plays(page)
    expect(page).to_have_url(f"{app.url}/")
    wait_for_script(page)
    says(page, NO_PAGE)
    page.get_by_role("link", name="Gallery", exact=True).click()
    expect(page.locator(".card").first).to_be_visible()
    page.get_by_role("link", name="MOMA Lisa", exact=True).click()
    plays(page)
    expect(page.get_by_text(NO_PAGE)).to_be_hidden()
    assert visitor.errors == []


def test_a_damaged_database_is_left_alone_and_pages_survive_a_restart(
    page: Page, port: int, tmp_path: Path
) -> None:
    file = tmp_path / "momalisa.db"
    serving = partial(running_app, tmp_path, environment=ALONE, port=port)
    with serving() as app:
        add_film(app, "left", "a left hand", "a sea")
        page.goto(f"{app.url}/gallery?walk=left")
        plays(page)
    get_engine(app.database).dispose()  # the last one out puts all into the file
    sound = file.read_bytes()
    file.write_bytes(b"rubbish" * 1000)
    with serving():
        places = ("create", "gallery", "compare?a=left", "exhibition", "insight")
        for tab in [beside(page, f"{app.url}/{place}") for place in places]:
            says(tab, DAMAGED)
            expect(tab.get_by_text("Traceback")).to_have_count(0)
            tab.close()
        assert file.read_bytes() == b"rubbish" * 1000
    # A traceback in colours took two seconds of a core for each of these pages.
    assert "\x1b[" not in (tmp_path / "server.log").read_text()
    file.write_bytes(sound)
    with serving():
        page.locator('[data-test-connection-state="CONNECTED"]').wait_for()
        page.get_by_role("link", name="Insight", exact=True).click()
        says(page, "1 film since")


def test_a_page_reloads_once_the_database_is_back(visitor: Visitor, tmp_path: Path) -> None:
    history = tmp_path / "momalisa.db"
    history.mkdir()  # which no database can be
    with running_app(tmp_path, environment=ALONE) as app:
        visitor.page.goto(f"{app.url}/gallery")
        says(visitor.page, GONE)
        history.rmdir()
        says(visitor.page, "The walls are still bare.")
        expect(visitor.page.get_by_text(GONE)).to_have_count(0)
        assert visitor.errors == []
