"""A restart of the app while somebody is at work."""

from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from db.models import State, Walk
from db.session import writing
from tests.support.app import running_app
from tests.support.browser import Visitor, fill_field, press, wait_for_script
from tests.support.films import add_film
from tests.support.waiting import wait_until
from tests.support.walks import enqueue_walk_in

pytestmark = pytest.mark.browser


def test_what_is_typed_survives_a_restart_of_the_server(
    visitor: Visitor, port: int, tmp_path: Path
) -> None:
    """What was typed in a field that was not left was shown and not walked, or not stored."""
    page = visitor.page
    film, label = page.context.new_page(), page.context.new_page()

    def field(label: str) -> Locator:
        return page.get_by_label(label, exact=True).filter(visible=True)

    alone = {"MOMALISA_WORKER": "external"}
    serving = partial(running_app, tmp_path, environment=alone, port=port)
    with serving() as app:
        with writing(app.database) as session:
            walk = enqueue_walk_in(session, "a moon", "a lake", frames=3, size=64)
        page.goto(f"{app.url}/create?walk={walk.id}")
        press(page, "Add a stop")
        expect(field("Over 1")).to_have_value("a lake")
        fill_field(page, "Over 1", "a kept word")
        fill_field(page, "To", "a sea")
        page.get_by_role("radio", name="Sketch", exact=True).click()
        expect(field("Frames a leg")).to_have_value("12")
        press(page, "Move stop 3 up")
        expect(field("To")).to_have_value("a kept word")
        wait_for_script(page)
        add_film(app, "noted", "a moon", "a sea")
        film.goto(f"{app.url}/gallery?walk=noted")
        film.get_by_label("Notes", exact=True).press_sequentially("a kept note")
        label.goto(f"{app.url}/gallery?walk=noted")
        label.get_by_label("Title", exact=True).press_sequentially("A kept title of ")
        field("To").press("End")
        page.keyboard.type(" at night")
        expect(field("To")).to_be_focused()
    for tab in (page, film, label):
        expect(tab.get_by_role("textbox", disabled=False)).to_have_count(0)
    with writing(app.database) as session:
        session.get_one(Walk, walk.id).state = State.CANCELLED
    with serving():
        expect(page.get_by_text("Called off.").first).to_be_visible()  # so the page has run
        fill_field(page, "Frames a leg", "10")
        expect(page.get_by_text("19 frames").first).to_be_visible()
        press(page, "Walk")
        expect(page.get_by_text("in the queue").first).to_be_visible()
        assert app.walks()[-1][0] == "a moon → a sea → a kept word at night"
        written = "SELECT title, notes FROM walks WHERE id = 'noted'"
        titled = "A kept title of a moon → a sea"
        wait_until(lambda: app.query(written) == [(titled, "a kept note")])
        expect(label.get_by_label("Title", exact=True)).to_have_value(titled)
        expect(film.get_by_label("Notes", exact=True)).to_have_value("a kept note")
