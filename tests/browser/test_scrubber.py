"""The scrubber's script in a page by itself, which tells it what a page of the app would."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, product

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Visitor
from tests.support.scrubber import ENDS, NEITHER, open_scrubber, what_the_app_tells
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser

ANSWER = """() => {
    window.asked = []
    window.side = { value: 8 }
    window.underWay = window.most = 0
    window.fetch = async url => {
        const query = new URLSearchParams(String(url).split("?")[1])
        const places = query.get("at").split(",").map(place => place.split(":")[1])
        asked.push({ ahead: query.has("ahead"), explores: query.has("explores"), places })
        most = Math.max(most, ++underWay)
        const sheet = new OffscreenCanvas(side.value, side.value * places.length)
        sheet.getContext("2d")
        const blob = await sheet.convertToBlob()
        underWay--
        return new Response(blob)
    }
}"""
"""Runs in the page: answers questions for pictures, and notes them and how many were at once."""
GATHER = """() => {
    window.heard = []
    window.IntersectionObserver = class extends IntersectionObserver {
        constructor(tell) {
            super(entries => { heard.push(...entries); if (heard.length === 2) tell(heard) })
        }
    }
}"""
"""Runs in the page: an observer hears of two changes at once, as on a busy page."""
PAINT_STOPS = """() => {
    window.asked = []
    window.waiting = []
    window.isHeld = window.isAway = false
    window.fetch = async (url, { signal } = {}) => {
        asked.push(url)
        if (isAway) throw new TypeError("Failed to fetch")
        if (isHeld) await new Promise((go, end) => {
            waiting.push(go)
            signal?.addEventListener("abort", end)
        })
        if (url.includes("too_large")) return new Response("Too large.", { status: 422 })
        const headers = { "X-Prompt": "", "X-Reason": "Not so." }
        if (url.includes("no+prompt")) return new Response(null, { status: 204, headers })
        const sheet = new OffscreenCanvas(8, 8)
        sheet.getContext("2d")
        return new Response(await sheet.convertToBlob())
    }
}"""
"""Runs in the page: answers questions for pictures: at once, once they are let go, or not."""
REFUSE = """() => {
    window.refused = window.slow = 0
    window.fetch = async url => {
        if (url.startsWith("/still")) return new Promise(() => slow++)
        refused++
        return new Response(null, { status: 204 })
    }
}"""
"""Runs in the page: refuses what is asked for directly, and does not answer other questions."""


@pytest.fixture
def page(lone_visitor: Visitor) -> Page:
    return open_scrubber(lone_visitor.page)


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


def test_a_prompt_is_typed_until_the_page_knows_it(page: Page) -> None:
    """A way of more legs than before, a blank at the end, stops that changed places or went: the
    slider stayed elsewhere, or the wall went on showing the prompt for the way.
    """
    page.evaluate(PAINT_STOPS)
    typed = page.locator("input:not(.spot)").nth(1)
    before = what_the_app_tells(("a fox", ""), "wall", is_live=True) | {"live_url": "/live?"}
    start, end = before["stops"]
    end = end | {"prompt": "a stormy sea "}
    over = {"field": "over", "prompt": "a red square", "seed": 7}
    others = [over, over | {"field": "another"}]
    found = {}
    for name, stops in {
        "added": [start, over, end],
        "blank at the end": [start, end],
        "swapped": [end, start],
        "gone": others,
    }.items():
        page.evaluate("tell", before | {"id": name})
        typed.fill("")
        typed.fill("a stormy sea ")
        page.clock.run_for(1000)
        expect(page.locator(".picture")).to_have_attribute("data-place", "a stormy sea")
        ways = [[one["prompt"], two["prompt"]] for one, two in pairwise(stops)]
        page.evaluate("asked.length = 0")
        page.evaluate("tell", before | {"id": name, "legs": ways, "stops": stops})
        wait_until(lambda: page.evaluate("asked.length"))
        is_way = "at=" in page.evaluate("asked[0]")
        found[name] = is_way, page.get_by_label("Place on the way").input_value()
    assert found == {
        "added": (True, "2"),
        "blank at the end": (True, "1"),
        "swapped": (True, "0"),
        "gone": (True, "0.5"),
    }


def test_the_frames_of_a_draft_are_painted_ahead_of_a_drag(page: Page) -> None:
    """Nearest to the slider first, each once, and none while something else is asked for."""
    page.evaluate(ANSWER)
    data = what_the_app_tells(ENDS, "wall", is_live=True)
    frames = [[0, number / 23] for number in range(24)]
    page.evaluate("tell", data | {"live_url": "/live?", "explores": True, "ahead": frames})
    wait_until(lambda: page.evaluate("asked.filter(one => one.ahead).length") == 7)
    explored, *ahead = [one for one in page.evaluate("asked") if one["ahead"]]
    assert explored["explores"]
    painted = [float(t) for one in ahead for t in one["places"]]
    assert sorted(painted) == [t for _, t in frames]
    from_the_slider = [abs(t - 0.5) for t in painted]
    assert from_the_slider == sorted(from_the_slider)
    assert page.evaluate("most") == 1

    # A drag finds them here; what lies between is asked for.
    slider = page.get_by_label("Place on the way")
    page.evaluate("asked.length = 0")
    slider.fill("0.48")
    page.clock.run_for(1000)
    expect(page.locator(".picture")).to_have_attribute("data-place", str(11 / 23))
    assert page.evaluate("asked") == []


def test_what_is_painted_ahead_takes_no_other_pictures_memory(page: Page) -> None:
    page.evaluate(ANSWER)
    page.evaluate("side.value = 1024")
    data = what_the_app_tells(ENDS, "wall", is_live=True)
    frames = [[0, number / 23] for number in range(24)]
    page.evaluate("tell", data | {"live_url": "/live?", "ahead": frames})
    wait_until(lambda: page.evaluate("asked.filter(one => one.ahead).length") == 2)
    page.clock.run_for(1000)
    assert page.evaluate("asked.filter(one => one.ahead).length") == 2


def test_what_comes_into_sight_while_the_page_is_busy_is_asked_for(page: Page) -> None:
    """It was not painted, ever: the older of two changes counted."""
    page.evaluate(GATHER)
    page.evaluate("document.querySelector('.scrubber').style.display = 'none'")
    page.evaluate("tell", what_the_app_tells(ENDS, "wall", is_live=True))
    wait_until(lambda: page.evaluate("heard.length") == 1)
    page.evaluate("document.querySelector('.scrubber').style.display = ''")
    expect(page.locator(".now")).to_have_text("The app cannot be reached just now.")


def test_a_picture_of_earlier_settings_is_not_taken_for_the_prompts(page: Page) -> None:
    """The one that was under way while they were changed was shown, and no other asked for."""
    page.evaluate(PAINT_STOPS)
    page.evaluate("isHeld = true")
    data = what_the_app_tells(("a red square", ""), "wall", is_live=True)
    page.evaluate("tell", data | {"live_url": "/live?steps=3"})
    wait_until(lambda: page.evaluate("waiting.length") == 1)
    page.evaluate("tell", data | {"live_url": "/live?steps=8"})
    page.evaluate("isHeld = false")
    page.evaluate("waiting.forEach(go => go())")
    expect(page.locator(".picture")).to_have_attribute("data-place", "a red square")
    assert "steps=8" in page.evaluate("asked.at(-1)")


def test_an_answer_of_earlier_settings_keeps_none_of_the_new_from_being_painted(
    page: Page,
) -> None:
    """If it was a refusal, or never came, nothing was painted until the next move, or ever."""
    page.evaluate(PAINT_STOPS)
    data = what_the_app_tells(ENDS, "wall", is_live=True)
    for name, comes in {"refused": True, "lost": False}.items():
        page.evaluate("isHeld = true; waiting.length = 0")
        page.evaluate("tell", data | {"id": name, "live_url": "/live?too_large=1"})
        wait_until(lambda: page.evaluate("waiting.length") == 1)
        page.clock.run_for(1000)
        page.evaluate("tell", data | {"id": name, "live_url": "/live?"})
        page.evaluate("isHeld = false")
        page.evaluate("waiting.forEach(go => go())" if comes else "0")
        page.clock.run_for(0 if comes else 30_000)
        expect(page.locator(".picture")).to_have_attribute("data-place", "0.5")
        expect(page.locator(".now")).to_have_text("")


def test_what_is_no_prompt_keeps_no_other_from_being_painted(page: Page) -> None:
    """After a blank or a prompt that is too long nothing was painted for five seconds."""
    page.evaluate(PAINT_STOPS)
    data = what_the_app_tells(NEITHER, "wall", is_live=True)
    page.evaluate("tell", data | {"live_url": "/live?"})
    field = page.locator("input:not(.spot)").first
    for typed, says in (("no prompt", "Not so."), ("a red square", "")):
        field.fill(typed)
        page.clock.run_for(1000)
        wait_until(lambda: len(page.evaluate("asked")) > 0)
        expect(page.locator(".now")).to_have_text(says)
        page.evaluate("asked.length = 0")
    expect(page.locator(".picture")).to_have_attribute("data-place", "a red square")

    # Once the field is left, the form says it.
    field.fill("no prompt")
    page.clock.run_for(1000)
    expect(page.locator(".now")).to_have_text("Not so.")
    page.evaluate("asked.length = 0")
    known = what_the_app_tells(("no prompt", ""), "wall", is_live=True)
    page.evaluate("tell", known | {"live_url": "/live?"})
    wait_until(lambda: len(page.evaluate("asked")) > 0)
    expect(page.locator(".now")).to_have_text("")


def test_nothing_is_written_over_a_picture(page: Page) -> None:
    """Over the picture of a prompt that was taken away one read that a film will hang there."""
    page.evaluate(PAINT_STOPS)
    empty = page.locator(".empty")
    picture = page.locator(".picture")
    text = {"live_url": "/live?", "empty": "Your film will hang here."}
    for prompt in ("a red square", "a stormy sea"):
        stops = (prompt, "")
        page.evaluate("tell", what_the_app_tells(stops, "wall", is_live=True) | text)
        expect(picture).to_have_attribute("data-place", prompt)
        expect(empty).to_have_text("")
    page.evaluate("isHeld = true")
    page.evaluate("tell", what_the_app_tells(("a fox", ""), "wall", is_live=True) | text)
    expect(empty).to_have_text("")
    page.evaluate("tell", what_the_app_tells((" ", ""), "wall", is_live=True) | text)
    expect(empty).to_have_text("Your film will hang here.")
    assert picture.get_attribute("data-place") is None

    # Nor over one that is typed, taken away before the page knows it, and typed again.
    page.evaluate("isHeld = false")
    page.evaluate("waiting.forEach(go => go())")
    field = page.locator("input:not(.spot)").first
    for typed, says in (("a fox", ""), ("", text["empty"]), ("a fox", "")):
        field.fill(typed)
        page.clock.run_for(1000)
        expect(empty).to_have_text(says)
        assert picture.get_attribute("data-place") == (typed or None)


def test_a_finished_frame_is_not_said_to_be_painted(page: Page) -> None:
    """Where pictures come slowly, that was read beneath it for good once it was loaded."""
    page.evaluate(PAINT_STOPS)
    # On a busy machine a frame may come later than the slow question would be asked.
    page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
    data = what_the_app_tells(ENDS, "film", is_live=False) | {"still_url": "/still?"}
    page.evaluate("tell", data | {"frames": [[0, "/first"], [1, "/last"]], "hint": "Drag."})
    for end in ("0", "1"):
        page.get_by_label("Place on the way").fill(end)
        expect(page.locator(".picture")).to_have_attribute("data-place", end)
        page.clock.run_for(1000)
        expect(page.locator(".now")).to_have_text("Drag.")
    assert page.evaluate("asked") == ["/first", "/last"]


def test_the_slow_question_is_not_begun_again_while_no_worker_answers_at_once(page: Page) -> None:
    """It was, every five seconds, so that nobody ever read why there was no picture."""
    page.evaluate(REFUSE)
    data = what_the_app_tells(ENDS, "wall", is_live=True)
    page.evaluate("tell", data | {"live_url": "/live?", "still_url": "/still?"})

    def is_refused_again() -> bool:
        page.clock.run_for(1000)
        return bool(page.evaluate("slow && refused > 3"))

    wait_until(is_refused_again)
    assert page.evaluate("slow") == 1


@pytest.mark.parametrize("way", ["live", "still"])
def test_an_app_that_was_away_is_asked_again(page: Page, way: str) -> None:
    """Once, while it was away, and after it nothing was painted until the next move."""
    page.evaluate(PAINT_STOPS)
    page.evaluate("isAway = true")
    is_live = way == "live"
    data = what_the_app_tells(ENDS, "wall", is_live=is_live) | {f"{way}_url": "/picture?"}
    page.evaluate("tell", data)
    page.clock.run_for(200)
    expect(page.locator(".now")).to_have_text("The app cannot be reached just now.")
    slider = page.get_by_label("Place on the way")
    for place in ("0.2", "0.4", "0.6"):
        slider.fill(place)
        page.clock.run_for(200)
    assert len(page.evaluate("asked")) == (1 if is_live else 4)
    page.evaluate("isAway = false")
    page.clock.run_for(10_000 if is_live else 31_000)
    expect(page.locator(".picture")).to_have_attribute("data-place", "0.6")


def test_each_screen_says_which_place_it_shows(page: Page) -> None:
    """Two films on one clock: a screen reader was told the time of both."""
    tracks = [{"title": "linear", "curve": []}, {"title": "late", "curve": [0, 0.2, 1]}]
    page.evaluate("tell", what_the_app_tells(ENDS, "pair", is_live=False) | {"tracks": tracks})
    expect(page.get_by_label("Picture at 50 % of the way")).to_have_count(1)
    expect(page.get_by_label("Picture at 20 % of the way")).to_have_count(1)
