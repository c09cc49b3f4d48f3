"""Compare: two films in step, in three views, and the blind vote."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.app import App
from tests.support.browser import PATIENCE, Visitor, press, wait_for_script
from tests.support.films import add_film

pytestmark = pytest.mark.browser

PAIR = "/compare?a=steady&b=slow-middle"


@pytest.fixture(autouse=True)
def films(app: App) -> None:
    """Three films between the same stops; the second is longer and larger."""
    stops = ("a moon", "a hill")
    add_film(app, "steady", *stops)
    add_film(app, "slow-middle", *stops, pacing="dense-middle", frames=9, size=128)
    add_film(app, "slow-ends", *stops, pacing="ease")


def opened(page: Page, address: str) -> Page:
    page.goto(address)
    page.locator(".player").wait_for()
    return page


def grey(canvas: Locator, across: float = 0.5) -> float:
    """The mean grey level at the middle height of a canvas, at a fraction of its width."""
    level: float = canvas.evaluate(
        """(canvas, across) => {
            const x = Math.round(across * (canvas.width - 8)), y = canvas.height / 2
            const { data } = canvas.getContext("2d").getImageData(x, y, 8, 8)
            return data.filter((_, n) => n % 4 === 0).reduce((a, b) => a + b) / 64
        }""",
        across,
    )
    return level


def go_to(page: Page, frame: int) -> None:
    """Pause and go to a frame by keyboard."""
    expect(page.locator(".count")).to_contain_text("/ 9")
    page.get_by_label("Place in the film").focus()
    if page.get_by_role("button", name="Pause").is_visible():
        page.keyboard.press("Space")
    page.keyboard.press("Home")
    for _ in range(frame - 1):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".count")).to_have_text(f"{frame} / 9")


def test_two_films_are_overlaid_as_wipe_and_as_difference(app: App, visitor: Visitor) -> None:
    page = opened(visitor.page, app.url + PAIR)
    go_to(page, 2)
    first, second = page.locator(".screen canvas").all()
    both, handle = page.locator(".both canvas"), page.get_by_label("Wipe between both films")
    left, right = grey(first), grey(second)
    assert right - left > 30

    page.get_by_label("Wipe", exact=True).check()
    expect(first).to_be_hidden()
    assert (grey(both, 0.1), grey(both, 0.9)) == pytest.approx((left, right), abs=5)
    handle.focus()
    page.keyboard.press("End")
    assert grey(both, 0.9) == pytest.approx(left, abs=5)
    picture = both.bounding_box()
    assert picture
    page.mouse.move(picture["x"] + picture["width"] - 1, picture["y"] + picture["height"] / 2)
    page.mouse.down()
    page.mouse.move(picture["x"] + picture["width"] / 4, picture["y"] + picture["height"] / 2)
    page.mouse.up()
    expect(handle).to_have_value(re.compile("2[3-7]"))
    assert grey(both, 0.4) == pytest.approx(right, abs=5)

    page.get_by_label("Difference", exact=True).check()
    assert grey(both) == pytest.approx(right - left, abs=8)
    expect(page.get_by_text("Black where both films are the same", exact=False)).to_be_visible()
    expect(handle).to_be_hidden()

    expect(page).to_have_url(re.compile("view=difference"))
    page.reload()
    expect(page.get_by_label("Difference", exact=True)).to_be_checked()
    assert visitor.errors == []


def test_the_keyboard_plays_pauses_and_steps_and_the_mark_follows(
    app: App, visitor: Visitor
) -> None:
    page = opened(visitor.page, app.url + PAIR)
    go_to(page, 4)
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    go_to(page, 4)
    page.get_by_role("button", name="Play").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".count")).to_have_text("5 / 9")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".count")).to_have_text("4 / 9")

    mark = page.locator(".mark")  # on the curves
    for frame, way in ((1, "0"), (5, "0.5"), (9, "1")):
        go_to(page, frame)
        expect(mark).to_have_attribute("d", f"M{way} 0V1")
    points = page.locator(".curves polyline").evaluate_all(
        "lines => lines.map(line => line.points.length)"
    )
    assert points == [4, 8]


COUNT_LOOKS = """() => {
  const request = window.requestAnimationFrame
  window.looks = 0
  window.requestAnimationFrame = callback => { window.looks++; return request(callback) }
}"""


def test_the_speed_is_chosen(app: App, lone_visitor: Visitor) -> None:
    """A film that plays waits for its next frame; sixty looks a second took a tenth of a core."""
    clock = lone_visitor.page.clock
    clock.install()
    page = opened(lone_visitor.page, app.url + PAIR)
    go_to(page, 1)
    clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
    page.evaluate(COUNT_LOOKS)
    # The longer film, of 9 frames, gives the time: 0.2 s a frame.
    for speed, seconds in (("¼ ×", 1.6), ("1 ×", 0.4), ("2 ×", 0.2)):
        page.get_by_label("Speed").select_option(speed)
        press(page, "Play")
        clock.run_for(round(1000 * seconds) + 40)  # until the screen is drawn, too
        expect(page.locator(".count")).to_have_text("3 / 9")
        press(page, "Pause")
        page.get_by_label("Place in the film").press("Home")
        expect(page.locator(".count")).to_have_text("1 / 9")
    assert page.evaluate("window.looks") < 30  # at each of two films' frames, not 130


def test_reduced_motion_starts_paused(app: App, browser: Browser) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = opened(context.new_page(), app.url + PAIR)
    expect(page.locator(".count")).to_have_text("1 / 9", timeout=PATIENCE)
    press(page, "Play")
    expect(page.locator(".count")).not_to_have_text("1 / 9")
    context.close()


def test_touch_moves_the_wipe(app: App, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True)
    page = opened(context.new_page(), f"{app.url}{PAIR}&view=wipe")
    expect(page.locator(".count")).to_contain_text("/ 9", timeout=PATIENCE)
    picture = page.locator(".both canvas").bounding_box()
    assert picture
    page.touchscreen.tap(picture["x"] + 0.8 * picture["width"], picture["y"] + 40)
    expect(page.get_by_label("Wipe between both films")).to_have_value(re.compile("7[89]|8[012]"))
    context.close()


def test_without_image_decoder_films_play_side_by_side(app: App, visitor: Visitor) -> None:
    visitor.page.add_init_script("delete window.ImageDecoder")
    page = opened(visitor.page, f"{app.url}{PAIR}&view=wipe")
    expect(page.get_by_text("they play only side by side", exact=False)).to_be_visible()
    expect(page.locator(".choices")).to_be_hidden()
    expect(page.locator(".both")).to_be_hidden()
    expect(page.locator(".screen img")).to_have_count(2)
    assert visitor.errors == []


def test_a_blind_vote_works_by_keyboard(app: App, visitor: Visitor) -> None:
    page = opened(visitor.page, f"{app.url}/compare?a=steady&b=slow-ends&view=difference")
    numbers = dict(app.query("SELECT id, accession FROM walks"))
    names = ("linear", "ease", numbers["steady"], numbers["slow-ends"])
    page.get_by_role("button", name="Vote blind").press("Enter")
    question = page.get_by_role("heading", name="Which film do you prefer?")
    expect(question).to_be_visible()
    expect(page.get_by_role("combobox", name="Left")).to_have_count(0)
    wait_for_script(page)
    shown = page.get_by_test_id("stMain").inner_text() + page.locator(".player").inner_html()
    assert not [name for name in names if name in shown]
    page.get_by_role("button", name="Second film", exact=True).press("Enter")
    expect(page.get_by_text("You preferred the second film:", exact=False)).to_be_visible()
    expect(page.get_by_text("In 1 vote curators preferred", exact=False)).to_be_visible()
    expect(page).to_have_url(re.compile("view=difference"))
    page.goto(f"{app.url}/insight")
    expect(page.get_by_text("In 1 vote curators preferred", exact=False)).to_be_visible()
    assert visitor.errors == []


def test_a_grid_plays_by_tap_and_by_keyboard(app: App, visitor: Visitor) -> None:
    page = visitor.page
    page.goto(app.url + "/compare?grid=steady")
    film = page.get_by_role("button", name="Play lerp, linear")
    film.wait_for(timeout=PATIENCE)
    wait_for_script(page)
    film.dispatch_event("click")
    expect(film.locator(".film.ready")).to_be_visible()
    expect(film).to_have_attribute("aria-pressed", "true")
    film.focus()
    page.keyboard.press("Enter")
    expect(film.locator(".film")).to_have_count(0)
    page.get_by_role("link", name="ML.").first.click()
    expect(page).to_have_url(re.compile("walk=steady"))
