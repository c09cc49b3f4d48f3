"""Who uses the keyboard alone sees where the focus is, and is led where it is wanted."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.app import App
from tests.support.browser import Visitor, wait_for_script
from tests.support.films import add_film

pytestmark = pytest.mark.browser


def tab_to(page: Page, name: str) -> None:
    """Focus the link of that name as the keyboard does."""
    link = page.get_by_role("link", name=name, exact=True)
    link.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(link).to_be_focused()


def test_links_show_the_focus(app: App, visitor: Visitor) -> None:
    """A shade of grey on white was all there was to see."""
    page = visitor.page
    add_film(app, "focused", "a lamp", "a hill")
    page.goto(f"{app.url}/gallery?walk=focused")
    for name in ("Use all settings", "Its grid", "Gallery"):
        tab_to(page, name)
        link = page.get_by_role("link", name=name, exact=True)
        expect(link).to_have_css("outline-style", "solid")
        expect(link).to_have_css("outline-width", "2px")


def test_the_keyboard_comes_into_a_popover_that_it_opens(app: App, visitor: Visitor) -> None:
    """Tab led through all posters before."""
    page = visitor.page
    add_film(app, "focused", "a lamp", "a hill")
    page.goto(f"{app.url}/gallery?q=lamp")
    expect(page.locator(".card").first).to_be_visible()
    wait_for_script(page)
    button = page.get_by_role("button", name="Filters")
    button.press("Enter")
    popover = page.get_by_role("dialog", name="Filters")
    expect(popover).to_be_focused()
    page.keyboard.press("Tab")
    expect(popover.get_by_role("combobox", name="Model")).to_be_focused()
    starred = popover.get_by_role("switch", name="Starred")
    starred.press("Space")
    expect(page.get_by_text("Nothing here goes by that description.")).to_be_visible()
    expect(starred).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    button.press("Enter")
    expect(popover).to_be_focused()
    button.press("Enter")
    expect(popover).to_have_count(0)
    expect(button).to_be_focused()
    assert visitor.errors == []


def test_the_focus_goes_along_from_posters_to_films_and_back(app: App, visitor: Visitor) -> None:
    """It went to the top of the page."""
    page = visitor.page
    for name in ("older", "newer"):
        add_film(app, f"{name}-lantern", "a lantern", f"a {name} hill")
    page.goto(f"{app.url}/gallery?q=lantern")
    card, title = page.locator(".card").last, page.locator("[class*=st-key-title_]")
    expect(page.locator(".card")).to_have_count(2)
    wait_for_script(page)
    card.press("Enter")
    expect(title).to_be_focused()
    newer = page.get_by_role("button", name="Newer")
    newer.press("Enter")
    expect(newer).to_be_disabled()
    expect(title).to_contain_text("a newer hill")
    expect(title).to_be_focused()
    page.get_by_role("button", name="All films").press("Enter")
    expect(card).to_be_focused()
    assert visitor.errors == []
