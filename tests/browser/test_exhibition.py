"""Exhibition: films one after another in full screen."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from db import walks
from db.models import Deletion
from db.session import writing
from momalisa.storage import FILMS_FOLDER
from tests.support.app import App
from tests.support.browser import PATIENCE, Visitor
from tests.support.films import add_film

pytestmark = pytest.mark.browser

IDS = ("show-a", "show-b", "show-c")
FOUND = "/exhibition?of=q%3Dexhibited%26sort%3Doldest"
SHOWN = ".stage figure.shown"
CHANGE = """async films => {
    const { shadowRoot } = document.elementFromPoint(9, 9)
    const dialog = shadowRoot.querySelector("dialog")
    for (let n = 0; n < films; n++) {
        const before = dialog.querySelector(".shown")
        dialog.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }))
        while (dialog.querySelector(".shown") === before) await new Promise(requestAnimationFrame)
    }
}"""


@pytest.fixture
def page(app: App, visitor: Visitor) -> Iterator[Page]:
    for walk_id, colour in zip(IDS, ("amber", "blue", "coral"), strict=True):
        add_film(app, walk_id, f"exhibited {colour}", "a sea")
    yield visitor.page
    with writing(app.database) as session:
        for walk_id in IDS:
            walks.delete(session=session, walk_id=walk_id)
            # The next test shows films with the same ids.
            session.delete(session.get_one(Deletion, walk_id))


def shows(page: Page, colour: str, kind: str = "gif") -> None:
    """Expect only the film of that colour, once the fade has ended."""
    title = page.locator(f"{SHOWN} .title")
    expect(title).to_contain_text(f"exhibited {colour} → a sea, 20", timeout=PATIENCE)
    expect(page.locator(f"{SHOWN} img")).to_have_attribute("src", re.compile(rf"\.{kind}$"))
    expect(page.locator(".stage figure")).to_have_count(1)


def press_control(page: Page, name: str) -> None:
    """Click a button, which stays in sight as it has the focus; else it may just have faded."""
    button = page.get_by_role("button", name=name)
    button.focus()
    button.click()


def test_the_films_found_are_exhibited_in_order_until_escape(
    app: App, visitor: Visitor, page: Page
) -> None:
    page.goto(f"{app.url}/gallery?q=exhibited&sort=oldest")
    page.get_by_role("link", name="Exhibit these").click()
    shows(page, "amber")
    expect(page.locator(SHOWN)).to_contain_text("Latent walk, 5 frames, 64 × 64")
    page.keyboard.press("ArrowRight")
    shows(page, "blue")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    shows(page, "coral")
    press_control(page, "Leave")
    expect(page.locator(".card")).to_have_count(3)
    expect(page).to_have_url(re.compile(r"/gallery\?.*q=exhibited"))
    page.get_by_role("link", name="Exhibit these").click()
    shows(page, "amber")
    page.keyboard.press("Escape")
    expect(page.locator(".card")).to_have_count(3)
    assert visitor.errors == []


def test_an_exhibition_opens_by_url_and_advances(app: App, visitor: Visitor, page: Page) -> None:
    page.goto(f"{app.url}/exhibition?walk=show-c&walk=nosuch&walk=show-a&seconds=3")
    for colour in ("coral", "amber", "coral"):
        shows(page, colour)
    # It lies over all that Streamlit shows, and the cursor rests.
    width, height = page.evaluate("[innerWidth, innerHeight]")
    box = page.get_by_role("dialog").bounding_box()
    assert box == {"x": 0, "y": 0, "width": width, "height": height}
    assert page.evaluate("!!document.elementFromPoint(9, 9).shadowRoot?.querySelector('dialog')")
    expect(page.get_by_role("dialog")).to_have_css("cursor", "none")
    page.mouse.move(50, 50)
    page.mouse.move(60, 60)
    expect(page.get_by_role("dialog")).not_to_have_css("cursor", "none")
    assert visitor.errors == []


def test_a_paused_exhibition_shows_the_poster(app: App, page: Page) -> None:
    page.goto(app.url + FOUND)
    shows(page, "amber")
    page.keyboard.press("Space")
    shows(page, "amber", "webp")
    press_control(page, "Play")
    shows(page, "amber")


def test_unreachable_films_are_skipped_until_they_are_back(app: App, page: Page) -> None:
    lost = re.compile(rf"/{FILMS_FOLDER}/show-b/")
    page.route(lost, lambda route: route.abort())
    page.goto(app.url + FOUND)
    shows(page, "amber")
    page.keyboard.press("ArrowRight")
    shows(page, "coral")
    page.unroute(lost)
    page.keyboard.press("ArrowLeft")
    shows(page, "blue")


def test_without_the_storage_a_message_is_shown_until_it_is_back(app: App, page: Page) -> None:
    everything = re.compile(f"/{FILMS_FOLDER}/")
    page.route(everything, lambda route: route.abort())
    page.goto(app.url + FOUND)
    expect(page.get_by_text("The films are out of reach just now.")).to_be_visible()
    page.unroute(everything)
    shows(page, "amber")
    expect(page.get_by_text("The films are out of reach just now.")).to_be_hidden()


def test_reduced_motion_shows_posters(app: App, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(app.url + FOUND)
    shows(page, "amber", "webp")
    page.keyboard.press("ArrowRight")
    shows(page, "blue", "webp")


def test_two_hundred_films_leak_no_nodes(app: App, page: Page) -> None:
    browser = page.context.new_cdp_session(page)

    def nodes() -> int:
        browser.send("HeapProfiler.collectGarbage")
        return int(browser.send("Memory.getDOMCounters")["nodes"])

    page.goto(app.url + FOUND)
    shows(page, "amber")
    before, changes = nodes(), 66 * len(IDS)
    page.evaluate(CHANGE, changes)
    shows(page, "amber")
    for _ in range(40):  # the browser takes its time to forget
        if nodes() - before < changes:
            return
        page.wait_for_timeout(250)
    assert nodes() - before < changes  # a film and its label are fifteen nodes
