"""The whole job in a real browser: the app, its worker, the model that ships, and Chromium."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect

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


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(house: House, browser: Browser, theme: str) -> None:
    context = browser.new_context(color_scheme="dark" if theme == "dark" else "light")
    page = context.new_page()
    for path, landmark in (
        ("/", "MOMA Lisa"),
        ("/create", "Create"),
        ("/gallery", "Gallery"),
        ("/compare", "Compare"),
    ):
        page.goto(house.url + path)
        page.get_by_role("heading", name=landmark, exact=True).wait_for(timeout=PATIENCE)
        settled(page)
        violations = Axe().run(page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"]) for v in violations] == []
    context.close()


def settled(page: Page) -> None:
    """The script behind the page has run to its end."""
    with suppress(Error):
        page.locator('[data-test-script-state="notRunning"]').wait_for(timeout=5_000)
