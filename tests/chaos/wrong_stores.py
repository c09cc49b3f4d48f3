"""The scenario `wrong-stores`: `sync --repair` on stores that are not the gallery's."""

import hashlib
import json
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import select

from db import walks
from db.models import State, Walk
from db.session import get_engine, migrate, reading, writing
from momalisa.errors import BadInput, StorageError
from momalisa.render import StoredFilm
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.storage import FILMS_FOLDER, LocalStorage, film_key
from momalisa.storage.outbox import open_outbox
from momalisa.sync import Report, sync
from momalisa.worker.renderers import Renderers
from momalisa.worker.timing import Timing
from momalisa.worker.worker import Worker
from tests.chaos.findings import Findings, Scenario
from tests.support import noise_worker
from tests.support.stored_films import GIF, add_film, film_record
from tests.support.walks import enqueue_walk_in

SIZES = (4, 12)
"""Films of a gallery, at least and at most; a third of them are of another program."""

Store = Callable[[Path, Path, random.Random], None]
"""Makes a wrong store at the first path; the gallery's own is at the second."""


def make_empty(wrong: Path, right: Path, random_: random.Random) -> None:
    """An empty folder: a disk that is not mounted."""
    wrong.mkdir()


def name_missing(wrong: Path, right: Path, random_: random.Random) -> None:
    """A folder that does not exist: a typing error."""


def make_file(wrong: Path, right: Path, random_: random.Random) -> None:
    """A file in the place of the folder."""
    wrong.write_bytes(b"no folder")


def make_stray(wrong: Path, right: Path, random_: random.Random) -> None:
    """A store with one film that the history does not know."""
    LocalStorage(wrong).put(film_key("stray", "stray.gif"), GIF, "image/gif")


def copy_half(wrong: Path, right: Path, random_: random.Random) -> None:
    """A copy that was broken off at half of the films."""
    _copy(wrong, right, random_, 0.5)


def copy_most(wrong: Path, right: Path, random_: random.Random) -> None:
    """A copy that lacks few films, or only files of them: few enough for a repair."""
    _copy(wrong, right, random_, 0.8)
    for path in sorted(wrong.rglob("*.*")):
        if random_.random() < 0.1:
            path.unlink()


def _copy(wrong: Path, right: Path, random_: random.Random, share: float) -> None:
    folders = sorted((right / FILMS_FOLDER).iterdir())
    for folder in random_.sample(folders, round(share * len(folders))):
        shutil.copytree(folder, wrong / FILMS_FOLDER / folder.name)


def make_other(wrong: Path, right: Path, random_: random.Random) -> None:
    """The store of another gallery, whose films have the same accession numbers."""
    for number in range(random_.randint(*SIZES)):
        record = film_record(f"other{number}", accession=f"ML.2026.{number + 1:04d}")
        add_film(LocalStorage(wrong), f"other{number}", record)


WRONG: tuple[Store, ...] = (
    *(make_empty, name_missing, make_file, make_stray),
    *(copy_half, copy_most, make_other),
)


class Gallery:
    """A home with a history and a store, whose setting can name another store."""

    def __init__(self, home: Path, random_: random.Random) -> None:
        self.random = random_
        self.settings = Settings(home=home)
        self.right = LocalStorage(Path(self.settings.store_root))
        migrate(self.settings.database)

    def fill(self) -> None:
        """Make films, and take in some of another program."""
        films = self.random.randint(*SIZES)
        foreign = films // 3
        with writing(self.settings.database) as session:
            for seed in range(films - foreign):
                stops = ({"prompt": "a square", "seed": seed}, {"prompt": "a sea", "seed": 7})
                enqueue_walk_in(session, stops=stops, frames=3, size=noise_worker.SIZE)
        self.work(self.settings)
        for number in range(foreign):
            self.right.put(film_key(f"foreign{number}", "film.gif"), GIF, "image/gif")
        self.sync(self.right)

    def rows(self) -> list[Walk]:
        """Read all rows."""
        with reading(self.settings.database) as session:
            return list(session.scalars(select(Walk)))

    def sync(self, store: LocalStorage, **options: Any) -> Report | None:
        """Run the command; None if it was refused."""
        with suppress(StorageError, BadInput):
            return sync(store, self.settings.database, open_outbox(self.settings), **options)
        return None

    def work(self, settings: Settings, render: Any = noise_worker.render_noise) -> None:
        """Let a worker make what is queued."""
        stubs: dict[str, Any] = {"load": lambda name, device: name, "render": render}
        timing = Timing(heartbeat=0.1, poll=0.02)
        Worker(settings, Renderers(**stubs), timing).run(once=True)


def render_elsewhere(spec: WalkSpec, **options: Any) -> StoredFilm:
    """Make a film as another machine does: its bytes, and so its name, are others."""
    return noise_worker.render_noise(spec.model_copy(update={"fps": spec.fps + 1}), **options)


def fail(spec: WalkSpec, **options: Any) -> StoredFilm:
    """Make no film."""
    raise BadInput("This machine cannot make that film.")


def use_wrong_store(gallery: Gallery, wrong: LocalStorage) -> Counter[str]:
    """Sync with the wrong store in several ways, while a worker may use it as well."""
    random_, told = gallery.random, Counter[str]()
    options: list[dict[str, Any]] = [{}, {"repair": True}, {"repair": True, "yes": True}]
    if random_.random() < 0.3:
        # Somebody insists, and names films that are missing only there.
        named = [row.accession for row in gallery.rows() if row.digest][:2]
        options.append({"repair": True, "yes": True, "only": named})
    for chosen in random_.sample(options, len(options)) + random_.choices(options, k=2):
        report = gallery.sync(wrong, **chosen)
        told["refused"] += report is None
        told["queued or mended"] += len(report.queued + report.repaired) if report else 0
        if random_.random() < 0.5 and not wrong.root.is_file():
            settings = gallery.settings.model_copy(update={"store": str(wrong.root)})
            gallery.work(settings, random_.choice((render_elsewhere, fail)))
    return told


def correct_setting(gallery: Gallery) -> None:
    """Sync with the gallery's own store; repairs find nothing to do, and workers go on."""
    gallery.sync(gallery.right)
    if gallery.random.random() < 0.5:
        gallery.sync(gallery.right, repair=True, yes=True)
    gallery.work(gallery.settings)


def count_findings(gallery: Gallery, before: dict[str, Walk]) -> Findings:
    """Compare the Gallery with what it was."""
    now = {row.id: row for row in gallery.rows()}
    with reading(gallery.settings.database) as session:
        shown = {walk.id for walk in walks.list_page(session=session, limit=1000)}
    lost = [walk_id for walk_id in before if not _is_sound(now.get(walk_id), gallery.right)]
    renumbered = [
        walk_id
        for walk_id, row in before.items()
        if walk_id in now and now[walk_id].accession != row.accession
    ]
    return Findings(
        1,
        lost=len(lost),
        hidden=len(before.keys() - shown),
        doubled=len(shown - before.keys()),
        numbers_given_twice=len(renumbered),
    )


def _is_sound(row: Walk | None, store: LocalStorage) -> bool:
    """Whether a film hangs, and its files are stored, the record of the film that it names."""
    if row is None or row.state is not State.DONE:
        return False
    try:
        files = {kind: store.get(key) for kind, key in row.files.items()}
    except StorageError:
        return False
    if "json" in files and json.loads(files["json"])["result"]["sha256"] != row.sha256:
        return False
    return hashlib.sha256(files["gif"]).hexdigest() == row.sha256


def run_once(seed: int) -> Findings:
    """Use one wrong store, correct the setting, and compare."""
    random_ = random.Random(seed)
    make_wrong = WRONG[seed % len(WRONG)]
    with tempfile.TemporaryDirectory() as folder:
        gallery = Gallery(Path(folder) / "home", random_)
        gallery.fill()
        before = {row.id: row for row in gallery.rows()}
        wrong = LocalStorage(Path(folder) / "wrong")
        make_wrong(wrong.root, gallery.right.root, random_)
        told = use_wrong_store(gallery, wrong)
        correct_setting(gallery)
        findings = count_findings(gallery, before)
        get_engine(gallery.settings.database).dispose()
    figures = {"store": make_wrong.__doc__, "films": len(before), **told}
    return Findings(**{**vars(findings), "figures": figures})


def run(count: int) -> Findings:
    """Run with this many wrong stores, of every kind in turn."""
    return Findings.add((str(seed), run_once(seed)) for seed in range(count))


SCENARIO = Scenario("wrong-stores", 20, run)
