"""Create: pictures while one drags and types, from the worker directly or by the history."""

import re
import shutil
from contextlib import suppress

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from db.models import Walk
from db.session import writing
from tests.support.app import App
from tests.support.browser import FILM_PATIENCE, Visitor, fill_field, press
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser

MOVES = 60
FRAMES = 24
"""Of a draft as the form begins with it."""
FRAME = 16
"""Milliseconds between two moves of a mouse."""
COUNT = """
    window.asked = window.underWay = window.most = 0
    window.questions = []
    window.explored = []
    window.ahead = []
    const plain = window.fetch
    window.fetch = async (url, options) => {
        if (!String(url).includes("/pictures/live")) return plain(url, options)
        if (String(url).includes("ahead=1")) {
            const answer = await plain(url, options)
            const { at, explores } = Object.fromEntries(new URL(url, location).searchParams)
            if (explores) explored.push(answer.status)
            else if (answer.status === 200) ahead.push(...at.split(","))
            return answer
        }
        asked++
        questions.push(String(url).includes("rough=1") ? "rough" : "exact")
        most = Math.max(most, ++underWay)
        try { return await plain(url, options) } finally { underWay-- }
    }
"""
"""Runs in the page: counts the questions, and how many of them were under way at once; and notes
for which pictures they were. Those ahead of a drag are noted by themselves, with the places that
were painted."""


@pytest.fixture(autouse=True)
def worker_is_ready(studio: App) -> None:
    """Loading the model takes seconds, in which nothing is painted."""
    wait_until(
        lambda: bool(studio.query("SELECT name, device FROM workers WHERE device != ''")), 180
    )
    # Where films took over a second for a picture, as here if much else runs, none is painted as
    # one drags.
    with writing(studio.database) as session:
        session.execute(update(Walk).where(Walk.seconds > 1).values(seconds=1.0))


def drag(page: Page, moves: int = MOVES) -> None:
    """Drag the slider as a hand does from its start, to its end by all moves, and let go."""
    box = page.get_by_label("Place on the way").bounding_box()
    assert box is not None
    for place in range(moves + 1):
        page.mouse.move(box["x"] + box["width"] * place / MOVES, box["y"] + box["height"] / 2)
        if place == 0:
            page.mouse.down()
        page.wait_for_timeout(FRAME)
    page.mouse.up()


def asks_roughly_then_exactly(page: Page, moves: int) -> bool:
    """Whether a drag asks for rough pictures, and for the exact one where it rests."""
    page.evaluate("questions.length = 0")
    drag(page, moves)
    told = "[questions.includes('rough'), questions.at(-1)]"
    with suppress(TimeoutError):
        wait_until(lambda: page.evaluate(told) == [True, "exact"], 20)
        return True
    return False


def test_a_prompt_is_painted_while_it_is_typed_and_the_way_as_one_drags(
    studio: App, visitor: Visitor
) -> None:
    page = visitor.page
    page.add_init_script(COUNT)
    page.goto(f"{studio.url}/create")
    expect(page.get_by_text("Your film will hang here.")).to_be_visible()

    # Without leaving the field.
    page.get_by_label("From", exact=True).press_sequentially("a red square on white")
    picture = page.locator(".picture")
    expect(picture).to_have_attribute("data-place", "a red square on white", timeout=FILM_PATIENCE)
    expect(page.get_by_text("Your film will hang here.")).not_to_be_visible()

    # With both prompts there is a way, and its other end is seen first: it was typed last.
    fill_field(page, "To", "a stormy sea at night")
    expect(picture).to_have_attribute("data-place", "1", timeout=FILM_PATIENCE)
    # Once nothing else is asked for, the worker explores the leg, once.
    wait_until(lambda: page.evaluate("explored.length") == 1)
    asked_before = page.evaluate("asked")
    drag(page)
    place = page.get_by_label("Place on the way")
    expect(place).to_have_attribute("aria-valuetext", re.compile("^100 %"))
    expect(picture).to_have_class("picture", timeout=FILM_PATIENCE)
    expect(picture).to_have_attribute("data-place", re.compile("^(1|0.99)$"))
    assert page.evaluate("asked") - asked_before < MOVES, "one question for each move"
    assert page.evaluate("most") <= 2, "more than two questions under way"

    # A drag is shown roughly; where it rests the very frame is asked for.
    # What is there already is not asked for, so that several drags may be needed.
    assert any(asks_roughly_then_exactly(page, moves) for moves in range(MOVES // 3, MOVES, 7))
    assert visitor.errors == []


def test_a_walk_finds_what_was_painted_while_its_draft_was_looked_at(
    studio: App, visitor: Visitor
) -> None:
    page = visitor.page
    page.add_init_script(COUNT)
    page.goto(f"{studio.url}/create")
    fill_field(page, "From", "a white boat on grey")
    fill_field(page, "To", "orange stripes on blue")
    # How many there will be depends on the machine: this painting ends after some seconds.
    wait_until(lambda: page.evaluate("explored.length && ahead.length"), 180)
    found = page.evaluate("new Set(ahead).size")
    press(page, "Walk")
    page.locator(".screen canvas").wait_for(timeout=FILM_PATIENCE)
    row = "FROM walks WHERE title LIKE 'a white boat%'"
    [(total, computed)] = studio.query(f"SELECT frames_total, frames_computed {row}")
    assert int(total) == FRAMES
    assert int(computed) <= FRAMES - found
    assert visitor.errors == []


def test_without_a_worker_that_answers_at_once_the_place_is_painted_when_one_stops(
    studio: App, visitor: Visitor
) -> None:
    sockets = studio.home / "workers" / "live"
    hidden = sockets.rename(sockets.with_name("elsewhere"))
    try:
        page = visitor.page
        page.goto(f"{studio.url}/create")
        fill_field(page, "From", "a yellow circle on black")
        fill_field(page, "To", "green leaves on cream")
        picture = page.locator(".picture")
        expect(picture).to_have_class("picture", timeout=FILM_PATIENCE)
        place = page.get_by_label("Place on the way")
        place.focus()
        page.keyboard.press("Home")
        expect(picture).to_have_attribute("data-place", "0", timeout=FILM_PATIENCE)
        assert studio.query("SELECT id, state FROM stills WHERE state = 'done'")
        assert visitor.errors == []
    finally:
        shutil.rmtree(sockets, ignore_errors=True)
        hidden.rename(sockets)
