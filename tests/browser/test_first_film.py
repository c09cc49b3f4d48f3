"""From two prompts, or a work in a museum, to a film on the wall."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.app import App
from tests.support.browser import (
    FILM_PATIENCE,
    Visitor,
    expect_playing,
    fill_field,
    press,
    wait_for_script,
)
from tests.support.museum_records import picture
from tests.support.museum_scenario import CREDIT, choose_work, walk_to_the_city
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser


def test_two_prompts_become_a_film_in_the_gallery(studio: App, visitor: Visitor) -> None:
    page, fetched = visitor.page, list[str]()
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(studio.url)
    page.get_by_role("link", name="Create a walk").click()
    fill_field(page, "From", "a red square on white")
    fill_field(page, "To", "a stormy sea at night")
    page.get_by_role("radio", name="Sketch").click()
    press(page, "Walk")

    # Frames come in, coarse to fine, while it is made.
    expect(page.locator(".cell")).to_have_count(12)
    page.locator(".cell img, .screen canvas").first.wait_for(timeout=FILM_PATIENCE)
    page.locator(".screen canvas").wait_for(timeout=FILM_PATIENCE)
    assert ("a red square on white → a stormy sea at night", "done") in studio.walks()
    expect_playing(page)

    # A reload loses neither the film nor what was typed.
    page.reload()
    expect_playing(page)
    expect(page.get_by_label("To", exact=True)).to_have_value("a stormy sea at night")
    # What plays is the WebP; what is taken away is the GIF.
    films = {re.sub(r".*\.", "", url) for url in fetched if re.search("/[0-9a-f]{16}[.]", url)}
    assert films == {"webp"}
    with page.expect_download() as download:
        page.get_by_role("link", name="Download GIF").click()
    assert download.value.suggested_filename.endswith(".gif")
    assert Path(download.value.path()).read_bytes().startswith(b"GIF89a")

    # It hangs in the Gallery, is found by a word, and opens with its label.
    page.get_by_role("link", name="Gallery", exact=True).click()
    page.get_by_label("Search", exact=True).fill("stormy")
    card = page.locator(".card")
    expect(card).to_have_count(1)
    card.hover()
    page.locator(".film.ready").wait_for()
    card.click()
    expect(page.get_by_text("ML.", exact=False).first).to_be_visible()
    expect(page.get_by_text("Interpolation", exact=True)).to_be_visible()
    expect_playing(page)
    assert visitor.errors == []


def test_a_preset_makes_a_film_that_can_be_scrubbed(studio: App, visitor: Visitor) -> None:
    page = visitor.page
    page.goto(studio.url)
    press(page, "Sun to stripes")
    page.get_by_label("Film that turns a yellow circle").wait_for(timeout=FILM_PATIENCE)
    assert studio.walks()[-1][1] == "done"

    # First the frame nearest to the middle; a little further on, a picture that the film lacks.
    page.get_by_text("Look between the frames").click()
    picture, place = page.locator(".picture"), page.get_by_label("Place on the way")
    expect(picture).to_have_attribute("data-place", re.compile("^0.4782"))
    place.focus()
    page.keyboard.press("ArrowRight")
    expect(place).to_have_attribute("aria-valuetext", re.compile("^49 % of the way from a yellow"))
    expect(picture).to_have_attribute("data-place", "0.49", timeout=FILM_PATIENCE)
    expect(picture).to_have_class("picture")

    # A walk begins at that very place; the film and its prompts come back.
    press(page, "Begin a walk here")
    expect(page.locator(".st-key-picture_0 img")).to_be_visible()
    page.go_back()
    press(page, "Put back")
    expect(page.get_by_label("From", exact=True).first).to_be_enabled()
    wait_for_script(page)
    stripes = re.compile("^black and white stripes")
    to = page.get_by_label("To", exact=True)
    expect(to.first).to_have_value(stripes)
    expect(to).to_have_count(1)  # those of the page before stand below until the script has ended

    # The next walk is looked at before it is made, and its picture changes with its settings.
    fill_field(page, "To", "a stormy sea at night")
    page.get_by_text("Look along the way").click()
    picture = page.locator(".st-key-between_draft .picture")
    # A machine that was slow at the film paints no place before one has been there.
    page.locator(".st-key-between_draft .spot").press("ArrowRight")
    expect(picture).to_have_class("picture", timeout=FILM_PATIENCE)
    before = pixels(picture)
    fill_field(page, "To", "a red square on white")
    wait_until(lambda: pixels(picture) != before, FILM_PATIENCE / 1000)
    expect(picture).to_have_class("picture")
    assert visitor.errors == []


def pixels(canvas: Locator) -> str:
    """What a canvas shows."""
    shown: str = canvas.evaluate("canvas => canvas.toDataURL()")
    return shown


def left_edge(frame: Locator) -> str:
    """Where the picture begins, left of its frame."""
    edge: str = frame.locator("img").evaluate("image => image.style.left")
    return edge


def tell_a_broken_file(page: Page, broken: Path) -> None:
    """What is no picture is told in the dialog, and takes nothing away."""
    broken.write_bytes(picture(400, 300)[:900])
    press(page, "From: or a picture")
    page.locator("dialog[open] input[type=file]").set_input_files(broken)
    expect(page.locator("dialog[open] .message")).to_contain_text("It is damaged")
    page.keyboard.press("Escape")


def move_the_crop(page: Page, first: Locator) -> None:
    """Move the part that the film shows by keys, then by dragging to the left edge."""
    frame, across = first.locator(".frame"), first.get_by_label("Across", exact=True)
    wait_until(lambda: left_edge(frame) not in ("", "0%"))
    middle = left_edge(frame)
    across.focus()
    page.keyboard.press("End")
    wait_until(lambda: left_edge(frame) != middle)
    box = frame.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 50, steps=4)
    page.mouse.up()
    expect_moved(first)
    page.wait_for_timeout(600)  # until it is told to the page
    wait_for_script(page)


def expect_moved(first: Locator) -> None:
    """Check that the credit is shown, and the left edge of the picture."""
    expect(first.get_by_text(CREDIT)).to_be_visible()
    wait_until(lambda: left_edge(first.locator(".frame")) in ("0%", "-0%"))


def test_a_work_of_art_becomes_a_film_with_its_credit(
    studio: App, visitor: Visitor, tmp_path: Path
) -> None:
    page = visitor.page
    page.goto(f"{studio.url}/create")
    tell_a_broken_file(page, tmp_path / "broken.png")
    choose_work(page)
    first = page.locator(".st-key-picture_0")
    move_the_crop(page, first)
    # Back and forth, it is there.
    page.get_by_role("link", name="Gallery", exact=True).click()
    page.get_by_role("heading", name="Gallery", exact=True).wait_for()
    page.go_back()
    expect_moved(first)

    walk_to_the_city(page, frames=4)
    page.reload()
    expect_moved(first)
    walk_id = re.search(r"walk=([\w-]+)", page.url)
    assert walk_id is not None
    [(stored,)] = studio.query(f"SELECT spec FROM walks WHERE id = '{walk_id[1]}'")  # type: ignore[misc]
    image = json.loads(stored)["stops"][0]["image"]
    assert image["crop"]["x"] < 0.5
    assert image["credit"]["record_address"] == "https://www.artic.edu/artworks/1"

    # It is found in the Gallery by its museum.
    page.goto(f"{studio.url}/gallery?by_museum=Art+Institute+of+Chicago")
    expect(page.locator(".card")).to_have_count(1)
    visitor.errors = [e for e in visitor.errors if "422" not in e]  # the broken file's
    assert visitor.errors == []
