"""Every page for everybody."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.app import House
from tests.browser.visits import PATIENCE, hang_waves, settled

pytestmark = pytest.mark.browser


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
