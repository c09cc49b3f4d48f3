"""`python -m tests.screens.take`: the README's pictures, taken from the running app.

Makes a few films in a fresh home, then writes every page as WebP into tests/screens: light and
dark, on a desktop and on a phone.
"""

import tempfile
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize

from momalisa.ui.create.presets import PRESETS
from momalisa.ui.http.media import EXAMPLE
from tests.support.app import App, running_app
from tests.support.browser import chromium, fill_field, wait_for_script

FOLDER = Path(__file__).parent
PATIENCE = 120_000
FILMS = 6
DESKTOP, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=760)
THEMES: dict[str, Literal["light", "dark"]] = {"": "light", "-dark": "dark"}
SIZES = {"": DESKTOP, "-phone": PHONE}


def main() -> None:
    """Make the films and take the pictures."""
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        running_app(Path(home)) as app,
        chromium() as browser,
    ):
        page = browser.new_page(viewport=DESKTOP)
        page.set_default_timeout(PATIENCE)
        for name in list(PRESETS)[:FILMS]:
            make_film(page, app, name)
        make_film_from_picture(page, app)
        take_all(browser, app, pages(page, app))


def make_film(page: Page, app: App, preset: str) -> None:
    """One click on a preset, one on *Walk*, and the film."""
    page.goto(f"{app.url}/create")
    page.get_by_text(preset, exact=True).click()
    page.get_by_role("button", name="Walk", exact=True).click()
    page.locator(".screen canvas").wait_for()


def make_film_from_picture(page: Page, app: App) -> None:
    """A film from a picture of one's own, a frame of the example film, to a prompt."""
    picture = BytesIO()
    with Image.open(EXAMPLE / "film.gif") as film:
        film.convert("RGB").resize((768, 512)).save(picture, "PNG")
    page.goto(f"{app.url}/create")
    page.get_by_role("button", name="From: or a picture").click()
    page.locator("dialog[open] input[type=file]").set_input_files(
        {"name": "picture.png", "mimeType": "image/png", "buffer": picture.getvalue()}
    )
    page.locator(".st-key-picture_0 .frame").wait_for()
    fill_field(page, "To", "a city at night")
    page.get_by_role("button", name="Walk", exact=True).click()
    page.get_by_role("button", name="Remix", exact=True).wait_for()


def pages(page: Page, app: App) -> dict[str, str]:
    """The addresses to show, once Compare has a film beside its dense-middle twin."""
    films = [walk for walk, _ in app.query("SELECT id, title FROM walks ORDER BY created_at")]
    return {
        "home": "/",
        "create": f"/create?walk={films[0]}",
        "work": f"/create?walk={films[-1]}",
        "gallery": "/gallery",
        "film": f"/gallery?walk={films[1]}",
        "exhibition": f"/exhibition?walk={films[0]}",
        "compare": other_pacing(page, app, films[0]),
        "insight": "/insight",
    }


def other_pacing(page: Page, app: App, walk_id: str) -> str:
    """Compare's address for a film beside its dense-middle twin, once both are there."""
    page.goto(f"{app.url}/gallery?walk={walk_id}")
    page.get_by_role("button", name="Compare with dense-middle").click()
    page.get_by_text("Mean change", exact=True).wait_for()
    return page.url.removeprefix(app.url)


def take_all(browser: Browser, app: App, addresses: dict[str, str]) -> None:
    """Every address in every theme and size."""
    for theme, size in product(THEMES, SIZES):
        context = browser.new_context(viewport=SIZES[size], color_scheme=THEMES[theme])
        shown = context.new_page()
        shown.set_default_timeout(PATIENCE)
        for name, address in addresses.items():
            shown.goto(app.url + address)
            shown.locator("h1, canvas:visible, .shown img").first.wait_for()
            wait_for_script(shown)
            shown.wait_for_timeout(3_500)  # until its pictures are there
            keep(shown.screenshot(), f"{name}{theme}{size}")
        context.close()


def keep(picture: bytes, name: str) -> None:
    """Write a screenshot as a small WebP."""
    with Image.open(BytesIO(picture)) as image:
        image.save(FOLDER / f"{name}.webp", quality=80, method=6)


if __name__ == "__main__":
    main()
