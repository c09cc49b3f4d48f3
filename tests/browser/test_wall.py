"""Gallery: found, tagged, taken along."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.app import House
from tests.browser.visits import Visitor, hang_waves, press

pytestmark = pytest.mark.browser


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
