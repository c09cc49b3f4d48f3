"""`python -m tests.screens`: the README's pictures, taken from the running app.

Makes a few films in a fresh home, then writes Create, Gallery and Compare, light and dark, and a
phone's Gallery, as WebP into tests/screens.
"""

import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from momalisa.ui.presets import PRESETS
from tests.app import House, chromium, running

FOLDER = Path(__file__).parent / "screens"
PATIENCE = 120_000
FILMS = 6
DESKTOP, PHONE = (1280, 800), (390, 760)


def main() -> None:
    """Make the films and take the pictures."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, running(Path(home)) as house, chromium() as browser:
        page = browser.new_page(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
        page.set_default_timeout(PATIENCE)
        for name in list(PRESETS)[:FILMS]:
            make_film(page, house, name)
        films = [walk for walk, _ in house.ask("SELECT id, title FROM walks ORDER BY created_at")]
        compare = other_pacing(page, house, films[0])
        for theme, (width, height), name, path in (
            ("light", DESKTOP, "create", f"/create?walk={films[0]}"),
            ("dark", DESKTOP, "create-dark", f"/create?walk={films[1]}"),
            ("light", DESKTOP, "gallery", "/gallery"),
            ("light", PHONE, "gallery-phone", "/gallery"),
            ("dark", DESKTOP, "compare-dark", compare),
        ):
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if theme == "dark" else "light",
            )
            shown = context.new_page()
            shown.goto(house.url + path)
            shown.locator("canvas, .card img").first.wait_for()
            shown.wait_for_timeout(3_500)
            keep(shown.screenshot(), name)
            context.close()


def make_film(page: Page, house: House, preset: str) -> None:
    """One click on a preset, one on *Walk*, and the film."""
    page.goto(f"{house.url}/create")
    page.get_by_text(preset, exact=True).click()
    page.get_by_role("button", name="Walk", exact=True).click()
    page.locator("canvas").wait_for()


def other_pacing(page: Page, house: House, walk_id: str) -> str:
    """Compare's address for a film beside its dense-middle twin, once both are there."""
    page.goto(f"{house.url}/gallery?walk={walk_id}")
    page.get_by_role("button", name="Compare with dense-middle").click()
    page.get_by_text("Mean change", exact=True).wait_for()
    return page.url.removeprefix(house.url)


def keep(picture: bytes, name: str) -> None:
    """Write a screenshot as a small WebP."""
    with Image.open(BytesIO(picture)) as image:
        image.save(FOLDER / f"{name}.webp", quality=80, method=6)


if __name__ == "__main__":
    main()
