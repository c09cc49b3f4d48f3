"""The whole job in a real browser: the app, its worker, the model that ships, and Chromium."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect
from sqlalchemy.orm import Session

from db import queue, walks
from db.models import Walk
from db.session import writing
from momalisa.spec import WalkSpec
from momalisa.storage import LocalStorage, film_key
from tests.app import CHROMIUM, House, chromium, running

pytestmark = pytest.mark.browser

PATIENCE = 15_000
FILM_PATIENCE = 75_000


@dataclass
class Visitor:
    """A browser tab, and what went wrong in it."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def note(self, message: ConsoleMessage) -> None:
        # On a deep link Streamlit tries two addresses for its own health, and one is not there.
        own = "/_stcore/" in message.location.get("url", "")
        if message.type == "error" and not own:
            self.complaints.append(message.text)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    if CHROMIUM is None:
        sentence = "There is no Chromium here: apt-get install chromium"
        pytest.fail(sentence) if os.environ.get("CI") else pytest.skip(sentence)
    with running(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="module")
def browser(house: House) -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    visitor = Visitor(context.new_page())
    visitor.page.on("console", visitor.note)
    visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    yield visitor
    context.close()


def enter(page: Page, label: str, text: str) -> None:
    page.get_by_label(label, exact=True).fill(text)
    page.keyboard.press("Tab")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_from_two_prompts_to_a_film_on_the_wall(house: House, visitor: Visitor) -> None:
    page = visitor.page
    page.goto(house.url)
    page.get_by_role("link", name="Create a walk").click()
    enter(page, "From", "a red square on white")
    enter(page, "To", "a stormy sea at night")
    page.get_by_role("radio", name="Sketch").click()
    press(page, "Walk")

    # Frames come in, coarse to fine, while it is made.
    expect(page.locator(".cell")).to_have_count(12)
    page.locator(".cell img").first.wait_for(timeout=FILM_PATIENCE)
    page.locator("canvas").wait_for(timeout=FILM_PATIENCE)
    assert house.walks() == [("a red square on white → a stormy sea at night", "done")]
    shows_pictures(page)

    # A reload loses neither the film nor what was typed.
    page.reload()
    shows_pictures(page)
    expect(page.get_by_label("To", exact=True)).to_have_value("a stormy sea at night")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download GIF").click()
    assert download.value.suggested_filename.endswith(".gif")
    assert Path(download.value.path()).read_bytes().startswith(b"GIF89a")

    # It hangs in the Gallery, is found by a word, and opens with its label.
    page.get_by_role("link", name="Gallery", exact=True).click()
    page.get_by_label("Search", exact=True).fill("stormy")
    card = page.locator(".card")
    expect(card).to_have_count(1)
    card.hover()
    page.locator(".film.ready").wait_for()
    card.click()
    expect(page.get_by_text("ML.", exact=False).first).to_be_visible()
    expect(page.get_by_text("Interpolation", exact=True)).to_be_visible()
    shows_pictures(page)
    assert visitor.complaints == []


def shows_pictures(page: Page) -> None:
    """The player has taken the frames out of the GIF, and they move."""
    count = page.locator(".count")
    expect(count).to_contain_text("/ 22")
    before = count.inner_text()
    expect(count).not_to_have_text(before)


def test_bad_input_stays_beside_its_sentence(house: House, visitor: Visitor) -> None:
    page, before = visitor.page, house.walks()
    page.goto(f"{house.url}/create")
    page.get_by_text("More", exact=True).click()
    typed = {
        "From": "<script>alert(1)</script>",
        "To": "x" * 10_000,
        "Frames a leg": "100000",
        "Seed 1": "-1",
        "Seed 2": str(2**70),
    }
    for label, text in typed.items():
        enter(page, label, text)
    press(page, "Walk")
    for sentence in (
        "This prompt holds code such as <script>.",
        "This prompt has 10,000 characters",
        "Frames a leg must be a whole number from 2 to 240, not 100,000.",
        "A seed must be a whole number from 0 to 4,294,967,295, not -1.",
        "A seed must be a whole number from 0 to 4,294,967,295, not 1.18e+21.",
    ):
        expect(page.get_by_text(sentence)).to_be_visible()
    for label, text in typed.items():
        expect(page.get_by_label(label, exact=True)).to_have_value(text)
    assert house.walks() == before
    assert visitor.complaints == []


def test_a_model_can_be_typed(house: House, visitor: Visitor) -> None:
    page, before = visitor.page, house.walks()
    page.goto(f"{house.url}/create")
    enter(page, "From", "a red square")
    enter(page, "To", "a sea")
    page.get_by_text("More", exact=True).click()
    model = page.get_by_role("combobox", name="Model")
    model.fill("/no/such/folder")
    model.press("Enter")
    press(page, "Walk")
    expect(page.get_by_text("There is no model “/no/such/folder” here.")).to_be_visible()
    assert house.walks() == before


def test_a_finished_frame_takes_the_place_of_its_preview(house: House, visitor: Visitor) -> None:
    page = visitor.page
    rough, whole = "a" * 64, "b" * 64
    for key in (rough, whole):
        keep_frame(house, key)
    # Asked for and claimed in one transaction, so that the house's own worker leaves it alone.
    with writing(database(house)) as session:
        walk = ask(session, "a moon", "a sea")
        claimed = queue.claim(session=session, owner="test", lease_seconds=600)
    assert claimed is not None
    assert claimed.id == walk.id
    lease: dict[str, Any] = {"walk_id": walk.id, "owner": "test", "attempt": claimed.attempt}
    beat: dict[str, Any] = {**lease, "lease_seconds": 600, "stage": "frames"}

    def tell(*progress: list[Any]) -> None:
        with writing(database(house)) as session:
            queue.heartbeat(session=session, **beat, progress=list(progress))

    tell([0, rough, "rough"], [2, whole])
    page.goto(f"{house.url}/create?walk={walk.id}")
    expect(page.locator(".cell img")).to_have_count(2)
    expect(page.locator(".cell img.rough")).to_have_attribute("src", re.compile(rough))
    expect(page.get_by_text("Frame 1 of 3")).to_be_visible()
    tell([2, whole], [0, whole])
    expect(page.locator(".cell img.rough")).to_have_count(0)
    expect(page.locator(".cell img").first).to_have_attribute("src", re.compile(whole))
    press(page, "Cancel")
    with writing(database(house)) as session:
        queue.cancelled(session=session, **lease)
    expect(page.get_by_text("Called off.", exact=False)).to_be_visible()
    assert visitor.complaints == []


def database(house: House) -> str:
    """The house's history, for those who work beside it."""
    return f"sqlite:///{house.home / 'momalisa.db'}"


def keep_frame(house: House, key: str) -> None:
    """A finished frame in the house's cache."""
    path = house.home / "frames" / key[:2] / f"{key}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64), "red").save(path)


def ask(session: Session, *prompts: str) -> Walk:
    """A walk of three frames, put into the queue."""
    stops = [{"prompt": prompt} for prompt in prompts]
    spec = WalkSpec.model_validate({"stops": stops, "frames": 3, "size": 64})
    return walks.enqueue(
        session=session,
        spec=spec.model_dump(mode="json"),
        digest=spec.digest(),
        title=spec.title(),
        frames_total=3,
    )


def test_a_film_is_tagged_found_again_and_taken_along(house: House, visitor: Visitor) -> None:
    hang_waves(house)
    page = visitor.page
    page.goto(f"{house.url}/gallery?walk=waves")
    tags = page.get_by_role("combobox", name="Tags")
    tags.fill("For the Foyer")
    tags.press("Enter")
    expect(page.get_by_text("for the foyer", exact=True).first).to_be_visible()

    page.goto(f"{house.url}/gallery?tag=for+the+foyer&sort=title")
    expect(page.locator(".card")).to_have_count(1)
    expect(page.locator(".card .title")).to_have_text("Waves")
    expect(page.get_by_text("1 film: for the foyer")).to_be_visible()
    with page.expect_download() as download:
        press(page, "CSV")
    table = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert download.value.suggested_filename == "films.csv"
    assert table.splitlines()[1].startswith("waves,")
    assert len(table.splitlines()) == 2
    page.get_by_role("combobox", name="Sort").click()
    page.get_by_role("option", name="oldest").click()
    expect(page).to_have_url(re.compile("sort=oldest"))
    expect(page).to_have_url(re.compile("tag=for"))
    press(page, "Filters")
    page.get_by_text("Starred", exact=True).click()
    expect(page).to_have_url(re.compile("starred=true"))
    expect(page.get_by_text("Nothing here goes by that description.")).to_be_visible()
    assert visitor.complaints == []


def hang_waves(house: House) -> None:
    """A film of another program, unless it hangs there: so none has to be made."""
    files = {kind: film_key("waves", f"waves.{kind}") for kind in ("gif", "webp")}
    for kind, key in files.items():
        data = BytesIO()
        Image.new("RGB", (64, 64), "navy").save(data, kind)
        LocalStorage(house.home / "store").put(key, data.getvalue(), f"image/{kind}")
    with writing(database(house)) as session:
        walks.adopt(
            session=session,
            walk_id="waves",
            title="Waves",
            finished_at=datetime(2024, 5, 3, tzinfo=UTC),
            tags=["sea"],
            result={"files": {"gif": files["gif"], "poster": files["webp"]}, "frames": 1},
        )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(house: House, browser: Browser, theme: str) -> None:
    hang_waves(house)
    context = browser.new_context(color_scheme="dark" if theme == "dark" else "light")
    page = context.new_page()
    heading = page.get_by_role("heading")
    for path, landmark in (
        ("/", heading.get_by_text("MOMA Lisa", exact=True)),
        ("/create", heading.get_by_text("Create", exact=True)),
        ("/gallery", heading.get_by_text("Gallery", exact=True)),
        ("/gallery?walk=waves", page.get_by_label("Remove sea").first),
        ("/compare", heading.get_by_text("Compare", exact=True)),
    ):
        page.goto(house.url + path)
        landmark.wait_for(timeout=PATIENCE)
        settled(page)
        violations = Axe().run(page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"]) for v in violations] == []
    context.close()


def settled(page: Page) -> None:
    """The script behind the page has run to its end."""
    with suppress(Error):
        page.locator('[data-test-script-state="notRunning"]').wait_for(timeout=5_000)
