"""`python -m tests.golden.make_home`: a home as a curator has it, made by this checkout's code.

It writes home.zip, and home.json with what is in there. They stand for the homes that people have
by now: when their test fails, the code is to be mended, and they are not to be made again.
"""

import json
import os
import socket
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from db import curation, votes, walks
from db.models import State, Walk
from db.session import get_engine, migrate, reading, sqlite_file, writing
from momalisa.deletion import delete_walk
from momalisa.models.registry import load
from momalisa.settings import CHECKOUT, Settings
from momalisa.spec import WalkSpec
from momalisa.storage import LocalStorage
from momalisa.storage.outbox import open_outbox
from momalisa.worker.worker import Worker

HERE = Path(__file__).parent
HOME, EXPECTED = HERE / "home.zip", HERE / "home.json"

STOPS = (
    {"prompt": "a red square on white", "seed": 7},
    {"prompt": "a stormy sea at night", "seed": 8},
)
SMALL: dict[str, Any] = {"stops": STOPS, "size": 64, "steps": 6}
WALKS: dict[str, dict[str, Any]] = {
    "exact": SMALL | {"mode": "exact", "frames": 4},
    "fast": SMALL | {"frames": 9},
    "even": SMALL | {"frames": 8, "pacing": "even", "loop": "boomerang"},
    "failed": SMALL | {"model": "a-model-that-is-gone"},
    "removed": SMALL | {"mode": "exact", "frames": 4, "fps": 5},
    "waiting": SMALL | {"frames": 9, "fps": 20},
    "queued": SMALL | {"frames": 24},
}
"""The walks of the home; the last films share their frames with the first."""
AWAY = "waiting"
TOLD = (
    *("accession", "bytes", "dtype", "deaths", "device", "digest", "distances", "error"),
    *("evenness", "files", "frames", "frames_computed", "frames_total", "interpolation", "maker"),
    *("model", "model_digest", "notes", "pacing", "parent", "prompts", "progress", "seconds"),
    *("sha256", "sharpness", "size", "spec", "star", "state", "steps", "tags", "title"),
    *("unet_samples", "waiting"),
)


def told(walk: Walk) -> dict[str, Any]:
    """What the history says of a walk, for JSON."""
    moments = {
        name: getattr(walk, name) and getattr(walk, name).isoformat()
        for name in ("created_at", "started_at", "finished_at")
    }
    return {**{name: getattr(walk, name) for name in TOLD}, **moments}


def history(database: str) -> dict[str, dict[str, Any]]:
    """What the history says of all walks, by id."""
    with reading(database) as session:
        return {walk.id: told(walk) for walk in session.scalars(select(Walk))}


def ask(settings: Settings, name: str, parent: str | None = None) -> str:
    """Put a walk into the queue; its id."""
    spec = WalkSpec.model_validate(WALKS[name])
    with writing(settings.database) as session:
        return walks.enqueue(
            session=session,
            spec=spec.model_dump(mode="json"),
            digest=spec.digest(),
            title=spec.title(),
            frames_total=len(spec.places()),
            maker="a curator",
            parent=parent,
        ).id


def work(settings: Settings) -> None:
    """Be a worker until the queue is empty."""
    Worker(settings).run(once=True)


@contextmanager
def away(store: Path) -> Iterator[None]:
    """The store out of reach: a file lies where its folder was."""
    aside = store.with_name("aside")
    store.rename(aside)
    store.touch()
    try:
        yield
    finally:
        store.unlink()
        aside.rename(store)


def make(settings: Settings) -> dict[str, str]:
    """Live in a home for a while; the ids of its walks by name."""
    database, outbox = settings.database, open_outbox(settings)
    migrate(database)
    ids = {"exact": ask(settings, "exact")}
    ids |= {name: ask(settings, name, ids["exact"]) for name in ("fast", "even")}
    ids |= {name: ask(settings, name) for name in ("failed", "removed")}
    work(settings)
    with writing(database) as session:
        curation.set_title(session=session, walk_id=ids["exact"], title="A square goes to sea")
        curation.set_tags(session=session, walk_id=ids["exact"], tags=["Night", "water"])
        curated = session.get_one(Walk, ids["exact"])
        curated.star, curated.notes = True, "Hangs beside the door.\nÉvora’s favourite."
        one, other = ids["exact"], ids["even"]
        votes.cast(session=session, one=one, other=other, preferred=other, maker="a curator")
    ids[AWAY] = ask(settings, AWAY)
    with away(Path(settings.store_root)):
        work(settings)
    # As if a courier were on its way: what is deleted is noted for later.
    with outbox.lock():
        store = LocalStorage(Path(settings.store_root))
        delete_walk(ids["removed"], store, outbox, database)
    return ids | {"queued": ask(settings, "queued")}


def settle(database: str) -> None:
    """The history in one file, without what was deleted."""
    get_engine(database).dispose()
    file = sqlite_file(database)
    assert file is not None
    with closing(sqlite3.connect(file)) as alone:
        alone.execute("PRAGMA journal_mode = DELETE")
        alone.execute("VACUUM")


def pack(home: Path) -> None:
    """Write home.zip, unless it would say on which machine it was made."""
    places = (tempfile.gettempdir(), CHECKOUT, Path.home(), f"{socket.gethostname()}-")
    names = [os.fsencode(place) for place in places]
    with zipfile.ZipFile(HOME, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in sorted(home.rglob("*")):
            if not path.is_file() or path.name == ".lock":
                continue
            data = path.read_bytes()
            pixels = path.suffix in (".gif", ".npy", ".png", ".webp")
            assert pixels or not any(n in data for n in names), f"{path} names this machine"
            entry = zipfile.ZipInfo(path.relative_to(home).as_posix())
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, data, zipfile.ZIP_DEFLATED)


def main() -> None:
    """Make the home, and say what is in it."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        settings = Settings(home=home, store="", database_url="", endpoint="", device="cpu")
        ids = make(settings)
        found = history(settings.database)
        states = {
            name: found[walk_id]["state"] for name, walk_id in ids.items() if name != "removed"
        }
        over = dict.fromkeys(("exact", "fast", "even", AWAY), State.DONE)
        assert states == over | {"failed": State.FAILED, "queued": State.QUEUED}, states
        settle(settings.database)
        pack(home)
        model = load("atelier", "cpu")
    expected = {
        "ids": ids,
        "model": {
            "name": "atelier",
            "digest": model.model.digest,
            "device": "cpu",
            "dtype": "float32",
        },
        "walks": found,
    }
    text = json.dumps(expected, indent=1, sort_keys=True, ensure_ascii=False)
    EXPECTED.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
