"""The scrubber says why there is no picture: the worker wakes, hangs or is not there."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Visitor
from tests.support.scrubber import ENDS, NEITHER, open_scrubber, what_the_app_tells
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser

WAKE = """() => {
    window.says = { "X-Reason": "It wakes.", "X-Worker": "away" }
    window.slow = 0
    window.fetch = async url => {
        if (url.startsWith("/still")) return new Promise(() => slow++)
        if (says) return new Response(null, { status: 204, headers: says })
        const sheet = new OffscreenCanvas(8, 8)
        sheet.getContext("2d")
        return new Response(await sheet.convertToBlob())
    }
}"""
"""Runs in the page: a worker is away, until `says` is null; and answers no other questions."""

ANSWER_LATE = """() => {
    window.asked = 0
    window.fetch = async () => {
        asked++
        await new Promise(answer => setTimeout(answer, 6000))
        return new Response(null, { status: 204, headers: { "X-Reason": "Much to do." } })
    }
}"""
"""Runs in the page: a worker that is not ready with something else in the seconds it may take."""


@pytest.fixture
def page(lone_visitor: Visitor) -> Page:
    return open_scrubber(lone_visitor.page)


@pytest.mark.parametrize("ends", [("a red square", ""), ENDS], ids=["prompt", "way"])
def test_a_wall_without_a_picture_says_why_until_there_is_one(
    page: Page, ends: tuple[str, str]
) -> None:
    """Nothing was said of a prompt; of a way that it is being painted, for 30 seconds."""
    page.evaluate(WAKE)
    says = page.locator(".now")
    data = what_the_app_tells(ends, "wall", is_live=True) | {"hint": "Drag."}
    page.evaluate("tell", data | {"live_url": "/live?", "still_url": "/still?"})
    expect(says).to_have_text("It wakes.")
    page.clock.run_for(3000)
    if all(ends):
        wait_until(lambda: page.evaluate("slow") == 1)
    expect(says).to_have_text("It wakes.")
    page.evaluate("says['X-Reason'] = 'It is there soon.'")
    page.clock.run_for(3000)
    expect(says).to_have_text("It is there soon.")
    page.evaluate("says = null")
    page.clock.run_for(6000)
    shown = "0.5" if all(ends) else ends[0]
    expect(page.locator(".picture")).to_have_attribute("data-place", shown)
    expect(says).to_have_text("Drag.")


def test_what_is_said_of_a_prompt_goes_with_it(page: Page) -> None:
    page.evaluate(WAKE)
    data = what_the_app_tells(NEITHER, "wall", is_live=True) | {"hint": "Type."}
    page.evaluate("tell", data | {"live_url": "/live?"})
    field = page.locator("input:not(.spot)").first
    for typed, said in (("a fox", "It wakes."), ("", "Type.")):
        field.fill(typed)
        page.clock.run_for(6000)
        expect(page.locator(".now")).to_have_text(said)


def test_a_worker_that_is_not_away_is_not_said_to_paint_nothing(page: Page) -> None:
    """One that has another model in memory paints the place, if slowly."""
    page.evaluate(WAKE)
    page.evaluate("delete says['X-Worker']")
    data = what_the_app_tells(ENDS, "wall", is_live=True)
    page.evaluate("tell", data | {"live_url": "/live?", "still_url": "/still?"})
    for _ in range(3):
        page.clock.run_for(3000)
        expect(page.locator(".now")).to_have_text("Painting this very place …")


def test_a_worker_that_had_much_to_do_is_asked_again_at_once(page: Page) -> None:
    """Once it was ready, it was not asked for five seconds."""
    page.evaluate(ANSWER_LATE)
    page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
    data = what_the_app_tells(("a fox", ""), "wall", is_live=True)
    page.evaluate("tell", data | {"live_url": "/live?"})
    wait_until(lambda: page.evaluate("asked") == 1)
    page.clock.run_for(6000)
    expect(page.locator(".now")).to_have_text("Much to do.")
    page.clock.run_for(1000)
    assert page.evaluate("asked") == 2
