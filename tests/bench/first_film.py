"""Seconds from the start of the app to the first film: `python -m tests.bench.first_film`.

In a real browser on an empty home: seconds until the server answers, until the first page is shown,
and from the press of *Walk* to the first frame and to the film (the first preset: 24 frames of
256 × 256), while the worker is just waking. The same with a worker that is awake: pressed at once,
and after some seconds of looking at the draft, whose frames are painted meanwhile. Then the worker
is killed during another walk, and the frames that are rendered afterwards are counted.
"""

import json
import os
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.bench.command import new_parser, write_figures
from tests.support.app import App, running_app
from tests.support.browser import chromium
from tests.support.waiting import wait_until

PATIENCE = 120_000
"""Milliseconds to wait for anything."""
LOOK = 5.0
"""Seconds of looking at a draft before it is walked."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the measurements and print the figures as JSON."""
    options = new_parser("first_film", __doc__).parse_args(arguments)
    figures: dict[str, float | int] = {"cores": os.cpu_count() or 0}
    began = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as home,
        running_app(Path(home)) as app,
        chromium() as browser,
    ):
        figures["server up"] = since(began)
        page = open_page(browser)
        began = time.perf_counter()
        page.goto(app.url)
        page.get_by_role("heading", name="MOMA Lisa").wait_for()
        figures["first page"] = since(began)
        figures |= first_film(page, app)
        page.close()
        for preset, seconds in (("Mask to stars", 0.0), ("Boat to dunes", LOOK)):
            figures |= film_of_awake_worker(browser, app, preset, seconds)
        figures |= killed_worker(open_page(browser), app)
    figures = {name: round(value, 2) for name, value in figures.items()}
    print(json.dumps(figures, indent=2))
    write_figures(figures, options.json)


def since(began: float) -> float:
    """Seconds since a reading of `time.perf_counter`."""
    return time.perf_counter() - began


def seconds_until_shown(page: Page, selector: str, began: float) -> float:
    """Seconds from `began` until a page shows what is selected.

    Playwright's own wait looks twice a second only, which would be a sixth of what is measured.
    """
    wait_until(page.locator(selector).first.is_visible, PATIENCE / 1000)
    return since(began)


def open_page(browser: Browser) -> Page:
    """A page of a curator who was never here."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)
    return page


def first_film(page: Page, app: App) -> dict[str, float]:
    """Measure seconds from the click on *Walk* to the first frame and to the film."""
    page.goto(f"{app.url}/create")
    page.get_by_text("Square to sea", exact=True).click()
    page.get_by_role("button", name="Walk", exact=True).click()
    began = time.perf_counter()
    frame = seconds_until_shown(page, ".cell img", began)
    film = seconds_until_shown(page, ".screen canvas", began)
    [(seconds, loading)] = app.query("SELECT seconds, seconds_to_load FROM walks")
    return {
        "first frame": frame,
        "first film": film,
        "of it rendering": float(seconds),
        "loading the model": float(loading),
    }


def film_of_awake_worker(
    browser: Browser, app: App, preset: str, seconds: float
) -> dict[str, float]:
    """Measure seconds to a film of a preset that was looked at for some seconds before."""
    page = open_page(browser)
    page.goto(f"{app.url}/create")
    page.get_by_text(preset, exact=True).click()
    page.wait_for_timeout(1000 * seconds)
    page.get_by_role("button", name="Walk", exact=True).click()
    film = seconds_until_shown(page, ".screen canvas", time.perf_counter())
    page.close()
    row = "FROM walks ORDER BY created_at DESC LIMIT 1"
    [(rendering, computed)] = app.query(f"SELECT seconds, frames_computed {row}")
    name = f"awake, looked at for {seconds:.0f} s"
    return {
        f"{name}: film": film,
        f"{name}: rendering": float(rendering),
        f"{name}: frames rendered": int(computed),
    }


def killed_worker(page: Page, app: App) -> dict[str, int]:
    """Kill the worker when 6 frames are ready, and count the frames rendered afterwards."""
    [(before, _)] = app.query("SELECT count(*), 0 FROM walks")
    page.goto(f"{app.url}/create")
    page.get_by_text("Sun to stripes", exact=True).click()
    page.get_by_role("button", name="Walk", exact=True).click()
    second = f"FROM walks ORDER BY created_at LIMIT 1 OFFSET {before}"
    wait_until(lambda: app.query(f"SELECT id, state {second}"), PATIENCE / 1000)
    wait_until(lambda: frames_ready(app, second) >= 6, PATIENCE / 1000)
    ready = frames_ready(app, second)
    [(pid, _)] = app.query("SELECT pid, name FROM workers ORDER BY started_at DESC LIMIT 1")
    os.kill(int(pid), signal.SIGKILL)
    wait_until(lambda: app.query(f"SELECT state, id {second}")[0][0] == "done", PATIENCE / 1000)
    [(computed, total)] = app.query(f"SELECT frames_computed, frames_total {second}")
    return {
        "frames ready at kill -9": ready,
        "frames rendered after it": int(computed),
        "frames of that walk": int(total),
    }


def frames_ready(app: App, walk: str) -> int:
    """Count the finished frames in a walk's row, without previews."""
    [(progress, _)] = app.query(f"SELECT progress, state {walk}")
    return sum(len(entry) == 2 for entry in json.loads(str(progress)))


if __name__ == "__main__":
    main()
