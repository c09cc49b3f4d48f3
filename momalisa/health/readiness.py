"""Whether this machine can serve and make films now: the checks behind `/readyz`.

They read only the history and local folders, never the storage, and change nothing.
"""

import shutil
import time
from pathlib import Path

from db.error_messages import HistoryError
from db.status import HistoryStatus, WorkerStatus
from momalisa.health.finding import (
    Check,
    Finding,
    count_of,
    describe_seconds,
    ok,
    read_history,
    wrong,
)
from momalisa.settings import Settings
from momalisa.storage import FILMS_FOLDER
from momalisa.storage.outbox import open_outbox

ROOM_BYTES = 500_000_000
"""Free space below which a disk counts as full: about the largest walk's frames and film."""
OUTBOX_SECONDS = 3600.0
"""Age at which a film in the outbox means that the storage is lastingly out of reach."""


def check_history(settings: Settings) -> list[Finding]:
    """Read the history, and look at the workers in it."""
    try:
        status = read_history(settings)
    except HistoryError as error:
        return wrong("history", str(error), "See the log of the app, and `doctor`.")
    return [*ok("history", "The history can be read."), *check_workers(status, settings)]


def check_workers(status: HistoryStatus, settings: Settings) -> list[Finding]:
    """Whether a worker is alive and takes walks."""
    alive = [worker for worker in status.workers if worker.is_alive]
    start = (
        "Start one: python -m momalisa worker"
        if settings.worker == "external"
        else "The app starts one by itself; if it does not, see logs/worker.log in the home folder."
    )
    if not alive:
        return wrong("worker", "No worker is alive, so no film is made.", start)
    troubled = [worker for worker in alive if worker.paused_seconds > 0 or worker.problem]
    if len(troubled) == len(alive):
        return wrong(
            "worker",
            _describe_trouble(troubled),
            "Look at the machine and its graphics card; the worker goes on by itself.",
        )
    return ok("worker", f"{count_of(len(alive) - len(troubled), 'worker')} alive and at work.")


def _describe_trouble(workers: list[WorkerStatus]) -> str:
    """Say that no worker makes films, why, and when the first one tries again."""
    soonest = min(workers, key=lambda worker: worker.paused_seconds)
    pause = soonest.paused_seconds
    when = f"tried again in {describe_seconds(pause)}" if pause >= 1 else "tried again now"
    who = "The worker pauses" if len(workers) == 1 else f"All {len(workers)} workers pause"
    told = f"{who} after {count_of(soonest.failures, 'fault')} in a row; it is {when}"
    return f"{told}: {soonest.problem}" if soonest.problem else f"{told}."


def check_disk(settings: Settings) -> list[Finding]:
    """Whether the disks of home and of a store in a folder have room."""
    full = {
        name: free
        for name, path in local_folders(settings).items()
        if (free := free_bytes(path)) < ROOM_BYTES
    }
    if not full:
        return ok("disk", "The disks have room.")
    told = ", ".join(f"{free / 1e6:.0f} MB free for {name}" for name, free in full.items())
    return wrong("disk", f"A disk is full: {told}.", "Make room, or lower MOMALISA_CACHE_GB.")


def local_folders(settings: Settings) -> dict[str, Path]:
    """The folders that films and frames are written to, by name."""
    folders = {"home": settings.home}
    if "://" not in settings.store_root:
        folders["store"] = Path(settings.store_root).expanduser()
    return folders


def free_bytes(folder: Path) -> int:
    """Free bytes of the disk of a folder, which need not exist yet."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.absolute().parent
    return shutil.disk_usage(folder).free


def check_outbox(settings: Settings) -> list[Finding]:
    """Whether films wait so long that the storage must be out of reach."""
    films, age = measure_outbox(settings)
    if age < OUTBOX_SECONDS:
        return ok("outbox", f"{count_of(films, 'film')} in the outbox of this machine.")
    return wrong(
        "outbox",
        f"{count_of(films, 'film')} cannot reach the storage, the oldest for "
        f"{describe_seconds(age)}.",
        "Check the bucket's name, its permissions and the network; films are sent by themselves.",
    )


def measure_outbox(settings: Settings) -> tuple[int, float]:
    """How many films wait in this machine's outbox, and the oldest one's age in seconds."""
    outbox = open_outbox(settings)
    times = [file.updated.timestamp() for file in outbox.films.list(f"{FILMS_FOLDER}/")]
    age = max(0.0, time.time() - min(times)) if times else 0.0
    return len(outbox.walk_ids()), age


READINESS: dict[str, Check] = {
    "history": check_history,
    "disk": check_disk,
    "outbox": check_outbox,
}
"""By name; `worker` is found with the history."""
