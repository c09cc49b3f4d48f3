"""From a work in a museum to a film on the wall with its credit."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.app import App
from tests.support.browser import Visitor, press, wait_for_script
from tests.support.museum_records import picture
from tests.support.museum_scenario import CREDIT, choose_work, walk_to_the_city
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser


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


def test_a_credit_is_known_while_it_is_typed(studio: App, visitor: Visitor, tmp_path: Path) -> None:
    """A tap on Walk leaves the field at the same moment: what was typed last was lost."""
    page, own = visitor.page, tmp_path / "own.jpg"
    own.write_bytes(picture(400, 300))
    page.goto(f"{studio.url}/create")
    press(page, "From: or a picture")
    page.locator("dialog[open] input[type=file]").set_input_files(own)
    first = page.locator(".st-key-picture_0")
    first.get_by_text("Whose work is it?").click()
    first.get_by_label("Licence", exact=True).press_sequentially("CC BY 4.0")
    expect(first.locator(".credit")).to_have_text("CC BY 4.0", use_inner_text=True)
    expect(first.get_by_label("Licence", exact=True)).to_be_focused()
