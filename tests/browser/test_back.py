"""Back and Forward of the browser after every way from one page to another."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from tests.support.app import App, running_app
from tests.support.browser import Visitor, fill_field, press, wait_for_script
from tests.support.films import add_film
from tests.support.waiting import wait_until
from tests.support.walks import enqueue_walk

pytestmark = pytest.mark.browser

PROMPTS = ("a moon", "a hill")
FILMS = {"first": {}, "second": {"pacing": "ease"}, "third": {"pacing": "dense-middle"}}
DETAIL, POSTERS = "Interpolation", "Exhibit these"
EMPTY, QUEUED = "Your film will hang here.", re.compile("in the queue")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app with a queued walk and without a worker, so that queued walks stay in the queue."""
    home = tmp_path_factory.mktemp("back")
    with running_app(home, environment={"MOMALISA_WORKER": "external"}) as app:
        enqueue_walk(app.database, "a boat", "a pond")
        yield app


@pytest.fixture(autouse=True)
def films(app: App) -> None:
    for walk_id, changes in FILMS.items():
        add_film(app, walk_id, *PROMPTS, **changes)


class Way(NamedTuple):
    """How a visitor gets from one page to another, and the text that each page shows."""

    start: str
    shown: str | re.Pattern[str]
    go: Callable[[Page], None]
    target: str
    then_shown: str | re.Pattern[str]


def button(name: str) -> Callable[[Page], None]:
    return lambda page: press(page, name)


def link(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("link", name=name, exact=True).click()


def open_card(page: Page) -> None:
    page.locator(".card").first.click()


def import_film(page: Page) -> None:
    film = Path(__file__).parents[2] / "momalisa/ui/example/walk.json"
    page.locator("input[type=file]").set_input_files(film)


def walk_both_ways(page: Page) -> None:
    fill_field(page, "From", "a red square")
    fill_field(page, "To", "a sea")
    press(page, "Walk both ways")


def submit_walk(page: Page) -> None:
    fill_field(page, "From", "a red square")
    fill_field(page, "To", "a green sea")
    press(page, "Walk")


def watch_another_walk(page: Page) -> None:
    page.get_by_text("Watch", exact=True).first.click()
    expect(page.get_by_text(QUEUED)).to_be_visible()
    # The next runs of the page must not return to the walk before.
    fill_field(page, "From", "a red square")
    press(page, "Add a stop")
    expect(page.get_by_role("button", name="Remove stop 1")).to_be_visible()
    wait_for_script(page)


FILM = "/gallery?walk=first"
WAYS = {
    "remix": Way(FILM, DETAIL, button("Remix"), r"/create\?walk=", QUEUED),
    "use prompts": Way(FILM, DETAIL, button("Use prompts"), "/create$", EMPTY),
    "use all settings": Way(FILM, DETAIL, link("Use all settings"), "/create$", EMPTY),
    "other pacing": Way(
        FILM, DETAIL, button("Compare with dense-middle"), r"/compare\?a=first&b=third", "Evenness"
    ),
    "another film": Way(
        FILM,
        DETAIL,
        link("Compare with another film"),
        r"/compare\?a=first$",
        "Linear beside non-linear",
    ),
    "all films": Way(FILM, DETAIL, button("All films"), "/gallery$", POSTERS),
    "older film": Way(
        "/gallery?walk=second", "ease", button("Older"), r"/gallery\?walk=first", "linear"
    ),
    # No press goes before it, so that it comes first of its start.
    "import": Way("/gallery", POSTERS, import_film, "/create$", EMPTY),
    "a poster": Way("/gallery", POSTERS, open_card, r"/gallery\?walk=third", DETAIL),
    "a poster found": Way("/gallery?q=moon", POSTERS, open_card, r"/gallery\?.*walk=third", DETAIL),
    "exhibition": Way(
        "/gallery?q=moon",
        POSTERS,
        link("Exhibit these"),
        r"/exhibition\?of=q%3Dmoon",
        "Latent walk",
    ),
    "out of the exhibition": Way(
        "/exhibition?of=q%3Dmoon",
        "Latent walk",
        button("Leave"),
        r"/gallery\?q=moon$",
        "3 films: “moon”",
    ),
    "walk": Way("/create", EMPTY, submit_walk, r"/create\?walk=", QUEUED),
    "remix on Create": Way(
        "/create?walk=first", "Remix", button("Remix"), r"/create\?walk=(?!first)", QUEUED
    ),
    "watch another walk": Way(
        "/create?walk=first", "Remix", watch_another_walk, r"/create\?walk=(?!first)", QUEUED
    ),
    "walk both ways": Way(
        "/compare", "Linear beside non-linear", walk_both_ways, r"/compare\?a=[^&]+&b=", QUEUED
    ),
    "blind vote": Way(
        "/compare?a=first&b=second",
        "Path length",
        button("Vote blind"),
        r"/compare\?a=first&b=second&blind=yes",
        "Which film do you prefer?",
    ),
    "settings of a film found": Way(
        "/gallery?q=moon&walk=first", DETAIL, link("Use all settings"), "/create$", EMPTY
    ),
    "from a search": Way(
        "/gallery?q=moon",
        "3 films: “moon”",
        link("Compare"),
        "/compare$",
        "Linear beside non-linear",
    ),
    "insight": Way(
        "/insight",
        "Evenness",
        link("Compare two, and vote blind"),
        "/compare$",
        "Linear beside non-linear",
    ),
    "create from Home": Way("/", "Or begin", link("Create a walk"), "/create$", EMPTY),
    "gallery from Home": Way("/", "Or begin", link("Browse the Gallery"), "/gallery$", POSTERS),
    "preset on Home": Way("/", "Or begin", button("Square to sea"), r"/create\?walk=", QUEUED),
}
"""Every kind of navigation, except those of an empty Gallery."""
STARTS = list(dict.fromkeys(way.start for way in WAYS.values()))


def page_of(way: Way) -> str:
    """The page that a way leads to."""
    return re.split(r"[?$\\]", way.target)[0]


LAST_WAY_TO = {page_of(way): way for way in WAYS.values()}
"""Of the ways to each page. A reload begins a new session, which knows the address alone."""


def wait_for_page(page: Page) -> None:
    """Wait until the page's script has finished, and entries of left runs are kept out."""
    wait_for_script(page)
    wait_until(lambda: "[native code]" not in page.evaluate("String(history.pushState)"))


def shows(page: Page, address: str, text: str | re.Pattern[str]) -> None:
    expect(page).to_have_url(re.compile(address))
    expect(page.get_by_text(text).filter(visible=True).first).to_be_visible()


@contextmanager
def named(name: str) -> Iterator[None]:
    """Say which way was gone when something fails."""
    try:
        yield
    except Exception as error:
        error.add_note(f"on the way “{name}”")
        raise


@pytest.mark.parametrize("start", STARTS)
def test_back_leads_to_what_was_shown_and_forward_again(
    app: App, visitor: Visitor, start: str
) -> None:
    """Of every way from an address, one after another: each cuts off what is ahead."""
    page, entries = visitor.page, 0
    page.emulate_media(reduced_motion="reduce")  # films that play take a tenth of a core
    page.goto(app.url + start)
    for name, way in WAYS.items():
        if way.start == start:
            with named(name):
                if entries:
                    page.go_back()
                shows(page, f"{re.escape(app.url + start)}$", way.shown)
                wait_for_page(page)
                entries = entries or page.evaluate("history.length")
                go_back_and_forth(page, way, entries)
    assert visitor.errors == []


def go_back_and_forth(page: Page, way: Way, entries: int) -> None:
    """Go from a start, which that many entries lead to, back to it, and forward again."""
    start = page.url
    way.go(page)
    shows(page, way.target, way.then_shown)
    target = page.url
    assert page.evaluate("history.length") == entries + 1
    page.go_back()
    shows(page, f"{re.escape(start)}$", way.shown)
    wait_for_script(page)
    page.go_forward()
    shows(page, f"{re.escape(target)}$", way.then_shown)
    if LAST_WAY_TO[page_of(way)] is way:
        page.reload()
        shows(page, f"{re.escape(target)}$", way.then_shown)
    assert page.evaluate("history.length") == entries + 1


def test_a_run_that_was_left_may_end_late_and_adds_no_entry(app: App, visitor: Visitor) -> None:
    """After a second such an entry was let in, and cut Forward off."""
    page, late = visitor.page, "history.pushState({}, '', '/gallery?walk=first')"
    page.goto(f"{app.url}/gallery")
    shows(page, "/gallery$", POSTERS)
    wait_for_page(page)
    link("Create")(page)
    shows(page, "/create", "From")
    page.go_back()
    shows(page, "/gallery$", POSTERS)
    wait_for_script(page)
    page.wait_for_timeout(1500)
    page.evaluate(late)
    assert page.url == f"{app.url}/gallery"
    page.keyboard.press("Shift")
    page.evaluate(late)
    assert page.url == f"{app.url}/gallery?walk=first"


def test_forward_right_after_back_leads_forward_though_a_run_of_the_page_between_begins(
    app: App, visitor: Visitor
) -> None:
    """Such a run pushed its page and parameters, which cut off the page ahead."""
    page = visitor.page
    page.goto(f"{app.url}/gallery")
    shows(page, "/gallery$", POSTERS)
    wait_for_page(page)
    link("Create")(page)
    shows(page, "/create$", "From")
    wait_for_script(page)
    page.evaluate("history.back()")
    page.wait_for_url("**/gallery")
    page.evaluate("history.forward()")
    page.wait_for_url("**/create")
    entries = page.evaluate("history.length")
    page.evaluate("history.pushState({}, '', '/gallery')")
    page.evaluate("history.replaceState({}, '', '/create?q=moon')")
    shows(page, "/create$", "From")
    wait_for_script(page)
    shows(page, "/create$", "From")
    assert page.evaluate("history.length") == entries


def test_the_walk_on_create_is_found_again_by_the_link_to_the_page(
    app: App, visitor: Visitor
) -> None:
    page = visitor.page
    page.goto(f"{app.url}/create?walk=first")
    shows(page, r"/create\?walk=first$", "Remix")
    entries = page.evaluate("history.length")
    link("Gallery")(page)
    shows(page, "/gallery$", POSTERS)
    link("Create")(page)
    shows(page, r"/create\?walk=first$", "Remix")
    assert page.evaluate("history.length") == entries + 2
    page.go_back()
    shows(page, "/gallery$", POSTERS)


def test_back_from_the_notice_of_an_unknown_page_leads_to_the_page_before(
    app: App, visitor: Visitor
) -> None:
    page = visitor.page
    page.goto(f"{app.url}/gallery")
    shows(page, "/gallery$", POSTERS)
    page.goto(f"{app.url}/nosuch")
    shows(page, f"{re.escape(app.url)}/$", "There is no such page here")
    page.go_back()
    shows(page, "/gallery$", POSTERS)
