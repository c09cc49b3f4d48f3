"""Times and memory of the pages in a real browser: `python -m tests.bench.browser`.

- scenario: how many of `--runs` new curators get from Home to a vote and a download, each on a
  server with an empty home.
- museum: the same of curators who walk from a museum's work to a prompt; a stand-in answers.
- films: a Gallery of 500 films: seconds and bytes of the first page, films fetched before they are
  played, and the server's memory over 200 page views.
- curators: ten at once on one worker: whose drafts they see, whose walks finish, and how fast pages
  load in the meantime.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from db import adoption
from db.session import writing
from momalisa.film.encode import decode_gif, encode_poster
from momalisa.settings import CHECKOUT
from momalisa.spec import WalkSpec
from momalisa.storage import LocalStorage, film_key
from momalisa.ui.create.presets import PRESETS
from tests.bench.command import new_parser, write_figures
from tests.support import museum_scenario
from tests.support.app import App, running_app
from tests.support.browser import chromium, fill_field, press, wait_for_script
from tests.support.museum_stand_in import environment, running_stand_in
from tests.support.scenario import run_scenario
from tests.support.waiting import wait_until

EXAMPLE = CHECKOUT / "momalisa" / "ui" / "example"
FILMS, VISITS, VIEWS, CURATORS = 500, 5, 200, 10
VISIBLE, COMPLETE = "seconds to all posters in sight", "seconds to the complete grid"
PATIENCE = 120_000
WATCH = """async () => {
    const all = (root, path) => [...root.querySelectorAll(path)].concat(
        ...[...root.querySelectorAll(".st-key-wall *")].map(one => one.shadowRoot)
            .filter(Boolean).map(inner => all(inner, path)))
    const seen = path => {
        const posters = all(document, path)
        return posters.length > 0 && posters.every(
            one => one.naturalWidth || one.getBoundingClientRect().top > innerHeight)
    }
    const when = async path => {
        while (!seen(path)) await new Promise(next => setTimeout(next, 10))
        return performance.now() / 1000
    }
    return Promise.all([when(".first-sight img, .card img"), when(".card img")])
}"""
"""Runs in the page: polling it from outside every few milliseconds would slow it down."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the named measurements and print their figures as JSON."""
    sections: dict[str, Callable[[int], dict[str, Any]]] = {
        "scenario": scenario,
        "films": films,
        "curators": curators,
        "museum": museum,
    }
    parser = new_parser("browser", __doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="default: all")
    parser.add_argument("--runs", type=int, default=20, help="runs of the scenario")
    options = parser.parse_args(arguments)
    figures: dict[str, Any] = {}
    for name in options.sections or sections:
        figures[name] = sections[name](options.runs)
        print(json.dumps({name: figures[name]}, indent=2), flush=True)
    write_figures(figures, options.json)


@contextmanager
def new_app() -> Iterator[tuple[App, Browser]]:
    """Start the app with an empty home, and a browser."""
    with (
        tempfile.TemporaryDirectory() as home,
        running_stand_in(Path(home)) as museums,
        running_app(Path(home), environment=environment(museums)) as app,
        chromium() as browser,
    ):
        yield app, browser


def scenario(runs: int) -> dict[str, Any]:
    """Run the scenario of a new curator again and again; collect times and errors."""
    return repeat(run_scenario, runs)


def museum(runs: int) -> dict[str, Any]:
    """The same of a curator who walks from a museum's work; a stand-in answers for museums."""
    return repeat(museum_scenario.run_scenario, runs)


def repeat(run: Callable[[Browser, App], None], runs: int) -> dict[str, Any]:
    """Run a scenario in a new app each time; collect times and errors."""
    seconds, failures = [], []
    for number in range(runs):
        with new_app() as (app, browser):
            began = time.perf_counter()
            try:
                run(browser, app)
            except (Error, AssertionError) as error:
                failures.append(str(error).splitlines()[0])
            else:
                seconds.append(time.perf_counter() - began)
        print(f"{len(seconds)} of {number + 1}", file=sys.stderr, flush=True)
    return {
        "runs": runs,
        "completed": len(seconds),
        "median seconds": round(median(seconds), 1) if seconds else None,
        "failures": failures,
    }


def films(_runs: int) -> dict[str, Any]:
    """Measure a Gallery of 500 films."""
    with new_app() as (app, browser):
        add_films(app)
        wait_until(
            lambda: app.query("SELECT name, device FROM workers")
        )  # whose start takes a core
        new, known, within = [], [], []
        for _ in range(VISITS):
            visitor = browser.new_context(viewport={"width": 1280, "height": 900})
            visitor.set_default_timeout(PATIENCE)
            page = visitor.new_page()
            new.append(load_gallery(page, app))
            page.close()
            page = visitor.new_page()
            known.append(load_gallery(page, app))
            page.goto(app.url)
            wait_for_script(page)
            within.append(load_gallery(page, app, from_page=True))
            visitor.close()
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        figures = {
            "films": FILMS,
            "new browser": medians(new),
            "one that was here": medians(known),
            "from another page": medians(within),
        }
        return figures | traffic(page, app) | memory(page, app)


def medians(loads: list[dict[str, float]]) -> dict[str, float]:
    """Compute the median of each figure, and the maximum of the seconds."""
    middle = {name: round(median(load[name] for load in loads), 2) for name in loads[0]}
    return middle | {"at most": round(max(load[COMPLETE] for load in loads), 2)}


def add_films(app: App) -> None:
    """Add copies of the example film under other titles and dates."""
    gif = (EXAMPLE / "film.gif").read_bytes()
    spec = WalkSpec.model_validate_json((EXAMPLE / "walk.json").read_text())
    poster = encode_poster(decode_gif(gif, spec.fps)[0])
    store = LocalStorage(app.home / "store")
    with writing(app.database) as session:
        for number in range(FILMS):
            name = f"film{number:03}"
            files = {"gif": film_key(name, "film.gif"), "poster": film_key(name, "poster.webp")}
            store.put(files["gif"], gif, "image/gif")
            store.put(files["poster"], poster, "image/webp")
            adoption.adopt(
                session=session,
                walk_id=name,
                title=f"{spec.title()} {number}",
                finished_at=datetime.now(UTC) - timedelta(hours=number),
                spec=spec.model_dump(mode="json"),
                digest=spec.digest(),
                result={"files": files, "frames": len(spec.places())},
            )


def load_gallery(page: Page, app: App, *, from_page: bool = False) -> dict[str, float]:
    """Measure seconds until posters are visible, and until the poster grid is complete.

    Opens the address, or follows the link on the open page.
    """
    began = 0.0
    if from_page:
        began = page.evaluate("performance.now() / 1000")
        page.get_by_role("link", name="Gallery", exact=True).click()
    else:
        page.goto(f"{app.url}/gallery", wait_until="commit")
    visible, complete = page.evaluate(WATCH)
    wait_for_script(page)
    return {VISIBLE: visible - began, COMPLETE: complete - began}


def traffic(page: Page, app: App) -> dict[str, float]:
    """Count what a new browser receives until the Gallery has loaded."""
    sizes, urls = [0.0], []
    browser = page.context.new_cdp_session(page)
    browser.send("Network.enable")
    browser.on(
        "Network.loadingFinished",
        lambda event: sizes.append(event["encodedDataLength"]),
    )
    browser.on("Network.webSocketFrameReceived", lambda e: sizes.append(message_bytes(e)))
    page.on("request", lambda request: urls.append(request.url))
    page.goto(f"{app.url}/gallery")
    page.evaluate(WATCH)
    wait_for_script(page)
    return {
        "MB sent": round(sum(sizes) / 1e6, 2),
        "films fetched before playing": sum("/store/" in url and ".gif" in url for url in urls),
    }


def message_bytes(event: dict[str, Any]) -> float:
    """Bytes of a message on the web socket."""
    return float(len(event["response"]["payloadData"]))


def memory(page: Page, app: App) -> dict[str, Any]:
    """Measure the server's memory after each quarter of the page views."""
    sizes = [megabytes(app.pid)]
    for view in range(VIEWS):
        place = ("/gallery", f"/gallery?walk=film{view:03}", "/create", "/compare")[view % 4]
        page.goto(app.url + place)
        page.get_by_test_id("stMain").wait_for()
        wait_for_script(page)
        if (view + 1) % (VIEWS // 4) == 0:
            sizes.append(megabytes(app.pid))
    return {"page views": VIEWS, "server MB, by quarters": [round(size) for size in sizes]}


def megabytes(pid: int) -> float:
    """Resident memory of a process in MB."""
    answer = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True)
    return int(answer.stdout) / 1e3


def curators(_runs: int) -> dict[str, Any]:
    """Let ten curators walk at once, each in a browser context of its own."""
    with new_app() as (app, browser):
        pages = [browser.new_context().new_page() for _ in range(CURATORS)]
        prompts = [(f"{start}, number {n}", end) for n, (start, end) in enumerate(pairs())]
        for page, (start, end) in zip(pages, prompts, strict=True):
            page.set_default_timeout(PATIENCE)
            page.goto(f"{app.url}/create")
            fill_field(page, "From", start)
            fill_field(page, "To", end)
            page.get_by_role("radio", name="Sketch").click()
            wait_for_script(page)
        own = [page.get_by_label("From", exact=True).input_value() for page in pages]
        began = time.perf_counter()
        for page in pages:
            press(page, "Walk")
        visitor = pages[0].context
        answers = [load_page(visitor, app.url + p) for p in ("/", "/gallery", "/compare") * 2]
        clicks = follow_links(visitor.new_page(), app)
        for page in pages:
            page.locator(".screen canvas").first.wait_for()
        finished = time.perf_counter() - began
        titles = [page.locator('[class*="st-key-title"]').first.inner_text() for page in pages]
        states = app.walks()
        return {
            "curators": CURATORS,
            "with their own draft": sum(o == p[0] for o, p in zip(own, prompts, strict=True)),
            "with their own film": sum(
                t.startswith(p[0]) for t, p in zip(titles, prompts, strict=True)
            ),
            "walks finished": sum(state == "done" for _, state in states),
            "seconds until all were": round(finished, 1),
            "seconds to a page by its link meanwhile, median": round(median(clicks), 2),
            "and at most": round(max(clicks), 2),
            "by its address, with the app's scripts begun anew, median": round(median(answers), 2),
            "by its address, at most": round(max(answers), 2),
        }


def pairs() -> list[tuple[str, str]]:
    """Choose two prompts for each curator."""
    presets = list(PRESETS.values())
    return [(presets[n % len(presets)][0], presets[n % len(presets)][1]) for n in range(CURATORS)]


def load_page(browser: BrowserContext, address: str) -> float:
    """Measure seconds from opening an address to the page's heading."""
    page = browser.new_page()
    began = time.perf_counter()
    page.goto(address)
    expect(page.get_by_role("heading").first).to_be_visible(timeout=PATIENCE)
    seconds = time.perf_counter() - began
    page.close()
    return seconds


def follow_links(page: Page, app: App) -> list[float]:
    """Measure seconds from a click on a page's link to its heading."""
    page.goto(f"{app.url}/create")
    wait_for_script(page)
    seconds = []
    for name in ("Gallery", "Compare", "Insight") * 7:
        began = time.perf_counter()
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible(timeout=PATIENCE)
        seconds.append(time.perf_counter() - began)
    return seconds


if __name__ == "__main__":
    main()
