"""The previous release goes on working while a new one has migrated its database.

`releases/` holds the code of the previous release, named after its schema: see the rule in
CONTRIBUTING. A program of the previous release that already runs is not stopped by an upgrade; one
that is started afterwards says that the history was written by a newer version.

How the archive is made, at the release's commit (a clone may lack the history, so it is kept):
git archive --format=zip -9 -o tests/db/releases/SCHEMA.zip COMMIT
db momalisa pages streamlit_app.py
":(exclude)momalisa/ui/example/film.gif" ":(exclude)momalisa/atelier" ":(exclude)momalisa/cloud"
":(exclude,glob)momalisa/models/atelier/**/*.safetensors"
":(exclude)momalisa/models/atelier/contact-sheet.webp" ":(exclude)momalisa/models/atelier/tokenizer"
"""

import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import func, select

from db import walks
from db.models import State, Walk
from db.session import migrate, reading
from tests.support.walks import claim_walk, enqueue_walk, finish_walk

RELEASE = max((Path(__file__).parent / "releases").glob("*.zip"))
ROUNDS = 5
OLD_PROGRAM = """
import sys
from typing import get_args
from db import curation, queue, stills, votes, walks, worker_registry
from db.gallery_query import Sort
from db.session import migrate, reading, writing
from streamlit.testing.v1 import AppTest
from momalisa.settings import CHECKOUT, settings
from momalisa.spec import WalkSpec

url, rounds = settings().database, int(sys.argv[1])
migrate(url)

def enqueue(number):
    stops = [{"prompt": f"a red square {number}", "seed": 7}, {"prompt": "a sea", "seed": 8}]
    spec = WalkSpec.model_validate({"stops": stops, "frames": 5, "size": 64})
    with writing(url) as session:
        return walks.enqueue(session=session, spec=spec.model_dump(mode="json"),
            digest=spec.digest(), title=spec.title(), frames_total=5, maker="old").id

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
        done = queue.finish(session=session, **lease, result={"files": {"gif": "x.gif"}})
        assert done

def use_everything(number):
    enqueue(number)
    for owner in ("old-1", "old-2"):
        enqueue(f"{number} {owner}")
        work(owner)
    with reading(url) as session:
        for sort in get_args(Sort):
            films = walks.list_page(session=session, sort=sort, search="red")
            assert len(films) > 1, sort
        assert walks.list_filter_values(session=session)["model"] == ["atelier"]
    first, second = films[0].id, films[-1].id
    with writing(url) as session:
        curation.set_title(session=session, walk_id=first, title=f"night {number}")
        curation.set_tags(session=session, walk_id=first, tags=["blue", str(number)])
        film = walks.get(session=session, walk_id=first)
        film.star, film.notes = True, "by the previous release"
        assert votes.cast(session=session, one=first, other=second, preferred=first, maker="old")
    cancelled = enqueue(f"{number} to cancel")
    with writing(url) as session:
        walks.cancel(session=session, walk_id=cancelled)
        walks.delete(session=session, walk_id=cancelled)  # unless the new release has taken it
    with writing(url) as session:
        assert walks.delete(session=session, walk_id=second) is not None
    for page in ("gallery", "insight", "compare"):
        at = AppTest.from_file(str(CHECKOUT / "momalisa/ui/shell.py"), default_timeout=60).run()
        at.switch_page(f"../../pages/{page}.py").run()
        assert not at.exception, at.exception

use_everything("before")
print("ready", flush=True)
sys.stdin.readline()
for number in range(rounds):
    use_everything(number)
print("done", flush=True)
"""


@pytest.fixture
def previous_release(tmp_path: Path) -> Path:
    """The code of the previous release, unpacked."""
    with zipfile.ZipFile(RELEASE) as archive:
        archive.extractall(tmp_path / "previous")
    return tmp_path / "previous"


def test_running_previous_release_works_on_the_new_schema(
    blank: str, previous_release: Path, tmp_path: Path
) -> None:
    """It writes walks, claims, films, titles, tags, votes and deletions; pages are drawn."""
    environment = os.environ | {
        "PYTHONPATH": str(previous_release),
        "MOMALISA_DATABASE_URL": blank,
        "MOMALISA_HOME": str(tmp_path / "home"),
        "MOMALISA_WORKER": "external",
    }
    old = subprocess.Popen(
        [sys.executable, "-c", OLD_PROGRAM, str(ROUNDS)],
        cwd=previous_release,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert old.stdin
    assert old.stdout
    ready = old.stdout.readline()
    if ready == "ready\n":
        migrate(blank)
        old.stdin.write("go\n")
        old.stdin.flush()
    # The new release works beside it.
    while ready and old.poll() is None:
        enqueue_walk(blank, maker="new")
        if walk := claim_walk(blank):
            assert finish_walk(blank, walk)
        time.sleep(0.1)
    told, errors = old.communicate()
    assert (ready, told, old.returncode) == ("ready\n", "done\n", 0), errors
    with reading(blank) as session:
        films = walks.count(session=session)
        numbers = session.scalars(select(Walk.number)).all()
        assert len(set(numbers)) == len(numbers)
        assert walks.count(session=session, search="night") <= films
        both = select(func.count()).select_from(Walk).where(Walk.state == State.DONE)
        for maker in ("old", "new"):
            assert session.scalar(both.where(Walk.maker == maker))
