"""The whole path of a new curator: from Home to a vote and a download."""

import re
from pathlib import Path
from zipfile import ZipFile

from playwright.sync_api import Browser, Page, expect

from tests.support.app import House
from tests.support.visits import FILM_PATIENCE, PATIENCE, Visitor, press

START, END = "a red square on white", "a stormy sea at night"
MAGIC = {
    "Download GIF": (".gif", b"GIF89a"),
    "MP4": (".mp4", b"ftyp"),
    "WebP": (".webp", b"WEBP"),
    "Frames (ZIP)": (".zip", b"PK\x03\x04"),
    "Settings (JSON)": (".json", b'"spec"'),
}
"""What a downloaded file's name ends with, and what stands near its beginning."""


def journey(browser: Browser, house: House) -> None:
    """Take it in a browser of its own; raises AssertionError or playwright's Error on a fault."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    visitor = Visitor(context.new_page())
    visitor.page.on("console", visitor.note)
    visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    page = visitor.page
    page.goto(house.url)
    press(page, "Square to sea")
    page.wait_for_url("**/create?*")
    finished(page)
    first = walk_on(page)
    found_in_the_gallery(page, house)
    for name in MAGIC:
        takes_away(page, name)
    press(page, "Remix")
    page.wait_for_url(lambda url: "/create" in url and first not in url)
    finished(page)
    page.goto(f"{house.url}/compare?a={first}&b={walk_on(page)}")
    votes(page)
    assert visitor.complaints == []
    context.close()


def finished(page: Page) -> None:
    """The walk becomes a film with its label, and can be gone on with."""
    page.get_by_role("button", name="Remix", exact=True).wait_for(timeout=FILM_PATIENCE)
    expect(page.locator(".screen canvas")).to_be_visible()
    expect(page.get_by_text(f"{START} → {END}", exact=False).first).to_be_visible()
    expect(page.get_by_text(re.compile(r"^ML\.\d{4}\.\d{4}$")).first).to_be_visible()


def walk_on(page: Page) -> str:
    """The id of the walk that the address names."""
    found = re.search(r"walk=([\w-]+)", page.url)
    assert found is not None
    return found[1]


def found_in_the_gallery(page: Page, house: House) -> None:
    """By a word of its prompt; the poster opens the label."""
    page.get_by_role("link", name="Gallery", exact=True).click()
    page.get_by_label("Search", exact=True).fill("stormy")
    card = page.locator(".card")
    expect(card).to_have_count(1)
    card.click()
    expect(page.get_by_text("Interpolation", exact=True)).to_be_visible()


def takes_away(page: Page, name: str) -> None:
    """A download that is of the type that its name says."""
    ending, magic = MAGIC[name]
    link = page.get_by_role("link", name=name)
    if not link.is_visible():
        press(page, "Other formats")
    with page.expect_download() as download:
        link.click()
    path = Path(download.value.path())
    assert download.value.suggested_filename.endswith(ending)
    assert magic in path.read_bytes()[:4096]
    if ending == ".zip":
        assert ZipFile(path).testzip() is None


def votes(page: Page) -> None:
    """For the film on the left of those shown blind; then the tally is told."""
    press(page, "Vote blind")
    expect(page.get_by_role("heading", name="Which film do you prefer?")).to_be_visible()
    press(page, "First film")
    expect(page.get_by_text("You preferred the first film", exact=False)).to_be_visible()
