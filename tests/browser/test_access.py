"""Accessibility and policy: axe and the browser find no violations on any page."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.support.app import App
from tests.support.browser import PATIENCE, Visitor, press, wait_for_script
from tests.support.films import add_film, add_foreign_film

pytestmark = pytest.mark.browser

COLOURS = {"runOnly": ["cat.color"], "resultTypes": ["violations"]}
"""Options of axe: rules that look at colours, and of their results what is wrong alone."""


def test_no_page_violates_the_rules_of_axe_or_its_own_policy(app: App, visitor: Visitor) -> None:
    add_foreign_film(app)
    add_film(app, "steady", "a moon", "a hill")
    add_film(app, "slow-ends", "a moon", "a hill", pacing="ease")
    pair = "/compare?a=steady&b=slow-ends"
    page = visitor.page
    heading = page.get_by_role("heading")
    for path, landmark in (
        ("/nosuch/page", page.get_by_text("There is no such page here")),  # Home with a notice
        ("/create", heading.get_by_text("Create", exact=True)),
        ("/gallery", heading.get_by_text("Gallery", exact=True)),
        ("/gallery?walk=waves", page.get_by_label("Remove sea").first),
        ("/gallery?walk=steady", page.locator(".count")),
        ("/compare", heading.get_by_text("Compare", exact=True)),
        ("/exhibition?walk=steady", page.get_by_role("dialog").get_by_text("a moon → a hill")),
        (f"{pair}&blind=yes", heading.get_by_text("Which film do you prefer?")),
        ("/compare?grid=steady", page.get_by_role("button", name="Play lerp, linear")),
        ("/insight", heading.get_by_text("Evenness", exact=True)),
        (pair, page.get_by_text("Path length", exact=True)),
    ):
        page.goto(app.url + path)
        landmark.wait_for(timeout=PATIENCE)
        assert (violations_of(page), visitor.errors) == ([], []), path
    for view, landmark in (
        ("Wipe", page.get_by_label("Wipe between both films")),
        ("Difference", page.get_by_text("Black where both", exact=False)),
    ):
        page.get_by_label(view, exact=True).check()
        landmark.wait_for(timeout=PATIENCE)
        assert (violations_of(page), visitor.errors) == ([], []), view


def test_axe_finds_nothing_where_a_work_is_chosen(app: App, visitor: Visitor) -> None:
    page = visitor.page
    page.set_default_timeout(PATIENCE)
    page.goto(f"{app.url}/create")
    press(page, "From: or a picture")
    words = page.get_by_role("searchbox", name="A work in a museum")
    words.fill("water lilies")
    words.press("Enter")
    page.locator(".work").first.wait_for()
    assert violations_of(page) == []
    page.locator(".work").first.click()
    page.locator(".st-key-picture_0 .frame").wait_for()
    assert violations_of(page) == []


def violations_of(page: Page) -> list[tuple[str, str]]:
    """What axe finds: the rule, and the first element against it.

    In the light theme by all rules, in the dark one by those that look at colours.
    """
    wait_for_script(page)
    found = Axe().run(page).response["violations"]
    with dark_theme(page):
        found += page.evaluate("options => axe.run(options)", COLOURS)["violations"]
    return [(v["id"], v["nodes"][0]["html"]) for v in found]


@contextmanager
def dark_theme(page: Page) -> Iterator[None]:
    """Show a page in the dark theme for a while."""
    canvas = page.locator(".stApp")
    expect(canvas).to_have_css("color-scheme", "light")
    page.emulate_media(color_scheme="dark")
    expect(canvas).to_have_css("color-scheme", "dark")
    wait_for_script(page)
    yield
    page.emulate_media(color_scheme="light")
    expect(canvas).to_have_css("color-scheme", "light")
