"""The end-to-end scenario of a curator who walks from a museum's work to a prompt."""

from playwright.sync_api import Browser, Page, expect

from tests.support.app import App
from tests.support.browser import FILM_PATIENCE, fill_field, new_visitor, press, wait_for_script

CREDIT = "Claude Monet, Water Lilies, 1906. Art Institute of Chicago, 1933.1. Public domain"
TITLE = "Water Lilies (Claude Monet) → a city at night"


def run_scenario(browser: Browser, app: App) -> None:
    """Run it in a new browser context. Raises AssertionError or playwright's Error."""
    with new_visitor(browser) as visitor:
        page = visitor.page
        page.goto(f"{app.url}/create")
        choose_work(page)
        walk_to_the_city(page)
        assert visitor.errors == []


def choose_work(page: Page) -> None:
    """Search for water lilies, and choose the first work of Chicago's for the first stop."""
    press(page, "From: or a picture")
    words = page.get_by_role("searchbox", name="A work in a museum")
    words.fill("water lilies")
    words.press("Enter")
    page.get_by_role("button", name="Claude Monet, Water Lilies, 1906").first.click()
    expect(page.get_by_text(CREDIT)).to_be_visible()
    # While the page runs, the field with the new prompt precedes the one before.
    prompt = "Water Lilies by Claude Monet, 1906, oil on canvas"
    expect(page.get_by_label("From", exact=True).first).to_have_value(prompt)
    expect(page.get_by_label("From", exact=True)).to_have_count(1)


def walk_to_the_city(page: Page, frames: int = 12) -> None:
    """Walk to a prompt, and find the film on the wall with its credit."""
    fill_field(page, "To", "a city at night")
    page.get_by_role("radio", name="Sketch").click()
    field = page.get_by_label("Frames a leg", exact=True)
    # The one before may stand beside it while the page runs.
    expect(field.and_(page.locator('[value="12"]'))).to_be_visible()
    expect(field).to_have_count(1)
    fill_field(page, "Frames a leg", str(frames))
    wait_for_script(page)
    press(page, "Walk")
    page.get_by_role("button", name="Remix", exact=True).wait_for(timeout=FILM_PATIENCE)
    expect(page.locator(".screen canvas")).to_be_visible()
    expect(page.get_by_text(f"{TITLE}, ", exact=False)).to_be_visible()
    label = page.locator('[class*="st-key-line_"]')
    expect(label.get_by_text(CREDIT)).to_be_visible()
    record = label.get_by_role("link", name="The museum's record of the work")
    expect(record).to_have_attribute("href", "https://www.artic.edu/artworks/1")
