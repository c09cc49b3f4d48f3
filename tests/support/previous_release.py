"""The previous release's program, which goes on working while the new release migrates.

It is unpacked from the archive in `tests/db/releases/`, named after its schema.
"""

import json
import os
import subprocess
import sys
import time
import traceback
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sqlalchemy import select

from db import curation, walks
from db.models import State, Walk
from db.session import migrate, reading, writing
from tests.support.walks import claim_walk, enqueue_walk, finish_walk

RELEASE = max((Path(__file__).parents[1] / "db/releases").glob("*.zip"))
PAUSE = 0.1
"""Seconds between two rounds of the new release."""
PROGRAM = """
import json, sys, time, traceback
from collections import Counter
from functools import cache
from typing import get_args
from db import curation, queue, stills, votes, walks, worker_registry
from db.gallery_query import Sort
from db.session import migrate, reading, writing
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from momalisa.settings import CHECKOUT, settings
from momalisa.spec import WalkSpec

# Each page drawn would look for components in all installed packages again.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)
url, rounds, seconds = settings().database, int(sys.argv[1]), float(sys.argv[2])
done, faults, made, deleted = Counter(), [], [], []
migrate(url)

def enqueue(number):
    stops = [{"prompt": f"a red square {number}", "seed": 7}, {"prompt": "a sea", "seed": 8}]
    spec = WalkSpec.model_validate({"stops": stops, "frames": 5, "size": 64})
    with writing(url) as session:
        walk = walks.enqueue(session=session, spec=spec.model_dump(mode="json"),
            digest=spec.digest(), title=spec.title(), frames_total=5, maker="old")
    done["walks submitted"] += 1
    return walk.id

def work(owner):
    with writing(url) as session:
        worker_registry.record_heartbeat(session=session, name=owner, pid=1, host="old")
        walk = queue.claim(session=session, owner=owner, lease_seconds=60)
    if walk is None:
        return  # the new release has taken it
    lease = {"walk_id": walk.id, "owner": owner, "attempt": walk.attempt}
    with writing(url) as session:
        status = queue.renew_lease(session=session, **lease, lease_seconds=60, progress=[[0, "k"]])
        assert status.value == "held", status
    with writing(url) as session:
        assert queue.finish(session=session, **lease, result={"files": {"gif": "x.gif"}})
    made.append(walk.id)
    done["films made"] += 1

def curate(number):
    with reading(url) as session:
        for sort in get_args(Sort):
            films = walks.list_page(session=session, sort=sort, search="red")
            assert len(films) > 1, sort
            done["searches"] += 1
        assert walks.list_filter_values(session=session)["model"] == ["atelier"]
    first, second = films[0].id, films[-1].id
    with writing(url) as session:
        curation.set_title(session=session, walk_id=first, title=f"night {number}")
        curation.set_tags(session=session, walk_id=first, tags=["blue", str(number)])
        film = walks.get(session=session, walk_id=first)
        film.star, film.notes = True, "by the previous release"
        assert votes.cast(session=session, one=first, other=second, preferred=first, maker="old")
    done["edits and votes"] += 1
    cancelled = enqueue(f"{number} to cancel")
    with writing(url) as session:
        walks.cancel(session=session, walk_id=cancelled)
        walks.delete(session=session, walk_id=cancelled)  # unless the new release has taken it
    with writing(url) as session:
        assert walks.delete(session=session, walk_id=second) is not None
    deleted.append(second)
    done["deletions"] += 1

def draw(page):
    at = AppTest.from_file(str(CHECKOUT / "momalisa/ui/shell.py"), default_timeout=60).run()
    at.switch_page(f"../../pages/{page}.py").run()
    assert not at.exception, at.exception
    done["pages drawn"] += 1

def use_everything(number):
    enqueue(number)
    for owner in ("old-1", "old-2"):
        enqueue(f"{number} {owner}")
        work(owner)
    curate(number)
    for page in ("gallery", "insight", "compare", "create"):
        draw(page)

use_everything("before")
done.clear()
print("ready", flush=True)
sys.stdin.readline()
began, number = time.monotonic(), 0
while number < rounds or time.monotonic() < began + seconds:
    try:
        use_everything(number)
    except Exception:
        faults.append(traceback.format_exc())
    number += 1
told = {"rounds": number, "done": done, "faults": faults, "made": made, "deleted": deleted}
print(json.dumps(told), flush=True)
"""


@dataclass
class Outcome:
    """What both releases did on one history, and what failed."""

    rounds: int = 0
    """Rounds of the previous release after the migration."""
    done: dict[str, Counter[str]] = field(default_factory=dict)
    """How often each operation succeeded, for "old" and "new"."""
    faults: list[str] = field(default_factory=list)
    """What each operation that failed has told."""
    lost: int = 0
    """Films that were made, that nobody deleted, and that are not in the history."""
    numbers_given_twice: int = 0


def run_beside_previous_release(
    database: str, folder: Path, *, rounds: int = 0, seconds: float = 0.0
) -> Outcome:
    """Let the previous release make a history, migrate it, and use it with both releases at once.

    For at least so many rounds and seconds. `folder` gets its code and its home. The database is
    blank.
    """
    outcome, made = Outcome(done={"old": Counter(), "new": Counter()}), list[str]()
    errors = folder / "errors"
    with errors.open("w") as file, _start(database, folder, rounds, seconds, file) as old:
        assert old.stdin
        assert old.stdout
        if old.stdout.readline() == "ready\n":
            migrate(database)
            old.stdin.write("go\n")
            old.stdin.flush()
            while old.poll() is None:
                _use(database, outcome, made)
                time.sleep(PAUSE)
        told = old.communicate()[0]
    if old.returncode or not told:
        outcome.faults.append(errors.read_text())
        return outcome
    answer: dict[str, Any] = json.loads(told)
    outcome.rounds = answer["rounds"]
    outcome.done["old"].update(answer["done"])
    outcome.faults += answer["faults"]
    _count(database, outcome, {*made, *answer["made"]} - {*answer["deleted"]})
    return outcome


def _start(
    database: str, folder: Path, rounds: int, seconds: float, errors: IO[str]
) -> subprocess.Popen[str]:
    """Unpack and start the previous release's program."""
    code = folder / "previous"
    with zipfile.ZipFile(RELEASE) as archive:
        archive.extractall(code)
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(rounds), str(seconds)],
        cwd=code,
        env=os.environ
        | {
            "PYTHONPATH": str(code),
            "MOMALISA_DATABASE_URL": database,
            "MOMALISA_HOME": str(folder / "home"),
            "MOMALISA_WORKER": "external",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )


def _use(database: str, outcome: Outcome, made: list[str]) -> None:
    """Submit a walk, make a film, search and edit, as the new release does."""
    done = outcome.done["new"]
    try:
        enqueue_walk(database, maker="new")
        done["walks submitted"] += 1
        if walk := claim_walk(database):
            assert finish_walk(database, walk)
            made.append(walk.id)
            done["films made"] += 1
        with reading(database) as session:
            films = walks.list_page(session=session, search="red")
        done["searches"] += 1
        with writing(database) as session:
            # None while the previous release has deleted it meanwhile.
            if films and walks.get(session=session, walk_id=films[-1].id):
                curation.set_title(session=session, walk_id=films[-1].id, title="red by day")
                done["edits and votes"] += 1
    except Exception:
        outcome.faults.append(traceback.format_exc())


def _count(database: str, outcome: Outcome, films: set[str]) -> None:
    """Compare the history with the films that both releases were told of and did not delete."""
    with reading(database) as session:
        numbers = session.scalars(select(Walk.number)).all()
        hanging = session.scalars(select(Walk.id).where(Walk.state == State.DONE)).all()
    outcome.numbers_given_twice = len(numbers) - len(set(numbers))
    outcome.lost = len(films - set(hanging))
