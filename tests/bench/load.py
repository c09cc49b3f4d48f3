"""Page times and fairness with many visitors and a long queue: `python -m tests.bench.load`.

On PostgreSQL, with a Gallery of 500 films: 50 visitors (sessions on Streamlit's WebSocket, a fifth
of them watching a walk being made), 500 queued walks of 50 makers, of which one has queued 110
before all others, and 4 workers whose frames are noise. While the queue empties, newcomers queue a
walk each. Pages should take less than 1 s at the 95th percentile, each maker be served once a
round, and no walk be lost. With --browsers real ones open pages, too, and share the server's cores,
which those of a gallery's visitors do not.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Error
from sqlalchemy import func, select

from db.models import State, Walk, WorkerHeartbeat
from db.session import reading, writing
from momalisa.settings import CHECKOUT
from tests.bench.browser import add_films
from tests.bench.command import new_parser, write_figures
from tests.bench.load_figures import MAKERS, Pages, find_misses, judge_queue
from tests.support.app import App, running_app
from tests.support.browser import chromium
from tests.support.databases import postgresql_programs, running_postgresql
from tests.support.streamlit_session import StreamlitSession
from tests.support.waiting import wait_until
from tests.support.walks import enqueue_walk_in

GREEDY_WALKS = 110
PAUSES = (5.0, 15.0)
"""Seconds that a visitor looks at a page: from, to."""
PLACES = (
    ("", ""),
    ("create", ""),
    ("gallery", ""),
    ("gallery", "q=red"),
    ("gallery", "walk={film}"),
    ("compare", ""),
    ("insight", ""),
    ("exhibition", ""),
)
NEWCOMER_SECONDS = 5.0
LONGEST = 1200.0
"""Seconds after which the measurement gives up."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the measurement, print the figures; 1 if a page was slow or a turn unfair."""
    parser = new_parser("load", __doc__)
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--browsers", type=int, default=0, help="real ones, on the same cores")
    parser.add_argument("--walks", type=int, default=500)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seconds-a-walk", type=float, default=0.5)
    options = parser.parse_args(arguments)
    programs = postgresql_programs()
    if programs is None:
        parser.error("PostgreSQL's server is not installed.")
    with ExitStack() as stack:
        databases = stack.enter_context(running_postgresql(programs))
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        figures = measure(databases.fresh(), home, options)
    print(json.dumps(figures, indent=2))
    write_figures(figures, options.json)
    return int(bool(figures["misses"]))


def measure(url: str, home: Path, options: Any) -> dict[str, Any]:
    """Fill the queue, let visitors and workers loose until it is empty, and judge."""
    settings = {
        "MOMALISA_DATABASE_URL": url,
        "MOMALISA_WORKER": "external",
        "MOMALISA_STORE": str(home / "store"),
        "MOMALISA_PAGES_ADDRESS": "100000",  # all visitors come from here
        "MOMALISA_PAGES_TOTAL": "100000",
    }
    pages, browsed = Pages(), Pages()
    with running_app(home, environment=settings) as app:
        app = LoadedApp(app.url, app.home, app.pid, app.environment, url)
        add_films(app)
        fill_queue(url, options.walks)
        stop = threading.Event()
        threads = [
            threading.Thread(target=run_visitors, args=(app, options.visitors, stop, pages)),
            threading.Thread(target=run_browsers, args=(app, options.browsers, stop, browsed)),
            threading.Thread(target=run_newcomers, args=(url, stop)),
        ]
        with running_workers(options, settings, home):
            wait_until(lambda: count_workers(url) == options.workers, 120)
            began, used = time.monotonic(), cpu_seconds(app.pid)
            for thread in threads:
                thread.start()
            try:
                wait_until(lambda: is_empty(url, pause=0.5), LONGEST)
            finally:
                seconds, used = time.monotonic() - began, cpu_seconds(app.pid) - used
                stop.set()
                for thread in threads:
                    thread.join()
    figures = {
        "cores": os.cpu_count(),
        "visitors": options.visitors,
        "workers": options.workers,
        "seconds until the queue was empty": round(seconds, 1),
        "server's CPU seconds": round(used, 1),
        "load average": [round(load, 1) for load in os.getloadavg()],
        "sessions": pages.summary(),
        "browsers": browsed.summary(),
        "queue": judge_queue(url),
    }
    return figures | {"misses": find_misses(figures)}


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far, which says more than page times on a busy machine."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class LoadedApp(App):
    """An app whose history is on a server."""

    url_of_history: str

    @property
    def database(self) -> str:
        """The URL of the app's database."""
        return self.url_of_history


def fill_queue(url: str, walks: int) -> None:
    """Queue walks: first all of the greedy maker, then those of the others, maker by maker."""
    greedy = min(GREEDY_WALKS, walks)
    makers = ["greedy"] * greedy
    makers += [f"maker {n * (MAKERS - 1) // (walks - greedy):02}" for n in range(walks - greedy)]
    for start in range(0, len(makers), 50):
        with writing(url) as session:
            for number, maker in enumerate(makers[start : start + 50], start):
                enqueue_walk_in(session, f"red {number}", "blue", frames=8, size=64, maker=maker)


@contextmanager
def running_workers(options: Any, settings: dict[str, str], home: Path) -> Iterator[None]:
    """Run the workers, each in a home of its own."""
    command = [sys.executable, "-m", "tests.bench.load_worker", str(options.seconds_a_walk)]
    workers = []
    for number in range(options.workers):
        folder = home / f"worker {number}"
        folder.mkdir()
        with (folder / "log").open("wb") as log:
            workers.append(
                subprocess.Popen(
                    command,
                    cwd=CHECKOUT,
                    env=os.environ | settings | {"MOMALISA_HOME": str(folder)},
                    stderr=log,
                )
            )
    try:
        yield
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(60)


def count_workers(url: str) -> int:
    """How many workers have registered."""
    with reading(url) as session:
        return session.scalar(select(func.count()).select_from(WorkerHeartbeat)) or 0


def is_empty(url: str, *, pause: float) -> bool:
    """Whether no walk is queued or running; waits a little, so as not to be a load itself."""
    time.sleep(pause)  # so as not to be a load itself
    with reading(url) as session:
        active = select(func.count()).where(Walk.state.in_((State.QUEUED, State.RUNNING)))
        return session.scalar(active) == 0


def run_visitors(app: App, number: int, stop: threading.Event, pages: Pages) -> None:
    """Let visitors open pages until `stop`."""

    async def all_visitors() -> None:
        async with asyncio.TaskGroup() as group:
            for visitor in range(number):
                group.create_task(visit(app, visitor, stop, pages))

    asyncio.run(all_visitors())


async def visit(app: App, number: int, stop: threading.Event, pages: Pages) -> None:
    """Open one page after another; every fifth visitor watches walks being made."""
    chance = random.Random(number)
    await asyncio.sleep(chance.uniform(0, PAUSES[1]))
    async with StreamlitSession(app.url) as session:
        while not stop.is_set():
            page, query = chance.choice(PLACES)
            if number % 5 == 0:
                page, query = "create", f"walk={await asyncio.to_thread(pick_active, app.database)}"
            film = f"film{chance.randrange(500):03}"
            name = f"/{page}" + (f"?{query.partition('=')[0]}" if query else "")
            try:
                seconds = await session.open(page, query.format(film=film))
                pages.seconds[name].append(seconds)
            except TimeoutError:
                pages.errors.append(f"{name}: no answer in 60 s")
            await pause(chance.uniform(*PAUSES), stop)
        pages.errors += session.errors
        pages.fragment_runs += session.fragment_runs


async def pause(seconds: float, stop: threading.Event) -> None:
    """Sleep, but no longer than until `stop`."""
    end = time.monotonic() + seconds
    while not stop.is_set() and time.monotonic() < end:
        await asyncio.sleep(0.2)


def pick_active(url: str) -> str:
    """The id of a walk in the queue; blank if it is empty."""
    with reading(url) as session:
        active = select(Walk.id).where(Walk.state.in_((State.QUEUED, State.RUNNING)))
        return session.scalar(active.order_by(func.random()).limit(1)) or ""


def run_browsers(app: App, number: int, stop: threading.Event, pages: Pages) -> None:
    """Let real browsers open pages until `stop`, each as often as a visitor; timed to their end."""
    if not number:
        return
    chance = random.Random(0)
    with chromium() as browser:
        tabs = [browser.new_context().new_page() for _ in range(number)]
        while not stop.is_set():
            for tab in tabs:
                page, query = chance.choice(PLACES)
                address = f"{app.url}/{page}?{query.format(film='film007')}".rstrip("?")
                began = time.perf_counter()
                try:
                    tab.goto(address, wait_until="commit")
                    tab.locator('[data-test-script-state="notRunning"]').wait_for()
                    pages.seconds[f"/{page}"].append(time.perf_counter() - began)
                except Error as error:
                    pages.errors.append(str(error).splitlines()[0])
                if stop.wait(chance.uniform(*PAUSES) / number):
                    return


def run_newcomers(url: str, stop: threading.Event) -> None:
    """Queue a walk of a new maker now and then until `stop` or until there are 20."""
    for number in range(20):
        if stop.wait(NEWCOMER_SECONDS):
            return
        with writing(url) as session:
            enqueue_walk_in(
                session, f"new {number}", "blue", frames=8, size=64, maker=f"newcomer {number}"
            )


if __name__ == "__main__":
    sys.exit(main())
