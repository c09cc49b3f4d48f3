"""The app plays a film's WebP, and its GIF where there is no WebP."""

import re

import pytest
from playwright.sync_api import Page, expect

from momalisa.storage import film_key
from tests.support.app import App
from tests.support.browser import PATIENCE, Visitor
from tests.support.films import add_film, add_webp

pytestmark = pytest.mark.browser

FILMS = {"undithered": ("webp", 128), "bereft": ("gif", 64), "elder": ("gif", 64)}
"""The kind of file that is played of each film, and the width of its pictures."""


@pytest.fixture
def page(app: App, visitor: Visitor) -> Page:
    """A visitor's page; a film with its WebP, one whose WebP is lost, and one that has none."""
    for name in FILMS:
        add_film(app, name, f"shown {name}", "a lake")
    add_webp(app, "undithered")
    add_webp(app, "bereft", is_stored=False)
    return visitor.page


@pytest.mark.parametrize("name", FILMS)
def test_a_film_plays_wherever_it_is_shown(app: App, page: Page, name: str) -> None:
    kind, width = FILMS[name]
    source = re.compile(rf"\.{kind}$")
    page.goto(f"{app.url}/gallery?q={name}")
    card = page.locator(".card")
    expect(card).to_have_count(1)
    card.hover()
    expect(page.locator(".film.ready")).to_have_attribute("src", source)

    card.click()
    count = page.locator(".count")
    expect(count).to_contain_text("/ 5")
    assert page.locator(".screen canvas").evaluate("canvas => canvas.width") == width
    expect(count).not_to_have_text(count.inner_text())

    page.goto(f"{app.url}/exhibition?walk={name}")
    expect(page.locator(".stage figure.shown img")).to_have_attribute("src", source)
    page.keyboard.press("Escape")


@pytest.mark.parametrize("name", FILMS)
def test_a_browser_that_cannot_take_films_apart_shows_them_too(
    app: App, page: Page, name: str
) -> None:
    page.add_init_script("delete window.ImageDecoder")
    page.goto(f"{app.url}/gallery?walk={name}")
    picture = page.locator(".screen img")
    expect(picture).to_have_attribute("src", re.compile(rf"\.{FILMS[name][0]}$"))
    expect(picture).to_have_js_property("naturalWidth", FILMS[name][1])


def test_of_a_film_whose_webp_is_cut_short_the_gif_is_played(app: App, page: Page) -> None:
    """A half of the film was hidden, and nobody was told."""
    add_film(app, "halved", "shown halved", "a lake")
    add_webp(app, "halved")
    webp = app.home / "store" / film_key("halved", "film.webp")
    webp.write_bytes(webp.read_bytes()[:-100])
    page.goto(f"{app.url}/gallery?walk=halved")
    expect(page.locator(".count")).to_contain_text("/ 5")
    assert page.locator(".screen canvas").evaluate("canvas => canvas.width") == FILMS["elder"][1]


def test_a_film_that_a_busy_bucket_refuses_plays_a_moment_later(app: App, page: Page) -> None:
    """It was said to be lost, and stayed so until the page was loaded again."""
    films = re.compile(r"/undithered/.*\.(webp|gif)$")
    page.route(films, lambda route: route.fulfill(status=429))
    page.goto(f"{app.url}/gallery?walk=undithered")
    expect(page.get_by_text("The storage is out of reach just now.")).to_be_visible()
    page.unroute(films)
    expect(page.locator(".count")).to_contain_text("/ 5", timeout=2 * PATIENCE)
