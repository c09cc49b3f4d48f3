"""The end-to-end scenario of a new curator: from Home to downloads, a remix and a vote."""

import re
from pathlib import Path
from zipfile import ZipFile

from playwright.sync_api import Browser, Page, expect

from tests.support.app import App
from tests.support.browser import FILM_PATIENCE, new_visitor, press

START, END = "a red square on white", "a stormy sea at night"
MAGIC = {
    "Download GIF": (".gif", b"GIF89a"),
    "MP4": (".mp4", b"ftyp"),
    "WebP": (".webp", b"WEBP"),
    "Frames (ZIP)": (".zip", b"PK\x03\x04"),
    "Settings (JSON)": (".json", b'"spec"'),
}
"""Suffix of each download, and bytes that must be among its first 4096."""


def run_scenario(browser: Browser, app: App) -> None:
    """Run it in a new browser context. Raises AssertionError or playwright's Error."""
    with new_visitor(browser) as visitor:
        _follow(visitor.page, app)
        assert visitor.errors == []


def _follow(page: Page, app: App) -> None:
    page.goto(app.url)
    press(page, "Square to sea")
    page.wait_for_url("**/create?*")
    wait_for_film(page)
    first = walk_id_of(page)
    find_in_gallery(page, app)
    for name in MAGIC:
        download(page, name)
    press(page, "Remix")
    page.wait_for_url(lambda url: "/create" in url and first not in url)
    wait_for_film(page)
    page.goto(f"{app.url}/compare?a={first}&b={walk_id_of(page)}")
    vote(page)


def wait_for_film(page: Page) -> None:
    """Wait until the walk has become a film with its wall label."""
    page.get_by_role("button", name="Remix", exact=True).wait_for(timeout=FILM_PATIENCE)
    expect(page.locator(".screen canvas")).to_be_visible()
    expect(page.get_by_text(f"{START} → {END}", exact=False).first).to_be_visible()
    expect(page.get_by_text(re.compile(r"^ML\.\d{4}\.\d{4}$")).first).to_be_visible()


def walk_id_of(page: Page) -> str:
    """Read the walk's id in the address."""
    match = re.search(r"walk=([\w-]+)", page.url)
    assert match is not None
    return match[1]


def find_in_gallery(page: Page, app: App) -> None:
    """Find the film by a word of its prompt and open its label."""
    page.get_by_role("link", name="Gallery", exact=True).click()
    page.get_by_label("Search", exact=True).fill("stormy")
    card = page.locator(".card")
    expect(card).to_have_count(1)
    card.click()
    expect(page.get_by_text("Interpolation", exact=True)).to_be_visible()


def download(page: Page, name: str) -> None:
    """Download a file and check its type."""
    ending, magic = MAGIC[name]
    link = page.get_by_role("link", name=name)
    if not link.is_visible():
        press(page, "Other formats")
    with page.expect_download() as event:
        link.click()
    path = Path(event.value.path())
    assert event.value.suggested_filename.endswith(ending)
    assert magic in path.read_bytes()[:4096]
    if ending == ".zip":
        assert ZipFile(path).testzip() is None


def vote(page: Page) -> None:
    """Prefer the first of two films shown blind and check that the vote is counted."""
    press(page, "Vote blind")
    expect(page.get_by_role("heading", name="Which film do you prefer?")).to_be_visible()
    press(page, "First film")
    expect(page.get_by_text("You preferred the first film", exact=False)).to_be_visible()
