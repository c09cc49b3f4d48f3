"""A film whose id has characters with a meaning in URLs is found by every link."""

import re
from urllib.parse import quote, quote_plus

import pytest
from playwright.sync_api import expect

from tests.support.app import App
from tests.support.browser import PATIENCE, Visitor
from tests.support.films import add_film

pytestmark = pytest.mark.browser

AWKWARD_ID = "Cats & Dogs #1 100% für=später+é"
"""As another program may name the folder of a film."""


def test_a_film_with_an_awkward_id_is_found_by_every_link(app: App, visitor: Visitor) -> None:
    """Its links led to “Cats ”, “Cats & Dogs ” or nowhere."""
    add_film(app, AWKWARD_ID, "a cat", "a dog")
    page = visitor.page
    page.goto(f"{app.url}/gallery")
    # By the poster in the HTML or in the grid, whichever is there.
    poster = page.locator(".grid a", has_text="a cat → a dog")
    poster.wait_for(timeout=PATIENCE)
    assert poster.get_attribute("href") == f"/gallery?walk={quote_plus(AWKWARD_ID)}"
    page.goto(f"{app.url}{poster.get_attribute('href')}")
    page.locator(".player").wait_for()
    expect(page.get_by_text("a cat → a dog").first).to_be_visible()
    # The address to share, and every download.
    page.get_by_role("button", name="Share").click()
    address = page.locator("code", has_text="/gallery?walk=").inner_text()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Other formats").click()
    page.get_by_role("link", name="MP4").wait_for()
    links = page.locator('a[href*="/pictures/"]').evaluate_all("links => links.map(l => l.href)")
    assert len(links) >= 4
    for link in links:
        response = page.request.get(link)
        assert response.ok, f"{link}: {response.status}"
    page.goto(address)
    page.locator(".player").wait_for()
    page.goto(f"{app.url}/compare?a={quote(AWKWARD_ID)}")
    expect(page.get_by_label("Left")).to_have_value(re.compile("a cat → a dog"))
    page.goto(f"{app.url}/create?use={quote(AWKWARD_ID)}")
    expect(page.get_by_role("textbox", name="From")).to_have_value("a cat")
