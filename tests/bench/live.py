"""How fast pictures follow a drag, in a real browser: `python -m tests.bench.live`.

On an empty home: the prompts are typed on *Create*, then the slider is dragged along the way for
some seconds, before there is a walk. Counted in the page: the pictures painted a second, and at
each move of the pointer how far the picture is from it, behind or ahead, in milliseconds of the
drag. The same over the film, whose frames count as well. Beside that, from a jump of the slider to
the picture of its place, and from the last key of a prompt to its picture.

Each drag goes over other places: what was painted before is not painted again, a draft's own frames
among it, which are painted while it rests (for 1.5 s at least; see `--rest`). The worker's seconds
of CPU a picture are told as well, since other programs on the machine slow everything down.
"""

import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Page

from tests.bench.command import new_parser, write_figures
from tests.support.app import App, running_app
from tests.support.browser import chromium, fill_field, press, wait_for_script
from tests.support.waiting import wait_until

PATIENCE = 180_000
"""Milliseconds to wait for anything."""
SECONDS = 4.0
"""How long a drag takes, from one end of the way to the other."""
PROMPTS = (
    ("a yellow circle on a blue ground", "black and white stripes, op art"),
    ("a white boat on a calm sea at dawn", "sand dunes under an orange sky"),
    ("an orange mask on black", "a starry night over dark hills"),
    ("pink polka dots on black", "green leaves on cream, matisse cut-out"),
)
WATCH = """seconds => new Promise(done => {
    const all = path => [...document.querySelectorAll("*")].map(one => one.shadowRoot)
        .filter(Boolean).flatMap(inner => [...inner.querySelectorAll(path)])
    const slider = all(".spot").find(one => one.offsetParent)
    const picture = slider.closest(".scrubber").querySelector(".picture")
    const moves = [], painted = []
    slider.addEventListener("input", () => moves.push([performance.now(), Number(slider.value)]))
    new MutationObserver(() => requestAnimationFrame(
        () => painted.push([performance.now(), Number(picture.dataset.place)])))
        .observe(picture, { attributeFilter: ["data-place"] })
    setTimeout(() => done({ moves, painted }), seconds * 1000)
})"""
"""Runs in the page: when the slider moved where, and when a picture of which place was painted."""
JUMPS = (0.137, 0.713, 0.337, 0.907, 0.523)
JUMPED = """() => new Promise(done => {
    const all = path => [...document.querySelectorAll("*")].map(one => one.shadowRoot)
        .filter(Boolean).flatMap(inner => [...inner.querySelectorAll(path)])
    const slider = all(".spot").find(one => one.offsetParent)
    const picture = slider.closest(".scrubber").querySelector(".picture")
    let moved = 0
    slider.addEventListener("input", () => { moved = performance.now() }, { capture: true })
    const look = () => requestAnimationFrame(() => {
        const isThere = Math.abs(Number(picture.dataset.place) - Number(slider.value)) < 0.005
        moved && isThere ? done(performance.now() - moved) : look()
    })
    look()
})"""
"""Runs in the page: the milliseconds from a move of the slider to the picture of its place."""
TYPED = """prompt => new Promise(done => {
    const all = path => [...document.querySelectorAll("*")].map(one => one.shadowRoot)
        .filter(Boolean).flatMap(inner => [...inner.querySelectorAll(path)])
    const picture = all(".picture").find(one => one.offsetParent)
    let last = 0
    document.addEventListener("input", () => { last = performance.now() }, true)
    new MutationObserver(() => {
        if (picture.dataset.place === prompt) done(performance.now() - last)
    }).observe(picture, { attributeFilter: ["data-place"] })
})"""
"""Runs in the page: the milliseconds from the last key to the picture of a prompt."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the measurements and print the figures as JSON."""
    parser = new_parser("live", __doc__)
    parser.add_argument("--runs", type=int, default=len(PROMPTS), help="drags of each kind")
    parser.add_argument(
        "--rest", type=float, default=0.0, help="seconds of looking at a draft before each drag"
    )
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory() as home,
        running_app(Path(home)) as app,
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE)
        wait_until(
            lambda: bool(app.query("SELECT name, device FROM workers WHERE device != ''")), 180
        )
        pairs = [PROMPTS[number % len(PROMPTS)] for number in range(options.runs)]
        drafts, typed, jumps = [], [], []
        for pair in pairs:
            typed.append(open_draft(page, app, pair))
            jumps += measure_jumps(page)
            page.wait_for_timeout(1000 * options.rest)
            drafts.append(measure_drag(page, app))
        figures: dict[str, Any] = {
            "cores": os.cpu_count(),
            "typed to painted, ms": round(median(typed)),
            "jump to painted, ms": round(median(jumps)),
            "draft": summarize(drafts),
        }
        print(json.dumps(figures, indent=2), flush=True)
        figures["film"] = summarize([drag_over_film(page, app, pair) for pair in pairs])
    print(json.dumps(figures, indent=2))
    write_figures(figures, options.json)


def open_draft(page: Page, app: App, prompts: tuple[str, str]) -> float:
    """Type both prompts; returns the milliseconds from the last key of the first to its picture."""
    page.goto(f"{app.url}/create")
    field = page.get_by_label("From", exact=True)
    field.wait_for()
    page.locator(".picture").wait_for()
    field.focus()
    page.evaluate(f"window.typed = ({TYPED})({json.dumps(prompts[0])}); 0")
    page.keyboard.type(prompts[0], delay=40)
    milliseconds: float = page.evaluate("window.typed")
    fill_field(page, "To", prompts[1])
    page.locator('.picture:not(.near)[data-place="1"]').wait_for()
    return milliseconds


def drag_over_film(page: Page, app: App, prompts: tuple[str, str]) -> dict[str, Any]:
    """Make a film of two prompts and drag over it."""
    page.goto(f"{app.url}/create")
    fill_field(page, "From", prompts[0] + ", again")
    fill_field(page, "To", prompts[1])
    press(page, "Walk")
    page.get_by_text("Look between the frames").click()
    page.locator(".picture:not(.near)").wait_for()
    page.locator(".screen canvas").wait_for()
    wait_for_script(page)  # nothing moves any more
    return measure_drag(page, app)


def measure_drag(page: Page, app: App) -> dict[str, Any]:
    """Drag the slider from its start to its end; the figures of `WATCH` and the worker's CPU."""
    page.get_by_label("Place on the way").scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = page.get_by_label("Place on the way").bounding_box()
    assert box is not None
    height = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 1, height)
    page.mouse.down()
    page.wait_for_timeout(1000)
    cpu = worker_seconds(app)
    page.evaluate(f"window.watched = ({WATCH})({SECONDS + 1}); 0")
    began = time.perf_counter()
    while (passed := time.perf_counter() - began) < SECONDS:
        page.mouse.move(box["x"] + box["width"] * passed / SECONDS, height)
        time.sleep(0.008)  # as often as a mouse tells where it is
    watched: dict[str, Any] = page.evaluate("window.watched")
    page.mouse.up()
    return watched | {"cpu": worker_seconds(app) - cpu}


def worker_seconds(app: App) -> float:
    """The seconds of CPU that the worker has used."""
    [(pid, _)] = app.query("SELECT pid, name FROM workers ORDER BY seen_at DESC LIMIT 1")
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_jumps(page: Page) -> list[float]:
    """Put the slider at places apart, one after the other; the milliseconds to each picture."""
    box = page.get_by_label("Place on the way").bounding_box()
    assert box is not None
    waits = []
    for part in JUMPS:
        page.evaluate(f"window.jumped = ({JUMPED})(); 0")
        page.mouse.click(box["x"] + box["width"] * part, box["y"] + box["height"] / 2)
        waits.append(page.evaluate("window.jumped"))
    return waits


def summarize(drags: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The medians over all drags, and over all moves of the pointer."""
    rates, places, distances, costs = [], [], [], []
    drags = [drag for drag in drags if drag["moves"]]  # the page may have moved the slider away
    for drag in drags:
        moves, painted = drag["moves"], drag["painted"]
        seconds = (moves[-1][0] - moves[0][0]) / 1000
        during = [place for at, place in painted if moves[0][0] <= at <= moves[-1][0]]
        rates.append(len(during) / seconds)
        places.append(len(set(during)))
        costs.append(drag["cpu"] / max(1, len({place for _, place in painted})))
        distances += distances_of(moves, painted)
    return {
        "drags": len(drags),
        "pictures a second, median": round(median(rates), 1),
        "distinct places a drag, median": median(places),
        "picture to pointer, ms of the drag, median": round(median(distances)),
        "picture to pointer, 9 of 10": round(sorted(distances)[int(0.9 * len(distances))]),
        "worker's CPU ms a picture": round(1000 * median(costs)),
    }


def distances_of(
    moves: Sequence[Sequence[float]], painted: Sequence[Sequence[float]]
) -> list[float]:
    """At each move, how far the picture is behind the pointer or ahead of it, in ms of the drag."""
    (began, start), (ended, end) = moves[0], moves[-1]
    speed = (end - start) / (ended - began)
    return [
        abs(shown[-1] - place) / speed
        for at, place in moves
        if (shown := [one for when, one in painted if when <= at])
    ]


if __name__ == "__main__":
    main()
