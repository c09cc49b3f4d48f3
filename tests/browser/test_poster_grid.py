"""Gallery: search, tags, downloads and import."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, ViewportSize, expect

from tests.support.app import App
from tests.support.browser import Visitor, press, wait_for_script
from tests.support.films import add_film, add_foreign_film
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser

SIGNS = {
    "Download GIF": ("gif", b"GIF89a"),
    "MP4": ("mp4", b"\x00\x00\x00 ftyp"),
    "WebP": ("webp", b"RIFF"),
    "Frames (ZIP)": ("zip", b"PK"),
    "Settings (JSON)": ("json", b"{"),
}
"""The extension and the first bytes of each download."""

DROP = """name => {
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(new File(["GIF89a"], name))
    for (const kind of ["dragover", "drop"]) {
        const options = { dataTransfer, bubbles: true, cancelable: true }
        document.querySelector("h1").dispatchEvent(new DragEvent(kind, options))
    }
}"""


def test_a_film_is_tagged_found_and_exported(app: App, visitor: Visitor) -> None:
    add_foreign_film(app)
    page = visitor.page
    page.goto(f"{app.url}/gallery?walk=waves")
    tags = page.get_by_role("combobox", name="Tags")
    tags.fill("For the Foyer")
    tags.press("Enter")
    expect(page.get_by_text("for the foyer", exact=True).first).to_be_visible()

    page.goto(f"{app.url}/gallery?tag=for+the+foyer&sort=title")
    expect(page.locator(".card")).to_have_count(1)
    expect(page.locator(".card .title")).to_have_text("Waves")
    expect(page.get_by_text("1 film: for the foyer")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    table = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert download.value.suggested_filename == "films.csv"
    assert table.splitlines()[1].startswith("waves,")
    assert len(table.splitlines()) == 2
    page.get_by_role("combobox", name="Sort").click()
    page.get_by_role("option", name="oldest").click()
    expect(page).to_have_url(re.compile("sort=oldest"))
    expect(page).to_have_url(re.compile("tag=for"))
    press(page, "Filters")
    page.get_by_text("Starred", exact=True).click()
    expect(page).to_have_url(re.compile("starred=true"))
    expect(page.get_by_text("Nothing here goes by that description.")).to_be_visible()
    assert visitor.errors == []


def test_films_that_are_finished_meanwhile_are_offered(app: App, lone_visitor: Visitor) -> None:
    """They were not there before the page was reloaded."""
    page = lone_visitor.page
    page.clock.install()
    page.goto(f"{app.url}/gallery?q=heron&sort=title")
    expect(page.get_by_text("Nothing here goes by that description.")).to_be_visible()
    wait_for_script(page)
    add_film(app, "heron-1", "a heron", "a marsh")
    page.clock.fast_forward("00:31")
    expect(page.get_by_text("1 film: “heron”")).to_be_visible()  # nothing to disturb before
    expect(page.get_by_text("Nothing here goes by that description.")).to_have_count(0)
    expect(page.locator(".card")).to_have_count(1)
    wait_for_script(page)
    add_film(app, "heron-2", "a heron", "a reef")
    add_film(app, "crane", "a crane", "a reef")
    place = page.locator(".card").bounding_box()
    page.clock.fast_forward("00:31")
    offer = page.get_by_role("button", name="Show 1 new film")
    expect(offer).to_be_visible()
    assert page.locator(".card").bounding_box() == place
    offer.click()
    titles = ["a heron → a reef", "a heron → a marsh"]
    expect(page.locator(".card .title")).to_have_text(titles)
    expect(offer).to_have_count(0)
    assert lone_visitor.errors == []


@pytest.mark.parametrize(
    ("width", "query"), [(1280, "q=waves"), (1000, "q=waves"), (390, "q=waves"), (390, "")]
)
def test_prerendered_posters_do_not_move_when_the_scripts_run(
    app: App, browser: Browser, visitor: Visitor, width: int, query: str
) -> None:
    add_foreign_film(app)
    size: ViewportSize = {"width": width, "height": 900}
    address = f"{app.url}/gallery?{query}"
    context = browser.new_context(viewport=size, java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    while not page.locator(".first-sight img").count():
        page.reload()  # the HTML does not wait for a machine that is busy
    before = place_of(page.locator(".first-sight img"))
    context.close()
    page = visitor.page
    page.set_viewport_size(size)
    page.goto(address)
    page.locator(".card img").first.wait_for()
    wait_for_script(page)  # what stands above the posters may come after them
    assert place_of(page.locator(".card img")) == before
    expect(page.locator(".first-sight")).to_have_count(0)


def place_of(posters: Locator) -> tuple[int, int, int]:
    """Where the first poster is, and how wide."""
    box = posters.first.bounding_box()
    assert box is not None
    return round(box["x"]), round(box["y"]), round(box["width"])


def test_prerendered_posters_disappear_on_other_pages(app: App, visitor: Visitor) -> None:
    add_foreign_film(app)
    page = visitor.page
    page.goto(f"{app.url}/gallery?q=waves", wait_until="commit")
    page.get_by_role("link", name="Create", exact=True).click()
    expect(page.get_by_role("heading", name="Create", exact=True)).to_be_visible()
    expect(page.locator(".first-sight")).to_have_count(0)
    page.goto(f"{app.url}/gallery", wait_until="commit")
    page.locator(".first-sight a", has_text="Waves").or_(
        page.locator(".card", has_text="Waves")
    ).first.click()
    expect(page.locator('[class*="st-key-title"]').first).to_have_text("Waves, 2024")
    expect(page.locator(".first-sight")).to_have_count(0)
    assert visitor.errors == []


def test_every_download_can_be_imported_again(app: App, visitor: Visitor, tmp_path: Path) -> None:
    add_film(app, "leaving", "a lighthouse", "a whale")
    page = visitor.page
    page.goto(f"{app.url}/gallery?walk=leaving")
    for name, (kind, sign) in SIGNS.items():
        if kind == "mp4":
            press(page, "Other formats")
        with page.expect_download() as download:
            page.get_by_role("link", name=name, exact=True).click()
        assert re.fullmatch(rf"ML\.\d{{4}}\.\d{{4}}\.{kind}", download.value.suggested_filename)
        download.value.save_as(tmp_path / f"film.{kind}")
        assert (tmp_path / f"film.{kind}").read_bytes().startswith(sign)

    for kind, _ in SIGNS.values():
        page.goto(f"{app.url}/gallery")
        page.locator("input[type=file]").set_input_files(tmp_path / f"film.{kind}")
        expect(page.get_by_label("From", exact=True)).to_have_value("a lighthouse")
        expect(page.get_by_label("To", exact=True)).to_have_value("a whale")
        expect(page).to_have_url(f"{app.url}/create")
    assert visitor.errors == []


def test_a_failed_download_shows_a_message_and_a_way_back(app: App, visitor: Visitor) -> None:
    add_foreign_film(app)
    page = visitor.page
    page.goto(f"{app.url}/pictures/walks/waves.zip")
    expect(page.get_by_text("Another program made this film", exact=False)).to_be_visible()
    page.get_by_role("link", name="Back to the film").click()
    expect(page.get_by_text("Waves, 2024")).to_be_visible()


def test_a_link_is_copied_and_a_new_title_found(app: App, visitor: Visitor) -> None:
    add_film(app, "renamed", "a comet", "a pear")
    page = visitor.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{app.url}/gallery?q=comet")
    page.locator(".card").click()
    press(page, "Share")
    page.get_by_test_id("stCode").hover()
    page.get_by_role("button", name="Copy to clipboard").click()
    address = f"{app.url}/gallery?walk=renamed"
    wait_until(lambda: page.evaluate("navigator.clipboard.readText()") == address)
    page.keyboard.press("Escape")
    page.get_by_label("Title", exact=True).fill("Wanderer")
    page.get_by_label("Title", exact=True).press("Enter")
    expect(page.get_by_text("Wanderer, 20", exact=False)).to_be_visible()
    press(page, "All films")
    expect(page.get_by_label("Search", exact=True)).to_have_value("comet")
    page.get_by_label("Search", exact=True).fill("wander")
    expect(page.locator(".card .title")).to_have_text("Wanderer")
    assert visitor.errors == []


def test_a_file_can_be_dropped_anywhere_on_the_page(app: App, visitor: Visitor) -> None:
    page = visitor.page
    page.goto(f"{app.url}/gallery")
    page.get_by_text("Drop or choose it").wait_for()
    page.evaluate(DROP, "photo <b>.gif")
    expect(page.get_by_text("“photo <b>.gif”: This file is damaged")).to_be_visible()
    assert page.url == f"{app.url}/gallery"
