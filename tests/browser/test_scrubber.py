"""The scrubber's script in a page by itself, which tells it what a page of the app would."""

from itertools import product
from typing import Any

import pytest
from playwright.sync_api import Page

from momalisa.ui.components.assets import FOLDER
from tests.support.browser import Visitor

pytestmark = pytest.mark.browser

START = """async script => {
    const file = new Blob([script], { type: "text/javascript" })
    const { default: scrub } = await import(URL.createObjectURL(file))
    window.tell = data => scrub({ parentElement: document.body, data, setTriggerValue() {} })
}"""
FIELDS = '<p class="st-key-one"><input></p><p class="st-key-two"><input></p>'
NEITHER = ("", "")
ENDS = ("a red square", "a stormy sea")


@pytest.fixture
def page(lone_visitor: Visitor) -> Page:
    """The scrubber below two fields, with a clock that goes on when it is told to."""
    page = lone_visitor.page
    page.set_content(FIELDS + (FOLDER / "scrubber.html").read_text())
    page.evaluate(START, (FOLDER / "scrubber.js").read_text())
    page.clock.install()
    return page


def what_the_app_tells(prompts: tuple[str, str], name: str, *, is_live: bool) -> dict[str, Any]:
    """The data of a draft; there is a way between two prompts."""
    fields = zip(("one", "two"), prompts, strict=True)
    return {
        "id": name,
        "legs": [prompts] if all(prompts) else [],
        "frames": [],
        "still_url": "",
        "live_url": "data:," if is_live else "",
        "hint": "",
        "ratio": 1,
        "tracks": [{"title": "", "curve": []}],
        "stops": [{"field": field, "prompt": prompt, "seed": 7} for field, prompt in fields],
        "empty": "",
        "begins": False,
    }


def test_the_slider_goes_to_the_end_that_was_typed_last(page: Page) -> None:
    """It stayed in the middle if pictures took too long to be painted while one types."""
    places = {}
    for case in product([True, False], repeat=3):
        was_live, is_live, app_is_faster = case
        page.evaluate("tell", what_the_app_tells(NEITHER, f"wall of {case}", is_live=was_live))
        for field, prompt in enumerate(ENDS):
            page.locator("input:not(.spot)").nth(field).fill(prompt)
        if not app_is_faster:
            page.clock.run_for(1000)
        page.evaluate("tell", what_the_app_tells(ENDS, f"wall of {case}", is_live=is_live))
        page.clock.run_for(1000)
        places[case] = page.get_by_label("Place on the way").input_value()
    assert set(places.values()) == {"1"}, places
