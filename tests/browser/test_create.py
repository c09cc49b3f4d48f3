"""Create: the form, and the progress of a walk."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from db import queue
from db.models import State
from db.session import writing
from tests.support.app import App
from tests.support.browser import Visitor, fill_field, press
from tests.support.films import cache_frame
from tests.support.museum_records import picture
from tests.support.walks import enqueue_walk_in

pytestmark = pytest.mark.browser

TYPE_ON = """async ([artist, title, credit]) => {
    artist.value = "Mina Loy"
    for (const kind of ["input", "change"]) artist.dispatchEvent(new Event(kind))
    title.value = "Dusk"
    while (!credit.textContent.includes("Mina Loy")) {
        title.dispatchEvent(new Event("input"))
        await new Promise(later => setTimeout(later, 20))
    }
    return title.value
}"""
"""Types an artist, and a title until Python has answered to the artist; returns the title then."""


def test_invalid_input_stays_beside_its_message(app: App, visitor: Visitor) -> None:
    page, before = visitor.page, app.walks()
    page.goto(f"{app.url}/create")
    page.get_by_text("More", exact=True).click()
    typed = {
        "From": "<script>alert(1)</script>",
        "To": "x" * 10_000,
        "Frames a leg": "100000",
        "Seed 1": "-1",
        "Seed 2": str(2**70),
    }
    for label, text in typed.items():
        fill_field(page, label, text)
    press(page, "Walk")
    for sentence in (
        "This prompt holds code such as <script>.",
        "This prompt has 10,000 characters",
        "Frames a leg must be a whole number from 2 to 240, not 100,000.",
        "A seed must be a whole number from 0 to 4,294,967,295, not -1.",
        "A seed must be a whole number from 0 to 4,294,967,295, not a number of 22 digits.",
    ):
        beside = page.get_by_text(sentence).and_(page.locator(":not([role=status])"))
        expect(beside).to_be_visible()  # the wall may say it, too
    for label, text in typed.items():
        expect(page.get_by_label(label, exact=True)).to_have_value(text)
    assert app.walks() == before
    assert visitor.errors == []


def shown(page: Page, label: str) -> Locator:
    """The visible field; while the page runs, a hidden old one may exist."""
    return page.get_by_label(label, exact=True).filter(visible=True)


def test_stops_are_reordered_by_keyboard_and_a_model_can_be_typed(
    app: App, visitor: Visitor
) -> None:
    page, before = visitor.page, app.walks()
    page.goto(f"{app.url}/create")
    fill_field(page, "From", "a red square")
    fill_field(page, "To", "a sea")
    press(page, "Add a stop")
    last = page.get_by_role("button", name="Move stop 3 up")
    expect(last).to_be_visible()
    fill_field(page, "To", "a moon")
    last.focus()
    page.keyboard.press("Enter")
    expect(shown(page, "Over 1")).to_have_value("a moon")
    expect(shown(page, "To")).to_have_value("a sea")
    expect(last).to_be_focused()
    press(page, "Remove stop 1")
    expect(shown(page, "Over 1")).to_have_count(0)
    expect(shown(page, "To")).to_have_count(1)  # for a moment the former rows stand there, too
    expect(shown(page, "From")).to_have_value("a moon")
    expect(shown(page, "To")).to_have_value("a sea")

    page.get_by_text("More", exact=True).click()
    model = page.get_by_role("combobox", name="Model")
    model.fill("/no/such/folder")
    model.press("Enter")
    press(page, "Walk")
    expect(page.get_by_text("There is no model “/no/such/folder” here.")).to_be_visible()
    assert app.walks() == before
    assert visitor.errors == []


def test_a_finished_frame_takes_the_place_of_its_preview(app: App, visitor: Visitor) -> None:
    page = visitor.page
    rough, whole = "a" * 64, "b" * 64
    for key in (rough, whole):
        cache_frame(app, key)
    # Asked for and claimed in one transaction, so that the app's own worker leaves it alone.
    with writing(app.database) as session:
        walk = enqueue_walk_in(session, "a moon", "a sea", frames=3, size=64)
        claimed = queue.claim(session=session, owner="test", lease_seconds=600)
    assert claimed is not None
    assert claimed.id == walk.id
    lease: dict[str, Any] = {"walk_id": walk.id, "owner": "test", "attempt": claimed.attempt}
    beat: dict[str, Any] = {**lease, "lease_seconds": 600, "stage": "frames"}

    def tell(*progress: list[Any]) -> None:
        with writing(app.database) as session:
            queue.renew_lease(session=session, **beat, progress=list(progress))

    tell([0, rough, "rough"], [2, whole])
    page.goto(f"{app.url}/create?walk={walk.id}")
    expect(page.locator(".cell img")).to_have_count(2)
    expect(page.locator(".cell img.rough")).to_have_attribute("src", re.compile(rough))
    expect(page.get_by_text("Frame 1 of 3")).to_be_visible()
    tell([2, whole], [0, whole])
    expect(page.locator(".cell img.rough")).to_have_count(0)
    expect(page.locator(".cell img").first).to_have_attribute("src", re.compile(whole))
    press(page, "Cancel")
    with writing(app.database) as session:
        queue.confirm_cancel(session=session, **lease)
    expect(page.get_by_text("Called off.", exact=False)).to_be_visible()
    assert visitor.errors == []


def test_the_wall_stays_in_sight_while_one_sets_more(app: App, visitor: Visitor) -> None:
    """Who changed a seed or the model saw nothing of it, nor that a walk had begun."""
    page = visitor.page
    page.goto(f"{app.url}/create")
    wall = page.locator(".st-key-wall figure").first
    expect(wall).to_be_in_viewport()
    page.get_by_text("More", exact=True).click()
    expect(page.get_by_label("Negative prompt")).to_be_visible()
    page.get_by_role("button", name="Walk", exact=True).scroll_into_view_if_needed()
    expect(page.get_by_text("Create", exact=True).last).not_to_be_in_viewport()
    expect(wall).to_be_in_viewport(ratio=0.9)


def test_on_a_phone_the_wall_hangs_below_the_button_that_begins_a_walk(
    app: App, visitor: Visitor
) -> None:
    """It was below all settings, so that nobody saw that a walk had begun."""
    page = visitor.page
    page.set_viewport_size({"width": 390, "height": 844})
    cache_frame(app, "a" * 64)
    with writing(app.database) as session:
        walk = enqueue_walk_in(session, "a moon", "a sea", frames=3, size=64)
        walk.state, walk.progress = State.CANCELLED, [[0, "a" * 64]]
    page.goto(f"{app.url}/create?walk={walk.id}")
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    # Less than all of it where a message stands above, as where no worker runs.
    expect(page.locator(".making")).to_be_in_viewport(ratio=0.8)
    begin = page.get_by_role("button", name="Walk", exact=True)
    downwards = [
        shown(page, "To"),
        begin,
        page.locator(".making"),
        again,
        page.get_by_text("Quality"),
    ]
    places = [place["y"] for one in downwards if (place := one.bounding_box())]
    assert places == sorted(places)
    assert len(places) == len(downwards)
    begin.focus()
    page.keyboard.press("Tab")
    expect(again).to_be_focused()


def test_a_credit_is_known_while_it_is_typed(app: App, visitor: Visitor, tmp_path: Path) -> None:
    """A tap on Walk leaves the field at the same moment: what was typed last was lost."""
    page, own = visitor.page, tmp_path / "own.jpg"
    own.write_bytes(picture(400, 300))
    page.goto(f"{app.url}/create")
    press(page, "From: or a picture")
    page.locator("dialog[open] input[type=file]").set_input_files(own)
    first = page.locator(".st-key-picture_0")
    first.get_by_text("Whose work is it?").click()
    first.get_by_label("Licence", exact=True).press_sequentially("CC BY 4.0")
    expect(first.locator(".credit")).to_have_text("CC BY 4.0", use_inner_text=True)
    expect(first.get_by_label("Licence", exact=True)).to_be_focused()
    # An answer to the field before cleared the one that was left meanwhile.
    fields = [first.get_by_label(name, exact=True) for name in ("Artist", "Title")]
    parts = [part.element_handle() for part in (*fields, first.locator(".credit"))]
    assert page.evaluate(TYPE_ON, parts) == "Dusk"
    line = "Mina Loy, Dusk. CC BY 4.0"
    expect(first.locator(".credit")).to_have_text(line, use_inner_text=True)
